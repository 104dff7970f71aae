"""Looking things up in a node: blocks, transactions, unspent outputs, assets by id or name.

A question reads a bounded part of the ledger, for it holds up everything else that the node does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from horoi.base.address import public_key_of
from horoi.base.errors import NotFoundError, UsageError
from horoi.ledger.block import Block
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.ledger.ledger import Prepared, output_key
from horoi.ledger.transaction import NATIVE, Holding, outputs_made
from horoi.node.index.index import CUSTODIAN, LATER, OWNER, RIGHT
from horoi.node.index.touched import roles_of
from horoi.node.wallet.pools import Spendable, spendable_of_entry
from horoi.web.access import NodeAccess
from horoi.web.model.books import Role
from horoi.web.views import COIN_NAME

MAX_KEPT_BLOCKS = 4  # decoded: a block of 8 MB takes about ten times as much in memory
MAX_WAITING_READ = 50_000  # waiting transactions looked through for a key's outputs; a guess, 0.1 s
MAX_HOLDINGS_READ = 20_000  # of one asset, a guess: 0.2 s of reading

_HASH = re.compile(r"[0-9a-f]{64}")


class Unspent(NamedTuple):
    """An unspent output. ``height`` is None while its transaction waits."""

    spendable: Spendable
    roles: int
    height: int | None


# ---- blocks and transactions ------------------------------------------------------------------------------------------


def block_named(access: NodeAccess, text: str) -> Known:
    """The block of a height, a hash, or ``tip``; NotFoundError or UsageError."""
    chain = access.node.chain
    if text == "tip":
        return chain.tip
    if text.isascii() and text.isdigit() and len(text) < 11:
        known = chain.at_height(int(text))
        if known is None:
            raise NotFoundError(
                f"no block of height {text}: the tip is at {chain.tip.height}",
                code="no-height",
                height=text,
                tip=chain.tip.height,
            )
        return known
    if not _HASH.fullmatch(text):
        raise UsageError(
            f"{text!r} is no block: give a height, a hash of 64 letters, or tip", code="block-form", text=text
        )
    known = chain.tree.by_name.get(bytes.fromhex(text))
    if known is None:
        raise NotFoundError(f"no block {text} is known here", code="no-block", name=text)
    return known


def read_block(access: NodeAccess, name: bytes) -> Block:
    """A decoded block; the last few are kept. Raises StorageError."""
    kept = access.blocks
    block = kept.get(name)
    if block is None:
        block = kept[name] = access.node.chain.block(name)
        while len(kept) > MAX_KEPT_BLOCKS:
            kept.popitem(last=False)
    else:
        kept.move_to_end(name)
    return block


def item_ids(access: NodeAccess, known: Known) -> list[bytes]:
    """Ids of a block's transactions: from the index, or from the block where the index is behind it or on another branch."""
    index, chain = access.node.index, access.node.chain
    if index is not None and chain.is_active(known) and known.height <= index.marker.height:
        at = chain.at_height(index.marker.height)
        if at is not None and at.name == index.marker.name:
            return index.block_ids(known.height)
    return [chain.ledger.id_of(transaction.body) for transaction in read_block(access, known.name).transactions]


def confirmed(access: NodeAccess, item: bytes) -> tuple[Prepared, Known, int] | None:
    """A confirmed transaction, its block and its position there; None also while the index is behind a chain that turned."""
    place = access.index.transaction_place(item)
    if place is None:
        return None
    known = access.node.chain.at_height(place.height)
    if known is None:
        return None
    chain = access.node.chain
    transaction = chain.transaction_at(known.name, place.offset, place.size_bytes, item)
    if transaction is None:
        transactions = read_block(access, known.name).transactions
        if place.position >= len(transactions):
            return None
        transaction = transactions[place.position]
    prepared = chain.ledger.prepare(transaction)
    return (prepared, known, place.position) if prepared.id == item else None


# ---- unspent outputs --------------------------------------------------------------------------------------------------


def unspent_at(access: NodeAccess, source: bytes, index: int) -> Spendable | None:
    """The output, if the ledger has it unspent at its tip."""
    key = output_key(source, index)
    value = access.node.chain.ledger.entries.get(key)
    return spendable_of_entry(key, value) if value is not None else None


def unspent_of_key(access: NodeAccess, key: bytes, *, unconfirmed: bool, most: int) -> tuple[list[Unspent], bool]:
    """Unspent outputs that name a key, and whether there are more than ``most``."""
    found: list[Unspent] = []
    for source, index, roles in access.index.outputs_of(key, most + 1):
        spendable = unspent_at(access, source, index)
        if spendable is not None:
            found.append(Unspent(spendable, roles, spendable.height))
    if unconfirmed:
        found += waiting_outputs(access, key)
    return found[:most], len(found) > most


def waiting_outputs(access: NodeAccess, key: bytes | None) -> Iterator[Unspent]:
    """Outputs of waiting transactions that name a key (None: all), the oldest transaction first."""
    height = access.node.chain.tip.height + 1
    for count, entry in enumerate(access.node.mempool.entries.values()):
        if count >= MAX_WAITING_READ:
            return
        item = entry.prepared
        for index, content in enumerate(outputs_made(item.id, item.transaction.body)):
            roles = dict(roles_of(content)).get(key, b"\0")[0] if key is not None else 0
            if roles or key is None:
                yield Unspent(Spendable(item.id, index, content, height, False), roles, None)


def unspent_of_asset(access: NodeAccess, asset: bytes, most: int = MAX_HOLDINGS_READ) -> tuple[list[Unspent], bool]:
    """Unspent holdings of an asset, and whether these are all (at most ``most`` are read)."""
    points = list(access.index.outputs_of_asset(asset, most + 1))
    found = [unspent_at(access, source, index) for source, index in points[:most]]
    holdings = [s for s in found if s is not None and isinstance(s.content, Holding)]
    return [Unspent(spendable, 0, spendable.height) for spendable in holdings], len(points) <= most


# ---- what people write ------------------------------------------------------------------------------------------------


def key_of(address: str | None, key: str | None) -> bytes | None:
    """The key that a request names by address or in hexadecimal; None if by neither."""
    if address is not None and key is not None:
        raise UsageError("an address and a key are given; give one of them")
    if address is not None:
        return public_key_of(address)
    return bytes.fromhex(key) if key is not None else None


def asset_of(access: NodeAccess, text: str) -> bytes:
    """The asset of an id, of ``coin``, or of a name that only one asset has. Raises NotFoundError or UsageError."""
    if text == COIN_NAME:
        return NATIVE
    if _HASH.fullmatch(text):
        return bytes.fromhex(text)
    named = list(assets_named(access, text))
    if not named:
        raise NotFoundError(
            f"no asset is called {text!r}; define it, wait until that is confirmed, or give its id",
            code="no-asset-named",
            name=text,
        )
    if len(named) > 1:
        ids = ", ".join(asset.hex() for asset in named[:3])
        raise UsageError(
            f"{len(named)} assets are called {text!r}: give the id of the one you mean, as in {ids}",
            code="assets-named",
            name=text,
            ids=ids,
        )
    return named[0]


def assets_named(access: NodeAccess, name: str) -> list[bytes]:
    """Assets of exactly this name, the first hundred by id."""
    return access.index.assets_named(name)


_ROLES: tuple[tuple[int, Role], ...] = ((OWNER, "owner"), (CUSTODIAN, "custodian"), (RIGHT, "right"), (LATER, "later"))


def role_names(roles: int) -> list[Role]:
    """The roles in words."""
    return [word for flag, word in _ROLES if roles & flag]
