"""The first gate of a block: decode it, apply the rules without history, and say which signatures are to be verified."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from horoi.base.codec import encode
from horoi.base.errors import RuleError
from horoi.ledger.block import Block, block_codec, block_hash
from horoi.ledger.consensus.nakamoto.tree import HeaderTree, Known
from horoi.ledger.ledger import Ledger, Prepared
from horoi.ledger.rules import SignatureTriple

KnownTransaction = Callable[[bytes], Prepared | None]
"""What the mempool knows under an id."""


class Staged(NamedTuple):
    """A block that passed every rule but signatures and history."""

    known: Known
    block: Block
    raw: bytes
    prepared: tuple[Prepared, ...]
    triples: tuple[SignatureTriple, ...]
    """Signatures that nobody verified yet."""


def nobody(_: bytes) -> Prepared | None:
    """A mempool that knows nothing."""
    return None


def stage(raw: bytes, now_ms: int, tree: HeaderTree, ledger: Ledger, known_transaction: KnownTransaction) -> Staged:
    """Decode a block and apply every rule but signatures and history. Raises DecodeError or RuleError."""
    block = block_codec.decode(raw)
    limit = ledger.genesis.max_block_size_bytes
    if len(raw) > limit:
        raise RuleError("block.size", f"{len(raw)} bytes, the genesis allows {limit}")
    known = tree.add(block.header, now_ms)
    prepared: list[Prepared] = []
    triples: list[SignatureTriple] = []
    for transaction in block.transactions:
        body_bytes = encode(transaction.body)
        earlier = known_transaction(ledger.id_of_bytes(body_bytes)) if known_transaction is not nobody else None
        if earlier is not None and encode(transaction.witness) == earlier.witness:
            prepared.append(earlier)
            continue
        item = ledger.prepare(transaction, body_bytes)
        prepared.append(item)
        triples.extend(ledger.triples(item))
    ledger.check_content(block, prepared)
    return Staged(known, block, raw, tuple(prepared), tuple(triples))


def stage_again(raw: bytes, tree: HeaderTree, ledger: Ledger) -> Staged:
    """``stage`` for a block from the own log, whose signatures were verified before it was written."""
    block = block_codec.decode(raw)
    known = tree.by_name[block_hash(block.header)]
    prepared = tuple(ledger.prepare(transaction) for transaction in block.transactions)
    return Staged(known, block, raw, prepared, ())
