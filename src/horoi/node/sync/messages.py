"""The wire of chain synchronisation.

GetHeaders(locator)  ->  Headers       what follows the first name that you have too, up to MAX_HEADERS
Headers              (unasked)         a new tip
GetBlocks(names)     ->  Block each, or NoBlocks(names)
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from horoi.ledger.block import Header
from horoi.ledger.conditions import Hash
from horoi.ledger.genesis import MAX_BLOCK_SIZE_BYTES
from horoi.machine.wire import Message, Wire

MAX_HEADERS = 2_000  # as Bitcoin's "headers" message
MAX_LOCATOR = 64  # 10 dense names and then doubling: enough for 2**54 blocks
MAX_BLOCKS_PER_REQUEST = 16  # a guess: Bitcoin Core's window per peer


class GetHeaders(Message, frozen=True, tag="get-headers"):
    """Asks for the headers after the first name of the locator that the other side has on its chain."""

    locator: Annotated[tuple[Hash, ...], Meta(min_length=1, max_length=MAX_LOCATOR)]


class Headers(Message, frozen=True, tag="headers"):
    """Headers in order, each the child of the one before."""

    headers: Annotated[tuple[Header, ...], Meta(max_length=MAX_HEADERS)]


class GetBlocks(Message, frozen=True, tag="get-blocks"):
    """Asks for these blocks."""

    names: Annotated[tuple[Hash, ...], Meta(min_length=1, max_length=MAX_BLOCKS_PER_REQUEST)]


class BlockData(Message, frozen=True, tag="block"):
    """One block in its byte form, under the name that it was asked by."""

    name: Hash
    raw: Annotated[bytes, Meta(max_length=MAX_BLOCK_SIZE_BYTES)]


class NoBlocks(Message, frozen=True, tag="no-blocks"):
    """The other side does not have these."""

    names: Annotated[tuple[Hash, ...], Meta(max_length=MAX_BLOCKS_PER_REQUEST)]


def sync_wire(max_block_size_bytes: int) -> Wire:
    """The wire of a network whose blocks have at most this size."""
    headers_size_bytes = MAX_HEADERS * 160
    return Wire(
        [GetHeaders, Headers, GetBlocks, BlockData, NoBlocks],
        max_size_bytes=max(max_block_size_bytes, headers_size_bytes) + 1_000,
    )
