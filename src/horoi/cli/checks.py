"""The checks of ``horoi doctor``. Each looks at one thing, changes nothing that lasts, and says what to do."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from horoi.base.errors import HoroiError, NetworkError
from horoi.cli.settings import DEFAULT_API, KEYS_FOLDER, api_url, config_path, node_folder, read_config
from horoi.node.offline import GENESIS_FILE

if TYPE_CHECKING:
    from horoi.web.model.node import StatusView

T = TypeVar("T")

Verdict = Literal["ok", "warn", "fail"]

OLDEST_PYTHON = (3, 11)
LOW_SPACE_BYTES = 1_000_000_000  # some weeks of a busy network; a guess
NO_SPACE_BYTES = 50_000_000  # the log and the state must be able to flush; a guess
SLOW_SYNC_MS = 200.0  # a spinning disk needs about 20; more than this holds up every block; a guess
CLOCK_WARN_S = 2.0  # well synchronised clocks differ by milliseconds; a guess
CLOCK_FAIL_S = 60.0  # where the network's own tolerance is not known; a guess
REACH_TIMEOUT_S = 3.0
LATE_INTERVALS = 20  # without a block for so long: of a Poisson process once in 5e8; then nobody mines, or we are alone


class Check(NamedTuple):
    """One finding. ``advice`` is empty where nothing is to be done."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""


def examine(*, folder: Path | None, api: str | None, listen: str, peers: tuple[str, ...]) -> list[Check]:
    """All checks, in the order in which one would repair things."""
    checks = [*_versions(), _config()]
    home = _or_none(lambda: node_folder(folder))
    url = _or_none(lambda: api_url(api)) or DEFAULT_API
    if home is not None:
        checks += [*_folder(home), *_genesis(home)]
    status = _status(url)
    if isinstance(status, Check):
        checks += [status, _port("peers' port", listen), _port("API's port", url.partition("://")[2])]
    else:
        checks += [*_node(status, url), *_clock(status), *(_same_network(status, home) if home else ())]
    return [*checks, *(_reachable(peer) for peer in peers)]


def _or_none(setting: Callable[[], T]) -> T | None:
    """A setting; None where the configuration cannot be read, as another check says."""
    try:
        return setting()
    except HoroiError:
        return None


# ---- the program ------------------------------------------------------------------------------------------------


def _versions() -> Iterator[Check]:
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
    import importlib

    def attempt() -> None:
        importlib.import_module(module)

    return attempt


def _config() -> Check:
    path = config_path()
    try:
        read_config()
    except HoroiError as error:
        return Check("configuration", "fail", str(error), "correct the file, or move it away")
    return Check("configuration", "ok", str(path) if path.exists() else f"defaults ({path} is not there)")


# ---- the disk ---------------------------------------------------------------------------------------------------


def _folder(folder: Path) -> Iterator[Check]:
    if not folder.exists():
        parent = next((p for p in folder.parents if p.exists()), Path("/"))
        may = os.access(parent, os.W_OK)
        advice = "" if may else f"make it, or choose another with --dir: {parent} cannot be written"
        yield Check(
            "folder", "warn" if may else "fail", f"{folder} is not there yet", advice or "it is made at the first start"
        )
        yield _space(parent)
        return
    yield from (_permissions(folder), _write(folder), _space(folder), _keys(folder))


def _permissions(folder: Path) -> Check:
    open_to_others = stat.S_IMODE(folder.stat().st_mode) & 0o077
    if open_to_others:
        return Check("folder", "warn", f"{folder}: others of this machine may enter", f"chmod 700 {folder}")
    return Check("folder", "ok", str(folder))


def _keys(folder: Path) -> Check:
    from horoi.cli.unlocking import keystore

    files = sorted((folder / KEYS_FOLDER).glob("*.key.json"))
    for secret in (*files, folder / "node-key", folder / "api-token"):
        if secret.exists() and stat.S_IMODE(secret.stat().st_mode) & 0o077:
            return Check("keys", "fail", f"{secret} can be read by others", f"chmod 600 {secret}")
    try:
        entries = keystore(folder).entries()
    except HoroiError as error:
        return Check("keys", "fail", str(error), "restore that key from its words or a copy")
    lying_open = [entry.name for entry in entries if not entry.encrypted]
    if lying_open:
        found = f"{', '.join(lying_open)}: without a passphrase"
        return Check("keys", "warn", found, "fine for a demonstration, not for anything of worth")
    return Check("keys", "ok", f"{len(entries)} in the keystore")


def _write(folder: Path) -> Check:
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


def _space(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:.1f} GB free"
    if free < NO_SPACE_BYTES:
        return Check("disk", "fail", found, "free some space: a node that cannot write stops")
    if free < LOW_SPACE_BYTES:
        return Check("disk", "warn", found, "free some space soon")
    return Check("disk", "ok", found)


