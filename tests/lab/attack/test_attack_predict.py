"""The formulas give the published tables to the printed digits, and agree with slower ways to the same number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.lab.attack import predict

NAKAMOTO_TENTH = [1.0, 0.2045873, 0.0509779, 0.0131722, 0.0034552, 0.0009137]
NAKAMOTO_TENTH += [0.0002428, 0.0000647, 0.0000173, 0.0000046, 0.0000012]
NAKAMOTO_THREE_TENTHS = {
    0: 1.0,
    5: 0.1773523,
    10: 0.0416605,
    15: 0.0101008,
    20: 0.0024804,
    25: 0.0006132,
    50: 0.0000006,
}
ROSENFELD_TENTH = {1: "20", 2: "5.6", 3: "1.712", 4: "0.546", 5: "0.178", 6: "0.059"}
NAKAMOTO_DEPTHS = {0.10: 5, 0.15: 8, 0.20: 11, 0.25: 15, 0.30: 24, 0.35: 41, 0.40: 89, 0.45: 340}

shares = st.floats(0.01, 0.49)


@pytest.mark.parametrize(("z", "chance"), list(enumerate(NAKAMOTO_TENTH)))
def test_nakamoto_gives_the_white_paper_at_a_tenth(z: int, chance: float) -> None:
    assert round(predict.nakamoto(0.1, z), 7) == chance


@pytest.mark.parametrize(("z", "chance"), NAKAMOTO_THREE_TENTHS.items())
def test_nakamoto_gives_the_white_paper_at_three_tenths(z: int, chance: float) -> None:
    assert round(predict.nakamoto(0.3, z), 7) == chance


@pytest.mark.parametrize(("share", "z"), NAKAMOTO_DEPTHS.items())
def test_nakamoto_gives_the_white_papers_depths_for_a_risk_of_a_thousandth(share: float, z: int) -> None:
    assert predict.nakamoto(share, z) < 0.001 <= predict.nakamoto(share, z - 1)


@pytest.mark.parametrize(("z", "percent"), ROSENFELD_TENTH.items())
def test_rosenfeld_gives_the_papers_table_with_one_block_in_hand(z: int, percent: str) -> None:
    digits = len(percent.partition(".")[2])
    assert f"{100 * predict.rosenfeld(0.1, z):.{digits}f}" == percent


@pytest.mark.parametrize(
    ("share", "gamma", "revenue"),
    [
        (0.3, 0, "0.273126"),
        (0.3, 0.5, "0.326874"),
        (0.3, 1, "0.380622"),
        (0.4, 0, "0.483721"),
        (0.4, 0.5, "0.525581"),
        (0.4, 1, "0.567442"),
    ],
)
def test_selfish_revenue_gives_equation_8(share: float, gamma: float, revenue: str) -> None:
    assert f"{predict.selfish_revenue(share, gamma):.6f}" == revenue


@pytest.mark.parametrize(("gamma", "threshold"), [(0, 1 / 3), (0.5, 1 / 4), (1, 0)])
def test_selfish_threshold_gives_the_papers_three_cases(gamma: float, threshold: float) -> None:
    assert predict.selfish_threshold(gamma) == pytest.approx(threshold)


@pytest.mark.parametrize(("blocks", "bound"), [(0.1, "0.48751"), (1, "0.38197"), (5, "0.16148"), (0, "0.50000")])
def test_race_bound_gives_the_published_shares(blocks: float, bound: str) -> None:
    assert f"{predict.race_bound(blocks):.5f}" == bound


@settings(deadline=None)
@given(st.floats(0, 100))
def test_the_race_is_even_at_the_bound(blocks: float) -> None:
    assert predict.race_ratio(predict.race_bound(blocks), blocks) == pytest.approx(1)


@settings(deadline=None)
@given(shares, st.integers(1, 60), st.integers(0, 5))
def test_rosenfeld_is_one_minus_the_failures(share: float, z: int, premined: int) -> None:
    """Summed the other way round, as one minus the chance to fail, in plain arithmetic."""
    p, goal = 1 - share, z + 1 - premined
    fails = sum(
        math.comb(m + z - 1, m) * p**z * share**m * (1 - (share / p) ** (goal - m)) for m in range(max(0, goal))
    )
    assert predict.rosenfeld(share, z, premined) == pytest.approx(1 - fails, abs=1e-9)


@settings(deadline=None)
@given(shares, st.integers(1, 60))
def test_more_confirmations_never_help_the_attacker(share: float, z: int) -> None:
    assert predict.rosenfeld(share, z + 1) < predict.rosenfeld(share, z) < 1
    assert predict.nakamoto(share, z + 1) < predict.nakamoto(share, z) < 1


@settings(deadline=None)
@given(shares, st.floats(0, 1))
def test_selfish_mining_pays_exactly_above_the_threshold(share: float, gamma: float) -> None:
    threshold = predict.selfish_threshold(gamma)
    if abs(share - threshold) > 1e-6:
        assert (predict.selfish_revenue(share, gamma) > share) == (share > threshold)


def test_the_first_passage_law_sums_to_the_gamblers_ruin() -> None:
    assert predict.catch_up_within(0.3, 4, 3000) == pytest.approx(predict.catch_up(0.3, 4))
    assert predict.catch_up_within(0.6, 4, 3000) == pytest.approx(1)
    assert predict.catch_up_within(0.6, 4, 3) == 0
    assert predict.catch_up_within(0.6, 4, 4) == pytest.approx(0.6**4)


def test_tiny_chances_keep_their_digits() -> None:
    assert predict.rosenfeld(0.01, 100) == pytest.approx(2 * _tail(0.01, 100), rel=1e-9)


def _tail(share: float, z: int) -> float:
    """The chance of z or more among 2z - 1; with premined 1 the two halves of Rosenfeld's sum are equal."""
    flips = 2 * z - 1
    return sum(math.comb(flips, k) * share**k * (1 - share) ** (flips - k) for k in range(z, flips + 1))
