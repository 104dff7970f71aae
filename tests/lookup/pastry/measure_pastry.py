"""Figures of Pastry's paper that need more than `horoi lab lookup`: repair (figure 9) and locality (figure 6).

PYTHONPATH=src python tests/lookup/pastry/measure_pastry.py tables|repair|locality [peers]

``repair`` plays the failures with messages, once. ``tables`` counts hops by the tables alone, with several seeds.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

from horoi.lab.lookup.network import LATENCIES, LookupNetwork
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.overlays.pastry import PastryOverlay
from horoi.lookup.pastry.converged import settle
from horoi.lookup.pastry.machine import Pastry
from horoi.lookup.pastry.routing import admissible, next_hop
from horoi.lookup.vocabulary import Contact, Found
from horoi.world.sim.latency import Plane

LOOKUPS = 10_000

LATENCIES["open plane"] = lambda _seed: Plane()  # as in the paper: peers near an edge have nobody behind it


def network(peers: int, latency: str, **changes: Any) -> LookupNetwork:
    settings = Settings(overlay="pastry", peers=peers, latency=latency)
    overlay = PastryOverlay(settings, random.Random(1), **changes)
    return LookupNetwork(settings, overlay, upkeep=True, count_bytes=False)


def lookups(net: LookupNetwork, count: int) -> tuple[list[Found], dict[int, int]]:
    """The answers, and who asked."""
    answers: list[Found] = []
    askers: dict[int, int] = {}
    net.on_answer = lambda notice, _now: answers.append(notice)
    for token in range(count):
        askers[token] = net.honest_peer()
        net.lookup(token, askers[token], net.key())
        net.universe.run_for(0.001)
    net.universe.run_for(30)
    return answers, askers


def mean_hops(net: LookupNetwork) -> float:
    answers, _ = lookups(net, LOOKUPS)
    return sum(notice.hops for notice in answers) / len(answers)


def repair(peers: int) -> None:
    """A tenth fails; keep-alives find the dead leaves. Dead entries of the tables are found and replaced, or not looked for."""
    for is_repaired in (False, True):
        probe_s = 20.0 if is_repaired else 1e9
        net = network(peers, "constant", repair=is_repaired, gossip_s=1e9, keepalive_s=10.0, probe_s=probe_s)
        net.settle(peers)
        for machine in net.machines:
            for contact in machine.everyone():
                machine.acquaint(contact.address).heard_s = net.universe.now
        before = mean_hops(net)
        net.fail(0.1)
        net.universe.run_for(60)
        print(
            f"{peers=} repair={is_repaired}: {before:.3f} hops before, {mean_hops(net):.3f} after {peers // 10} failed"
        )


Step = Callable[[Pastry, int], Contact | None]


def settled(addresses: list[int], seed: int) -> dict[int, Pastry]:
    """Peers at these addresses with the tables that joins and repair end in."""
    overlay = PastryOverlay(Settings("pastry", len(addresses)), random.Random(seed))
    machines = {address: overlay.machine(address, upkeep=True) for address in addresses}
    settle(list(machines.values()), random.Random(seed), joined=True)
    return machines


def any_admissible(machine: Pastry, key: int) -> Contact | None:
    """As ``next_hop``, but where a slot is empty any peer that the rule of table 1 admits, not the best of them."""
    if machine.leaves.covers(key):
        return next_hop(machine, key)
    candidates = admissible(machine, key)
    if machine.table.get(*machine.table.slot(key)) is not None or not candidates:
        return next_hop(machine, key)
    return machine.dice.choice(candidates)


def hops_by_tables(machines: dict[int, Pastry], dice: random.Random, step: Step = next_hop) -> float:
    """Mean hops of lookups that walk from table to table."""
    addresses = list(machines)
    total = 0
    for _ in range(LOOKUPS):
        at, key = machines[dice.choice(addresses)], dice.getrandbits(128)
        while (towards := step(at, key)) is not None:
            at = machines[towards.address]
            total += 1
    return total / LOOKUPS


def tables(peers: int, seeds: int = 4) -> None:
    """A tenth fails; leaf sets are repaired. Dead entries of the tables are left empty, or replaced."""
    for seed in range(1, seeds + 1):
        addresses = list(range(seed * peers, (seed + 1) * peers))
        dice = random.Random(seed)
        whole = settled(addresses, seed)
        before = hops_by_tables(whole, dice)
        dead = dict.fromkeys(dice.sample(addresses, peers // 10))
        alive = settled([address for address in addresses if address not in dead], seed)
        repaired = hops_by_tables(alive, dice)
        for address, machine in alive.items():
            for contact in list(machine.table.members()):
                machine.table.remove(contact)
            for contact in whole[address].table.members():
                if contact.address not in dead:
                    machine.table.put(contact)
        best, some = hops_by_tables(alive, dice), hops_by_tables(alive, dice, any_admissible)
        print(
            f"{peers=} {seed=}: {before:.3f} hops before; not repaired {best - before:+.3f}, "
            f"by any admissible peer {some - before:+.3f}; repaired {repaired - before:+.3f}"
        )


def locality(peers: int) -> None:
    """Peers on a plane join for real; distance travelled by a message over the distance to where it goes."""
    for is_near in (False, True):
        net = network(peers, "open plane", proximity=is_near)
        net.join(peers)
        net.universe.run_for(600)  # the gossip of ten minutes
        answers, askers = lookups(net, LOOKUPS)
        travelled = direct = 0.0
        for notice in answers:
            here = askers[notice.token]
            if not notice.path:
                continue
            direct += net.latency.base_s(here, notice.path[-1].address)
            for contact in notice.path:
                travelled += net.latency.base_s(here, contact.address)
                here = contact.address
        print(f"{peers=} proximity={is_near}: {travelled / direct:.3f} times the direct distance")


if __name__ == "__main__":
    what, size = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    if what == "tables":
        tables(size or 5000)
    elif what == "repair":
        repair(size or 5000)
    else:
        locality(size or 1000)
