"""A stack routes every event to whom it concerns and prefixes what leaves it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from horoi.machine import Action, Arm, Asked, Event, Finished, Fired, Linked, Lost, Received, Run, Send, Tell
from horoi.machine.stack import MAX_TELLS_PER_EVENT, NamedJob, Stack
from horoi.machine.wire import Message, Wire


class Low(Message, frozen=True, tag="low"):
    n: int


class High(Message, frozen=True, tag="high"):
    n: int


class Found(msgspec.Struct, frozen=True):
    n: int


class Wanted(msgspec.Struct, frozen=True):
    n: int


class Heavy(msgspec.Struct, frozen=True):
    n: int
    modelled_s: float = 0.5

    def run(self) -> int:
        return self.n + 1


class Recorder:
    """Keeps its events and answers from a table by type of the event or of its request."""

    def __init__(self, kinds: list[type[Message]], hears: tuple[type, ...], answers: dict[type, list[Action]]) -> None:
        self.wire = Wire(kinds, max_size_bytes=100) if kinds else None
        self.hears = hears
        self.answers = answers
        self.seen: list[Event] = []

    def handle(self, event: Event, now: float) -> list[Action]:
        self.seen.append(event)
        key: Any = type(event.request) if isinstance(event, Asked) else type(event)
        return self.answers.get(key, [])


def stack_of(low: dict[type, list[Action]], high: dict[type, list[Action]]) -> tuple[Stack, Recorder, Recorder]:
    first = Recorder([Low], (Linked, Wanted), low)
    second = Recorder([High], (Linked, Found), high)
    return Stack({"low": first, "high": second}), first, second


def test_messages_go_to_the_owner_of_their_type() -> None:
    stack, low, high = stack_of({}, {})
    stack.handle(Received("p", Low(1)), 0)
    stack.handle(Received("p", High(2)), 0)
    assert low.seen == [Received("p", Low(1))]
    assert high.seen == [Received("p", High(2))]


def test_a_message_of_nobody_is_nothing() -> None:
    stack, low, high = stack_of({}, {})
    assert stack.handle(Received("p", "what?"), 0) == []
    assert low.seen == high.seen == []


def test_two_machines_cannot_take_one_type() -> None:
    machine = Recorder([Low], (), {})
    with pytest.raises(ValueError, match="Low is taken by a and b"):
        Stack({"a": machine, "b": machine})


def test_requests_go_to_all_that_hear_them_in_order() -> None:
    stack, low, high = stack_of({Linked: [Send("p", Low(1))]}, {Linked: [Send("p", High(2))]})
    up = Linked("p", "p:1", outbound=True)
    assert stack.handle(Asked(up), 0) == [Send("p", Low(1)), Send("p", High(2))]
    assert low.seen == high.seen == [Asked(up)]
    assert stack.hears(Found)
    assert not stack.hears(int)


def test_lost_goes_to_all() -> None:
    stack, low, high = stack_of({}, {})
    stack.handle(Lost("p"), 0)
    assert low.seen == high.seen == [Lost("p")]


def test_timers_and_jobs_come_back_to_whom_they_belong() -> None:
    stack, low, high = stack_of({Wanted: [Arm("t", 5), Run(Heavy(1))]}, {Found: [Arm("t", None), Run(Heavy(2))]})
    arm, run = stack.handle(Asked(Wanted(0)), 0)
    assert arm == Arm(("low", "t"), 5)
    assert isinstance(run, Run)
    assert isinstance(run.job, NamedJob)
    assert (run.job.modelled_s, run.job.run()) == (0.5, 2)
    stack.handle(Fired(("low", "t")), 5)
    stack.handle(Finished(run.job, 2), 6)
    assert low.seen[1:] == [Fired("t"), Finished(Heavy(1), 2)]
    assert high.seen == []
    assert stack.handle(Asked(Found(0)), 7)[0] == Arm(("high", "t"), None)


def test_a_notice_reaches_the_neighbour_that_hears_it_and_the_application() -> None:
    stack, _, high = stack_of({Wanted: [Tell(Found(7)), Send("p", Low(1))]}, {Found: [Send("p", High(7))]})
    assert stack.handle(Asked(Wanted(7)), 0) == [Tell(Found(7)), Send("p", Low(1)), Send("p", High(7))]
    assert high.seen == [Asked(Found(7))]


def test_notices_that_chase_each_other_stop_loudly() -> None:
    stack, low, _ = stack_of({Wanted: [Tell(Found(0))]}, {Found: [Tell(Wanted(0))]})
    with pytest.raises(RuntimeError, match="told itself"):
        stack.handle(Asked(Wanted(0)), 0)
    assert len(low.seen) <= MAX_TELLS_PER_EVENT


def test_a_stack_may_stand_in_a_stack() -> None:
    inner, low, _ = stack_of({Wanted: [Arm("t", 1)]}, {})
    inner_machine: Any = inner
    inner_machine.wire = None
    inner_machine.hears = (Wanted,)
    outer = Stack({"inner": inner_machine})
    assert outer.handle(Asked(Wanted(0)), 0) == [Arm(("inner", ("low", "t")), 1)]
    outer.handle(Fired(("inner", ("low", "t"))), 1)
    assert low.seen[-1] == Fired("t")
