"""The overlay as a graph, and charts of the chain."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import islice, pairwise

from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.node.peers.link import PeerInfo
from horoi.web.access import LinkInfo, NodeAccess
from horoi.web.agreement import agreement, state_of
from horoi.web.model.base import NoQuery
from horoi.web.model.network import Charts, ChartsQuery, Overlay, OverlayLink, OverlayNode
from horoi.web.trees import side_blocks
from horoi.web.views import difficulty

MAX_NODES = 200  # a graph of more is a ball of wool
MAX_TOLD_LINKS = 500
SELF = "self"


def network_graph(access: NodeAccess, _: NoQuery, __: None) -> Overlay:
    """The overlay: this node, its peers, the addresses that it knows of and who told it; who contributes, who lags."""
    own = access.node.chain.tip
    links = {link.peer: link for link in access.host.peers()}
    peers = [info for info in access.node.peers.peers() if info.ready]
    nodes = [_self(access, own)]
    nodes += [_peer(access, own, info, links.get(info.id)) for info in peers[: MAX_NODES - 1]]
    drawn = [OverlayLink(source=SELF, target=node.id, kind="linked") for node in nodes[1:]]
    known, told = _known(access, peers, MAX_NODES - len(nodes))
    book = access.node.peers.book
    return Overlay(
        agreement=agreement(access),
        nodes=nodes + known,
        links=drawn + told,
        known_addresses=len(book),
        truncated=len(peers) > len(nodes) - 1 or len(known) >= MAX_NODES - len(nodes),
    )


def _self(access: NodeAccess, own: Known) -> OverlayNode:
    return OverlayNode(
        id=SELF,
        label="this node",
        kind="self",
        address=access.host.address,
        agent=f"horoi {access.version}",
        height=own.height,
        tip=own.name.hex(),
        tip_said=True,
        behind=0,
        since_ms=access.started_ms,
        state="agrees",
    )


def _peer(access: NodeAccess, own: Known, info: PeerInfo, link: LinkInfo | None) -> OverlayNode:
    tip, said = access.node.sync.tip_of(info.id)
    brought = access.live.observed.contribution(info.id)
    return OverlayNode(
        id=info.peer,
        label=info.address,
        kind="peer",
        address=info.address,
        agent=info.agent,
        height=tip.height if tip is not None else info.height,
        tip=tip.name.hex() if tip is not None else None,
        tip_said=said,
        behind=own.height - (tip.height if tip is not None else info.height),
        latency_ms=info.latency_ms,
        bytes_in=link.bytes_in if link is not None else 0,
        bytes_out=link.bytes_out if link is not None else 0,
        outbound=info.outbound,
        since_ms=int(info.since_s * 1000),
        points=info.points,
        first_blocks=brought.blocks,
        first_transactions=brought.transactions,
        state=state_of(own, tip),
    )


def _known(access: NodeAccess, peers: list[PeerInfo], most: int) -> tuple[list[OverlayNode], list[OverlayLink]]:
    """Addresses of the book that are not linked, and which linked peers told of whom."""
    linked = {address: info.peer for info in peers for address in (info.address, info.listen_address) if address}
    ids = {info.id: info.peer for info in peers}
    unlinked = (address for address in access.node.peers.book if address not in linked)
    nodes = [OverlayNode(id=a, label=a, kind="known", address=a) for a in islice(unlinked, most)]
    places = {**linked, **{node.id: node.id for node in nodes}}
    links = [
        OverlayLink(source=ids[teller], target=places[address], kind="told")
        for address, teller in access.node.peers.tellers()
        if teller in ids and address in places and places[address] != ids[teller]
    ]
    return nodes, links[:MAX_TOLD_LINKS]


def charts(access: NodeAccess, query: ChartsQuery, _: None) -> Charts:
    """The chain over time: interval, transactions, rate, difficulty, stale blocks, time to confirm; at most so many points."""
    chain = access.node.chain
    last = min(query.to if query.to is not None else chain.tip.height, chain.tip.height)
    first = min(query.from_, last)
    stale = sorted(known.height for known in side_blocks(access))
    runs = [_Run(access, start, end, stale) for start, end in _cut(first, last, query.points)]
    return Charts(
        from_=first,
        to=last,
        points=len(runs),
        height=[run.end for run in runs],
        time_ms=[run.time_ms for run in runs],
        blocks=[run.blocks for run in runs],
        interval_ms=[round(run.interval_ms, 3) for run in runs],
        transactions=[run.transactions for run in runs],
        rate_per_s=[round(run.rate_per_s, 6) for run in runs],
        difficulty=[float(difficulty(chain.active[run.end].header.target)) for run in runs],
        stale=[run.stale for run in runs],
        confirmation_ms=[run.confirmation_ms for run in runs],
    )


def _cut(first: int, last: int, points: int) -> list[tuple[int, int]]:
    """Runs of heights (first, last) of nearly equal length."""
    count = last - first + 1
    points = min(points, count)
    edges = [first + count * number // points for number in range(points + 1)]
    return [(start, end - 1) for start, end in pairwise(edges)]


class _Run:
    """A run of blocks. Its time counts from the block before it. ``stale``: heights of blocks beside the chain, ascending."""

    def __init__(self, access: NodeAccess, start: int, end: int, stale: list[int]) -> None:
        active, index = access.node.chain.active, access.index
        self.end = end
        self.blocks = end - start + 1
        self.time_ms = active[end].header.time_ms
        took_ms = max(0, self.time_ms - active[max(0, start - 1)].header.time_ms)
        self.interval_ms = took_ms / self.blocks
        self.transactions = max(0, index.figures(end).total_transactions - index.figures(start - 1).total_transactions)
        self.rate_per_s = 1000 * self.transactions / took_ms if took_ms else 0.0
        self.stale = bisect_right(stale, end) - bisect_left(stale, start)
        waits = access.live.observed.waits_ms(start, end)
        self.confirmation_ms = round(sum(waits) / len(waits), 1) if waits else None
