"""Blocks and headers."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from horoi.base.codec import encode
from horoi.ledger.block import reward_id
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.ledger.transaction import Holding
from horoi.web.access import NodeAccess
from horoi.web.model.ledger import (
    BlockList,
    BlockPath,
    BlocksQuery,
    BlockSummary,
    HeaderList,
    HeadersQuery,
)
from horoi.web.model.pages import BlockDetail, ContentTree, TreePath
from horoi.web.reading import block_named, item_ids, read_block
from horoi.web.trees import content_tree, neighbours, puzzle_view
from horoi.web.views import Viewer

PLAIN = "text/plain"
RAW = "application/octet-stream"

_reward = msgspec.msgpack.Decoder(tuple[Holding, ...])
_counts = msgspec.msgpack.Decoder(tuple[msgspec.Raw, msgspec.Raw, list[msgspec.Raw]])


def blocks(access: NodeAccess, query: BlocksQuery, _: None) -> BlockList:
    """Blocks of the connected chain, newest first."""
    chain = access.node.chain
    top = chain.tip.height if query.before is None else min(query.before - 1, chain.tip.height)
    view = Viewer(access)
    found = [chain.active[height] for height in range(top, max(-1, top - query.limit), -1)]
    return BlockList(blocks=[_summary(access, view, known) for known in found])


def _summary(access: NodeAccess, view: Viewer, known: Known) -> BlockSummary:
    count, size_bytes = _figures(access, known)
    return BlockSummary(header=view.header(known), transaction_count=count, size_bytes=size_bytes)


def _figures(access: NodeAccess, known: Known) -> tuple[int, int]:
    """Transactions and bytes of a block on the chain: from the index, or where it is behind, from the block."""
    index = access.node.index
    if index is not None and known.height <= index.marker.height:
        figures = index.figures(known.height)
        return figures.transactions, figures.total_bytes - index.figures(known.height - 1).total_bytes
    raw = access.node.chain.read_block(known.name)
    return len(_counts.decode(raw)[2]), len(raw)


def block(access: NodeAccess, path: BlockPath, _: None) -> BlockDetail | Response:
    """A block by height, hash or `tip`: as JSON with a page of its transactions' ids, or its canonical bytes."""
    known = block_named(access, path.block)
    chain = access.node.chain
    raw = chain.read_block(known.name)
    if path.format == "raw":
        return Response(raw, media_type=RAW)
    if path.format == "hex":
        return Response(raw.hex(), media_type=PLAIN)
    view = Viewer(access)
    reward, count = _reward_and_count(raw)
    return BlockDetail(
        header=view.header(known),
        size_bytes=len(raw),
        reward_id=reward_id(chain.network, known.height, reward).hex(),
        reward=[view.output(made) for made in reward],
        transaction_count=count,
        offset=path.offset,
        transactions=[item.hex() for item in item_ids(access, known)[path.offset : path.offset + path.limit]],
        puzzle=puzzle_view(known),
        neighbours=neighbours(access, known),
    )


def _reward_and_count(raw: bytes) -> tuple[tuple[Holding, ...], int]:
    """What a block's page shows of it, without decoding its transactions."""
    _, reward, transactions = _counts.decode(raw)
    return _reward.decode(reward), len(transactions)


def tree(access: NodeAccess, path: TreePath, _: None) -> ContentTree:
    """The Merkle tree over a block's content, drawn from its root down, and the path of a leaf."""
    known = block_named(access, path.block)
    return content_tree(access, known, read_block(access, known.name), path.leaf)


def headers(access: NodeAccess, query: HeadersQuery, _: None) -> HeaderList | Response:
    """Headers of the connected chain from a height on, lowest first."""
    found = access.node.chain.active[query.from_ : query.from_ + query.count]
    if query.format == "raw":
        return Response(encode(tuple(known.header for known in found)), media_type=RAW)
    view = Viewer(access)
    return HeaderList(headers=[view.header(known) for known in found])
