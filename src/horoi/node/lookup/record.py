"""What a node provides, as its small file keeps it over restarts."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import DecodeError
from horoi.base.hashing import HASH_SIZE_BYTES

PROVIDING_FILE = "providing"
MAX_PROVIDING = 10_000  # a guess: each is a lookup every quarter of an hour

Hash = Annotated[bytes, Meta(min_length=HASH_SIZE_BYTES, max_length=HASH_SIZE_BYTES)]


class ProvidingRecord(Record, frozen=True):
    """The hashes of the documents that this node says to have."""

    hashes: Annotated[tuple[Hash, ...], Meta(max_length=MAX_PROVIDING)]

    def file(self) -> tuple[str, bytes]:
        """The name of the file that it becomes the whole content of, and the content."""
        return PROVIDING_FILE, encode(self)


_codec: Codec[ProvidingRecord] = Codec(ProvidingRecord, max_size_bytes=MAX_PROVIDING * (HASH_SIZE_BYTES + 2) + 64)


def read_providing(data: bytes | None) -> tuple[bytes, ...]:
    """The hashes in the file's content; none if there is no file, or another program's."""
    try:
        return _codec.decode(data).hashes if data else ()
    except DecodeError:
        return ()
