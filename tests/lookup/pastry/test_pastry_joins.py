"""Real joins: what they converge to, and that it is what ``converged`` makes at once."""

from __future__ import annotations

from random import Random

from pastry_net import Net, config_of, contact_of

from horoi.lookup.pastry.converged import settle
from horoi.lookup.pastry.machine import Pastry
from horoi.lookup.vocabulary import JOIN, Failed, Join, Joined, Lookup
from horoi.world.sim.latency import Plane

PEERS = 60


def slots(machine: Pastry) -> list[tuple[int, int]]:
    return sorted(machine.table.slot(contact.id) for contact in machine.table.members())


def test_joins_end_in_the_converged_state() -> None:
    net = Net(7, gossip_s=5.0)
    net.grow(PEERS, settle_s=300.0)
    made = [Pastry(contact_of(address), config_of(), Random(1)) for address in range(PEERS)]
    settle(made, Random(1), joined=True)
    for address in range(PEERS):
        joined, constructed = net.machine(address), made[address]
        assert joined.leaves.larger == constructed.leaves.larger
        assert joined.leaves.smaller == constructed.leaves.smaller
        assert slots(joined) == slots(constructed)


def test_lookups_from_everywhere_find_the_owner_and_nobody_times_out() -> None:
    net = Net(8)
    net.grow(PEERS, settle_s=10.0)
    dice = Random(5)
    for _ in range(60):
        key = dice.getrandbits(128)
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
        key = dice.getrandbits(128)
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


def test_tables_hold_near_peers() -> None:
    """Section 2.5: entries are near among those that fit. Random ones would be at the mean distance."""
    plane = Plane(torus=True)
    net = Net(11, latency=plane, gossip_s=5.0)
    net.grow(80, settle_s=120.0)
    chosen, usual = 0.0, 0.0
    for address in range(80):
        for contact in net.machine(address).table.row(0):
            chosen += plane.base_s(address, contact.address)
            fitting = [peer for peer in range(80) if contact_of(peer).id >> 124 == contact.id >> 124]
            usual += sum(plane.base_s(address, peer) for peer in fitting) / len(fitting)
    assert chosen < 0.75 * usual
