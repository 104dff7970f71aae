"""How one record lies in a segment of the block log.

    magic 4 | kind 1 | payload size 4 | block hash 32 | header check 4 | payload | check 8        (big endian)

Two checks, for two questions. The *check* decides whether the record is intact: SHA-256 of everything, cut to 8 bytes, so
damage of whatever shape passes once in 2^64. A CRC-32 would not do alone: beyond 11 kB the common one no longer finds
every damage of 3 bits (Koopman, "32-Bit Cyclic Redundancy Codes for Internet Applications", DSN 2002, table 1), and a
block is larger. The *header check* is a CRC-32, which over 41 bytes finds every damage of up to 4 bits (same table): where
it holds, the size can be trusted and a reader steps over a record whose payload is spoilt.

Both checks also cover where the record lies and a salt that only this log knows, and the magic is made of the salt. So a
record at a wrong place is damage, and a peer that puts the bytes of a record into a block that it sends cannot have them
taken for a record when a reader searches for the next one after damage.
"""

from __future__ import annotations

import hashlib
import struct
from zlib import crc32

from horoi.base.codec import Record

BLOCK = 1
UNDO = 2
COMMIT = 3
KIND_NAMES = {BLOCK: "block", UNDO: "undo", COMMIT: "commit"}

MAX_PAYLOAD_BYTES = 32 << 20  # half a segment; a block is far smaller
SALT_SIZE_BYTES = 16

_FIELDS = struct.Struct(">4sBI32s")
_HEADER = struct.Struct(">4sBI32sI")
_PLACE = struct.Struct(">II")
HEADER_SIZE_BYTES = _HEADER.size
CHECK_SIZE_BYTES = 8
OVERHEAD_BYTES = HEADER_SIZE_BYTES + CHECK_SIZE_BYTES


class Location(Record, frozen=True, order=True):
    """Where a record lies: segment number, offset of its header, size of the whole record. Ordered as written."""

    segment: int
    offset: int
    size_bytes: int

    @property
    def end(self) -> int:
        """Offset of the byte after the record."""
        return self.offset + self.size_bytes


class Entry(Record, frozen=True):
    """An intact record; ``name`` is the hash of its block."""

    location: Location
    kind: int
    name: bytes
    payload: bytes


class Damage(Record, frozen=True):
    """A stretch of the log that holds no intact record. ``name`` is its block's hash where its header is intact."""

    location: Location
    reason: str
    name: bytes = b""


class Format:
    """Packs and reads the records of one log. ``salt`` is its network's id and its own salt."""

    def __init__(self, salt: bytes) -> None:
        self.magic = hashlib.sha256(b"horoi/log/magic" + salt).digest()[:4]
        self._salted = hashlib.sha256(b"horoi/log/record" + salt)
        self._salt = salt

    def pack(self, segment: int, offset: int, kind: int, name: bytes, payload: bytes) -> bytes:
        """Return the bytes of a record that will lie at this place."""
        fields = _FIELDS.pack(self.magic, kind, len(payload), name)
        header = fields + self._header_check(segment, offset, fields).to_bytes(4, "big")
        return b"".join((header, payload, self._check(segment, offset, header, payload)))

    def read_header(
        self, segment: int, offset: int, data: bytes | memoryview, at: int
    ) -> tuple[int, int, bytes] | None:
        """Kind, size of the whole record and block hash, from the header at ``data[at:]``; None if it is damaged."""
        if len(data) - at < HEADER_SIZE_BYTES:
            return None
        magic, kind, payload_size, name, check = _HEADER.unpack_from(data, at)
        if magic != self.magic or payload_size > MAX_PAYLOAD_BYTES:
            return None
        if check != self._header_check(segment, offset, bytes(data[at : at + _FIELDS.size])):
            return None
        return kind, OVERHEAD_BYTES + payload_size, name

    def read_payload(self, location: Location, data: memoryview, at: int) -> bytes | None:
        """The payload of the record at ``data[at:]``, whose header is intact; None if it is damaged."""
        header_end = at + HEADER_SIZE_BYTES
        payload_end = at + location.size_bytes - CHECK_SIZE_BYTES
        payload = data[header_end:payload_end]
        check = self._check(location.segment, location.offset, data[at:header_end], payload)
        if check != data[payload_end : payload_end + CHECK_SIZE_BYTES]:
            return None
        return bytes(payload)

    def _header_check(self, segment: int, offset: int, fields: bytes) -> int:
        return crc32(fields, crc32(_PLACE.pack(segment, offset) + self._salt))

    def _check(self, segment: int, offset: int, header: bytes | memoryview, payload: bytes | memoryview) -> bytes:
        digest = self._salted.copy()
        digest.update(_PLACE.pack(segment, offset))
        digest.update(header)
        digest.update(payload)
        return digest.digest()[:CHECK_SIZE_BYTES]
