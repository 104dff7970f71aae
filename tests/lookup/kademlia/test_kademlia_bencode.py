"""Bencode: one form per value, and bytes of strangers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import DecodeError
from horoi.lookup.kademlia.bencode import MAX_DEPTH, decode, encode

VALUES = st.recursive(
    st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.binary(max_size=10), inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
@settings(deadline=None)
def test_decode_is_the_inverse_of_encode(value: Any) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=60) | st.text("ilde0123456789:-ab", max_size=60).map(str.encode))
@settings(deadline=None, max_examples=500)
def test_bytes_of_strangers_are_a_value_in_its_one_form_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except DecodeError:
        return
    assert encode(value) == data


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (3, b"i3e"),
        (-3, b"i-3e"),
        (0, b"i0e"),
        (b"spam", b"4:spam"),
        ([b"spam", b"eggs"], b"l4:spam4:eggse"),
        ({b"cow": b"moo", b"spam": b"eggs"}, b"d3:cow3:moo4:spam4:eggse"),
        ([], b"le"),
        ({}, b"de"),
    ],
)
def test_the_examples_of_bep_3(value: Any, data: bytes) -> None:
    assert encode(value) == data
    assert decode(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"i-0e",
        b"i03e",
        b"i e",
        b"ie",
        b"i5",
        b"i" + b"9" * 5000 + b"e",
        b"i" + b"9" * 21 + b"e",
        b"02:ab",
        b"5:ab",
        b"99999999999999999999:a",
        b"-1:a",
        b"l",
        b"li1e",
        b"d1:a",
        b"di1ei2ee",
        b"d1:a0:1:a0:e",
        b"d1:b0:1:a0:e",
        b"i1ei2e",
        b"l" * 100_000,
        b"\xff",
        "i\u0663e".encode(),
    ],
)
def test_what_is_no_value_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(data)


def test_depth_is_bounded() -> None:
    assert decode(b"l" * MAX_DEPTH + b"e" * MAX_DEPTH) is not None
    with pytest.raises(DecodeError, match="deep"):
        decode(b"l" * (MAX_DEPTH + 1) + b"e" * (MAX_DEPTH + 1))


def test_unsorted_keys_are_read_where_they_are_allowed() -> None:
    assert decode(b"d1:b0:1:a0:e", sorted_keys=False) == {b"a": b"", b"b": b""}
    with pytest.raises(DecodeError, match="twice"):
        decode(b"d1:a0:1:a0:e", sorted_keys=False)


@pytest.mark.parametrize("value", ["text", None, 1.5, True, {1: b"x"}, {"a": 1}])
def test_what_has_no_form_is_not_written(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)
