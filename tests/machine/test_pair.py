"""Two machines, a conversation held still, and its golden text."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from horoi.machine import (
    Action,
    Arm,
    Asked,
    Drop,
    Event,
    Finished,
    Fired,
    Linked,
    Lost,
    Received,
    Run,
    Save,
    Send,
    Tell,
)
from horoi.machine.pair import Pair
from horoi.machine.wire import Message, Wire


class Offer(Message, frozen=True, tag="offer"):
    number: int


class Answer(Message, frozen=True, tag="answer"):
    number: int


WIRE = Wire([Offer, Answer], max_size_bytes=100)


class Double(msgspec.Struct, frozen=True):
    number: int
    modelled_s: float = 1.0

    def run(self) -> int:
        if self.number < 0:
            raise ValueError("negative")
        return 2 * self.number


class Asker:
    """Sends a number until it is answered; saves the answer."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.waiting: int | None = None

    def handle(self, event: Event, now: float) -> list[Action]:
        match event:
            case Asked(int(number)):
                self.waiting = number
                return [Send(self.peer, Offer(number)), Arm("resend", 2)]
            case Fired("resend") if self.waiting is not None:
                return [Send(self.peer, Offer(self.waiting)), Arm("resend", 2)]
            case Received(_, Answer(number)) if self.waiting is not None:
                self.waiting = None
                return [Save(number), Arm("resend", None), Tell(number), Drop(self.peer, "done")]
            case Lost(peer):
                return [Tell(("lost", peer))]
        return []


class Doubler:
    """Answers with twice the number, as a job."""

    def __init__(self) -> None:
        self.asker: Any = None

    def handle(self, event: Event, now: float) -> list[Action]:
        match event:
            case Linked():
                return []
            case Received(peer, Offer(number)):
                self.asker = peer
                return [Run(Double(number))]
            case Finished(_, ValueError()):
                return [Send("carol", Answer(0))]
            case Finished(_, number):
                return [Send(self.asker, Answer(number))]
            case Lost(peer):
                return [Tell(("lost", peer))]
        return []


def pair() -> Pair:
    made = Pair(Asker("b"), Doubler(), wire=WIRE)
    made.link()
    return made


def test_a_conversation_reads_like_this() -> None:
    made = pair()
    made.ask("a", 21)
    made.drop_next("b")
    made.advance(2)
    made.run_until_quiet()
    assert (
        made.text
        == """\
link a -> b
ask a: 21
  a -> b: Offer(number=21)
  a arms: 'resend' in 2 s
drop a -> b: Offer(number=21)
advance 2 s
fire a: 'resend'
  a -> b: Offer(number=21)
  a arms: 'resend' in 2 s
deliver a -> b: Offer(number=21)
  b runs: Double
finish b: Double -> 42
  b -> a: Answer(number=42)
deliver b -> a: Answer(number=42)
  a saves: 42
  a disarms: 'resend'
  a tells: 42
  a drops: b (done)
  a tells: ('lost', 'b')
close a -> b
  b tells: ('lost', 'a')"""
    )
    assert made.saved == {"a": [42], "b": []}
    assert made.notices["a"] == [42, ("lost", "b")]
    assert made.timers("a") == {}


def test_messages_wait_and_can_be_duplicated_and_reordered() -> None:
    made = pair()
    for number in (1, 2, 3):
        made.ask("a", number)
    made.duplicate_next("b")
    made.reorder_next("b")
    assert made.waiting("b") == [Offer(1), Offer(2), Offer(3), Offer(1)]
    assert made.deliver("b")
    assert made.waiting("b") == [Offer(2), Offer(3), Offer(1)]
    assert not made.deliver("a")


def test_timers_fire_in_order_and_only_when_due() -> None:
    class Three:
        def handle(self, event: Event, now: float) -> list[Action]:
            if isinstance(event, Asked):
                return [Arm("late", 3), Arm("early", 1), Arm("same", 3), Arm("never", 9)]
            return [Tell((event.timer, now))] if isinstance(event, Fired) else []

    made = Pair(Three(), Three())
    made.ask("a", None)
    assert made.advance(5) == 3
    assert made.notices["a"] == [("early", 1), ("late", 3), ("same", 3)]
    assert made.timers("a") == {"never": 9}


def test_a_job_that_raises_comes_back_as_its_exception_and_sends_to_others_are_written_down() -> None:
    made = pair()
    made.ask("a", -1)
    made.run_until_quiet()
    assert "finish b: Double -> ValueError('negative')" in made.lines
    assert made.lines[-1] == "  b -> carol: Answer(number=0) (nobody there)"
    assert not made.finish_job()


def test_a_broken_link_loses_what_was_under_way() -> None:
    made = pair()
    made.ask("a", 1)
    made.unlink()
    assert made.waiting("b") == []
    assert made.notices == {"a": [("lost", "b")], "b": [("lost", "a")]}


def test_text_is_taken_in_pieces() -> None:
    made = pair()
    assert made.take_text() == "link a -> b"
    assert made.text == ""


def test_machines_that_chase_each_other_are_stopped() -> None:
    class Echo:
        def handle(self, event: Event, now: float) -> list[Action]:
            return [Send(event.peer, event.message)] if isinstance(event, Received) else [Send("b", Offer(1))]

    made = Pair(Echo(), Echo())
    made.ask("a", None)
    with pytest.raises(RuntimeError, match="not quiet"):
        made.run_until_quiet()


def test_wrong_use_is_named() -> None:
    made = pair()
    for wrong, why in (
        (lambda: made.ask("x", 1), "no machine 'x'"),
        (lambda: made.drop_next("b"), "no message is under way"),
        (lambda: made.advance(-1), "does not step back"),
        (made.link, "up already"),
        (lambda: Pair(Doubler(), Doubler(), names=("a", "a")), "two names"),
    ):
        with pytest.raises(ValueError, match=why):
            wrong()
