"""A small simulated CAN for tests: peers by number, and what can be said about all of them together."""

from __future__ import annotations

from typing import Any

from horoi.base.ids import id_of_address
from horoi.lookup.can.config import CanConfig
from horoi.lookup.can.machine import Can
from horoi.lookup.can.partition import Partition
from horoi.lookup.can.zone import Space, Zone, overlap
from horoi.lookup.vocabulary import Contact, Join
from horoi.machine.host import Hosted, Place
from horoi.world.sim.latency import Constant
from horoi.world.sim.network import Network
from horoi.world.sim.universe import Universe

QUICK: dict[str, Any] = {
    "update_s": 2.0,
    "takeover_s": 0.5,
    "reassign_s": 5.0,
    "reunion_s": 10.0,
    "patience_s": 2.0,
}
"""Periods under which a test needs less time."""


class CanNet:
    """Peers that join one after the other. ``codec`` has every message encoded and decoded."""

    def __init__(
        self,
        seed: int | str = 1,
        *,
        config: CanConfig | None = None,
        loss: float = 0.0,
        latency: Any = None,
        codec: bool = False,
        digest: bool = False,
    ) -> None:
        self.config = config or CanConfig(bits=64, **QUICK)
        self.space = Space(self.config.dimensions, self.config.bits)
        self.universe = Universe(
            seed,
            network=Network(latency=latency or Constant(20.0), loss=loss),
            transport="datagram",
            codec=codec,
            digest=digest,
        )

    def contact(self, name: int) -> Contact:
        return Contact(id_of_address(name, self.config.bits), name)

    def boot(self, place: Place) -> Hosted:
        machine = Can(self.contact(place.name), self.config, place.dice, self.space)
        return Hosted(machine, machine.wire)

    def add(self, name: int, *bootstrap: int) -> None:
        self.universe.add(name, self.boot)
        self.universe.ask(name, Join(bootstrap))

    def grow(self, count: int, gap_s: float = 1.0) -> None:
        """``count`` peers join, one every ``gap_s``."""
        dice = self.universe.dice("test")
        first = len(self.universe.names)
        for name in range(first, first + count):
            known = [other for other in self.universe.names if self.universe.is_up(other)]
            self.add(name, *([dice.choice(known)] if known else []))
            self.universe.run_for(gap_s)

    def up(self) -> list[int]:
        return [name for name in self.universe.names if self.universe.is_up(name)]

    def peer(self, name: int) -> Can:
        peer: Can = self.universe.machine(name)
        return peer

    def peers(self) -> list[Can]:
        return [self.peer(name) for name in self.up()]

    def ask(self, name: int, request: Any, limit_s: float = 60.0) -> Any:
        """Ask a peer and wait for the answer with the request's token."""
        self.universe.ask(name, request)
        found: list[Any] = []

        def is_answered() -> bool:
            found[:] = [n for n in self.universe.notices(name) if getattr(n, "token", None) == request.token]
            return bool(found)

        assert self.universe.run_until(is_answered, limit_s), f"{request} of {name} was not answered"
        return found[0]

    # What is true of all together

    def owners(self, reality: int = 0) -> dict[Zone, int]:
        """Who owns what. Raises AssertionError if two own the same."""
        owners: dict[Zone, int] = {}
        for peer in self.peers():
            for zone in peer.realities[reality].zones:
                assert zone not in owners or self.config.max_peers > 1, f"{zone} is owned twice"
                owners[zone] = peer.contact.address
        return owners

    def problems(self, reality: int = 0) -> list[str]:
        """Why the zones do not tile the space, or tables are not right. Empty if all is well."""
        zones = [(zone, p.contact.address) for p in self.peers() for zone in p.realities[reality].zones]
        twice = [
            (a, b)
            for i, a in enumerate(zones)
            for b in zones[i + 1 :]
            if overlap(a[0], b[0]) and not (self.config.max_peers > 1 and a[0] == b[0])
        ]
        if twice:
            return [f"owned twice: {twice}"]
        try:
            tree = Partition.of(self.space, self.owners(reality))
        except ValueError as error:
            return [str(error)]
        problems = []
        for peer in self.peers():
            r = peer.realities[reality]
            should = {other for zone in r.zones for other in tree.neighbours(zone)} - set(r.zones)
            known = {zone for n in r.neighbours for zone in n.zones if any(self.space.abut(zone, z) for z in r.zones)}
            if not r.zones:
                problems.append(f"{peer.contact.address} has no zone")
            if should != known:
                problems.append(f"{peer.contact.address} with {r.zones} knows {known}, should know {should}")
        return problems

    def wait_until_sound(self, limit_s: float = 120.0) -> None:
        """Let time pass until all is well."""
        realities = range(self.config.realities)
        end_s = self.universe.now + limit_s
        while any(self.problems(reality) for reality in realities):
            found = [problem for reality in realities for problem in self.problems(reality)]
            assert self.universe.now < end_s, f"at {self.universe.now} s: {found}"
            self.universe.run_for(1.0)
