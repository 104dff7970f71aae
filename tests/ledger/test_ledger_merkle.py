"""Merkle trees of RFC 9162: its structure, its proofs, public vectors, and the two forgeries known from Bitcoin's."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.base.vectors import vectors

from horoi.ledger.merkle import (
    EMPTY_ROOT,
    MAX_PATH_LENGTH,
    consistency_path,
    inclusion_path,
    leaf_hash,
    merkle_root,
    node_hash,
    root_of_leaf_hashes,
    verify_consistency,
    verify_inclusion,
)

sizes = st.integers(1, 70)


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]


def by_recursion(data: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, as it is written."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < len(data):
        k *= 2
    return hashlib.sha256(b"\x01" + by_recursion(data[:k]) + by_recursion(data[k:])).digest()


@given(st.lists(st.binary(max_size=5), max_size=40))
@settings(deadline=None, max_examples=100)
def test_the_root_is_that_of_the_rfc(data: list[bytes]) -> None:
    assert merkle_root(data) == by_recursion(data)
    assert merkle_root([]) == EMPTY_ROOT


@given(sizes, st.data())
@settings(deadline=None, max_examples=150)
def test_inclusion(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    root, path = root_of_leaf_hashes(leaves), inclusion_path(leaves, index)
    assert verify_inclusion(leaves[index], index, size, path, root)
    assert not verify_inclusion(leaf_hash(b"another"), index, size, path, root)
    assert not verify_inclusion(leaves[index], index, size, [*path, root], root)
    assert not verify_inclusion(leaves[index], index, size, path, leaf_hash(b"another"))
    assert not verify_inclusion(leaves[index], size, size, path, root)
    assert not verify_inclusion(leaves[index], -1, size, path, root)
    if path:
        assert not verify_inclusion(leaves[index], index, size, path[:-1], root)
        place, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
        changed = bytearray(path[place])
        changed[bit // 8] ^= 1 << bit % 8
        assert not verify_inclusion(
            leaves[index], index, size, [*path[:place], bytes(changed), *path[place + 1 :]], root
        )
        other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index))
        assert not verify_inclusion(leaves[index], other, size, path, root)


@given(sizes, sizes, st.data())
@settings(deadline=None, max_examples=150)
def test_consistency(one: int, two: int, data: st.DataObject) -> None:
    old, new = sorted((one, two))
    leaves = leaves_of(new)
    old_root, new_root = root_of_leaf_hashes(leaves[:old]), root_of_leaf_hashes(leaves)
    path = consistency_path(leaves, old)
    assert verify_consistency(old, new, old_root, new_root, path)
    rewritten = root_of_leaf_hashes([leaf_hash(b"another"), *leaves[1:old]])
    assert not verify_consistency(old, new, rewritten, new_root, path)
    assert not verify_consistency(old, new, old_root, leaf_hash(b"another"), path)
    assert not verify_consistency(old, new, old_root, new_root, [*path, old_root])
    assert not verify_consistency(new + 1, new, old_root, new_root, path)
    assert not verify_consistency(0, new, old_root, new_root, path)
    if path:
        assert not verify_consistency(old, new, old_root, new_root, path[:-1])
        place = data.draw(st.integers(0, len(path) - 1))
        assert not verify_consistency(old, new, old_root, new_root, [*path[:place], bytes(32), *path[place + 1 :]])


def test_what_is_not_there_has_no_path() -> None:
    for index in (-1, 3):
        with pytest.raises(IndexError):
            inclusion_path(leaves_of(3), index)
    for old in (0, 4):
        with pytest.raises(IndexError):
            consistency_path(leaves_of(3), old)


def test_a_path_is_bounded() -> None:
    leaf = leaf_hash(b"x")
    current, path = leaf, []
    for _ in range(MAX_PATH_LENGTH + 1):
        current = node_hash(current, leaf)
        path.append(leaf)
    assert not verify_inclusion(leaf, 0, 2 ** (MAX_PATH_LENGTH + 1), path, current)
    assert not verify_consistency(1, 2 ** (MAX_PATH_LENGTH + 1), leaf, current, path)


def test_no_duplicate_leaf_forgery() -> None:
    """CVE-2012-2459: in Bitcoin's tree [a, b, c] and [a, b, c, c] have one root."""
    for size in range(1, 33):
        data = [bytes([n]) for n in range(size)]
        for copies in range(1, size + 1):
            assert merkle_root(data) != merkle_root(data + data[-copies:])


def test_no_leaf_as_node_forgery() -> None:
    """A node's preimage offered as a leaf's data gives another hash; so does a leaf's as a node's."""
    a, b, c, d = leaves_of(4)
    root = root_of_leaf_hashes([a, b, c, d])
    assert merkle_root([a + b, c + d]) != root
    assert leaf_hash(a + b) != node_hash(a, b)
    assert not verify_inclusion(leaf_hash(a + b), 0, 2, [node_hash(c, d)], root)


def test_hashes_do_not_borrow_bytes_from_their_neighbours() -> None:
    a, b = leaves_of(2)
    joined, root = a + b, root_of_leaf_hashes([a, b])
    for cut in (0, 1, 31, 33, 63, 64):
        assert not verify_inclusion(joined[:cut], 0, 2, [joined[cut:]], root)
        assert not verify_inclusion(joined[cut:], 1, 2, [joined[:cut]], root)
        assert not verify_consistency(1, 2, joined[:cut], root, [joined[cut:]])
    assert not verify_inclusion(b"", 0, 1, [], b"")


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def test_public_inclusion_vectors() -> None:
    files = sorted(vectors("merkle/inclusion").glob("*.json"))
    outcomes = []
    for file in files:
        case = json.loads(file.read_text())
        path = [_bytes(node) for node in case["proof"] or ()]
        valid = verify_inclusion(
            _bytes(case["leafHash"]), case["leafIdx"], case["treeSize"], path, _bytes(case["root"])
        )
        assert valid is not case["wantErr"], file.name
        outcomes.append(valid)
    assert any(outcomes)
    assert not all(outcomes)


def test_public_consistency_vectors() -> None:
    files = sorted(vectors("merkle/consistency").glob("*.json"))
    outcomes = []
    for file in files:
        case = json.loads(file.read_text())
        path = [_bytes(node) for node in case["proof"] or ()]
        valid = verify_consistency(case["size1"], case["size2"], _bytes(case["root1"]), _bytes(case["root2"]), path)
        assert valid is not case["wantErr"], file.name
        outcomes.append(valid)
    assert any(outcomes)
    assert not all(outcomes)
