"""``horoi bench dht``: puts and gets over real sockets, beside PyPI's ``kademlia`` (asyncio and UDP) in the same run.

Each side is a network of ``nodes`` peers in this one process, on loopback, on the same event loop. A random peer puts a value of
50 bytes under a fresh key; a random peer gets a random one of them: one after the other, and 16 at once. The sides take turns,
and the best of ROUNDS counts: on a shared machine a disturbed round says more of the neighbours than of the code.

What a put costs is mostly how many peers keep the value, k: it asks that many and then stores with each. Theirs comes with the
paper's k = 20, Mainline's is 8 (BEP 5). So ours is measured with both, ``ours`` with Mainline's and ``ours_k20`` with theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from importlib.metadata import version
from typing import Any, Protocol

from horoi.base.errors import UsageError
from horoi.base.ids import key_of
from horoi.lookup.kademlia.boot import boot_kademlia
from horoi.lookup.kademlia.codec import kademlia_wire
from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.vocabulary import Get, Join, Joined, Put, Stored, Value
from horoi.world.live.datagram import DatagramHost
from horoi.world.live.disk import LiveDisk
from horoi.world.live.run import loop_factory, run

ROUNDS = 8
PUTS = 40
GETS = 800
CONCURRENCY = 16
VALUE_BYTES = 50
MAINLINE_K = 8  # BEP 5
PAPER_K = 20
JOIN_TIMEOUT_S = 60.0

Progress = Callable[[str, float], None]


class Side(Protocol):
    """A network that can be asked through any of its peers."""

    async def put(self, peer: int, label: str, value: str) -> bool:
        """Put a value; whether it was stored with anybody."""

    async def get(self, peer: int, label: str) -> str | None:
        """The value, or None."""

    async def stop(self) -> None:
        """Close all sockets."""


# Ours


class Ours:
    """Horoi's Kademlia on its own wire. Nothing of the machine's is touched: requests go in, notices come out."""

    def __init__(self, hosts: Sequence[DatagramHost]) -> None:
        self._hosts = hosts
        self._open: dict[int, asyncio.Future[Any]] = {}
        self._asked = 0
        for host in hosts:
            host.on_notice(self._told, Stored, Value)

    @classmethod
    async def start(cls, nodes: int, k: int, disk: LiveDisk) -> Ours:
        config = KademliaConfig(k=k, rate_per_s=None)
        wire = kademlia_wire(config.bits)
        hosts: list[DatagramHost] = []
        for _ in range(nodes):
            boot = boot_kademlia(config)
            host = DatagramHost(boot, listen="127.0.0.1:0", decode=wire.decode, encode=wire.encode, disk=disk)
            await host.start()
            through = tuple(other.machine.contact.address for other in hosts[-3:])
            hosts.append(host)
            await host.ask_for(Join(through), Joined, timeout_s=JOIN_TIMEOUT_S)
        return cls(hosts)

    def _told(self, notice: Stored | Value) -> None:
        self._open.pop(notice.token).set_result(notice)

    def _ask(self, peer: int, make: Callable[[int], Put | Get]) -> asyncio.Future[Any]:
        self._asked += 1
        future = self._open[self._asked] = asyncio.get_running_loop().create_future()
        self._hosts[peer].ask(make(self._asked))
        return future

    async def put(self, peer: int, label: str, value: str) -> bool:
        key = key_of(label.encode())
        return bool((await self._ask(peer, lambda token: Put(token, key, value.encode()))).copies)

    async def get(self, peer: int, label: str) -> str | None:
        key = key_of(label.encode())
        found: Value = await self._ask(peer, lambda token: Get(token, key))
        return found.value.decode()

    @property
    def datagrams(self) -> int:
        """How many were sent so far."""
        return sum(host.sent.total() for host in self._hosts)

    async def stop(self) -> None:
        for host in self._hosts:
            await host.stop()


# Theirs


class Theirs:
    """PyPI's kademlia, as it comes."""

    def __init__(self, servers: Sequence[Any]) -> None:
        self._servers = servers

    @classmethod
    async def start(cls, nodes: int) -> Theirs:
        try:
            from kademlia.network import Server
        except ImportError as error:
            raise UsageError(
                f"the peer to compare with is not installed ({error}): pip install 'horoi[bench]'"
            ) from None
        logging.getLogger("kademlia").setLevel(logging.CRITICAL)
        logging.getLogger("rpcudp").setLevel(logging.CRITICAL)
        servers = [Server() for _ in range(nodes)]
        for server in servers:
            await server.listen(0, interface="127.0.0.1")
        entry = servers[0].transport.get_extra_info("sockname")[:2]
        for server in servers[1:]:
            await server.bootstrap([entry])
        return cls(servers)

    async def put(self, peer: int, label: str, value: str) -> bool:
        return bool(await self._servers[peer].set(label, value))

    async def get(self, peer: int, label: str) -> str | None:
        found: str | None = await self._servers[peer].get(label)
        return found

    async def stop(self) -> None:
        for server in self._servers:
            server.stop()
        await asyncio.sleep(0)