def _genesis(folder: Path) -> Iterator[Check]:
    from horoi.cli.genesis_file import read_genesis
    from horoi.ledger.genesis import network_id

    path = folder / GENESIS_FILE
    if not path.exists():
        yield Check("genesis", "warn", f"{path} is not there yet", "give --genesis FILE at the first start of the node")
        return
    try:
        genesis = read_genesis(path)
    except HoroiError as error:
        yield Check("genesis", "fail", str(error), "copy the network's genesis file there")
        return
    yield Check("genesis", "ok", f"network {genesis.name} [{network_id(genesis).hex()[:16]}]")


# ---- the node and its network -----------------------------------------------------------------------------------


def _status(url: str) -> StatusView | Check:
    from horoi.client import Client

    try:
        with Client(url, timeout_s=REACH_TIMEOUT_S) as client:
            return client.status()
    except NetworkError as error:
        return Check("node", "warn", str(error), "start it with horoi node run, or say where it is with --api")
    except HoroiError as error:
        return Check("node", "fail", str(error), "is that a node of this version? say where it is with --api")


def _node(status: StatusView, url: str) -> Iterator[Check]:
    yield Check("node", "ok", f"{status.node_id[:16]} at {url}, height {status.height}")
    if status.peers:
        yield Check("peers", "ok", f"{status.peers} linked")
    else:
        yield Check("peers", "warn", "none linked", "name one: horoi peers --dial HOST:PORT; is its port open to here?")
    if status.synced:
        yield Check("chain", "ok", f"at the tip, {status.height}")
    else:
        yield Check("chain", "warn", f"at {status.height} of {status.headers_height}", "it is fetching: wait")


def _clock(status: StatusView) -> Iterator[Check]:
    """Ours against the node's, and against the newest block, which another machine may have stamped."""
    network = status.network
    now_s = time.time()
    forgiven_s = network.future_limit * network.interval_ms / 1000
    ahead_s = now_s - (status.started_ms / 1000 + status.uptime_s)
    fails_at_s = min(CLOCK_FAIL_S, forgiven_s)
    advice = "set the clocks of both machines (timedatectl set-ntp true), then start the node again"
    if abs(ahead_s) > fails_at_s:
        yield Check("clock", "fail", f"{ahead_s:+.1f} s against the node's", advice)
    elif abs(ahead_s) > CLOCK_WARN_S:
        yield Check("clock", "warn", f"{ahead_s:+.1f} s against the node's", advice)
    else:
        yield Check("clock", "ok", f"{ahead_s:+.1f} s against the node's")
    age_s = now_s - status.tip_time_ms / 1000
    if -age_s > forgiven_s:
        found = f"the newest block is {-age_s:,.0f} s in the future"
        yield Check("block times", "fail", found, "this machine's clock is behind: set it")
    elif age_s > LATE_INTERVALS * network.interval_ms / 1000:
        found = f"the newest block is {age_s:,.0f} s old, one is due every {network.interval_ms / 1000:g} s"
        yield Check(
            "block times", "warn", found, "nobody mines (horoi mine RATE), no peer is linked, or the clock is ahead"
        )
    else:
        yield Check("block times", "ok", f"the newest block is {age_s:,.0f} s old")


def _same_network(status: StatusView, folder: Path) -> Iterator[Check]:
    from horoi.cli.genesis_file import read_genesis
    from horoi.ledger.genesis import network_id

    try:
        ours = network_id(read_genesis(folder / GENESIS_FILE)).hex()
    except HoroiError:
        return  # said above
    if ours != status.network.id:
        found = f"the folder is of {ours[:16]}, the node of {status.network.id[:16]}"
        yield Check("network", "fail", found, "name the node's own folder with --dir, or its API with --api")
    else:
        yield Check("network", "ok", "the folder and the node are of the same one")


def _port(name: str, address: str) -> Check:
    from horoi.world.live.addresses import bind

    try:
        bind(address, socket.SOCK_STREAM).close()
    except HoroiError as error:
        return Check(name, "fail", str(error), "stop what holds it, or choose another")
    return Check(name, "ok", f"{address} is free")


def _reachable(address: str) -> Check:
    from horoi.world.live.addresses import phrase_of, split_address

    try:
        socket.create_connection(split_address(address), REACH_TIMEOUT_S).close()
    except HoroiError as error:
        return Check(f"peer {address}", "fail", str(error), "correct the address")
    except OSError as error:
        advice = "is it running, and is its port open to here? ask its operator"
        return Check(f"peer {address}", "fail", phrase_of(error), advice)
    return Check(f"peer {address}", "ok", "reached")
