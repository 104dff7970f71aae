"""Frames survive any cutting of the stream, and nothing outside the limits is kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.world.live.frames import (
    CONTROL_MAX_SIZE_BYTES,
    ControlKind,
    FrameBuffer,
    FrameError,
    control_frame,
    frame,
    is_control,
    open_control,
    reason_bytes,
    reason_text,
)

LIMIT = 64
payload_lists = st.lists(st.binary(min_size=1, max_size=LIMIT), max_size=12)


@given(payload_lists, st.lists(st.integers(1, 40), max_size=60))
@settings(deadline=None)
def test_any_cutting_gives_the_same_payloads(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(frame, payloads))
    buffer = FrameBuffer(LIMIT)
    found: list[bytes] = []
    start = 0
    for size in [*cuts, len(stream)]:
        found += buffer.feed(stream[start : start + size])
        start += size
    assert found == payloads
    assert buffer.pending_bytes == 0


@given(payload_lists, st.integers(LIMIT + 1, 2**32 - 1), st.integers(1, 7))
@settings(deadline=None)
def test_an_oversize_length_is_refused_when_it_is_read(payloads: list[bytes], size: int, step: int) -> None:
    stream = b"".join(map(frame, payloads)) + size.to_bytes(4, "big")
    buffer = FrameBuffer(LIMIT)
    for start in range(0, len(stream) - step, step):
        buffer.feed(stream[start : start + step])
    with pytest.raises(FrameError, match=f"{size} bytes, the limit is {LIMIT}"):
        buffer.feed(stream[(len(stream) - 1) // step * step :])


def test_an_empty_frame_is_refused() -> None:
    with pytest.raises(FrameError, match="0 bytes"):
        FrameBuffer(LIMIT).feed(bytes(4))


def test_what_is_not_whole_is_counted() -> None:
    buffer = FrameBuffer(LIMIT)
    buffer.feed(frame(b"abc") + frame(b"defg")[:6])
    assert buffer.pending_bytes == 6
    assert buffer.feed(b"fg") == [b"defg"]
    assert buffer.pending_bytes == 0


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_garbage_gives_payloads_or_a_frame_error(data: bytes) -> None:
    try:
        payloads = FrameBuffer(LIMIT).feed(data)
    except FrameError:
        return
    assert all(0 < len(payload) <= LIMIT for payload in payloads)


@given(st.sampled_from(ControlKind), st.binary(max_size=CONTROL_MAX_SIZE_BYTES - 2))
@settings(deadline=None)
def test_control_frames_round_trip(kind: ControlKind, body: bytes) -> None:
    (payload,) = FrameBuffer(CONTROL_MAX_SIZE_BYTES).feed(control_frame(kind, body))
    assert is_control(payload)
    assert open_control(payload) == (kind, body)


def test_control_frames_have_bounds() -> None:
    with pytest.raises(FrameError):
        open_control(b"\xc1")
    with pytest.raises(FrameError):
        open_control(b"\xc1" + bytes(CONTROL_MAX_SIZE_BYTES))
    with pytest.raises(ValueError, match="the limit is"):
        control_frame(ControlKind.BYE, bytes(CONTROL_MAX_SIZE_BYTES))


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_a_strangers_reason_is_printable_and_short(body: bytes) -> None:
    text = reason_text(body)
    assert text.isprintable()
    assert len(text) <= 200


@given(st.text(max_size=300))
@settings(deadline=None)
def test_a_reason_fits_a_control_frame(reason: str) -> None:
    assert control_frame(ControlKind.BYE, reason_bytes(reason))


@pytest.mark.parametrize("limit", [0, -1, 2**32])
def test_a_limit_must_fit_four_bytes(limit: int) -> None:
    with pytest.raises(ValueError, match="must be in"):
        FrameBuffer(limit)
