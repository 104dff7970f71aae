"""Pastry as a machine (Rowstron, Druschel 2001). See the package's docstring for the idea and the order of reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, ClassVar

from horoi.lookup.common.peer import PROVIDE
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
from horoi.machine.wire import Wire

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


SERVERS: dict[type, Serve] = {
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

TIMERS: dict[str, Callable[[Core, float], None]] = {
    joining.TICK: upkeep.tick,
    joining.GOSSIP: upkeep.gossip,
    joining.JOIN_AGAIN: joining.join_again,
    joining.SETTLED: joining.settled,
    joining.LISTEN: joining.listen,
    COPY: keeping.look_after_copies,
    keeping.COPIES: keeping.send_copies,
    PROVIDE: requests.provide_again,
}


class Pastry(Core):
    """One peer. Takes the requests of ``horoi.lookup.vocabulary``; speaks ``pastry.messages``; keeps nothing on disk."""

    __slots__ = ()

    hears: ClassVar[tuple[type, ...]] = REQUESTS
    ack_type: ClassVar[type] = Ack
    answer_type: ClassVar[type] = Answer
    reply_types: ClassVar[frozenset[type]] = frozenset(REPLIES)
    servers: ClassVar[Mapping[type, Serve]] = SERVERS
    timers: ClassVar[Mapping[Any, Callable[[Core, float], None]]] = TIMERS

    def __init__(self, contact: Contact, config: PastryConfig, dice: Random) -> None:
        if not 0 <= contact.id < 1 << config.bits:
            raise ValueError(f"id {contact.id} does not fit the network's {config.bits} bits; cut it with base.ids")
        super().__init__(contact, config, dice)

    @property
    def wire(self) -> Wire:
        """The codec of this network's messages."""
        return pastry_wire(self.config.bits)

    def asked(self, request: Any, now: float) -> None:
        """The application wants something."""
        if isinstance(request, (Lookup, Route, Put, Get, Provide, FindProviders)):
            requests.ask(self, request, now)
        elif isinstance(request, Join):
            joining.join(self, request, now)
        elif isinstance(request, Leave):
            joining.leave(self, now)
        elif isinstance(request, Unprovide):
            requests.unprovide(self, request)
