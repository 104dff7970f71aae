"""The one byte form of everything that is hashed, signed, stored or sent.

MessagePack, written by msgspec from typed records whose fields stand in order (``array_like``), so a record
has no field names, no optional order and no defaults left out. MessagePack itself still allows several forms of
one value (a small number in a long field); therefore ``decode`` encodes what it read again and refuses bytes
that differ. Decoding then encoding gives the same bytes, or it is refused.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from horoi.base.errors import DecodeError

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()

encode = _encoder.encode
"""Encode a record to its one byte form. Raises OverflowError for numbers over 64 bits."""

U64_MAX = 2**64 - 1


class Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A plain immutable record whose byte form is the list of its fields in order."""

    __match_args__: ClassVar[tuple[str, ...]]  # msgspec writes it; stated for type checkers


class Codec(Generic[T]):
    """Decoder of one type (or union) that accepts only the canonical form.

    >>> class Point(Record, frozen=True):
    ...     x: int
    >>> Codec(Point, max_size_bytes=16).decode(encode(Point(3)))
    Point(x=3)
    """

    def __init__(self, kind: Any, *, max_size_bytes: int) -> None:
        self._name = getattr(kind, "__name__", str(kind))
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kind)
        self.max_size_bytes = max_size_bytes

    def decode(self, data: bytes) -> T:
        """Return the record in ``data``; raise DecodeError if it is too long, malformed or not canonical."""
        if len(data) > self.max_size_bytes:
            raise DecodeError(f"{self._name}: {len(data)} bytes, the limit is {self.max_size_bytes}")
        try:
            value = self._decoder.decode(data)
            canonical = encode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DecodeError(f"{self._name}: {error}") from None
        if canonical != data:
            raise DecodeError(f"{self._name}: not the canonical byte form of what it says")
        return value
