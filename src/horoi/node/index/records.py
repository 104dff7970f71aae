"""What the index keeps, as records."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from horoi.base.codec import Codec, Record
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.ledger.transaction import Body, Definition, Holding, Post


class TransactionPlace(Record, frozen=True):
    """Where a transaction is: block height, position among the block's transactions, and its bytes in the block's."""

    height: int
    position: int
    offset: int
    size_bytes: int


class DefinedAsset(Record, frozen=True):
    """An asset's definition and where it was made."""

    definition: Definition
    transaction: bytes
    height: int


class AssetRecord(NamedTuple):
    """An asset's definition and its books, in its smallest unit: issued + produced = consumed + retired + existing."""

    definition: Definition
    transaction: bytes
    height: int
    issued: int = 0
    produced: int = 0
    consumed: int = 0
    retired: int = 0
    transactions: int = 0


class PostRecord(Record, frozen=True):
    """A post and where it stands."""

    transaction: bytes
    height: int
    position: int
    number: int
    time_ms: int
    post: Post


class IndexMarker(Record, frozen=True):
    """The block that the index is up to, and counts."""

    name: bytes
    height: int
    transactions: int
    posts: int


class BlockFigures(NamedTuple):
    """A block in figures. The totals are of all blocks up to this one, itself included."""

    transactions: int
    total_transactions: int
    total_posts: int
    total_bytes: int


class Item(NamedTuple):
    """What is read of a transaction."""

    body: Body
    id: bytes
    size_bytes: int


class IndexedBlock(NamedTuple):
    """A block on its way into the index or out of it."""

    known: Known
    reward: tuple[Holding, ...]
    items: list[Item]


class _RawTransaction(Record, frozen=True):
    body: msgspec.Raw
    witness: msgspec.Raw


class _RawBlock(Record, frozen=True):
    """A block whose transactions are not read yet."""

    header: msgspec.Raw
    reward: tuple[Holding, ...]
    transactions: tuple[_RawTransaction, ...]


_read_block = msgspec.msgpack.Decoder(_RawBlock).decode
_read_body = msgspec.msgpack.Decoder(Body).decode


def reread(known: Known, raw: bytes, id_of: Callable[[bytes], bytes]) -> IndexedBlock:
    """A block of the own log, whose rules were checked when it came and whose bytes the log vouches for: the ids are made
    from the bytes that are there, and witnesses are not read."""
    block = _read_block(raw)
    items = []
    for body, witness in map(_parts, block.transactions):
        items.append(Item(_read_body(body), id_of(body), 1 + len(body) + len(witness)))
    return IndexedBlock(known, block.reward, items)


def _parts(transaction: _RawTransaction) -> tuple[bytes, bytes]:
    return bytes(transaction.body), bytes(transaction.witness)


defined_codec = Codec[DefinedAsset](DefinedAsset, max_size_bytes=10_000)
post_codec = Codec[PostRecord](PostRecord, max_size_bytes=100_000)
marker_codec = Codec[IndexMarker](IndexMarker, max_size_bytes=200)
