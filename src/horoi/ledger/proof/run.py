"""Runs of consecutive headers: hash references, hash puzzles, and the work that was heaped on a block.

Checked of every header: its one byte form, its link to the one before, its puzzle, and that its time is after the median of
the last 11 where all of them are given (BIP 113). With the genesis also: no target is easier than the network allows, and
where a run begins at block 0 or 1, every target is exactly what ASERT asks. Then nothing but more work could make another
chain the right one; for a shorter run the work is a number, for the reader to judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from horoi.base.errors import DecodeError, RuleError
from horoi.ledger.block import Header, block_hash, genesis_block, header_codec
from horoi.ledger.consensus.nakamoto.asert import next_target
from horoi.ledger.consensus.nakamoto.puzzle import check_puzzle
from horoi.ledger.consensus.nakamoto.target import expand, work
from horoi.ledger.consensus.nakamoto.tree import MEDIAN_SPAN
from horoi.ledger.genesis import Genesis
from horoi.ledger.proof.form import ProofError


class Run(NamedTuple):
    """Headers that follow each other, with their names."""

    headers: list[Header]
    names: list[bytes]

    @property
    def first(self) -> int:
        """The height that it begins at."""
        return self.headers[0].height

    @property
    def last(self) -> int:
        return self.headers[-1].height

    def at(self, height: int) -> Header | None:
        """The header at this height, if the run has it."""
        return self.headers[height - self.first] if self.first <= height <= self.last else None

    def name_at(self, height: int) -> bytes:
        return self.names[height - self.first]

    def work_from(self, height: int) -> int:
        """Hashes that the headers from this height to the run's end took on average."""
        return sum(
            work(expand(header.target)) for header in self.headers[max(0, height - self.first) :] if header.height
        )

    @property
    def is_whole(self) -> bool:
        """True if it begins where the chain does: the first block's parent is the genesis, which the network's id fixes."""
        return self.first <= 1


def read_runs(texts: Sequence[Sequence[str]], network: bytes, genesis: Genesis | None) -> list[Run]:
    """Decode and check all runs; ProofError names the header."""
    runs: list[Run] = []
    for run_texts in texts:
        run = _decode(run_texts)
        if runs and run.first <= runs[-1].last + 1:
            raise ProofError(f"header {run.first}", "runs of headers stand in order and do not touch")
        _check(run, network, genesis)
        runs.append(run)
    return runs


def _decode(texts: Sequence[str]) -> Run:
    headers: list[Header] = []
    for text in texts:
        where = f"header {headers[-1].height + 1}" if headers else "header"
        try:
            headers.append(header_codec.decode(bytes.fromhex(text)))
        except (DecodeError, ValueError) as error:
            raise ProofError(where, str(error)) from None
    return Run(headers, [block_hash(header) for header in headers])


def _check(run: Run, network: bytes, genesis: Genesis | None) -> None:
    easiest = expand(genesis.consensus.easiest_target) if genesis is not None else None
    times_ms = [header.time_ms for header in run.headers]
    for at, (header, name) in enumerate(zip(run.headers, run.names, strict=True)):
        where = f"header {header.height}"
        if at and (header.height != run.first + at or header.parent != run.names[at - 1]):
            raise ProofError(f"header {run.first + at}", f"does not link to header {run.first + at - 1}")
        if header.height == 0:
            _check_genesis_header(header, name, network, genesis)
            continue
        try:
            check_puzzle(header, name)
        except RuleError as error:
            raise ProofError(f"puzzle of {where}", error.detail) from None
        if easiest is not None and expand(header.target) > easiest:
            raise ProofError(f"target of {where}", f"{header.target:08x} is easier than this network allows")
        _check_time(times_ms, at, header.height)
    if genesis is not None and run.is_whole:
        _check_whole(run, genesis)


def _check_genesis_header(header: Header, name: bytes, network: bytes, genesis: Genesis | None) -> None:
    if header.parent != network:
        raise ProofError("other network", "header 0 is not of the network that the proof names")
    if genesis is not None and name != block_hash(genesis_block(genesis).header):
        raise ProofError("header 0", "is not the first block of the genesis given")


def _check_time(times_ms: Sequence[int], at: int, height: int) -> None:
    """Median time past, where the whole window is given."""
    if at < min(MEDIAN_SPAN, height):
        return
    window = sorted(times_ms[max(0, at - MEDIAN_SPAN) : at])
    if times_ms[at] <= window[len(window) // 2]:
        raise ProofError(f"time of header {height}", f"{times_ms[at]} ms is not after the median time past")


def _check_whole(run: Run, genesis: Genesis) -> None:
    """Every target is what ASERT asks, and block 1 follows the genesis block."""
    headers = run.headers if run.first else run.headers[1:]
    if headers and headers[0].parent != block_hash(genesis_block(genesis).header):
        raise ProofError("header 1", "does not link to the first block of the genesis given")
    for at, header in enumerate(headers):
        elapsed_ms = headers[at - 1].time_ms - headers[0].time_ms if at else 0
        wanted = next_target(genesis.consensus, elapsed_ms, header.height - 1)
        if header.target != wanted:
            raise ProofError(f"target of header {header.height}", f"{header.target:08x}, ASERT asks for {wanted:08x}")


def run_with(runs: Sequence[Run], height: int, what: str) -> Run:
    """The run that has this height; ProofError without one."""
    for run in runs:
        if run.at(height) is not None:
            return run
    raise ProofError(what, f"no header of height {height} is given")
