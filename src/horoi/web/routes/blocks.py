"""Blocks and headers."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from horoi.ledger.block import reward_id
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.web.access import NodeAccess
from horoi.web.model.ledger import (
    BlockList,
    BlockPath,
    BlocksQuery,
    BlockSummary,
    BlockView,
    HeaderList,
    HeadersQuery,
)
from horoi.web.reading import block_named, read_block
from horoi.web.views import Viewer

PLAIN = "text/plain"
RAW = "application/octet-stream"

_counts = msgspec.msgpack.Decoder(tuple[msgspec.Raw, msgspec.Raw, list[msgspec.Raw]])


def blocks(access: NodeAccess, query: BlocksQuery, _: None) -> BlockList:
    """Blocks of the connected chain, newest first."""
    chain = access.node.chain
    top = chain.tip.height if query.before is None else min(query.before - 1, chain.tip.height)
    view = Viewer(access)
    found = [chain.active[height] for height in range(top, max(-1, top - query.limit), -1)]
    return BlockList(blocks=[_summary(access, view, known) for known in found])


def _summary(access: NodeAccess, view: Viewer, known: Known) -> BlockSummary:
    raw = access.node.chain.read_block(known.name)
    transactions = _counts.decode(raw)[2]
    return BlockSummary(header=view.header(known), transaction_count=len(transactions), size_bytes=len(raw))


def block(access: NodeAccess, path: BlockPath, _: None) -> BlockView | Response:
    """A block by height, hash or `tip`: as JSON with a page of its transactions' ids, or its canonical bytes."""
    known = block_named(access, path.block)
    chain = access.node.chain
    raw = chain.read_block(known.name)
    if path.format == "raw":
        return Response(raw, media_type=RAW)
    if path.format == "hex":
        return Response(raw.hex(), media_type=PLAIN)
    content = read_block(access, known.name)
    view = Viewer(access)
    page = content.transactions[path.offset : path.offset + path.limit]
    return BlockView(
        header=view.header(known),
        size_bytes=len(raw),
        reward_id=reward_id(chain.network, known.height, content.reward).hex(),
        reward=view.rewards(content),
        transaction_count=len(content.transactions),
        offset=path.offset,
        transactions=[chain.ledger.id_of(transaction.body).hex() for transaction in page],
    )


def headers(access: NodeAccess, query: HeadersQuery, _: None) -> HeaderList:
    """Headers of the connected chain from a height on, lowest first."""
    view = Viewer(access)
    return HeaderList(
        headers=[view.header(known) for known in access.node.chain.active[query.from_ : query.from_ + query.count]]
    )
