"""Nodes' peers in an overlay on real sockets of loopback, all in one event loop: sealed datagrams, no ledger."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from horoi.cli.sides import boot_overlay
from horoi.node.lookup.overlay_peer import Self
from horoi.node.lookup.overlays import OVERLAYS
from horoi.node.lookup.requests import Doors, Entered
from horoi.world.live.node_key import NodeKey
from horoi.world.live.secure_datagram import SecureDatagramHost

NETWORK = b"n" * 32
PATIENCE_S = 60.0  # of every condition: overlays repair within periods of some seconds, on a machine that may be busy


async def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait until ``condition()`` is true; return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE_S:g} s"
        await asyncio.sleep(0.02)
    return result


class Peer:
    """One peer: its host, and everything it told."""

    def __init__(self, overlay: str, number: int, listen: str = "127.0.0.1:0") -> None:
        wire = OVERLAYS[overlay].wire()
        self.number = number
        self.key = NodeKey(bytes([number + 1]) * 32)
        self.host = SecureDatagramHost(
            boot_overlay(OVERLAYS[overlay], Self(self.key.node_id, 7700 + number), None),
            node_key=self.key,
            network_id=NETWORK,
            speech=f"horoi/lookup/{overlay}",
            listen=listen,
            decode=wire.decode,
            encode=wire.encode,
            disk=None,
            dice=random.Random(number),
            threads=1,
        )
        self.told: list[Any] = []

    async def start(self, doors: tuple[tuple[str, int], ...]) -> None:
        await self.host.start()
        self.host.on_notice(self.told.append)
        self.host.ask(Doors(doors))

    @property
    def address(self) -> tuple[str, int]:
        ip, port = (self.host.address or "").split(":")
        return ip, int(port)

    @property
    def ring(self) -> bytes:
        ring: bytes = self.host.machine.ring
        return ring

    async def ask(self, request: Any) -> Any:
        """Ask; the answer, whatever it is."""
        return await self.host.ask_for(
            request, object, lambda told: getattr(told, "token", None) == request.token, timeout_s=PATIENCE_S
        )

    async def entered(self) -> Entered:
        found: list[Entered] = await until(
            lambda: [told for told in self.told if isinstance(told, Entered)], f"entry of peer {self.number}"
        )
        return found[-1]


@contextlib.asynccontextmanager
async def overlay_of(overlay: str, count: int) -> AsyncIterator[list[Peer]]:
    """So many peers of one overlay, entered one after the other, each through the one or two before it."""
    peers: list[Peer] = []
    try:
        for number in range(count):
            peer = Peer(overlay, number)
            doors = tuple(known.address for known in peers[-2:])
            peers.append(peer)
            await peer.start(doors)
            await peer.entered()
        yield peers
    finally:
        for peer in peers:
            await peer.host.stop()
