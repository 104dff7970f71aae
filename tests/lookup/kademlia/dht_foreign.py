"""Peers of the Mainline DHT that nobody here wrote, on loopback: libtorrent, bittorrent-dht (npm), aria2; and Horoi beside them.

Each has an address of its own in 127.0.0.0/8 and the same port. Everything waits on conditions.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import time
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from horoi.lookup.kademlia import bencode, krpc
from horoi.lookup.kademlia.boot import boot_kademlia
from horoi.lookup.kademlia.config import mainline
from horoi.lookup.kademlia.signing import public_key_of
from horoi.lookup.vocabulary import Join, Joined
from horoi.world.live.datagram import DatagramHost

NPM_PACKAGE = "bittorrent-dht@11.0.12"
PATIENCE_S = 30.0  # of every condition; a lookup takes under a second, programs on a loaded machine start slowly
HERE = Path(__file__).parent


def missing(what: str) -> None:
    """Skip loudly where a foreign program is not installed; fail where it must be (CI)."""
    message = f"foreign DHT peer missing: {what}"
    if os.environ.get("CI"):
        pytest.fail(message)
    warnings.warn(message, stacklevel=2)
    pytest.skip(message)


def require_programs() -> None:
    """Check for all foreign programs."""
    if importlib.util.find_spec("libtorrent") is None:
        missing("libtorrent; pip install libtorrent")
    for program, package in (("node", "nodejs"), ("npm", "npm"), ("aria2c", "aria2")):
        if shutil.which(program) is None:
            missing(f"{program}; apt-get install {package}")


def install_npm(folder: Path) -> Path:
    """Install the npm peer into a temporary folder; return its driver."""
    (folder / "package.json").write_text("{}")
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", NPM_PACKAGE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        missing(f"{NPM_PACKAGE}; npm says {done.stderr[-300:]}")
    return Path(shutil.copy(HERE / "dht_peer.mjs", folder))


async def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait until ``condition()`` is true; return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE_S:g} s"
        await asyncio.sleep(0.05)
    return result


def free_port() -> int:
    """A UDP port that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Foreign peers, each with put, get, put_signed, get_signed, announce, find


class LibtorrentPeer:
    """libtorrent's session, in this process."""

    kind = "libtorrent"

    def __init__(self, ip: str, port: int) -> None:
        import libtorrent

        self.lt = libtorrent
        self.address = (ip, port)
        self.session: Any = libtorrent.session(
            {
                "listen_interfaces": f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}",
                "enable_dht": True,
                "enable_lsd": False,
                "enable_upnp": False,
                "enable_natpmp": False,
                "dht_bootstrap_nodes": "",
                "dht_block_ratelimit": 1_000_000,
                "alert_mask": libtorrent.alert.category_t.all_categories,
            }
        )
        self.alerts: list[Any] = []

    async def is_up(self) -> None:
        """Wait until its DHT is on."""
        await until(self.session.is_dht_running, "libtorrent's start")

    def introduce(self, address: tuple[str, int]) -> None:
        self.session.add_dht_node(address)

    def _hear(self, kind: str) -> list[Any]:
        self.alerts += [(type(alert).__name__, _facts(alert)) for alert in self.session.pop_alerts()]
        return [facts for name, facts in self.alerts if name == kind]

    def _hash(self, key: str) -> Any:
        return self.lt.sha1_hash(bytes.fromhex(key))

    async def put(self, value: bytes) -> str:
        return str(self.session.dht_put_immutable_item(value))

    async def get(self, key: str) -> bytes | None:
        self.alerts.clear()
        self.session.dht_get_immutable_item(self._hash(key))
        found = await until(lambda: self._hear("dht_immutable_item_alert"), "libtorrent's answer")
        return found[0]["item"] if found[0]["target"] == key else None

    async def put_signed(self, secret: bytes, salt: bytes, value: bytes, seq: int) -> None:
        scalar = bytearray(hashlib.sha512(secret).digest())  # RFC 8032, 5.1.5: libtorrent wants it expanded
        scalar[0] &= 248
        scalar[31] = scalar[31] & 63 | 64
        self.session.dht_put_mutable_item(bytes(scalar), public_key_of(secret), value, salt)

    async def get_signed(self, public_key: bytes, salt: bytes) -> bytes | None:
        self.alerts.clear()
        self.session.dht_get_mutable_item(public_key, salt)
        found = await until(
            lambda: [facts for facts in self._hear("dht_mutable_item_alert") if facts["authoritative"]],
            "libtorrent's answer",
        )
        return found[-1]["item"]

    async def announce(self, key: str, port: int) -> None:
        self.session.dht_announce(self._hash(key), port, 0)

    async def find(self, key: str) -> set[str]:
        self.alerts.clear()
        self.session.dht_get_peers(self._hash(key))
        found = await until(
            lambda: [facts for facts in self._hear("dht_get_peers_reply_alert") if facts["peers"]],
            "libtorrent's peers",
        )
        return {f"{ip}:{port}" for facts in found for ip, port in facts["peers"]}

    async def kill(self) -> None:
        self.session = None

    stop = kill


