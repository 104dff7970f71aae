"""Targets: how hard a hash puzzle is, as a number.

A hash solves a puzzle when it is, read as a number, at most the target. The target travels in the compact form of
Bitcoin's nBits: one byte of exponent, three of mantissa (sign bit unused): mantissa * 256**(exponent - 3).
"""

from __future__ import annotations

from horoi.base.errors import RuleError

MAX_TARGET = 2**256 - 1


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
