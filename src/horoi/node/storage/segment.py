"""The head of a segment file of the block log: whose log it is.

    magic 8 | version 1 | segment 4 | network id 32 | salt 16 | check 8        twice

It stands twice, so that one damaged byte does not make the whole segment unreadable for want of its salt. It is synced
before the first record is written; therefore a segment that holds records and has no intact head has decayed.
"""

from __future__ import annotations

import hashlib
import re
import struct

from horoi.base.errors import StorageError
from horoi.node.storage.record import SALT_SIZE_BYTES

MAGIC = b"HoroiLog"
VERSION = 1
MAX_SEGMENTS = 1_000_000  # six digits in the name: 64 TB

_FIELDS = struct.Struct(">8sBI32s16s")
_COPY_SIZE_BYTES = _FIELDS.size + 8
HEAD_SIZE_BYTES = 2 * _COPY_SIZE_BYTES


def segment_name(log: str, segment: int) -> str:
    """File name of this segment: ``blocks-000000.log``."""
    return f"{log}-{segment:06}.log"


def segment_numbers(log: str, names: list[str]) -> list[int]:
    """Numbers of the segments of this log among the disk's names, ascending."""
    pattern = re.compile(re.escape(log) + r"-([0-9]{6})\.log")
    return sorted(int(match[1]) for name in names if (match := pattern.fullmatch(name)))


def pack_head(segment: int, network_id: bytes, salt: bytes) -> bytes:
    """Return the head of this segment."""
    fields = _FIELDS.pack(MAGIC, VERSION, segment, network_id, salt)
    return (fields + _check(fields)) * 2


def read_head(name: str, segment: int, data: bytes, network_id: bytes) -> bytes | None:
    """Return the log's salt, or None if both copies are damaged.

    Raises StorageError if the segment belongs to another network, has another number, or is of a newer program.
    """
    for start in (0, _COPY_SIZE_BYTES):
        copy = data[start : start + _COPY_SIZE_BYTES]
        fields, check = copy[: _FIELDS.size], copy[_FIELDS.size :]
        if len(copy) < _COPY_SIZE_BYTES or check != _check(fields) or not fields.startswith(MAGIC):
            continue
        _, version, number, network, salt = _FIELDS.unpack(fields)
        if version != VERSION:
            raise StorageError(
                f"{name}: log version {version}, this program reads {VERSION}; use the program that wrote it"
            )
        if network != network_id:
            raise StorageError(
                f"{name}: belongs to another network ({network.hex()[:16]}..., not {network_id.hex()[:16]}...); "
                "choose another folder"
            )
        if number != segment:
            raise StorageError(f"{name}: holds segment {number}; give the file its own name back")
        assert len(salt) == SALT_SIZE_BYTES
        return bytes(salt)
    return None


def _check(fields: bytes) -> bytes:
    return hashlib.sha256(b"horoi/log/head" + fields).digest()[:8]
