"""The simulated network: what is between two hosts, and what can go wrong there.

``Network`` is the description of a network at rest; ``Faults`` is what a script does to it (partitions, cut or slowed
pairs). Loss means two things: a datagram is gone, a message on a link is late (TCP sends it again).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from horoi.machine.contract import Peer
from horoi.world.sim.latency import Latency, Regions

RETRANSMIT_S = 0.2  # the shortest retransmission timeout of Linux (TCP_RTO_MIN); RFC 6298 says 1 s, few obey
SYN_RETRY_S = 1.0  # RFC 6298, section 2.1: the first timeout before any round trip was measured; doubles


@dataclass
class Network:
    """A network at rest. Probabilities are per message, in [0, 1].

    ``loss``: a datagram vanishes; on a link it is sent again after the retransmission timeout.
    ``duplicate``: a datagram arrives twice. ``reorder``: a datagram is held back for up to ``reorder_by_ms`` more.
    ``uplink_bytes_per_s``: how fast a host's messages leave it, one after the other; None: at once.
    ``handshake_round_trips``: TCP's one and TLS 1.3's one until the dialer may speak.
    ``dial_timeout_s``: a dial to nobody fails after it. ``link_timeout_s``: a link whose ends cannot reach each other
    for so long is lost on both ends. ``crash_notice_s``: how much later than the network's own delay a peer hears that
    a process has died. These three are guesses near common defaults.
    """

    latency: Latency = field(default_factory=Regions)
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_by_ms: float = 100.0
    uplink_bytes_per_s: float | None = None
    handshake_round_trips: int = 2
    dial_timeout_s: float = 10.0
    link_timeout_s: float = 30.0
    crash_notice_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "reorder"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability, from 0 to 1, got {getattr(self, name)}")
        if self.uplink_bytes_per_s is not None and not self.uplink_bytes_per_s > 0:
            raise ValueError(f"uplink_bytes_per_s is more than 0 or None, got {self.uplink_bytes_per_s}")
        for name in ("reorder_by_ms", "handshake_round_trips", "dial_timeout_s", "link_timeout_s", "crash_notice_s"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is at least 0, got {getattr(self, name)}")


@dataclass(frozen=True)
class PairFault:
    """What is wrong on the way from one host to another: nothing passes, or later, or less."""

    cut: bool = False
    extra_s: float = 0.0
    loss: float = 0.0


class Faults:
    """What a script did to the network. ``any`` is False in a network at rest, so that rest costs nothing."""

    def __init__(self) -> None:
        self._group: dict[Peer, int] = {}
        self._pairs: dict[tuple[Peer, Peer], PairFault] = {}
        self.any = False

    def partition(self, groups: Sequence[Iterable[Peer]]) -> None:
        """Let only members of the same group reach each other; hosts that no group names are a group together."""
        group_of: dict[Peer, int] = {}
        for number, members in enumerate(groups, start=1):
            for name in members:
                if name in group_of:
                    raise ValueError(f"{name!r} is in two groups of one partition")
                group_of[name] = number
        self._group = group_of
        self.any = bool(self._group or self._pairs)

    def set_pair(self, source: Peer, target: Peer, fault: PairFault) -> None:
        """Set what is wrong on the way from ``source`` to ``target`` (that direction only)."""
        if fault.extra_s < 0 or not 0 <= fault.loss <= 1:
            raise ValueError(f"a fault has extra_s >= 0 and loss from 0 to 1, got {fault}")
        self._pairs[source, target] = fault
        if fault == PairFault():
            del self._pairs[source, target]
        self.any = bool(self._group or self._pairs)

    def pair(self, source: Peer, target: Peer) -> PairFault:
        """What is wrong on the way, apart from a partition."""
        return self._pairs.get((source, target), _NO_FAULT)

    def heal(self) -> None:
        """Nothing is wrong any more."""
        self._group = {}
        self._pairs = {}
        self.any = False

    def is_cut(self, source: Peer, target: Peer) -> bool:
        """True if nothing passes from ``source`` to ``target``."""
        if self._group and self._group.get(source, 0) != self._group.get(target, 0):
            return True
        return self._pairs.get((source, target), _NO_FAULT).cut

    def is_cut_either_way(self, a: Peer, b: Peer) -> bool:
        """True if no link between the two can work: TCP needs both directions, one for the acknowledgements."""
        return self.is_cut(a, b) or self.is_cut(b, a)


_NO_FAULT = PairFault()


def retransmission_delay_s(round_trip_s: float, loss: float, dice: random.Random) -> float:
    """How much later a message on a link arrives because it was lost, perhaps several times (RFC 6298, 5.5: doubling)."""
    timeout_s = max(RETRANSMIT_S, round_trip_s)
    delay_s = 0.0
    while dice.random() < loss and delay_s < 120:  # a loss of 1 must end somewhere: the link times out before
        delay_s += timeout_s
        timeout_s *= 2
    return delay_s


def next_retry_s(since_s: float, now_s: float) -> float:
    """When TCP, trying in vain since ``since_s``, tries next: timeouts double, so retries thin out."""
    timeout_s = RETRANSMIT_S
    at_s = since_s + timeout_s
    while at_s < now_s:
        timeout_s = min(timeout_s * 2, 120.0)  # Linux: TCP_RTO_MAX
        at_s += timeout_s
    return at_s
