"""Networks of Tapestry peers for tests: simulated, with every message through its codec."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

from horoi.base.ids import ID_BITS, id_of_address
from horoi.lookup.tapestry.codec import tapestry_wire
from horoi.lookup.tapestry.config import TapestryConfig
from horoi.lookup.tapestry.machine import Tapestry
from horoi.lookup.tapestry.surrogate import distance
from horoi.lookup.vocabulary import Contact, Join, Joined
from horoi.machine.host import Hosted, Place
from horoi.world.sim.latency import Constant, Latency
from horoi.world.sim.network import Network
from horoi.world.sim.universe import Universe

WIRE = tapestry_wire()


def is_bound(contact: Contact) -> bool:
    return contact.id == id_of_address(contact.address, ID_BITS)


def contact_of(address: Any) -> Contact:
    return Contact(id_of_address(address, ID_BITS), address)


def config_of(**changes: Any) -> TapestryConfig:
    return TapestryConfig(**{"is_bound": is_bound, "rate_per_s": None, **changes})


class Net:
    """Peers 0, 1, 2, ... in one universe."""

    def __init__(self, seed: int = 1, *, latency: Latency | None = None, loss: float = 0.0, **changes: Any) -> None:
        self.config = config_of(**changes)
        network = Network(latency=latency or Constant(20.0), loss=loss)
        self.universe = Universe(seed, network=network, transport="datagram")
        self.tokens = 0

    def add(self, address: int) -> None:
        def boot(place: Place) -> Hosted:
            return Hosted(Tapestry(contact_of(place.name), self.config, place.dice), WIRE)

        self.universe.add(address, boot)

    def grow(self, count: int, *, gap_s: float = 0.3, settle_s: float = 60.0) -> None:
        """``count`` peers join, each through some that were there before."""
        dice = Random(count)
        for address in range(count):
            self.add(address)
            bootstrap = dice.sample(range(address), min(3, address))
            self.universe.ask(address, Join(tuple(bootstrap)))
            self.universe.run_for(gap_s)
        everybody = range(count)
        assert self.universe.run_until(lambda: all(self.told(a, Joined) for a in everybody), 60)
        self.universe.run_for(settle_s)

    def told(self, address: int, kind: type) -> list[Any]:
        return self.universe.notices(address, kind)

    def up(self) -> list[int]:
        return [name for name in self.universe.names if self.universe.is_up(name) and self.machine(name).is_joined]

    def machine(self, address: int) -> Tapestry:
        machine: Tapestry = self.universe.machine(address)
        return machine

    def ask(self, address: int, make: Any, *args: Any, limit_s: float = 120.0, **named: Any) -> Any:
        """Ask and wait for the one answer."""
        self.tokens += 1
        token = self.tokens
        self.universe.ask(address, make(token, *args, **named))
        found: list[Any] = []

        def is_answered() -> bool:
            told = self.universe.notices(address)
            found[:] = [notice for notice in told if getattr(notice, "token", None) == token]
            return bool(found)

        assert self.universe.run_until(is_answered, limit_s), f"no answer to {make.__name__} of {address}"
        return found[0]

    def owner(self, key: int, among: Iterable[int] | None = None) -> int:
        """The true root."""
        peers = [contact_of(address) for address in (self.up() if among is None else among)]
        return int(min(peers, key=lambda peer: distance(peer.id, key, ID_BITS, 4)).address)
