"""A small ring of real machines in simulated time, for the tests of Chord."""

from __future__ import annotations

import random
from typing import Any

from horoi.base.ids import id_of_address
from horoi.lookup.chord.config import ChordConfig
from horoi.lookup.chord.machine import Chord
from horoi.lookup.vocabulary import Contact, Join, Joined
from horoi.machine.contract import Received, Send
from horoi.world.sim.crowd import Crowd
from horoi.world.sim.latency import Uniform
from horoi.world.sim.network import Network

WAIT_S = 60.0


def contacts_of(address: int, virtual: int = 1) -> list[Contact]:
    return [Contact(id_of_address(address, index=index), address) for index in range(virtual)]


class Ring:
    """Peers 0, 1, 2, ...; every message passes the codec, so that what is tested is what travels."""

    def __init__(self, peers: int = 0, *, virtual: int = 1, loss: float = 0.0, seed: int = 1, **config: Any) -> None:
        self.config = ChordConfig(**config)
        self.virtual = virtual
        self.dice = random.Random(seed)
        self.told: list[tuple[int, Any]] = []
        self.crowd = Crowd(
            seed, network=Network(latency=Uniform(10, 80), loss=loss), on_notice=lambda *told: self.told.append(told)
        )
        self.machines: dict[int, Chord] = {}
        for address in range(peers):
            self.join(address)

    def machine(self, address: int) -> Chord:
        return self.machines[address]

    def add(self, address: int) -> None:
        """Bring a peer up; it has not joined."""
        self.machines[address] = Chord(contacts_of(address, self.virtual), self.config, self.dice)
        self.crowd.add(address, ThroughTheWire(self.machines[address]))

    def join(self, address: int, bootstrap: int | None = None, *, alone: bool = False) -> None:
        """Add a peer and let it join through a random one, through this one, or (``alone``) begin a ring."""
        others = [] if alone else [other for other in self.machines if self.crowd.is_up(other)]
        self.add(address)
        through = (bootstrap,) if bootstrap is not None else (self.dice.choice(others),) if others else ()
        self.crowd.ask(address, Join(through))
        self.wait(address, Joined)

    def ask(self, address: int, request: Any, limit_s: float = WAIT_S) -> Any:
        """The answer to a request."""
        before = len(self.told)
        self.crowd.ask(address, request)
        token = request.token

        def answered() -> list[Any]:
            return [n for who, n in self.told[before:] if who == address and getattr(n, "token", None) == token]

        assert self.crowd.run_while(lambda: not answered(), limit_s), f"{request} was not answered"
        return answered()[0]

    def wait(self, address: int, kind: type, limit_s: float = WAIT_S) -> Any:
        """The next notice of this type."""
        before = len(self.told)

        def heard() -> list[Any]:
            return [n for who, n in self.told[before:] if who == address and isinstance(n, kind)]

        assert self.crowd.run_while(lambda: not heard(), limit_s), f"{address} told no {kind.__name__}"
        return heard()[0]

    def settle(self, seconds: float = 120.0) -> None:
        self.crowd.run_for(seconds)

    def owner(self, key: int) -> int:
        """The true owner's address, of the peers that are up."""
        nodes = sorted(
            (node.id, address)
            for address, machine in self.machines.items()
            if self.crowd.is_up(address)
            for node in machine.nodes
        )
        return next((address for node_id, address in nodes if node_id >= key), nodes[0][1])


class ThroughTheWire:
    """A machine whose messages are bytes, as they would be on sockets."""

    def __init__(self, machine: Chord) -> None:
        self._machine = machine

    def handle(self, event: Any, now: float) -> Any:
        if isinstance(event, Received):
            event = Received(event.peer, self._machine.wire.decode(event.message))
        actions = self._machine.handle(event, now)
        encode = self._machine.wire.encode
        return [Send(a.peer, encode(a.message)) if isinstance(a, Send) else a for a in actions]
