"""The parts of a comparison that need no run: hulls, load curves, names beside lines."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.base.errors import UsageError
from horoi.lab.lookup.compare.figures import hull, load_beyond
from horoi.lab.lookup.compare.formulas import FORMULAS
from horoi.lab.lookup.compare.plan import Plan
from horoi.lab.lookup.compare.style import COLOURS, MARKS, spread
from horoi.lab.lookup.run import OVERLAYS

POINTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=30)


@given(POINTS)
def test_no_point_lies_below_the_hull(points: list[tuple[int, int]]) -> None:
    found = hull(points)
    assert set(found) <= set(points)
    assert found[0][0] == min(x for x, _ in points)
    assert found[-1][1] == min(y for _, y in points)
    for (ax, ay), (bx, by) in pairwise(found):
        assert ax < bx
        assert ay > by
        for x, y in points:
            assert (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0  # on the edge or above it


@given(POINTS)
def test_the_hull_is_that_of_the_points_in_any_order(points: list[tuple[int, int]]) -> None:
    assert hull(points) == hull(list(reversed(points)))


def test_load_is_the_share_of_peers_with_at_least_so_many_keys() -> None:
    assert load_beyond([(0, 1), (2, 2), (4, 1)]) == [(0.0, 1.0), (1.0, 0.75), (2.0, 0.25)]


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=8))
def test_names_keep_their_order_and_their_distance(heights: dict[str, float]) -> None:
    placed = spread(heights, 0.1)
    names = sorted(heights, key=lambda name: heights[name])
    for below, above in pairwise(names):
        assert placed[above] - placed[below] >= 0.1 - 1e-5
    assert all(-1e-5 <= height <= 1 + 1e-5 for height in placed.values())


def test_every_overlay_has_a_formula_a_colour_and_a_mark() -> None:
    assert set(FORMULAS) == set(COLOURS) == set(MARKS) == set(OVERLAYS)
    assert len(set(COLOURS.values())) == len(set(MARKS.values())) == len(OVERLAYS)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"peers": 15}, "at least 16 peers"),
        ({"peers": 100, "overlays": ()}, "name each overlay once"),
        ({"peers": 100, "overlays": ("can", "can")}, "name each overlay once"),
        ({"peers": 100, "overlays": ("can", "ring")}, "overlay must be one of"),
        ({"peers": 100, "churn_peers": 3}, "churn needs at least 16 peers"),
        ({"peers": 100, "minutes": 1.0}, "minutes must be more than 2"),
        ({"peers": 100, "latency": "light"}, "latency must be one of"),
    ],
)
def test_a_comparison_that_cannot_be_meant_is_refused(options: dict[str, object], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Plan(**options)  # type: ignore[arg-type]


def test_a_plan_says_what_repeats_it() -> None:
    assert Plan(1000).command == "horoi lab compare --peers 1000 --lookups 2000 --seed 1"
    assert Plan(99, overlays=("can",), latency="king", churn_peers=20, minutes=3.0).command.endswith(
        "--overlays can --latency king --churn-peers 20 --minutes 3"
    )
