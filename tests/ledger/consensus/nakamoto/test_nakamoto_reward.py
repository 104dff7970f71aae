"""Compensation: the subsidy's schedule and what a reward may be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.histories import A, B, consensus, rule_of

from horoi.ledger.consensus.nakamoto.reward import MAX_REWARD_OUTPUTS, check_reward, subsidy
from horoi.ledger.transaction import NATIVE, Holding


def paid(*quantities: int) -> tuple[Holding, ...]:
    return tuple(Holding(NATIVE, quantity, A, None) for quantity in quantities)


def test_the_subsidy_halves() -> None:
    rules = consensus(initial=5_000, halving_blocks=100)
    assert [subsidy(rules, h) for h in (1, 99, 100, 199, 200, 300)] == [5_000, 5_000, 2_500, 2_500, 1_250, 625]
    assert subsidy(rules, 100 * 63) == 5_000 >> 63
    assert subsidy(rules, 100 * 64) == subsidy(rules, 2**32 - 1) == 0


def test_a_subsidy_may_never_halve() -> None:
    assert subsidy(consensus(initial=7, halving_blocks=0), 2**32 - 1) == 7


@given(st.integers(0, 2**64 - 1), st.integers(1, 1_000))
@settings(deadline=None, max_examples=30)
def test_a_halving_schedule_is_finite(initial: int, every: int) -> None:
    rules = consensus(initial=initial, halving_blocks=every)
    assert sum(subsidy(rules, era * every) * every for era in range(70)) <= 2 * initial * every


def test_no_more_than_subsidy_and_fees() -> None:
    rules = consensus(initial=5_000)
    for reward in [(), paid(1), paid(5_000), paid(5_010), paid(5_000, 10), paid(*[1] * MAX_REWARD_OUTPUTS)]:
        check_reward(rules, 9, reward, 10)
    for reward in [paid(5_011), paid(5_000, 11), paid(2**64 - 1, 2**64 - 1)]:
        assert rule_of(lambda reward=reward: check_reward(rules, 9, reward, 10)) == "reward.excess"


@pytest.mark.parametrize(
    ("reward", "rule"),
    [
        ((Holding(b"\x01" * 32, 1, A, None),), "reward.asset"),
        ((Holding(NATIVE, 0, A, None),), "form.zero"),
        ((Holding(NATIVE, 1, A, B),), "custody.coin"),
        (paid(*[1] * (MAX_REWARD_OUTPUTS + 1)), "reward.outputs"),
    ],
)
def test_a_reward_is_coin_in_a_few_parts(reward: tuple[Holding, ...], rule: str) -> None:
    assert rule_of(lambda: check_reward(consensus(), 9, reward, 10**9)) == rule
