"""Chord as a machine (Stoica, Morris, Liben-Nowell, Karger, Kaashoek, Dabek, Balakrishnan: "Chord: a scalable peer-to-peer
lookup protocol for internet applications", SIGCOMM 2001, IEEE/ACM ToN 11(1) 2003).

Peers and keys are points on a ring; a key belongs to the first peer at or after it. Each peer knows its successors, which
keep the ring whole, and the peers that follow it by 1/2, 1/4, 1/8 ... of the ring, which make it small: every step halves the
distance, so a lookup takes about 1/2 log2 N steps. The invariant under which every lookup is right: each peer's first
successor is right. Everything else is speed.

The parts: ``node`` (the tables), ``lookups`` (iterative), ``forwarding`` (recursive), ``membership`` (join, leave),
``upkeep`` (stabilise), ``keeping`` (values), ``requests`` (what the application asks).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, ClassVar

from horoi.lookup.chord import forwarding, keeping, membership, requests, upkeep
from horoi.lookup.chord.codec import chord_wire
from horoi.lookup.chord.config import ChordConfig
from horoi.lookup.chord.core import Core, ExpectingContext
from horoi.lookup.chord.messages import (
    REPLIES,
    Arrived,
    AskPermit,
    Fetch,
    FetchProviders,
    FindSuccessor,
    Forward,
    Hello,
    Leaving,
    NextHop,
    NotHere,
    Notify,
    Permitted,
    Ping,
    Pong,
    Store,
    StoreProvider,
    StoreReply,
    Transfer,
    Welcome,
)
from horoi.lookup.common.peer import PROVIDE, RPC
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
from horoi.machine.wire import Wire


class Chord(Core, Taking):
    """One peer. ``contacts`` are its nodes, all of one address: one, or several virtual nodes (ToN 2003, section VI.B).

    Takes the requests of ``horoi.lookup.vocabulary``; speaks ``chord.messages``; keeps nothing on disk: a peer that comes
    back joins anew, and its keys are with its successors.
    """

    __slots__ = ()

    hears: ClassVar[tuple[type, ...]] = REQUESTS

    def __init__(self, contacts: Sequence[Contact], config: ChordConfig, dice: Random) -> None:
        if not contacts or len({contact.id for contact in contacts}) < len(contacts):
            raise ValueError(f"a peer has one or more nodes of different ids, not {len(contacts)} contacts of the same")
        if any(contact.address != contacts[0].address for contact in contacts):
            raise ValueError("all nodes of a peer have its address; give each address a machine of its own")
        for contact in contacts:
            if not 0 <= contact.id < 1 << config.bits:
                raise ValueError(f"id {contact.id} does not fit the ring's {config.bits} bits; cut it with base.ids")
        super().__init__(contacts, config, dice)

    @property
    def wire(self) -> Wire:
        """The codec of this ring's messages."""
        return chord_wire(self.config.bits)

    # Requests of the application

    def asked(self, request: Any, now: float) -> None:
        if isinstance(request, (Lookup, Route, Put, Get, Provide, FindProviders)):
            requests.ask(self, request, now)
        elif isinstance(request, Join):
            membership.join(self, request, now)
        elif isinstance(request, Leave):
            membership.leave(self, now)
        elif isinstance(request, Unprovide):
            requests.unprovide(self, request)

    # Timers

    def _fired(self, timer: Any, now: float) -> None:
        if timer == RPC:
            self.expire(now)
        elif self.bootstrap is not None:
            act = _TIMERS.get(timer)
            if act is not None:
                act(self, now)

    # Messages

    def _received(self, source: Address, message: Any, now: float) -> None:
        kind = type(message)
        if kind is NextHop or kind in _REPLIES:
            self._take_reply(source, message, now)
        elif self.bootstrap is not None and (self.config.rate_per_s is None or self.may_serve(source, now)):
            self._serve(source, message, kind, now)

    def _take_reply(self, source: Address, message: Any, now: float) -> None:
        if self._pending is None:
            return
        nonce = message.ticket if type(message) is Arrived else message.nonce
        request = self._pending.close(nonce, source, now)
        if request is None:
            return  # too late, or forged
        if request.contact is not None and not self.trusts_all:
            self.exhume(request.contact)
        context: ExpectingContext = request.context
        if type(message) in context.expected:
            context.on_reply(message, now)
        else:  # "not here", or nonsense
            context.on_failure(now)

    def _serve(self, source: Address, message: Any, kind: type, now: float) -> None:
        if kind is Hello:
            self.send(source, Welcome(message.nonce, self.nodes[0].contact, source))
            return
        serve = _SERVERS.get(kind)
        if serve is None:
            return
        nodes = self.nodes
        node = nodes[0] if message.to == nodes[0].id else self.node_of(message.to)
        if node is None or (self.joining and kind is not Ping):
            self.send(source, NotHere(message.nonce))
            return
        reply = serve(self, node, message, source, now)
        if reply is not None:
            self.send(source, reply)


Serve = Callable[[Chord, Any, Any, Address, float], Any]


def _serve_find(core: Chord, node: Any, message: FindSuccessor, _source: Address, _now: float) -> NextHop:
    hop = node.next_hop(message.key, all_successors=core.config.successors_in_lookups)
    return NextHop(message.nonce, hop.is_owner, hop.closer, hop.behind, node.predecessor)


def _serve_permit(core: Chord, _node: Any, message: AskPermit, source: Address, now: float) -> Permitted:
    return Permitted(message.nonce, core.permits.make(source, now))


def _serve_leaving(core: Chord, node: Any, message: Leaving, source: Address, now: float) -> StoreReply | None:
    if message.contact.address != source or not core.permits.check(source, message.permit, now):
        return None
    membership.serve_leaving(core, node, message, now)
    return StoreReply(message.nonce, "")


_SERVERS: dict[type, Serve] = {
    FindSuccessor: _serve_find,
    Forward: forwarding.serve_forward,
    Notify: upkeep.serve_notify,
    Ping: lambda _core, _node, message, _source, _now: Pong(message.nonce),
    AskPermit: _serve_permit,
    Leaving: _serve_leaving,
    Store: keeping.serve_store,
    StoreProvider: keeping.serve_store_provider,
    Transfer: keeping.serve_transfer,
    Fetch: lambda core, _node, message, source, now: keeping.serve_fetch(core, message, source, now),
    FetchProviders: lambda core, _node, message, source, now: keeping.serve_fetch_providers(core, message, source, now),
}

_REPLIES = frozenset(REPLIES)


def _republish(core: Chord, now: float) -> None:
    keeping.replicate(core, now)
    core.arm(upkeep.REPUBLISH, upkeep.REPUBLISH_S)


_TIMERS: dict[str, Callable[[Chord, float], None]] = {
    upkeep.STABILISE: upkeep.tick,
    upkeep.FIX_FINGER: upkeep.fix_fingers,
    upkeep.REJOIN: membership.rejoin,
    upkeep.REPUBLISH: _republish,
    keeping.REPLICATE: keeping.replicate,
    PROVIDE: requests.provide_again,
}
