"""Node processes on loopback for tests: fixed ports, so that a node that was killed is found again where it was."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from horoi.base.keys import KeyPair
from horoi.client import Client
from horoi.ledger.block import reward_id
from horoi.ledger.conditions import Key
from horoi.ledger.consensus.nakamoto import puzzle
from horoi.ledger.genesis import Genesis, Nakamoto, RewardSchedule, network_id, to_json
from horoi.ledger.transaction import Body, Holding, Input, Signature, Transaction, Witness, transaction_id
from horoi.node.wallet.keystore import Keystore

ASSET = b"\x01" * 32
OWNER = KeyPair(b"\x07" * 32)
HASH_RATE = 1_500.0
INTERVAL_MS = 1_000
START_S = 60.0  # for an interpreter to start on busy cores


def quick_genesis(miners: int, grants: int) -> Genesis:
    """A network of about one block a second, in which OWNER owns ``grants`` holdings of 10."""
    target = puzzle.compact(puzzle.target_for(int(HASH_RATE * miners * INTERVAL_MS / 1000)))
    easiest = puzzle.compact(puzzle.target_for(max(1, int(HASH_RATE * miners / 4))))
    consensus = Nakamoto(INTERVAL_MS, 60_000, 60, 5, target, easiest, RewardSchedule(50, 0))
    holdings = tuple(Holding(ASSET, 10, Key(OWNER.public), None) for _ in range(grants))
    return Genesis("killed", int(time.time() * 1000), consensus, 0, 1_000_000, (), holdings)


def spend(genesis: Genesis, number: int) -> Transaction:
    """OWNER gives grant ``number`` away."""
    network = network_id(genesis)
    grant = genesis.grants[number]
    spent = Input(reward_id(network, 0, genesis.grants), number, grant)
    to = KeyPair(bytes(28) + (number + 1).to_bytes(4, "big"))
    body = Body(inputs=(spent,), outputs=(Holding(ASSET, 10, Key(to.public), None),))
    return Transaction(body, Witness((Signature(OWNER.public, OWNER.sign(transaction_id(network, body))),)))


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now."""
    with contextlib.ExitStack() as open_sockets:
        found = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


class NodeProcess:
    """One node: may be started, killed, stopped, started again."""

    def __init__(self, folder: Path, genesis_path: Path, port: int, peers: list[int], *, mine: bool = True) -> None:
        self.folder = folder
        self.port = port
        self.client: Client | None = None
        self.facts: dict[str, Any] = {}
        self.process: subprocess.Popen[str] | None = None
        keystore = Keystore(folder / "keys")
        keystore.import_raw("miner", KeyPair(port.to_bytes(32, "big")).secret, unencrypted=True)
        self._command = [
            *(sys.executable, "-m", "horoi.cli.main", "node", "run", "--json", "--quiet", "--stop-with-stdin"),
            *("--dir", str(folder), "--genesis", str(genesis_path), "--key", "miner"),
            *("--listen", f"127.0.0.1:{port}", "--api", "127.0.0.1:0", "--mine", str(HASH_RATE if mine else 0)),
        ]
        for peer in peers:
            self._command += ["--peer", f"127.0.0.1:{peer}"]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def spawn(self) -> None:
        """Start the process; ``await_ready`` waits for it."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def await_ready(self) -> None:
        """Read what it says once it serves; fail with its log if it dies."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the node in {self.folder.name} did not start: {self.log}"
        self.facts = json.loads(line)
        token = (self.folder / "api-token").read_text().strip()
        self.client = Client(self.facts["api"], token, timeout_s=START_S)

    def start(self) -> None:
        self.spawn()
        self.await_ready()

    @property
    def api(self) -> Client:
        assert self.client is not None
        return self.client

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self._end()

    def stop(self) -> int:
        """A clean stop; returns the exit code."""
        assert self.process is not None
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(START_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self._end()
            pytest.fail(f"the node in {self.folder.name} did not stop: {self.log}")
        return self._end()

    def _end(self) -> int:
        assert self.process is not None
        if self.client is not None:
            self.client.close()
            self.client = None
        code = self.process.wait(START_S)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self.process = None
        return code


@contextlib.contextmanager
def network(folder: Path, nodes: int, grants: int) -> Iterator[tuple[Genesis, list[NodeProcess]]]:
    """So many nodes, linked to each other, not started; none is left running."""
    genesis = quick_genesis(nodes, grants)
    path = folder / "genesis.json"
    path.write_bytes(to_json(genesis))
    ports = free_ports(nodes)
    made = []
    for number, port in enumerate(ports):
        home = folder / f"node{number}"
        home.mkdir()
        made.append(NodeProcess(home, path, port, [other for other in ports if other != port]))
    try:
        yield genesis, made
    finally:
        for node in made:
            if node.process is not None:
                node.kill()


def wait_until(condition: Callable[[], Any], limit_s: float, what: str) -> None:
    """Wait for a condition; fail after ``limit_s``."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {limit_s:g} s"
        time.sleep(0.05)
