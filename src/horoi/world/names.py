"""Names of files and stores in a node's folder: one rule, so that what runs on a simulated disk runs on a real one.

Lower case, because some file systems fold case; no separator, so that a name never leaves its folder; at most 64
characters, far under the 255 bytes of common file systems (POSIX NAME_MAX).
"""

from __future__ import annotations

import re

from horoi.base.errors import StorageError

MAX_NAME_LENGTH = 64

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")

RESERVED_SUFFIX = ".new"
"""A file that is being written and is not yet its name's content (see ``Disk.replace``)."""

RESERVED_NAME = "lock"


def check_name(name: str) -> None:
    """Raise StorageError unless ``name`` may name a file or a store."""
    if len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        raise StorageError(
            f"name {name[:80]!r}: use 1 to {MAX_NAME_LENGTH} of a-z, 0-9, '.', '_' and '-', starting with a letter or digit"
        )
    if name == RESERVED_NAME or name.endswith(RESERVED_SUFFIX):
        raise StorageError(
            f"name {name!r}: {RESERVED_NAME!r} and names ending in {RESERVED_SUFFIX!r} are the disk's own"
        )
