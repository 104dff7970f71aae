"""Whole CANs in the simulator: zones tile the space after joins, leaves and failures, and what was put is got."""

from __future__ import annotations

from can_net import CanNet

from horoi.lookup.vocabulary import Found, Get, Leave, Lookup, Put, Stored, Value

PEERS = 16


def grown(seed: int, **how: object) -> CanNet:
    net = CanNet(seed, **how)  # type: ignore[arg-type]
    net.grow(PEERS)
    net.wait_until_sound()
    return net


def test_joins_tile_the_space_and_everyone_knows_its_neighbours() -> None:
    net = grown(1, codec=True)
    assert len(net.owners()) >= PEERS


def test_a_lookup_ends_at_the_owner_of_the_zone() -> None:
    net = grown(2)
    for key in (1, 2**63, 12345 << 40):
        found = net.ask(3, Lookup(("look", key), key))
        assert isinstance(found, Found)
        place = net.space.place(key)
        assert any(net.space.contains(zone, place) for zone in net.peer(found.owners[0].address).realities[0].zones)


def test_a_graceful_leave_hands_zone_and_values_over() -> None:
    net = grown(3)
    for number in range(20):
        assert isinstance(net.ask(1, Put(("put", number), number << 58, b"value %d" % number)), Stored)
    for name in (4, 7, 9):
        net.universe.ask(name, Leave())
        net.universe.run_for(5.0)
        net.universe.stop(name)
    net.wait_until_sound()
    for number in range(20):
        got = net.ask(2, Get(("get", number), number << 58))
        assert isinstance(got, Value)
        assert got.value == b"value %d" % number


def test_zones_of_failed_peers_are_taken_over() -> None:
    net = grown(4)
    for name in (2, 5, 11):
        net.universe.crash(name)
    net.wait_until_sound(limit_s=300.0)
    assert len(net.up()) == PEERS - 3


def test_the_space_closes_under_loss() -> None:
    net = CanNet(5, loss=0.05)
    net.grow(PEERS, gap_s=2.0)
    net.wait_until_sound(limit_s=300.0)
