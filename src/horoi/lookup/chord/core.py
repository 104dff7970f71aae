"""What every part of a Chord machine stands on: its nodes, the requests under way, and the list of actions being answered.

The parts (``lookups``, ``upkeep``, ``keeping``, ``forwarding``) are functions over a ``Core``; ``machine`` wires them to events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from horoi.lookup.chord.config import ChordConfig
from horoi.lookup.chord.messages import ANSWERS, Arrived, AskPermit, Forward, Ping
from horoi.lookup.chord.node import Node
from horoi.lookup.common.peer import MAX_BURIED, RPC, Context, OnFailure, OnReply, Peer
from horoi.lookup.common.providers import ProviderStore
from horoi.lookup.common.values import ValueStore
from horoi.lookup.vocabulary import Contact
from horoi.machine.contract import Send

ATTEMPTS = 3
"""Requests in vain before a neighbour, or the owner of a key, is taken for dead: whom it is wrongly done to, nobody believes in
for a minute. With a tenth of the datagrams lost, 84 to 91 % of the answers among 64 peers are right after two, 97 % after three;
deaths are noticed later then, but under churn no fewer answers are right. Measured."""


class ExpectingContext(Context):
    """A context that knows which types of reply there may be; any other is a failure."""

    __slots__ = ("expected",)

    def __init__(self, expected: tuple[type, ...], on_reply: OnReply, on_failure: OnFailure) -> None:
        super().__init__(on_reply, on_failure)
        self.expected = expected


class Core(Peer):
    """State of one machine: one address, one or more (virtual) nodes. A million must fit: what is not used is not made."""

    __slots__ = (
        "_providers",
        "_suspects",
        "_values",
        "joining",
        "leaving",
        "nodes",
        "rounds",
    )

    config: ChordConfig

    def __init__(self, contacts: Sequence[Contact], config: ChordConfig, dice: Random) -> None:
        super().__init__(config, dice)
        self.nodes: tuple[Node, ...] = tuple(Node(contact, config.bits) for contact in contacts)
        self.joining = 0  # nodes that have not found their successor yet
        self.leaving = False
        self.rounds = 0  # how often a join will still be tried
        self._values: ValueStore | None = None
        self._providers: ProviderStore | None = None
        self._suspects: dict[Contact, None] | None = None

    # What is made on first use

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
    def keeps_values(self) -> bool:
        """True if anything was ever kept for others."""
        return self._values is not None or self._providers is not None

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
        return self.is_bound(contact) and not self.is_buried(contact, now)

    @property
    def trusts_all(self) -> bool:
        """Whether everyone who is named is believed: nobody was silent so far, and ids are taken on trust."""
        return self._suspects is None and self._buried is None and self.config.is_bound is None

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
        super().bury(contact, now)
        if self._suspects is not None:
            self._suspects.pop(contact, None)
        for node in self.nodes:
            node.remove(contact)

    def exhume(self, contact: Contact) -> None:
        """A peer that was suspected or taken for dead has spoken."""
        super().exhume(contact)
        if self._suspects is not None:
            self._suspects.pop(contact, None)

    # Actions

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
        context = ExpectingContext((), on_reply, on_failure)
        nonce = self.open_with(context, contact, now, timeout_s)
        if nonce is None:
            on_failure(now)
            return
        message = make(nonce)
        context.expected = ANSWERS[type(message)]
        self.out.append(Send(contact.address, message))

    def ask_until_answered(
        self,
        contact: Contact,
        make: Callable[[int], Any],
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
        attempts: int = ATTEMPTS,
    ) -> None:
        """Ask, and ask again: a lost datagram is no death."""

        def silent(at: float) -> None:
            if attempts > 1:
                self.ask_until_answered(contact, make, on_reply, on_failure, at, attempts - 1)
            else:
                on_failure(at)

        self.ask(contact, make, on_reply, silent, now)

    def ping(self, contact: Contact, on_alive: OnFailure, on_dead: OnFailure, now: float) -> None:
        """See whether a contact is there: ``on_alive(now)`` or ``on_dead(now)``."""
        self.ask_until_answered(
            contact, lambda nonce: Ping(nonce, contact.id), lambda _, at: on_alive(at), on_dead, now
        )

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
        ticket = self.pending.open(None, ExpectingContext((Arrived,), on_reply, on_failure), now, timeout_s)
        wake_s = self.pending.wake_s(now)
        if wake_s is not None:
            self.arm(RPC, wake_s)
        return ticket