def _facts(alert: Any) -> dict[str, Any]:
    """What of an alert is needed, since an alert does not outlive the next ``pop_alerts``."""
    name = type(alert).__name__
    if name == "dht_immutable_item_alert":
        return {
            "target": str(alert.target),
            "item": alert.item.get("value") if isinstance(alert.item, dict) else alert.item,
        }
    if name == "dht_mutable_item_alert":
        item = alert.item
        return {"authoritative": alert.authoritative, "item": item.get("value") if isinstance(item, dict) else item}
    if name == "dht_get_peers_reply_alert":
        return {"peers": alert.peers()}
    return {}


class NpmPeer:
    """bittorrent-dht in a process of its own."""

    kind = "bittorrent-dht"

    def __init__(self, ip: str, port: int, process: asyncio.subprocess.Process) -> None:
        self.address = (ip, port)
        self._process = process
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._asked = 0
        self._reader = asyncio.ensure_future(self._read())

    @classmethod
    async def start(cls, driver: Path, ip: str, port: int, bootstrap: str) -> NpmPeer:
        process = await asyncio.create_subprocess_exec(
            "node", driver, ip, str(port), bootstrap, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=driver.parent
        )
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        assert json.loads(line) == {"listening": True}
        return cls(ip, port, process)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            waiting = self._answers.pop(answer.get("id"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)

    async def _ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        self._asked += 1
        waiting = asyncio.get_running_loop().create_future()
        self._answers[self._asked] = waiting
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": self._asked, "do": verb, **fields}).encode() + b"\n")
        return await asyncio.wait_for(waiting, PATIENCE_S)

    async def nodes(self) -> set[str]:
        return set((await self._ask("nodes"))["nodes"])

    async def put(self, value: bytes) -> str:
        answer = await self._ask("put", value=value.hex())
        assert not answer["error"], answer
        return str(answer["key"])

    async def get(self, key: str) -> bytes | None:
        value = (await self._ask("get", key=key))["value"]
        return bytes.fromhex(value) if value is not None else None

    async def put_signed(self, secret: bytes, salt: bytes, value: bytes, seq: int) -> None:
        answer = await self._ask("putSigned", secret=secret.hex(), salt=salt.hex(), value=value.hex(), seq=seq)
        assert not answer["error"], answer

    async def get_signed(self, public_key: bytes, salt: bytes) -> bytes | None:
        key = hashlib.sha1(public_key + salt, usedforsecurity=False).hexdigest()
        value = (await self._ask("get", key=key, salt=salt.hex()))["value"]
        return bytes.fromhex(value) if value is not None else None

    async def announce(self, key: str, port: int) -> None:
        answer = await self._ask("announce", key=key, port=port)
        assert not answer["error"], answer

    async def find(self, key: str) -> set[str]:
        return set((await self._ask("peers", key=key))["peers"])

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._reader.cancel()

    stop = kill


class AriaPeer:
    """aria2 with an active download of a torrent that only the DHT can find peers for."""

    kind = "aria2"

    info = bencode.encode({b"length": 16384, b"name": b"horoi", b"piece length": 16384, b"pieces": bytes(20)})
    key = hashlib.sha1(info, usedforsecurity=False).hexdigest()

    def __init__(self, folder: Path, bootstrap: tuple[str, int]) -> None:
        ip, port = "127.0.0.1", free_port()  # the only address of the loopback interface that it binds
        self.address = (ip, port)
        torrent = folder / "x.torrent"
        torrent.write_bytes(b"d4:info" + self.info + b"e")
        self.log = folder / "aria2.log"
        command = [
            "aria2c",
            "--no-conf",
            "--quiet",
            f"--dir={folder}",
            f"--listen-port={port}",
            "--file-allocation=none",
        ]
        command += ["--enable-dht", "--enable-dht6=false", f"--dht-listen-port={port}", f"--interface={ip}"]
        command += [f"--dht-entry-point={bootstrap[0]}:{bootstrap[1]}", f"--dht-file-path={folder / 'dht.dat'}"]
        command += ["--bt-enable-lpd=false", "--enable-peer-exchange=false", f"--log={self.log}", "--log-level=debug"]
        self._process = subprocess.Popen([*command, str(torrent)])

    async def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    stop = kill


# Horoi


async def start_horoi(ip: str, port: int, bootstrap: tuple[tuple[str, int], ...]) -> DatagramHost:
    """A peer of Mainline by this project, joined."""
    host = DatagramHost(
        boot_kademlia(mainline(rate_per_s=None)),
        listen=f"{ip}:{port}",
        decode=krpc.decode,
        encode=krpc.encode,
        disk=None,  # type: ignore[arg-type]  # a peer keeps nothing on disk
    )
    await host.start()
    await host.ask_for(Join(bootstrap), Joined, timeout_s=PATIENCE_S)
    return host


async def ask(host: DatagramHost, request: Any) -> Any:
    """Ask a peer of Horoi; return its answer, whatever it is."""
    return await host.ask_for(
        request, object, lambda notice: getattr(notice, "token", None) == request.token, timeout_s=PATIENCE_S
    )


class Network:
    """A loopback DHT of libtorrent, npm and Horoi peers, and perhaps aria2."""

    def __init__(self) -> None:
        self.libtorrent: list[LibtorrentPeer] = []
        self.npm: list[NpmPeer] = []
        self.aria: AriaPeer | None = None
        self.horoi: list[DatagramHost] = []

    def start_aria(self, folder: Path) -> AriaPeer:
        """Start aria2; it enters through a peer of Horoi."""
        self.aria = AriaPeer(folder, self.horoi[0].machine.contact.address)
        return self.aria


@contextlib.asynccontextmanager
async def loopback_dht(driver: Path, *, each: int = 3) -> AsyncIterator[Network]:
    """A DHT of ``each`` peers of libtorrent, npm and Horoi."""
    network = Network()
    port = free_port()
    try:
        network.libtorrent = [LibtorrentPeer(f"127.{10 + i}.1.1", port) for i in range(each)]
        first = network.libtorrent[0].address
        for peer in network.libtorrent:
            for other in network.libtorrent:
                if other is not peer:
                    peer.introduce(other.address)
        for i in range(each):
            known = [first, *(peer.address for peer in network.npm)]
            peer = await NpmPeer.start(
                driver, f"127.{30 + i}.1.1", port, ",".join(f"{ip}:{port}" for ip, port in known)
            )
            network.npm.append(peer)
        for i in range(each):
            through = (network.libtorrent[i].address, network.npm[i].address)
            network.horoi.append(await start_horoi(f"127.{70 + i}.1.1", port, through))
        yield network
    finally:
        for host in network.horoi:
            await host.stop()
        for foreign in [*network.npm, *network.libtorrent, *([network.aria] if network.aria else [])]:
            await foreign.stop()
