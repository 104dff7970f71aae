"""What is known of one peer, from the transport's ``Linked`` to its ``Lost``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

from horoi.machine.contract import Peer
from horoi.node.token_bucket import TokenBucket

ADDRESSES_PER_S = 0.1  # Bitcoin Core, MAX_ADDR_RATE_PER_SECOND
ADDRESSES_BURST = 100  # one full message; Bitcoin Core has 1000, its largest message
PINGS_PER_S = 0.2  # a guess: six times what this machine sends
PINGS_BURST = 10
FORGIVEN_POINTS_PER_S = 1 / 60  # a guess: who errs once a minute is clumsy, not hostile


class Purpose(Enum):
    """Why a link is there."""

    KEPT = "kept"  # configured, or asked for by the application
    OUTBOUND = "outbound"  # chosen from the book
    FEELER = "feeler"  # only to see whether the address answers
    VISIT = "visit"  # another machine of the node wants something of this peer, for a while
    INBOUND = "inbound"


@dataclass(frozen=True)
class PeerInfo:
    """A peer as an operator sees it. ``peer`` is hexadecimal; ``since_s`` is unix time; ``latency_ms`` None: no pong yet."""

    id: Peer
    peer: str
    address: str
    listen_address: str | None
    outbound: bool
    ready: bool
    height: int
    agent: str
    latency_ms: float | None
    points: int
    since_s: float


class Link:
    """The state of one peer."""

    def __init__(self, peer: Peer, address: str, purpose: Purpose, now: float) -> None:
        self.peer = peer
        self.address = address
        """Where it was dialed; for an inbound link, where it came from."""
        self.listen_address: str | None = None
        """Where the peer takes links, as far as the transport vouches for it: its host is one that it was seen at."""
        self.purpose = purpose
        self.since_s = now
        self.ready = False
        self.dropped = False
        self.height = 0
        self.agent = ""
        self.latency_ms: float | None = None
        self.nearest_ms = math.inf
        self.useful_s = -math.inf
        self.ping_nonce: bytes | None = None
        self.pinged_s = 0.0
        self.asked_addresses = False
        self.answered_addresses = False
        self.addresses_in = TokenBucket(ADDRESSES_PER_S, ADDRESSES_BURST, now)
        # Half of what the other end takes: messages that bunch up on the way do not cost an honest peer its news.
        self.addresses_out = TokenBucket(ADDRESSES_PER_S / 2, ADDRESSES_BURST / 2, now)
        self.pings_in = TokenBucket(PINGS_PER_S, PINGS_BURST, now)
        self._points = 0.0
        self._points_s = now

    @property
    def outbound(self) -> bool:
        return self.purpose is not Purpose.INBOUND

    def points(self, now: float) -> float:
        """Misbehaviour points that are not forgiven yet."""
        return max(0.0, self._points - (now - self._points_s) * FORGIVEN_POINTS_PER_S)

    def add_points(self, points: int, now: float) -> float:
        """Add to the points and return the sum."""
        self._points = self.points(now) + max(0, points)
        self._points_s = now
        return self._points

    def pong(self, now: float) -> None:
        """The answer to our ping came."""
        self.ping_nonce = None
        self.latency_ms = (now - self.pinged_s) * 1000
        self.nearest_ms = min(self.nearest_ms, self.latency_ms)

    def info(self, now: float) -> PeerInfo:
        """For people."""
        return PeerInfo(
            id=self.peer,
            peer=_as_text(self.peer),
            address=self.address,
            listen_address=self.address if self.outbound else self.listen_address,
            outbound=self.outbound,
            ready=self.ready,
            height=self.height,
            agent=self.agent,
            latency_ms=self.latency_ms,
            points=round(self.points(now)),
            since_s=self.since_s,
        )


def _as_text(peer: Any) -> str:
    return peer.hex() if isinstance(peer, bytes) else str(peer)
