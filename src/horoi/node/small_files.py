"""Small files of a node's folder, sealed by a checksum so that damage shows: the mempool and the address book.

Neither is the truth of anything: a damaged one is left aside, and made anew.
"""

from __future__ import annotations

from horoi.base.hashing import tagged
from horoi.machine.disk import Disk

MEMPOOL_FILE = "mempool"
SEAL_SIZE_BYTES = 8  # 64 bits of SHA-256: damage passes once in 2**64

_seal = tagged("horoi/small-file")


def write_sealed(disk: Disk, name: str, data: bytes) -> None:
    """Make ``data`` the content of a small file, atomically and durably."""
    disk.replace(name, _seal(data)[:SEAL_SIZE_BYTES] + data)


def read_sealed(disk: Disk, name: str) -> bytes | None:
    """The content of a small file; None if there is none or it is damaged."""
    if name not in disk.names():
        return None
    file = disk.open(name)
    try:
        sealed = file.read(0, file.size_bytes)
    finally:
        file.close()
    data = sealed[SEAL_SIZE_BYTES:]
    return data if _seal(data)[:SEAL_SIZE_BYTES] == sealed[:SEAL_SIZE_BYTES] else None
