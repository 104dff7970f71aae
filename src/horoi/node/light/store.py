"""Headers of one chain on disk, compactly: a year at one block a minute (525,600) takes 44.4 MB.

A header's height follows from its place and its parent from the header before it, so neither is written. What is left is 84
bytes. They stand in pages of 64, each begun by the name of the block before it, so that any header is found again with at
most 64 hashes:

    page = name of the block before (32 bytes) || 64 records
    record = content root (32) || state root (32) || time in ms (8) || target (4) || nonce (8)

Heights begin at 1: block 0 follows from the genesis. A torn tail is cut off; damage shows, because the puzzles no longer hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from horoi.base.errors import StorageError
from horoi.ledger.block import Header, block_hash
from horoi.machine.disk import Disk

NAME_SIZE_BYTES = 32
RECORD_SIZE_BYTES = 84
PAGE_HEADERS = 64
PAGE_SIZE_BYTES = NAME_SIZE_BYTES + PAGE_HEADERS * RECORD_SIZE_BYTES


class HeaderStore:
    """The file of a chain. ``count`` headers: heights 1 to ``count``."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._file = disk.open(name)
        pages, rest = divmod(self._file.size_bytes, PAGE_SIZE_BYTES)
        in_last = max(0, rest - NAME_SIZE_BYTES) // RECORD_SIZE_BYTES
        self.count = pages * PAGE_HEADERS + in_last
        self._file.truncate(_end_of(self.count))

    @property
    def size_bytes(self) -> int:
        return self._file.size_bytes

    def append(self, headers: Sequence[Header]) -> None:
        """Add headers that follow the last one; durable when this returns."""
        data = bytearray()
        for header in headers:
            if header.height != self.count + 1:
                raise StorageError(f"header {header.height} does not follow {self.count} in the file of headers")
            if self.count % PAGE_HEADERS == 0:
                data += header.parent
            data += _record(header)
            self.count += 1
        self._file.append(bytes(data))
        self._file.sync()

    def truncate(self, count: int) -> None:
        """Keep only the first so many."""
        if count < self.count:
            self.count = count
            self._file.truncate(_end_of(count))
            self._file.sync()

    def read(self, first: int, last: int) -> Iterator[Header]:
        """The headers of these heights, in order. StorageError if they are not there."""
        if not 1 <= first <= last <= self.count:
            raise StorageError(f"headers {first} to {last} of {self.count}")
        for page in range((first - 1) // PAGE_HEADERS, (last - 1) // PAGE_HEADERS + 1):
            data = self._file.read(page * PAGE_SIZE_BYTES, PAGE_SIZE_BYTES)
            parent = data[:NAME_SIZE_BYTES]
            for number in range(min(PAGE_HEADERS, last - page * PAGE_HEADERS)):
                height = page * PAGE_HEADERS + number + 1
                start = NAME_SIZE_BYTES + number * RECORD_SIZE_BYTES
                header = _read_record(data[start : start + RECORD_SIZE_BYTES], height, parent)
                parent = block_hash(header)
                if height >= first:
                    yield header

    def close(self) -> None:
        self._file.close()


def _end_of(count: int) -> int:
    """Where the file ends after so many headers."""
    pages, rest = divmod(count, PAGE_HEADERS)
    return pages * PAGE_SIZE_BYTES + (NAME_SIZE_BYTES + rest * RECORD_SIZE_BYTES if rest else 0)


def _record(header: Header) -> bytes:
    time, target = header.time_ms.to_bytes(8, "big"), header.target.to_bytes(4, "big")
    return header.content_root + header.state_root + time + target + header.nonce


def _read_record(data: bytes, height: int, parent: bytes) -> Header:
    if len(data) != RECORD_SIZE_BYTES:
        raise StorageError(f"header {height} is cut off in the file of headers")
    time_ms, target = int.from_bytes(data[64:72], "big"), int.from_bytes(data[72:76], "big")
    return Header(height, parent, data[:32], data[32:64], time_ms, target, data[76:84])
