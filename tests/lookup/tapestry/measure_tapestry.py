"""Figures of Tapestry that need more than `horoi lab lookup`: surrogate digits, roots from all sources, distance.

PYTHONPATH=src python tests/lookup/tapestry/measure_tapestry.py surrogates|locality [peers]
"""

from __future__ import annotations

import random
import sys

from horoi.base.ids import digit, id_of_address
from horoi.lab.lookup.network import LATENCIES, LookupNetwork
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.overlays.tapestry import TapestryOverlay
from horoi.lookup.tapestry.config import TapestryConfig
from horoi.lookup.tapestry.converged import settle
from horoi.lookup.tapestry.machine import Tapestry
from horoi.lookup.tapestry.surrogate import next_step
from horoi.lookup.vocabulary import Contact, Found
from horoi.world.sim.latency import Plane

LOOKUPS = 10_000

LATENCIES["open plane"] = lambda _seed: Plane()  # as in the paper: peers near an edge have nobody behind it


def surrogates(peers: int) -> None:
    """Hops, and those of them that resolved another digit than the key's; and whether 50 sources agree on 200 roots."""
    dice = random.Random(1)
    config = TapestryConfig(upkeep=False)
    machines = [Tapestry(Contact(id_of_address(n, 160), n), config, dice) for n in range(peers)]
    settle(machines, dice, joined=True)

    def route(key: int, here: Tapestry) -> tuple[int, int, int]:
        level = hops = taken = 0
        while True:
            step = next_step(here.neighbours, key, level)
            if step.hop is None:
                return here.me.address, hops, taken
            taken += digit(step.hop.id, step.level - 1, 160, 4) != digit(key, step.level - 1, 160, 4)
            here, level, hops = machines[step.hop.address], step.level, hops + 1

    routes = [route(dice.getrandbits(160), dice.choice(machines)) for _ in range(LOOKUPS)]
    hops = sum(route[1] for route in routes) / LOOKUPS
    taken = sum(route[2] for route in routes) / LOOKUPS
    keys = [dice.getrandbits(160) for _ in range(200)]
    agreeing = sum(len({route(key, dice.choice(machines))[0] for _ in range(50)}) == 1 for key in keys)
    print(
        f"{peers=}: {hops:.3f} hops, {taken:.3f} of them surrogate; {agreeing} of 200 keys have one root from 50 sources"
    )


def locality(peers: int) -> None:
    """Peers on a plane join for real; distance travelled by a message over the distance to where it goes."""
    for is_near in (False, True):
        settings = Settings(overlay="tapestry", peers=peers, latency="open plane")
        overlay = TapestryOverlay(settings, random.Random(1), proximity=is_near)
        net = LookupNetwork(settings, overlay, upkeep=True, count_bytes=False)
        net.join(peers)
        answers: list[Found] = []
        askers: dict[int, int] = {}
        net.on_answer = lambda notice, _now, answers=answers: answers.append(notice)
        for token in range(LOOKUPS):
            askers[token] = net.honest_peer()
            net.lookup(token, askers[token], net.key())
            net.universe.run_for(0.001)
        net.universe.run_for(30)
        travelled = direct = 0.0
        for notice in answers:
            here = askers[notice.token]
            direct += net.latency.base_s(here, notice.path[-1].address) if notice.path else 0.0
            for contact in notice.path:
                travelled += net.latency.base_s(here, contact.address)
                here = contact.address
        print(f"{peers=} proximity={is_near}: {travelled / direct:.3f} times the direct distance")


if __name__ == "__main__":
    what, size = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    if what == "surrogates":
        for count in [size] if size else [100, 1000, 10_000]:
            surrogates(count)
    else:
        locality(size or 500)
