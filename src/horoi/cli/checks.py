"""The checks of ``horoi doctor``. Each looks at one thing, changes nothing that lasts, and says what to do."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from horoi.base.errors import HoroiError, NetworkError
from horoi.cli.settings import DEFAULT_API, KEYS_FOLDER, api_url, config_path, node_folder, read_config
from horoi.node.checkup import block_times, permissions, space, versions, writing
from horoi.node.findings import Check, finding
from horoi.node.offline import GENESIS_FILE

if TYPE_CHECKING:
    from horoi.web.model.node import StatusView

T = TypeVar("T")

CLOCK_WARN_S = 2.0  # well synchronised clocks differ by milliseconds; a guess
CLOCK_FAIL_S = 60.0  # where the network's own tolerance is not known; a guess
REACH_TIMEOUT_S = 3.0


def examine(*, folder: Path | None, api: str | None, listen: str, peers: tuple[str, ...]) -> list[Check]:
    """All checks, in the order in which one would repair things."""
    checks = [*versions(), _config()]
    home = _or_none(lambda: node_folder(folder))
    url = _or_none(lambda: api_url(api)) or DEFAULT_API
    if home is not None:
        checks += [*_folder(home), *_genesis(home)]
    status = _status(url)
    if isinstance(status, Check):
        checks += [status, _port("peers' port", listen), _port("API's port", url.partition("://")[2])]
    else:
        checks += [*_node(status, url), *_witness(url), *_clock(status), *(_same_network(status, home) if home else ())]
    return [*checks, *(_reachable(peer) for peer in peers)]


def _or_none(setting: Callable[[], T]) -> T | None:
    """A setting; None where the configuration cannot be read, as another check says."""
    try:
        return setting()
    except HoroiError:
        return None


# ---- the program ------------------------------------------------------------------------------------------------


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
        yield space(parent)
        return
    yield from (permissions(folder), writing(folder), space(folder), _keys(folder))


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
        yield finding("peers", "linked", peers=status.peers)
    else:
        yield finding("peers", "none-linked")
    if status.synced:
        yield finding("chain", "at-tip", height=status.height)
    else:
        yield finding("chain", "fetching", height=status.height, best=status.headers_height)


def _witness(url: str) -> Iterator[Check]:
    """Whether it co-signs checkpoints."""
    from horoi.client import Client

    try:
        with Client(url, timeout_s=REACH_TIMEOUT_S) as client:
            answer = client.checkpoint()
    except HoroiError:
        return  # whether it answers at all is said above
    if answer.refuses is not None:
        yield Check("witness", "warn", answer.refuses, "docs/operating.md says what can be done")
    elif answer.size is not None:
        yield finding("witness", "witness", headers=answer.size)


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
    yield block_times(now_s - status.tip_time_ms / 1000, network.interval_ms / 1000, forgiven_s)


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
