"""Churn: the distributions have the medians they are made with, and hosts come and go by them."""

from __future__ import annotations

import random
import statistics

import pytest
from tests.world.sim.sim_machines import puppet

from horoi.world.sim.churn import Churn, Exponential, Lifetime, LogNormal, Pareto, Weibull
from horoi.world.sim.universe import Universe


@pytest.mark.parametrize(
    "lifetime",
    [Exponential.of_median(60), Pareto.of_median(60), LogNormal(60), Weibull.of_median(60)],
    ids=lambda lifetime: type(lifetime).__name__,
)
def test_lifetimes_have_their_median(lifetime: Lifetime) -> None:
    dice = random.Random(1)
    durations = [lifetime.draw_s(dice) for _ in range(20_000)]
    assert min(durations) >= 0
    assert statistics.median(durations) == pytest.approx(60, rel=0.04)


def test_pareto_has_the_mean_of_the_literature() -> None:
    dice = random.Random(2)
    hours = [Pareto(scale_s=3600).draw_s(dice) / 3600 for _ in range(100_000)]
    assert statistics.mean(hours) == pytest.approx(0.5, rel=0.03)  # Leonard et al. 2005: shape 3, scale 1 h


@pytest.mark.parametrize("make", [lambda: Exponential(0), lambda: Pareto(1, -1), lambda: LogNormal(float("nan"))])
def test_impossible_lifetimes_are_refused(make: object) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        make()  # type: ignore[operator]


def churned(seed: int, graceful: float = 0.0) -> tuple[Universe, Churn, list[float]]:
    made = Universe(seed)
    names = [f"p{number}" for number in range(100)]
    for name in names:
        made.add(name, puppet())
    churn = Churn(made, Exponential(60), Exponential(20), graceful=graceful)
    churn.cover(names)
    shares: list[float] = []
    for minute in range(5, 60):
        made.at(60 * minute, lambda: shares.append(sum(made.is_up(name) for name in names) / 100))
    made.run(3600)
    return made, churn, shares


def test_the_share_of_hosts_that_are_up_is_session_over_session_and_downtime() -> None:
    _, churn, shares = churned(1)
    assert statistics.mean(shares) == pytest.approx(60 / 80, abs=0.02)
    assert churn.departures == pytest.approx(100 * 3600 / 80, rel=0.05)


def test_churn_is_the_same_for_a_seed() -> None:
    assert churned(3)[0].digest == churned(3)[0].digest != churned(4)[0].digest


def test_graceful_departures_stop_the_machine() -> None:
    made = Universe(1)
    closed: list[int] = []
    for name in range(50):
        made.add(name, puppet(close=lambda name=name: closed.append(name)))
    churn = Churn(made, Exponential(60), Exponential(20), graceful=0.5)
    churn.cover(made.names)
    made.run(3600)
    assert len(closed) / churn.departures == pytest.approx(0.5, abs=0.05)


def test_with_newcomers_the_population_is_constant_and_nobody_returns() -> None:
    made = Universe(1)

    def newcomer(number: int) -> str:
        made.add(f"new{number}", puppet())
        return f"new{number}"

    for number in range(20):
        made.add(f"old{number}", puppet())
    churn = Churn(made, Pareto.of_median(60), newcomer=newcomer)
    churn.cover(made.names)
    made.run(3600)
    assert len(made.names) == 20
    assert churn.arrivals == churn.departures > 200
    assert not any(name.startswith("old") for name in made.names[5:])


def test_churn_ends() -> None:
    made = Universe(1)
    for number in range(20):
        made.add(number, puppet())
    churn = Churn(made, Exponential(10), Exponential(10))
    churn.cover(made.names)
    made.run(100)
    churn.end()
    before = churn.departures
    made.run(1000)
    assert churn.departures == before > 0


def test_churn_gets_along_with_a_script_that_crashes_hosts_too() -> None:
    made = Universe(1)
    for number in range(10):
        made.add(number, puppet())
    churn = Churn(made, Exponential(10), Exponential(10))
    churn.cover(made.names)
    for second in range(0, 300, 7):
        made.at(second, lambda second=second: made.crash(second % 10))
    made.run(400)
    assert churn.arrivals > 100
