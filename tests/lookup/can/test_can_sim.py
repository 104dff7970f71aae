"""Simulated CANs: whatever comes, goes or fails, the zones tile the space again and lookups end at the owner."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from tests.lookup.can.can_net import QUICK, CanNet

from horoi.base.ids import key_of
from horoi.lookup.can.config import CanConfig
from horoi.lookup.can.hotspots import WINDOW_S
from horoi.lookup.vocabulary import (
    Delivered,
    Failed,
    FindProviders,
    Found,
    Get,
    Join,
    Joined,
    Leave,
    Left,
    Lookup,
    NotFound,
    Provide,
    Providers,
    Put,
    Route,
    Stored,
    Unprovide,
    Value,
)
from horoi.world.sim.latency import Plane

VARIANTS: dict[str, dict[str, Any]] = {
    "bare": {},
    "three dimensions": {"dimensions": 3},
    "realities": {"realities": 3, "hashes": 1},
    "rtt": {"rtt_weighted": True},
    "uniform": {"uniform_reach": 1},
    "iterative": {"recursive": False},
    "overloaded": {"max_peers": 3, "hashes": 1},
    "landmarks": {"landmarks": (0, 1, 2)},
}


def make(seed: Any, count: int, *, loss: float = 0.0, codec: bool = False, **options: Any) -> CanNet:
    config = CanConfig(bits=64, **QUICK, **options)
    net = CanNet(seed, config=config, loss=loss, codec=codec, latency=Plane(torus=True))
    net.grow(count, 0.5)
    net.wait_until_sound()
    return net


def check_lookups(net: CanNet, count: int, dice: random.Random) -> None:
    for number in range(count):
        key = dice.getrandbits(64)
        found = net.ask(dice.choice(net.up()), Lookup(("check", net.universe.now, number), key))
        assert isinstance(found, Found)
        assert net.peer(found.owners[0].address).owns(net.space.place(key))


@pytest.mark.parametrize("variant", VARIANTS)
def test_peers_come_keep_things_fail_and_leave(variant: str) -> None:
    net = make(variant, 30, codec=variant in ("bare", "overloaded"), **VARIANTS[variant])
    dice = random.Random(variant)
    check_lookups(net, 30, dice)
    keys = [dice.getrandbits(64) for _ in range(10)]
    for key in keys:
        stored = net.ask(dice.choice(net.up()), Put(("put", key), key, b"value %d" % key))
        assert isinstance(stored, Stored)
        assert stored.copies >= 1
    net.universe.run_for(5.0)
    for name in dice.sample(net.up()[1:], 5):
        net.universe.ask(name, Leave())
        net.universe.run_for(3.0)
        assert isinstance(net.universe.notices(name)[-1], Left)
        net.universe.remove(name)
    net.wait_until_sound()
    for key in keys:
        value = net.ask(dice.choice(net.up()), Get(("get", key), key))
        assert isinstance(value, Value), value  # leaving loses nothing
        assert value.value == b"value %d" % key
    for name in dice.sample(net.up()[1:], 5):
        net.universe.crash(name)
    net.wait_until_sound()
    check_lookups(net, 20, dice)
    net.universe.run_for(60.0)
    for peer in net.peers():  # background reassignment: back to one zone for each
        assert all(len(reality.zones) == 1 for reality in peer.realities)


@pytest.mark.parametrize("seed", range(3))
def test_half_of_the_peers_fail_at_once(seed: int) -> None:
    net = make(f"half/{seed}", 60)
    dice = random.Random(seed)
    for name in dice.sample(net.up(), 30):
        net.universe.crash(name)
    found = 0
    for number in range(60):  # while it is being repaired
        answer = net.ask(dice.choice(net.up()), Lookup(("fail", number), dice.getrandbits(64)), limit_s=120)
        found += isinstance(answer, Found)
    assert found >= 58
    net.wait_until_sound()
    check_lookups(net, 20, dice)


@pytest.mark.parametrize("seed", range(4))
def test_zones_tile_the_space_after_any_joins_leaves_and_takeovers(seed: int) -> None:
    dice = random.Random(f"story/{seed}")
    config = CanConfig(bits=64, dimensions=dice.choice([2, 3]), uniform_reach=dice.choice([0, 1]), **QUICK)
    net = CanNet(f"story/{seed}", config=config, loss=dice.choice([0.0, 0.03]))
    net.grow(12)
    for name in range(12, 50):
        ready = [other for other in net.up() if net.peer(other).is_joined]
        deed = dice.random()
        if deed < 0.6:
            net.add(name, *dice.sample(ready, 3))
        elif deed < 0.8:
            net.universe.crash(dice.choice(ready))
        else:
            leaver = dice.choice(ready)
            net.universe.ask(leaver, Leave())
            net.universe.run_for(5.0)
            net.universe.remove(leaver)
        net.universe.run_for(dice.choice([0.1, 1.0, 5.0]))
    net.universe.network.loss = 0.0
    net.universe.run_for(30.0)
    for name in net.up():
        if not net.peer(name).is_joined and any(isinstance(n, Failed) for n in net.universe.notices(name)):
            net.universe.remove(name)
    net.wait_until_sound()
    check_lookups(net, 10, dice)


def test_two_halves_of_a_partitioned_network_find_each_other_again() -> None:
    net = make("partition", 16)
    names = net.up()
    net.universe.partition(names[::2], names[1::2])
    net.universe.run_for(90.0)
    assert net.problems()  # each half has taken over the other
    net.universe.heal()
    net.wait_until_sound(limit_s=600.0)
    check_lookups(net, 10, random.Random(1))


def test_a_peer_that_was_frozen_gets_its_zone_or_another() -> None:
    net = make("frozen", 20)
    net.universe.freeze(7)
    net.universe.run_for(30.0)
    net.universe.thaw(7)
    net.wait_until_sound()
    assert net.peer(7).realities[0].zones


def test_payloads_reach_the_owner_and_providers_are_found_while_they_provide() -> None:
    net = make("provide", 25)
    key = key_of(b"a certificate", 64)
    found = net.ask(3, Route("route", key, b"hello"))
    assert isinstance(found, Found)
    delivered = net.universe.notices(found.owners[0].address, Delivered)
    assert delivered == [Delivered(key, b"hello", net.contact(3), found.hops)]
    for name in (4, 9):
        assert isinstance(net.ask(name, Provide(("provide", name), key)), Stored)
    answer = net.ask(11, FindProviders("find", key))
    assert isinstance(answer, Providers)
    assert set(answer.providers) == {net.contact(4), net.contact(9)}
    assert len(net.ask(11, FindProviders("one", key, 1)).providers) == 1
    net.universe.ask(4, Unprovide(key))
    assert net.ask(11, FindProviders("none", 1)).providers == ()
    assert isinstance(net.ask(11, Get("nothing", 2)), NotFound)


def test_a_value_that_is_its_keys_hash_is_not_replaced() -> None:
    net = make("hash", 12)
    key = key_of(b"true", 64)
    assert isinstance(net.ask(1, Put("true", key, b"true")), Stored)
    refused = net.ask(2, Put("false", key, b"false"))
    assert isinstance(refused, Failed)
    assert refused.why.startswith("refused")


def test_a_hot_key_is_answered_by_the_neighbours_of_its_owner() -> None:
    net = make("hot", 40, hot_per_s=0.5, hashes=1)
    dice = random.Random(1)
    key = dice.getrandbits(64)
    net.ask(0, Put("put", key, b"popular"))
    owner = net.ask(0, Lookup("owner", key)).owners[0].address
    sources: Counter[int] = Counter()
    for number in range(60):
        value = net.ask(dice.choice(net.up()), Get(("get", number), key))
        assert isinstance(value, Value)
        sources[value.source.address] += 1
        if number % 5 == 0:
            net.universe.run_for(WINDOW_S / 20)
    assert sources[owner] < 30
    assert any(other in sources for other in [n.contact.address for n in net.peer(owner).realities[0].neighbours])


def test_replicas_survive_the_owner() -> None:
    net = make("replicas", 30)
    dice = random.Random(2)
    keys = [dice.getrandbits(64) for _ in range(20)]
    for key in keys:
        net.ask(0, Put(("put", key), key, b"x"))
    for key in keys[:4]:
        owner = net.ask(0, Lookup(("owner", key), key)).owners[0].address
        if owner != 0:
            net.universe.crash(owner)
    net.wait_until_sound()
    for key in keys:
        assert isinstance(net.ask(dice.choice(net.up()), Get(("get", key), key)), Value)


def test_requests_that_cannot_be_are_refused() -> None:
    net = CanNet("alone")
    net.universe.add(0, net.boot)
    net.universe.run_for(0.1)
    assert net.ask(0, Lookup("early", 1)).why == "not joined"
    net.universe.ask(0, Join())
    net.universe.run_for(0.1)
    assert net.universe.notices(0, Joined)
    assert net.ask(0, Lookup("own", 1)).hops == 0
    assert net.ask(0, Lookup("high", 2**64)).why == "key out of range"
    assert net.ask(0, Lookup("low", -1)).why == "key out of range"
    assert net.ask(0, Put("large", 1, bytes(1001))).why == "too large"
    assert net.ask(0, Route("large payload", 1, bytes(1001))).why == "too large"
    net.ask(0, Put("put", 5, b"mine"))
    assert net.ask(0, Get("get", 5)).value == b"mine"
    net.universe.ask(0, Join())
    net.universe.run_for(0.1)
    assert isinstance(net.universe.notices(0)[-1], Failed)
    net.universe.ask(0, Leave())
    net.universe.run_for(0.1)
    assert isinstance(net.universe.notices(0)[-1], Left)


def test_nobody_to_join() -> None:
    net = CanNet("nobody")
    net.add(0, 77)
    net.universe.run_for(120.0)
    (failed,) = net.universe.notices(0, Failed)
    assert (failed.token, failed.why) == ("join", "nobody answered")


def test_the_same_seed_gives_the_same_universe() -> None:
    digests = []
    for _ in range(2):
        net = CanNet("same", digest=True, loss=0.02)
        net.grow(15)
        net.universe.crash(3)
        net.universe.run_for(20.0)
        net.ask(1, Put("put", 99, b"x"))
        net.ask(2, Get("get", 99))
        digests.append(net.universe.digest)
    assert digests[0] == digests[1]
