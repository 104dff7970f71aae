"""CAN in the lab."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from horoi.base.ids import ID_BITS, id_of_address
from horoi.lab.lookup.overlay import Settings
from horoi.lookup.can.codec import can_wire
from horoi.lookup.can.config import CanConfig
from horoi.lookup.can.converged import settle
from horoi.lookup.can.machine import Can
from horoi.lookup.can.messages import ANY_REALITY, Ack, Arrived, Claim, Forward, Nearer, Step
from horoi.lookup.can.zone import Space, Zone
from horoi.lookup.vocabulary import Contact, Found
from horoi.machine.contract import Action, Event, Machine, Received, Send

CHURN_UPDATE_S = 4.0  # with sessions of minutes, a guess between freshness and bytes; measured in docs/lookup/can.md


class CanOverlay:
    """The "bare bones" CAN of the paper in ``dimensions`` dimensions. Ids are bound to addresses.

    After a failure peers repair what they meet, also where upkeep is off: without takeover a failed peer's keys have no
    owner at all, so no lookup could be right. Where some peers lie, the asker takes every step itself (``can.walk``).
    """

    def __init__(self, settings: Settings, dice: random.Random) -> None:
        self.bits = ID_BITS
        self.wire = can_wire(self.bits)
        self.machines: dict[int, Can] = {}
        self._dice = dice
        options: dict[str, Any] = {
            "bits": self.bits,
            "dimensions": settings.dimensions,
            "recursive": not settings.adversaries,
            "is_bound": self._is_bound,
            "rate_per_s": None,  # the lab floods nobody; the bound is tested where it is
        }
        update_s = CHURN_UPDATE_S if settings.median_session_s else CanConfig.update_s
        options["update_s"] = update_s / settings.pace
        self._config = CanConfig(**options)
        self._still = CanConfig(**options, upkeep=bool(settings.fail))
        self.space = Space(settings.dimensions, self.bits)
        self._contacts: dict[int, Contact] = {}

    def _is_bound(self, contact: Contact) -> bool:
        return self.contact(contact.address).id == contact.id

    def machine(self, address: int, *, upkeep: bool) -> Can:
        config = self._config if upkeep else self._still
        can = self.machines[address] = Can(self.contact(address), config, self._dice, self.space)
        return can

    def contact(self, address: int) -> Contact:
        """The peer at an address: one object for all that know it."""
        found = self._contacts.get(address)
        if found is None:
            found = self._contacts[address] = Contact(id_of_address(address, self.bits), address)
        return found

    def settle(self, machines: Sequence[Any], *, joined: bool) -> None:
        settle([_inner(machine) for machine in machines], joined=joined)

    def truth(self, addresses: Sequence[int]) -> ZoneTruth:
        return ZoneTruth(self, addresses)

    def is_right(self, found: Found, owner: int) -> bool:
        return bool(found.owners) and found.owners[0].address == owner

    def liar(self, machine: Machine) -> Machine:
        assert isinstance(machine, Can)
        return CanLiar(machine)

    def entries(self, machine: Any) -> int:
        return sum(len(reality.neighbours) for reality in _inner(machine).realities)


def _inner(machine: Any) -> Can:
    inner: Can = machine.inner if isinstance(machine, CanLiar) else machine
    return inner


NOBODY = -1


class ZoneTruth:
    """A key belongs to the peer that has the zone around it, among those that are up; between a failure and the takeover to
    nobody. Zones change hands inside the machines, so what is remembered here is checked and, where wrong, collected anew."""

    def __init__(self, overlay: CanOverlay, addresses: Sequence[int]) -> None:
        self._overlay = overlay
        self._up = dict.fromkeys(addresses)
        self._owner: dict[Zone, int] = {}
        self._shallowest = self._deepest = 0
        self._collect()

    def add(self, address: int) -> None:
        self._up[address] = None

    def remove(self, address: int) -> None:
        self._up.pop(address, None)
        self._overlay.machines.pop(address, None)

    def owner(self, key: int) -> int:
        found = self._look(key)
        if found == NOBODY:
            self._collect()
            found = self._look(key)
        return found

    def _look(self, key: int) -> int:
        place = self._overlay.space.place(key)
        top = self._overlay.space.max_depth
        for depth in range(self._shallowest, self._deepest + 1):
            zone = place.leaf >> (top - depth)
            address = self._owner.get(zone, NOBODY)
            if address in self._up and zone in self._overlay.machines[address].realities[0].zones:
                return address
        return NOBODY

    def _collect(self) -> None:
        machines = self._overlay.machines
        self._owner = {zone: address for address in self._up for zone in machines[address].realities[0].zones}
        depths = [zone.bit_length() - 1 for zone in self._owner]
        self._shallowest, self._deepest = min(depths, default=0), max(depths, default=0)


class CanLiar:
    """A peer that keeps its zone like any other, and tells every lookup that the key is in it."""

    def __init__(self, inner: Can) -> None:
        self.inner = inner

    def handle(self, event: Event, now: float) -> list[Action]:
        message = event.message if isinstance(event, Received) else None
        if isinstance(event, Received) and isinstance(message, Forward) and message.reality == ANY_REALITY:
            claim = self._claim(message.key)
            arrived = Arrived(
                message.ticket, 0, claim, (), message.hops, message.tries, message.timeouts, False, bytes(8)
            )
            return [Send(event.peer, Ack(message.nonce)), Send(message.asker.address, arrived)]
        if isinstance(event, Received) and isinstance(message, Step) and message.reality == ANY_REALITY:
            return [Send(event.peer, Nearer(message.nonce, 0, self._claim(message.key), (), (), False, bytes(8)))]
        return self.inner.handle(event, now)

    def _claim(self, key: int) -> Claim:
        """Our own zone, moved to where the key is."""
        inner = self.inner
        zones = inner.realities[0].zones
        depth = zones[0].bit_length() - 1 if zones else 0
        around = inner.space.place(key).leaf >> (inner.space.max_depth - depth)
        return Claim(inner.contact, (around,), inner.realities[0].claim.version + 1)
