"""Blocks as bytes, their names, and the first block."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.byteforms import second_forms
from tests.ledger.histories import A, B, Universe, genesis

from horoi.base.codec import encode
from horoi.base.errors import DecodeError
from horoi.ledger.block import (
    HEADER_MAX_SIZE_BYTES,
    Header,
    block_codec,
    block_hash,
    content_leaf,
    genesis_block,
    header_codec,
    reward_id,
)
from horoi.ledger.genesis import network_id
from horoi.ledger.merkle import inclusion_path, root_of_leaf_hashes, verify_inclusion
from horoi.ledger.transaction import NATIVE, Body, Definition, Holding, outputs_made

HEADER = Header(70_000, b"\x01" * 32, b"\x02" * 32, b"\x03" * 32, 1_700_000_000_000, 0x1D00FFFF, b"nonce678")
LARGEST = Header(2**32 - 1, b"\x01" * 32, b"\x02" * 32, b"\x03" * 32, 2**53, 2**32 - 1, bytes(8))


def test_a_header_comes_back_and_fits() -> None:
    for header in (HEADER, LARGEST):
        assert header_codec.decode(encode(header)) == header
        assert len(encode(header)) <= HEADER_MAX_SIZE_BYTES


def test_no_second_form_of_a_header() -> None:
    forms = list(second_forms(encode(HEADER)))
    assert len(forms) > 20
    for _, other in forms:
        with pytest.raises(DecodeError):
            header_codec.decode(other)


def test_the_nonce_stands_last() -> None:
    assert encode(HEADER)[-8:] == b"nonce678"


def test_the_name_is_the_tagged_hash_of_the_header() -> None:
    label = hashlib.sha256(b"horoi/block").digest()
    assert block_hash(HEADER) == hashlib.sha256(label + label + encode(HEADER)).digest()


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_an_answer(data: bytes) -> None:
    for codec in (header_codec, block_codec):
        try:
            value = codec.decode(data)
        except DecodeError:
            continue
        assert encode(value) == data


@given(st.integers(0, 2**32), st.data())
@settings(deadline=None, max_examples=200)
def test_a_block_gone_wrong_is_an_answer(seed: int, data: st.DataObject) -> None:
    raw = bytearray(encode(Universe(seed=seed % 5).random_block(3)))
    assert block_codec.decode(bytes(raw))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    try:
        block = block_codec.decode(bytes(raw))
    except DecodeError:
        return
    assert encode(block) == bytes(raw)


def test_the_first_block_is_the_same_for_all_and_of_one_network() -> None:
    one, two = genesis(name="one"), genesis(name="two")
    assert genesis_block(one) == genesis_block(genesis(name="one"))
    assert block_hash(genesis_block(one).header) != block_hash(genesis_block(two).header)
    first = genesis_block(one)
    assert (first.header.height, first.header.parent) == (0, network_id(one))
    assert first.reward == one.grants


@pytest.mark.parametrize("grants", [0, 1, 17, 3_000])
def test_the_first_block_connects_and_can_be_read(grants: int) -> None:
    start = genesis(grants=[Holding(NATIVE, 1 + n, A, None) for n in range(grants)])
    universe = Universe(start)
    assert universe.ledger.bits.count == grants
    assert block_codec.decode(encode(genesis_block(start))) == genesis_block(start)


def test_reward_ids_differ_by_network_height_and_content() -> None:
    reward = (Holding(NATIVE, 5, A, None),)
    names = {
        reward_id(network, height, made)
        for network in (bytes(32), b"\x01" * 32)
        for height in (1, 2)
        for made in (reward, (Holding(NATIVE, 5, B, None),), ())
    }
    assert len(names) == 12


def test_a_leaf_shows_what_was_recorded_who_signed_and_which_bit() -> None:
    """From the header alone: the path of an item, and with the parent's number of bits, the bit of its output."""
    universe = Universe(seed=9)
    define = Body(
        definitions=(Definition("x", "", 0, A, 5, False, None), Definition("y", "", 0, B, 5, False, None)), since=0
    )
    pay = Body((universe.coins_of(A).input,), (Holding(NATIVE, 400, B, None), Holding(NATIVE, 600, A, None)))
    more = Body((universe.coins_of(B).input,), (Holding(NATIVE, 1_000, A, None),))
    bits_before = universe.ledger.bits.count
    step = universe.add(*(universe.sign(body) for body in (pay, define, more)))
    header, items = step.block.header, step.prepared
    leaves = [content_leaf(0, reward_id(universe.network, header.height, step.block.reward), b"")]
    offset = len(step.block.reward)
    for item in items:
        leaf = content_leaf(offset, item.id, item.witness)
        for index in range(len(outputs_made(item.id, item.transaction.body))):
            entry = universe.entries[b"o" + item.id + index.to_bytes(2, "big")]
            assert int.from_bytes(entry[:5], "big") == bits_before + offset + index
        leaves.append(leaf)
        offset += len(item.transaction.body.outputs) + len(item.transaction.body.definitions)
    assert root_of_leaf_hashes(leaves) == header.content_root
    for index, leaf in enumerate(leaves):
        path = inclusion_path(leaves, index)
        assert verify_inclusion(leaf, index, len(leaves), path, header.content_root)
        assert not verify_inclusion(content_leaf(1, items[0].id, b""), index, len(leaves), path, header.content_root)
