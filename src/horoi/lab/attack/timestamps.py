"""A miner that lies about time, against a difficulty that believes it (ASERT, retargeted in every block).

Under ASERT the target of a block is the anchor's times 2^((stamp of its parent - its due time) / half-life). A miner with
a share a stamps its blocks ``offset_s`` into the future (as far as the rule on future blocks lets it): the block after
each is easier, for everyone. Because the rule is absolute, measured against a schedule and not against the last few
blocks, lies do not add up: the chain runs ahead of its schedule by about a * offset once, and then keeps the schedule's
pace. Nor does the liar find a larger part of the blocks. Both are measured here.

The exponent is real-valued: this is the rule itself, not the integer approximation that a ledger must use.
"""

from __future__ import annotations

import math
from array import array
from random import Random
from time import perf_counter

from horoi.lab.attack import predict
from horoi.lab.attack.result import (
    Progress,
    Result,
    agrees,
    check_range,
    check_share,
    check_trials,
    digest,
    ratio_of_sums,
)

RELAXATIONS_PER_BATCH = 20
"""A batch is this many times the schedule's memory, so that batch means are nearly independent. A common rule of thumb."""

FEWEST_BATCHES = 10
"""Below this the standard error itself is too uncertain to judge by. A guess."""

BLOCKS_PER_REPORT = 20_000


def run(
    *,
    share: float = 0.3,
    offset_s: float = 3600.0,
    interval_s: float = 600.0,
    half_life_s: float = 28_800.0,
    trials: int = 500_000,
    seed: int = 1,
    progress: Progress | None = None,
) -> Result:
    """Mine ``trials`` blocks with a liar; compare how far ahead of schedule the chain settles, in seconds.

    ``trials`` is raised to ten batches of twenty memories of the schedule (a memory is half-life / (interval * ln 2)
    blocks), one of which is left out at the start. Defaults: 10-minute blocks, a half-life of eight hours.
    """
    check_share(share)
    check_range("interval_s", interval_s, 1e-3, 1e6)
    check_range("half_life_s / interval_s", half_life_s / interval_s, 1, 10_000)
    check_range("offset_s", offset_s, -10 * half_life_s, 10 * half_life_s)
    check_trials(trials)
    started = perf_counter()
    dice = Random(seed)
    batch = math.ceil(RELAXATIONS_PER_BATCH * half_life_s / (interval_s * math.log(2)))
    batches = max(FEWEST_BATCHES, trials // batch)

    chain = Schedule(dice, share, offset_s / half_life_s, interval_s / half_life_s)
    chain.mine(batch)
    sums: list[float] = []
    liars = array("q")
    for _ in range(batches):
        before = chain.liars_blocks
        sums.append(chain.mine(batch))
        liars.append(chain.liars_blocks - before)
        if progress:
            progress(len(sums) * batch, batches * batch)

    millionths = array("q", (round(total * 1e6) for total in sums))
    ease, ease_error = ratio_of_sums(sums, [batch] * batches)
    ease_error *= math.sqrt(batches / (batches - 1))
    measured = half_life_s * math.log2(ease)
    error = half_life_s * ease_error / (ease * math.log(2))
    predicted = predict.asert_lead_s(share, offset_s, half_life_s)
    found = batch * batches
    return {
        "kind": "timestamps",
        "share": share,
        "offset_s": offset_s,
        "interval_s": interval_s,
        "half_life_s": half_life_s,
        "trials": found,
        "seed": seed,
        "model": "ASERT with a real exponent; lead = half-life * log2 of the mean of 2^(-(true time - due time) / half-life)",
        "measured": measured,
        "predicted": predicted,
        "standard_error": error,
        "agrees": agrees(measured, predicted, error),
        "extra_blocks_once": measured / interval_s,
        "liars_part_of_blocks": sum(liars) / found,
        "liars_part_standard_error": math.sqrt(share * (1 - share) / found),
        "mean_interval_s": chain.pace() * half_life_s,
        "digest": digest(liars + millionths),
        "seconds": perf_counter() - started,
    }


class Schedule:
    """A chain under ASERT. State: how late the tip is (true time - due time) and the lie in its stamp, in half-lives."""

    def __init__(self, dice: Random, share: float, lie: float, interval: float) -> None:
        self.dice = dice
        self.share = share
        self.lie = lie
        self.interval = interval
        self.late = 0.0
        self.stamped_off = 0.0
        self.elapsed = 0.0
        self.blocks = 0
        self.liars_blocks = 0

    def mine(self, blocks: int) -> float:
        """Mine this many blocks; return the sum of 2^(-late) over their parents (how much easier or harder it was)."""
        total = 0.0
        for _ in range(blocks):
            total += math.exp2(-self.late)
            self._mine_one()
        return total

    def _mine_one(self) -> None:
        """Draw the solve time at the target that the parent's stamp sets, then draw who found the block."""
        mean = self.interval * math.exp2(-(self.late + self.stamped_off))
        solve = -mean * math.log(1 - self.dice.random())
        self.late += solve - self.interval
        self.elapsed += solve
        self.blocks += 1
        lies = self.dice.random() < self.share
        self.stamped_off = self.lie if lies else 0.0
        self.liars_blocks += lies

    def pace(self) -> float:
        """The mean solve time so far, in half-lives: the schedule's interval, whatever the lies."""
        return self.elapsed / self.blocks
