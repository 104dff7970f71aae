"""What a host does with a machine's actions: timers, jobs, saves, notices, failures. Over real loops, and UDP or no peer."""

from __future__ import annotations

import asyncio
import random
import threading
from typing import Any

import pytest
from live_pingpong import NETWORK, Ball, Do, Throw, heard, in_loops, link, make_host, running, until

from horoi.base.errors import NetworkError, StorageError, UsageError
from horoi.machine import Arm, Asked, Finished, Fired, Lost, Run, Save, Tell
from horoi.machine.host import Hosted, Place, Started
from horoi.world.live.clock import SteadyClock
from horoi.world.live.host import LiveHost
from horoi.world.live.jobs import JobsFullError
from horoi.world.live.node_key import NodeKey
from horoi.world.live.notices import MAX_LISTENERS


class Work:
    """A job that runs a function."""

    modelled_s = 0.0

    def __init__(self, function: Any) -> None:
        self.run = function


@in_loops
async def test_started_comes_first_and_the_place_is_given() -> None:
    places: list[Place] = []
    host = make_host(listen=None)
    boot = host._boot

    def watched(place: Place) -> Hosted:
        places.append(place)
        return boot(place)

    key = NodeKey.generate()
    host = LiveHost(watched, node_key=key, network_id=NETWORK, disk=None, dice=random.Random(7))  # type: ignore[arg-type]
    async with running(host):
        await until(lambda: host.machine.events)
        assert host.machine.events[0] == Asked(Started())
        assert places[0].name == key.node_id
        assert places[0].dice.random() == random.Random(7).random()


@in_loops
async def test_a_timer_fires_once_is_replaced_and_disarmed() -> None:
    host = make_host(listen=None)
    async with running(host):
        host.ask(
            Do(
                [
                    Arm("a", 0.01),
                    Arm("gone", 0.005),
                    Arm("later", 60),
                    Arm("gone", None),
                    Arm("a", 0.02),
                    Arm("end", 0.04),
                ]
            )
        )
        await until(lambda: Fired("end") in host.machine.events)
        assert heard(host, Fired) == [Fired("a"), Fired("end")]


@in_loops
async def test_a_timer_armed_again_before_its_turn_does_not_fire_twice() -> None:
    """It has run out and waits in the queue, behind an event whose handling replaces it."""
    host = make_host(listen=None)
    async with running(host):
        host._carry_out(Arm("a", 60))
        host._inbox.clear()
        host.ask(Do([Arm("a", 0.02)]))
        host._timer_is_due("a")
        await until(lambda: heard(host, Fired))
        host.ask("end")
        await until(lambda: "end" in heard(host, str))
        assert heard(host, Fired) == [Fired("a")]


