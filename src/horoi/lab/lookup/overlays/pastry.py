"""Pastry in the lab."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any

from horoi.base.ids import id_of_address
from horoi.lab.lookup.overlay import Settings
from horoi.lookup.pastry.codec import pastry_wire
from horoi.lookup.pastry.config import PASTRY_BITS, PastryConfig
from horoi.lookup.pastry.converged import settle
from horoi.lookup.pastry.machine import Pastry
from horoi.lookup.pastry.messages import LOOKUP, Ack, Answer, Forward
from horoi.lookup.pastry.routing import is_nearer
from horoi.lookup.vocabulary import Contact, Found
from horoi.machine.contract import Action, Event, Machine, Received, Send

ROUTES = 6  # at once, where peers lie; a guess: with a fifth of them liars, one route in two is clean


class PastryOverlay:
    """Ids are bound to addresses. Where some peers lie, a lookup takes several routes and the closest claim wins.

    ``changes`` are fields of the configuration, for experiments that the settings do not know.
    """

    def __init__(self, settings: Settings, dice: random.Random, **changes: Any) -> None:
        self.bits = PASTRY_BITS
        self.wire = pastry_wire(self.bits)
        self._dice = dice
        options: dict[str, Any] = {
            "bits": self.bits,
            "digit_bits": settings.digit_bits,
            "leaf_set": settings.leaf_set,
            "replicas": min(4, settings.leaf_set // 2 + 1),
            "routes": ROUTES if settings.adversaries else 1,
            "is_bound": self._is_bound,
            "rate_per_s": None,  # the lab floods nobody; the bound is tested where it is
            "keepalive_s": PastryConfig.keepalive_s / settings.pace,
            "probe_s": PastryConfig.probe_s / settings.pace,
            "gossip_s": PastryConfig.gossip_s / settings.pace,
        }
        options.update(changes)
        self._config = PastryConfig(**options)
        self._still = PastryConfig(**{**options, "upkeep": False, "repair": False})
        self._contacts: dict[int, Contact] = {}

    def _is_bound(self, contact: Contact) -> bool:
        return self.contact(contact.address).id == contact.id

    def machine(self, address: int, *, upkeep: bool) -> Pastry:
        return Pastry(self.contact(address), self._config if upkeep else self._still, self._dice)

    def contact(self, address: int) -> Contact:
        """The peer at an address: one object for all that know it."""
        found = self._contacts.get(address)
        if found is None:
            found = self._contacts[address] = Contact(id_of_address(address, self.bits), address)
        return found

    def settle(self, machines: Sequence[Any], *, joined: bool) -> None:
        settle([_inner(machine) for machine in machines], self._dice, joined=joined)

    def truth(self, addresses: Sequence[int]) -> NearestTruth:
        return NearestTruth(self, addresses)

    def is_right(self, found: Found, owner: int) -> bool:
        return bool(found.owners) and found.owners[0].address == owner

    def liar(self, machine: Machine) -> Machine:
        assert isinstance(machine, Pastry)
        return PastryLiar(machine)

    def entries(self, machine: Any) -> int:
        return len({contact.id for contact in _inner(machine).everyone()})


def _inner(machine: Any) -> Pastry:
    inner: Pastry = machine.inner if isinstance(machine, PastryLiar) else machine
    return inner


class NearestTruth:
    """A key belongs to the peer whose id is numerically closest on the ring."""

    def __init__(self, overlay: PastryOverlay, addresses: Sequence[int]) -> None:
        self._overlay = overlay
        self._address_of = {overlay.contact(address).id: address for address in addresses}
        self._ids = sorted(self._address_of)

    def add(self, address: int) -> None:
        peer = self._overlay.contact(address)
        if peer.id not in self._address_of:
            self._address_of[peer.id] = address
            insort(self._ids, peer.id)

    def remove(self, address: int) -> None:
        peer = self._overlay.contact(address)
        if self._address_of.pop(peer.id, None) is not None:
            del self._ids[bisect_left(self._ids, peer.id)]

    def owner(self, key: int) -> int:
        place = bisect_left(self._ids, key)
        above, below = self._ids[place % len(self._ids)], self._ids[place - 1]
        return self._address_of[above if is_nearer(above, below, key, self._overlay.bits) else below]


class PastryLiar:
    """A peer that keeps its leaf set like any other, and answers every lookup that passes as if it were the owner."""

    def __init__(self, inner: Pastry) -> None:
        self.inner = inner

    def handle(self, event: Event, now: float) -> list[Action]:
        message = event.message if isinstance(event, Received) else None
        if isinstance(event, Received) and isinstance(message, Forward) and message.purpose == LOOKUP:
            inner = self.inner
            claim = Answer(message.nonce, inner.me, (), message.hops, message.timeouts, message.path, bytes(8))
            return [Send(event.peer, Ack(message.step)), Send(message.origin.address, claim)]
        return self.inner.handle(event, now)
