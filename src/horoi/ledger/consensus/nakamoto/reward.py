"""Compensation: an incentive to keep the ledger (Nakamoto 2008, section 6).

A block may pay its maker the subsidy of its height and the fees of its transactions, in the native coin, and nobody may
spend that before it is ``maturity`` blocks deep: a reward that a reorganisation takes away must not have travelled.
"""

from __future__ import annotations

from collections.abc import Sequence

from horoi.base.errors import RuleError
from horoi.ledger.genesis import Nakamoto
from horoi.ledger.rules import check_output
from horoi.ledger.transaction import NATIVE, Holding

MAX_REWARD_OUTPUTS = 16  # a guess: a pool that pays more members sends transactions


def subsidy(consensus: Nakamoto, height: int) -> int:
    """New coins of a block of this height, in the smallest unit."""
    schedule = consensus.reward
    if schedule.halving_blocks == 0:
        return schedule.initial
    halvings = height // schedule.halving_blocks
    return schedule.initial >> halvings if halvings < 64 else 0


def check_reward(consensus: Nakamoto, height: int, reward: Sequence[Holding], fees: int) -> None:
    """Raise RuleError if the reward is not in the coin, in too many parts, or more than subsidy and fees."""
    if len(reward) > MAX_REWARD_OUTPUTS:
        raise RuleError("reward.outputs", f"{len(reward)} outputs, the limit is {MAX_REWARD_OUTPUTS}")
    for made in reward:
        check_output(made)
        if made.asset != NATIVE:
            raise RuleError("reward.asset", f"a reward is paid in the coin, not in {made.asset.hex()}")
    total = sum(made.quantity for made in reward)
    allowed = subsidy(consensus, height) + fees
    if total > allowed:
        raise RuleError("reward.excess", f"{total} is more than the subsidy and fees of {allowed} at height {height}")
