"""CAN as a machine (Ratnasamy, Francis, Handley, Karp, Shenker: "A scalable content-addressable network", SIGCOMM 2001).

Events in, actions out; what is done with them stands in the parts: ``routing`` and ``rings`` (forwarding), ``walk`` and
``seek`` (lookups), ``joining``, ``upkeep``, ``repair``, ``reassignment`` (the space), ``keeping`` (values), ``requests`` (what
the application asks).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, ClassVar

from horoi.lookup.can import (
    disputes,
    joining,
    keeping,
    overloading,
    reassignment,
    repair,
    requests,
    reunion,
    routing,
    seek,
    upkeep,
    walk,
)
from horoi.lookup.can.codec import can_wire
from horoi.lookup.can.config import CanConfig
from horoi.lookup.can.core import REFRESH, Core, Doubt, Loss
from horoi.lookup.can.messages import (
    REPLIES,
    Arrived,
    AskPermit,
    Enter,
    Fetch,
    FetchProviders,
    FindSiblings,
    Forward,
    Halve,
    Handover,
    Hello,
    Permitted,
    Spares,
    Step,
    Store,
    StoreProvider,
    Takeover,
    Transfer,
    Update,
    Welcome,
)
from horoi.lookup.can.zone import Space
from horoi.lookup.common.peer import PROVIDE, RPC, Context
from horoi.lookup.common.taking import Taking
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
from horoi.machine.contract import Action, Event, Lost
from horoi.machine.wire import Wire


class Can(Core, Taking):
    """One peer. ``space`` may be shared by all machines of one process: it only remembers what follows from numbers.

    Takes the requests of ``horoi.lookup.vocabulary``; speaks ``can.messages``; keeps nothing on disk: a peer that comes
    back joins anew.
    """

    __slots__ = ()

    hears: ClassVar[tuple[type, ...]] = REQUESTS

    def __init__(self, contact: Contact, config: CanConfig, dice: Random, space: Space | None = None) -> None:
        if not 0 <= contact.id < 1 << config.bits:
            raise ValueError(f"id {contact.id} does not fit {config.bits} bits; cut it with base.ids")
        space = space or Space(config.dimensions, config.bits)
        if (space.dimensions, space.bits) != (config.dimensions, config.bits):
            raise ValueError(
                f"this space has {space.dimensions} dimensions and {space.bits} bits, the configuration others"
            )
        super().__init__(contact, config, dice, space)

    @property
    def wire(self) -> Wire:
        """The codec of this CAN's messages."""
        return can_wire(self.config.bits)

    def handle(self, event: Event, now: float) -> list[Action]:
        """Take one event and return the actions, in order."""
        out = super().handle(event, now)
        is_loss = type(event) is Lost
        if not (is_loss or self.noticed):
            return out
        self.out = out  # the answer goes on
        if is_loss:
            self._lost(event.peer, now)  # type: ignore[union-attr]
        self._see_to_noticed(now)
        self.out = []
        return out

    def _see_to_noticed(self, now: float) -> None:
        """What was noticed on the way: peers that are silent or gone, zones that two claim."""
        while self.noticed:
            what = self.noticed.pop(0)
            if self.bootstrap is None or self.leaving:
                continue
            if isinstance(what, Doubt):
                upkeep.doubt(self, what.contact, now)
            elif isinstance(what, Loss):
                repair.begin_takeover(self, what.reality, what.neighbour, now)
            else:
                disputes.dispute(self, what.reality, what.claim, what.zone, now)

    # Requests of the application

    def asked(self, request: Any, now: float) -> None:
        self._wake()
        if isinstance(request, (Lookup, Route, Put, Get, Provide, FindProviders)):
            requests.ask(self, request, now)
        elif isinstance(request, Join):
            joining.join(self, request, now)
        elif isinstance(request, Leave):
            reassignment.leave(self, now)
        elif isinstance(request, Unprovide):
            requests.unprovide(self, request)

    def _wake(self) -> None:
        """A peer that was settled as if it had joined long ago begins its upkeep with the first thing that happens."""
        if not self.is_ticking and self.bootstrap is not None and not self.joining:
            joining.wake(self)

    # Timers

    def _fired(self, timer: Any, now: float) -> None:
        if timer == RPC:
            self.expire(now)
            return
        if self.timers is not None and timer in self.timers:
            self.timers.pop(timer)(now)
            return
        act = _TIMERS.get(timer)
        if act is not None and self.bootstrap is not None and not self.leaving:
            act(self, now)

    def _lost(self, peer: Address, now: float) -> None:
        """The transport gave a peer up: see whether it is there."""
        for reality in self.realities:
            neighbour = reality.neighbours.get(peer)
            if neighbour is not None:
                upkeep.exchange(self, reality, neighbour.contact, now)

    # Messages

    def _received(self, source: Address, message: Any, now: float) -> None:
        kind = type(message)
        if kind in _REPLIES:
            self._take_reply(source, message, now)
        elif kind is Arrived:
            seek.serve_arrived(self, message, source, now)
        elif self.bootstrap is not None and self.may_serve(source, now):
            self._wake()
            self._serve(source, message, kind, now)

    def _take_reply(self, source: Address, message: Any, now: float) -> None:
        if self._pending is None:
            return
        request = self._pending.close(message.nonce, source, now)
        if request is None:
            return  # too late, or forged
        self.rtt_s = now - request.sent_s
        context: Context = request.context
        context.on_reply(message, now)

    def _serve(self, source: Address, message: Any, kind: type, now: float) -> None:
        serve = _SERVERS.get(kind)
        if serve is not None:
            serve(self, message, source, now)
            return
        answer = _ANSWERERS.get(kind)
        if answer is not None:
            self.send(source, answer(self, message, source, now))


