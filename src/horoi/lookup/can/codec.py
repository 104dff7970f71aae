"""CAN's datagrams: bytes of one message, and back."""

from __future__ import annotations

from functools import lru_cache

from horoi.base.ids import ID_BITS
from horoi.lookup.can.messages import MAX_DATAGRAM_BYTES, MESSAGES
from horoi.lookup.common.wire import IdWire


@lru_cache(maxsize=8)  # making one compiles decoders; all peers of a process share it
def can_wire(bits: int = ID_BITS) -> IdWire:
    """The wire of a CAN whose keys have ``bits`` bits. What another width sends does not decode."""
    return IdWire(MESSAGES, bits=bits, max_size_bytes=MAX_DATAGRAM_BYTES)
