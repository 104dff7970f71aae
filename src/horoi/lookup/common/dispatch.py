"""How a prefix-routing peer takes events: for Pastry and Tapestry, whose machines differ in what they serve and not in how.

A reply goes to whoever waits for it; a request is served if its sender is within its rate; a timer does what the room says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from horoi.lookup.common.acquaintances import AcquaintedPeer
from horoi.lookup.common.peer import RPC
from horoi.lookup.common.taking import Taking
from horoi.lookup.vocabulary import Address

SMOOTHING = 0.25  # weight of a new round trip in the average of a peer, a guess (RFC 6298 has 1/8)


class DispatchingPeer(AcquaintedPeer, Taking):
    """What a prefix-routing peer does with timers and messages. The room says what its messages and timers mean."""

    __slots__ = ()

    ack_type: ClassVar[type]
    """Acknowledges a step; has ``step``, the nonce that it answers."""
    answer_type: ClassVar[type]
    """Comes from the ``owner`` itself; has ``nonce``."""
    reply_types: ClassVar[frozenset[type]]
    """All others that answer a ``nonce``."""
    servers: ClassVar[Mapping[type, Callable[[Any, Any, Address, float], None]]]
    """Called with (peer, message, source, now)."""
    timers: ClassVar[Mapping[Any, Callable[[Any, float], None]]]
    """Called with (peer, now), while the peer is in the network or entering it."""

    def _fired(self, timer: Any, now: float) -> None:
        if timer == RPC:
            self.expire(now)
        elif self.bootstrap is not None:
            act = self.timers.get(timer)
            if act is not None:
                act(self, now)

    def _received(self, source: Address, message: Any, now: float) -> None:
        if self.bootstrap is None:
            return
        found = self.acquainted.get(source)
        if found is not None:
            found.heard_s = now
        kind = type(message)
        if kind is self.ack_type:
            self._take_reply(source, message.step, message, now)
        elif kind is self.answer_type:
            if message.owner.address == source and self.is_bound(message.owner):
                self._take_reply(source, message.nonce, message, now)
        elif kind in self.reply_types:
            self._take_reply(source, message.nonce, message, now)
        elif self.may_serve(source, now):
            serve = self.servers.get(kind)
            if serve is not None:
                serve(self, message, source, now)

    def _take_reply(self, source: Address, nonce: int, message: Any, now: float) -> None:
        request = self.pending.close(nonce, source, now)
        if request is None:
            return  # too late, or forged
        if type(message) is self.pong_type:
            found = self.acquaint(source)
            found.heard_s = now
            round_trip_s = now - request.sent_s
            if found.round_trip_s == float("inf"):
                found.round_trip_s = round_trip_s
            else:
                found.round_trip_s += SMOOTHING * (round_trip_s - found.round_trip_s)
        request.context.on_reply(message, now)
