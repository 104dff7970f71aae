"""Ids and distances: the ring, the tree, the torus."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base import ids

BITS = 16
TOP = 1 << BITS
ID = st.integers(0, TOP - 1)


def arc(a: int, b: int) -> set[int]:
    """(a, b] on a ring of 256, counted one by one."""
    points, at = set(), a
    while True:
        at = (at + 1) % 256
        points.add(at)
        if at == b:
            return points


@given(a=st.integers(0, 255), b=st.integers(0, 255), x=st.integers(0, 255))
@settings(deadline=None)
def test_intervals_are_what_one_meets_on_the_way_around(a: int, b: int, x: int) -> None:
    assert ids.in_half_open(x, a, b) == (x in arc(a, b))
    assert ids.in_open(x, a, b) == (x in arc(a, b) - {b})


@given(a=ID, b=ID, c=ID)
@settings(deadline=None)
def test_distances_obey_their_laws(a: int, b: int, c: int) -> None:
    assert (a + ids.clockwise(a, b, BITS)) % TOP == b
    assert ids.around(a, b, BITS) == ids.around(b, a, BITS) <= TOP // 2
    assert ids.around(a, c, BITS) <= ids.around(a, b, BITS) + ids.around(b, c, BITS)
    assert ids.xor(a, c) <= ids.xor(a, b) + ids.xor(b, c)
    assert ids.xor(a, ids.xor(a, b)) == b  # one peer at each distance


@given(a=ID, b=ID, digit_bits=st.sampled_from([1, 2, 3, 4, 8]))
@settings(deadline=None)
def test_shared_digits_are_the_leading_digits_that_are_equal(a: int, b: int, digit_bits: int) -> None:
    rows = -(-BITS // digit_bits)
    digits = [[ids.digit(number, row, BITS, digit_bits) for row in range(rows)] for number in (a, b)]
    shared = next((row for row in range(rows) if digits[0][row] != digits[1][row]), rows)
    assert ids.shared_digits(a, b, BITS, digit_bits) == shared
    assert ids.shared_digits(a, b, BITS, 1) == ids.shared_bits(a, b, BITS)


@given(number=st.integers(0, (1 << 160) - 1))
@settings(deadline=None)
def test_bytes_and_back_keep_the_order(number: int) -> None:
    data = ids.id_to_bytes(number)
    assert len(data) == 20
    assert ids.id_from_bytes(data) == number
    assert (data < ids.id_to_bytes(1 << 159)) == (number < 1 << 159)


@given(
    point=st.tuples(st.floats(0, 9.999), st.floats(0, 9.999)), other=st.tuples(st.floats(0, 9.999), st.floats(0, 9.999))
)
@settings(deadline=None)
def test_on_the_torus_nothing_is_farther_than_half_a_side_in_each_dimension(
    point: tuple[float, float], other: tuple[float, float]
) -> None:
    distance = ids.torus_distance(point, other, 10.0)
    assert distance == pytest.approx(ids.torus_distance(other, point, 10.0))
    assert distance <= 50**0.5 + 1e-9
    flat = sum((x - y) ** 2 for x, y in zip(point, other, strict=True)) ** 0.5
    assert distance <= flat + 1e-9


def test_keys_and_ids_are_spread_and_told_apart_by_purpose() -> None:
    keys = [ids.key_of(str(n).encode(), 64) for n in range(4096)]
    per_sixteenth = [sum(key >> 60 == part for key in keys) for part in range(16)]
    assert min(per_sixteenth) > 256 - 5 * 16  # five standard deviations
    assert max(per_sixteenth) < 256 + 5 * 16
    assert len({ids.key_of(b"x"), ids.id_of_address("x"), ids.id_of_public_key(b"x")}) == 3


def test_an_id_of_an_address_is_that_of_its_text_and_index() -> None:
    assert ids.id_of_address(("10.0.0.1", 7)) == ids.id_of_address("10.0.0.1:7")
    assert ids.id_of_address(7, index=1) != ids.id_of_address(7)
    label = hashlib.sha256(b"horoi/lookup/address").digest()
    assert ids.id_of_address(7, 256) == int.from_bytes(hashlib.sha256(label + label + b"7/0").digest(), "big")


def test_torus_points_use_all_bits() -> None:
    assert ids.torus_point(0x12345678, 4, 32) == (0x12, 0x34, 0x56, 0x78)


@pytest.mark.parametrize("bits", [0, 7, 12, 264])
def test_a_width_that_is_no_whole_bytes_is_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="8 to 256 bits"):
        ids.check_bits(bits)
