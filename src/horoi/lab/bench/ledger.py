"""``horoi bench ledger``: the ledger's speed and size, every figure beside its yardstick, from one run.

    verify_per_s            bare coincurve, keys parsed from bytes, one core: the yardstick
    connect_per_s           wire bytes of unseen blocks (1-in 2-out) to fsynced state, one core
    connect_2_per_s         the same with signatures verified on threads
    utxo_1m_connect_per_s   as connect_per_s, with a million cold holdings in the state
    admit_per_s             batched admission to a node's mempool through its HTTP API
    sync_per_s              a fresh node fetches the history from another process over TLS
    network_per_s           from the first submission until all four nodes have every transaction in a block
    idle_*                  a node with nothing to do

The yardstick is measured block by block beside the connecting, so both see the same machine. Figures are the best of ROUNDS:
on a shared machine a disturbed round says more of the neighbours than of the code.
"""

from __future__ import annotations

import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from horoi.lab.bench import connect
from horoi.lab.bench.nodes import POLL_S, BenchNode
from horoi.lab.bench.workload import Progress, Workload, bench_genesis, fans_for, make_workload
from horoi.node.chain import Chain
from horoi.world.live.disk import LiveDisk
from horoi.world.live.run import calm_collector

T = TypeVar("T")

ROUNDS = 3
ROUND_TRANSACTIONS = 20_000
SYNC_TRANSACTIONS = 100_000
COLD_HOLDINGS = 1_000_000
ADMIT_TRANSACTIONS = 20_000
NETWORK_TRANSACTIONS = 30_000
NETWORK_NODES = 4
NETWORK_INTERVAL_MS = 2_000
NETWORK_HASH_RATE = 2_000
BATCH = 1_000
IDLE_S = 10.0
TIMEOUT_S = 300.0


