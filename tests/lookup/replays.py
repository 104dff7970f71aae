"""Both worlds for the tests of replays: overlays over plain UDP and in a universe, recorded; a host that hears a log again."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from typing import Any

from horoi.lookup.vocabulary import Address
from horoi.machine.contract import Asked, Event, Fired, Received
from horoi.machine.host import Boot, Hosted, Place, Started
from horoi.machine.recording import Heard, Recorder
from horoi.node.lookup.overlays import OVERLAYS
from horoi.world.live.datagram import DatagramHost
from horoi.world.sim.universe import Universe


def fresh(overlay: str, address: Address, seed: int) -> Recorder:
    """A peer that has heard nothing. The same arguments make the same peer, in every process."""
    return Recorder(OVERLAYS[overlay].peer(address, random.Random(seed)))


def boot_recorded(overlay: str, seed: int, made: Callable[[Recorder], None]) -> Boot:
    """A boot of such a peer under the name that the world gives it; ``made`` is handed it."""

    def boot(place: Place) -> Hosted:
        recorder = fresh(overlay, place.name, seed)
        made(recorder)
        return Hosted(recorder, OVERLAYS[overlay].wire())

    return boot


def live_host(overlay: str, boot: Boot, listen: str, kind: type[DatagramHost] = DatagramHost) -> Any:
    """A host of a boot on plain UDP."""
    wire = OVERLAYS[overlay].wire()
    return kind(boot, listen=listen, decode=wire.decode, encode=wire.encode, disk=None, threads=1)  # type: ignore[arg-type]


# A log again, through the simulator's host


class Player:
    """A machine for a host that plays a log back: it hears the log's events one by one, and acts on nothing but them."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def handle(self, event: Event, now: float) -> list[Any]:
        if isinstance(event, Asked) and isinstance(event.request, Heard):
            self._recorder.handle(event.request.event, now)
        return []


def replay_in_universe(recorder: Recorder, log: list[Heard]) -> str:
    """The digest of a fresh peer to which a simulated host hands a log, each event at its time."""
    universe = Universe(1, transport="datagram", digest=False)
    universe.add("player", lambda _: Hosted(Player(recorder), None))
    for heard in log:
        universe.at(heard.now, lambda heard=heard: universe.ask("player", heard))  # type: ignore[misc]
    universe.run(log[-1].now)
    return recorder.digest()


# A log again, over sockets


class ScriptedClock:
    """Shows what the script says."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def now(self) -> float:
        return self.now_s

    def resync(self) -> float:
        return 0.0


class ReplayHost(DatagramHost):
    """A live host whose clock and timers follow a script; its datagrams are real."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.clock = ScriptedClock()  # type: ignore[assignment]

    def _arm(self, timer: Any, after_s: float | None) -> None:
        return  # the log says when a timer fires

    def _put(self, data: bytes, peer: Address) -> bool:
        is_own = peer == self.place
        return is_own or super()._put(data, peer)  # what it says to itself is in the log, too

    @property
    def place(self) -> tuple[str, int]:
        ip, port = (self.address or "").split(":")
        return ip, int(port)

    def say_to_itself(self, data: bytes) -> None:
        super()._put(data, self.place)

    def fire(self, timer: Any) -> None:
        self._post(Fired(timer))


async def replay_over_sockets(overlay: str, address: tuple[str, int], seed: int, log: list[Heard]) -> tuple[str, int]:
    """Let a live host hear a log: every message of it comes as a datagram from a socket at the address of its sender.

    Returns the digest of its actions, and how many datagrams those sockets got from it.
    """
    made: list[Recorder] = []
    host: ReplayHost = live_host(
        overlay, boot_recorded(overlay, seed, made.append), f"{address[0]}:{address[1]}", ReplayHost
    )
    wire = OVERLAYS[overlay].wire()
    names = dict.fromkeys(heard.event.peer for heard in log if isinstance(heard.event, Received))
    sources = {name: _bound(name) for name in names if name != address}
    host.clock.now_s = log[0].now  # type: ignore[attr-defined]
    try:
        await host.start()
        assert log[0].event == Asked(Started())  # which the host says by itself
        await _until(lambda: len(made[0].log) == 1)
        for number, (now, event) in enumerate(log[1:], 2):
            host.clock.now_s = now  # type: ignore[attr-defined]
            if isinstance(event, Received) and event.peer == address:
                host.say_to_itself(wire.encode(event.message))
            elif isinstance(event, Received):
                sources[event.peer].sendto(wire.encode(event.message), address)
            elif isinstance(event, Fired):
                host.fire(event.timer)
            else:
                assert isinstance(event, Asked)
                host.ask(event.request)
            await _until(lambda number=number: len(made[0].log) == number)  # type: ignore[misc]
        got = sum(map(_drain, sources.values()))
    finally:
        await host.stop()
        for source in sources.values():
            source.close()
    return made[0].digest(), got


def _bound(address: tuple[str, int]) -> socket.socket:
    source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    source.setblocking(False)
    source.bind(address)
    return source


def _drain(source: socket.socket) -> int:
    count = 0
    while True:
        try:
            source.recv(2048)
        except BlockingIOError:
            return count
        count += 1


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)
