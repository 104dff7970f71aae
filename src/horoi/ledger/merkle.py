"""Merkle trees as in RFC 9162 (Certificate Transparency 2.0), sections 2.1.1 to 2.1.3: change-sensitive data structures.

    leaf  = SHA-256(0x00 || data)        node = SHA-256(0x01 || left || right)

The prefixes keep a node from being taken for a leaf; an odd node is never doubled, so no two lists have one root. That
closes the two forgeries known from Bitcoin's tree (CVE-2012-2459 and leaf-as-node).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

HASH_SIZE_BYTES = 32
MAX_PATH_LENGTH = 64  # RFC 9162 sizes are 64-bit numbers

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """RFC 9162 section 2.1.1."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 section 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


def root_of_leaf_hashes(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes. Level by level, an odd last node moves up: the same tree as the RFC's recursion."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        level = next_level(level)
    return level[0]


def next_level(level: list[bytes]) -> list[bytes]:
    """Hash neighbours in pairs; an odd last one moves up as it is."""
    paired = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
    if len(level) % 2:
        paired.append(level[-1])
    return paired


def merkle_root(data: Sequence[bytes]) -> bytes:
    """The root over a list of data."""
    return root_of_leaf_hashes([leaf_hash(item) for item in data])


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion proof of leaf number ``index`` among these leaf hashes, from the leaf up (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    path = []
    level = list(leaves)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level = next_level(level)
        index >>= 1
    return path


def _well_formed(path: Sequence[bytes], *others: bytes) -> bool:
    """A hash of another length could borrow bytes from its neighbour: left and right are joined without a mark."""
    return len(path) <= MAX_PATH_LENGTH and all(len(value) == HASH_SIZE_BYTES for value in (*path, *others))


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """True if ``path`` shows that leaf hash ``leaf`` is number ``index`` of ``size`` under ``root`` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _well_formed(path, leaf, root):
        return False
    node, last, current = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            current = node_hash(current, sibling)
        node >>= 1
        last >>= 1
    return last == 0 and current == root


def _largest_power_of_two_below(n: int) -> int:
    return 1 << (n - 1).bit_length() - 1


def consistency_path(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """The proof that the tree over the first ``old_size`` leaf hashes is a prefix of this one (RFC 9162, 2.1.4.1)."""
    if not 0 < old_size <= len(leaves):
        raise IndexError(f"old size {old_size} of {len(leaves)}")
    return _subproof(leaves, old_size, complete=True)


def _subproof(leaves: Sequence[bytes], old_size: int, *, complete: bool) -> list[bytes]:
    if old_size == len(leaves):
        return [] if complete else [root_of_leaf_hashes(leaves)]
    split = _largest_power_of_two_below(len(leaves))
    if old_size <= split:
        return [*_subproof(leaves[:split], old_size, complete=complete), root_of_leaf_hashes(leaves[split:])]
    right = _subproof(leaves[split:], old_size - split, complete=False)
    return [*right, root_of_leaf_hashes(leaves[:split])]


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """True if ``path`` shows that the tree of ``old_root`` is a prefix of that of ``new_root`` (RFC 9162, 2.1.4.2)."""
    if not 0 < old_size <= new_size:
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    if not _well_formed(path, old_root, new_root):
        return False
    nodes = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not nodes:
        return False
    old, new = old_size - 1, new_size - 1
    while old & 1:
        old >>= 1
        new >>= 1
    old_hash = new_hash = nodes[0]
    for sibling in nodes[1:]:
        if new == 0:
            return False
        if old & 1 or old == new:
            old_hash = node_hash(sibling, old_hash)
            new_hash = node_hash(sibling, new_hash)
            while not old & 1 and old:
                old >>= 1
                new >>= 1
        else:
            new_hash = node_hash(new_hash, sibling)
        old >>= 1
        new >>= 1
    return new == 0 and old_hash == old_root and new_hash == new_root