class LedgerBench:
    """One run. ``scale`` below 1 makes it smaller, for a quick look or a test."""

    def __init__(self, folder: Path, *, scale: float = 1.0, progress: Progress = lambda what, part: None) -> None:
        self.folder = folder
        self.scale = scale
        self.progress = progress
        self.result: dict[str, Any] = {}

    def _scaled(self, number: int) -> int:
        return max(2_000, int(number * self.scale) // 2_000 * 2_000)

    def run(self) -> dict[str, Any]:
        """All figures, in the order of the module's text."""
        began = time.perf_counter()
        self.connect()
        self.connect_cold()
        self.admit()
        self.sync()
        self.network()
        self.result["rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
        self.result["seconds"] = round(time.perf_counter() - began, 1)
        return self.result

    # ---- one process ---------------------------------------------------------------------------------

    def _workload(self, name: str, transactions: int, *, cold: int = 0, **genesis: Any) -> tuple[Workload, Path]:
        """A workload, and the folder of the chain that has it all."""
        folder = self.folder / name
        agreed = bench_genesis(fans_for(transactions + cold), **genesis)
        disk = LiveDisk(folder)
        chain = Chain(agreed, disk)
        chain.recover()
        work = make_workload(
            chain, transactions, cold=cold, connect=not genesis, progress=lambda what, part: self.progress(name, part)
        )
        chain.close()
        disk.close()
        return work, folder

    def connect(self) -> None:
        """One core and two, alternating with the yardstick."""
        work, folder = self._workload("connect", self._scaled(ROUND_TRANSACTIONS))
        count = len(work.transactions)
        calm_collector()  # as the node does
        one: list[connect.Beside] = []
        two: list[float] = []
        for number in range(ROUNDS):
            self.progress("connect", number / ROUNDS)
            one.append(self._in_fresh_chain(work, connect.connect_one_core))
            two.append(self._in_fresh_chain(work, connect.connect_two_cores))
        self.result["verify_per_s"] = round(count / min(beside.verify_s for beside in one))
        self.result["connect_per_s"] = round(count / min(beside.connect_s for beside in one))
        self.result["ratio"] = round(max(beside.verify_s / beside.connect_s for beside in one), 3)
        self.result["connect_2_per_s"] = round(count / min(two))
        self.result["ratio_2_to_1"] = round(self.result["connect_2_per_s"] / self.result["connect_per_s"], 3)
        shutil.rmtree(folder)

    def _in_fresh_chain(self, work: Workload, measure: Callable[[Chain, list[bytes]], T]) -> T:
        folder = self.folder / "round"
        disk, chain = connect.open_staged(str(folder), work.genesis, work.stage)
        try:
            return measure(chain, work.blocks)
        finally:
            chain.close()
            disk.close()
            shutil.rmtree(folder)

    def connect_cold(self) -> None:
        """With a million holdings that nobody touches, and the spent ones among them on disk."""
        work, folder = self._workload("utxo_1m", self._scaled(ROUND_TRANSACTIONS), cold=self._scaled(COLD_HOLDINGS))
        beside = self._in_fresh_chain(work, connect.connect_one_core)
        self.result["utxo_1m_connect_per_s"] = round(len(work.transactions) / beside.connect_s)
        # Both against the yardstick of their own moment.
        self.result["utxo_1m_cost"] = round(self.result["ratio"] * beside.connect_s / beside.verify_s, 3)
        shutil.rmtree(folder)

    # ---- processes --------------------------------------------------------------------------------------

    def admit(self) -> None:
        """Batches through the HTTP API into the mempool."""
        work, folder = self._staged("admit", self._scaled(ADMIT_TRANSACTIONS))
        with BenchNode(folder, work.genesis) as node:
            began = time.perf_counter()
            accepted = 0
            for start in range(0, len(work.transactions), BATCH):
                accepted += node.client.submit_batch(work.transactions[start : start + BATCH]).accepted
                self.progress("admit", start / len(work.transactions))
            seconds = time.perf_counter() - began
        assert accepted == len(work.transactions)
        self.result["admit_per_s"] = round(accepted / seconds)

    def _staged(self, name: str, transactions: int) -> tuple[Workload, Path]:
        """Holdings on the chain, and signed transactions that spend them but are in no block yet."""
        hashes = NETWORK_NODES * NETWORK_HASH_RATE * NETWORK_INTERVAL_MS // 1000
        return self._workload(name, transactions, interval_ms=NETWORK_INTERVAL_MS, hashes=hashes)

    def sync(self) -> None:
        """A fresh node, and one that has everything."""
        work, folder = self._workload("sync", self._scaled(SYNC_TRANSACTIONS))
        height = len(work.stage) + len(work.blocks)
        self.progress("sync", 0.0)
        with BenchNode(folder, work.genesis) as server:
            server.wait_height(height, TIMEOUT_S)
            with BenchNode(self.folder / "fresh", work.genesis, peers=(server.listen,)) as fresh:
                seconds = fresh.wait_height(height, TIMEOUT_S)
                self.result["sync_per_s"] = round(len(work.transactions) / seconds)
                self.result["sync_ratio"] = round(self.result["sync_per_s"] / self.result["verify_per_s"], 3)
                self._idle(fresh)

    def _idle(self, node: BenchNode) -> None:
        """What a node costs that has nothing to do: here the one that has just fetched everything."""
        self.result["synced_rss_mb"] = round(node.rss_mb(), 1)

    def network(self) -> None:
        """Four nodes, mining; each is handed a quarter of the transactions; all must have all of them in blocks."""
        count = self._scaled(NETWORK_TRANSACTIONS)
        work, folder = self._staged("network", count)
        with ExitStack() as cleanup:
            nodes: list[BenchNode] = []
            for number in range(NETWORK_NODES):
                own = self.folder / f"node{number}"
                shutil.copytree(folder, own)
                peers = tuple(node.listen for node in nodes)
                nodes.append(
                    cleanup.enter_context(BenchNode(own, work.genesis, peers=peers, hash_rate=NETWORK_HASH_RATE))
                )
            _await_links(nodes)
            self._measure_idle(nodes)
            seconds = self._confirm_all(nodes, work, count)
        self.result["network_per_s"] = round(count / seconds)

    def _measure_idle(self, nodes: list[BenchNode]) -> None:
        self.progress("idle", 0.0)
        before = [node.cpu_s() for node in nodes]
        time.sleep(IDLE_S * min(1.0, self.scale))
        used = [node.cpu_s() - b for node, b in zip(nodes, before, strict=True)]
        self.result["idle_rss_mb"] = round(max(node.rss_mb() for node in nodes), 1)
        self.result["idle_cpu_percent"] = round(100 * max(used) / (IDLE_S * min(1.0, self.scale)), 2)

    def _confirm_all(self, nodes: list[BenchNode], work: Workload, count: int) -> float:
        target = _confirmed(nodes[0]) + count
        began = time.perf_counter()
        for number, start in enumerate(range(0, count, BATCH)):
            node = nodes[number % len(nodes)]
            node.client.submit_batch(work.transactions[start : start + BATCH])
            self.progress("network", start / count / 2)
        for node in nodes:
            while _confirmed(node) < target:
                if time.perf_counter() - began > TIMEOUT_S:
                    raise TimeoutError(f"not all of {count} transactions were confirmed within {TIMEOUT_S:g} s")
                time.sleep(5 * POLL_S)
        return time.perf_counter() - began


def _confirmed(node: BenchNode) -> int:
    return node.client.status().transactions or 0


def _await_links(nodes: list[BenchNode]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while any(node.client.status().peers < len(nodes) - 1 for node in nodes):
        if time.monotonic() > deadline:
            raise TimeoutError("the nodes of the benchmark did not find each other")
        time.sleep(POLL_S)


def run(*, scale: float = 1.0, progress: Progress = lambda what, part: None) -> dict[str, Any]:
    """Run everything in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="horoi-bench-") as folder:
        return LedgerBench(Path(folder), scale=scale, progress=progress).run()
