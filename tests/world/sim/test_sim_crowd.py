"""The crowd: datagrams, timers and notices of many machines, in the order of a universe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from horoi.machine.contract import Action, Arm, Asked, Drop, Event, Finished, Fired, Received, Run, Save, Send, Tell
from horoi.machine.host import Hosted
from horoi.world.sim.crowd import Crowd
from horoi.world.sim.latency import Constant, Uniform
from horoi.world.sim.network import Network
from horoi.world.sim.universe import Universe


class Puppet:
    """Answers with what ``react`` says and keeps what it sees."""

    def __init__(self, react: Callable[[Event], list[Action]] = lambda _: []) -> None:
        self.react = react
        self.seen: list[tuple[float, Event]] = []

    def handle(self, event: Event, now: float) -> list[Action]:
        self.seen.append((now, event))
        if isinstance(event, Asked) and isinstance(event.request, list):
            return list(event.request)
        return self.react(event)


def crowd(told: list[Any] | None = None, **options: Any) -> Crowd:
    network = Network(latency=options.pop("latency", Constant(50)), loss=options.pop("loss", 0.0))
    return Crowd(
        1, network=network, on_notice=lambda *notice: told.append(notice) if told is not None else None, **options
    )


def test_a_datagram_takes_its_latency_and_a_notice_none() -> None:
    told: list[Any] = []
    here = crowd(told)
    a, b = Puppet(), Puppet(lambda _: [Tell("got it")])
    here.add(1, a)
    here.add(2, b)
    here.ask(1, [Send(2, "hello"), Send(3, "nobody")])
    here.run_for(1.0)
    assert b.seen == [(0.05, Received(1, "hello"))]
    assert told == [(2, "got it")]


def test_timers_are_named_and_replaceable() -> None:
    here, a = crowd(), Puppet()
    here.add(1, a)
    here.ask(1, [Arm("x", 1.0), Arm("y", 1.0), Arm("z", 1.0), Arm("x", 2.0), Arm("y", None), Arm("z", 0.5)])
    here.run_for(5.0)
    assert a.seen[1:] == [(0.5, Fired("z")), (2.0, Fired("x"))]


def test_who_is_removed_hears_nothing_more_and_its_place_may_be_taken() -> None:
    here, a, b = crowd(), Puppet(), Puppet()
    here.add(1, a)
    here.add(2, b)
    here.ask(1, [Arm("late", 1.0), Send(2, "x")])
    here.ask(2, [Arm("late", 1.0)])
    here.run_for(0.01)
    here.remove(2)
    assert not here.is_up(2)
    here.add(2, Puppet())
    here.run_for(5.0)
    assert [event for _, event in b.seen if not isinstance(event, Asked)] == []
    assert here.machine(2).seen == []
    assert [event for _, event in a.seen][1:] == [Fired("late")]
    with pytest.raises(ValueError, match="already"):
        here.add(1, Puppet())


def test_loss_loses_its_share_and_sizes_see_all() -> None:
    sizes: list[Any] = []
    here = crowd(loss=0.25, sizes=sizes.append)
    here.add(1, Puppet())
    here.add(2, Puppet())
    here.ask(1, [Send(2, n) for n in range(2000)])
    here.run_for(1.0)
    assert len(sizes) == 2000
    assert 1400 < len(here.machine(2).seen) < 1600


class Sum:
    modelled_s = 0.25

    def run(self) -> int:
        return 7


def test_jobs_take_their_modelled_time_and_saves_are_forgotten() -> None:
    here, a = crowd(), Puppet()
    here.add(1, a)
    job = Sum()
    here.ask(1, [Run(job), Save("note")])
    here.run_for(1.0)
    assert a.seen[1:] == [(0.25, Finished(job, 7))]


def test_what_a_crowd_cannot_do_is_refused() -> None:
    here = crowd()
    here.add(1, Puppet())
    here.ask(1, [Drop(2)])
    with pytest.raises(TypeError, match="does not carry out"):
        here.run_for(1.0)
    with pytest.raises(ValueError, match="use a Universe"):
        Crowd(1, network=Network(duplicate=0.5), on_notice=lambda *_: None)


def test_a_crowd_is_the_universe_of_its_seed() -> None:
    """The same machines and script see the same things at the same times in both worlds."""

    def echo(event: Event) -> list[Action]:
        return [Send(event.peer, event.message + 1)] if isinstance(event, Received) and event.message < 50 else []

    def network() -> Network:
        return Network(latency=Uniform(5, 95), loss=0.01)

    here = Crowd(9, network=network(), on_notice=lambda *_: None)
    universe = Universe(9, network=network(), transport="datagram", codec=False)
    ours, theirs = [Puppet(echo) for _ in range(10)], [Puppet(echo) for _ in range(10)]
    for n in range(10):
        here.add(n, ours[n])
        universe.add(n, lambda place: Hosted(theirs[place.name], None))
    universe.run(0.0)
    for puppet in theirs:
        puppet.seen.clear()
    for n in range(10):
        here.ask(n, [Send((n + 3) % 10, 0)])
        universe.ask(n, [Send((n + 3) % 10, 0)])
    here.run_for(30.0)
    universe.run_for(30.0)
    assert [puppet.seen for puppet in ours] == [puppet.seen for puppet in theirs]
