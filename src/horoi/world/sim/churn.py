"""Churn: hosts that come and go, with the session times that the literature uses.

Rhea et al. 2004 ("Handling churn in a DHT") drive Bamboo with exponential sessions of 1.4 minutes to 3 hours median;
Leonard et al. 2005 ("On lifetime-based node failure", section 2) use a shifted Pareto with shape 3; Stutzbach and Rejaie
2006 ("Understanding churn in peer-to-peer networks", section 5) find log-normal and Weibull with shape under 1 the best fits
to what they measured. Saroiu et al. 2002 measured a median session of 60 minutes in Napster and Gnutella.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from horoi.machine.contract import Peer
from horoi.world.sim.universe import Universe


class Lifetime(Protocol):
    """A distribution of durations."""

    def draw_s(self, dice: random.Random) -> float:
        """One duration in seconds."""


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} is more than 0, got {value}")


@dataclass(frozen=True)
class Exponential:
    """Memoryless: how long a peer was here says nothing about how long it stays."""

    mean_s: float

    def __post_init__(self) -> None:
        _check_positive(mean_s=self.mean_s)

    @classmethod
    def of_median(cls, median_s: float) -> Exponential:
        """The one with this median: mean = median / ln 2."""
        return cls(median_s / math.log(2))

    def draw_s(self, dice: random.Random) -> float:
        return dice.expovariate(1 / self.mean_s)


@dataclass(frozen=True)
class Pareto:
    """Shifted Pareto: P(longer than x) = (1 + x/scale)^-shape; the older a peer, the longer it stays."""

    scale_s: float
    shape: float = 3.0  # Leonard et al. 2005, section 2; the mean is scale / (shape - 1)

    def __post_init__(self) -> None:
        _check_positive(scale_s=self.scale_s, shape=self.shape)

    @classmethod
    def of_median(cls, median_s: float, shape: float = 3.0) -> Pareto:
        """The one with this median."""
        return cls(median_s / (math.pow(2, 1 / shape) - 1), shape)

    def draw_s(self, dice: random.Random) -> float:
        return self.scale_s * (math.pow(1 - dice.random(), -1 / self.shape) - 1)


@dataclass(frozen=True)
class LogNormal:
    """The logarithm is normal, with ``sigma`` as its standard deviation."""

    median_s: float
    sigma: float = 1.0  # a guess

    def __post_init__(self) -> None:
        _check_positive(median_s=self.median_s, sigma=self.sigma)

    def draw_s(self, dice: random.Random) -> float:
        return dice.lognormvariate(math.log(self.median_s), self.sigma)


@dataclass(frozen=True)
class Weibull:
    """P(longer than x) = exp(-(x/scale)^shape); a shape under 1 has many short sessions and a few very long ones."""

    scale_s: float
    shape: float = 0.5  # a guess in the range of the measured, which is under 1

    def __post_init__(self) -> None:
        _check_positive(scale_s=self.scale_s, shape=self.shape)

    @classmethod
    def of_median(cls, median_s: float, shape: float = 0.5) -> Weibull:
        """The one with this median."""
        return cls(median_s / math.pow(math.log(2), 1 / shape), shape)

    def draw_s(self, dice: random.Random) -> float:
        return dice.weibullvariate(self.scale_s, self.shape)


class Churn:
    """Ends the sessions of hosts, and brings them back or strangers in their place.

    ``session`` is how long a host is up, ``downtime`` how long its place is empty (None: no time at all).
    ``graceful`` is the share of sessions that end by ``Universe.stop``; the others end by ``crash``. With
    ``newcomer(number)``, a host that left never comes back; after the downtime the callable adds a stranger to the
    universe and returns its name, so that the population is constant, as in Rhea et al.
    """

    def __init__(
        self,
        universe: Universe,
        session: Lifetime,
        downtime: Lifetime | None = None,
        *,
        graceful: float = 0.0,
        newcomer: Callable[[int], Peer] | None = None,
    ) -> None:
        if not 0 <= graceful <= 1:
            raise ValueError(f"graceful is a share, from 0 to 1, got {graceful}")
        self._universe = universe
        self._session = session
        self._downtime = downtime
        self._graceful = graceful
        self._newcomer = newcomer
        self._dice = universe.dice("churn")
        self._running = True
        self.departures = 0
        self.arrivals = 0

    def cover(self, names: Iterable[Peer]) -> None:
        """Let the sessions of these hosts begin now. Those that are down begin with a downtime."""
        for name in names:
            if self._universe.is_up(name):
                self._universe.after(self._session.draw_s(self._dice), _Leave(self, name))
            else:
                self._universe.after(self._absence_s(), _Arrive(self, name))

    def end(self) -> None:
        """Nobody comes or goes any more."""
        self._running = False

    def _absence_s(self) -> float:
        return self._downtime.draw_s(self._dice) if self._downtime is not None else 0.0

    def leave(self, name: Peer) -> None:
        """End a session, if the host is still up, and plan the next arrival in its place."""
        if not self._running:
            return
        if self._universe.is_up(name):
            self.departures += 1
            if self._graceful and self._dice.random() < self._graceful:
                self._universe.stop(name)
            else:
                self._universe.crash(name)
        if self._newcomer is not None:
            self._universe.remove(name)
        self._universe.after(self._absence_s(), _Arrive(self, name))

    def arrive(self, name: Peer) -> None:
        """Begin a session: of the host itself, or of a stranger in its place."""
        if not self._running:
            return
        if self._newcomer is not None:
            name = self._newcomer(self.arrivals)
        elif not self._universe.is_up(name):
            self._universe.restart(name)
        self.arrivals += 1
        self._universe.after(self._session.draw_s(self._dice), _Leave(self, name))


@dataclass(frozen=True, slots=True)
class _Leave:
    churn: Churn
    name: Peer

    def __call__(self) -> None:
        self.churn.leave(self.name)


@dataclass(frozen=True, slots=True)
class _Arrive:
    churn: Churn
    name: Peer

    def __call__(self) -> None:
        self.churn.arrive(self.name)
