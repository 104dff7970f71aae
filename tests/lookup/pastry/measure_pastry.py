"""Figures of Pastry's paper that need more than `horoi lab lookup`: repair (figure 9) and locality (figure 6).

PYTHONPATH=src python tests/lookup/pastry/measure_pastry.py repair|locality [peers]
"""

from __future__ import annotations

import random
import sys
from typing import Any

from horoi.lab.lookup.network import LATENCIES, LookupNetwork
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.overlays.pastry import PastryOverlay
from horoi.lookup.vocabulary import Found
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
    if what == "repair":
        repair(size or 5000)
    else:
        locality(size or 1000)
