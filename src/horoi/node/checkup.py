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
from typing import Literal, NamedTuple

Verdict = Literal["ok", "warn", "fail"]

OLDEST_PYTHON = (3, 11)
LOW_SPACE_BYTES = 1_000_000_000  # some weeks of a busy network; a guess
NO_SPACE_BYTES = 50_000_000  # the log and the state must be able to flush; a guess
SLOW_SYNC_MS = 200.0  # a spinning disk needs about 20; more than this holds up every block; a guess
LATE_INTERVALS = 20  # without a block for so long: of a Poisson process once in 5e8; then nobody mines, or we are alone


class Check(NamedTuple):
    """One finding. ``advice`` is empty where nothing is to be done."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""


def versions() -> Iterator[Check]:
    """Python, and the libraries that are not Python: that they are there and work."""
    python = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= OLDEST_PYTHON:
        yield Check("Python", "ok", python)
    else:
        yield Check("Python", "fail", python, "install Python 3.11 or newer")
    if ssl.HAS_TLSv1_3:
        yield Check("OpenSSL", "ok", ssl.OPENSSL_VERSION)
    else:
        yield Check(
            "OpenSSL", "fail", ssl.OPENSSL_VERSION, "it has no TLS 1.3, which links between nodes need: update it"
        )
    yield _library("libsecp256k1 (coincurve)", "coincurve", _try_signature)
    yield _library("msgspec", "msgspec", _try_codec)
    yield _library("RocksDB (rocksdict)", "rocksdict", _try_import("rocksdict"))


def _library(name: str, package: str, attempt: Callable[[], None]) -> Check:
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version(package)
        attempt()
    except PackageNotFoundError:
        return Check(name, "fail", "not installed", "install Horoi again, with its dependencies")
    except Exception as error:
        return Check(name, "fail", f"{type(error).__name__}: {error}", "install it again: it does not work here")
    return Check(name, "ok", found)


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
    if open_to_others:
        return Check("folder", "warn", f"{folder}: others of this machine may enter", f"chmod 700 {folder}")
    return Check("folder", "ok", str(folder))


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
        return Check(
            "writing", "fail", f"{error.strerror or error}", "check who owns the folder, its mode, and the disk"
        )
    finally:
        beside.unlink(missing_ok=True)
    if took_ms > SLOW_SYNC_MS:
        return Check(
            "writing", "warn", f"a sync took {took_ms:.0f} ms", "every block waits for that: use a faster disk"
        )
    return Check("writing", "ok", f"a sync took {took_ms:.1f} ms")


def space(folder: Path) -> Check:
    """How much room there is."""
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:.1f} GB free"
    if free < NO_SPACE_BYTES:
        return Check("disk", "fail", found, "free some space: a node that cannot write stops")
    if free < LOW_SPACE_BYTES:
        return Check("disk", "warn", found, "free some space soon")
    return Check("disk", "ok", found)


def block_times(age_s: float, interval_s: float, forgiven_s: float) -> Check:
    """How old the newest block is; ``forgiven_s``: how far in the future the network lets it be."""
    if -age_s > forgiven_s:
        found = f"the newest block is {-age_s:,.0f} s in the future"
        return Check("block times", "fail", found, "this machine's clock is behind: set it")
    if age_s > LATE_INTERVALS * interval_s:
        found = f"the newest block is {age_s:,.0f} s old, one is due every {interval_s:g} s"
        advice = "nobody mines (horoi mine RATE), no peer is linked, or the clock is ahead"
        return Check("block times", "warn", found, advice)
    return Check("block times", "ok", f"the newest block is {age_s:,.0f} s old")
