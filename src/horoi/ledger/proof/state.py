"""Unspent as of a block: the bit of an output in the bitfield that a header commits to.

Which bit is whose follows from the number of bits before the block that made it, to which its parent's state root commits,
and from the record's place among the outputs of its block, to which the content root commits.
"""

from __future__ import annotations

from collections.abc import Sequence

from horoi.ledger.bitfield import CHUNK_BITS, state_root
from horoi.ledger.merkle import leaf_hash, verify_inclusion
from horoi.ledger.proof.content import Item
from horoi.ledger.proof.form import ChunkPart, ProofError, RecordPart, Unspent
from horoi.ledger.proof.run import Run, run_with


def check_unspent(part: Unspent, records: Sequence[RecordPart], items: Sequence[Item], runs: Sequence[Run]) -> None:
    """Every output of ``part`` has its bit set; ProofError names what does not hold."""
    _check_state_root(part.height, part.count, part.chunks_root, runs)
    chunks = _check_chunks(part)
    used: dict[int, None] = {}
    seen: dict[int, None] = {}
    for output in part.outputs:
        if output.record >= len(items):
            raise ProofError("holding", f"record {output.record} of {len(items)}")
        item = items[output.record]
        if output.index >= len(item.outputs):
            raise ProofError("holding", f"output {output.index} of {len(item.outputs)} of {item.id.hex()}")
        if item.height > part.height:
            raise ProofError("holding", f"{item.id.hex()} was made after block {part.height}")
        number = _bits_before(records[output.record], runs) + item.first_output + output.index
        chunk = chunks.get(number // CHUNK_BITS)
        if chunk is None or number >= part.count or number in seen:
            raise ProofError("holding", f"bit {number} of {part.count} is not in the chunks given, or named twice")
        seen[number] = None
        used[number // CHUNK_BITS] = None
        if not chunk[number % CHUNK_BITS >> 3] & 1 << (number & 7):
            raise ProofError(
                "bit says spent", f"output {output.index} of {item.id.hex()} is spent as of block {part.height}"
            )
    if len(used) != len(chunks):
        raise ProofError("form", "a chunk is given that no output needs")


def _check_state_root(height: int, count: int, chunks_root: str, runs: Sequence[Run]) -> None:
    header = run_with(runs, height, "header of the state").at(height)
    assert header is not None
    if state_root(count, bytes.fromhex(chunks_root)) != header.state_root:
        raise ProofError(f"state root of header {height}", f"it does not commit to {count} bits under {chunks_root}")


def _check_chunks(part: Unspent) -> dict[int, bytes]:
    size = -(-part.count // CHUNK_BITS)
    chunks: dict[int, bytes] = {}
    for chunk in part.chunks:
        _check_chunk(chunk, size, bytes.fromhex(part.chunks_root))
        if chunk.number in chunks:
            raise ProofError("form", f"chunk {chunk.number} is given twice")
        chunks[chunk.number] = bytes.fromhex(chunk.bits)
    return chunks


def _check_chunk(chunk: ChunkPart, size: int, root: bytes) -> None:
    path = [bytes.fromhex(step) for step in chunk.path]
    if not verify_inclusion(leaf_hash(bytes.fromhex(chunk.bits)), chunk.number, size, path, root):
        raise ProofError("path of the bits", f"chunk {chunk.number} of {size} does not lead to the root of the state")


def _bits_before(record: RecordPart, runs: Sequence[Run]) -> int:
    """How many outputs were made before the record's block."""
    if record.height == 0:
        if record.before is not None:
            raise ProofError("form", "nothing was before block 0")
        return 0
    if record.before is None:
        raise ProofError("holding", "the number of bits before its block is not given")
    _check_state_root(record.height - 1, record.before.count, record.before.chunks_root, runs)
    return record.before.count
