"""Links: set-up, order, ends; exactly one answer per dial, exactly one Lost per Linked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.world.sim.sim_machines import Do, Word, puppet

from horoi.machine import Dial, Drop, Linked, Lost, Received, Send, Tell, Unlinked
from horoi.world.sim.latency import Constant, Uniform
from horoi.world.sim.network import Network, PairFault
from horoi.world.sim.universe import Universe


def universe(*names: str, latency: object = None, **network: object) -> Universe:
    made = Universe(1, network=Network(latency=latency or Constant(50), **network))  # type: ignore[arg-type]
    for name in names:
        made.add(name, puppet())
    return made


def dial(made: Universe, who: str, whom: str, **expect: object) -> None:
    made.ask(who, Do([Tell(Dial(whom, **expect))]))  # type: ignore[arg-type]


def say(made: Universe, who: str, whom: str, *words: str) -> None:
    made.ask(who, Do([Send(whom, Word(word)) for word in words]))


def linked_pair(**network: object) -> Universe:
    made = universe("a", "b", **network)
    dial(made, "a", "b")
    made.run_for(1)
    assert made.linked("a") == ["b"]
    return made


def test_a_dial_takes_its_round_trips_and_both_sides_hear_of_it() -> None:
    made = universe("a", "b")
    dial(made, "a", "b")
    made.run(1)
    a, b = made.machine("a"), made.machine("b")
    assert a.events(Linked) == [Linked("b", "b", outbound=True)]
    assert a.time_of(Linked) == pytest.approx(0.2)  # TCP and TLS 1.3: two round trips
    (inbound,) = b.events(Linked)
    assert (inbound.peer, inbound.outbound) == ("a", False)
    assert inbound.address.startswith("a:")
    assert b.time_of(Linked) == pytest.approx(0.25)


@pytest.mark.parametrize("state", ["nobody", "crashed", "partitioned", "frozen"])
def test_a_dial_to_nobody_times_out(state: str) -> None:
    made = universe("a", "b")
    if state == "crashed":
        made.crash("b")
    if state == "partitioned":
        made.partition(["a"], ["b"])
    if state == "frozen":
        made.freeze("b")
    dial(made, "a", "carol" if state == "nobody" else "b")
    made.run(60)
    a = made.machine("a")
    assert [u.reason for u in a.events(Unlinked)] == ["timed out"]
    assert a.time_of(Unlinked) == pytest.approx(10)
    assert not a.events(Linked)


def test_a_dial_finds_a_peer_that_comes_back_in_time() -> None:
    made = universe("a", "b")
    made.partition(["a"], ["b"])
    dial(made, "a", "b")
    made.at(2, made.heal)
    made.run(60)
    assert made.linked("b") == ["a"]
    assert 2 < made.machine("a").time_of(Linked) < 5


def test_a_stopped_peer_refuses_at_once() -> None:
    made = universe("a", "b")
    made.stop("b")
    dial(made, "a", "b")
    made.run(1)
    assert [u.reason for u in made.machine("a").events(Unlinked)] == ["refused"]


def test_a_dial_that_expects_another_peer_fails_and_a_dial_to_oneself_too() -> None:
    made = universe("a", "b")
    dial(made, "a", "b", expect="carol")
    dial(made, "a", "a")
    made.run(1)
    reasons = [u.reason for u in made.machine("a").events(Unlinked)]
    assert reasons == ["that is this peer's own address", "another peer lives there: 'b', not 'carol'"]
    assert made.linked("a") == made.linked("b") == []


@pytest.mark.parametrize("first", ["a", "b"])
@pytest.mark.parametrize("head_start_s", [0.0, 0.05, 0.15])
def test_of_two_dials_at_once_the_smaller_name_s_is_kept(first: str, head_start_s: float) -> None:
    made = universe("a", "b")
    second = "b" if first == "a" else "a"
    dial(made, first, second)
    made.run(head_start_s)
    dial(made, second, first)
    made.run(20)
    a, b = made.machine("a"), made.machine("b")
    assert [up.outbound for up in a.events(Linked)] == [True]
    assert [up.outbound for up in b.events(Linked)] == [False]
    assert len(b.events(Unlinked)) == 1
    assert not a.events(Lost)
    assert not b.events(Lost)


def test_a_second_link_to_the_same_peer_is_refused_and_the_first_stays() -> None:
    made = linked_pair()
    dial(made, "b", "a")
    dial(made, "a", "b")
    made.run_for(5)
    for name in "ab":
        machine = made.machine(name)
        assert len(machine.events(Linked)) == len(machine.events(Unlinked)) == 1
        assert not machine.events(Lost)


def test_one_dial_of_an_address_at_a_time() -> None:
    made = universe("a", "b")
    dial(made, "a", "b")
    dial(made, "a", "b")
    made.run(5)
    assert len(made.machine("a").events(Linked)) == 1
    assert not made.machine("a").events(Unlinked)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), loss=st.sampled_from([0.0, 0.1, 0.5]))
def test_a_link_keeps_order_and_loses_nothing(seed: int, loss: float) -> None:
    made = Universe(seed, network=Network(latency=Uniform(1, 500), loss=loss))
    made.add("a", puppet())
    made.add("b", puppet())
    dial(made, "a", "b")
    assert made.run_until(lambda: made.linked("b") == ["a"], 60)
    words = [str(number) for number in range(40)]
    for word in words:
        say(made, "a", "b", word)
        say(made, "b", "a", word)
        made.run_for(0.01)
    made.run_for(600)
    assert made.machine("b").words() == words
    assert made.machine("a").words() == words


def test_loss_is_delay_on_a_link() -> None:
    made = linked_pair()
    made.fault("a", "b", PairFault(loss=0.9))
    began = made.now
    say(made, "a", "b", "x")
    made.run_for(500)
    assert made.machine("b").words() == ["x"]
    assert made.machine("b").time_of(Received) - began > 0.2


def test_extra_delay_of_a_pair_is_only_theirs() -> None:
    made = linked_pair()
    made.fault("a", "b", PairFault(extra_s=3))
    say(made, "a", "b", "x")
    made.run_for(3)
    assert made.machine("b").words() == []
    made.run_for(1)
    assert made.machine("b").words() == ["x"]


def test_a_drop_delivers_what_was_sent_before_and_then_both_hear_lost() -> None:
    made = linked_pair()
    made.ask("a", Do([Send("b", Word("last")), Drop("b", "enough"), Send("b", Word("too late"))]))
    say(made, "b", "a", "never read")
    made.run_for(1)
    a, b = made.machine("a"), made.machine("b")
    assert b.words() == ["last"]
    assert a.words() == []
    assert a.events(Lost) == [Lost("b")]
    assert b.events(Lost) == [Lost("a")]
    assert made.linked("a") == made.linked("b") == []


def test_after_a_drop_a_new_link_can_be_dialed_at_once() -> None:
    made = linked_pair()
    made.ask("a", Do([Drop("b"), Tell(Dial("b"))]))
    made.run_for(1)
    for name, other in ("ab", "ba"):
        kinds = [type(e) for e in made.machine(name).events(object) if isinstance(e, Linked | Lost)]
        assert kinds == [Linked, Lost, Linked]
        assert made.linked(name) == [other]


def test_sending_to_a_stranger_or_dropping_one_is_nothing() -> None:
    made = universe("a", "b")
    made.ask("a", Do([Send("b", Word("x")), Drop("b"), Drop("nobody")]))
    made.run(1)
    assert not made.machine("b").events(Received)
    assert not made.machine("a").events(Lost)


def test_a_short_partition_delays_and_loses_nothing() -> None:
    made = linked_pair()
    made.partition(["a"], ["b"])
    say(made, "a", "b", "1", "2")
    made.run_for(5)
    say(made, "a", "b", "3")
    made.run_for(5)
    assert made.machine("b").words() == []
    made.heal()
    say(made, "a", "b", "4")
    made.run_for(15)
    assert made.machine("b").words() == ["1", "2", "3", "4"]
    assert not made.machine("a").events(Lost)


def test_what_was_in_flight_when_the_cut_came_is_sent_again() -> None:
    made = linked_pair()
    say(made, "a", "b", "in flight")
    made.run_for(0.02)
    made.cut("a", "b")
    made.run_for(5)
    assert made.machine("b").words() == []
    made.mend("a", "b")
    made.run_for(15)
    assert made.machine("b").words() == ["in flight"]


def test_a_long_partition_breaks_the_link_on_both_sides() -> None:
    made = linked_pair(link_timeout_s=30.0)
    made.partition(["a"], ["b"])
    cut_at = made.now
    say(made, "a", "b", "lost for ever")
    made.run_for(100)
    made.heal()
    made.run_for(100)
    for name in "ab":
        assert len(made.machine(name).events(Lost)) == 1
        assert made.machine(name).time_of(Lost) == pytest.approx(cut_at + 30)
    assert made.machine("b").words() == []


def test_a_one_way_cut_stops_a_link_in_both_directions() -> None:
    made = linked_pair()
    made.cut("a", "b", one_way=True)
    say(made, "b", "a", "x")
    made.run_for(5)
    assert made.machine("a").words() == []
    made.run_for(60)
    assert len(made.machine("a").events(Lost)) == len(made.machine("b").events(Lost)) == 1


def test_the_peers_of_a_crash_hear_lost_after_the_network_s_delay() -> None:
    made = linked_pair()
    made.crash("b")
    crashed_at = made.now
    made.run_for(10)
    assert made.machine("a").time_of(Lost) == pytest.approx(crashed_at + 0.05)
    assert not made.is_up("b")


def test_the_peers_of_a_power_cut_hear_lost_after_the_timeout() -> None:
    made = linked_pair()
    made.crash("b", silent=True)
    crashed_at = made.now
    made.run_for(100)
    assert made.machine("a").time_of(Lost) == pytest.approx(crashed_at + 30)


def test_speaking_to_the_next_life_of_a_peer_that_lost_its_power_ends_the_old_link() -> None:
    made = linked_pair()
    made.crash("b", silent=True)
    made.restart("b")
    made.run_for(5)
    assert not made.machine("a").events(Lost)
    say(made, "a", "b", "are you there?")
    made.run_for(1)
    assert made.machine("a").events(Lost) == [Lost("b")]
    assert made.machine("b").words() == []


def test_a_peer_that_comes_back_and_dials_replaces_its_dead_link() -> None:
    made = linked_pair()
    made.crash("a", silent=True)
    made.restart("a")
    dial(made, "a", "b")
    made.run_for(60)
    kinds = [type(e) for e in made.machine("b").events(object) if isinstance(e, Linked | Lost)]
    assert kinds == [Linked, Lost, Linked]
    assert made.linked("a") == ["b"]


def test_a_frozen_peer_is_silent_and_goes_on_in_order() -> None:
    made = linked_pair()
    made.freeze("b")
    say(made, "a", "b", "1", "2")
    made.run_for(100)
    assert made.machine("b").words() == []
    assert not made.machine("a").events(Lost)
    say(made, "a", "b", "3")
    made.run_for(0.05)  # arrives at the very moment of the thaw
    made.thaw("b")
    made.run_for(1)
    assert made.machine("b").words() == ["1", "2", "3"]


def test_garbage_costs_its_sender_the_link() -> None:
    made = Universe(1, network=Network(latency=Constant(50)))
    made.add("honest", puppet())
    made.add("liar", puppet(wire=None))  # what it sends goes out as it is
    dial(made, "liar", "honest")
    made.run_for(1)
    made.ask("liar", Do([Send("honest", b"\xc1garbage")]))
    made.run_for(1)
    assert not made.machine("honest").events(Received)
    assert made.machine("honest").events(Lost) == [Lost("liar")]
    assert made.machine("liar").events(Lost) == [Lost("honest")]


def test_an_uplink_sends_one_message_after_the_other() -> None:
    made = linked_pair(uplink_bytes_per_s=1000.0)
    began = made.now
    say(made, "a", "b", "x" * 1000, "y" * 1000)
    made.run_for(10)
    arrivals = [now - began for now, event in made.machine("b").seen if isinstance(event, Received)]
    assert arrivals == [pytest.approx(1.06, abs=0.02), pytest.approx(2.06, abs=0.03)]


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1_000_000))
def test_under_any_faults_linked_and_lost_alternate_and_every_dial_is_answered(seed: int) -> None:
    mortal = "d"  # the others keep their first life, and with it the record of what they heard
    names = ["a", "b", "c", mortal]
    with Universe(seed, network=Network(latency=Uniform(1, 300), loss=0.05)) as made:
        for name in names:
            made.add(name, puppet())
        dice = made.dice("script")
        dialed = dict.fromkeys(names, 0)
        for _ in range(80):
            name, other = dice.sample(names, 2)
            match dice.randrange(12):
                case 0 | 1 | 2 | 3 if made.is_up(name) and made.host(name).backlog is None:
                    dialed[name] += other not in (made.host(name).dials or {})
                    dial(made, name, other)
                    made.run_for(0)
                case 4 if made.is_up(name):
                    made.ask(name, Do([Send(other, Word("x")), Drop(other)]))
                case 5:
                    made.partition([name], [other])
                case 6:
                    made.heal()
                case 7 if made.is_up(name):
                    made.freeze(name)
                case 8:
                    made.thaw(name)
                case 9 if made.is_up(name):
                    say(made, name, other, "x")
                case 10:
                    made.crash(mortal, silent=dice.random() < 0.5)
                case 11 if not made.is_up(mortal):
                    made.restart(mortal)
            made.run_for(dice.choice([0.0, 0.01, 0.3, 2, 40]))
        made.heal()
        for name in names:
            made.thaw(name)
        made.run_for(1000)
        for name in names[:3]:
            machine = made.machine(name)
            answers = [up for up in machine.events(Linked) if up.outbound] + machine.events(Unlinked)
            assert len(answers) == dialed[name]
            for other in names:
                ups = [type(e) for e in machine.events(object) if isinstance(e, Linked | Lost) and e.peer == other]
                assert ups == [Linked if i % 2 == 0 else Lost for i in range(len(ups))]
                assert (other in made.linked(name)) == (len(ups) % 2 == 1) == (name in made.linked(other))
