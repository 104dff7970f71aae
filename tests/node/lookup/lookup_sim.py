"""Nodes with their sides in one universe: links and datagrams, and between the two the bridge that cli/sides is live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from horoi.base.ids import ID_BITS
from horoi.cli.sides import boot_overlay
from horoi.lookup.kademlia.boot import boot_kademlia
from horoi.lookup.kademlia.config import mainline
from horoi.lookup.vocabulary import Join
from horoi.machine.host import Hosted, Place
from horoi.machine.stack import Stack
from horoi.node.discovery.machine import Discovery
from horoi.node.discovery.requests import Bootstraps
from horoi.node.lookup.machine import NodeLookup
from horoi.node.lookup.messages import LINK_WIRE
from horoi.node.lookup.overlay_peer import Self
from horoi.node.lookup.overlays import OVERLAYS
from horoi.node.lookup.requests import DHT, OVERLAY, FromSide, SideUp, ToSide
from horoi.node.peers.config import PeersConfig
from horoi.node.peers.machine import Peers
from horoi.node.peers.messages import WIRE as PEERS_WIRE
from horoi.world.sim.universe import Universe

NETWORK = b"n" * 32
PORT, DHT_PORT = 7700, 6881
ROUTER = ("20.9.9.9", DHT_PORT)


class Net:
    """``count`` nodes of one network, in a universe of their own; ``told`` keeps what each said to its application."""

    def __init__(self, seed: int, count: int, *, overlay: str = "", dht: bool = False, linked: bool = True) -> None:
        self.overlay = overlay
        self.universe = Universe(seed, on_notice=self._hear)
        self.told: dict[str, list[Any]] = {}
        self._sides: dict[Any, tuple[str, str]] = {}
        if dht:
            self.universe.add(ROUTER, boot_kademlia(mainline()), transport="datagram")
            self.universe.ask(ROUTER, Join())
        for number in range(count):
            known = [self.address(other) for other in range(number)] if linked else []
            self._add(number, known, dht=dht)

    def address(self, number: int) -> str:
        """Where node ``number`` takes links. All are of different network groups."""
        return f"{20 + number}.1.1.1:{PORT}"

    def node_id(self, number: int) -> bytes:
        """Its name."""
        return bytes([number + 1]) * 32

    def lookup(self, number: int) -> NodeLookup:
        """Its machine of lookups."""
        stack = self.universe.machine(self.node_id(number))
        machine: NodeLookup = stack.machines["lookup"]
        return machine

    def peers_of(self, number: int) -> list[bytes]:
        """Whom it is linked to."""
        return list(self.universe.linked(self.node_id(number)))

    def rings(self) -> set[bytes]:
        """The overlays that the nodes are in."""
        return {self.universe.machine(side).ring for side, (_, what) in self._sides.items() if what == OVERLAY}

    def ask(self, number: int, request: Any) -> None:
        self.universe.ask(self.node_id(number), request)

    def answers(self, number: int, kind: type) -> list[Any]:
        """What it told its application, of one kind."""
        return self.universe.notices(self.node_id(number), kind)

    def cut_power(self, number: int) -> None:
        """The machine is gone, with all its sides, without a word."""
        for name in [self.node_id(number), *[side for side, (owner, _) in self._sides.items() if owner == str(number)]]:
            self.universe.crash(name, silent=True)

    def _add(self, number: int, known: Sequence[str], *, dht: bool) -> None:
        name = self.node_id(number)
        bits = OVERLAYS[self.overlay].bits if self.overlay else ID_BITS

        def boot(place: Place) -> Hosted:
            machines: dict[str, Any] = {
                "peers": Peers(PeersConfig(NETWORK, tuple(known), listen_port=PORT), place.dice),
                "lookup": NodeLookup(overlay=self.overlay, bits=bits, dht=dht, dht_is_local=True, port=PORT),
            }
            if dht:
                machines["discovery"] = Discovery(NETWORK, place.dice, port=PORT, is_local=False)
            return Hosted(Stack(machines), PEERS_WIRE + LINK_WIRE, lambda record: None)

        self.universe.add(name, boot, address=self.address(number))
        ip = self.address(number).split(":")[0]
        if self.overlay:
            side = (ip, PORT)
            self._sides[side] = (str(number), OVERLAY)
            me = Self(name, PORT)
            self.universe.add(side, boot_overlay(OVERLAYS[self.overlay], me, None), transport="datagram")
            self.ask(number, FromSide(OVERLAY, SideUp(PORT, f"{ip}:{PORT}")))
        if dht:
            side = (ip, DHT_PORT)
            self._sides[side] = (str(number), DHT)
            self.universe.add(side, boot_kademlia(mainline()), transport="datagram")
            self.ask(number, FromSide(DHT, SideUp(DHT_PORT, f"{ip}:{DHT_PORT}")))
            self.ask(number, Bootstraps((ROUTER,)))

    def _hear(self, name: Any, notice: Any) -> None:
        if name in self._sides:
            number, side = self._sides[name]
            owner = self.node_id(int(number))
            if self.universe.is_up(owner):
                self.universe.ask(owner, FromSide(side, notice))
        elif isinstance(notice, ToSide):
            number = str(name[0] - 1)
            side = next(place for place, what in self._sides.items() if what == (number, notice.side))
            if self.universe.is_up(side):
                self.universe.ask(side, notice.request)
