"""Stale blocks and the race bound: what a slow network gives away to an attacker.

Blocks of the honest miners reach one another after a delay D (the worst case: every block takes all of it). Whoever has
not heard of the newest block mines beside it, and of the blocks of one height only one can count. The honest chain
grows by a height in one delay plus one wait, so at h honest blocks per second it grows at h / (1 + hD) and the part
hD / (1 + hD) of the honest blocks is stale (Sompolinsky & Zohar 2015). An attacker with a share b has no such loss: the
longest chain is secure only for b < (1-b) / (1 + (1-b) l D), l the rate of all blocks (Dembo et al. 2020, eq. (2);
tight: the private attack is the worst one).
"""

from __future__ import annotations

import math
from array import array
from random import Random
from time import perf_counter

from horoi.lab.attack import predict
from horoi.lab.attack.result import (
    AGREEMENT_ERRORS,
    Progress,
    Result,
    agrees,
    check_range,
    check_trials,
    digest,
    ratio_of_sums,
)

HEIGHTS_PER_REPORT = 10_000


def run(
    *,
    share: float = 0.3,
    delay_s: float = 10.0,
    interval_s: float = 600.0,
    trials: int = 200_000,
    seed: int = 1,
    progress: Progress | None = None,
) -> Result:
    """Grow an honest chain by ``trials`` heights beside a private attacker; compare stale rate and pace with the formulas.

    ``measured`` is the stale part of the honest blocks; ``race_measured`` the attacker's blocks per honest height, which
    is 1 at the bound. Heights are independent, so both errors are those of a ratio over heights.
    """
    check_range("share", share, 0, 0.999)
    check_range("delay_s", delay_s, 0, 1e6)
    check_range("interval_s", interval_s, 1e-6, 1e9)
    check_range("delay_s / interval_s", delay_s / interval_s, 0, 1000)
    check_trials(trials)
    started = perf_counter()
    dice = Random(seed)
    honest, attackers = array("q"), array("q")
    for height in range(trials):
        honest_blocks, attacker_blocks = one_height(dice, share, delay_s / interval_s)
        honest.append(honest_blocks)
        attackers.append(attacker_blocks)
        if progress and height % HEIGHTS_PER_REPORT == 0:
            progress(height, trials)

    stale_blocks = array("q", (found - 1 for found in honest))
    measured, error = ratio_of_sums(stale_blocks, honest)
    race, race_error = ratio_of_sums(attackers, [1] * trials)
    blocks_per_delay = delay_s / interval_s
    predicted = predict.stale_rate(share, blocks_per_delay)
    predicted_race = predict.race_ratio(share, blocks_per_delay)
    bound = predict.race_bound(blocks_per_delay)
    return {
        "kind": "stale",
        "share": share,
        "delay_s": delay_s,
        "interval_s": interval_s,
        "trials": trials,
        "seed": seed,
        "model": "every honest block takes the whole delay; the attacker none (Dembo et al. 2020, eq. 2)",
        "measured": measured,
        "predicted": predicted,
        "standard_error": error,
        "agrees": agrees(measured, predicted, error) and agrees(race, predicted_race, race_error),
        "race_measured": race,
        "race_predicted": predicted_race,
        "race_standard_error": race_error,
        "race_bound_share": bound,
        "secure": share < bound,
        "seen_to_be_secure": race < 1 - AGREEMENT_ERRORS * race_error,
        "digest": digest(honest + attackers),
        "seconds": perf_counter() - started,
    }


def one_height(dice: Random, share: float, blocks_per_delay: float) -> tuple[int, int]:
    """Play one height of the honest chain: its first block, the delay, and the wait for the block of the next height.

    Returns (honest blocks of this height, attacker's blocks meanwhile). Time is counted in blocks of the whole network:
    each gap is exponential of mean 1, and each block is the attacker's with chance ``share``. The block that ends the
    wait opens the next height, so it is not counted here.
    """
    honest, attackers = 1, 0
    left = blocks_per_delay + math.log(1 - dice.random())
    while left > 0:
        if dice.random() < share:
            attackers += 1
        else:
            honest += 1
        left += math.log(1 - dice.random())
    while dice.random() < share:
        attackers += 1
    return honest, attackers
