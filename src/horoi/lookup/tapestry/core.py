"""What every part of a Tapestry machine stands on: its map, what it knows of peers, requests under way, and the answer.

The parts (``forwarding``, ``lookups``, ``joining``, ``multicast``, ``liveness``, ``repair``, ``upkeep``, ``keeping``) are
functions over a ``Core``; ``machine`` wires them to events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeAlias

from horoi.lookup.common.pending import Pending
from horoi.lookup.common.permits import CHANGE_S, Permits
from horoi.lookup.common.rates import TokenBuckets
from horoi.lookup.common.values import ValueStore
from horoi.lookup.tapestry.config import TapestryConfig
from horoi.lookup.tapestry.messages import Ping, Pong
from horoi.lookup.tapestry.neighbour_map import Backpointers, NeighbourMap
from horoi.lookup.tapestry.object_pointers import ObjectPointers
from horoi.lookup.vocabulary import Address, Contact
from horoi.machine.contract import Action, Arm, Send, Tell

RPC = "rpc"
"""The one timer of all requests under way."""

COPY = "copy"
"""The timer after which what is kept here goes to its new roots."""

COPY_SOON_S = 1.0  # a guess: several newcomers come together
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
        "backpointers",
        "bootstrap",
        "config",
        "delivered",
        "dice",
        "is_joined",
        "is_routing",
        "join_attempts",
        "lookups",
        "me",
        "moved",
        "neighbours",
        "out",
        "own_pointers",
        "own_words",
        "pointers",
        "probing",
        "repairs",
        "salts",
        "seen",
        "suspects",
        "values",
    )

    def __init__(self, contact: Contact, config: TapestryConfig, dice: Random) -> None:
        self.me = contact
        self.config = config
        self.dice = dice
        self.neighbours = NeighbourMap(contact.id, config.bits, config.digit_bits)
        self.backpointers = Backpointers()
        self.repairs: dict[tuple[int, int], Any] = {}  # slots that have just become empty, and who looks for others
        self.acquainted: dict[Address, Acquaintance] = {}
        self.suspects: dict[Address, None] = {}  # did not answer once, being pinged
        self.probing: dict[Address, None] = {}  # candidates being pinged
        self.delivered: dict[tuple[Address, int], None] = {}  # payloads that have arrived here
        self.values = ValueStore(config.bits)
        self.salts: dict[int, tuple[int, int]] = {}  # of what is kept: salted key -> (key, salt)
        self.pointers = ObjectPointers()
        self.moved: dict[int, None] = {}  # ids of newcomers that pointers may lead through now
        self.seen: dict[tuple[int, int], float] = {}  # multicasts that went through here: (newcomer, level) -> when
        self.own_words: dict[int, None] = {}  # what this peer provides, in order
        self.own_pointers: dict[int, None] = {}  # the same by salted keys
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
        """All contacts of the map."""
        return self.neighbours.members()

    def knows(self, contact: Contact) -> bool:
        """Whether the contact is in the map."""
        return contact in self.neighbours

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
        self.neighbours = NeighbourMap(me.id, config.bits, config.digit_bits)
        self.backpointers = Backpointers()
        for kept in (self.acquainted, self.suspects, self.probing, self._buried, self.own_words):
            kept.clear()
        self.own_pointers.clear()
        for noted in (self.repairs, self.salts, self.moved, self.seen):
            noted.clear()
        self.values = ValueStore(config.bits)
        self.pointers = ObjectPointers()
        self.bootstrap = None
        self.is_routing = False
        self.is_joined = False
        for request in self.pending.clear():
            request.context.on_failure(now)

    # Actions

    def copy_soon(self) -> None:
        """Somebody has come: see in a moment whether it is the root of what is kept here, or on the way to it."""
        if self.is_joined and (len(self.values) or len(self.pointers)):
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
        timeout_s: float | None = None,
    ) -> None:
        """Send the request ``make(nonce)`` up to ``tries`` times: one lost datagram is no death. One of the two is called."""

        def unanswered(at: float) -> None:
            if tries > 1 and self.bootstrap is not None:
                self.ask(contact, make, on_reply, on_failure, at, tries=tries - 1, timeout_s=timeout_s)
            else:
                on_failure(at)

        nonce = self.open(contact, on_reply, unanswered, now, timeout_s)
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
        timeout_s: float | None = None,
    ) -> None:
        """Send ``make(nonce, permit)``, with the permit that is at hand or one that is fetched by a ping first."""

        def ask(at: float) -> None:
            permit = self.acquaint(contact.address).permit
            self.ask(
                contact, lambda nonce: make(nonce, permit), on_reply, on_failure, at, tries=tries, timeout_s=timeout_s
            )

        found = self.acquainted.get(contact.address)
        if found is not None and now - found.permit_s < PERMIT_AGE_S:
            ask(now)
        else:
            self.ping(contact, ask, on_failure, now, tries=tries)
