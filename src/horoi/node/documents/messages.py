"""The wire of documents, and what the application asks and hears.

WhoHas(hash)            ->  Has(hash, size) or nothing
GetChunk(hash, number)  ->  Chunk(hash, number, data) or NoChunk(hash, number)
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from horoi.ledger.conditions import Hash
from horoi.machine.wire import Message, Wire

CHUNK_SIZE_BYTES = 128 * 1024  # a guess: a hundredth of a second on a line of 100 Mbit/s
MAX_DOCUMENT_SIZE_BYTES = 16_000_000  # what one HTTP body takes (web/guard.py)
MAX_CHUNKS = -(-MAX_DOCUMENT_SIZE_BYTES // CHUNK_SIZE_BYTES)

ChunkNumber = Annotated[int, Meta(ge=0, lt=MAX_CHUNKS)]


class WhoHas(Message, frozen=True, tag="who-has"):
    """Do you keep the document of this SHA-256?"""

    hash: Hash


class Has(Message, frozen=True, tag="has"):
    """Yes; it has so many bytes."""

    hash: Hash
    size_bytes: Annotated[int, Meta(ge=0, le=MAX_DOCUMENT_SIZE_BYTES)]


class GetChunk(Message, frozen=True, tag="get-chunk"):
    """Asks for one chunk."""

    hash: Hash
    number: ChunkNumber


class Chunk(Message, frozen=True, tag="chunk"):
    """One chunk: CHUNK_SIZE_BYTES, the last one less."""

    hash: Hash
    number: ChunkNumber
    data: Annotated[bytes, Meta(max_length=CHUNK_SIZE_BYTES)]


class NoChunk(Message, frozen=True, tag="no-chunk"):
    """The other side does not have it any more, or is asked for too much."""

    hash: Hash
    number: ChunkNumber


DOCUMENTS_WIRE = Wire([WhoHas, Has, GetChunk, Chunk, NoChunk], max_size_bytes=CHUNK_SIZE_BYTES + 200)


class KeepDocument(msgspec.Struct, frozen=True, gc=False):
    """Request: keep these bytes. Check ``DocumentStore.check_room`` first."""

    data: bytes


class FetchDocument(msgspec.Struct, frozen=True, gc=False):
    """Request: fetch the document of this SHA-256 from whoever keeps it. Answered by one of the next two."""

    hash: bytes


class DocumentKept(msgspec.Struct, frozen=True, gc=False):
    """Notice: the document is here, whole and checked."""

    hash: bytes
    size_bytes: int


class DocumentNotFetched(msgspec.Struct, frozen=True, gc=False):
    """Notice: nobody gave it; ``why`` is a sentence."""

    hash: bytes
    why: str
