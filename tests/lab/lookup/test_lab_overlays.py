"""Every overlay in the lab: finds the true owner, still does when half are gone, and one seed is one universe."""

from __future__ import annotations

import pytest

from horoi.lab.lookup import run
from horoi.lab.lookup.run import OVERLAYS


@pytest.mark.parametrize("overlay", sorted(OVERLAYS))
def test_every_lookup_finds_the_true_owner(overlay: str) -> None:
    result = run(overlay=overlay, peers=200, lookups=300, seed=3, start="converged")
    assert (result["completed"], result["correct"]) == (1.0, 1.0)
    assert sum(result["hops_histogram"]) == 300
    assert result["hops_mean"] > 1


@pytest.mark.parametrize("overlay", sorted(OVERLAYS))
def test_networks_organise_themselves_by_joins(overlay: str) -> None:
    result = run(overlay=overlay, peers=40, lookups=200, seed=4, start="joins")
    assert result["correct"] >= 0.99


@pytest.mark.parametrize("overlay", sorted(OVERLAYS))
def test_lookups_survive_the_failure_of_a_fifth(overlay: str) -> None:
    result = run(overlay=overlay, peers=300, lookups=300, seed=5, fail=0.2)
    assert result["completed"] >= 0.97
    assert result["correct"] >= 0.97


@pytest.mark.parametrize("overlay", sorted(OVERLAYS))
def test_one_seed_is_one_universe(overlay: str) -> None:
    one, other = (run(overlay=overlay, peers=100, lookups=50, seed=6) for _ in range(2))
    assert one["digest"] == other["digest"]
    assert one["hops_histogram"] == other["hops_histogram"]


@pytest.mark.parametrize("peers", [1, 2, 3])
@pytest.mark.parametrize("overlay", sorted(OVERLAYS))
def test_the_smallest_networks_are_networks(overlay: str, peers: int) -> None:
    result = run(overlay=overlay, peers=peers, lookups=50, seed=7)
    assert (result["completed"], result["correct"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("peers", "seed"),
    [
        (3, 1),  # two come at once, and one of them knows nobody of its first level
        (8, 2),  # two are half a second from each other, as long as the usual timeout
    ],
)
def test_all_know_one_root_though_some_came_at_once_and_some_are_far(peers: int, seed: int) -> None:
    result = run(overlay="tapestry", peers=peers, lookups=300, latency="king", seed=seed)
    assert result["correct"] == 1.0
