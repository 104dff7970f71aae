"""The simulator's benchmark, small: it measures what it says. Figures are not judged here."""

from __future__ import annotations

import pytest

from horoi.lab.bench.sim import BareHeap, hold, run
from horoi.lab.lookup.run import OVERLAYS
from horoi.world.sim.schedule import Schedule


def test_the_yardstick_fires_in_the_same_order() -> None:
    fired: dict[str, list[tuple[float, int]]] = {}
    for name, queue in (("heap", BareHeap()), ("schedule", Schedule())):
        seen = fired[name] = []

        def note(number: int, _b: None, _c: None, queue: BareHeap | Schedule = queue, seen: list = seen) -> None:  # type: ignore[type-arg]
            seen.append((queue.now_s, number))

        for number, at_s in enumerate((0.5, 0.0002, 0.5, 0.0001, 7.0, 0.5)):
            queue.push(at_s, note, number)
        assert queue.run(1.0) == 5
    assert fired["heap"] == fired["schedule"] == [(0.0001, 3), (0.0002, 1), (0.5, 0), (0.5, 2), (0.5, 5)]


@pytest.mark.parametrize("make", [BareHeap, Schedule])
def test_the_micro_model_keeps_so_many_pending(make: type) -> None:
    queue = make()
    assert hold(queue, 50, 400) > 0
    if isinstance(queue, Schedule):
        assert len(queue) == 49  # the last one ended it


def test_every_overlay_is_measured_and_right() -> None:
    result = run(scale=0.005)
    assert [row["overlay"] for row in result["lookups"]] == list(OVERLAYS)
    assert all(row["correct"] == 1.0 and row["messages_per_s"] > 0 for row in result["lookups"])
    assert all(row["ratio"] > 0 for row in result["queue"])
