"""Values, providers, payloads, departures and failures in simulated networks."""

from __future__ import annotations

from random import Random

import pytest
from tapestry_net import Net, contact_of

from horoi.base.ids import key_of
from horoi.lookup.vocabulary import (
    Delivered,
    FindProviders,
    Get,
    Join,
    Joined,
    Leave,
    Left,
    Lookup,
    NotFound,
    Provide,
    Put,
    Route,
    Stored,
    Unprovide,
    Value,
)

PEERS = 40


@pytest.fixture
def net() -> Net:
    net = Net(21)
    net.grow(PEERS, settle_s=10.0)
    return net


def test_put_and_get_and_not_found(net: Net) -> None:
    for number in range(20):
        value = b"value %d" % number
        key = key_of(value, 160)
        stored = net.ask(number, Put, key, value)
        assert isinstance(stored, Stored)
        assert stored.copies == 3
        got = net.ask(PEERS - 1 - number, Get, key)
        assert isinstance(got, Value)
        assert got.value == value
    assert isinstance(net.ask(0, Get, 12345), NotFound)


def test_values_survive_crashes_and_arrivals(net: Net) -> None:
    keys = [key_of(b"%d" % number, 160) for number in range(30)]
    for number, key in enumerate(keys):
        net.ask(number % PEERS, Put, key, b"%d" % number)
    dice = Random(3)
    for round_ in range(3):
        for address in dice.sample(net.up(), 5):
            net.universe.crash(address)
        for address in range(100 + 5 * round_, 105 + 5 * round_):
            net.add(address)
            net.universe.ask(address, Join(tuple(dice.sample(net.up(), 3))))
        net.universe.run_for(150)
    for number, key in enumerate(keys):
        got = net.ask(dice.choice(net.up()), Get, key)
        assert isinstance(got, Value), number
        assert got.value == b"%d" % number


def test_a_graceful_leave_hands_over_and_is_noticed_at_once(net: Net) -> None:
    key = key_of(b"kept", 160)
    net.ask(0, Put, key, b"kept")
    for _ in range(6):
        owner = net.owner(key)
        net.universe.ask(owner, Leave())
        net.universe.run_for(5.0)
        assert net.told(owner, Left)
        asker = next(address for address in net.up() if address != owner)
        found = net.ask(asker, Lookup, key)
        assert found.owners[0].address == net.owner(key)
        assert found.timeouts == 0
        assert isinstance(net.ask(asker, Get, key), Value)


def test_providers_are_found_until_they_stop_saying_so() -> None:
    net = Net(25, probe_s=120.0, probe_backups_s=120.0, gossip_s=120.0)
    net.grow(16, settle_s=10.0)
    key = key_of(b"a document", 160)
    assert net.ask(3, FindProviders, key).providers == ()
    net.ask(1, Provide, key)
    net.ask(2, Provide, key)
    assert {peer.address for peer in net.ask(3, FindProviders, key).providers} <= {
        1,
        2,
    }  # the first pointer that is met
    assert {peer.address for peer in net.ask(net.owner(key), FindProviders, key).providers} == {
        1,
        2,
    }  # the root has all
    assert len(net.ask(3, FindProviders, key, limit=1).providers) == 1
    net.universe.ask(1, Unprovide(key))
    net.universe.run_for(2000)
    assert [peer.address for peer in net.ask(3, FindProviders, key).providers] == [2]


def test_a_payload_is_delivered_once_to_the_root(net: Net) -> None:
    for number in range(15):
        key = key_of(b"to %d" % number, 160)
        found = net.ask(number, Route, key, b"hello %d" % number)
        (delivered,) = [told for told in net.told(net.owner(key), Delivered) if told.key == key]
        assert (delivered.payload, delivered.source) == (b"hello %d" % number, contact_of(number))
        assert delivered.hops == found.hops


def test_half_of_all_fail_at_once() -> None:
    net = Net(22)
    net.grow(100, gap_s=0.1, settle_s=20.0)
    dice = Random(4)
    for address in dice.sample(range(100), 50):
        net.universe.crash(address)
    right = 0
    for _ in range(100):
        key = dice.getrandbits(160)
        found = net.ask(dice.choice(net.up()), Lookup, key)
        right += bool(getattr(found, "owners", ())) and found.owners[0].address == net.owner(key)
    assert right >= 99


def test_lost_datagrams_do_not_change_owners() -> None:
    net = Net(23, loss=0.05)
    net.grow(PEERS, settle_s=30.0)
    dice = Random(5)
    for _ in range(60):
        key = dice.getrandbits(160)
        assert net.ask(dice.choice(net.up()), Lookup, key).owners[0].address == net.owner(key)


def test_a_peer_comes_back_under_its_old_id(net: Net) -> None:
    net.universe.crash(5)
    net.universe.restart(5)
    net.universe.ask(5, Join((1, 2, 3)))
    net.universe.run_for(90)
    assert net.machine(5).is_joined
    assert net.told(5, Joined)
    assert net.ask(9, Lookup, contact_of(5).id).owners[0].address == 5


def test_the_same_seed_is_the_same_universe() -> None:
    digests = []
    for _ in range(2):
        net = Net(24, loss=0.02)
        net.grow(20, settle_s=20.0)
        net.universe.crash(3)
        net.ask(1, Put, 99, b"x")
        net.universe.run_for(30)
        digests.append(net.universe.digest)
    assert digests[0] == digests[1]
