"""Checks that a node and ``horoi doctor`` share: the program, the disk, the age of the newest block.

Each looks at one thing, changes nothing that lasts, and says what to do.
"""

from __future__ import annotations

import importlib
import os
import shutil
import ssl
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from horoi.node.findings import Check, finding

OLDEST_PYTHON = (3, 11)
LOW_SPACE_BYTES = 1_000_000_000  # some weeks of a busy network; a guess
NO_SPACE_BYTES = 50_000_000  # the log and the state must be able to flush; a guess
SLOW_SYNC_MS = 200.0  # a spinning disk needs about 20; more than this holds up every block; a guess
LATE_INTERVALS = 20  # without a block for so long: of a Poisson process once in 5e8; then nobody mines, or we are alone


def versions() -> Iterator[Check]:
    """Python, and the libraries that are not Python: that they are there and work."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield finding("Python", "version" if sys.version_info >= OLDEST_PYTHON else "python-old", version=python)
    yield finding("OpenSSL", "version" if ssl.HAS_TLSv1_3 else "no-tls13", version=ssl.OPENSSL_VERSION)
    yield _library("libsecp256k1 (coincurve)", "coincurve", _try_signature)
    yield _library("msgspec", "msgspec", _try_codec)
    yield _library("RocksDB (rocksdict)", "rocksdict", _try_import("rocksdict"))


def _library(name: str, package: str, attempt: Callable[[], None]) -> Check:
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version(package)
        attempt()
    except PackageNotFoundError:
        return finding(name, "not-installed")
    except Exception as error:
        return finding(name, "broken", error=f"{type(error).__name__}: {error}")
    return finding(name, "version", version=found)


def _try_signature() -> None:
    """Vector 0 of BIP 340's test vectors verifies, and not with a bit changed."""
    from horoi.base.keys import verify

    public = bytes.fromhex("F9308A019258C31049344F85F89D5229B531C845836F99B08601F113BCE036F9")
    signature = bytearray.fromhex(
        "E907831F80848D1069A5371B402410364BDF1C5F8307B0084C55F1CE2DCA8215"
        "25F66A4A85EA8B71E482A74F382D2CE5EBEEE8FDB2172F477DF4900D310536C0"
    )
    if not verify(public, bytes(32), bytes(signature)):
        raise RuntimeError("a valid signature is refused")
    signature[0] ^= 1
    if verify(public, bytes(32), bytes(signature)):
        raise RuntimeError("an invalid signature is accepted")


def _try_codec() -> None:
    import msgspec

    if msgspec.msgpack.encode([1, b"x"]) != b"\x92\x01\xc4\x01x":
        raise RuntimeError("it does not write MessagePack's shortest form")


def _try_import(module: str) -> Callable[[], None]:
    def attempt() -> None:
        importlib.import_module(module)

    return attempt


def permissions(folder: Path) -> Check:
    """Whether others of this machine may enter the folder."""
    open_to_others = stat.S_IMODE(folder.stat().st_mode) & 0o077
    return finding("folder", "folder-open" if open_to_others else "folder", folder=str(folder))


def writing(folder: Path) -> Check:
    """Whether the folder can be written, and how long a sync takes."""
    beside = folder / f"doctor-{os.getpid()}.new"  # the node clears away what ends so
    try:
        with beside.open("wb") as file:
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            took_ms = (time.perf_counter() - began) * 1000
    except OSError as error:
        return finding("writing", "not-written", error=error.strerror or str(error))
    finally:
        beside.unlink(missing_ok=True)
    return finding("writing", "sync-slow" if took_ms > SLOW_SYNC_MS else "sync", took_ms=took_ms)


def space(folder: Path) -> Check:
    """How much room there is."""
    free = shutil.disk_usage(folder).free
    code = "space-none" if free < NO_SPACE_BYTES else "space-low" if free < LOW_SPACE_BYTES else "space"
    return finding("disk", code, free_gb=free / 1e9)


def block_times(age_s: float, interval_s: float, forgiven_s: float) -> Check:
    """How old the newest block is; ``forgiven_s``: how far in the future the network lets it be."""
    if -age_s > forgiven_s:
        return finding("block times", "newest-block-early", ahead_s=-age_s)
    if age_s > LATE_INTERVALS * interval_s:
        return finding("block times", "newest-block-late", age_s=age_s, interval_s=interval_s)
    return finding("block times", "newest-block", age_s=age_s)
