"""What every part of a Pastry machine stands on: its tables, what it knows of peers, requests under way, and the answer.

The parts (``routing``, ``forwarding``, ``lookups``, ``joining``, ``liveness``, ``repair``, ``upkeep``, ``keeping``) are
functions over a ``Core``; ``machine`` wires them to events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeAlias

from horoi.lookup.common.pending import Pending
from horoi.lookup.common.permits import CHANGE_S, Permits
from horoi.lookup.common.providers import ProviderStore
from horoi.lookup.common.rates import TokenBuckets
from horoi.lookup.common.values import ValueStore
from horoi.lookup.pastry.config import PastryConfig
from horoi.lookup.pastry.leaf_set import LeafSet
from horoi.lookup.pastry.messages import Ping, Pong
from horoi.lookup.pastry.neighbourhood_set import NeighbourhoodSet
from horoi.lookup.pastry.routing_table import RoutingTable
from horoi.lookup.vocabulary import Address, Contact
from horoi.machine.contract import Action, Arm, Send, Tell

RPC = "rpc"
"""The one timer of all requests under way."""

COPY = "copy"
"""The timer after which copies are looked after."""

COPY_SOON_S = 1.0  # a guess: several changes of the leaf set come together
BURIED_S = (
    60.0  # how long a peer that did not answer is not believed in when others name it; a guess: they learn it too
)
MAX_BURIED = 256  # a guess: more than the tables of one peer
MAX_ACQUAINTED = 512  # a guess: three times the tables of a peer in a network of a million
PERMIT_AGE_S = CHANGE_S * 0.8  # used up to then, so that it is still good when it arrives

OnReply: TypeAlias = Callable[[Any, float], None]
OnFailure: TypeAlias = Callable[[float], None]


class Context:
    """What a request was for: called with the reply, or when it is given up."""

    __slots__ = ("on_failure", "on_reply")

    def __init__(self, on_reply: OnReply, on_failure: OnFailure) -> None:
        self.on_reply = on_reply
        self.on_failure = on_failure


class Acquaintance:
    """What was learned of a peer by talking to it: its round trip, when it was last heard, the permit that it gave."""

    __slots__ = ("can_route", "heard_s", "permit", "permit_s", "round_trip_s")

    def __init__(self) -> None:
        self.heard_s = float("-inf")
        self.round_trip_s = float("inf")
        self.permit = b""
        self.permit_s = float("-inf")
        self.can_route = False


class Core:
    """State of one machine."""

    __slots__ = (
        "_buckets",
        "_buried",
        "_pending",
        "_permits",
        "acquainted",
        "bootstrap",
        "config",
        "copied",
        "copies",
        "delivered",
        "dice",
        "is_joined",
        "is_routing",
        "join_attempts",
        "leaves",
        "lookups",
        "me",
        "neighbours",
        "out",
        "own_words",
        "probing",
        "providers",
        "suspects",
        "table",
        "values",
    )

    def __init__(self, contact: Contact, config: PastryConfig, dice: Random) -> None:
        self.me = contact
        self.config = config
        self.dice = dice
        self.leaves = LeafSet(contact.id, config.bits, config.leaf_set)
        self.table = RoutingTable(contact.id, config.bits, config.digit_bits)
        self.neighbours = NeighbourhoodSet(config.neighbourhood)
        self.acquainted: dict[Address, Acquaintance] = {}
        self.suspects: dict[Address, None] = {}  # did not answer once, being pinged
        self.probing: dict[Address, None] = {}  # candidates being pinged
        self.delivered: dict[tuple[Address, int], None] = {}  # payloads that have arrived here
        self.values = ValueStore(config.bits)
        self.providers = ProviderStore()
        self.own_words: dict[int, None] = {}  # what this peer provides, in order
        self.copied: tuple[Contact, ...] = ()  # the leaf set when copies were last looked after
        self.copies: deque[tuple[Contact, int]] = deque()  # (to whom, key) waiting to be copied
        self.lookups = 0  # the application's, under way
        self.bootstrap: tuple[Address, ...] | None = None  # None: not in the network, nor entering it
        self.is_routing = False  # the tables are filled, so messages may come through
        self.is_joined = False
        self.join_attempts = 0
        self.out: list[Action] = []
        self._pending: Pending | None = None
        self._permits: Permits | None = None
        self._buckets: TokenBuckets | None = None
        self._buried: dict[Contact, float] = {}

    # What is made on first use

    @property
    def pending(self) -> Pending:
        if self._pending is None:
            self._pending = Pending(self.dice)
        return self._pending

    @property
    def permits(self) -> Permits:
        if self._permits is None:
            self._permits = Permits(self.dice)
        return self._permits

    def may_serve(self, address: Address, now: float) -> bool:
        """Whether a request from this address is within its rate."""
        if self.config.rate_per_s is None:
            return True
        if self._buckets is None:
            self._buckets = TokenBuckets(self.config.rate_per_s, 2 * self.config.rate_per_s)
        return self._buckets.take(address, now)

    # Peers

    def everyone(self) -> Iterator[Contact]:
        """All contacts of the three tables, some twice."""
        yield from self.leaves.members()
        yield from self.table.members()
        yield from self.neighbours.members()

    def knows(self, contact: Contact) -> bool:
        """Whether the contact is in one of the tables."""
        return contact in self.table or contact in self.leaves or contact in self.neighbours

    def is_believed(self, contact: Contact, now: float) -> bool:
        """Whether to take a contact that somebody named: its id belongs to it, and it was not silent a moment ago."""
        if contact.address == self.me.address or not 0 <= contact.id < 1 << self.config.bits:
            return False
        buried_s = self._buried.get(contact)
        if buried_s is not None and now < buried_s + BURIED_S:
            return False
        return self.is_bound(contact)

    def is_bound(self, contact: Contact) -> bool:
        """Whether the contact's id belongs to it."""
        return self.config.is_bound is None or self.config.is_bound(contact)

    def bury(self, contact: Contact, now: float) -> None:
        """Do not believe those who name this contact, for a while."""
        self._buried.pop(contact, None)
        self._buried[contact] = now
        if len(self._buried) > MAX_BURIED:
            del self._buried[next(iter(self._buried))]
        self.acquainted.pop(contact.address, None)

    def exhume(self, contact: Contact) -> None:
        """A peer that was taken for dead has spoken."""
        self._buried.pop(contact, None)

    def acquaint(self, address: Address) -> Acquaintance:
        """What is known of an address; the one not met for longest is forgotten for it."""
        found = self.acquainted.get(address)
        if found is None:
            found = self.acquainted[address] = Acquaintance()
            if len(self.acquainted) > MAX_ACQUAINTED:
                del self.acquainted[min(self.acquainted, key=lambda other: self.acquainted[other].heard_s)]
                self.acquainted[address] = found
        return found

    def round_trip_s(self, contact: Contact) -> float:
        """The measured round trip to a contact; infinite if it was never measured."""
        found = self.acquainted.get(contact.address)
        return found.round_trip_s if found is not None else float("inf")

    def heard_s(self, contact: Contact) -> float:
        """When the contact last spoke; minus infinity if it never did."""
        found = self.acquainted.get(contact.address)
        return found.heard_s if found is not None else float("-inf")

    def forget(self, now: float) -> None:
        """Be as before the first join, but for what identifies this peer."""
        config, me = self.config, self.me
        self.leaves = LeafSet(me.id, config.bits, config.leaf_set)
        self.table = RoutingTable(me.id, config.bits, config.digit_bits)
        self.neighbours = NeighbourhoodSet(config.neighbourhood)
        for kept in (self.acquainted, self.suspects, self.probing, self._buried, self.own_words, self.copies):
            kept.clear()
        self.values = ValueStore(config.bits)
        self.providers = ProviderStore()
        self.copied = ()
        self.bootstrap = None
        self.is_routing = False
        self.is_joined = False
        for request in self.pending.clear():
            request.context.on_failure(now)

    # Actions

    def copy_soon(self) -> None:
        """The leaf set has changed: see in a moment who lacks a copy of what is kept here."""
        if self.is_joined and (len(self.values) or len(self.providers)):
            self.arm(COPY, COPY_SOON_S)

    def send(self, address: Address, message: Any) -> None:
        self.out.append(Send(address, message))

    def tell(self, notice: Any) -> None:
        self.out.append(Tell(notice))

    def arm(self, timer: Any, after_s: float | None) -> None:
        self.out.append(Arm(timer, after_s))

    def open(
        self,
        contact: Contact | None,
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
        timeout_s: float | None = None,
    ) -> int | None:
        """Note a request and return its nonce; None if too many are under way. ``contact`` None: anyone may answer it."""
        pending = self.pending
        if pending.full:
            return None
        nonce = pending.open(contact, Context(on_reply, on_failure), now, timeout_s)
        wake_s = pending.wake_s(now)
        if wake_s is not None:
            self.out.append(Arm(RPC, wake_s))
        return nonce

    def ask(
        self,
        contact: Contact,
        make: Callable[[int], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
        *,
        tries: int = 1,
    ) -> None:
        """Send the request ``make(nonce)`` up to ``tries`` times: one lost datagram is no death. One of the two is called."""

        def unanswered(at: float) -> None:
            if tries > 1 and self.bootstrap is not None:
                self.ask(contact, make, on_reply, on_failure, at, tries=tries - 1)
            else:
                on_failure(at)

        nonce = self.open(contact, on_reply, unanswered, now)
        if nonce is None:
            on_failure(now)
            return
        self.out.append(Send(contact.address, make(nonce)))

    def ping(self, contact: Contact, on_alive: OnFailure, on_dead: OnFailure, now: float, *, tries: int = 2) -> None:
        """See whether a contact is there, as itself: ``on_alive(now)`` or ``on_dead(now)``. Takes its permit and round trip."""

        def answered(reply: Any, at: float) -> None:
            if isinstance(reply, Pong) and reply.id == contact.id:
                self.take_permit(contact.address, reply.permit, at)
                self.acquaint(contact.address).can_route = reply.is_routing
                on_alive(at)
            else:
                on_dead(at)

        self.ask(contact, lambda nonce: Ping(nonce, self.me.id, self.is_routing), answered, on_dead, now, tries=tries)

    def take_permit(self, address: Address, permit: bytes, now: float) -> None:
        """Remember the permit that an address gave."""
        found = self.acquaint(address)
        found.permit, found.permit_s = permit, now

    def ask_permitted(
        self,
        contact: Contact,
        make: Callable[[int, bytes], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
        *,
        tries: int = 2,
    ) -> None:
        """Send ``make(nonce, permit)``, with the permit that is at hand or one that is fetched by a ping first."""

        def ask(at: float) -> None:
            permit = self.acquaint(contact.address).permit
            self.ask(contact, lambda nonce: make(nonce, permit), on_reply, on_failure, at, tries=tries)

        found = self.acquainted.get(contact.address)
        if found is not None and now - found.permit_s < PERMIT_AGE_S:
            ask(now)
        else:
            self.ping(contact, ask, on_failure, now, tries=tries)