@in_loops
async def test_jobs_come_back_with_result_or_exception() -> None:
    host = make_host(listen=None, threads=2)
    fine, bad = Work(lambda: threading.current_thread().name), Work(lambda: 1 // 0)
    async with running(host):
        host.ask(Do([Run(fine), Run(bad)]))
        await until(lambda: len(heard(host, Finished)) == 2)
        results = {event.job: event.result for event in heard(host, Finished)}
        assert results[fine].startswith("horoi-job")
        assert isinstance(results[bad], ZeroDivisionError)


@in_loops
async def test_many_jobs_all_come_back_and_too_many_are_told_so() -> None:
    host = make_host(listen=None, threads=2, max_jobs=50)
    gate = threading.Event()
    async with running(host):
        jobs = [Work(lambda: gate.wait(10)) for _ in range(2)] + [Work(lambda n=n: n) for n in range(198)]
        host.ask(Do([Run(job) for job in [*jobs, Work(lambda: "one too many")]]))
        await until(lambda: heard(host, Finished))
        assert [type(event.result) for event in heard(host, Finished)] == [JobsFullError]
        gate.set()
        await until(lambda: len(heard(host, Finished)) == 201)
        assert {event.job for event in heard(host, Finished)} >= set(jobs)


@in_loops
async def test_effects_keep_the_order_of_the_list() -> None:
    order: list[Any] = []
    host = make_host(listen=None, save=lambda record: order.append(("saved", record)))
    host.on_notice(lambda notice: order.append(("told", notice)), int)
    async with running(host):
        host.ask(Do([Tell(1), Save("a"), Tell(2), Save("b"), Tell(3)]))
        await until(lambda: len(order) == 5)
        assert order == [("told", 1), ("saved", "a"), ("told", 2), ("saved", "b"), ("told", 3)]


@in_loops
async def test_a_failed_save_stops_the_host_before_what_follows() -> None:
    told: list[Any] = []

    def save(record: Any) -> None:
        raise StorageError("the disk is full; free some space and start again")

    host = make_host(save=save)
    host.on_notice(told.append, int)
    async with running(host):
        host.ask(Do([Tell(1), Save("a"), Tell(2)]))
        with pytest.raises(StorageError, match="disk is full"):
            await host.wait()
        assert told == [1]
        with pytest.raises(NetworkError, match="not running"):
            host.ask("more")


@in_loops
async def test_a_machine_that_raises_stops_the_host() -> None:
    host = make_host()
    async with running(host):
        host.ask(Do(None))
        with pytest.raises(TypeError):
            await host.wait()


@in_loops
async def test_a_disk_that_fails_while_a_message_is_handled_stops_the_host_and_blames_no_peer() -> None:
    def fail(peer: bytes, ball: Ball) -> Any:
        raise StorageError("the state is damaged; run 'horoi ledger rebuild'")

    a, b = make_host(), make_host()
    async with running(a, b):
        await link(a, b)
        b.machine._on_ball = fail
        a.ask(Throw(Ball(1)))
        with pytest.raises(StorageError, match="state is damaged"):
            await b.wait()
        assert b.counters["error", "StorageError"] == 1
        assert b.counters["drop", "error"] == 0
        await until(lambda: heard(a, Lost))


@in_loops
async def test_storage_is_closed_once_and_wait_returns() -> None:
    closed: list[int] = []
    host = make_host()
    boot = host._boot
    host._boot = lambda place: Hosted(boot(place).machine, boot(place).wire, close=lambda: closed.append(1))
    async with running(host):
        waiting = asyncio.create_task(host.wait())
        await host.stop()
        await waiting
    assert closed == [1]


@in_loops
async def test_asking_from_another_thread() -> None:
    host = make_host(listen=None)
    async with running(host):
        thread = threading.Thread(target=host.ask_threadsafe, args=("hello",))
        thread.start()
        await until(lambda: "hello" in heard(host, str))
        thread.join()


@in_loops
async def test_ask_for_gives_the_notice_that_matches_or_says_that_none_came() -> None:
    host = make_host(listen=None)
    async with running(host):
        assert await host.ask_for(Do([Tell(1), Tell("x"), Tell(5)]), int, lambda n: n > 3, timeout_s=5) == 5
        with pytest.raises(NetworkError, match=r"no bytes came within 0.02 s of str"):
            await host.ask_for("x", bytes, timeout_s=0.02)
        assert not host.board._listeners


@in_loops
async def test_who_waits_for_a_host_that_stops_is_told() -> None:
    host = make_host(listen=None)
    async with running(host):
        answer = asyncio.create_task(host.ask_for("x", bytes, timeout_s=20))
        stream = host.notices(int)
        reading = asyncio.create_task(anext(stream, "the end"))
        await until(lambda: "x" in heard(host, str))
        await host.stop()
        with pytest.raises(NetworkError, match="stopped before it answered str"):
            await answer
        assert await reading == "the end"


@in_loops
async def test_a_notice_stream_loses_the_oldest_and_counts() -> None:
    host = make_host(listen=None)
    async with running(host):
        with host.notices(int, max_pending=3) as stream:
            host.ask(Do([Tell(n) for n in range(5)]))
            await until(lambda: stream.lost == 2)
            assert [await anext(stream) for _ in range(3)] == [2, 3, 4]
            stream.close()
            assert [notice async for notice in stream] == []


@in_loops
async def test_listeners_are_isolated_stopped_and_bounded() -> None:
    host = make_host(listen=None)
    told: list[int] = []
    async with running(host):
        host.on_notice(lambda notice: 1 // 0, int)
        stop = host.on_notice(told.append, int)
        await host.ask_for(Do([Tell(1)]), int, timeout_s=5)
        stop()
        stop()
        await host.ask_for(Do([Tell(2)]), int, timeout_s=5)
        assert told == [1]
        for _ in range(MAX_LISTENERS - 1):
            host.on_notice(told.append)
        with pytest.raises(UsageError, match=str(MAX_LISTENERS)):
            host.on_notice(told.append)


def test_the_clock_follows_the_wall_forward_and_never_back() -> None:
    wall, ticks = [1_000_000.0], [50.0]
    clock = SteadyClock(lambda: ticks[0], lambda: wall[0])
    assert clock.now() == 1_000_000.0
    ticks[0] += 10
    wall[0] += 10.9
    assert clock.resync() == 0.0
    assert clock.now() == 1_000_010.0
    wall[0] += 3600  # the machine slept
    assert clock.resync() == pytest.approx(3600.9)
    assert clock.now() == wall[0]
    wall[0] -= 500  # somebody set the clock back
    assert clock.resync() == 0.0
    assert clock.now() == wall[0] + 500
