"""What is written down of a chain, beside the log's own records, and what the world is asked to write.

Keys in the state store, beside the ledger's own:

    h || height || block name    what is kept of a block: its header, and where block and undo data are in the log
    r || height                  what the state root of the connected block of this height commits to: number of bits (8 bytes)
                                 and the root over their chunks (32), which a proof shows (ledger/proof/state.py)
    m                            the marker
"""

from __future__ import annotations

from typing import NamedTuple

from horoi.base.codec import Codec, Record
from horoi.ledger.block import Header
from horoi.ledger.ledger import Undo
from horoi.node.storage.log import Location

MARKER_KEY = b"m"
PLACES = (b"h", b"i")
"""First key of a place, and the first key behind all of them."""

OPENING = b"r"
COUNT_SIZE_BYTES = 8


class Place(Record, frozen=True):
    """What the state store keeps of a block."""

    header: Header
    block: Location
    undo: Location | None


class Marker(Record, frozen=True):
    """The block that the flushed state is the state after, and where the log ended then."""

    name: bytes
    outputs: int
    log_end: Location


class FlushState(NamedTuple):
    """Record for the world: write the state down with its marker, and free the cache."""


class SaveBlocks(NamedTuple):
    """Record for the world to make durable: (kind, name, payload) of blocks and undo data, in order."""

    records: tuple[tuple[int, bytes, bytes], ...]


place_codec: Codec[Place] = Codec(Place, max_size_bytes=1_000)
marker_codec: Codec[Marker] = Codec(Marker, max_size_bytes=1_000)
undo_codec: Codec[Undo] = Codec(Undo, max_size_bytes=64_000_000)


def place_key(height: int, name: bytes) -> bytes:
    """Where the state store keeps the place of a block."""
    return PLACES[0] + height.to_bytes(4, "big") + name


def opening_key(height: int) -> bytes:
    """Where the state store keeps what a state root commits to."""
    return OPENING + height.to_bytes(4, "big")


def opening_bytes(count: int, chunks_root: bytes) -> bytes:
    """What it keeps there."""
    return count.to_bytes(COUNT_SIZE_BYTES, "big") + chunks_root


def read_opening(value: bytes) -> tuple[int, bytes]:
    """The reverse of ``opening_bytes``."""
    return int.from_bytes(value[:COUNT_SIZE_BYTES], "big"), value[COUNT_SIZE_BYTES:]
