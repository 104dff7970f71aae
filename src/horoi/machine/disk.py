"""What a world gives a machine to keep things: files that only grow, and a store of keys.

The same storage code runs over a real disk and over a simulated one that tears and loses unsynced writes. The promises,
and nothing more: what was appended before ``sync`` returned survives a crash; of what came after, any prefix may survive
and its last bytes may be torn; a ``write`` to a store is atomic, and durable once a ``write`` with ``sync`` returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol


class File(Protocol):
    """Bytes that grow at the end."""

    @property
    def size_bytes(self) -> int:
        """Size now, synced or not."""

    def read(self, offset: int, size_bytes: int) -> bytes:
        """Return up to ``size_bytes`` from ``offset``; fewer at the end of the file."""

    def append(self, data: bytes) -> None:
        """Add to the end. Raises StorageError when the disk is full; then nothing is promised to have been added."""

    def truncate(self, size_bytes: int) -> None:
        """Cut the end off, durably once ``sync`` returned."""

    def sync(self) -> None:
        """Return when everything before is durable."""

    def close(self) -> None: ...


class Store(Protocol):
    """Sorted keys and values."""

    def get(self, key: bytes) -> bytes | None: ...

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        """Apply all changes at once; None deletes."""

    def items(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Keys from ``start`` (included) to ``stop`` (excluded; None: to the end), ascending."""

    def items_down(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """The same pairs, descending."""

    def close(self) -> None: ...


class Disk(Protocol):
    """One node's folder."""

    def open(self, name: str) -> File:
        """The file of this name, created if absent."""

    def store(self, name: str) -> Store:
        """The store of this name, created if absent. Raises StorageError if another process has it open."""

    def names(self) -> list[str]:
        """Names of files and stores, ascending."""

    def remove(self, name: str) -> None:
        """Remove a file or a (closed) store; absent is fine."""

    def replace(self, name: str, data: bytes) -> None:
        """Make ``data`` the whole content of a small file, atomically and durably."""