# Measuring


async def _rate(calls: Iterable[Callable[[], Awaitable[bool]]], at_once: int) -> tuple[float, int]:
    """(calls per second, how many came to nothing), ``at_once`` under way."""
    waiting = iter(list(calls))
    done = wrong = 0

    async def work() -> None:
        nonlocal done, wrong
        for call in waiting:
            done += 1
            wrong += not await call()

    began = time.perf_counter()
    await asyncio.gather(*[work() for _ in range(at_once)])
    return done / (time.perf_counter() - began), wrong


class _Measured:
    """The best rates of one side."""

    def __init__(self, side: Side, nodes: int, name: str) -> None:
        self._side = side
        self._nodes = nodes
        self._name = name
        self._dice = random.Random(f"bench/dht/{name}")
        self._labels: list[str] = []
        self.figures: dict[str, Any] = {"failed": 0}

    def _put(self, label: str) -> Callable[[], Awaitable[bool]]:
        return lambda: self._side.put(self._dice.randrange(self._nodes), label, label.rjust(VALUE_BYTES))

    def _get(self, label: str) -> Callable[[], Awaitable[bool]]:
        async def call() -> bool:
            return await self._side.get(self._dice.randrange(self._nodes), label) == label.rjust(VALUE_BYTES)

        return call

    async def round(self, puts: int, gets: int) -> None:
        """Put and get once, serial and at once."""
        for at_once, suffix in ((1, "_per_s"), (CONCURRENCY, f"_{CONCURRENCY}_per_s")):
            fresh = [f"{self._name} {len(self._labels) + number}" for number in range(puts)]
            await self._note("put" + suffix, [self._put(label) for label in fresh], at_once)
            self._labels += fresh
            await self._note("get" + suffix, [self._get(self._dice.choice(self._labels)) for _ in range(gets)], at_once)

    async def _note(self, name: str, calls: Sequence[Callable[[], Awaitable[bool]]], at_once: int) -> None:
        rate, wrong = await _rate(calls, at_once)
        self.figures[name] = max(self.figures.get(name, 0.0), round(rate, 1))
        self.figures["failed"] += wrong


RATES = ("put_per_s", f"put_{CONCURRENCY}_per_s", "get_per_s", f"get_{CONCURRENCY}_per_s")


async def measure(nodes: int, *, scale: float = 1.0, progress: Progress = lambda what, part: None) -> dict[str, Any]:
    """All figures of one size of network."""
    puts, gets = max(2, int(PUTS * scale)), max(10, int(GETS * scale))
    async with _sides(nodes, progress) as sides:
        measured = {name: _Measured(side, nodes, name) for name, side in sides.items()}
        for number in range(ROUNDS):
            for place, (name, each) in enumerate(measured.items()):
                progress(name, 0.2 + 0.8 * (number + place / len(measured)) / ROUNDS)
                await each.round(puts, gets)
    theirs = measured["theirs"].figures
    return {
        "nodes": nodes,
        "theirs": {"k": PAPER_K, **theirs},
        **{name: {"k": k, **measured[name].figures} for name, k in (("ours", MAINLINE_K), ("ours_k20", PAPER_K))},
        **{
            f"ratio{name.removeprefix('ours')}": {
                rate.removesuffix("_per_s"): round(measured[name].figures[rate] / theirs[rate], 2) for rate in RATES
            }
            for name in ("ours", "ours_k20")
        },
    }


@contextlib.asynccontextmanager
async def _sides(nodes: int, progress: Progress) -> AsyncIterator[dict[str, Side]]:
    import tempfile

    sides: dict[str, Side] = {}
    with tempfile.TemporaryDirectory(prefix="horoi-bench-") as folder, LiveDisk(folder) as disk:
        try:
            progress("joining", 0.0)
            sides["theirs"] = await Theirs.start(nodes)
            progress("joining", 0.1)
            sides["ours"] = await Ours.start(nodes, MAINLINE_K, disk)
            sides["ours_k20"] = await Ours.start(nodes, PAPER_K, disk)
            yield sides
        finally:
            for side in sides.values():
                await side.stop()


def run_bench(nodes: Sequence[int], *, scale: float, progress: Progress) -> dict[str, Any]:
    """The whole benchmark, for each size of network."""
    for count in nodes:
        if not 2 <= count <= 1000:
            raise UsageError(f"nodes must lie between 2 and 1000, each takes two sockets here, not {count}")
    began = time.perf_counter()
    networks = []
    for place, count in enumerate(nodes):

        def advance(what: str, part: float, place: int = place) -> None:
            progress(what, (place + part) / len(nodes))

        networks.append(run(measure(count, scale=scale, progress=advance)))
    return {
        "peer": f"kademlia {version('kademlia')}",
        "loop": "uvloop" if loop_factory() is not None else "asyncio",
        "networks": networks,
        "seconds": round(time.perf_counter() - began, 1),
    }
