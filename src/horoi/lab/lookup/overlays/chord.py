"""Chord in the lab."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any

from horoi.base.ids import ID_BITS, id_of_address
from horoi.lab.lookup.overlay import Settings
from horoi.lookup.chord.codec import chord_wire
from horoi.lookup.chord.config import ChordConfig
from horoi.lookup.chord.converged import settle
from horoi.lookup.chord.machine import Chord
from horoi.lookup.chord.messages import FindSuccessor, NextHop
from horoi.lookup.vocabulary import Contact, Found
from horoi.machine.contract import Action, Event, Machine, Received, Send

SUCCESSORS = 20  # ToN 2003, section VI.D


class ChordOverlay:
    """Ids are bound to addresses. A successor list whose length is asked for is also searched by lookups (ToN 2003, section
    IV.E.3, and its experiments with failures); else it is a safety net of 20 under the plain pseudo-code of figure 5."""

    def __init__(self, settings: Settings, dice: random.Random) -> None:
        self.bits = ID_BITS
        self.wire = chord_wire(self.bits)
        self._dice = dice
        self._virtual = settings.virtual
        is_hard = bool(settings.fail or settings.median_session_s or settings.adversaries)
        successors = settings.successors or SUCCESSORS
        options: dict[str, Any] = {
            "bits": self.bits,
            "successors": successors,
            "successors_in_lookups": settings.successors is not None or is_hard,
            "replicas": min(3, successors + 1),
            "rate_per_s": None,  # the lab floods nobody; the bound is tested where it is
        }
        self._config = ChordConfig(
            **options,
            stabilise_s=ChordConfig.stabilise_s / settings.pace,
            fix_finger_s=ChordConfig.fix_finger_s / settings.pace,
        )
        self._still = ChordConfig(**options, upkeep=False)

    def machine(self, address: int, *, upkeep: bool) -> Chord:
        return Chord(self.contacts(address), self._config if upkeep else self._still, self._dice)

    def contacts(self, address: int) -> list[Contact]:
        """The nodes of a peer."""
        return [Contact(id_of_address(address, self.bits, index), address) for index in range(self._virtual)]

    def settle(self, machines: Sequence[Any], *, joined: bool) -> None:
        settle([machine.inner if isinstance(machine, Liar) else machine for machine in machines], joined=joined)

    def truth(self, addresses: Sequence[int]) -> RingTruth:
        return RingTruth(self, addresses)

    def is_right(self, found: Found, owner: int) -> bool:
        return bool(found.owners) and found.owners[0].address == owner

    def liar(self, machine: Machine) -> Machine:
        assert isinstance(machine, Chord)
        return Liar(machine)

    def entries(self, machine: Any) -> int:
        chord = machine.inner if isinstance(machine, Liar) else machine
        return sum(node.entries() for node in chord.nodes)


class RingTruth:
    """A key belongs to the first node at or after it."""

    def __init__(self, overlay: ChordOverlay, addresses: Sequence[int]) -> None:
        self._overlay = overlay
        self._address_of = {node.id: address for address in addresses for node in overlay.contacts(address)}
        self._ids = sorted(self._address_of)

    def add(self, address: int) -> None:
        for node in self._overlay.contacts(address):
            if node.id not in self._address_of:
                self._address_of[node.id] = address
                insort(self._ids, node.id)

    def remove(self, address: int) -> None:
        for node in self._overlay.contacts(address):
            if self._address_of.pop(node.id, None) is not None:
                del self._ids[bisect_left(self._ids, node.id)]

    def owner(self, key: int) -> int:
        place = bisect_left(self._ids, key)
        return self._address_of[self._ids[place] if place < len(self._ids) else self._ids[0]]


class Liar:
    """A peer that keeps the ring like any other and tells every lookup that the key is its own."""

    def __init__(self, inner: Chord) -> None:
        self.inner = inner

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Received) and isinstance(event.message, FindSuccessor):
            own = self.inner.node_of(event.message.to) or self.inner.nodes[0]
            before = Contact((event.message.key - 1) & own.mask, own.contact.address)
            return [Send(event.peer, NextHop(event.message.nonce, True, (), (), before))]
        return self.inner.handle(event, now)
