"""Tapestry's datagrams: bytes of one message, and back."""

from __future__ import annotations

from horoi.base.ids import ID_BITS
from horoi.lookup.common.wire import IdWire
from horoi.lookup.tapestry.messages import MAX_DATAGRAM_BYTES, MESSAGES


def tapestry_wire(bits: int = ID_BITS) -> IdWire:
    """The wire of a network whose ids have ``bits`` bits. What another width sends does not decode."""
    return IdWire(MESSAGES, bits=bits, max_size_bytes=MAX_DATAGRAM_BYTES)
