"""Kademlia as a machine (Maymounkov and Mazieres: "Kademlia: a peer-to-peer information system based on the XOR metric", IPTPS
2002), also as BitTorrent's Mainline DHT (BEP 5, 32, 33, 42, 43, 44, 51), the largest overlay there is.

Peers and keys are numbers, their distance is the exclusive or, and a key belongs to the peers nearest to it. Each peer knows up
to k peers in each subtree that it is not in itself, so from anywhere a peer is known that is half as far from any target: a
lookup takes about log2 N steps. The distance is symmetric, so queries come from the very peers that a table needs, and
upkeep rides on traffic. The invariant: a bucket is empty only if its subtree is.

The parts: ``table`` (k-buckets), ``search`` (the lookup), ``tasks`` and ``write_tasks`` (what is done with it), ``server``
(answers), ``items`` and ``peers`` (what is kept for others), ``upkeep`` (join, refresh, republish). The messages are the same
on both wires, Horoi's own (``codec``) and KRPC (``krpc``): which one is spoken is the host's choice, what it means is
``config.mainline``.
"""

from __future__ import annotations

from random import Random
from typing import Any, ClassVar

from horoi.lookup.kademlia.bencode import is_bencoded
from horoi.lookup.kademlia.codec import kademlia_wire
from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.kademlia.core import RPC, Calling
from horoi.lookup.kademlia.messages import Deliver, Item, Malformed, Refusal, Reply, Signed
from horoi.lookup.kademlia.requests import REQUESTS as OWN_REQUESTS
from horoi.lookup.kademlia.requests import Announce, GetSigned, PingPeer, Ponged, PutSigned, Sample, Scrape
from horoi.lookup.kademlia.signing import (
    MAX_SALT_BYTES,
    PUBLIC_KEY_BYTES,
    immutable_target,
    mutable_target,
)
from horoi.lookup.kademlia.swarm_tasks import ProvidersTask, ProvideTask, SampleTask, ScrapeTask
from horoi.lookup.kademlia.table import ContactBook
from horoi.lookup.kademlia.tasks import GetTask, Task
from horoi.lookup.kademlia.upkeep import JoinAsked, Upkeep
from horoi.lookup.kademlia.write_tasks import PutTask, RouteTask, TokenTask
from horoi.lookup.vocabulary import (
    BAD_KEY,
    BUSY,
    MAX_LOOKUPS,
    MAX_PAYLOAD_BYTES,
    MAX_VALUE_BYTES,
    NOT_JOINED,
    REFUSED,
    REQUESTS,
    TOO_LARGE,
    UNREACHABLE,
    Address,
    Contact,
    Delivered,
    Failed,
    FindProviders,
    Get,
    Join,
    Leave,
    Lookup,
    Provide,
    Put,
    Route,
    Token,
    Unprovide,
    Value,
)
from horoi.machine.contract import Action, Asked, Event, Fired, Received, Send, Tell
from horoi.machine.wire import Wire

MAX_TTL_S = 1e7
_WITH_RULES = frozenset((Put, PutSigned, Route, Announce, GetSigned, Provide))
_HEARD = frozenset((*REQUESTS, *OWN_REQUESTS))


class Asking:
    """A ping that the application asked for."""

    __slots__ = ("token",)

    def __init__(self, token: Token) -> None:
        self.token = token


