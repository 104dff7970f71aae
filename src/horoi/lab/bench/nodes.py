"""Node processes for the benchmarks: real sockets, TLS, real disks, all on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from horoi.base.errors import NetworkError
from horoi.base.keys import KeyPair
from horoi.client import Client
from horoi.ledger.genesis import Genesis, to_json
from horoi.node.wallet.keystore import Keystore

POLL_S = 0.02
STOP_TIMEOUT_S = 30.0
REWARD_KEY = "bench"


class BenchNode:
    """One process. As ``with``: it is stopped at the end."""

    def __init__(self, folder: Path, genesis: Genesis, *, peers: tuple[str, ...] = (), hash_rate: float = 0.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        genesis_path = folder / "genesis.json"
        if not genesis_path.exists():
            genesis_path.write_bytes(to_json(genesis))
        command = [
            *(sys.executable, "-m", "horoi.cli.main", "node", "run", "--json", "--quiet", "--stop-with-stdin"),
            *("--dir", str(folder), "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"),
        ]
        for peer in peers:
            command += ["--peer", peer]
        if hash_rate:
            keystore = Keystore(folder / "keys")
            if not keystore.entries():
                keystore.import_raw(REWARD_KEY, KeyPair(b"\x01" * 32).secret, unencrypted=True)
            command += ["--key", REWARD_KEY, "--mine", str(hash_rate)]
        self.log = (folder / "log").open("ab")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise NetworkError(f"a node of the benchmark did not start: {(folder / 'log').read_text()[-500:]}")
        self.facts: dict[str, Any] = json.loads(line)
        self.client = Client(self.facts["api"], (folder / "api-token").read_text().strip(), timeout_s=120.0)

    def __enter__(self) -> BenchNode:
        return self

    def __exit__(self, *exc: object) -> None:
        self.client.close()
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.log.close()

    @property
    def listen(self) -> str:
        """Where it takes peers."""
        return str(self.facts["listen"])

    def wait_height(self, height: int, timeout_s: float) -> float:
        """Seconds until the node's tip has this height."""
        began = time.perf_counter()
        while self.client.status().height < height:
            if time.perf_counter() - began > timeout_s:
                raise NetworkError(f"the node did not reach height {height} within {timeout_s:g} s")
            time.sleep(POLL_S)
        return time.perf_counter() - began

    def rss_mb(self) -> float:
        """Resident memory of the process now, from /proc; 0 where there is none."""
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{self.process.pid}/status").read_text()
            return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmRSS:"))
        return 0.0

    def loop_cpu_s(self) -> float:
        """CPU seconds of the process's first thread, the event loop that answers, in nanoseconds; 0 where none says so."""
        with contextlib.suppress(OSError):
            return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9
        return 0.0

    def cpu_s(self) -> float:
        """CPU seconds that the process used so far, from /proc; 0 where there is none."""
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0
