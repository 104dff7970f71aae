"""Whether the peers stand where this node stands: distributed consensus, as far as one node can see it."""

from __future__ import annotations

from collections import Counter
from typing import Literal, TypeAlias

from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.web.access import NodeAccess
from horoi.web.model.node import Agreement

PeerState: TypeAlias = Literal["agrees", "lags", "ahead", "differs", "unknown"]


def state_of(own: Known, tip: Known | None) -> PeerState:
    """How a peer's tip stands to ours."""
    if tip is None:
        return "unknown"
    if tip.name == own.name:
        return "agrees"
    if tip.work < own.work:
        return "lags"
    return "ahead" if tip.work > own.work else "differs"


def agreement(access: NodeAccess) -> Agreement:
    """The linked peers, counted by where they stand."""
    node = access.node
    own = node.chain.tip
    states: Counter[PeerState] = Counter()
    for info in node.peers.peers():
        if info.ready:
            states[state_of(own, node.sync.tip_of(info.id)[0])] += 1
    peers = states.total()
    known = peers - states["unknown"]
    return Agreement(
        agreed=known > 0 and states["agrees"] == known,
        tip=own.name.hex(),
        height=own.height,
        peers=peers,
        same_tip=states["agrees"],
        lagging=states["lags"],
        ahead=states["ahead"],
        different=states["differs"],
        unknown=states["unknown"],
    )
