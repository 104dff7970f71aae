"""Models of distance: symmetric where the world is, within their bounds, and the figures that they cite."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.world.sim.latency import REGIONS, WORLD_ONE_WAY_MS, Constant, King, Latency, Plane, Regions, Uniform


def settled(model: Latency, peers: int = 50, seed: int = 1) -> Latency:
    dice = random.Random(seed)
    for peer in range(peers):
        model.settle(peer, None, dice)
    return model


@pytest.mark.parametrize(
    "model", [Constant(20), Uniform(10, 30), Regions(), King(), Plane(), Plane(torus=True, jitter=0.2)]
)
@settings(deadline=None, max_examples=50)
@given(a=st.integers(0, 49), b=st.integers(0, 49), seed=st.integers())
def test_distances_are_symmetric_and_samples_near_them(model: Latency, a: int, b: int, seed: int) -> None:
    if not getattr(model, "is_settled", False):
        settled(model)
        model.is_settled = True  # type: ignore[attr-defined]
    base_s = model.base_s(a, b)
    assert base_s == model.base_s(b, a)
    assert 0 <= base_s < 2
    sample_s = model.delay_s(a, b, random.Random(seed))
    assert 0.5 * base_s <= sample_s <= 1.5 * base_s
    assert sample_s == model.delay_s(a, b, random.Random(seed))


def test_the_world_is_complete_and_symmetric() -> None:
    for a in REGIONS:
        for b in REGIONS:
            assert WORLD_ONE_WAY_MS[a, b] == WORLD_ONE_WAY_MS[b, a] > 0
            assert WORLD_ONE_WAY_MS[a, a] <= WORLD_ONE_WAY_MS[a, b]


def test_regions_are_where_they_are_said_to_be() -> None:
    model = Regions(jitter=0)
    dice = random.Random(1)
    model.settle(0, "europe", dice)
    model.settle(1, "oceania", dice)
    model.settle(2, None, dice)
    assert (model.region(0), model.region(1)) == ("europe", "oceania")
    assert model.region(2) in REGIONS
    assert model.delay_s(0, 1, dice) == pytest.approx(0.12975)
    with pytest.raises(ValueError, match="the regions are north-america"):
        model.settle(3, "atlantis", dice)


def test_a_matrix_with_a_hole_is_refused() -> None:
    with pytest.raises(ValueError, match="from 'b' to 'a'"):
        Regions({("a", "a"): 1, ("a", "b"): 2, ("b", "b"): 1})


def test_king_has_the_median_and_mean_of_the_data_set() -> None:
    model = King()
    round_trips_ms = [2000 * model.base_s(a, b) for a in range(200) for b in range(a)]
    assert statistics.median(round_trips_ms) == pytest.approx(159, rel=0.03)
    assert statistics.mean(round_trips_ms) == pytest.approx(180, rel=0.03)


def test_king_differs_by_seed_and_a_peer_is_at_no_distance_from_itself() -> None:
    assert King(seed=1).base_s(3, 4) != King(seed=2).base_s(3, 4)
    assert King().base_s(5, 5) == 0


def test_on_a_torus_the_edges_meet() -> None:
    points = [(0.0, 0.5), (0.9, 0.5)]
    flat = settled(Plane(across_ms=100, floor_ms=0, points=points), 2)
    round_ = settled(Plane(across_ms=100, floor_ms=0, points=points, torus=True), 2)
    assert flat.base_s(0, 1) == pytest.approx(0.09)
    assert round_.base_s(0, 1) == pytest.approx(0.01)


def test_distances_in_the_plane_keep_the_triangle_inequality() -> None:
    model = settled(Plane(floor_ms=0, torus=True))
    for a in range(15):
        for b in range(15):
            for c in range(15):
                assert model.base_s(a, c) <= model.base_s(a, b) + model.base_s(b, c) + 1e-12


@pytest.mark.parametrize("make", [lambda: Constant(-1), lambda: Uniform(5, 4), lambda: King(median_ms=float("nan"))])
def test_impossible_figures_are_refused(make: object) -> None:
    with pytest.raises(ValueError, match="at least"):
        make()  # type: ignore[operator]


def test_a_model_without_regions_says_so() -> None:
    with pytest.raises(ValueError, match="no regions"):
        Constant(1).settle(0, "europe", random.Random())
