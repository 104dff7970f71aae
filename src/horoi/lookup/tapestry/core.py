"""What every part of a Tapestry machine stands on: its map, what it knows of peers, requests under way, and the answer.

The parts (``forwarding``, ``lookups``, ``joining``, ``multicast``, ``liveness``, ``repair``, ``upkeep``, ``keeping``) are
functions over a ``Core``; ``machine`` wires them to events.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, ClassVar

from horoi.lookup.common.dispatch import DispatchingPeer
from horoi.lookup.common.values import ValueStore
from horoi.lookup.tapestry.config import TapestryConfig
from horoi.lookup.tapestry.messages import Ping, Pong
from horoi.lookup.tapestry.neighbour_map import Backpointers, NeighbourMap
from horoi.lookup.tapestry.object_pointers import ObjectPointers
from horoi.lookup.vocabulary import Address, Contact

COPY = "copy"
"""The timer after which what is kept here goes to its new roots."""

COPY_SOON_S = 1.0  # a guess: several newcomers come together


class Core(DispatchingPeer):
    """State of one machine."""

    __slots__ = (
        "backpointers",
        "delivered",
        "join_attempts",
        "moved",
        "neighbours",
        "own_pointers",
        "pointers",
        "repairs",
        "salts",
        "seen",
        "values",
    )

    config: TapestryConfig
    ping_type: ClassVar[Any] = Ping
    pong_type: ClassVar[Any] = Pong

    def __init__(self, contact: Contact, config: TapestryConfig, dice: Random) -> None:
        super().__init__(contact, config, dice)
        self.neighbours = NeighbourMap(contact.id, config.bits, config.digit_bits)
        self.backpointers = Backpointers()
        self.repairs: dict[tuple[int, int], Any] = {}  # slots that have just become empty, and who looks for others
        self.delivered: dict[tuple[Address, int], None] = {}  # payloads that have arrived here
        self.values = ValueStore(config.bits)
        self.salts: dict[int, tuple[int, int]] = {}  # of what is kept: salted key -> (key, salt)
        self.pointers = ObjectPointers()
        self.moved: dict[int, None] = {}  # ids of newcomers that pointers may lead through now
        self.seen: dict[tuple[int, int], float] = {}  # multicasts that went through here: (newcomer, level) -> when
        self.own_pointers: dict[int, None] = {}  # the same by salted keys
        self.join_attempts = 0

    # Peers

    def everyone(self) -> Iterator[Contact]:
        """All contacts of the map."""
        return self.neighbours.members()

    def knows(self, contact: Contact) -> bool:
        """Whether the contact is in the map."""
        return contact in self.neighbours

    def forget(self, now: float) -> None:
        """Be as before the first join, but for what identifies this peer."""
        config, me = self.config, self.me
        self.neighbours = NeighbourMap(me.id, config.bits, config.digit_bits)
        self.backpointers = Backpointers()
        self.own_pointers.clear()
        for noted in (self.repairs, self.salts, self.moved, self.seen):
            noted.clear()
        self.values = ValueStore(config.bits)
        self.pointers = ObjectPointers()
        self.forget_peers(now)

    def copy_soon(self) -> None:
        """Somebody has come: see in a moment whether it is the root of what is kept here, or on the way to it."""
        if self.is_joined and (len(self.values) or len(self.pointers)):
            self.arm(COPY, COPY_SOON_S)
