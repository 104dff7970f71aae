"""Descriptions of networks, and what a script does to them."""

from __future__ import annotations

import random

import pytest

from horoi.world.sim.network import Faults, Network, PairFault, next_retry_s, retransmission_delay_s


@pytest.mark.parametrize(
    "wrong",
    [
        {"loss": 1.1},
        {"duplicate": -0.1},
        {"reorder": float("nan")},
        {"uplink_bytes_per_s": 0.0},
        {"dial_timeout_s": -1.0},
    ],
)
def test_an_impossible_network_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Network(**wrong)  # type: ignore[arg-type]


def test_a_partition_cuts_between_groups_and_the_unnamed_are_one_group() -> None:
    faults = Faults()
    faults.partition([["a", "b"], ["c"]])
    assert faults.any
    assert not faults.is_cut("a", "b")
    assert faults.is_cut("a", "c")
    assert faults.is_cut("a", "x")
    assert not faults.is_cut("x", "y")
    faults.heal()
    assert not faults.any
    assert not faults.is_cut("a", "c")


def test_nobody_is_in_two_groups() -> None:
    faults = Faults()
    with pytest.raises(ValueError, match="two groups"):
        faults.partition([["a"], ["a"]])
    assert not faults.any


def test_a_pair_is_cut_in_one_direction_but_no_link_survives_that() -> None:
    faults = Faults()
    faults.set_pair("a", "b", PairFault(cut=True))
    assert faults.is_cut("a", "b")
    assert not faults.is_cut("b", "a")
    assert faults.is_cut_either_way("b", "a")
    faults.set_pair("a", "b", PairFault())
    assert not faults.any


def test_lost_segments_come_later_and_ever_later() -> None:
    dice = random.Random(1)
    assert retransmission_delay_s(0.05, 0.0, dice) == 0
    delays = {round(retransmission_delay_s(0.05, 0.5, dice), 6) for _ in range(1000)}
    assert {0, 0.2, 0.6, 1.4} <= delays
    assert retransmission_delay_s(0.05, 1.0, dice) < 300


def test_retries_thin_out() -> None:
    assert next_retry_s(10.0, 10.0) == pytest.approx(10.2)
    assert next_retry_s(10.0, 10.3) == pytest.approx(10.6)
    assert next_retry_s(10.0, 20.0) == pytest.approx(10 + 0.2 * 63)
    for after in (0.1, 1, 7, 29, 100):
        assert after <= next_retry_s(0, after) <= 2 * after + 0.4
