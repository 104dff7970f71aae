"""Pastry as a machine (Rowstron, Druschel 2001). See the package's docstring for the idea and the order of reading."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, ClassVar

from horoi.lookup.common.peer import PROVIDE, RPC
from horoi.lookup.pastry import forwarding, joining, keeping, liveness, repair, requests, upkeep
from horoi.lookup.pastry.codec import pastry_wire
from horoi.lookup.pastry.config import PastryConfig
from horoi.lookup.pastry.core import COPY, Core
from horoi.lookup.pastry.messages import (
    REPLIES,
    Ack,
    AddProvider,
    Answer,
    Bye,
    Copy,
    CopyProvider,
    Entry,
    EntryOf,
    Fetch,
    FetchProviders,
    Forward,
    Hello,
    Known,
    LeavesOf,
    NeighboursOf,
    Ping,
    Pong,
    RowOf,
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


class Pastry(Core):
    """One peer. Takes the requests of ``horoi.lookup.vocabulary``; speaks ``pastry.messages``; keeps nothing on disk."""

    __slots__ = ("_wire",)

    hears: ClassVar[tuple[type, ...]] = REQUESTS

    def __init__(self, contact: Contact, config: PastryConfig, dice: Random) -> None:
        if not 0 <= contact.id < 1 << config.bits:
            raise ValueError(f"id {contact.id} does not fit the network's {config.bits} bits; cut it with base.ids")
        super().__init__(contact, config, dice)
        self._wire: Wire | None = None

    @property
    def wire(self) -> Wire:
        """The codec of this network's messages."""
        if self._wire is None:
            self._wire = pastry_wire(self.config.bits)
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


def _serve_row(core: Core, message: RowOf, source: Address, now: float) -> None:
    if core.permits.check(source, message.permit, now):
        core.send(source, Known(message.nonce, tuple(core.table.row(message.row))))


def _serve_leaves(core: Core, message: LeavesOf, source: Address, now: float) -> None:
    if core.permits.check(source, message.permit, now):
        core.send(source, Known(message.nonce, tuple(core.leaves.members())))


def _serve_neighbours(core: Core, message: NeighboursOf, source: Address, now: float) -> None:
    if core.permits.check(source, message.permit, now):
        core.send(source, Known(message.nonce, tuple(core.neighbours.members())))


def _serve_entry(core: Core, message: EntryOf, source: Address, _now: float) -> None:
    has_digit = message.digit < 1 << core.config.digit_bits
    core.send(source, Entry(message.nonce, core.table.get(message.row, message.digit) if has_digit else None))


_SERVERS: dict[type, Serve] = {
    Ping: liveness.serve_ping,
    Forward: forwarding.serve_forward,
    RowOf: _serve_row,
    LeavesOf: _serve_leaves,
    NeighboursOf: _serve_neighbours,
    EntryOf: _serve_entry,
    Hello: joining.serve_hello,
    Bye: repair.serve_bye,
    Store: keeping.serve_store,
    AddProvider: keeping.serve_add_provider,
    Copy: keeping.serve_copy,
    CopyProvider: keeping.serve_copy,
    Fetch: keeping.serve_fetch,
    FetchProviders: keeping.serve_fetch_providers,
}

_REPLIES = frozenset(REPLIES)

_TIMERS: dict[str, Callable[[Core, float], None]] = {
    joining.TICK: upkeep.tick,
    joining.GOSSIP: upkeep.gossip,
    joining.JOIN_AGAIN: joining.join_again,
    joining.SETTLED: joining.settled,
    joining.LISTEN: joining.listen,
    COPY: keeping.look_after_copies,
    keeping.COPIES: keeping.send_copies,
    PROVIDE: requests.provide_again,
}
