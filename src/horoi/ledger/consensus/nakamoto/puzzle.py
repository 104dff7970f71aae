"""The hash puzzle: a computationally expensive task whose solution is cheap to check.

A header solves it when its hash, read as a number, is at most its target (target.py).
"""

from __future__ import annotations

import hashlib

from horoi.base.codec import Record, encode
from horoi.base.errors import RuleError
from horoi.ledger.block import Header
from horoi.ledger.consensus.nakamoto.target import LARGEST_COMPACT, MAX_TARGET, compact, expand, target_for, work

MODELLED_HASHES_PER_S = 1_000_000  # measured: Python with a midstate copy does 1.5M/s (shared anchors)


def check_puzzle(header: Header, name: bytes) -> None:
    """Raise RuleError unless ``name`` (the header's hash) solves the puzzle of the header's target."""
    if int.from_bytes(name, "big") > expand(header.target):
        raise RuleError("puzzle.unsolved", f"block {name.hex()} is over its target {header.target:08x}")


class Search(Record, frozen=True):
    """A job: try ``attempts`` nonces from ``first_nonce`` on."""

    header: Header
    first_nonce: int
    attempts: int

    @property
    def modelled_s(self) -> float:
        return self.attempts / MODELLED_HASHES_PER_S

    def run(self) -> Header | None:
        """The header with a nonce that solves it, or None."""
        label = hashlib.sha256(b"horoi/block").digest()
        front = encode(self.header)[:-8]
        midstate = hashlib.sha256(label + label + front)
        target = expand(self.header.target).to_bytes(32, "big")
        for number in range(self.first_nonce, self.first_nonce + self.attempts):
            nonce = (number & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")
            attempt = midstate.copy()
            attempt.update(nonce)
            if attempt.digest() <= target:
                h = self.header
                return Header(h.height, h.parent, h.content_root, h.state_root, h.time_ms, h.target, nonce)
        return None


__all__ = [
    "LARGEST_COMPACT",
    "MAX_TARGET",
    "Search",
    "check_puzzle",
    "compact",
    "expand",
    "target_for",
    "work",
]
