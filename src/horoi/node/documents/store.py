"""The documents that a node keeps, by their SHA-256: in chunks, in a store of their own, within a quota.

    h || hash             size (8 bytes)
    c || hash || number   a chunk

A document is written in one atomic batch: all of it is here, or none. What is read is hashed again: a damaged document is
forgotten, and said to be damaged.
"""

from __future__ import annotations

import contextlib

from horoi.base.errors import InsufficientError, NotFoundError, StorageError
from horoi.base.hashing import sha256
from horoi.machine.disk import Disk, Store
from horoi.node.documents.messages import CHUNK_SIZE_BYTES, MAX_DOCUMENT_SIZE_BYTES

QUOTA_BYTES = 1_000_000_000  # a guess: a laptop's patience
STORE_NAME = "documents"
HASH_SIZE_BYTES = 32
_SIZE_BYTES = 8


class DocumentStore:
    """Opens its store on the first use, so that a node without documents has none."""

    def __init__(self, disk: Disk, *, quota_bytes: int = QUOTA_BYTES) -> None:
        self.quota_bytes = quota_bytes
        self.kept: dict[bytes, int] = {}
        """Sizes in bytes. Bounded by the quota: only one document is empty."""
        self._checked: dict[bytes, None] = {}
        """Those that had their hash in this life."""
        self._disk = disk
        self._opened: Store | None = None
        if STORE_NAME in disk.names():
            self._read_heads()

    @property
    def used_bytes(self) -> int:
        """What all documents take."""
        return sum(self.kept.values())

    def has(self, name: bytes) -> bool:
        """True if the document is here."""
        return name in self.kept

    def check_room(self, size_bytes: int) -> None:
        """Raise InsufficientError if so much more cannot be kept."""
        if size_bytes > MAX_DOCUMENT_SIZE_BYTES:
            raise InsufficientError(f"{size_bytes} bytes: a document has at most {MAX_DOCUMENT_SIZE_BYTES}")
        if self.used_bytes + size_bytes > self.quota_bytes:
            raise InsufficientError(
                f"{self.used_bytes} of {self.quota_bytes} bytes for documents are used, {size_bytes} more do not fit: "
                "remove some (horoi document remove HASH)"
            )

    # ---- reading --------------------------------------------------------------------------------------------

    def read(self, name: bytes) -> bytes:
        """The document. NotFoundError if it is not here, StorageError if the copy was damaged (it is forgotten then)."""
        size_bytes = self.kept.get(name)
        if size_bytes is None:
            raise NotFoundError(f"document {name.hex()} is not kept here: fetch it (horoi document get {name.hex()})")
        data = b"".join(self._chunk(name, number) or b"" for number in range(chunks_of(size_bytes)))
        if sha256(data) != name:
            self.remove(name)
            raise StorageError(f"the copy of document {name.hex()} was damaged and is removed: fetch or put it again")
        self._checked[name] = None
        return data

    def chunk(self, name: bytes, number: int) -> bytes | None:
        """One chunk; None if it is not here. The whole is hashed before its first chunk leaves: who gives a damaged one is
        taken for a liar."""
        if name in self.kept and name not in self._checked:
            with contextlib.suppress(StorageError):
                self.read(name)
        return self._chunk(name, number) if self.has(name) else None

    def _chunk(self, name: bytes, number: int) -> bytes | None:
        return self._store.get(_chunk_key(name, number))

    # ---- writing --------------------------------------------------------------------------------------------

    def put(self, data: bytes) -> bytes:
        """Keep a whole document, durably; its name."""
        name = sha256(data)
        if self.has(name):
            return name
        parts = range(chunks_of(len(data)))
        changes: dict[bytes, bytes | None] = {
            _chunk_key(name, n): data[n * CHUNK_SIZE_BYTES : (n + 1) * CHUNK_SIZE_BYTES] for n in parts
        }
        self._store.write({**changes, _head_key(name): len(data).to_bytes(_SIZE_BYTES, "big")}, sync=True)
        self.kept[name] = len(data)
        self._checked[name] = None
        return name

    def remove(self, name: bytes) -> None:
        """Forget a document; one that is not here is fine."""
        size_bytes = self.kept.pop(name, None)
        self._checked.pop(name, None)
        if size_bytes is not None:
            keys = [_head_key(name), *(_chunk_key(name, n) for n in range(chunks_of(size_bytes)))]
            self._store.write(dict.fromkeys(keys), sync=True)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    @property
    def _store(self) -> Store:
        if self._opened is None:
            self._opened = self._disk.store(STORE_NAME)
        return self._opened

    def _read_heads(self) -> None:
        for key, value in self._store.items(b"h", b"i"):
            name, size_bytes = key[1:], int.from_bytes(value, "big")
            if len(name) == HASH_SIZE_BYTES and len(value) == _SIZE_BYTES and size_bytes <= MAX_DOCUMENT_SIZE_BYTES:
                self.kept[name] = size_bytes  # what has a damaged head is not here


def chunks_of(size_bytes: int) -> int:
    """How many chunks a document of this size has."""
    return -(-size_bytes // CHUNK_SIZE_BYTES)


def chunk_size(size_bytes: int, number: int) -> int:
    """How many bytes chunk ``number`` of such a document has."""
    return max(0, min(CHUNK_SIZE_BYTES, size_bytes - number * CHUNK_SIZE_BYTES))


def _head_key(name: bytes) -> bytes:
    return b"h" + name


def _chunk_key(name: bytes, number: int) -> bytes:
    return b"c" + name + number.to_bytes(4, "big")
