"""The partition tree: zones tile the torus after any splits and merges, and neighbours are mutual. Figures of the paper."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.lookup.can.partition import Partition, gaps, half_for, merged, volume, without
from horoi.lookup.can.zone import WHOLE, Space, overlap

SPACES = {dimensions: Space(dimensions, 32) for dimensions in (1, 2, 3)}


def grown(space: Space, count: int, seed: int = 1, reach: int = 0) -> Partition:
    dice = random.Random(seed)
    tree = Partition(space)
    for owner in range(1, count):
        place = space.place(dice.getrandbits(space.bits))
        zone = tree.zone_of(place)
        around = [zone, *(tree.neighbours(zone) if reach else ())]
        if reach == 2:
            around += [other for near in around[1:] for other in tree.neighbours(near)]
        tree.split(min(around, key=int.bit_length), place, owner)
    return tree


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(SPACES)), st.integers(1, 60), st.integers())
def test_zones_tile_the_space_and_neighbours_are_mutual(d: int, count: int, seed: int) -> None:
    space = SPACES[d]
    tree = grown(space, count, seed)
    Partition.of(space, tree.owners)  # raises unless they tile
    around = {zone: tree.neighbours(zone) for zone in tree.owners}
    for zone, others in around.items():
        assert set(others) == {other for other in tree.owners if other != zone and space.abut(zone, other)}
        assert gaps(space, [zone], others) == []
        for other in others:
            assert zone in around[other]


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 40), st.integers(), st.data())
def test_a_missing_neighbour_leaves_a_gap_and_nothing_else_does(count: int, seed: int, data: st.DataObject) -> None:
    space = SPACES[2]
    tree = grown(space, count, seed)
    zone = data.draw(st.sampled_from(sorted(tree.owners)))
    others = tree.neighbours(zone)
    missing = data.draw(st.sampled_from(others))
    found = gaps(space, [zone], [other for other in others if other != missing])
    assert found
    assert all(overlap(gap, missing) for gap in found)
    assert any(space.abut(gap, zone) for gap in found)


@given(st.lists(st.integers(1, 200)))
def test_merging_keeps_the_space_and_is_final(numbers: list[int]) -> None:
    zones: list[int] = []
    for number in numbers:
        if not any(overlap(number, zone) for zone in zones):
            zones.append(number)
    once = merged(zones)
    assert volume(SPACES[2], once) == pytest.approx(volume(SPACES[2], zones))
    assert merged(once) == once
    assert not any(zone ^ 1 in once for zone in once)


@given(st.integers(1, 500), st.integers(1, 500))
def test_without_is_the_rest(zone: int, part: int) -> None:
    space = SPACES[2]
    left = without(zone, part)
    assert not any(overlap(piece, part) for piece in left)
    given_away = min(space.volume(zone), space.volume(part)) if overlap(zone, part) else 0.0
    assert volume(space, left) == pytest.approx(space.volume(zone) - given_away)


def test_a_newcomer_gets_the_half_with_its_point() -> None:
    space = SPACES[2]
    place = space.place(space.key_in(4))
    assert half_for(space, 2, place) == 4
    assert half_for(space, 3, place) == 7  # sent there, its point elsewhere: the upper half


@pytest.mark.parametrize("owners", [{2: 0}, {2: 0, 3: 1, 6: 2}, {2: 0, 6: 1}, {4: 0, 4 ^ 1: 1, 2: 2}])
def test_zones_that_do_not_tile_are_refused(owners: dict[int, int]) -> None:
    with pytest.raises(ValueError, match=r"add up|overlaps"):
        Partition.of(SPACES[2], owners)


def greedy_hops(tree: Partition, lookups: int) -> float:
    dice = random.Random(2)
    zones = list(tree.owners)
    space, total = tree.space, 0
    around = {zone: tree.neighbours(zone) for zone in zones}
    for _ in range(lookups):
        zone, place = dice.choice(zones), space.place(dice.getrandbits(space.bits))
        while not space.contains(zone, place):
            nearest = min(around[zone], key=lambda other: space.distance(other, place.point))
            assert space.distance(nearest, place.point) < space.distance(zone, place.point)  # greedy never fails
            zone = nearest
            total += 1
    return total / lookups


@pytest.mark.parametrize(("d", "neighbours"), [(2, 4.6), (3, 7.2)])
def test_hops_and_neighbours_are_the_papers(d: int, neighbours: float) -> None:
    tree = grown(Space(d, 160), 4096)
    mean = sum(len(tree.neighbours(zone)) for zone in tree.owners) / 4096
    assert mean == pytest.approx(neighbours, abs=0.1)
    assert 0.77 <= greedy_hops(tree, 2000) / (d / 4 * 4096 ** (1 / d)) <= 0.95


@pytest.mark.parametrize(("d", "reach", "least", "most"), [(2, 0, 0.38, 0.45), (2, 1, 0.70, 0.80), (3, 2, 0.88, 0.95)])
def test_uniform_partitioning_makes_zones_alike(d: int, reach: int, least: float, most: float) -> None:
    tree = grown(Space(d, 160), 1024, reach=reach)
    share = sum(zone.bit_length() - 1 == math.log2(1024) for zone in tree.owners) / 1024
    assert least <= share <= most


def test_the_first_owner_has_everything() -> None:
    tree = Partition(SPACES[2])
    assert tree.zone_of(SPACES[2].place(12345)) == WHOLE
    assert tree.neighbours(WHOLE) == []
