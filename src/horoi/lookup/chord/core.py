"""What every part of a Chord machine stands on: its nodes, the requests under way, and the list of actions being answered.

The parts (``lookups``, ``upkeep``, ``keeping``, ``forwarding``) are functions over a ``Core``; ``machine`` wires them to events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeAlias

from horoi.lookup.chord.config import ChordConfig
from horoi.lookup.chord.messages import ANSWERS, Arrived, AskPermit, Forward, Ping
from horoi.lookup.chord.node import Node
from horoi.lookup.common.pending import Pending
from horoi.lookup.common.permits import Permits
from horoi.lookup.common.providers import ProviderStore
from horoi.lookup.common.rates import TokenBuckets
from horoi.lookup.common.values import ValueStore
from horoi.lookup.vocabulary import Address, Contact
from horoi.machine.contract import Action, Arm, Send, Tell

RPC = "rpc"
"""The one timer of all requests under way."""

BURIED_S = (
    60.0  # how long a peer that did not answer is not believed in when others name it; a guess: they learn it too
)
MAX_BURIED = 256  # a guess: more than the tables of one node

OnReply: TypeAlias = Callable[[Any, float], None]
OnFailure: TypeAlias = Callable[[float], None]


class Context:
    """What a request was for: called with a reply of the ``expected`` types, or when it is given up."""

    __slots__ = ("expected", "on_failure", "on_reply")

    def __init__(self, expected: tuple[type, ...], on_reply: OnReply, on_failure: OnFailure) -> None:
        self.expected = expected
        self.on_reply = on_reply
        self.on_failure = on_failure


class Core:
    """State of one machine: one address, one or more (virtual) nodes. A million must fit: what is not used is not made."""

    __slots__ = (
        "_buckets",
        "_buried",
        "_pending",
        "_permits",
        "_providers",
        "_suspects",
        "_values",
        "bootstrap",
        "config",
        "dice",
        "joining",
        "leaving",
        "lookups",
        "nodes",
        "out",
        "own_words",
        "rounds",
    )

    def __init__(self, contacts: Sequence[Contact], config: ChordConfig, dice: Random) -> None:
        self.config = config
        self.dice = dice
        self.nodes: tuple[Node, ...] = tuple(Node(contact, config.bits) for contact in contacts)
        self.out: list[Action] = []
        self.lookups = 0  # the application's, under way
        self.joining = 0  # nodes that have not found their successor yet
        self.leaving = False
        self.rounds = 0  # how often a join will still be tried
        self.bootstrap: tuple[Address, ...] | None = None  # None: not joined
        self.own_words: dict[int, None] | None = None  # what this peer provides, in order
        self._pending: Pending | None = None
        self._values: ValueStore | None = None
        self._providers: ProviderStore | None = None
        self._permits: Permits | None = None
        self._buckets: TokenBuckets | None = None
        self._buried: dict[Contact, float] | None = None
        self._suspects: dict[Contact, None] | None = None

    # What is made on first use

    @property
    def pending(self) -> Pending:
        if self._pending is None:
            self._pending = Pending(self.dice)
        return self._pending

    @property
    def values(self) -> ValueStore:
        if self._values is None:
            self._values = ValueStore(self.config.bits)
        return self._values

    @property
    def providers(self) -> ProviderStore:
        if self._providers is None:
            self._providers = ProviderStore()
        return self._providers

    @property
    def permits(self) -> Permits:
        if self._permits is None:
            self._permits = Permits(self.dice)
        return self._permits

    @property
    def keeps_values(self) -> bool:
        """True if anything was ever kept for others."""
        return self._values is not None or self._providers is not None

    def may_serve(self, address: Address, now: float) -> bool:
        """Whether a request from this address is within its rate."""
        if self.config.rate_per_s is None:
            return True
        if self._buckets is None:
            self._buckets = TokenBuckets(self.config.rate_per_s, 2 * self.config.rate_per_s)
        return self._buckets.take(address, now)

    # Nodes

    @property
    def is_joined(self) -> bool:
        return self.bootstrap is not None and not self.joining and not self.leaving

    def node_of(self, node_id: int) -> Node | None:
        """The node of this id, if it is one of ours."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        return None

    def is_own(self, contact: Contact) -> bool:
        """Whether the contact is one of our nodes, or claims our address."""
        return bool(contact.address == self.nodes[0].contact.address)

    def is_believed(self, contact: Contact, now: float) -> bool:
        """Whether to take a contact that somebody named: its id belongs to it, and it was not silent a moment ago."""
        if self._buried is not None:
            buried_s = self._buried.get(contact)
            if buried_s is not None and now < buried_s + BURIED_S:
                return False
        return self.config.is_bound is None or self.config.is_bound(contact)

    @property
    def trusts_all(self) -> bool:
        """Whether everyone who is named is believed: nobody was silent so far, and ids are taken on trust."""
        return self._suspects is None and self._buried is None and self.config.is_bound is None

    def is_bound(self, contact: Contact) -> bool:
        """Whether the id belongs to the contact, as far as this ring can tell."""
        return self.config.is_bound is None or self.config.is_bound(contact)

    def suspect(self, contact: Contact, now: float) -> None:
        """A peer did not answer once, which may be a lost datagram. The second time in a row it is buried."""
        if self._suspects is None:
            self._suspects = {}
        if contact in self._suspects:
            self.bury(contact, now)
            return
        self._suspects[contact] = None
        if len(self._suspects) > MAX_BURIED:
            del self._suspects[next(iter(self._suspects))]

    def bury(self, contact: Contact, now: float) -> None:
        """A peer does not answer: forget it, and do not believe others that name it, for a while."""
        if self._buried is None:
            self._buried = {}
        self._buried.pop(contact, None)
        self._buried[contact] = now
        if len(self._buried) > MAX_BURIED:
            del self._buried[next(iter(self._buried))]
        if self._suspects is not None:
            self._suspects.pop(contact, None)
        for node in self.nodes:
            node.remove(contact)

    def exhume(self, contact: Contact) -> None:
        """A peer that was suspected or taken for dead has spoken."""
        if self._suspects is not None:
            self._suspects.pop(contact, None)
        if self._buried is not None:
            self._buried.pop(contact, None)

    # Actions

    def send(self, address: Address, message: Any) -> None:
        self.out.append(Send(address, message))

    def tell(self, notice: Any) -> None:
        self.out.append(Tell(notice))

    def arm(self, timer: str, after_s: float | None) -> None:
        self.out.append(Arm(timer, after_s))

    def ask(
        self,
        contact: Contact,
        make: Callable[[int], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
        timeout_s: float | None = None,
    ) -> None:
        """Send the request ``make(nonce)`` to a contact; one of the two is called later, or ``on_failure`` at once."""
        pending = self.pending
        if pending.full:
            on_failure(now)
            return
        context = Context((), on_reply, on_failure)
        message = make(pending.open(contact, context, now, timeout_s))
        context.expected = ANSWERS[type(message)]
        self.out.append(Send(contact.address, message))
        wake_s = pending.wake_s(now)
        if wake_s is not None:
            self.out.append(Arm(RPC, wake_s))

    def ask_twice(
        self,
        contact: Contact,
        make: Callable[[int], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
    ) -> None:
        """Ask, and ask once more: one lost datagram is no death."""
        self.ask(contact, make, on_reply, lambda at: self.ask(contact, make, on_reply, on_failure, at), now)

    def ping(self, contact: Contact, on_alive: OnFailure, on_dead: OnFailure, now: float) -> None:
        """See whether a contact is there: ``on_alive(now)`` or ``on_dead(now)``."""
        self.ask_twice(contact, lambda nonce: Ping(nonce, contact.id), lambda _, at: on_alive(at), on_dead, now)

    def write(
        self,
        contact: Contact,
        make: Callable[[int, bytes], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
    ) -> None:
        """Ask for a permit, then send ``make(nonce, permit)``."""

        def permitted(reply: Any, at: float) -> None:
            self.ask(contact, lambda nonce: make(nonce, reply.permit), on_reply, on_failure, at)

        self.ask(contact, lambda nonce: AskPermit(nonce, contact.id), permitted, on_failure, now)

    def forward(self, contact: Contact, message: Forward, final: bool, on_failure: OnFailure, now: float) -> None:
        """Pass a routed message on; its Ack is all that is waited for. ``final``: to the owner."""
        key, asker, ticket, hops, payload = (
            message.key,
            message.asker,
            message.ticket,
            message.hops + 1,
            message.payload,
        )

        def make(nonce: int) -> Forward:
            return Forward(nonce, contact.id, key, asker, ticket, hops, final, payload)

        self.ask(contact, make, lambda _reply, _now: None, on_failure, now)

    def expect(self, on_reply: OnReply, on_failure: OnFailure, now: float, timeout_s: float) -> int:
        """Wait for a message with the returned ticket from whomever it may come."""
        ticket = self.pending.open(None, Context((Arrived,), on_reply, on_failure), now, timeout_s)
        wake_s = self.pending.wake_s(now)
        if wake_s is not None:
            self.arm(RPC, wake_s)
        return ticket
