"""ASERT: the public vectors, the schedule that it keeps, and that lying about the time gains nothing lasting."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.ledger.consensus.nakamoto.asert import next_target, scaled_target
from horoi.ledger.consensus.nakamoto.target import LARGEST_COMPACT, compact, expand
from horoi.ledger.consensus.nakamoto.tree import MEDIAN_SPAN
from horoi.ledger.genesis import Nakamoto, RewardSchedule

# Rows of the public test vectors aserti3-2d run01 to run10 (Bitcoin Cash Node, qa-assets, test_vectors/aserti3-2d), in
# seconds with 600 s blocks, a half-life of 172800 s and Bitcoin's limit: (anchor height, time of the anchor's parent,
# anchor target), then (height, time, target of the next block). Here the anchor is block 1, and what the vectors call its
# parent's time is one interval before its own.
LIMIT = 0x1D00FFFF
RUNS: dict[str, tuple[tuple[int, int, int], list[tuple[int, int, int]]]] = {
    "run01 steady at the limit": ((1, 0, LIMIT), [(2, 1200, LIMIT), (11, 6600, LIMIT)]),
    "run02 steady": ((1, 0, 0x1A2B3C4D), [(2, 1200, 0x1A2B3C4D), (7, 4200, 0x1A2B3C4D), (11, 6600, 0x1A2B3C4D)]),
    "run03 steady at the least target": ((1, 0, 0x01010000), [(2, 1200, 0x01010000), (11, 6600, 0x01010000)]),
    "run05 halving at each row": (
        (1, 0, LIMIT),
        [
            (2, 0, 0x1D00FEC5),
            (290, 0, 0x1C7F62C0),
            (578, 0, 0x1C3FB160),
            (2306, 0, 0x1C00FEC5),
            (30242, 0, 0x0F7F62C0),
            (60194, 0, 0x027F6200),
            (61922, 0, 0x0201FD00),
            (62210, 0, 0x0200FE00),
            (62498, 0, 0x017F0000),
            (63938, 0, 0x01030000),
            (64226, 0, 0x01010000),
            (64514, 0, 0x01010000),
        ],
    ),
    "run06 random times, steady hash rate": (
        (1, 0, 0x1802AEE8),
        [(776, 469736, 0x1802BA6C), (835, 500404, 0x1802AD45), (941, 551263, 0x18028B2F), (1001, 589738, 0x180291AD)],
    ),
    "run08 random times, falling hash rate": (
        (1, 0, 0x1802AEE8),
        [
            (2, 1200, 0x1802AEE8),
            (3, 1310, 0x1802AD91),
            (9, 7099, 0x1802B39C),
            (22, 33606, 0x1802E994),
            (89, 227503, 0x18056506),
            (155, 709105, 0x181FC36F),
            (186, 1073114, 0x187EF4ED),
            (187, 1078358, 0x19008158),
            (282, 2567210, 0x1A009DBF),
            (352, 3950808, 0x1B0085EA),
            (426, 5430357, 0x1C00A57C),
            (480, 6774168, 0x1C7C75FC),
            (481, 6842136, 0x1D00A31A),
            (484, 6930238, 0x1D00E688),
            (485, 6993399, LIMIT),
            (501, 7462933, LIMIT),
        ],
    ),
    "run09 300 s blocks across 2**31": (
        (2147483642, 1234567290, 0x1802AEE8),
        [
            (2147483643, 1234568190, 0x1802AE16),
            (2147483648, 1234569690, 0x1802A9FA),
            (2147483652, 1234570890, 0x1802A6B7),
        ],
    ),
    "run10 900 s blocks across 2**63": (
        (9223372036854775802, 2147483047, 0x1802AEE8),
        [
            (9223372036854775803, 2147484547, 0x1802AFBB),
            (9223372036854775807, 2147488147, 0x1802B30E),
            (9223372036854775812, 2147492647, 0x1802B73D),
        ],
    ),
}


def rules(first: int, easiest: int, interval: int = 600, half_life: int = 172_800, future_limit: int = 12) -> Nakamoto:
    return Nakamoto(interval, half_life, future_limit, 1, first, easiest, RewardSchedule(0, 0))


@pytest.mark.parametrize("run", RUNS)
def test_public_vectors(run: str) -> None:
    (anchor_height, anchor_parent_time, anchor), rows = RUNS[run]
    consensus = rules(anchor, LIMIT)
    for height, time, target in rows:
        elapsed = time - (anchor_parent_time + 600)
        assert next_target(consensus, elapsed, height - anchor_height + 1) == target, (height, hex(target))


def test_a_half_life_late_is_half_as_hard() -> None:
    anchor = 0x1C7FFF80
    for halvings in range(-20, 21):
        assert expand(scaled_target(anchor, halvings * 65536)) == expand(compact(int(expand(anchor) * 2.0**halvings)))


@given(st.integers(-(2**70), 2**70), st.integers(0, 2**20))
@settings(deadline=None, max_examples=300)
def test_later_is_never_harder(exponent: int, more: int) -> None:
    low, high = scaled_target(0x1C7FFF80, exponent), scaled_target(0x1C7FFF80, exponent + more)
    assert 0 < expand(low) <= expand(high) <= expand(LARGEST_COMPACT)


@given(st.integers(-(2**18), 2**18))
@settings(deadline=None, max_examples=200)
def test_the_cubic_is_close_to_the_power(exponent: int) -> None:
    """Within 0.013 % by the specification, and a part in 2**15 of the compact form."""
    exact = expand(0x1C7FFF80) * 2.0 ** (exponent / 65536)
    assert abs(expand(scaled_target(0x1C7FFF80, exponent)) / exact - 1) < 0.00013 + 2**-15


def test_the_first_two_blocks_have_the_first_target_whatever_the_time() -> None:
    consensus = rules(0x1C7FFF80, LIMIT)
    assert next_target(consensus, 0, 0) == next_target(consensus, 10**12, 0) == 0x1C7FFF80
    assert next_target(consensus, 0, 1) == 0x1C7FFF80  # of block 2: the parent is the anchor itself


def test_a_network_that_slept_wakes_no_easier_than_the_easiest() -> None:
    consensus = rules(0x1C7FFF80, 0x1D00FFFF)
    assert next_target(consensus, 10**9, 5) == 0x1D00FFFF
    assert next_target(consensus, 2**53, 5) == 0x1D00FFFF


# ---- lying about the time -------------------------------------------------------------------------------------

INTERVAL, HALF_LIFE, FUTURE = 1_000, 50_000, 20
FIRST = 0x1C00FFFF
Liar = Callable[[int, float, float, Random], float]
"""(number of the block, least time allowed, most time allowed, dice) -> the time that its miner writes."""

STRATEGIES: dict[str, Liar] = {
    "always as late as allowed": lambda n, least, most, dice: most,
    "always as early as allowed": lambda n, least, most, dice: least,
    "in turn": lambda n, least, most, dice: most if n % 2 else least,
    "early, and late every tenth": lambda n, least, most, dice: most if n % 10 == 0 else least,
    "early, and late every hundredth": lambda n, least, most, dice: most if n % 100 == 0 else least,
    "late, and early every tenth": lambda n, least, most, dice: least if n % 10 == 0 else most,
    "six early and five late": lambda n, least, most, dice: least if n % 11 < 6 else most,
    "at random": lambda n, least, most, dice: dice.uniform(least, most),
    "a clock an hour of blocks slow, then right": lambda n, least, most, dice: least if n < 60 else (least + most) / 2,
}


def blocks_found(strategy: Liar | None, share: float, seed: int, lasting: int = 1_500) -> int:
    """How many blocks are found while ``lasting`` intervals of real time pass, ``share`` of them by a liar.

    The hash rate is what the first target asks. A block takes its expected time times an exponential dice.
    """
    consensus = rules(FIRST, 0x1D00FFFF, INTERVAL, HALF_LIFE, FUTURE)
    dice = Random(seed)
    clock, times, first_time = 0.0, [0], None
    while True:
        height = len(times) - 1
        elapsed = times[-1] - first_time if first_time is not None else 0
        target = expand(next_target(consensus, elapsed, height))
        clock += INTERVAL * expand(FIRST) / target * dice.expovariate(1)
        if clock > lasting * INTERVAL:
            return height
        recent = sorted(times[-MEDIAN_SPAN:])
        least = recent[len(recent) // 2] + 1
        most = max(clock + FUTURE * INTERVAL, least)
        honest = max(clock, least)
        lies = strategy is not None and dice.random() < share
        times.append(int(strategy(height + 1, least, most, dice) if lies and strategy else honest))
        if first_time is None:
            first_time = times[-1]


@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_lying_timestamps_gain_no_more_than_the_lie_once(strategy: str, share: float) -> None:
    """A chain that pretends to be FUTURE intervals later than it is gets so many blocks ahead, once, and not more in
    twice the time. Slack: the spread of chance around the schedule, and half a half-life."""
    bound = FUTURE + 0.5 * HALF_LIFE / INTERVAL
    for lasting in (1_500, 3_000):
        gained = blocks_found(STRATEGIES[strategy], share, 1, lasting) - lasting
        assert gained <= bound


def test_without_lies_the_schedule_is_kept() -> None:
    for seed in range(3):
        assert abs(blocks_found(None, 0, seed, 3_000) - 3_000) < 0.5 * HALF_LIFE / INTERVAL
