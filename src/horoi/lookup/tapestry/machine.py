"""Tapestry as a machine (Zhao et al. 2001, 2004). See the package's docstring for the idea and the order of reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, ClassVar

from horoi.lookup.common.peer import PROVIDE
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
from horoi.machine.wire import Wire

Serve = Callable[[Core, Any, Address, float], None]


def _serve_level(core: Core, message: LevelOf, source: Address, now: float) -> None:
    """A level, primaries first, then those that point to this peer and share as many digits."""
    if not core.permits.check(source, message.permit, now) or message.level >= core.neighbours.levels:
        return
    found = list(core.neighbours.level(message.level))
    pointing = [contact for contact in core.backpointers if core.neighbours.place(contact.id)[0] == message.level]
    known = dict.fromkeys((*found, *pointing))
    core.send(source, Known(message.nonce, tuple(known)[:MAX_NEIGHBOURS]))


SERVERS: dict[type, Serve] = {
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

TIMERS: dict[str, Callable[[Core, float], None]] = {
    joining.TICK: upkeep.tick,
    joining.GOSSIP: upkeep.gossip,
    joining.JOIN_AGAIN: joining.join_again,
    keeping.REFRESH: keeping.refresh,
    COPY: keeping.look_after,
    PROVIDE: requests.provide_again,
}


class Tapestry(Core):
    """One peer. Takes the requests of ``horoi.lookup.vocabulary``; speaks ``tapestry.messages``; keeps nothing on disk."""

    __slots__ = ()

    hears: ClassVar[tuple[type, ...]] = REQUESTS
    ack_type: ClassVar[type] = Ack
    answer_type: ClassVar[type] = Answer
    reply_types: ClassVar[frozenset[type]] = frozenset(REPLIES)
    servers: ClassVar[Mapping[type, Serve]] = SERVERS
    timers: ClassVar[Mapping[Any, Callable[[Core, float], None]]] = TIMERS

    def __init__(self, contact: Contact, config: TapestryConfig, dice: Random) -> None:
        if not 0 <= contact.id < 1 << config.bits:
            raise ValueError(f"id {contact.id} does not fit the network's {config.bits} bits; cut it with base.ids")
        super().__init__(contact, config, dice)

    @property
    def wire(self) -> Wire:
        """The codec of this network's messages."""
        return tapestry_wire(self.config.bits)

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
