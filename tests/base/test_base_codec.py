"""The one byte form: what is decoded is what would be encoded, or it is refused."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import DecodeError


class Point(Record, frozen=True):
    x: int
    label: str = ""
    raw: bytes = b""
    flag: bool = False
    far: tuple[int, ...] = ()


class Nest(Record, frozen=True, tag=0, tag_field="kind"):
    parts: Annotated[tuple[Nest | Leaf, ...], msgspec.Meta(max_length=2)]


class Leaf(Record, frozen=True, tag=1, tag_field="kind"):
    n: int


CODEC: Codec[Point] = Codec(Point, max_size_bytes=10_000)

points = st.builds(
    Point,
    x=st.integers(-(2**63), 2**64 - 1),
    label=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    raw=st.binary(max_size=300),
    flag=st.booleans(),
    far=st.lists(st.integers(-(2**63), 2**64 - 1), max_size=20).map(tuple),
)


@given(points)
@settings(deadline=None, max_examples=100)
def test_a_record_comes_back_from_its_bytes(point: Point) -> None:
    assert CODEC.decode(encode(point)) == point


@given(st.binary(max_size=100))
@settings(deadline=None, max_examples=300)
def test_bytes_are_refused_or_are_the_one_form(data: bytes) -> None:
    try:
        value = CODEC.decode(data)
    except DecodeError:
        return
    assert encode(value) == data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x95\xcc\x03\xa0\xc4\x00\xc2\x90", "a small number in a byte more"),
        (b"\x95\xcf\x00\x00\x00\x00\x00\x00\x00\x03\xa0\xc4\x00\xc2\x90", "a small number in eight bytes"),
        (b"\x95\xd0\x03\xa0\xc4\x00\xc2\x90", "a positive number in a signed field"),
        (b"\x95\xcb\x40\x08\x00\x00\x00\x00\x00\x00\xa0\xc4\x00\xc2\x90", "3.0 for 3"),
        (b"\xdc\x00\x05\x03\xa0\xc4\x00\xc2\x90", "a short list with a long length"),
        (b"\xdd\x00\x00\x00\x05\x03\xa0\xc4\x00\xc2\x90", "a short list with a longer length"),
        (b"\x95\x03\xa0\xc5\x00\x00\xc2\x90", "short bytes with a long length"),
        (b"\x95\x03\xd9\x00\xc4\x00\xc2\x90", "a short text with a long length"),
        (b"\x95\x03\xa0\xa0\xc2\x90", "a text for bytes"),
        (b"\x95\x03\xc4\x00\xc4\x00\xc2\x90", "bytes for a text"),
        (b"\x95\x03\xa0\xc4\x00\x00\x90", "0 for false"),
        (b"\x91\x03", "defaults left out"),
        (b"\x94\x03\xa0\xc4\x00\xc2", "one default left out"),
        (b"\x96\x03\xa0\xc4\x00\xc2\x90\x00", "one element too many"),
        (b"\x95\x03\xa0\xc4\x00\xc2\x90\x00", "a byte after the end"),
        (b"\x81\xa1x\x03", "a map for a list"),
        (b"\x95\x03\xa3\xed\xa0\x80\xc4\x00\xc2\x90", "half a surrogate pair"),
        (b"\x95\x03\xa2\xc0\x80\xc4\x00\xc2\x90", "an overlong UTF-8 character"),
    ],
)
def test_a_second_form_is_refused(data: bytes, why: str) -> None:
    assert encode(Point(3)) == b"\x95\x03\xa0\xc4\x00\xc2\x90"
    with pytest.raises(DecodeError):
        CODEC.decode(data)


def test_the_size_limit_is_inclusive() -> None:
    data = encode(Point(1, raw=bytes(50)))
    assert Codec(Point, max_size_bytes=len(data)).decode(data).raw == bytes(50)
    with pytest.raises(DecodeError, match="the limit is"):
        Codec(Point, max_size_bytes=len(data) - 1).decode(data)


@pytest.mark.parametrize("depth", [10, 300, 480, 500, 700, 1_000, 100_000])
def test_deep_nesting_is_an_answer_not_a_crash(depth: int) -> None:
    codec: Codec[Nest | Leaf] = Codec(Nest | Leaf, max_size_bytes=1_000_000)
    data = b"\x92\x00\x91" * depth + b"\x92\x01\x05"

    def from_below(frames: int) -> None:
        """Less and less stack is left: decoding may just succeed where encoding just fails."""
        if frames:
            return from_below(frames - 1)
        try:
            assert encode(codec.decode(data)) == data
        except DecodeError:
            assert depth > 50
        return None

    for frames in (0, 200, 400, 700):
        from_below(frames)


def test_a_claimed_length_is_not_believed() -> None:
    with pytest.raises(DecodeError):
        CODEC.decode(b"\x95\x03\xa0\xc4\x00\xc2\xdd\xff\xff\xff\xff")
