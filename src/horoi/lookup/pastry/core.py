"""What every part of a Pastry machine stands on: its tables, what it knows of peers, requests under way, and the answer.

The parts (``routing``, ``forwarding``, ``lookups``, ``joining``, ``liveness``, ``repair``, ``upkeep``, ``keeping``) are
functions over a ``Core``; ``machine`` wires them to events.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Any, ClassVar

from horoi.lookup.common.dispatch import DispatchingPeer
from horoi.lookup.common.providers import ProviderStore
from horoi.lookup.common.values import ValueStore
from horoi.lookup.pastry.config import PastryConfig
from horoi.lookup.pastry.leaf_set import LeafSet
from horoi.lookup.pastry.messages import Ping, Pong
from horoi.lookup.pastry.neighbourhood_set import NeighbourhoodSet
from horoi.lookup.pastry.routing_table import RoutingTable
from horoi.lookup.vocabulary import Address, Contact

COPY = "copy"
"""The timer after which copies are looked after."""

COPY_SOON_S = 1.0  # a guess: several changes of the leaf set come together


class Core(DispatchingPeer):
    """State of one machine."""

    __slots__ = (
        "copied",
        "copies",
        "delivered",
        "join_attempts",
        "leaves",
        "neighbours",
        "providers",
        "table",
        "values",
    )

    config: PastryConfig
    ping_type: ClassVar[Any] = Ping
    pong_type: ClassVar[Any] = Pong

    def __init__(self, contact: Contact, config: PastryConfig, dice: Random) -> None:
        super().__init__(contact, config, dice)
        self.leaves = LeafSet(contact.id, config.bits, config.leaf_set)
        self.table = RoutingTable(contact.id, config.bits, config.digit_bits)
        self.neighbours = NeighbourhoodSet(config.neighbourhood)
        self.delivered: dict[tuple[Address, int], None] = {}  # payloads that have arrived here
        self.values = ValueStore(config.bits)
        self.providers = ProviderStore()
        self.copied: tuple[Contact, ...] = ()  # the leaf set when copies were last looked after
        self.copies: deque[tuple[Contact, int]] = deque()  # (to whom, key) waiting to be copied
        self.join_attempts = 0

    # Peers

    def everyone(self) -> list[Contact]:
        """All contacts of the three tables, some twice."""
        return [*self.leaves.members(), *self.table.members(), *self.neighbours.members()]

    def knows(self, contact: Contact) -> bool:
        """Whether the contact is in one of the tables."""
        return contact in self.table or contact in self.leaves or contact in self.neighbours

    def forget(self, now: float) -> None:
        """Be as before the first join, but for what identifies this peer."""
        config, me = self.config, self.me
        self.leaves = LeafSet(me.id, config.bits, config.leaf_set)
        self.table = RoutingTable(me.id, config.bits, config.digit_bits)
        self.neighbours = NeighbourhoodSet(config.neighbourhood)
        self.copies.clear()
        self.values = ValueStore(config.bits)
        self.providers = ProviderStore()
        self.copied = ()
        self.forget_peers(now)

    def copy_soon(self) -> None:
        """The leaf set has changed: see in a moment who lacks a copy of what is kept here."""
        if self.is_joined and (len(self.values) or len(self.providers)):
            self.arm(COPY, COPY_SOON_S)
