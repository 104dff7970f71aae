"""The future event list: total order, bounds of a run, and nothing lost, whatever the pattern of pushes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.world.sim.schedule import Schedule

waits = st.one_of(
    st.sampled_from([0.0, 0.0004, 0.001, 0.002, 1.0, 3600.0]),
    st.floats(min_value=0, max_value=10_000, allow_nan=False),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(waits, st.lists(waits, max_size=3)), max_size=40), st.sampled_from([1e-5, 1e-3, 1.0, 1e4]))
def test_calls_are_made_in_order_of_time_and_then_of_push(plan: list[tuple[float, list[float]]], width: float) -> None:
    schedule = Schedule(slot_width_s=width)
    fired: list[tuple[float, int]] = []
    pushed: list[tuple[float, int]] = []

    def push(at_s: float, children: list[float]) -> None:
        number = len(pushed)
        pushed.append((at_s, number))
        schedule.push(at_s, fire, number, children)

    def fire(number: int, children: list[float], _: None) -> None:
        fired.append((schedule.now_s, number))
        for wait in children:
            push(schedule.now_s + wait, [])

    for at_s, children in plan:
        push(at_s, children)
    schedule.run(1e9)
    assert fired == sorted(pushed)
    assert len(schedule) == 0
    assert schedule.fired == len(pushed)


@settings(deadline=None, max_examples=100)
@given(st.lists(waits, max_size=30), st.lists(waits, max_size=10))
def test_a_run_in_pieces_is_the_run_in_one(times: list[float], stops: list[float]) -> None:
    def run(pieces: list[float]) -> list[tuple[float, int]]:
        schedule = Schedule()
        fired: list[tuple[float, int]] = []
        for number, at_s in enumerate(times):
            schedule.push(at_s, lambda n, b, c: fired.append((schedule.now_s, n)), number)
        for stop in pieces:
            schedule.run(stop)
            assert all(at_s <= stop for at_s, _ in fired)
        return fired

    assert run([*sorted(stops), 1e9]) == run([1e9])


def test_what_is_pushed_between_runs_before_a_waiting_slot_comes_first() -> None:
    schedule = Schedule(slot_width_s=1.0)
    fired: list[str] = []
    schedule.push(0.9, lambda a, b, c: fired.append(a), "late in the slot")
    schedule.run(0.5)
    schedule.push(0.6, lambda a, b, c: fired.append(a), "earlier in the slot")
    schedule.run(2.0)
    assert fired == ["earlier in the slot", "late in the slot"]


def test_a_run_ends_at_its_end_and_includes_it() -> None:
    schedule = Schedule()
    fired: list[int] = []
    for at_s in (1, 2, 3):
        schedule.push(at_s, lambda a, b, c: fired.append(a), at_s)
    assert schedule.run(2) == 2
    assert (fired, schedule.now_s, len(schedule)) == ([1, 2], 2, 1)


def test_run_while_stops_right_after_the_call_that_ends_it() -> None:
    schedule = Schedule()
    fired: list[int] = []
    for at_s in range(1, 6):
        schedule.push(at_s, lambda a, b, c: fired.append(a), at_s)
    assert schedule.run_while(lambda: len(fired) < 3, 10)
    assert (fired, schedule.now_s) == ([1, 2, 3], 3)
    assert not schedule.run_while(lambda: len(fired) < 9, 10)
    assert schedule.now_s == 10


@pytest.mark.parametrize("at_s", [0.5, -1.0, math.nan])
def test_the_past_is_refused(at_s: float) -> None:
    schedule = Schedule()
    schedule.run(1.0)
    with pytest.raises(ValueError, match="before now"):
        schedule.push(at_s, lambda a, b, c: None)


def test_a_call_cannot_run_the_schedule_again() -> None:
    schedule = Schedule()
    schedule.push(1, lambda a, b, c: schedule.run(2))
    with pytest.raises(RuntimeError, match="already running"):
        schedule.run(2)


def test_after_a_call_that_raised_the_rest_can_still_run() -> None:
    schedule = Schedule()
    fired: list[int] = []
    schedule.push(1, lambda a, b, c: 1 / 0)
    schedule.push(1, lambda a, b, c: fired.append(1))
    with pytest.raises(ZeroDivisionError):
        schedule.run(2)
    schedule.run(2)
    assert fired == [1]
