"""How fast unseen blocks become fsynced state, against the bare verification of their signatures.

The path is the node's own: decode, rules without history, signatures, log (fsynced per block), state, final flush of the
state. On one core everything in turn; on two, signatures are verified on threads (libsecp256k1 runs without the
interpreter's lock) while the main thread reads and connects other blocks. The yardstick is bare coincurve over the same
signatures, keys parsed from bytes.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from coincurve import PublicKeyXOnly

from horoi.lab.bench.workload import LATER_MS, connect_trusted
from horoi.ledger.genesis import Genesis
from horoi.node.chain import Chain
from horoi.node.staging import Staged
from horoi.node.verify import in_chunks
from horoi.world.live.disk import LiveDisk

AHEAD = 4  # blocks that are read ahead of the one being connected


def open_staged(folder: str, genesis: Genesis, stage: list[bytes]) -> tuple[LiveDisk, Chain]:
    """A fresh chain in ``folder``, with the stage set."""
    disk = LiveDisk(folder)
    chain = Chain(genesis, disk)
    chain.recover()
    for raw in stage:
        connect_trusted(chain, raw)
    chain.flush()
    return disk, chain


def _finish(chain: Chain, staged: Staged) -> None:
    chain.keep(staged)
    chain.advance(staged)
    record = chain.take_to_save()
    if record is not None:
        chain.save(record)


class Beside(NamedTuple):
    """Seconds for the same signatures: verified bare, and as part of connecting their blocks."""

    verify_s: float
    connect_s: float


def connect_one_core(chain: Chain, blocks: list[bytes]) -> Beside:
    """Everything in turn on one core; the yardstick is measured block by block beside it, so both see the same machine."""
    verify_s = connect_s = 0.0
    for raw in blocks:
        began = time.perf_counter()
        staged = chain.stage(raw, LATER_MS)
        staged_at = time.perf_counter()
        for key, digest, signature in staged.triples:
            if not PublicKeyXOnly(key).verify(signature, digest):
                raise AssertionError("the workload's signatures are valid")
        verified_at = time.perf_counter()
        for job in in_chunks(staged.triples, "block", 0):
            if job.run():
                raise AssertionError("the workload's signatures are valid")
        _finish(chain, staged)
        verify_s += verified_at - staged_at
        connect_s += time.perf_counter() - verified_at + staged_at - began
    began = time.perf_counter()
    chain.flush()
    return Beside(verify_s, connect_s + time.perf_counter() - began)


def connect_with(executor: Executor, chain: Chain, blocks: list[bytes]) -> float:
    """Seconds for these blocks, signatures verified by the executor's workers."""
    began = time.perf_counter()
    ahead: deque[tuple[Staged, list[Future[Any]]]] = deque()

    def finish_oldest() -> None:
        staged, futures = ahead.popleft()
        if any(future.result() for future in futures):
            raise AssertionError("the workload's signatures are valid")
        _finish(chain, staged)

    for raw in blocks:
        staged = chain.stage(raw, LATER_MS)
        ahead.append((staged, [executor.submit(job.run) for job in in_chunks(staged.triples, "block", 0)]))
        if len(ahead) > AHEAD:
            finish_oldest()
    while ahead:
        finish_oldest()
    chain.flush()
    return time.perf_counter() - began


def connect_two_cores(chain: Chain, blocks: list[bytes]) -> float:
    """Seconds for these blocks on two threads besides the main one's bookkeeping."""
    with ThreadPoolExecutor(2) as executor:
        return connect_with(executor, chain, blocks)
