"""One log, two worlds, one digest: what a peer heard over sockets is replayed in the simulator, and the other way round."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from replays import boot_recorded, fresh, live_host, replay_in_universe, replay_over_sockets

from horoi.base.ids import key_of
from horoi.lookup.vocabulary import FindProviders, Get, Join, Joined, Leave, Lookup, Provide, Put
from horoi.machine.contract import Fired, Received, Send
from horoi.machine.recording import Heard, Recorder, replay
from horoi.node.lookup.overlays import OVERLAYS
from horoi.world.sim.universe import Universe

PEERS = 4


def requests(bits: int) -> list[tuple[int, Any]]:
    """Who is asked what, one after the other, once all have joined."""
    document, value = key_of(b"document", bits), key_of(b"value", bits)
    return [
        (1, Provide(("t", 1), document)),
        (2, Put(("t", 2), value, b"value")),
        (3, FindProviders(("t", 3), document)),
        (0, Get(("t", 4), value)),
        (2, Lookup(("t", 5), document)),
        (3, Get(("t", 6), key_of(b"nothing", bits))),
    ]


async def play_live(overlay: str) -> list[tuple[tuple[str, int], Recorder]]:
    """Peers over real sockets: they join, are asked, one leaves. Where each is, and what it heard and did."""
    made: list[Recorder] = []
    hosts = [live_host(overlay, boot_recorded(overlay, seed, made.append), "127.0.0.1:0") for seed in range(PEERS)]
    try:
        for number, host in enumerate(hosts):
            await host.start()
            await host.ask_for(Join(tuple(map(_place, hosts[:number]))), Joined, timeout_s=30)
        for who, request in requests(OVERLAYS[overlay].bits):
            await hosts[who].ask_for(
                request, object, lambda told, token=request.token: getattr(told, "token", None) == token, timeout_s=30
            )
        hosts[0].ask(Leave())
        await asyncio.sleep(0.05)  # some traffic of the upkeep, if there is any
    finally:
        for host in hosts:
            await host.stop()
    return list(zip(map(_place, hosts), made, strict=True))


def _place(host: Any) -> tuple[str, int]:
    ip, port = host.address.split(":")
    return ip, int(port)


def play_simulated(overlay: str) -> list[tuple[tuple[str, int], Recorder]]:
    """The same in a universe, whose hosts have addresses of loopback that are free now."""
    made: list[Recorder] = []
    names = [("127.0.0.1", port) for port in free_ports(PEERS)]
    with Universe(7, transport="datagram") as universe:
        for seed, name in enumerate(names):
            universe.add(name, boot_recorded(overlay, seed, made.append))
            universe.ask(name, Join(tuple(names[:seed])))
            assert universe.run_until(lambda name=name: bool(universe.notices(name, Joined)), 60)  # type: ignore[misc]
        for who, request in requests(OVERLAYS[overlay].bits):
            universe.ask(names[who], request)
            universe.run_for(10)
        universe.ask(names[0], Leave())
        universe.run_for(20)
    return list(zip(names, made, strict=True))


def free_ports(count: int) -> list[int]:
    """UDP ports that nobody has now."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@pytest.mark.real
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_was_heard_over_sockets_gives_the_same_in_the_simulator(overlay: str) -> None:
    for seed, (address, recorder) in enumerate(asyncio.run(play_live(overlay))):
        assert sum(isinstance(heard.event, Received) for heard in recorder.log) > 3
        assert replay(fresh(overlay, address, seed).inner, recorder.log) == recorder.digest()
        assert replay_in_universe(fresh(overlay, address, seed), recorder.log) == recorder.digest()


@pytest.mark.real
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_was_heard_in_the_simulator_gives_the_same_over_sockets(overlay: str) -> None:
    for seed, (address, recorder) in enumerate(play_simulated(overlay)):
        digest, datagrams = asyncio.run(replay_over_sockets(overlay, address, seed, recorder.log))
        assert digest == recorder.digest()
        assert datagrams > 0


def test_another_log_another_maker_another_digest() -> None:
    """The digest is of what was done: it changes with an event, with its time, and with the dice."""
    address, recorder = play_simulated("chord")[1]
    log = recorder.log
    assert replay(fresh("chord", address, 1).inner, log) == recorder.digest()
    assert replay(fresh("chord", address, 2).inner, log) != recorder.digest()
    without = [heard for heard in log if not isinstance(heard.event, Received)]
    assert replay(fresh("chord", address, 1).inner, without) != recorder.digest()
    later = [Heard(heard.now + number * 0.01, heard.event) for number, heard in enumerate(log)]
    assert replay(fresh("chord", address, 1).inner, later) != recorder.digest()


def test_an_action_without_a_text_of_its_own_is_refused() -> None:
    class Odd:
        def handle(self, event: Any, now: float) -> list[Any]:
            return [Send("peer", object())]

    with pytest.raises(ValueError, match="give it a repr"):
        Recorder(Odd()).handle(Fired("x"), 0.0)
