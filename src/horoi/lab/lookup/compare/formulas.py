"""Hops by each paper's formula, the last one, to the owner, included."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from horoi.lab.lookup.overlay import Settings


@dataclass(frozen=True)
class Formula:
    """``hops`` of a network of so many peers. A bound is what the paper says is not exceeded, not what it expects."""

    text: str
    source: str
    hops: Callable[[int, Settings], float]
    is_bound: bool = False


FORMULAS = {
    "chord": Formula(
        "½ log₂ N + 0.86", "Stoica et al. 2003, section VI.C", lambda peers, _: 0.5 * math.log2(peers) + 0.86
    ),
    "can": Formula(
        "(d/4) N^(1/d)",
        "Ratnasamy et al. 2001, section 2.3",
        lambda peers, settings: settings.dimensions / 4 * peers ** (1 / settings.dimensions),
    ),
    "pastry": Formula(
        "log N to base 2^b",
        "Rowstron, Druschel 2001, section 2.3",
        lambda peers, settings: math.log2(peers) / settings.digit_bits,
    ),
    "tapestry": Formula(
        "log N to base 2^b",
        "Zhao et al. 2001, section 3",
        lambda peers, settings: math.log2(peers) / settings.digit_bits,
        is_bound=True,
    ),
    "kademlia": Formula(
        "log₂ N", "Maymounkov, Mazières 2002, section 3", lambda peers, _: math.log2(peers), is_bound=True
    ),
}
