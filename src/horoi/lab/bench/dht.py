"""``horoi bench dht``: puts and gets over real sockets, beside PyPI's ``kademlia`` (asyncio and UDP) in the same run.

Each side is a network of ``nodes`` peers in this one process, on loopback. A random peer puts a value of
50 bytes under a fresh key; a random peer gets a random one of them: one after the other, and 16 at once. Rates are per second of
this process's processor time: both sides are busy without a pause, so on an idle machine that is the wall's second, and on a
shared one the neighbours are left out. The sides take turns, and the best of ROUNDS counts. A turn begins with a few puts and
gets that are not counted: while the other sides had the processor, timers of this one ran out and its memory went cold.

Both as they come: theirs on asyncio's own loop (``theirs``), ours on uvloop where the extra ``fast`` is installed.
``theirs_fast`` is theirs on the loop of ours.

What a put costs is mostly how many peers keep the value, k: it asks that many and then stores with each. Theirs comes with the
paper's k = 20, Mainline's is 8 (BEP 5). So ours is measured with both, ``ours`` with Mainline's and ``ours_k20`` with theirs.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from horoi.base.errors import UsageError
from horoi.base.ids import key_of
from horoi.lookup.kademlia.boot import boot_kademlia
from horoi.lookup.kademlia.codec import kademlia_wire
from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.vocabulary import Failed, Get, Join, Joined, NotFound, Put, Stored, Value
from horoi.world.live.datagram import DatagramHost
from horoi.world.live.disk import LiveDisk
from horoi.world.live.run import calm_collector, loop_factory

ROUNDS = 8
PUTS = 40
GETS = 800
CONCURRENCY = 16
WARM_UP_PART = 4  # of what is measured then; a guess
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
            host.on_notice(self._told, Stored, Value, NotFound, Failed)

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

    def _told(self, notice: Stored | Value | NotFound | Failed) -> None:
        self._open.pop(notice.token).set_result(notice)

    def _ask(self, peer: int, make: Callable[[int], Put | Get]) -> asyncio.Future[Any]:
        self._asked += 1
        future = self._open[self._asked] = asyncio.get_running_loop().create_future()
        self._hosts[peer].ask(make(self._asked))
        return future

    async def put(self, peer: int, label: str, value: str) -> bool:
        key = key_of(label.encode())
        return isinstance(await self._ask(peer, lambda token: Put(token, key, value.encode())), Stored)

    async def get(self, peer: int, label: str) -> str | None:
        key = key_of(label.encode())
        found = await self._ask(peer, lambda token: Get(token, key))
        return found.value.decode() if isinstance(found, Value) else None

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
        from kademlia.network import Server

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
    """(calls per second of processor time, how many came to nothing), ``at_once`` under way."""
    waiting = iter(list(calls))
    done = wrong = 0

    async def work() -> None:
        nonlocal done, wrong
        for call in waiting:
            done += 1
            wrong += not await call()

    began = time.process_time()
    await asyncio.gather(*[work() for _ in range(at_once)])
    return done / (time.process_time() - began), wrong


class _Measured:
    """The best rates of one side."""

    def __init__(self, side: Side, nodes: int, name: str, facts: dict[str, Any]) -> None:
        self._side = side
        self._nodes = nodes
        self._name = name
        self._dice = random.Random(f"bench/dht/{name}")
        self._labels: list[str] = []
        self.figures: dict[str, Any] = {**facts, "failed": 0}

    def _put(self, label: str) -> Callable[[], Awaitable[bool]]:
        return lambda: self._side.put(self._dice.randrange(self._nodes), label, label.rjust(VALUE_BYTES))

    def _get(self, label: str) -> Callable[[], Awaitable[bool]]:
        async def call() -> bool:
            return await self._side.get(self._dice.randrange(self._nodes), label) == label.rjust(VALUE_BYTES)

        return call

    async def round(self, puts: int, gets: int) -> None:
        """Put and get once, serial and at once."""
        await self._warm_up(puts // WARM_UP_PART, gets // WARM_UP_PART)
        for at_once, suffix in ((1, "_per_s"), (CONCURRENCY, f"_{CONCURRENCY}_per_s")):
            fresh = [f"{self._name} {len(self._labels) + number}" for number in range(puts)]
            await self._note("put" + suffix, [self._put(label) for label in fresh], at_once)
            self._labels += fresh
            await self._note("get" + suffix, [self._get(self._dice.choice(self._labels)) for _ in range(gets)], at_once)

    async def _warm_up(self, puts: int, gets: int) -> None:
        fresh = [f"{self._name} {len(self._labels) + number}" for number in range(max(1, puts))]
        await _rate([self._put(label) for label in fresh], 1)
        self._labels += fresh
        await _rate([self._get(self._dice.choice(self._labels)) for _ in range(gets)], 1)

    async def _note(self, name: str, calls: Sequence[Callable[[], Awaitable[bool]]], at_once: int) -> None:
        rate, wrong = await _rate(calls, at_once)
        self.figures[name] = max(self.figures.get(name, 0.0), round(rate, 1))
        self.figures["failed"] += wrong


RATES = ("put_per_s", f"put_{CONCURRENCY}_per_s", "get_per_s", f"get_{CONCURRENCY}_per_s")


def measure(nodes: int, *, scale: float = 1.0, progress: Progress = lambda what, part: None) -> dict[str, Any]:
    """All figures of one size of network."""
    puts, gets = max(2, int(PUTS * scale)), max(10, int(GETS * scale))
    with ExitStack() as stack:
        sides = _start(nodes, stack, progress)
        calm_collector()  # none of these networks is garbage, and none should pay for walking through the others
        for number in range(ROUNDS):
            for place, (name, (runner, each)) in enumerate(sides.items()):
                progress(name, 0.3 + 0.7 * (number + place / len(sides)) / ROUNDS)
                runner.run(each.round(puts, gets))
    figures = {name: each.figures for name, (_, each) in sides.items()}
    ratios = {
        f"{ours} to {theirs}": {
            rate.removesuffix("_per_s"): round(figures[ours][rate] / figures[theirs][rate], 2) for rate in RATES
        }
        for ours in ("ours", "ours_k20")
        for theirs in ("theirs", "theirs_fast")
        if theirs in figures
    }
    return {"nodes": nodes, **figures, "ratios": ratios}


def _start(nodes: int, stack: ExitStack, progress: Progress) -> dict[str, tuple[asyncio.Runner, _Measured]]:
    """All sides, each joined, with the loop that it runs on. They end with the stack."""
    fast = loop_factory()
    disk = stack.enter_context(LiveDisk(stack.enter_context(TemporaryDirectory(prefix="horoi-bench-"))))
    loops = {"asyncio": stack.enter_context(asyncio.Runner())}
    if fast is not None:
        loops["uvloop"] = stack.enter_context(asyncio.Runner(loop_factory=fast))
    own = "uvloop" if fast is not None else "asyncio"
    wanted: list[tuple[str, str, int, Callable[[], Coroutine[Any, Any, Side]]]] = [
        ("theirs", "asyncio", PAPER_K, lambda: Theirs.start(nodes)),
        ("ours", own, MAINLINE_K, lambda: Ours.start(nodes, MAINLINE_K, disk)),
        ("ours_k20", own, PAPER_K, lambda: Ours.start(nodes, PAPER_K, disk)),
    ]
    if fast is not None:
        wanted.insert(1, ("theirs_fast", own, PAPER_K, lambda: Theirs.start(nodes)))
    sides = {}
    for place, (name, loop, k, start) in enumerate(wanted):
        progress(f"{name}: joining", 0.3 * place / len(wanted))
        side = loops[loop].run(start())
        stack.callback(lambda runner, side: runner.run(side.stop()), loops[loop], side)
        sides[name] = (loops[loop], _Measured(side, nodes, name, {"k": k, "loop": loop}))
    return sides


def run_bench(nodes: Sequence[int], *, scale: float, progress: Progress) -> dict[str, Any]:
    """The whole benchmark, for each size of network."""
    for count in nodes:
        if not 2 <= count <= 1000:
            raise UsageError(f"nodes must lie between 2 and 1000, each takes four sockets here, not {count}")
    if find_spec("kademlia") is None:
        raise UsageError("the peer to compare with, PyPI's kademlia, is not installed: pip install 'horoi[bench]'")
    began = time.perf_counter()
    networks = []
    for place, count in enumerate(nodes):

        def advance(what: str, part: float, place: int = place) -> None:
            progress(what, (place + part) / len(nodes))

        networks.append(measure(count, scale=scale, progress=advance))
    return {
        "peer": f"kademlia {version('kademlia')}",
        "networks": networks,
        "seconds": round(time.perf_counter() - began, 1),
    }
