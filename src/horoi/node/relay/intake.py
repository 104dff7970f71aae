"""Intake: signatures leave in batches, and transactions come back in the order in which they came.

A child that follows its parent is therefore judged after it, whichever job is done first. Batches fill by themselves:
while jobs are out, what arrives is collected, so a busy node has full batches and an idle one does not wait for any.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from horoi.ledger.ledger import Prepared
from horoi.ledger.rules import SignatureTriple, signature_triples
from horoi.machine.contract import Peer
from horoi.node.relay.submissions import Submission
from horoi.node.verify import CHUNK, VerifySignatures

MAX_PENDING = 20_000  # transactions on their way through; a guess: under 1 s of work for one core
MAX_JOBS = 16  # jobs out at once: keeps 16 cores busy; more would only lengthen the queue
JOBS_BEFORE_WAITING = 2  # with so many out, a batch that is not full waits for one to come back


class Pending(msgspec.Struct, gc=False):
    """A transaction on its way: who brought it, or where its answer goes."""

    prepared: Prepared
    source: Peer | None
    submission: Submission | None = None
    position: int = 0


class _Batch(msgspec.Struct, gc=False):
    items: list[tuple[Pending, int]]
    """Each with the position after its last signature."""
    result: Any = None
    done: bool = False


class Intake:
    """The pipeline. ``name`` marks its jobs."""

    def __init__(self, name: str = "relay") -> None:
        self.name = name
        self.count = 0
        self._ids: dict[bytes, int] = {}  # the same id may come with two witnesses
        self._waiting: deque[Pending] = deque()
        self._waiting_signatures = 0
        self._batches: dict[int, _Batch] = {}  # in order of number
        self._jobs_out = 0
        self._next_number = 0

    def __contains__(self, item: bytes) -> bool:
        return item in self._ids

    @property
    def room(self) -> int:
        """How many more may come."""
        return MAX_PENDING - self.count

    def put(self, pending: Pending) -> None:
        """Take one in; the caller keeps to ``room``."""
        self.count += 1
        item = pending.prepared.id
        self._ids[item] = self._ids.get(item, 0) + 1
        self._waiting.append(pending)
        self._waiting_signatures += len(pending.prepared.transaction.witness.signatures)

    def jobs(self) -> list[VerifySignatures]:
        """The jobs to run now."""
        jobs = []
        while self._waiting and self._jobs_out < MAX_JOBS:
            if self._jobs_out >= JOBS_BEFORE_WAITING and self._waiting_signatures < CHUNK:
                break
            jobs.append(self._next_job())
        return jobs

    def _next_job(self) -> VerifySignatures:
        triples: list[SignatureTriple] = []
        items: list[tuple[Pending, int]] = []
        while self._waiting and len(triples) < CHUNK and len(items) < CHUNK:
            pending = self._waiting.popleft()
            triples.extend(signature_triples(pending.prepared.id, pending.prepared.transaction.witness))
            items.append((pending, len(triples)))
        self._waiting_signatures -= len(triples)
        self._batches[self._next_number] = _Batch(items)
        job = VerifySignatures(tuple(triples), (self.name, self._next_number))
        self._next_number += 1
        self._jobs_out += 1
        return job

    def finished(self, job: VerifySignatures, result: Any) -> list[tuple[Pending, bool | None]]:
        """What is judged now that this job is done, in order: each with True if all its signatures are valid, None if the
        job itself failed."""
        batch = self._batches.get(job.tag[1])
        if batch is None or batch.done:
            return []
        batch.result, batch.done = result, True
        self._jobs_out -= 1
        judged: list[tuple[Pending, bool | None]] = []
        while self._batches:
            number, first = next(iter(self._batches.items()))
            if not first.done:
                break
            del self._batches[number]
            judged.extend(_judge(first))
        for pending, _ in judged:
            self._forget(pending.prepared.id)
        return judged

    def _forget(self, item: bytes) -> None:
        self.count -= 1
        left = self._ids[item] - 1
        if left:
            self._ids[item] = left
        else:
            del self._ids[item]


def _judge(batch: _Batch) -> list[tuple[Pending, bool | None]]:
    if not isinstance(batch.result, tuple):
        return [(pending, None) for pending, _ in batch.items]
    judged: list[tuple[Pending, bool | None]] = []
    invalid = deque(batch.result)
    for pending, end in batch.items:
        valid = True
        while invalid and invalid[0] < end:
            invalid.popleft()
            valid = False
        judged.append((pending, valid))
    return judged
