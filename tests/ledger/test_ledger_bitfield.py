"""The bitfield: whatever happened to it, its root is that of the same bits made from scratch, and proofs show one bit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.ledger.bitfield import CHUNK_BITS, CHUNK_SIZE_BYTES, BitField, state_root, verify_unspent
from horoi.ledger.merkle import EMPTY_ROOT, merkle_root

Move = tuple[str, int]
moves = st.lists(
    st.tuples(st.sampled_from(["append", "append", "spend", "back", "root"]), st.integers(0, 3 * CHUNK_BITS)),
    max_size=12,
)


def from_scratch(model: list[bool]) -> BitField:
    data = bytearray(-(-len(model) // CHUNK_BITS) * CHUNK_SIZE_BYTES)
    for number, unspent in enumerate(model):
        if unspent:
            data[number // 8] |= 1 << number % 8
    return BitField([bytes(data[i : i + CHUNK_SIZE_BYTES]) for i in range(0, len(data), CHUNK_SIZE_BYTES)], len(model))


def chunks_root(bits: BitField) -> bytes:
    return merkle_root([bits.chunk(i) for i in range(bits.chunks())])


@given(moves)
@settings(deadline=None, max_examples=80)
def test_the_root_kept_up_to_date_is_the_root_from_scratch(made: list[Move]) -> None:
    bits = BitField()
    model: list[bool] = []
    past: list[tuple[int, list[int]]] = []
    for kind, number in made:
        if kind == "append":
            assert bits.append(number) == len(model)
            past.append((len(model), []))
            model += [True] * number
        elif kind == "spend" and model:
            spent = [n for n in {number % len(model), 0, len(model) - 1} if model[n]]
            bits.spend(spent)
            past.append((len(model), spent))
            for n in spent:
                model[n] = False
        elif kind == "back" and past:
            count, spent = past.pop()
            bits.truncate(count)
            bits.restore(spent)
            del model[count:]
            for n in spent:
                model[n] = True
        elif kind == "root":
            bits.root()
    assert bits.count == len(model)
    assert [bits[n] for n in range(len(model))] == model
    assert bits.root() == from_scratch(model).root()
    assert bits.root() == state_root(len(model), chunks_root(bits))


@pytest.mark.parametrize("count", [0, 1, CHUNK_BITS - 1, CHUNK_BITS, CHUNK_BITS + 1, 2 * CHUNK_BITS, 7 * CHUNK_BITS])
def test_truncating_at_the_borders_of_chunks(count: int) -> None:
    for longer in (1, CHUNK_BITS - 1, CHUNK_BITS, CHUNK_BITS + 1, 5 * CHUNK_BITS):
        bits = BitField()
        bits.append(count)
        before = bits.root()
        bits.append(longer)
        assert bits.root() != before
        bits.truncate(count)
        assert (bits.root(), bits.chunks()) == (before, -(-count // CHUNK_BITS))


def test_the_root_commits_to_the_number_of_bits() -> None:
    """Spent outputs at the end are zeros like those that never were."""
    one, two = BitField(), BitField()
    one.append(3)
    two.append(4)
    two.spend([3])
    assert one.chunk(0) == two.chunk(0)
    assert one.root() != two.root()
    assert BitField().root() == state_root(0, EMPTY_ROOT)


@given(st.integers(1, 3 * CHUNK_BITS), st.data())
@settings(deadline=None, max_examples=30)
def test_proofs(count: int, data: st.DataObject) -> None:
    bits = BitField()
    bits.append(count)
    number = data.draw(st.integers(0, count - 1))
    chunk, path = bits.prove(number)
    root = chunks_root(bits)
    assert bits.root() == state_root(count, root)
    assert verify_unspent(number, count, chunk, path, root)
    bits.spend([number])
    spent_chunk, spent_path = bits.prove(number)
    assert not verify_unspent(number, count, spent_chunk, spent_path, chunks_root(bits))
    assert not verify_unspent(number, count, chunk, path, chunks_root(bits))  # yesterday's proof under today's root
    assert not verify_unspent(count, count, chunk, path, root)
    assert not verify_unspent(-1, count, chunk, path, root)
    assert not verify_unspent(number, count, chunk + b"\x00", path, root)
    assert not verify_unspent(number, count, chunk, [*path, root], root)
    tampered = bytearray(chunk)
    tampered[data.draw(st.integers(0, CHUNK_SIZE_BYTES - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not verify_unspent(number, count, bytes(tampered), path, root)
    if path:
        assert not verify_unspent(number, count, chunk, [bytes(32), *path[1:]], root)
    moved = (number + CHUNK_BITS) % count
    bits.restore([number])
    if bits.chunk(moved // CHUNK_BITS) != chunk:
        assert not verify_unspent(moved, count, chunk, path, root)


def test_a_bit_that_is_not_there() -> None:
    bits = BitField()
    bits.append(2)
    for number in (-1, 2):
        with pytest.raises(IndexError):
            bits[number]


@pytest.mark.parametrize(
    ("chunks", "count"),
    [
        ([bytes(CHUNK_SIZE_BYTES)], 0),
        ([], 1),
        ([bytes(CHUNK_SIZE_BYTES - 1)], 1),
        ([bytes(CHUNK_SIZE_BYTES)], CHUNK_BITS + 1),
    ],
)
def test_chunks_that_do_not_fit_are_refused(chunks: list[bytes], count: int) -> None:
    with pytest.raises(ValueError, match="chunks"):
        BitField(chunks, count)
