"""The state transition: whatever valid history came, forward and back agree, and a refusal changes nothing."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.histories import (
    CREATED_MS,
    OWNERS,
    PAIRS,
    A,
    B,
    DictEntries,
    Universe,
    model_outputs,
    outputs_in,
    rule_of,
    signed,
)

from horoi.base.errors import RuleError, StorageError
from horoi.ledger.bitfield import CHUNK_BITS, BitField
from horoi.ledger.block import Block, Header
from horoi.ledger.consensus.nakamoto.reward import subsidy
from horoi.ledger.ledger import ENTRY_HEAD_SIZE_BYTES, Ledger, entry_bytes, output_key, read_entry
from horoi.ledger.transaction import (
    NATIVE,
    Body,
    Holding,
    Input,
)

seeds = st.integers(0, 2**32)


def remade(block: Block, **changes: object) -> Block:
    """The block with some fields of its header changed."""
    fields = {name: getattr(block.header, name) for name in Header.__struct_fields__}
    return Block(Header(**{**fields, **changes}), block.reward, block.transactions)  # type: ignore[arg-type]


# ---- forward and back ------------------------------------------------------------------------------------


@given(seeds, st.integers(1, 12))
@settings(deadline=None, max_examples=40)
def test_disconnect_restores_what_was_before(seed: int, blocks: int) -> None:
    universe = Universe(seed=seed)
    dice = Random(seed)
    for _ in range(blocks):
        universe.advance()
        if dice.random() < 0.3:
            depth = dice.randint(1, len(universe.steps))
            for _ in range(depth):
                step = universe.disconnect()
                assert universe.entries == step.entries_before
                assert universe.ledger.bits.root() == step.root_before
            if dice.random() < 0.5:  # the same block again gives the same state again
                universe.connect(step.block)
    while universe.steps:
        step = universe.disconnect()
        assert universe.entries == step.entries_before
        assert universe.ledger.bits.root() == step.root_before


@given(seeds, st.integers(1, 25))
@settings(deadline=None, max_examples=30)
def test_the_state_is_what_the_history_says(seed: int, blocks: int) -> None:
    """Against a model: the unspent outputs, the number and the bit of each, and the sums of every asset."""
    universe = Universe(seed=seed)
    supply: dict[bytes, int] = {NATIVE: sum(grant.quantity for grant in universe.genesis.grants)}
    claimed = 0
    for _ in range(blocks):
        step = universe.advance()
        claimed += subsidy(universe.genesis.consensus, universe.height)
        for transaction in step.block.transactions:
            _count(supply, transaction.body)
    assert outputs_in(universe.entries) == model_outputs(universe.unspent)
    supply[NATIVE] += claimed  # every fee went to the miner
    sums: dict[bytes, int] = {}
    rights: dict[bytes, int] = {}
    for held in universe.unspent:
        content = held.content
        if isinstance(content, Holding):
            sums[content.asset] = sums.get(content.asset, 0) + content.quantity
        else:
            rights[content.asset] = rights.get(content.asset, 0) + content.limit
    assert sums == {asset: total for asset, total in supply.items() if total}
    for asset, definition in universe.definitions.items():
        assert supply.get(asset, 0) + rights.get(asset, 0) <= definition.limit
    bits = universe.ledger.bits
    numbers = sorted(read_entry(value).number for key, value in universe.entries.items() if key[:1] == b"o")
    assert numbers == [number for number in range(bits.count) if bits[number]]


def _count(supply: dict[bytes, int], body: Body) -> None:
    for issue in body.issues:
        content = body.inputs[issue.right].content
        supply[content.asset] = supply.get(content.asset, 0) + issue.quantity
    for transform in body.transforms:
        content = body.inputs[transform.right].content
        supply[content.asset] = supply.get(content.asset, 0) + transform.produced
        for amount in transform.consumed:
            supply[amount.asset] -= amount.quantity
    for retire in body.retires:
        supply[retire.asset] -= retire.quantity


@given(seeds)
@settings(deadline=None, max_examples=25)
def test_preview_leaves_the_state_as_it_was(seed: int) -> None:
    universe = Universe(seed=seed)
    for _ in range(4):
        universe.advance()
    block = universe.random_block()
    entries, root = dict(universe.entries), universe.ledger.bits.root()
    prepared = [universe.ledger.prepare(transaction) for transaction in block.transactions]
    preview = universe.ledger.preview(universe.height + 1, block.reward, prepared, CREATED_MS)
    assert (preview.content_root, preview.state_root) == (block.header.content_root, block.header.state_root)
    assert (universe.entries, universe.ledger.bits.root()) == (entries, root)
    with pytest.raises(RuleError):
        universe.ledger.preview(universe.height + 1, block.reward, [*prepared, *prepared, _thief(universe)], CREATED_MS)
    assert (universe.entries, universe.ledger.bits.root()) == (entries, root)


def _thief(universe: Universe):  # type: ignore[no-untyped-def]
    """A transaction of something that never was, prepared."""
    spent = Input(b"\x07" * 32, 0, Holding(NATIVE, 5, A, None))
    return universe.ledger.prepare(universe.sign(Body((spent,), (Holding(NATIVE, 5, B, None),)), PAIRS[0]))


@given(seeds, st.integers(0, 6))
@settings(deadline=None, max_examples=40)
def test_a_refused_block_leaves_the_state_as_it_was(seed: int, place: int) -> None:
    universe = Universe(seed=seed)
    for _ in range(4):
        universe.advance()
    block = universe.random_block()
    ledger = universe.ledger
    entries, root = dict(universe.entries), ledger.bits.root()
    prepared = [ledger.prepare(transaction) for transaction in block.transactions]
    bad = [*prepared[:place], _thief(universe), *prepared[place:]]
    assert rule_of(lambda: ledger.connect(block, bad, CREATED_MS)) == "spend.unknown"
    assert (universe.entries, ledger.bits.root()) == (entries, root)
    assert rule_of(lambda: ledger.connect(remade(block, state_root=bytes(32)), prepared, CREATED_MS)) == "block.state"
    assert (universe.entries, ledger.bits.root()) == (entries, root)
    greedy = (*block.reward, Holding(NATIVE, 10**9, A, None))
    greedy_block = Block(block.header, greedy, block.transactions)
    assert rule_of(lambda: ledger.connect(greedy_block, prepared, CREATED_MS)) == "reward.excess"
    assert (universe.entries, ledger.bits.root()) == (entries, root)
    universe.connect(block)  # and the good one still goes


class Brittle(DictEntries):
    """A store that fails on the so-many-th read, once."""

    left = -1

    def get(self, key: bytes) -> bytes | None:  # type: ignore[override]
        self.left -= 1
        if self.left == 0:
            raise StorageError("the disk is gone")
        return super().get(key)


def test_a_store_that_fails_half_way_leaves_no_half_block() -> None:
    universe = Universe(seed=11)
    for _ in range(6):
        universe.advance()
    block = universe.random_block(8)
    prepared = [universe.ledger.prepare(transaction) for transaction in block.transactions]
    reads = sum(len(item.transaction.body.inputs) or 1 for item in prepared)
    assert reads > 3
    for left in range(1, reads + 1):
        entries = Brittle(universe.entries)
        chunks = [universe.ledger.bits.chunk(i) for i in range(universe.ledger.bits.chunks())]
        ledger = Ledger(universe.genesis, entries, BitField(chunks, universe.ledger.bits.count))
        entries.left = left
        with pytest.raises(StorageError):
            ledger.connect(block, prepared, CREATED_MS)
        assert entries == universe.entries
        assert ledger.bits.root() == universe.ledger.bits.root()


# ---- what is kept ------------------------------------------------------------------------------------------


def _flush(stored: dict[bytes, bytes], ledger: Ledger) -> None:
    for key, value in ledger.changed_chunks().items():
        if value is None:
            stored.pop(key, None)
        else:
            stored[key] = value


def test_stored_chunks_are_the_bitfield_forward_and_back() -> None:
    """Flushed after any block, also across chunk borders, what is stored is what the bitfield has and nothing more."""
    universe = Universe(seed=5)
    stored: dict[bytes, bytes] = {}

    def agree() -> None:
        _flush(stored, universe.ledger)
        bits = universe.ledger.bits
        assert [stored[key] for key in sorted(stored)] == [bits.chunk(i) for i in range(bits.chunks())]
        assert BitField([stored[key] for key in sorted(stored)], bits.count).root() == bits.root()

    agree()
    fan = 900
    for round_number in range(8):
        coin = max((h for h in universe.spendable() if h.content.asset == NATIVE), key=lambda h: h.content.quantity)
        rest = coin.content.quantity - fan
        outputs = tuple(Holding(NATIVE, 1, OWNERS[i % 3], None) for i in range(fan))
        universe.add(signed(universe.network, Body((coin.input,), (*outputs, Holding(NATIVE, rest, A, None)))))
        if round_number % 3:
            agree()
    assert universe.ledger.bits.count > 2 * CHUNK_BITS
    agree()
    while universe.steps:
        universe.disconnect()
        if len(universe.steps) % 3 != 1:
            agree()
    agree()
    assert len(stored) == 1


def test_entries_read_back() -> None:
    value = entry_bytes(2**40 - 1, 2**32 - 1, True, b"content")
    assert read_entry(value) == (2**40 - 1, 2**32 - 1, True, b"content")
    assert read_entry(entry_bytes(0, 0, False, b"")) == (0, 0, False, b"")
    assert len(entry_bytes(1, 1, True, b"")) == ENTRY_HEAD_SIZE_BYTES
    assert output_key(b"\x01" * 32, 258) == b"o" + b"\x01" * 32 + b"\x01\x02"
