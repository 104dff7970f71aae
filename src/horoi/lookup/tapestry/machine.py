"""Tapestry as a machine (Zhao et al. 2001, 2004). See the package's docstring for the idea and the order of reading."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, ClassVar

from horoi.lookup.common.peer import PROVIDE, RPC
from horoi.lookup.tapestry import forwarding, joining, keeping, liveness, multicast, repair, requests, upkeep
from horoi.lookup.tapestry.codec import tapestry_wire
from horoi.lookup.tapestry.config import TapestryConfig
from horoi.lookup.tapestry.core import COPY, Core
from horoi.lookup.tapestry.messages import (
    MAX_NEIGHBOURS,
    REPLIES,
    Ack,
    Answer,
    Bye,
    Fetch,
    FetchHolders,
    Forward,
    Hello,
    Known,
    LevelOf,
    Multicast,
    Ping,
    Pong,
    SlotOf,
    Store,
)
from horoi.lookup.vocabulary import (
    REQUESTS,
    Address,
    Contact,
    FindProviders,
    Get,
    Join,
    Leave,
    Lookup,
    Provide,
    Put,
    Route,
    Unprovide,
)
from horoi.machine.contract import Action, Asked, Event, Fired, Received
from horoi.machine.wire import Wire

SMOOTHING = 0.25  # weight of a new round trip in the average of a peer, a guess (RFC 6298 has 1/8)


class Tapestry(Core):
    """One peer. Takes the requests of ``horoi.lookup.vocabulary``; speaks ``tapestry.messages``; keeps nothing on disk."""

    __slots__ = ("_wire",)

    hears: ClassVar[tuple[type, ...]] = REQUESTS

    def __init__(self, contact: Contact, config: TapestryConfig, dice: Random) -> None:
        if not 0 <= contact.id < 1 << config.bits:
            raise ValueError(f"id {contact.id} does not fit the network's {config.bits} bits; cut it with base.ids")
        super().__init__(contact, config, dice)
        self._wire: Wire | None = None

    @property
    def wire(self) -> Wire:
        """The codec of this network's messages."""
        if self._wire is None:
            self._wire = tapestry_wire(self.config.bits)
        return self._wire

    def handle(self, event: Event, now: float) -> list[Action]:
        """Take one event and return the actions, in order."""
        out: list[Action] = []
        self.out = out
        kind = type(event)
        if kind is Received:
            self._received(event.peer, event.message, now)  # type: ignore[union-attr]
        elif kind is Fired:
            self._fired(event.timer, now)  # type: ignore[union-attr]
        elif kind is Asked:
            self._asked(event.request, now)  # type: ignore[union-attr]
        return out

    def _asked(self, request: Any, now: float) -> None:
        if isinstance(request, (Lookup, Route, Put, Get, Provide, FindProviders)):
            requests.ask(self, request, now)
        elif isinstance(request, Join):
            joining.join(self, request, now)
        elif isinstance(request, Leave):
            joining.leave(self, now)
        elif isinstance(request, Unprovide):
            requests.unprovide(self, request)

    def _fired(self, timer: Any, now: float) -> None:
        if timer == RPC:
            self.expire(now)
        elif self.bootstrap is not None:
            act = _TIMERS.get(timer)
            if act is not None:
                act(self, now)

    # Messages

    def _received(self, source: Address, message: Any, now: float) -> None:
        if self.bootstrap is None:
            return
        found = self.acquainted.get(source)
        if found is not None:
            found.heard_s = now
        kind = type(message)
        if kind is Ack:
            self._take_reply(source, message.step, message, now)
        elif kind is Answer:
            if message.owner.address == source and self.is_bound(message.owner):
                self._take_reply(source, message.nonce, message, now)
        elif kind in _REPLIES:
            self._take_reply(source, message.nonce, message, now)
        elif self.may_serve(source, now):
            serve = _SERVERS.get(kind)
            if serve is not None:
                serve(self, message, source, now)

    def _take_reply(self, source: Address, nonce: int, message: Any, now: float) -> None:
        request = self.pending.close(nonce, source, now)
        if request is None:
            return  # too late, or forged
        if type(message) is Pong:
            found = self.acquaint(source)
            found.heard_s = now
            round_trip_s = now - request.sent_s
            if found.round_trip_s == float("inf"):
                found.round_trip_s = round_trip_s
            else:
                found.round_trip_s += SMOOTHING * (round_trip_s - found.round_trip_s)
        request.context.on_reply(message, now)


Serve = Callable[[Core, Any, Address, float], None]


def _serve_level(core: Core, message: LevelOf, source: Address, now: float) -> None:
    """A level, primaries first, then those that point to this peer and share as many digits."""
    if not core.permits.check(source, message.permit, now) or message.level >= core.neighbours.levels:
        return
    found = list(core.neighbours.level(message.level))
    pointing = [contact for contact in core.backpointers if core.neighbours.place(contact.id)[0] == message.level]
    known = dict.fromkeys((*found, *pointing))
    core.send(source, Known(message.nonce, tuple(known)[:MAX_NEIGHBOURS]))


_SERVERS: dict[type, Serve] = {
    Ping: liveness.serve_ping,
    Hello: liveness.serve_hello,
    Forward: forwarding.serve_forward,
    LevelOf: _serve_level,
    SlotOf: repair.serve_slot,
    Multicast: multicast.serve_multicast,
    Bye: repair.serve_bye,
    Store: keeping.serve_store,
    Fetch: keeping.serve_fetch,
    FetchHolders: keeping.serve_fetch_holders,
}

_REPLIES = frozenset(REPLIES)

_TIMERS: dict[str, Callable[[Core, float], None]] = {
    joining.TICK: upkeep.tick,
    joining.GOSSIP: upkeep.gossip,
    joining.JOIN_AGAIN: joining.join_again,
    keeping.REFRESH: keeping.refresh,
    COPY: keeping.look_after,
    PROVIDE: requests.provide_again,
}
