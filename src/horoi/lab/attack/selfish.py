"""Selfish mining: a pool that hides its blocks earns more than its share (Eyal & Sirer 2014, arXiv:1311.0243).

The pool keeps what it finds on a private branch and shows it only in answer to the others, so that they waste work on
blocks that will not count. ``SelfishPool`` is the paper's Algorithm 1: two events (the pool found a block; the others
found a block), and after each an action on the private branch. The lead it reacts to is the difference of the two
branches *before* the event. ``Chains`` is the public's view: both branches since their fork, and what has been settled.

In a tie of one block each, a part gamma of the others mines on the pool's block. Every other fork ends in one way only,
whoever mines where, because the pool's branch is longer when it is published.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from enum import IntEnum
from random import Random
from time import perf_counter

from horoi.base.errors import UsageError
from horoi.lab.attack import predict
from horoi.lab.attack.result import Progress, Result, agrees, check_range, check_trials, digest, ratio_of_sums

LARGEST_SHARE = 0.499
"""Past this the private branch hardly ever ends (its mean length grows as 1 / (1 - 2a)), and at 1/2 it never does."""

BLOCKS_PER_REPORT = 20_000


class Found(IntEnum):
    """The event: who found the next block, and on which branch."""

    BY_POOL = 0
    BY_OTHERS = 1
    BY_OTHERS_ON_POOLS = 2  # only in a tie: on the pool's published block


class Act(IntEnum):
    """The action of Algorithm 1 after a block."""

    WITHHOLD = 0  # mine on, in private
    ADOPT = 1  # private branch := public branch: the others won
    PUBLISH_LAST = 2  # now both branches are of equal length: try our luck
    PUBLISH_FIRST = 3  # show the first hidden block, keep the rest
    PUBLISH_ALL = 4  # ours is longer: we win


class SelfishPool:
    """Algorithm 1, "Selfish-Mine". State: the lead over the public branch, and the length of the private branch."""

    __slots__ = ("branch", "lead")

    def __init__(self) -> None:
        self.lead = 0
        self.branch = 0

    def handle(self, found: Found) -> Act:
        """Take in a block and answer with the action on the private branch."""
        return self.on_own_block() if found is Found.BY_POOL else self.on_others_block()

    def on_own_block(self) -> Act:
        """My pool found a block: it wins a tie with it, and otherwise hides it."""
        was = self.lead
        self.lead += 1
        self.branch += 1
        if was == 0 and self.branch == 2:
            self.lead = self.branch = 0
            return Act.PUBLISH_ALL
        return Act.WITHHOLD

    def on_others_block(self) -> Act:
        """Others found a block: answer by how far ahead the pool was."""
        was = self.lead
        if was == 0:
            self.branch = 0
            return Act.ADOPT
        if was == 1:
            self.lead = 0
            return Act.PUBLISH_LAST
        if was == 2:
            self.lead = self.branch = 0
            return Act.PUBLISH_ALL
        self.lead -= 1
        return Act.PUBLISH_FIRST


class Chains:
    """Both branches since the fork, and the blocks that the fork's end gave to each side."""

    __slots__ = ("others_branch", "pool_branch")

    def __init__(self) -> None:
        self.pool_branch = 0
        self.others_branch = 0

    @property
    def tied(self) -> bool:
        """Whether the public sees two branches of equal length, and so may mine on either."""
        return self.pool_branch == self.others_branch == 1

    def apply(self, found: Found, act: Act) -> tuple[int, int] | None:
        """Add the block, carry out the act; if the fork ends with it, return (pool's blocks, others') that count."""
        if found is Found.BY_POOL:
            self.pool_branch += 1
        else:
            self.others_branch += 1
        if act is Act.PUBLISH_ALL:
            return self._settle(self.pool_branch, 0)
        if act is not Act.ADOPT:
            return None
        if found is Found.BY_OTHERS_ON_POOLS:
            return self._settle(self.pool_branch, 1)
        return self._settle(0, self.others_branch)

    def _settle(self, pool: int, others: int) -> tuple[int, int]:
        self.pool_branch = self.others_branch = 0
        return pool, others


def run(
    *,
    share: float = 0.35,
    gamma: float = 0.5,
    trials: int = 1_000_000,
    seed: int = 1,
    progress: Progress | None = None,
) -> Result:
    """Mine ``trials`` blocks against a selfish pool; compare its share of the blocks that count with eq. (8).

    The run ends with the first fork that is settled after that many blocks. Forks are independent of one another, so
    the standard error is that of a ratio over them.
    """
    check(share, gamma, trials)
    started = perf_counter()
    dice = Random(seed).random
    pool, chains = SelfishPool(), Chains()
    pools, others = array("q"), array("q")
    found = 0
    forked = False
    while found < trials or forked:
        event = next_block(dice, share, gamma, chains)
        settled = chains.apply(event, pool.handle(event))
        found += 1
        forked = settled is None
        if settled is not None:
            pools.append(settled[0])
            others.append(settled[1])
        if progress and found % BLOCKS_PER_REPORT == 0:
            progress(min(found, trials), trials)

    counted = array("q", map(int.__add__, pools, others))
    measured, error = ratio_of_sums(pools, counted)
    predicted = predict.selfish_revenue(share, gamma)
    threshold = predict.selfish_threshold(gamma)
    return {
        "kind": "selfish",
        "share": share,
        "gamma": gamma,
        "trials": trials,
        "seed": seed,
        "model": "Algorithm 1 against honest miners without delay; revenue is the pool's part of the main chain "
        "(Eyal & Sirer 2014, eq. 8)",
        "measured": measured,
        "predicted": predicted,
        "standard_error": error,
        "agrees": agrees(measured, predicted, error),
        "honest_revenue": share,
        "threshold": threshold,
        "pays": predicted > share,
        "blocks_found": found,
        "blocks_counted": sum(counted),
        "stale_rate": 1 - sum(counted) / found,
        "digest": digest(interleave(pools, others)),
        "seconds": perf_counter() - started,
    }


def next_block(dice: Callable[[], float], share: float, gamma: float, chains: Chains) -> Found:
    """Draw who finds the next block; in a tie, a part gamma of the others is on the pool's block."""
    drawn = dice()
    if drawn < share:
        return Found.BY_POOL
    if chains.tied and drawn < share + gamma * (1 - share):
        return Found.BY_OTHERS_ON_POOLS
    return Found.BY_OTHERS


def interleave(pools: array[int], others: array[int]) -> array[int]:
    """The settled forks in order: pool's blocks, others' blocks, pool's blocks, ..."""
    both = array("q", bytes(16 * len(pools)))
    both[0::2] = pools
    both[1::2] = others
    return both


def check(share: float, gamma: float, trials: int) -> None:
    """Refuse parameters that mean nothing."""
    if not 0 < share <= LARGEST_SHARE:
        raise UsageError(
            f"share must lie above 0 and be at most {LARGEST_SHARE}, not {share}: "
            "a pool of half the power keeps its branch for ever (see kind majority)"
        )
    check_range("gamma", gamma, 0, 1)
    check_trials(trials)
