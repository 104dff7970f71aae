"""A universe: time, life and death, datagrams, jobs, clocks, and the one law: a seed is a universe."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.world.sim.sim_machines import WIRE, Do, Puppet, Word, player, puppet

from horoi.base.errors import StorageError
from horoi.machine import Arm, Asked, Finished, Fired, Lost, Received, Run, Save, Send, Tell
from horoi.machine.host import Hosted, Place, Started
from horoi.world.sim.latency import Constant, Uniform
from horoi.world.sim.network import Network
from horoi.world.sim.universe import Universe

ROOT = Path(__file__).parents[3]


def datagrams(seed: int = 1, **network: Any) -> Universe:
    network.setdefault("latency", Constant(50))
    made = Universe(seed, network=Network(**network), transport="datagram")
    made.add(1, puppet())
    made.add(2, puppet())
    return made


def say(made: Universe, who: Any, whom: Any, *words: str) -> None:
    made.ask(who, Do([Send(whom, Word(word)) for word in words]))


# Life


def test_the_first_event_of_every_life_is_started() -> None:
    made = Universe(1)
    made.add("a", puppet())
    made.run(1)
    first = made.machine("a")
    made.crash("a")
    made.restart("a")
    made.run(2)
    second = made.machine("a")
    assert first is not second
    assert [e for _, e in first.seen] == [e for _, e in second.seen] == [Asked(Started())]


def test_nothing_of_a_former_life_reaches_the_next() -> None:
    made = Universe(1)
    made.add("a", puppet())
    made.ask("a", Do([Arm("t", 5), Run(Work(5, "x"))]))
    made.run(1)
    made.ask("a", Do([Tell("never told")]))
    made.crash("a")
    made.restart("a")
    made.run(60)
    assert [e for _, e in made.machine("a").seen] == [Asked(Started())]
    assert made.notices("a") == []


def test_requests_to_a_host_that_is_down_or_unknown_are_refused_with_what_to_do() -> None:
    made = Universe(1)
    made.add("a", puppet())
    made.crash("a")
    made.crash("a")
    for wrong, why in ((lambda: made.ask("a", 1), "restart it"), (lambda: made.ask("x", 1), "add it")):
        with pytest.raises(ValueError, match=why):
            wrong()
    made.restart("a")
    with pytest.raises(ValueError, match="is up"):
        made.restart("a")
    with pytest.raises(ValueError, match="is here already"):
        made.add("a", puppet())


def test_a_stop_closes_in_good_order_and_a_crash_does_not() -> None:
    closed: list[str] = []
    made = Universe(1)
    for name in ("stopped", "crashed"):
        made.add(name, puppet(close=lambda name=name: closed.append(name)))
    made.stop("stopped")
    made.crash("crashed")
    assert closed == ["stopped"]


def test_a_host_can_be_removed_and_its_name_be_taken_by_a_stranger() -> None:
    made = Universe(1)
    made.add("a", puppet())
    made.remove("a")
    assert made.names == []
    made.add("a", puppet())
    made.run(1)
    assert made.is_up("a")


# Saving


class Log:
    """A boot whose machine keeps texts in a file of its disk."""

    def __call__(self, place: Place) -> Hosted:
        file = place.disk.open("log")

        def save(record: str) -> None:
            file.append(record.encode())
            file.sync()

        machine = Puppet(place, None)
        machine.content = file.read(0, file.size_bytes)  # type: ignore[attr-defined]
        return Hosted(machine, WIRE, save=save)


def test_what_was_saved_survives_a_crash() -> None:
    made = Universe(1)
    made.add("a", Log())
    made.ask("a", Do([Save("one"), Tell("saved one")]))
    made.run(1)
    made.crash("a")
    made.restart("a")
    assert made.notices("a") == ["saved one"]
    assert made.machine("a").content == b"one"


@pytest.mark.parametrize("operations", [1, 2, 3])
def test_a_crash_inside_a_save_ends_the_list_there(operations: int) -> None:
    made = Universe(1)
    made.add("a", Log())
    made.run(1)
    made.disk("a").arm_crash(operations)
    made.ask("a", Do([Save("one"), Tell("one"), Save("two"), Tell("two"), Send("b", Word("x")), Arm("t", 1)]))
    made.run(10)
    assert not made.is_up("a")
    told = made.notices("a")
    assert told in ([], ["one"])
    made.restart("a")
    assert made.machine("a").content.startswith("".join(told).encode())
    made.run(20)
    assert [e for _, e in made.machine("a").seen] == [Asked(Started())]


def test_a_host_whose_disk_is_full_stops_and_says_so() -> None:
    def save(record: Any) -> None:
        raise StorageError("the disk is full")

    made = Universe(1)
    made.add("a", puppet(save=save))
    made.ask("a", Do([Save("x"), Tell("never")]))
    made.run(3)
    assert not made.is_up("a")
    assert made.failures == [(0.0, "a", "the disk is full")]
    assert made.notices("a") == []


# Timers


def test_a_timer_is_replaced_disarmed_and_fires_once() -> None:
    made = Universe(1)
    made.add("a", puppet())
    for at_s, after_s in ((0, 5), (1, 10), (2, 1.5)):  # later, then sooner than its entry in the schedule
        made.at(at_s, lambda after_s=after_s: made.ask("a", Do([Arm("t", after_s)])))
    made.ask("a", Do([Arm("gone", 4), Arm("gone", None), Arm("never armed", None)]))
    made.ask("a", Do([Arm("again", 4), Arm("again", None), Arm("again", 7), Arm("again", 6)]))
    made.run(60)
    fired = [(now, e.timer) for now, e in made.machine("a").seen if isinstance(e, Fired)]
    assert fired == [(3.5, "t"), (6, "again")]


def test_a_timer_that_is_rearmed_often_takes_one_place_in_the_schedule() -> None:
    made = Universe(1)
    made.add("a", puppet(lambda event: [Arm("ping", 30)]))
    for tick in range(1, 1000):
        made.at(tick / 10, lambda: made.ask("a", "tick"))
    made.run(99.95)
    assert len(made.schedule) == 1


@pytest.mark.parametrize("after_s", [float("nan"), float("inf")])
def test_a_timer_needs_a_time(after_s: float) -> None:
    made = Universe(1)
    made.add("a", puppet())
    made.ask("a", Do([Arm("t", after_s)]))
    with pytest.raises(ValueError, match="timer 't' of 'a'"):
        made.run(1)


# Jobs


class Work(msgspec.Struct, frozen=True):
    modelled_s: float
    result: Any

    def run(self) -> Any:
        if self.result == "fail":
            raise ArithmeticError("it failed")
        return self.result


@pytest.mark.parametrize(("cores", "times"), [(1, [2, 4, 6]), (2, [2, 2, 4])])
def test_jobs_take_their_modelled_time_on_the_host_s_cores(cores: int, times: list[float]) -> None:
    made = Universe(1)
    made.add("a", puppet(), cores=cores)
    made.ask("a", Do([Run(Work(2, i)) for i in range(3)]))
    made.run(60)
    done = [(now, e.result) for now, e in made.machine("a").seen if isinstance(e, Finished)]
    assert done == list(zip(times, range(3), strict=True))


def test_a_job_that_raises_comes_back_with_the_exception() -> None:
    made = Universe(1)
    made.add("a", puppet())
    made.ask("a", Do([Run(Work(1, "fail"))]))
    made.run(2)
    (finished,) = made.machine("a").events(Finished)
    assert isinstance(finished.result, ArithmeticError)


# Clocks


def test_clocks_are_skewed_and_drift_and_timers_go_by_them() -> None:
    made = Universe(1, epoch_s=1000)
    made.add("a", puppet(), clock_skew_s=7, clock_drift=1.0)
    made.ask("a", Do([Arm("t", 10)]))
    made.run(60)
    (fired,) = [now for now, e in made.machine("a").seen if isinstance(e, Fired)]
    assert fired == pytest.approx(1000 + 7 + 10)
    assert made.machine("a").seen[0][0] == 1007


def test_a_clock_that_is_set_back_stands_still() -> None:
    made = Universe(1)
    made.add("a", puppet())
    for second in range(10):
        made.at(second, lambda: made.ask("a", "what time is it"))
    made.at(4.5, lambda: made.set_clock("a", -3))
    made.run(60)
    shown = [now for now, _ in made.machine("a").seen]
    assert shown == sorted(shown)
    assert shown[-1] == 6
    assert shown.count(4) == 4  # at 4, 5, 6 and 7


# Datagrams


def test_a_datagram_needs_no_link_and_finds_no_stranger() -> None:
    made = datagrams()
    say(made, 1, 2, "x")
    say(made, 1, 3, "nobody")
    made.run(1)
    assert made.machine(2).seen[-1] == (0.05, Received(1, Word("x")))
    assert made.sent_messages == 1


def count_words(**network: Any) -> list[str]:
    made = datagrams(**network)
    for number in range(2000):
        say(made, 1, 2, str(number))
        made.run_for(0.001)
    made.run_for(5)
    return list(made.machine(2).words())


def test_datagrams_are_lost() -> None:
    words = count_words(loss=0.3)
    assert 1300 < len(words) < 1500
    assert len(set(words)) == len(words)


def test_datagrams_are_duplicated() -> None:
    words = count_words(duplicate=0.3)
    assert 2500 < len(words) < 2700
    assert len(set(words)) == 2000


def test_datagrams_are_reordered() -> None:
    words = [int(word) for word in count_words(reorder=0.1)]
    assert sorted(words) == list(range(2000))
    assert 100 < sum(a > b for a, b in pairwise(words)) < 300
    assert [int(word) for word in count_words()] == list(range(2000))


def test_datagrams_stop_at_a_cut_in_its_direction() -> None:
    made = datagrams()
    made.cut(1, 2, one_way=True)
    say(made, 1, 2, "stopped")
    say(made, 2, 1, "passed")
    made.run(1)
    assert made.machine(2).words() == []
    assert made.machine(1).words() == ["passed"]


def test_a_host_may_speak_both() -> None:
    made = Universe(1, network=Network(latency=Constant(50)), transport="both")
    made.add("a", player("b"))
    made.add("b", puppet())
    made.add("c", puppet(), transport="links")
    made.run(1)
    assert made.linked("b") == ["a"]
    say(made, "b", "c", "no datagrams here")
    made.run(2)
    assert made.machine("c").words() == []


# Messages and notices


def test_what_cannot_be_encoded_cannot_be_sent() -> None:
    made = datagrams()
    made.ask(1, Do([Send(2, object())]))
    with pytest.raises(TypeError):
        made.run(1)


def test_without_the_codec_objects_pass_and_sizes_are_what_they_are_said_to_be() -> None:
    made = Universe(
        1, network=Network(latency=Constant(50), uplink_bytes_per_s=100), transport="datagram", codec=False,
        sizes=lambda message: 50,
    )  # fmt: skip
    made.add(1, puppet())
    made.add(2, puppet())
    thing = object()
    made.ask(1, Do([Send(2, thing)]))
    made.run(1)
    (received,) = made.machine(2).events(Received)
    assert received.message is thing
    assert made.machine(2).time_of(Received) == pytest.approx(0.55)
    assert made.sent_bytes == 50


def test_notices_are_kept_and_heard_in_order() -> None:
    heard: list[Any] = []
    made = Universe(1, on_notice=lambda name, notice: heard.append((name, notice)))
    made.add("a", puppet())
    made.ask("a", Do([Tell("x"), Tell(3)]))
    made.run(1)
    assert heard == [("a", "x"), ("a", 3)]
    assert made.notices("a") == ["x", 3]
    assert made.notices("a", int) == [3]


def test_a_listener_that_crashes_the_host_ends_its_list() -> None:
    made = Universe(1, on_notice=lambda name, notice: made.crash(name))
    made.add("a", puppet())
    made.ask("a", Do([Tell("first"), Tell("second")]))
    made.run(1)
    assert made.notices("a") == ["first"]


def test_an_answer_that_is_no_action_is_named() -> None:
    made = Universe(1)
    made.add("a", puppet())
    made.ask("a", Do(["nonsense"]))
    with pytest.raises(TypeError, match="'nonsense'"):
        made.run(1)


# One seed is one universe


def scenario(seed: int, salt: float = 0.0) -> Universe:
    """Links under crashes and partitions, players with dice, and datagrams with loss, for a minute."""
    made = Universe(seed, network=Network(latency=Uniform(5, 80), loss=0.02, duplicate=0.01), transport="both")
    names = [f"p{number}" for number in range(8)]
    for number, name in enumerate(names):
        made.add(name, player(names[number - 1]))
    made.at(10 + salt, lambda: made.crash("p3"))
    made.at(15, lambda: made.restart("p3"))
    made.at(20, lambda: made.partition(names[:4], names[4:]))
    made.at(40, made.heal)
    made.at(45, lambda: made.freeze("p5"))
    made.at(50, lambda: made.thaw("p5"))
    made.run(60)
    return made


def test_the_same_seed_is_the_same_universe() -> None:
    first, second = scenario(5), scenario(5)
    assert first.digest == second.digest
    assert first.trace_lines == second.trace_lines
    assert first.events > 1000


def test_another_seed_or_another_script_is_another_universe() -> None:
    assert len({scenario(5).digest, scenario(6).digest, scenario(5, 1e-6).digest}) == 3


def test_a_seed_is_the_same_universe_in_every_process() -> None:
    code = "from tests.world.sim.test_sim_universe import scenario; print(scenario(5).digest)"
    digests = []
    for hash_seed in ("0", "4242"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        digests.append(done.stdout.strip())
    assert digests == [scenario(5).digest] * 2


def test_dice_of_one_purpose_do_not_disturb_another_s() -> None:
    made = Universe(1)
    alone = made.dice("x").random()
    made.dice("y").random()
    assert made.dice("x").random() == alone
    assert made.dice("x", "a").random() != made.dice("x", b"a").random()


def test_a_life_has_dice_of_its_own() -> None:
    made = Universe(1)
    made.add("a", lambda place: Hosted(Puppet(place, None), WIRE))
    first = made.machine("a").place.dice.random()
    made.crash("a")
    made.restart("a")
    assert made.machine("a").place.dice.random() != first


def test_run_until_waits_for_a_condition_and_gives_up_at_the_limit() -> None:
    made = Universe(1)
    made.add("a", player("b"))
    made.add("b", player())
    assert made.run_until(lambda: made.machine("a").score >= 10, 60)
    assert made.machine("a").score == 10
    assert not made.run_until(lambda: made.machine("a").score < 0, 5)


def test_an_error_comes_with_the_last_events_and_the_seed() -> None:
    def fail(event: Any) -> list[Any]:
        if isinstance(event, Lost):
            raise ArithmeticError("a bug")
        return []

    made = Universe(77)
    made.add("a", player("b"))
    made.add("b", puppet(fail))
    made.at(5, lambda: made.crash("a"))
    with pytest.raises(ArithmeticError) as caught:
        made.run(10)
    (note,) = caught.value.__notes__
    assert "seed 77" in note
    assert "HOROI_SEED=77" in note
    assert "lost a" in note
    assert "-- crashed" in note


def test_an_assertion_inside_a_universe_is_explained_too() -> None:
    with pytest.raises(AssertionError) as caught, Universe(78) as made:  # noqa: PT012
        made.add("a", player())
        made.run(1)
        assert made.now == 2
    assert "seed 78" in caught.value.__notes__[-1]


def test_large_names_and_strange_contents_have_a_digest() -> None:
    made = Universe(1, transport="datagram", codec=False)
    name = 1 << 159
    made.add(name, puppet(wire=None))
    made.ask(name, Do([Tell({1, 2}), Run(Work(1, {"k": frozenset({b"a", b"b"}), "big": 1 << 90}))]))
    made.run(2)
    assert len(made.digest) == 32
    with pytest.raises(ValueError, match="digest=False"):
        _ = Universe(1, digest=False).digest
