"""Real joins: what they converge to, and that it is what ``converged`` makes at once."""

from __future__ import annotations

from random import Random

from tapestry_net import Net, config_of, contact_of

from horoi.lookup.tapestry.converged import settle
from horoi.lookup.tapestry.machine import Tapestry
from horoi.lookup.vocabulary import JOIN, Contact, Failed, Join, Joined, Lookup
from horoi.world.sim.latency import Plane

PEERS = 60


def slots(machine: Tapestry) -> list[tuple[int, int]]:
    return sorted({machine.neighbours.place(contact.id) for contact in machine.everyone()})


def test_joins_end_in_the_converged_state() -> None:
    """Property 1: a slot is empty only if nobody in the network fits it. Which of those that fit are in it may differ."""
    net = Net(7)
    net.grow(PEERS, settle_s=20.0)
    made = [Tapestry(contact_of(address), config_of(), Random(1)) for address in range(PEERS)]
    settle(made, Random(1), joined=True)
    for address in range(PEERS):
        assert slots(net.machine(address)) == slots(made[address])


def test_slots_have_backups_in_time() -> None:
    net = Net(12, gossip_s=5.0)
    net.grow(PEERS, settle_s=300.0)
    made = [Tapestry(contact_of(address), config_of(), Random(1)) for address in range(PEERS)]
    settle(made, Random(1), joined=True)
    joined = sum(len(net.machine(address).neighbours) for address in range(PEERS))
    assert joined >= 0.97 * sum(len(machine.neighbours) for machine in made)


def test_lookups_from_everywhere_find_the_owner_and_nobody_times_out() -> None:
    net = Net(8)
    net.grow(PEERS, settle_s=10.0)
    dice = Random(5)
    for _ in range(60):
        key = dice.getrandbits(160)
        found = net.ask(dice.randrange(PEERS), Lookup, key)
        assert found.owners[0].address == net.owner(key)
        assert found.timeouts == 0
        assert found.rpcs == found.hops == len(found.path)


def test_many_that_come_at_once_find_each_other() -> None:
    net = Net(9)
    net.grow(10, settle_s=5.0)
    for address in range(10, 40):
        net.add(address)
        net.universe.ask(address, Join((0,)))
    net.universe.run_for(60)
    dice = Random(6)
    assert net.up() == list(range(40))
    for _ in range(40):
        key = dice.getrandbits(160)
        assert net.ask(dice.randrange(40), Lookup, key).owners[0].address == net.owner(key)


def test_joining_through_nobody_fails_with_a_word() -> None:
    net = Net(10)
    net.add(0)
    net.universe.ask(0, Join((1, 2)))
    net.universe.run_for(120)
    assert net.told(0, Failed) == [Failed(JOIN, "nobody answered")]
    net.universe.ask(0, Join())
    net.universe.run_for(1)
    assert net.told(0, Joined)


def is_first(contact: Contact, address: int) -> bool:
    return contact.id >> 156 != contact_of(address).id >> 156


def test_tables_hold_near_peers() -> None:
    """SPAA, property 2: primaries are near among those that fit. Random ones would be at the mean distance."""
    plane = Plane(torus=True)
    net = Net(11, latency=plane, gossip_s=5.0)
    net.grow(80, settle_s=120.0)
    chosen, usual = 0.0, 0.0
    for address in range(80):
        for contact in [other for other in net.machine(address).neighbours.primaries() if is_first(other, address)]:
            chosen += plane.base_s(address, contact.address)
            fitting = [peer for peer in range(80) if contact_of(peer).id >> 156 == contact.id >> 156]
            usual += sum(plane.base_s(address, peer) for peer in fitting) / len(fitting)
    assert chosen < 0.75 * usual
