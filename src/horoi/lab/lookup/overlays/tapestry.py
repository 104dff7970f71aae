"""Tapestry in the lab."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any

from horoi.base.ids import ID_BITS, digit, id_of_address
from horoi.lab.lookup.overlay import Settings
from horoi.lookup.tapestry.codec import tapestry_wire
from horoi.lookup.tapestry.config import TapestryConfig
from horoi.lookup.tapestry.converged import settle
from horoi.lookup.tapestry.machine import Tapestry
from horoi.lookup.tapestry.messages import LOOKUP, Ack, Answer, Forward
from horoi.lookup.vocabulary import Contact, Found
from horoi.machine.contract import Action, Event, Machine, Received, Send

ROUTES = 9  # at once, where peers lie: with a fifth of 1000 lying, 98 % are right with six, 99.3 % with nine. Measured


class TapestryOverlay:
    """Ids are bound to addresses. Where some peers lie, a lookup takes several routes and the closest claim wins.

    ``changes`` are fields of the configuration, for experiments that the settings do not know.
    """

    def __init__(self, settings: Settings, dice: random.Random, **changes: Any) -> None:
        self.bits = ID_BITS
        self.digit_bits = settings.digit_bits
        self.wire = tapestry_wire(self.bits)
        self._dice = dice
        options: dict[str, Any] = {
            "bits": self.bits,
            "digit_bits": settings.digit_bits,
            "routes": ROUTES if settings.adversaries else 1,
            "is_bound": self._is_bound,
            "rate_per_s": None,  # the lab floods nobody; the bound is tested where it is
            "probe_s": TapestryConfig.probe_s / settings.pace,
            "probe_backups_s": TapestryConfig.probe_backups_s / settings.pace,
            "gossip_s": TapestryConfig.gossip_s / settings.pace,
        }
        options.update(changes)
        self._config = TapestryConfig(**options)
        self._still = TapestryConfig(**{**options, "upkeep": False})
        self._contacts: dict[int, Contact] = {}

    def _is_bound(self, contact: Contact) -> bool:
        return self.contact(contact.address).id == contact.id

    def machine(self, address: int, *, upkeep: bool) -> Tapestry:
        return Tapestry(self.contact(address), self._config if upkeep else self._still, self._dice)

    def contact(self, address: int) -> Contact:
        """The peer at an address: one object for all that know it."""
        found = self._contacts.get(address)
        if found is None:
            found = self._contacts[address] = Contact(id_of_address(address, self.bits), address)
        return found

    def settle(self, machines: Sequence[Any], *, joined: bool) -> None:
        settle([_inner(machine) for machine in machines], self._dice, joined=joined)

    def truth(self, addresses: Sequence[int]) -> RootTruth:
        return RootTruth(self, addresses)

    def is_right(self, found: Found, owner: int) -> bool:
        return bool(found.owners) and found.owners[0].address == owner

    def liar(self, machine: Machine) -> Machine:
        assert isinstance(machine, Tapestry)
        return TapestryLiar(machine)

    def entries(self, machine: Any) -> int:
        return len({contact.id for contact in _inner(machine).everyone()})


def _inner(machine: Any) -> Tapestry:
    inner: Tapestry = machine.inner if isinstance(machine, TapestryLiar) else machine
    return inner


class RootTruth:
    """A key's root is found digit by digit: of the peers that are left, those with the wanted digit stay, or the next higher
    one that any of them has."""

    def __init__(self, overlay: TapestryOverlay, addresses: Sequence[int]) -> None:
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
        bits, digit_bits, ids = self._overlay.bits, self._overlay.digit_bits, self._ids
        low, high, prefix = 0, len(ids), 0
        for level in range(bits // digit_bits):
            if high - low == 1:
                break
            shift = bits - (level + 1) * digit_bits
            wanted = digit(key, level, bits, digit_bits)
            for offset in range(1 << digit_bits):
                start = (prefix << digit_bits) + (wanted + offset) % (1 << digit_bits)
                first = bisect_left(ids, start << shift, low, high)
                last = bisect_left(ids, (start + 1) << shift, low, high)
                if first < last:
                    low, high, prefix = first, last, start
                    break
        return self._address_of[ids[low]]


class TapestryLiar:
    """A peer that keeps its map like any other, and answers every lookup that passes as if it were the root."""

    def __init__(self, inner: Tapestry) -> None:
        self.inner = inner

    def handle(self, event: Event, now: float) -> list[Action]:
        message = event.message if isinstance(event, Received) else None
        if isinstance(event, Received) and isinstance(message, Forward) and message.purpose == LOOKUP:
            inner = self.inner
            claim = Answer(message.nonce, inner.me, (), 0, message.hops, message.timeouts, message.path, bytes(8))
            return [Send(event.peer, Ack(message.step)), Send(message.origin.address, claim)]
        return self.inner.handle(event, now)
