"""Zones are numbers of the tree of splits; what the numbers say is what the coordinates say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.lookup.can.landmarks import key_in_portion, order_by_round_trip
from horoi.lookup.can.zone import WHOLE, Space, overlap

BITS = 16
SPACES = {dimensions: Space(dimensions, BITS) for dimensions in (1, 2, 3)}

dimensions = st.sampled_from(sorted(SPACES))
keys = st.integers(0, 2**BITS - 1)
shallow = st.integers(1, 2**8 - 1)


def corners(space: Space, zone: int) -> list[range]:
    box = space.box(zone)
    return [range(box[2 * i], box[2 * i + 1] + 1) for i in range(space.dimensions)]


def test_the_order_of_splits_is_the_order_of_dimensions() -> None:
    space = Space(2, 16)
    assert space.box(WHOLE) == (0, 255, 0, 255)
    assert space.box(0b10) == (0, 127, 0, 255)
    assert space.box(0b101) == (0, 127, 128, 255)
    assert space.box(0b1011) == (64, 127, 128, 255)


@given(dimensions, keys, shallow)
def test_a_zone_contains_a_place_exactly_if_its_box_does(d: int, key: int, zone: int) -> None:
    space = SPACES[d]
    place = space.place(key)
    in_box = all(x in span for x, span in zip(place.point, corners(space, zone), strict=True))
    assert space.contains(zone, place) == in_box == (space.distance(zone, place.point) == 0)


@given(dimensions, keys, shallow)
def test_distance_is_that_of_the_nearest_point_around_the_torus(d: int, key: int, zone: int) -> None:
    space = SPACES[d]
    point = space.place(key).point
    total = 0
    for x, span in zip(point, corners(space, zone), strict=True):
        total += (
            min(min(abs(x - y), space.side - abs(x - y)) for y in (span[0], span[-1], x if x in span else span[0])) ** 2
        )
    assert space.distance(zone, point) == total


@given(dimensions, shallow, shallow)
def test_neighbours_abut_in_one_dimension_and_overlap_in_the_others(d: int, a: int, b: int) -> None:
    space = SPACES[d]
    touching = apart = 0
    for span_a, span_b in zip(corners(space, a), corners(space, b), strict=True):
        if span_a[0] <= span_b[-1] and span_b[0] <= span_a[-1]:
            continue
        meets = (span_a[-1] + 1) % space.side == span_b[0] or (span_b[-1] + 1) % space.side == span_a[0]
        touching += meets
        apart += not meets
    assert space.abut(a, b) == (touching == 1 and apart == 0) == space.abut(b, a)


@given(shallow, shallow)
def test_zones_of_the_tree_overlap_by_containing_each_other(a: int, b: int) -> None:
    space = SPACES[2]
    common = all(set(x) & set(y) for x, y in zip(corners(space, a), corners(space, b), strict=True))
    assert overlap(a, b) == common


@given(dimensions, shallow, st.sampled_from([-1, 1]))
def test_across_a_face_and_back_is_where_one_was(d: int, zone: int, step: int) -> None:
    space = SPACES[d]
    for dimension in range(d):
        beyond = space.across(zone, dimension, step)
        assert beyond.bit_length() == zone.bit_length()
        assert space.across(beyond, dimension, -step) == zone
        assert beyond == zone or space.abut(zone, beyond) or d == 1


@given(dimensions, shallow)
def test_a_zone_can_be_looked_up_by_a_key_in_it(d: int, zone: int) -> None:
    space = SPACES[d]
    assert space.contains(zone, space.place(space.key_in(zone)))


def test_volumes_and_numbers_that_are_no_zones() -> None:
    space = Space(2, 16)
    assert space.volume(WHOLE) == 1.0
    assert space.volume(5) == 0.25
    assert space.is_zone((1 << 17) - 1)
    assert not space.is_zone(0)
    assert not space.is_zone(1 << 17)


def test_hash_functions_differ_and_stay_in_range() -> None:
    space = Space(2, 64)
    hashed = [space.hashed(7, number) for number in range(4)]
    assert hashed[0] == 7
    assert len(set(hashed)) == 4
    assert all(0 <= key < 2**64 for key in hashed)


@pytest.mark.parametrize("bad", [0, 17])
def test_impossible_dimensions_are_refused(bad: int) -> None:
    with pytest.raises(ValueError, match="dimensions"):
        Space(bad, 160)


# Landmarks: the portions of all orders tile the space


@settings(max_examples=60)
@given(keys, st.permutations([0, 1, 2, 3]))
def test_a_portion_is_reached_by_its_order_alone(key: int, order: list[int]) -> None:
    width = 8
    moved = key_in_portion(order, key, 2, BITS)
    x, y = moved >> width, moved & 255
    assert x // 64 == order[0]  # four parts along the first dimension
    rest = [landmark for landmark in range(4) if landmark != order[0]]
    part = rest.index(order[1])
    assert 256 * part // 3 <= y < -(-256 * (part + 1) // 3)


def test_the_nearest_landmark_comes_first() -> None:
    assert order_by_round_trip([0.3, 0.1, 0.1]) == (1, 2, 0)
    assert order_by_round_trip([]) == ()
