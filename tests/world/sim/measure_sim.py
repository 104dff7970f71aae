"""Measures the simulated world: future event lists, and whole hosts. The figures are in docs/decisions/event-queue.md.

Run it on an idle machine, from the project's folder: ``PYTHONPATH=src:. python tests/world/sim/measure_sim.py``.
The micro-model is the hold model (Jones 1986): take the next event, schedule another; the number pending stays.
"""

from __future__ import annotations

import contextlib
import heapq
import random
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from sortedcontainers import SortedList
from tests.world.sim.sim_machines import WIRE, Ping

from horoi.machine import Action, Asked, Event, Received, Send
from horoi.machine.host import Hosted
from horoi.world.sim.latency import Constant, King, Latency, Regions
from horoi.world.sim.network import Network
from horoi.world.sim.schedule import Schedule
from horoi.world.sim.universe import Universe

EVENTS = 500_000


def waits(kind: str) -> list[float]:
    """Message delays alone, or with a third of timers of seconds to minutes among them."""
    dice = random.Random(1)
    if kind == "delays":
        return [dice.lognormvariate(-2.5, 0.6) for _ in range(1 << 16)]
    return [
        dice.lognormvariate(-2.5, 0.6) if dice.random() < 0.7 else dice.choice([1.0, 5.0, 30.0, 600.0])
        for _ in range(1 << 16)
    ]


class Heap:
    """One binary heap."""

    def __init__(self) -> None:
        self.now_s, self.pushed = 0.0, 0
        self.heap: list[Any] = []

    def push(self, at_s: float, call: Any, a: Any = None, b: Any = None, c: Any = None) -> None:
        self.pushed += 1
        heapq.heappush(self.heap, (at_s, self.pushed, call, a, b, c))

    def run(self, until_s: float) -> None:
        heap = self.heap
        while heap and heap[0][0] <= until_s:
            self.now_s, _, call, a, b, c = heapq.heappop(heap)
            call(a, b, c)


class Sorted(Heap):
    """A list of sorted lists (sortedcontainers)."""

    def __init__(self) -> None:
        super().__init__()
        self.sorted = SortedList()

    def push(self, at_s: float, call: Any, a: Any = None, b: Any = None, c: Any = None) -> None:
        self.pushed += 1
        self.sorted.add((at_s, self.pushed, call, a, b, c))

    def run(self, until_s: float) -> None:
        while self.sorted and self.sorted[0][0] <= until_s:
            self.now_s, _, call, a, b, c = self.sorted.pop(0)
            call(a, b, c)


class Wheel(Heap):
    """A timing wheel (Varghese, Lauck 1987) of 4096 slots of 1 ms, each a heap when its turn comes; the rest in a heap."""

    SLOTS = 4096

    def __init__(self) -> None:
        super().__init__()
        self.wheel: list[list[Any]] = [[] for _ in range(self.SLOTS)]
        self.tick = 0

    def push(self, at_s: float, call: Any, a: Any = None, b: Any = None, c: Any = None) -> None:
        self.pushed += 1
        entry = (at_s, self.pushed, call, a, b, c)
        tick = int(at_s * 1000)
        if tick <= self.tick:
            heapq.heappush(self.wheel[self.tick % self.SLOTS], entry)
        elif tick < self.tick + self.SLOTS:
            self.wheel[tick % self.SLOTS].append(entry)
        else:
            heapq.heappush(self.heap, entry)

    def run(self, until_s: float) -> None:
        last = int(until_s * 1000)
        while self.tick <= last:
            slot = self.wheel[self.tick % self.SLOTS]
            while self.heap and int(self.heap[0][0] * 1000) <= self.tick:
                slot.append(heapq.heappop(self.heap))
            heapq.heapify(slot)
            while slot:
                if slot[0][0] > until_s:
                    return
                self.now_s, _, call, a, b, c = heapq.heappop(slot)
                call(a, b, c)
            self.tick += 1


def hold(make: Callable[[], Any], pending: int, kind: str) -> float:
    """Events per second of processor time."""
    delays = waits(kind)
    schedule = make()
    fired = 0

    class Enough(Exception):
        pass

    def fire(number: int, _b: None, _c: None) -> None:
        nonlocal fired
        fired += 1
        if fired == EVENTS:
            raise Enough
        schedule.push(schedule.now_s + delays[fired & 65535], fire, number)

    dice = random.Random(2)
    for number in range(pending):
        schedule.push(delays[number & 65535] * dice.random(), fire, number)
    began = time.process_time()
    with contextlib.suppress(Enough):
        schedule.run(1e9)
    return EVENTS / (time.process_time() - began)


class Echo:
    """Answers every ping with the next."""

    __slots__ = ("to",)

    def __init__(self, to: int | None) -> None:
        self.to = to

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Received):
            return [Send(event.peer, Ping(event.message.nonce + 1))]
        return [Send(self.to, Ping(0))] if isinstance(event, Asked) and self.to is not None else []


def hosts(count: int, latency: Latency, duration_s: float, **options: Any) -> None:
    """Half of the hosts serve, the other half return, each pair for itself, by datagrams."""
    universe = Universe(1, network=Network(latency=latency), transport="datagram", **options)
    for name in range(count):
        universe.add(name, lambda place: Hosted(Echo(place.name ^ 1 if place.name & 1 else None), WIRE))
    universe.run(0.0)
    began = time.process_time()
    events = universe.run(duration_s)
    rate = events / (time.process_time() - began)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count:>8} hosts, {type(latency).__name__:<8} {options}: {rate / 1e3:.0f}k events/s, peak {megabytes:.0f} MB"
    )


def main() -> None:
    structures: dict[str, Callable[[], Any]] = {"heap": Heap, "sorted list": Sorted, "wheel": Wheel}
    for width_ms in (0.1, 1, 10):
        structures[f"schedule, {width_ms:g} ms"] = lambda width_ms=width_ms: Schedule(slot_width_s=width_ms / 1000)
    if "hosts" not in sys.argv:
        for kind in ("delays", "mixed"):
            for name, make in structures.items():
                rates = [f"{hold(make, pending, kind) / 1e3:6.0f}k" for pending in (10_000, 1_000_000)]
                print(f"{kind:<7} {name:<16} {' '.join(rates)}", flush=True)
    bare = {"digest": False, "trace": 0, "codec": False}
    for options in ({}, {"trace": 0}, {"trace": 0, "digest": False}, bare):
        hosts(10_000, Regions(), 4.0, **options)
    hosts(10_000, Constant(50), 4.0, **bare)
    hosts(10_000, King(), 4.0, **bare)
    hosts(1_000_000, Regions(), 0.3, **bare)


if __name__ == "__main__":
    main()
