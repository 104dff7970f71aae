"""Frames on a byte stream: 4 bytes of length, big-endian, then so many bytes. No socket in here: bytes in, payloads out.

A payload is a message of the machine's wire (MessagePack) or a *control frame* of the world below it. The two cannot be
confused: a control frame begins with the byte 0xC1, which MessagePack never uses (MessagePack specification, table
"Formats": "never used"). Control frames carry the end of the handshake, pings, and the reason of a goodbye.

Bounds: a length over the limit, or of zero, is refused when its four bytes are there, before anything is kept; memory
grows with what has really arrived and never with what a length promises.
"""

from __future__ import annotations

from enum import IntEnum

from horoi.base.errors import DecodeError

LENGTH_SIZE_BYTES = 4
MAX_LENGTH = 2**32 - 1

CONTROL = 0xC1
CONTROL_MAX_SIZE_BYTES = 256  # a guess: the longest is a goodbye with 200 bytes of reason
REASON_MAX_SIZE_BYTES = 200  # a guess: one sentence


class FrameError(DecodeError):
    """The stream is not made of frames that fit the limit. The link cannot go on."""


class ControlKind(IntEnum):
    """Second byte of a control frame. Unknown kinds are ignored, so that a later version can add some."""

    ACCEPTED = 1
    REFUSED = 2
    PING = 3
    PONG = 4
    BYE = 5


def frame(payload: bytes) -> bytes:
    """Return ``payload`` with its length before it."""
    return len(payload).to_bytes(LENGTH_SIZE_BYTES, "big") + payload


def control_frame(kind: ControlKind, body: bytes = b"") -> bytes:
    """Return a whole control frame, length included. ``body`` is at most 254 bytes."""
    payload = bytes((CONTROL, kind)) + body
    if len(payload) > CONTROL_MAX_SIZE_BYTES:
        raise ValueError(f"a control frame of {len(payload)} bytes, the limit is {CONTROL_MAX_SIZE_BYTES}")
    return frame(payload)


def is_control(payload: bytes) -> bool:
    """True if this payload (never empty) belongs to the world and not to the machine."""
    return payload[0] == CONTROL


def open_control(payload: bytes) -> tuple[int, bytes]:
    """Return (kind, body) of a control payload; raise FrameError if it has no kind or is too long."""
    if not 2 <= len(payload) <= CONTROL_MAX_SIZE_BYTES:
        raise FrameError(f"a control frame of {len(payload)} bytes, it has 2 to {CONTROL_MAX_SIZE_BYTES}")
    return payload[1], payload[2:]


def reason_bytes(reason: str) -> bytes:
    """``reason`` as it travels: UTF-8, cut to 200 bytes."""
    return reason.encode("utf-8", "replace")[:REASON_MAX_SIZE_BYTES]


def reason_text(body: bytes) -> str:
    """A reason that a stranger sent, made safe to print: unprintable characters become question marks."""
    text = body[:REASON_MAX_SIZE_BYTES].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)


class FrameBuffer:
    """Cuts a stream into payloads.

    >>> buffer = FrameBuffer(max_size_bytes=16)
    >>> buffer.feed(frame(b"abc") + b"\\x00\\x00")
    [b'abc']
    >>> buffer.feed(b"\\x00\\x01z")
    [b'z']
    """

    __slots__ = ("_max_size_bytes", "_rest")

    def __init__(self, max_size_bytes: int) -> None:
        if not 0 < max_size_bytes <= MAX_LENGTH:
            raise ValueError(f"the limit of a frame is {max_size_bytes} bytes, it must be in 1..{MAX_LENGTH}")
        self._max_size_bytes = max_size_bytes
        self._rest = bytearray()  # the beginning of the one frame that is not whole yet

    @property
    def pending_bytes(self) -> int:
        """Bytes of a frame that has begun and is not whole; 0 between frames."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes of the stream and return the payloads that are now whole; raise FrameError."""
        payloads: list[bytes] = []
        start = self._finish_rest(data, payloads) if self._rest else 0
        end = len(data)
        while end - start >= LENGTH_SIZE_BYTES:
            body = start + LENGTH_SIZE_BYTES
            stop = body + self._checked(int.from_bytes(data[start:body], "big"))
            if stop > end:
                break
            payloads.append(data[body:stop])
            start = stop
        if start < end:
            self._rest += data[start:] if start else data
        return payloads

    def _finish_rest(self, data: bytes, payloads: list[bytes]) -> int:
        """Complete the begun frame from ``data`` if it has enough; return how many bytes of ``data`` were used."""
        rest = self._rest
        used = 0
        if len(rest) < LENGTH_SIZE_BYTES:
            used = min(LENGTH_SIZE_BYTES - len(rest), len(data))
            rest += data[:used]
            if len(rest) < LENGTH_SIZE_BYTES:
                return used
        size = self._checked(int.from_bytes(rest[:LENGTH_SIZE_BYTES], "big"))
        missing = LENGTH_SIZE_BYTES + size - len(rest)
        taken = data[used : used + missing]
        rest += taken
        if len(taken) == missing:
            with memoryview(rest) as view:
                payloads.append(bytes(view[LENGTH_SIZE_BYTES:]))
            self._rest = bytearray()
        return used + len(taken)

    def _checked(self, size: int) -> int:
        if size == 0:
            raise FrameError("a frame of 0 bytes; a frame has at least one")
        if size > self._max_size_bytes:
            raise FrameError(f"a frame of {size} bytes, the limit is {self._max_size_bytes}")
        return size