def _tick(core: Core, now: float) -> None:
    """The period of updates is over."""
    for reality in core.realities:
        if reality.zones:
            upkeep.exchange_all(core, reality, now)
            repair.check_gaps(core, reality, now)
    if core.misplaced:
        core.misplaced = False
        keeping.send_home(core, now)
    core.arm_period(joining.UPDATE, core.config.update_s)


def _reunite(core: Core, now: float) -> None:
    """See whether there is another mesh."""
    core.arm_period(joining.REUNION, core.config.reunion_s)
    reunion.look_for_others(core, now)


Serve = Callable[[Core, Any, Address, float], None]
Answer = Callable[[Core, Any, Address, float], Any]

_SERVERS: dict[type, Serve] = {
    Forward: routing.serve_forward,
    Step: walk.serve_step,
    Enter: joining.serve_enter,
    Update: upkeep.serve_update,
    Takeover: repair.serve_takeover,
    Handover: reassignment.serve_handover,
    Halve: overloading.serve_halve,
    FindSiblings: lambda core, message, source, _now: reassignment.serve_find_siblings(core, message, source),
    Spares: lambda core, message, source, _now: upkeep.serve_spares(core, message, source),
}
"""They send what they have to say themselves."""

_ANSWERERS: dict[type, Answer] = {
    Hello: lambda _core, message, _source, _now: Welcome(message.nonce),
    AskPermit: lambda core, message, source, now: Permitted(message.nonce, core.permits.make(source, now)),
    Store: keeping.serve_store,
    StoreProvider: keeping.serve_store_provider,
    Transfer: keeping.serve_transfer,
    Fetch: keeping.serve_fetch,
    FetchProviders: keeping.serve_fetch_providers,
}

_REPLIES = frozenset(REPLIES)

_TIMERS: dict[str, Callable[[Core, float], None]] = {
    joining.UPDATE: _tick,
    joining.REASSIGN: reassignment.reassign,
    joining.REUNION: _reunite,
    REFRESH: keeping.refresh,
    PROVIDE: requests.provide_again,
}
