"""The pool across a restart: the record of what waited.

Nothing in it is believed: transactions read back go through every check again, signatures too.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import StorageError
from horoi.ledger.conditions import Hash
from horoi.ledger.transaction import Transaction

VERSION = 1
MAX_SAVED_SIZE_BYTES = 1_000_000_000  # more than any sensible Limits.max_size_bytes; msgspec bounds memory by the file


class SavedPool(Record, frozen=True):
    """What waited when the node stopped, parents before children."""

    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    network: Hash
    transactions: tuple[Transaction, ...]


_codec: Codec[SavedPool] = Codec(SavedPool, max_size_bytes=MAX_SAVED_SIZE_BYTES)


def save(network: bytes, transactions: tuple[Transaction, ...]) -> bytes:
    """The record of these transactions, as bytes."""
    return encode(SavedPool(VERSION, network, transactions))


def load(data: bytes, network: bytes) -> tuple[Transaction, ...]:
    """The transactions of a saved pool, to be submitted again in this order.

    Raises DecodeError if it is damaged and StorageError if it is of another network; a node can go on without it.
    """
    saved = _codec.decode(data)
    if saved.network != network:
        raise StorageError(
            f"the saved mempool is of network {saved.network.hex()}, this node's is {network.hex()}: remove the file"
        )
    return saved.transactions
