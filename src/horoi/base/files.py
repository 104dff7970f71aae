"""A small file that is there whole or not at all: written beside, synced, renamed over, the folder synced.

POSIX rename is atomic; without the syncs the name may become durable before the content that it names (Pillai et al., "All
File Systems Are Not Created Equal", OSDI 2014).
"""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE = 0o600
"""Mode of what only its owner may read."""
SHARED = 0o666
"""Mode of any other file, less what the umask takes away."""


def replace_file(path: Path, data: bytes, mode: int) -> None:
    """Make ``data`` the content of a file that was made with ``mode``, atomically and durably. Raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.unlink(missing_ok=True)  # of a life that was killed; made anew, so that its mode is the one asked for
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(beside, path)
        _sync_folder(path.parent)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Make a rename durable. Windows opens no folders and needs none of this."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
