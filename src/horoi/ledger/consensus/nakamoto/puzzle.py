"""The hash puzzle: a computationally expensive task whose solution is cheap to check.

A header solves it when its hash, read as a number, is at most the target. The target travels in the compact form of
Bitcoin's nBits: one byte of exponent, three of mantissa (sign bit unused): mantissa * 256**(exponent - 3).
"""

from __future__ import annotations

import hashlib

from horoi.base.codec import Record, encode
from horoi.base.errors import RuleError
from horoi.ledger.block import Header

MAX_TARGET = 2**256 - 1
MODELLED_HASHES_PER_S = 1_000_000  # measured: Python with a midstate copy does 1.5M/s (shared anchors)


def expand(compact: int) -> int:
    """The target of a compact form; raise RuleError for forms that are not a positive 256-bit number."""
    exponent, mantissa = compact >> 24, compact & 0xFFFFFF
    if mantissa & 0x800000:
        raise RuleError("puzzle.target", f"compact target {compact:08x} has the sign bit set")
    target = mantissa >> 8 * (3 - exponent) if exponent <= 3 else mantissa << 8 * (exponent - 3)
    if not 0 < target <= MAX_TARGET:
        raise RuleError("puzzle.target", f"compact target {compact:08x} is 0 or over 256 bits")
    return target


def compact(target: int) -> int:
    """The compact form of a target, rounded down to its precision."""
    size = (target.bit_length() + 7) // 8
    mantissa = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if mantissa & 0x800000:
        mantissa >>= 8
        size += 1
    return size << 24 | mantissa


def work(target: int) -> int:
    """The expected number of hashes that solving this target takes."""
    return (MAX_TARGET + 1) // (target + 1)


def target_for(hashes: int) -> int:
    """The target that takes so many hashes on average: the reverse of ``work``."""
    return min(MAX_TARGET, (MAX_TARGET + 1) // max(1, hashes) - 1)


LARGEST_COMPACT = compact(MAX_TARGET)


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
