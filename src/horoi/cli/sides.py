"""The UDP ports beside a node's links: its peer in the overlay, and its peer in the Mainline DHT, in the same event loop.

Each has a host of its own. What the node's machines want of a side they tell as ``ToSide``, and what it tells they hear as
``FromSide``; this is where the two meet. A side that fails is given up, and the node goes on without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import random
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from horoi.base.errors import NetworkError
from horoi.cli.dht_peer import ROUTERS
from horoi.lookup.kademlia import krpc
from horoi.lookup.kademlia.boot import boot_kademlia
from horoi.lookup.kademlia.config import mainline
from horoi.lookup.vocabulary import Address, Leave
from horoi.machine.disk import Disk
from horoi.machine.host import Boot, Hosted, Place
from horoi.node.discovery.requests import Bootstraps
from horoi.node.lookup.overlay_peer import OverlayPeer, Self
from horoi.node.lookup.overlays import OVERLAYS, Overlay
from horoi.node.lookup.requests import DHT, OVERLAY, FromSide, Outside, SideDown, SideUp, ToSide
from horoi.node.peers.addresses import LOCAL, group_of
from horoi.world.live.addresses import split_address
from horoi.world.live.datagram import DatagramHost
from horoi.world.live.host import LiveHost
from horoi.world.live.node_key import NodeKey
from horoi.world.live.secure_datagram import SecureDatagramHost

ANY_PORT = "0.0.0.0:0"
DEFAULT_DHT_LISTEN = "0.0.0.0:6881"  # BEP 5's customary port
RESOLVE_AGAIN_S = 30.0  # a guess: a machine that starts before its network
LEAVE_S = 2.0  # a guess: handing keys over takes a round trip or two

_NO_DISK = cast(Disk, None)  # these machines keep nothing on disk
_log = logging.getLogger("horoi.node")


def is_local_dht(bootstraps: Sequence[str]) -> bool:
    """Whether the DHT that these lead into is one of this machine or its local network."""
    return bool(bootstraps) and all(group_of(address) == LOCAL for address in bootstraps)


def boot_overlay(overlay: Overlay, me: Self, advertise: str | None) -> Boot:
    """A boot of a node's peer in ``overlay``. Its address is the one it is bound to, unless that is all of this machine's."""

    def boot(place: Place) -> Hosted:
        peer = OverlayPeer(overlay.peer, me, place.dice, address=_own_address(place.name, advertise))
        return Hosted(peer, overlay.wire())

    return boot


def _own_address(bound: Address, advertise: str | None) -> Address | None:
    """Where others reach a port that is bound so: as bound, at the advertised number, or they will say (None)."""
    ip, port = bound
    if not ipaddress.ip_address(ip).is_unspecified:
        return bound
    with contextlib.suppress(ValueError):
        if advertise is not None:
            return str(ipaddress.ip_address(split_address(advertise)[0])), port
    return None


class Sides:
    """The sides of the node that ``host`` runs."""

    def __init__(self, host: LiveHost, key: NodeKey, network_id: bytes, *, dice: random.Random | None = None) -> None:
        self._host = host
        self._key = key
        self._network_id = network_id
        self._dice = dice
        self.hosts: dict[str, DatagramHost] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._leave: list[Callable[[], None]] = []

    def address_of(self, side: str) -> str | None:
        """Where a side listens, "host:port"; None if there is none."""
        host = self.hosts.get(side)
        return host.address if host is not None else None

    async def start_overlay(self, name: str, listen: str, advertise: str | None) -> None:
        """Bind the overlay's port; NetworkError if it is taken."""
        overlay = OVERLAYS[name]
        wire = overlay.wire()
        port = split_address(self._host.address)[1] if self._host.address else 0
        side = SecureDatagramHost(
            boot_overlay(overlay, Self(self._key.node_id, port), advertise),
            node_key=self._key,
            network_id=self._network_id,
            speech=f"horoi/lookup/{name}",
            listen=listen,
            decode=wire.decode,
            encode=wire.encode,
            disk=_NO_DISK,
            dice=self._dice,
            threads=1,
        )
        await self._start(OVERLAY, side)

    async def start_dht(self, listen: str, bootstraps: Sequence[str]) -> None:
        """Bind the DHT's port; NetworkError if it is taken. The names of its bootstraps are looked up meanwhile."""
        side = DatagramHost(
            boot_kademlia(mainline()),
            listen=listen,
            decode=krpc.decode,
            encode=krpc.encode,
            max_size_in_bytes=krpc.MAX_BYTES,
            disk=_NO_DISK,
            dice=self._dice,
            threads=1,
        )
        await self._start(DHT, side)
        self._tasks.append(asyncio.ensure_future(self._find_bootstraps(tuple(bootstraps or ROUTERS), side)))

    async def _start(self, name: str, side: DatagramHost) -> None:
        await side.start()
        self.hosts[name] = side
        self._leave.append(self._host.on_notice(partial(self._to_side, name), ToSide))
        self._leave.append(side.on_notice(partial(self._from_side, name)))
        assert side.address is not None
        self._from_side(name, SideUp(split_address(side.address)[1], side.address))
        self._tasks.append(asyncio.ensure_future(self._watch(name, side)))

    def _to_side(self, name: str, notice: ToSide) -> None:
        if notice.side == name:
            with contextlib.suppress(NetworkError):  # it failed, which ``_watch`` tells
                self.hosts[name].ask(notice.request)

    def _from_side(self, name: str, notice: Any) -> None:
        with contextlib.suppress(NetworkError):  # the node is stopping
            self._host.ask(FromSide(name, notice))

    async def _watch(self, name: str, side: DatagramHost) -> None:
        try:
            await side.wait()
        except Exception as error:
            _log.error("the %s side failed and is given up: %s", name, error)
            self._from_side(name, SideDown(str(error)))

    async def _find_bootstraps(self, names: Sequence[str], side: DatagramHost) -> None:
        family = socket.AF_INET6 if (side.address or "").startswith("[") else socket.AF_INET
        while True:
            found = [address for name in names if (address := await _numeric(name, family)) is not None]
            if found:
                self._host.ask(Bootstraps(tuple(found)))
                return
            _log.warning("no address of %s is known; trying again in %g s", ", ".join(names), RESOLVE_AGAIN_S)
            await asyncio.sleep(RESOLVE_AGAIN_S)

    async def stop(self) -> None:
        """Leave the overlay in good order, close the ports. Idempotent."""
        for leave in self._leave:
            leave()
        self._leave.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if OVERLAY in self.hosts:
            with contextlib.suppress(NetworkError):
                await self.hosts[OVERLAY].ask_for(Leave(), Outside, timeout_s=LEAVE_S)
        for host in self.hosts.values():
            await host.stop()


async def _numeric(name: str, family: socket.AddressFamily) -> Address | None:
    """The address of a name; None if the name service knows none of this family."""
    host, port = split_address(name)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
    except OSError:
        return None
    return found[0][4][:2]
