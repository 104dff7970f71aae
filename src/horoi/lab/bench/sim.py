"""``horoi bench sim``: how fast simulated time passes.

    queue     the micro-model alone: take the next event, schedule another (hold model, Jones 1986), with 10^4 and 10^6 pending,
              message delays log-normal with a median of 82 ms; beside it the same on a bare ``heapq``, the yardstick
    lookups   routed lookup messages between real machines, per overlay: each datagram is handed to a machine's ``handle``, with
              requests, answers, timers and tables as in any experiment (``horoi lab lookup``)

Rates are per second of this process's processor time, since neighbours on a shared machine say nothing about the code. The
yardstick is measured in turns with what it measures, and the best of ROUNDS counts.
"""

from __future__ import annotations

import gc
import heapq
import random
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from horoi.lab.bench.workload import Progress
from horoi.lab.lookup.measure import Outcomes
from horoi.lab.lookup.network import LookupNetwork
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.run import DEADLINE_S, LOOKUP_GAP_S, OVERLAYS, make_overlay
from horoi.world.sim.schedule import Schedule

PENDING = (10_000, 1_000_000)
EVENTS = 500_000
ROUNDS = 3
LOOKUP_PEERS = 1_000
LOOKUPS = 5_000

_DELAYS = 1 << 16


class Queue(Protocol):
    """A future event list."""

    now_s: float

    def push(self, at_s: float, call: Callable[[Any, Any, Any], object], a: Any = None) -> None:
        """Have ``call(a, b, c)`` made at ``at_s``."""

    def run(self, until_s: float) -> int:
        """Make the calls that are due."""


class BareHeap:
    """The yardstick: one binary heap, as most simulators in Python have it."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._pushed = 0
        self._heap: list[tuple[float, int, Callable[[Any, Any, Any], object], Any, Any, Any]] = []

    def push(self, at_s: float, call: Callable[[Any, Any, Any], object], a: Any = None) -> None:
        """As ``Schedule.push``."""
        self._pushed += 1
        heapq.heappush(self._heap, (at_s, self._pushed, call, a, None, None))

    def run(self, until_s: float) -> int:
        """As ``Schedule.run``."""
        heap = self._heap
        fired = 0
        while heap and heap[0][0] <= until_s:
            self.now_s, _, call, a, b, c = heapq.heappop(heap)
            fired += 1
            call(a, b, c)
        return fired


class _Enough(Exception):
    """So many events were fired."""


def hold(queue: Queue, pending: int, events: int) -> float:
    """Events per second of processor time, with ``pending`` waiting all the time."""
    dice = random.Random(1)
    delays = [dice.lognormvariate(-2.5, 0.6) for _ in range(_DELAYS)]
    fired = 0

    def fire(number: int, _b: None, _c: None) -> None:
        nonlocal fired
        fired += 1
        if fired == events:
            raise _Enough
        queue.push(queue.now_s + delays[fired % _DELAYS], fire, number)

    for number in range(pending):
        queue.push(delays[number % _DELAYS] * dice.random(), fire, number)
    began = time.process_time()
    with suppress(_Enough):
        queue.run(1e9)
    return events / (time.process_time() - began)


def _queue(pending: int, events: int, advance: Callable[[float], None]) -> dict[str, Any]:
    best = {"events_per_s": 0.0, "heapq_per_s": 0.0}
    for number in range(ROUNDS):
        for name, make in (("heapq_per_s", BareHeap), ("events_per_s", Schedule)):
            gc.collect()
            best[name] = max(best[name], hold(make(), pending, events))
        advance((number + 1) / ROUNDS)
    ours, heap = round(best["events_per_s"]), round(best["heapq_per_s"])
    return {"pending": pending, "events_per_s": ours, "heapq_per_s": heap, "ratio": round(ours / heap, 2)}


def _lookups(overlay: str, peers: int, lookups: int) -> dict[str, Any]:
    best: dict[str, Any] = {"messages_per_s": 0}
    for _ in range(ROUNDS):
        figures = _lookup_round(Settings(overlay=overlay, peers=peers, lookups=lookups))
        if figures["messages_per_s"] > best["messages_per_s"]:
            best = figures
    return {"overlay": overlay, "peers": peers, **best}


def _lookup_round(settings: Settings) -> dict[str, Any]:
    """All lookups in a settled network that nobody repairs, so that every event belongs to a lookup."""
    overlay = make_overlay(settings.overlay)(settings, random.Random("bench/sim"))
    network = LookupNetwork(settings, overlay, upkeep=False, count_bytes=False)
    network.settle(settings.peers)
    universe = network.universe
    outcomes = Outcomes(overlay, network.truth, universe.distance_s)
    network.on_answer = outcomes.answer

    def begin(token: int, asker: int, key: int) -> None:
        outcomes.ask(token, asker, key, universe.now)
        network.lookup(token, asker, key)

    # Who asks for what is drawn before the clock runs: that is the load, and not the work.
    for token in range(settings.lookups):
        universe.after(token * LOOKUP_GAP_S, partial(begin, token, network.honest_peer(), network.key()))
    gc.collect()
    gc.disable()  # as ``horoi lab lookup`` does
    try:
        events, clock = universe.events, time.process_time()
        universe.run_for(settings.lookups * LOOKUP_GAP_S + DEADLINE_S)
        elapsed_s = time.process_time() - clock
        events = universe.events - events
    finally:
        gc.enable()
        network.close()
    messages = outcomes.rpcs + outcomes.replies
    return {
        "messages_per_s": round(messages / elapsed_s),
        "events_per_s": round(events / elapsed_s),
        "messages_per_lookup": round(messages / settings.lookups, 2),
        "correct": outcomes.correct / settings.lookups,
    }


def run(*, scale: float = 1.0, progress: Progress = lambda what, part: None) -> dict[str, Any]:
    """The whole benchmark. ``scale`` below 1 makes it smaller, for a quick look or a test."""
    began = time.perf_counter()
    parts = len(PENDING) + len(OVERLAYS)
    queue = []
    for place, pending in enumerate(PENDING):

        def advance(part: float, place: int = place) -> None:
            progress("event queue", (place + part) / parts)

        queue.append(_queue(max(100, int(pending * scale)), max(1000, int(EVENTS * scale)), advance))
    lookups = []
    for place, overlay in enumerate(OVERLAYS, len(PENDING)):
        progress(overlay, place / parts)
        lookups.append(_lookups(overlay, max(50, int(LOOKUP_PEERS * scale)), max(20, int(LOOKUPS * scale))))
    return {"queue": queue, "lookups": lookups, "seconds": round(time.perf_counter() - began, 1)}
