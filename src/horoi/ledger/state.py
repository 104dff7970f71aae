"""The form of the state, and what comes of it and goes into it.

State, all of it in one sorted store:

    o || outpoint (34 bytes)   an unspent output: number (5 bytes), height (4), 1 if a reward (1), encoded content
    i || transaction id        an inputless transaction of the last INPUTLESS_WINDOW blocks
    w || height (4 bytes)      the ids of the inputless transactions of that block, to forget them in time
    b || chunk number          the bitfield's chunks
    m                          the marker: which block this is the state after

Inputless: a transaction that spends nothing (a post, a definition) has no outpoint that could stop it from being played
twice. It names in ``since`` a recent height, is valid for INPUTLESS_WINDOW blocks after it, and the ledger remembers
its id that long.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from horoi.base.codec import Record
from horoi.ledger.authority import Required
from horoi.ledger.transaction import Transaction

INPUTLESS_WINDOW = 1_000  # blocks; a guess: long enough to collect signatures, short enough to remember


class Entries(Protocol):
    """Where the state is kept: a store with a write-back cache in front (or a plain dict in a test)."""

    def get(self, key: bytes) -> bytes | None: ...

    def put(self, key: bytes, value: bytes) -> None: ...

    def delete(self, key: bytes) -> None:
        """Deleting what is not there is nothing."""


class Prepared(NamedTuple):
    """A transaction after the rules that need no history."""

    transaction: Transaction
    id: bytes
    size_bytes: int
    witness: bytes
    """Encoded."""
    need: Required
    fee: int


class Undo(Record, frozen=True):
    """What ``disconnect`` needs to restore the state before a block: the entries that the block removed."""

    removed: tuple[tuple[bytes, bytes], ...]
    outputs_before: int


class Entry(NamedTuple):
    """An unspent output as the state keeps it."""

    number: int
    height: int
    is_reward: bool
    content: bytes


ENTRY_HEAD_SIZE_BYTES = 10


def entry_bytes(number: int, height: int, is_reward: bool, content: bytes) -> bytes:
    """The value under an outpoint."""
    return number.to_bytes(5, "big") + height.to_bytes(4, "big") + (b"\x01" if is_reward else b"\x00") + content


def read_entry(value: bytes) -> Entry:
    """The reverse of ``entry_bytes``."""
    head = ENTRY_HEAD_SIZE_BYTES
    return Entry(int.from_bytes(value[:5], "big"), int.from_bytes(value[5:9], "big"), value[9] == 1, value[head:])


def output_key(source: bytes, index: int) -> bytes:
    """The state's key of an output."""
    return b"o" + source + index.to_bytes(2, "big")


def chunk_key(index: int) -> bytes:
    """The state's key of a chunk of the bitfield."""
    return b"b" + index.to_bytes(6, "big")