class Kademlia(Upkeep):
    """One peer. Takes the requests of ``horoi.lookup.vocabulary`` and of ``kademlia.requests``; keeps nothing on disk.

    ``book``: in large simulations all peers share one (``table.ContactBook(shared=True)``).
    """

    __slots__ = ()

    hears: ClassVar[tuple[type, ...]] = (*REQUESTS, *OWN_REQUESTS)

    def __init__(
        self, contact: Contact, config: KademliaConfig, dice: Random, *, book: ContactBook | None = None
    ) -> None:
        super().__init__(contact, config, dice, book)

    @property
    def wire(self) -> Wire | None:
        """The own wire, for a stack; None in Mainline, whose codec is ``krpc``."""
        return None if self.config.mainline else kademlia_wire(self.config.bits)

    def handle(self, event: Event, now: float) -> list[Action]:
        """Take one event; see ``machine.contract``."""
        kind = type(event)
        if kind is Received:
            self._received(event.peer, event.message, now)  # type: ignore[union-attr]
        elif kind is Asked:
            assert isinstance(event, Asked)
            self._asked(event.request, now)
        elif kind is Fired:
            assert isinstance(event, Fired)
            self._fired(event.timer, now)
        return self.take_actions(now)

    def _fired(self, timer: object, now: float) -> None:
        if timer != RPC:
            self.upkeep_is_due(timer, now)
            return
        for request in self.pending.expire(now):
            context = request.context
            if type(context) is JoinAsked:
                self.bootstrap_failed(context, now)
            elif isinstance(context, Asking):
                self.do(Tell(Failed(context.token, UNREACHABLE, 0, 1, 0, 1)))
            else:
                self.unanswered(request, now)

    # Messages

    def _received(self, address: Address, message: object, now: float) -> None:
        kind = type(message)
        if kind is Reply:
            self._replied(address, message, now)  # type: ignore[arg-type]
        elif kind is Refusal:
            self._refused(address, message, now)  # type: ignore[arg-type]
        elif self.serves and not self.config.read_only and self.server.admits(address, now):
            self._serve(address, message, now)

    def _serve(self, address: Address, message: object, now: float) -> None:
        if type(message) is Malformed:
            self.do(Send(address, Refusal(message.tid, message.code, message.text)))
            return
        query: Any = message
        answer = self.server.answer(query, address, now)
        self._actions.append(Send(address, answer))
        if type(message) is Deliver and type(answer) is Reply:
            self.do(Tell(Delivered(message.target, message.payload, Contact(message.sender, address), message.hops)))
        if not query.read_only:
            self.meet(Contact(query.sender, address), now)

    def _replied(self, address: Address, reply: Reply, now: float) -> None:
        request = self.close(reply, address, now)
        if request is None:
            return
        if reply.seen is not None and self.config.mainline:
            self.told_address(address, reply.seen, now)
        context = request.context
        if type(context) is JoinAsked:
            self.bootstrap_answered(context, Contact(reply.sender, address), reply, now)
        elif isinstance(context, Asking):
            contact = Contact(reply.sender, address)
            self.heard(contact, now)
            self.do(Tell(Ponged(context.token, contact, now - request.sent_s, reply.seen)))
        else:
            self.answered(request, reply, now)

    def _refused(self, address: Address, refusal: Refusal, now: float) -> None:
        """A peer refuses: it is there all the same. A search gets nothing from it."""
        request = self.close(refusal, address, now)
        if request is None:
            return
        context: Any = request.context
        if type(context) is JoinAsked:
            self.bootstrap_failed(context, now)
        elif isinstance(context, Asking):
            self.do(Tell(Failed(context.token, REFUSED, 0, 1, 1, 0)))
        elif type(context) is Calling:
            task = context.task
            task.waiting -= 1
            if isinstance(task, TokenTask):
                task.refusals += 1
                task.why = task.why or f"{refusal.code} {refusal.text}"
            self.pump(task, now)
        elif isinstance(context, Task):
            assert request.contact is not None
            context.search.on_failure(request.contact)
            self.pump(context, now)
        else:
            self.answered(request, Reply(refusal.tid, request.contact.id if request.contact else 0), now)

    # The application

    def _asked(self, request: Any, now: float) -> None:
        if isinstance(request, Join):
            self.join(request.bootstrap, now)
        elif isinstance(request, Leave):
            self.leave(now)
        elif isinstance(request, Unprovide):
            self.providing.pop(request.key, None)
        elif isinstance(request, PingPeer):
            if not self.ask(Contact(0, request.address), self.ping, Asking(request.token), now):
                self.do(Tell(Failed(request.token, BUSY)))
        else:
            task = self._task_for(request, now)
            if task is not None:
                self.begin(task, now)

    def _task_for(self, request: Any, now: float) -> Task | None:
        """The task that a request means; None if it was answered already, or is nothing of this room."""
        if type(request) not in _HEARD:
            return None
        refusal = self._refusal(request)
        if refusal is not None:
            self.do(Tell(Failed(request.token, refusal)))
            return None
        token = request.token
        if isinstance(request, Lookup):
            return Task(self, token, request.key)
        if isinstance(request, Route):
            return RouteTask(self, token, request.key, request.payload)
        if isinstance(request, Put):
            return PutTask(self, token, request.key, Item(request.value, None, min(request.ttl_s, MAX_TTL_S)))
        if isinstance(request, Get):
            return self._get(request, now)
        if isinstance(request, Provide):
            self.provide(request.key, 0, seed=False)
            return ProvideTask(self, token, request.key)
        if isinstance(request, Announce):
            self.provide(request.key, request.port, seed=request.seed)
            return ProvideTask(self, token, request.key, port=request.port, seed=request.seed)
        if isinstance(request, FindProviders):
            return ProvidersTask(self, token, request.key, request.limit)
        if isinstance(request, PutSigned):
            item = Item(request.value, request.signed, self.signed_ttl_s)
            return PutTask(self, token, self._signed_key(request.signed), item, cas=request.cas)
        if isinstance(request, GetSigned):
            key = mutable_target(request.public_key, request.salt)
            task = GetTask(self, token, key, signed=True, salt=request.salt, seq=request.seq)
            self._offer_own(task, now)
            return task
        if isinstance(request, Scrape):
            return ScrapeTask(self, token, request.key)
        assert isinstance(request, Sample)
        return SampleTask(self, token, request.target)

    def _get(self, request: Get, now: float) -> Task | None:
        kept = self.server.items.get(request.key, now) if self.server.has_items else None
        if kept is not None and kept.item.signed is None:
            self.do(Tell(Value(request.token, request.key, kept.item.value, self.contact)))
            return None
        task = GetTask(self, request.token, request.key)
        if kept is not None:
            self._offer_own(task, now)
        return task

    def _offer_own(self, task: GetTask, now: float) -> None:
        """What is kept here needs no search, unless it is signed: others may have a higher number."""
        kept = self.server.items.get(task.key, now) if self.server.has_items else None
        if kept is not None:
            task.offer(self.contact, Item(kept.item.value, kept.item.signed, kept.expires_s - now))

    def _refusal(self, request: Any) -> str | None:
        """Why a request cannot be meant, or cannot be served now."""
        key = request.key if hasattr(request, "key") else getattr(request, "target", 0)
        if not (isinstance(key, int) and 0 <= key < 1 << self.config.bits):
            return BAD_KEY
        if type(request) in _WITH_RULES:
            refusal = self._rule_broken(request, key)
            if refusal is not None:
                return refusal
        if not self.joined:
            return NOT_JOINED
        if self.tasks >= MAX_LOOKUPS:
            return BUSY
        return None

    def _rule_broken(self, request: Any, key: int) -> str | None:
        """Which rule of its own a request breaks."""
        if isinstance(request, Put | PutSigned) and len(request.value) > MAX_VALUE_BYTES:
            return TOO_LARGE
        if isinstance(request, Put) and not request.ttl_s > 0:
            return REFUSED
        if self.config.mainline and isinstance(request, Put | PutSigned):
            if not is_bencoded(request.value):
                return f"{REFUSED}: Mainline keeps bencoded values"
            if isinstance(request, Put) and immutable_target(request.value) != key:
                return f"{REFUSED}: Mainline keeps a value under its SHA-1"
        if isinstance(request, Route) and len(request.payload) > MAX_PAYLOAD_BYTES:
            return TOO_LARGE
        if isinstance(request, Route) and self.config.mainline:
            return REFUSED  # BEP 5 has no such message
        if isinstance(request, Announce) and not 0 <= request.port < 1 << 16:
            return REFUSED
        if isinstance(request, PutSigned | GetSigned) and self.config.bits != 160:
            return BAD_KEY
        if isinstance(request, GetSigned) and (
            len(request.public_key) != PUBLIC_KEY_BYTES or len(request.salt) > MAX_SALT_BYTES
        ):
            return BAD_KEY
        if isinstance(request, Provide | Announce) and not self.can_provide(request.key):
            return BUSY
        return None

    def _signed_key(self, signed: Signed) -> int:
        return mutable_target(signed.public_key, signed.salt)

    @property
    def signed_ttl_s(self) -> float:
        return 2 * 3600.0  # BEP 44
