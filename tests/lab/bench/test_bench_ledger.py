"""The benchmark's own parts, small: they measure what they say. Figures are not judged here."""

from __future__ import annotations

from pathlib import Path

import pytest

from horoi.lab.bench.connect import Beside, connect_one_core, connect_two_cores, open_staged
from horoi.lab.bench.ledger import LedgerBench
from horoi.lab.bench.workload import bench_genesis, fans_for, make_workload
from horoi.node.chain import Chain
from horoi.world.live.disk import LiveDisk

TRANSACTIONS = 2_000


def test_the_workload_is_connected_in_full_on_one_core_and_on_two(tmp_path: Path) -> None:
    with LiveDisk(tmp_path / "made") as disk:
        chain = Chain(bench_genesis(fans_for(TRANSACTIONS)), disk)
        chain.recover()
        work = make_workload(chain, TRANSACTIONS)
        tip, outputs = chain.tip.name, chain.ledger.bits.count
        chain.close()
    assert len(work.transactions) == TRANSACTIONS
    for name, measure in (("one", connect_one_core), ("two", connect_two_cores)):
        disk, chain = open_staged(str(tmp_path / name), work.genesis, work.stage)
        measured = measure(chain, work.blocks)
        assert (min(measured) if isinstance(measured, Beside) else measured) > 0
        assert (chain.tip.name, chain.ledger.bits.count) == (tip, outputs)
        chain.close()
        disk.close()


@pytest.mark.real
def test_processes_admit_sync_and_confirm_all(tmp_path: Path) -> None:
    bench = LedgerBench(tmp_path, scale=0.02)
    bench.result["verify_per_s"] = 1
    bench.admit()
    bench.sync()
    bench.network()
    assert min(bench.result[name] for name in ("admit_per_s", "sync_per_s", "network_per_s")) > 0
    assert bench.result["idle_rss_mb"] > 0
