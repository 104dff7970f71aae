"""A wire: what goes in comes out, and nothing that a peer sends raises anything but DecodeError."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import DecodeError
from horoi.machine.wire import Message, Wire

Short = Annotated[bytes, msgspec.Meta(max_length=16)]


class Find(Message, frozen=True, tag="find"):
    key: Short
    hops: Annotated[int, msgspec.Meta(ge=0, le=64)]


class Found(Message, frozen=True, tag="found"):
    key: Short
    peers: Annotated[list[str], msgspec.Meta(max_length=4)]


class Other(Message, frozen=True, tag="other"):
    flag: bool


WIRE = Wire([Find, Found], max_size_bytes=200)

finds = st.builds(Find, key=st.binary(max_size=16), hops=st.integers(0, 64))
founds = st.builds(Found, key=st.binary(max_size=16), peers=st.lists(st.text(max_size=8), max_size=4))


@settings(deadline=None)
@given(st.one_of(finds, founds))
def test_what_is_encoded_is_decoded(message: Message) -> None:
    assert WIRE.decode(WIRE.encode(message)) == message


@settings(deadline=None, max_examples=500)
@given(
    st.one_of(
        st.binary(max_size=300), finds.map(WIRE.encode).flatmap(lambda data: st.binary(max_size=3).map(data.__add__))
    )
)
def test_any_bytes_are_a_message_or_a_decode_error(data: bytes) -> None:
    try:
        message = WIRE.decode(data)
    except DecodeError:
        return
    assert isinstance(message, Find | Found)


@settings(deadline=None, max_examples=300)
@given(finds, st.integers(0, 30), st.integers(0, 255))
def test_a_changed_byte_is_another_message_or_a_decode_error(message: Find, at: int, byte: int) -> None:
    data = bytearray(WIRE.encode(message))
    data[at % len(data)] = byte
    try:
        assert isinstance(WIRE.decode(bytes(data)), Find | Found)
    except DecodeError as error:
        assert "wire" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode(["find", b"k", 65]),  # over the bound of a field
        msgspec.msgpack.encode(["find", b"k" * 17, 1]),
        msgspec.msgpack.encode(["find", b"k"]),  # a field is missing
        msgspec.msgpack.encode(["find", b"k", 1, 2]),  # one too many
        msgspec.msgpack.encode(["found", b"k", ["p"] * 5]),
        msgspec.msgpack.encode(["other", True]),  # not of this wire
        msgspec.msgpack.encode({"find": 1}),
        b"\x91" * 150,  # nested too deep for a recursive decoder
        b"\x93\xa5found\xa1k\x91\xa1\xff",  # no UTF-8
    ],
)
def test_malformed_messages_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError, match="not a message of this wire"):
        WIRE.decode(data)


def test_the_limit_holds_in_both_directions() -> None:
    small = Wire([Found], max_size_bytes=20)
    with pytest.raises(ValueError, match=r"Found takes \d+ bytes, the limit is 20"):
        small.encode(Found(b"k", ["a long name of a peer"]))
    with pytest.raises(DecodeError, match="21 bytes, the limit is 20"):
        small.decode(bytes(21))


def test_two_types_cannot_share_a_tag() -> None:
    class Find2(Message, frozen=True, tag="find"):
        pass

    with pytest.raises(ValueError, match="share a tag"):
        Wire([Find, Find2], max_size_bytes=100)


def test_wires_add_up() -> None:
    both = WIRE + Wire([Other], max_size_bytes=1000)
    assert both.max_size_bytes == 1000
    assert both.types == (Find, Found, Other)
    assert both.decode(both.encode(Other(True))) == Other(True)
    with pytest.raises(ValueError, match="share a tag"):
        _ = WIRE + WIRE
