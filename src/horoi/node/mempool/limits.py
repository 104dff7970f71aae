"""How much may wait. Every number here bounds something that strangers can grow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Parameters of a mempool. Sizes are of encoded transactions; in memory one takes six times as much (tried:
    2.1 kB for 382 bytes), so the defaults are at most 0.4 GB."""

    max_size_bytes: int = 64_000_000
    max_count: int = 200_000
    """A guess: 25 s of the busiest load aimed at (8,000 transactions a second)."""
    max_family: int = 25
    """Most ancestors, and most descendants, a waiting transaction has, itself counted (Bitcoin Core: 25 and 25)."""
    max_replaced: int = 100
    """Most transactions that one replacement may push out (BIP 125, rule 5)."""
    replacement: bool = True
    """Where fees are asked, a conflict that pays more replaces (BIP 125). Where they are zero, never."""
    max_age_s: float = 336 * 3600.0
    """As Bitcoin Core's -mempoolexpiry: two weeks."""
    minimum_half_life_s: float = 600.0
    """After an eviction the least fee rate halves in this time. Bitcoin Core has 12 hours for blocks of 10 minutes (72
    blocks); a guess for blocks of seconds to a minute."""

    # Only where fees are zero: what a fee would limit.
    max_per_key: int = 50_000
    """Waiting transactions per signing key: a guess, 6 s of a busy company's batch."""
    key_rate_per_s: float = 10_000.0
    """Sustained admissions per signing key, above the load of a busy company; ``max_per_key`` is the burst."""
    max_share_of_peer: float = 0.75
    """Share of ``max_count`` that one peer may have brought: a quarter is left for the others."""
    max_share_inputless: float = 0.25
    """Share of ``max_count`` for transactions that spend nothing: a fresh key costs nothing, so keys cannot limit them."""
