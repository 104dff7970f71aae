"""Measures CAN's design knobs beside the paper's sections. The figures are in docs/lookup/can.md.

Run it from the project's folder: ``PYTHONPATH=src:. python tests/lookup/can/measure_can.py``. It takes a few minutes.
"""

from __future__ import annotations

import random
import sys
from typing import Any

from tests.lookup.can.can_net import QUICK, CanNet
from tests.lookup.can.test_can_partition import greedy_hops, grown

from horoi.lookup.can.config import CanConfig
from horoi.lookup.can.converged import settle
from horoi.lookup.can.zone import Space
from horoi.lookup.vocabulary import Found, Lookup
from horoi.world.sim.latency import King


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def geometry() -> None:
    """Hops and neighbours by dimensions, without messages."""
    say("d       N     hops  / (d/4)N^(1/d)  neighbours")
    for d in (2, 3, 4, 5):
        for count in (1024, 4096, 16384):
            tree = grown(Space(d, 160), count)
            hops = greedy_hops(tree, 2000)
            mean = sum(len(tree.neighbours(zone)) for zone in tree.owners) / count
            say(f"{d} {count:7} {hops:8.2f} {hops / (d / 4 * count ** (1 / d)):12.3f} {mean:14.2f}")


def uniform() -> None:
    """Share of peers whose zone has the mean volume, 16,384 peers."""
    say("d  reach 0  reach 1  reach 2")
    for d in (2, 3, 4, 5):
        shares = []
        for reach in (0, 1, 2):
            tree = grown(Space(d, 160), 16384, reach=reach)
            shares.append(sum(zone.bit_length() == 15 for zone in tree.owners) / 16384)
        say(f"{d} " + " ".join(f"{share:8.3f}" for share in shares))


def messages(count: int, **options: Any) -> tuple[float, float, float]:
    """(hops, milliseconds per hop, neighbours) of lookups in a network of machines, King latencies."""
    config = CanConfig(bits=64, **QUICK, **options)
    net = CanNet(f"measure/{options}", config=config, latency=King(seed=1))
    if config.max_peers > 1:
        net.grow(count, 0.2)
        net.universe.run_for(60.0)
    else:
        for name in range(count):
            net.universe.add(name, net.boot)
        settle(net.peers())
        for peer in net.up():
            net.universe.ask(peer, Lookup(("wake", peer), 0))
        net.universe.run_for(10.0)
    dice = random.Random(1)
    hops, seconds = 0, 0.0
    for number in range(300):
        began_s = net.universe.now
        found = net.ask(dice.choice(net.up()), Lookup(number, dice.getrandbits(64)))
        assert isinstance(found, Found), found
        hops += found.hops
        seconds += net.universe.now - began_s
    mean = sum(len(r.neighbours) for p in net.peers() for r in p.realities) / count
    return hops / 300, 1000 * seconds / hops, mean


def knobs() -> None:
    """Realities, RTT-weighted routing and overloading, with machines and messages, 512 peers."""
    say("                              hops  ms per hop  neighbours")
    table: dict[str, dict[str, Any]] = {
        "bare, d=2": {},
        "2 realities": {"realities": 2},
        "3 realities": {"realities": 3},
        "4 realities": {"realities": 4},
        "d=4": {"dimensions": 4},
        "d=4, RTT-weighted": {"dimensions": 4, "rtt_weighted": True},
        "3 peers to a zone": {"max_peers": 3},
        "4 peers to a zone": {"max_peers": 4},
    }
    for name, options in table.items():
        hops, ms_per_hop, neighbours = messages(512, **options)
        say(f"{name:26} {hops:8.2f} {ms_per_hop:10.1f} {neighbours:10.2f}")


if __name__ == "__main__":
    geometry()
    uniform()
    knobs()
