"""How long a message is under way, one way: models of the distance between two peers, in seconds.

Every model has a true distance (``base_s``, what an experiment on locality compares with) and a sample of it
(``delay_s``, with jitter). Peers are numbered by the universe in the order in which they were added. No model keeps
anything per pair, so a million peers cost at most a few bytes each.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Protocol

REGIONS = ("north-america", "south-america", "europe", "south-asia", "east-asia", "oceania")

# Round trips in ms between Washington DC, Sao Paulo, London, Chennai, Tokyo and Sydney: IBM Cloud VPC's published
# averages of 10 January to 8 February 2026 (mean of both directions). Inside a region: a guess.
_ROUND_TRIPS_MS = (
    (30.0, 125.0, 76.0, 235.0, 140.0, 214.0),
    (125.0, 20.0, 194.0, 361.0, 283.0, 324.0),
    (76.0, 194.0, 20.0, 137.0, 246.5, 259.5),
    (235.0, 361.0, 137.0, 40.0, 111.0, 125.0),
    (140.0, 283.0, 246.5, 111.0, 30.0, 115.0),
    (214.0, 324.0, 259.5, 125.0, 115.0, 20.0),
)
WORLD_ONE_WAY_MS: dict[tuple[str, str], float] = {
    (a, b): _ROUND_TRIPS_MS[i][j] / 2 for i, a in enumerate(REGIONS) for j, b in enumerate(REGIONS)
}


class Latency(Protocol):
    """A model of distances."""

    def settle(self, peer: int, region: str | None, dice: random.Random) -> None:
        """Give the next peer its place. The universe calls it once per peer, with 0, 1, 2, ..."""

    def base_s(self, a: int, b: int) -> float:
        """The true one-way distance from ``a`` to ``b``."""

    def delay_s(self, a: int, b: int, dice: random.Random) -> float:
        """One sample of it."""


def _no_region(region: str | None, model: str) -> None:
    if region is not None:
        raise ValueError(f"the {model} latency model has no regions, got {region!r}; use Regions or leave it out")


def _check_ms(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} is at least 0, got {value}")


class Constant:
    """The same delay for all."""

    def __init__(self, one_way_ms: float) -> None:
        _check_ms(one_way_ms=one_way_ms)
        self._one_way_s = one_way_ms / 1000

    def settle(self, peer: int, region: str | None, dice: random.Random) -> None:
        _no_region(region, "constant")

    def base_s(self, a: int, b: int) -> float:
        return self._one_way_s

    def delay_s(self, a: int, b: int, dice: random.Random) -> float:
        return self._one_way_s


class Uniform:
    """Each message takes between ``low_ms`` and ``high_ms``, whoever sends it."""

    def __init__(self, low_ms: float, high_ms: float) -> None:
        _check_ms(low_ms=low_ms, high_ms=high_ms)
        if high_ms < low_ms:
            raise ValueError(f"high_ms is at least low_ms, got {low_ms} to {high_ms}")
        self._low_s = low_ms / 1000
        self._spread_s = (high_ms - low_ms) / 1000

    def settle(self, peer: int, region: str | None, dice: random.Random) -> None:
        _no_region(region, "uniform")

    def base_s(self, a: int, b: int) -> float:
        return self._low_s + self._spread_s / 2

    def delay_s(self, a: int, b: int, dice: random.Random) -> float:
        return self._low_s + self._spread_s * dice.random()


class Regions:
    """Peers live in regions; the distance is that of the regions plus up to ``jitter`` of itself, uniformly.

    A peer without a region gets one at random. ``jitter`` 0.1 is a guess.
    """

    def __init__(self, one_way_ms: Mapping[tuple[str, str], float] = WORLD_ONE_WAY_MS, *, jitter: float = 0.1) -> None:
        _check_ms(jitter=jitter)
        self.names = tuple(dict.fromkeys(a for a, _ in one_way_ms))
        self._jitter = jitter
        self._number = {name: number for number, name in enumerate(self.names)}
        for a in self.names:
            for b in self.names:
                if (a, b) not in one_way_ms:
                    raise ValueError(f"the matrix of regions has no figure from {a!r} to {b!r}; give both directions")
                _check_ms(**{f"{a} to {b}": one_way_ms[a, b]})
        self._one_way_s = [[one_way_ms[a, b] / 1000 for b in self.names] for a in self.names]
        self._region_of = array("H")

    def settle(self, peer: int, region: str | None, dice: random.Random) -> None:
        number = self._number.get(region) if region is not None else dice.randrange(len(self.names))
        if number is None:
            raise ValueError(f"no region {region!r}; the regions are {', '.join(self.names)}")
        self._region_of.append(number)

    def region(self, peer: int) -> str:
        """The name of the region in which the peer lives."""
        return self.names[self._region_of[peer]]

    def base_s(self, a: int, b: int) -> float:
        return self._one_way_s[self._region_of[a]][self._region_of[b]]

    def delay_s(self, a: int, b: int, dice: random.Random) -> float:
        return self._one_way_s[self._region_of[a]][self._region_of[b]] * (1 + self._jitter * dice.random())


class King:
    """Log-normal distances per pair, like the King data set: fixed for a pair, the same both ways.

    Vivaldi (Dabek et al. 2004, section 3.1) measured 1740 name servers with King (Gummadi et al. 2002): median round
    trip 159 ms, mean 180 ms. For a log-normal that mean and median make sigma = sqrt(2 ln(180/159)) = 0.498. Distances
    are independent of one another, so unlike the Internet's they show no clusters. ``jitter`` is a guess.
    """

    def __init__(self, *, median_ms: float = 79.5, sigma: float = 0.498, jitter: float = 0.1, seed: int = 0) -> None:
        _check_ms(median_ms=median_ms, sigma=sigma, jitter=jitter)
        self._mu = math.log(median_ms / 1000) if median_ms else -math.inf
        self._sigma = sigma
        self._jitter = jitter
        self._seed = seed & _MASK_64
        self._quantile = NormalDist().inv_cdf

    def settle(self, peer: int, region: str | None, dice: random.Random) -> None:
        _no_region(region, "King")

    def base_s(self, a: int, b: int) -> float:
        if a == b:
            return 0.0
        low, high = (a, b) if a < b else (b, a)
        mixed = _mix_64(self._seed ^ _mix_64(low << 32 ^ high))
        share = ((mixed >> 11) + 0.5) / (1 << 53)  # in (0, 1), never an end
        return math.exp(self._mu + self._sigma * self._quantile(share))

    def delay_s(self, a: int, b: int, dice: random.Random) -> float:
        return self.base_s(a, b) * (1 + self._jitter * dice.random())


class Plane:
    """Peers are points in the unit square; the distance is Euclidean, ``across_ms`` for a side, plus ``floor_ms``.

    With ``torus`` the edges are glued, so that no peer is in a corner. ``points`` gives the first peers' places; the
    others are uniform.
    """

    def __init__(
        self,
        *,
        across_ms: float = 100.0,
        floor_ms: float = 1.0,
        jitter: float = 0.0,
        torus: bool = False,
        points: Sequence[tuple[float, float]] = (),
    ) -> None:
        _check_ms(across_ms=across_ms, floor_ms=floor_ms, jitter=jitter)
        self._across_s = across_ms / 1000
        self._floor_s = floor_ms / 1000
        self._jitter = jitter
        self._torus = torus
        self._given = tuple(points)
        self._x = array("d")
        self._y = array("d")

    def settle(self, peer: int, region: str | None, dice: random.Random) -> None:
        _no_region(region, "plane")
        x, y = self._given[peer] if peer < len(self._given) else (dice.random(), dice.random())
        self._x.append(x)
        self._y.append(y)

    def point(self, peer: int) -> tuple[float, float]:
        """Where the peer is."""
        return self._x[peer], self._y[peer]

    def base_s(self, a: int, b: int) -> float:
        dx = abs(self._x[a] - self._x[b])
        dy = abs(self._y[a] - self._y[b])
        if self._torus:
            dx = min(dx, 1 - dx)
            dy = min(dy, 1 - dy)
        return self._floor_s + self._across_s * math.hypot(dx, dy)

    def delay_s(self, a: int, b: int, dice: random.Random) -> float:
        return self.base_s(a, b) * (1 + self._jitter * dice.random())


_MASK_64 = (1 << 64) - 1


def _mix_64(value: int) -> int:
    """SplitMix64's finalizer (Steele, Lea, Flood 2014): spreads every bit of a number over 64 bits."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK_64
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK_64
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK_64
    return value ^ value >> 31
