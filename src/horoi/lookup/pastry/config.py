"""What may be chosen about a Pastry network. All peers share ``bits`` and ``digit_bits``; the rest is each peer's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from horoi.base.ids import check_bits
from horoi.lookup.pastry.messages import MAX_LEAVES, MAX_NEIGHBOURS, MAX_REPLICAS
from horoi.lookup.vocabulary import Contact

PASTRY_BITS = 128  # section 2: "each node is assigned a 128-bit node identifier"


@dataclass(frozen=True)
class PastryConfig:
    """Numbers of the paper where it gives them (section 2.1: b, L, M).

    ``replicas`` is k of section 2: how many of the numerically closest peers keep a value, the owner included.
    ``proximity``: prefer near peers in the routing table and join through the nearest (section 2.5). ``repair``: replace
    the table entries of dead peers (section 2.4); off only to measure what it is worth (section 4.4, figure 9).
    ``randomise`` is the chance to take another admissible peer than the best at a step (section 2.6, randomized);
    lookups that failed are repeated so in any case. ``routes`` is how many diverse routes a lookup takes at once: of
    several claims of ownership, the one closest to the key wins (Castro et al. 2002, section 5.3).
    ``is_bound`` says whether a contact's id belongs to its address or key (base.ids); None: ids are taken on trust, for
    closed networks and simulations. ``upkeep`` switches off every periodic work, for experiments on a network at rest.
    """

    bits: int = PASTRY_BITS
    digit_bits: int = 4
    leaf_set: int = 16
    neighbourhood: int = 32
    replicas: int = 4  # a guess; PAST, on top of Pastry, kept 5
    proximity: bool = True
    repair: bool = True
    randomise: float = 0.0
    routes: int = 1
    keepalive_s: float = 10.0  # the paper leaves T open, its successor takes 30 s; this suits sessions of minutes
    probe_s: float = 40.0  # the same for entries of the routing table, which only cost time when dead
    gossip_s: float = 30.0  # a guess: how often a row is compared with a peer of that row
    is_bound: Callable[[Contact], bool] | None = None
    upkeep: bool = True
    rate_per_s: float | None = 100.0  # requests served per second and source (common.rates); None: no limit
    doubt: float = 16.0
    """An owner this many times farther from the key than peers usually are apart is doubted, and the lookup repeated on
    another route (Castro et al. 2002, section 5.2). An honest one is doubted once in e**32."""

    def __post_init__(self) -> None:
        check_bits(self.bits)
        if not (1 <= self.digit_bits <= 4 and self.bits % self.digit_bits == 0):
            raise ValueError(f"digit_bits, b, is 1 to 4 and divides {self.bits} bits, not {self.digit_bits}")
        if not (2 <= self.leaf_set <= MAX_LEAVES and self.leaf_set % 2 == 0):
            raise ValueError(f"leaf_set, L, is even and from 2 to {MAX_LEAVES}, not {self.leaf_set}")
        if not 0 <= self.neighbourhood <= MAX_NEIGHBOURS:
            raise ValueError(f"neighbourhood, M, is from 0 to {MAX_NEIGHBOURS}, not {self.neighbourhood}")
        if not 1 <= self.replicas <= min(self.leaf_set // 2, MAX_REPLICAS) + 1:
            limit = min(self.leaf_set // 2, MAX_REPLICAS) + 1
            raise ValueError(f"replicas, k, is from 1 to {limit}: a side of the leaf set, not {self.replicas}")
        if not 0 <= self.randomise < 1:
            raise ValueError(f"randomise is a chance, at least 0 and under 1, not {self.randomise}")
        if not 1 <= self.routes <= 16:
            raise ValueError(f"routes is from 1 to 16, not {self.routes}")
        if not min(self.keepalive_s, self.probe_s, self.gossip_s) > 0:
            raise ValueError(f"periods are more than 0 s: {self.keepalive_s=} {self.probe_s=} {self.gossip_s=}")
