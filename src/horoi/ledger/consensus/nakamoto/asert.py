"""Difficulty: aserti3-2d, the absolutely scheduled exponentially rising target (Lundeberg, Toomim; CHIP of 2020-08-20).

The target of a block is the first target times 2 to the power of how late the chain is, in half-lives:

    target = first_target * 2 ** ((time_of_parent - time_of_anchor - interval * (height_of_parent - 1)) / half_life)

It depends on where the chain is, not on how it came there, so no run of timestamps pumps it: to lower the difficulty by
half a chain has to *be* one half-life late. Fixed point of 16 bits; the cubic approximates 2**x on [0, 1) within 0.013 %.
Times are in ms here (seconds are too coarse for fast blocks); the formula is the same in any unit.
"""

from __future__ import annotations

from horoi.ledger.consensus.nakamoto.target import LARGEST_COMPACT, MAX_TARGET, compact, expand
from horoi.ledger.genesis import Nakamoto

RADIX_BITS = 16  # aserti3-2d: 16 bits after the point


def next_target(consensus: Nakamoto, elapsed_ms: int, parent_height: int) -> int:
    """The compact target of the child of a block at ``parent_height``; blocks 0 and 1 have the genesis's first target.

    ``elapsed_ms``: the parent's time less that of block 1. Block 1 is the anchor, not the genesis, so that a network may
    start long after its genesis was written without owing the blocks of the time between; its own "parent time" is taken as
    one interval before it. No target is easier than ``easiest_target``, so a network that slept does not wake to
    a flood of blocks.
    """
    if parent_height == 0:
        return consensus.first_target
    behind_ms = elapsed_ms - consensus.interval_ms * (parent_height - 1)
    scaled = abs(behind_ms) * (1 << RADIX_BITS) // consensus.half_life_ms
    exponent = scaled if behind_ms >= 0 else -scaled  # the specification divides towards zero
    return min(scaled_target(consensus.first_target, exponent), consensus.easiest_target, key=expand)


def scaled_target(anchor: int, exponent: int) -> int:
    """``anchor`` (compact) times 2**(exponent / 65536), as the specification computes it, in compact form."""
    shifts, fraction = exponent >> RADIX_BITS, exponent & 0xFFFF
    factor = 65536 + (
        (195766423245049 * fraction + 971821376 * fraction**2 + 5127 * fraction**3 + (1 << 47)) >> 48
    )  # the specification's cubic
    if shifts > 256:
        return LARGEST_COMPACT
    target = expand(anchor) * factor
    target = target << shifts if shifts >= 0 else target >> -shifts
    target >>= RADIX_BITS
    if target == 0:
        return compact(1)
    return compact(min(target, MAX_TARGET))
