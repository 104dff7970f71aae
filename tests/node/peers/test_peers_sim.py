"""Networks of nodes in simulated worlds: they find each other from one address, and go on doing so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from horoi.base.errors import DecodeError
from horoi.machine.host import Boot, Hosted, Place
from horoi.machine.stack import Stack
from horoi.node.events import ConnectFailed
from horoi.node.peers.config import PeersConfig
from horoi.node.peers.machine import Peers
from horoi.node.peers.messages import RECORD_CODEC, RECORD_FILE, AddressBookRecord
from horoi.world.sim.universe import Universe

NETWORK = b"n" * 32

Place_ = Callable[[int], str]


def local(number: int) -> str:
    return f"10.0.0.{number + 1}:9000"


def one_machine(number: int) -> str:
    return f"127.0.0.1:{9000 + number}"


def public(number: int) -> str:
    return f"{20 + number}.1.1.1:9000"


def boot_peers(own: str, *connect: str, **settings: Any) -> Boot:
    """A node that is nothing but peers, with its book on disk."""

    def boot(place: Place) -> Hosted:
        def save(record: AddressBookRecord) -> None:
            place.disk.replace(*record.file())

        file = place.disk.open(RECORD_FILE)
        try:
            saved = RECORD_CODEC.decode(file.read(0, file.size_bytes))
        except DecodeError:
            saved = None
        file.close()
        config = PeersConfig(NETWORK, connect, listen_port=int(own.rpartition(":")[2]), **settings)
        machine = Peers(config, place.dice, saved=saved)
        stack = Stack({"peers": machine})
        return Hosted(stack, machine.wire, save, lambda: save(machine.record()))

    return boot


def found(count: int, where: Place_, seed: int = 1) -> Universe:
    """A universe in which node 0 is the bootstrap of all others."""
    universe = Universe(seed)
    for number in range(count):
        connect = () if number == 0 else (where(0),)
        universe.add(b"%02d" % number, boot_peers(where(number), *connect), address=where(number))
    return universe


def peers_of(universe: Universe, name: bytes) -> Peers:
    machine = universe.machine(name).machines["peers"]
    assert isinstance(machine, Peers)
    return machine


def ready_count(universe: Universe, name: bytes) -> int:
    return sum(info.ready for info in peers_of(universe, name).peers())


def outbound_count(universe: Universe, name: bytes) -> int:
    return sum(info.ready and info.outbound for info in peers_of(universe, name).peers())


def is_connected(universe: Universe) -> bool:
    """True if every node that is up reaches every other over ready links."""
    up = [name for name in universe.names if universe.is_up(name)]
    seen = {up[0]: None}
    frontier = [up[0]]
    while frontier:
        name = frontier.pop()
        for info in peers_of(universe, name).peers():
            peer = bytes.fromhex(info.peer)
            if info.ready and universe.is_up(peer) and peer not in seen:
                seen[peer] = None
                frontier.append(peer)
    return len(seen) == len(up)


def known(universe: Universe, name: bytes, where: Place_, count: int) -> int:
    book = peers_of(universe, name).book
    own = where(int(name))
    return sum(where(number) in book and where(number) != own for number in range(count))


@pytest.mark.parametrize("where", [local, one_machine, public])
def test_thirty_nodes_find_each_other_from_one_address(where: Place_) -> None:
    universe = found(30, where)
    children = universe.names[1:]
    enough = universe.run_until(lambda: all(outbound_count(universe, name) == 8 for name in children), limit_s=60)
    assert enough, [outbound_count(universe, name) for name in children]  # measured: 5 s
    assert is_connected(universe)
    knowledge = [known(universe, name, where, 30) for name in universe.names]
    assert min(knowledge) >= 20, knowledge
    universe.run_for(300)
    for name in universe.names:
        infos = [info for info in peers_of(universe, name).peers() if info.since_s < 60]  # no feeler that is under way
        assert len(infos) >= 8
        assert all(info.points == 0 and info.latency_ms is not None for info in infos)
        assert all(1 < (info.latency_ms or 0) < 500 for info in infos)


def test_a_few_nodes_all_link_to_each_other() -> None:
    universe = found(6, local)
    assert universe.run_until(lambda: all(ready_count(universe, name) == 5 for name in universe.names), limit_s=300), [
        ready_count(universe, name) for name in universe.names
    ]


def test_nodes_survive_churn_and_the_death_of_their_bootstrap() -> None:
    universe = found(16, public)
    universe.run_for(120)
    universe.crash(b"00")
    dice = universe.dice("churn")
    for _ in range(30):
        name = b"%02d" % dice.randrange(1, 16)
        if universe.is_up(name):
            universe.crash(name)
        else:
            universe.restart(name)
        universe.run_for(20)
    for name in universe.names[1:]:
        if not universe.is_up(name):
            universe.restart(name)
    assert universe.run_until(
        lambda: all(ready_count(universe, name) >= 6 for name in universe.names[1:]), limit_s=600
    ), [ready_count(universe, name) for name in universe.names[1:]]
    assert is_connected(universe)


def test_a_restarted_node_finds_its_peers_without_its_bootstrap() -> None:
    universe = found(12, public)
    universe.run_for(120)
    universe.crash(b"00")
    universe.crash(b"05")
    universe.run_for(60)
    universe.restart(b"05")
    assert universe.run_until(lambda: ready_count(universe, b"05") >= 4, limit_s=60)


def test_a_frozen_peer_is_noticed() -> None:
    universe = found(5, local)
    universe.run_for(60)
    universe.freeze(b"03")
    assert ready_count(universe, b"00") == 4
    universe.run_for(120)
    assert ready_count(universe, b"00") == 3
    universe.thaw(b"03")
    assert universe.run_until(lambda: ready_count(universe, b"00") == 4, limit_s=600)


def test_a_partition_heals() -> None:
    universe = found(12, public)
    universe.run_for(120)
    names = universe.names
    universe.partition(names[:6])
    universe.run_for(300)
    assert not is_connected(universe)
    universe.heal()
    assert universe.run_until(lambda: is_connected(universe), limit_s=600)


def test_two_networks_at_one_bootstrap_stay_apart() -> None:
    universe = Universe(3)
    universe.add(b"00", boot_peers(local(0)), address=local(0))

    def boot(place: Place) -> Hosted:
        machine = Peers(PeersConfig(b"x" * 32, (local(0),)), place.dice)
        return Hosted(Stack({"peers": machine}), machine.wire, lambda record: None)

    universe.add(b"01", boot, address=local(1))
    universe.run_for(600)
    assert ready_count(universe, b"00") == ready_count(universe, b"01") == 0
    reasons = [notice.reason for notice in universe.notices(b"01", ConnectFailed)]
    assert 2 <= len(reasons) <= 30  # it tries on, ever less often
    assert all(reason.startswith("wrong network") for reason in reasons)


def test_one_seed_is_one_history() -> None:
    def history() -> tuple[int, list[list[str]]]:
        universe = found(8, public, seed=9)
        events = universe.run(200.0)
        return events, [[info.peer for info in peers_of(universe, name).peers()] for name in universe.names]

    assert history() == history()
