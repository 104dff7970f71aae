"""Played attacks agree with the formulas, are the same universe for the same seed, and refuse what means nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from horoi.base.errors import UsageError
from horoi.lab.attack import KINDS, run
from horoi.lab.attack.published import compare, markdown

SMALL: dict[str, dict[str, Any]] = {
    "private-fork": {"trials": 500},
    "selfish": {"trials": 5000},
    "majority": {"trials": 200},
    "stale": {"trials": 2000},
    "timestamps": {"trials": 1},
}

COMMON = ("kind", "share", "trials", "seed", "model", "measured", "predicted", "standard_error", "agrees")


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "params",
    [
        {"share": 0.3, "confirmations": 6},
        {"share": 0.1, "confirmations": 2},
        {"share": 0.1, "confirmations": 2, "model": "nakamoto"},
        {"share": 0.3, "confirmations": 4, "model": "nakamoto"},
        {"share": 0.45, "confirmations": 3, "trials": 3000},
        {"share": 0.3, "confirmations": 2, "premined": 0},
        {"share": 0.2, "confirmations": 0, "premined": 0},
        {"share": 0.3, "confirmations": 6, "premined": 4},
        {"share": 0.2, "confirmations": 3, "estimator": "conditional"},
        {"share": 0.1, "confirmations": 6, "estimator": "importance"},
        {"share": 0.1, "confirmations": 10, "estimator": "importance", "model": "nakamoto"},
    ],
)
def test_private_forks_agree_with_their_models_formula(params: dict[str, Any], seed: int) -> None:
    result = run("private-fork", seed=seed, **params)
    assert result["agrees"], result
    assert result["predicted"] == result["predicted_" + params.get("model", "rosenfeld")]


def test_the_two_models_are_told_apart() -> None:
    """At q = .3, z = 6 the true race and Nakamoto's approximation differ by seven standard errors of this run."""
    result = run("private-fork", share=0.3, confirmations=6, trials=40_000, seed=1)
    assert result["agrees"]
    assert abs(result["measured"] - result["predicted_nakamoto"]) > 7 * result["standard_error"]


def test_importance_sampling_sees_a_millionth_with_few_trials() -> None:
    result = run("private-fork", share=0.1, confirmations=10, trials=20_000, seed=1, estimator="importance")
    assert result["agrees"]
    assert result["standard_error"] < 0.02 * result["predicted"]


def test_a_majority_always_double_spends() -> None:
    for share in (0.5, 0.6, 0.9):
        result = run("private-fork", share=share, confirmations=6, trials=300)
        assert (result["measured"], result["predicted"]) == (1, 1)


@pytest.mark.parametrize(
    ("share", "gamma"), [(0.1, 0.0), (0.25, 1.0), (1 / 3, 0.0), (0.35, 0.5), (0.4, 0.5), (0.45, 0.9)]
)
def test_selfish_revenue_agrees_with_equation_8(share: float, gamma: float) -> None:
    result = run("selfish", share=share, gamma=gamma, trials=200_000, seed=7)
    assert result["agrees"], result
    assert result["blocks_counted"] <= result["blocks_found"]


def test_selfish_mining_loses_below_the_threshold_and_pays_above() -> None:
    below, above = (run("selfish", share=share, gamma=0.0, trials=200_000, seed=1) for share in (0.25, 0.42))
    assert below["measured"] < 0.25 < 1 / 3 < 0.42 < above["measured"]
    assert not below["pays"]
    assert above["pays"]


@pytest.mark.parametrize("share", [0.4, 0.5, 0.51, 0.6])
def test_majorities_agree_with_the_hitting_time_law(share: float) -> None:
    result = run("majority", share=share, confirmations=6, horizon=400, trials=3000, seed=3)
    assert result["agrees"], result
    assert (result["predicted_eventually"] == 1) == (share >= 0.5)


@pytest.mark.parametrize(("delay_s", "share"), [(0.0, 0.2), (1.0, 0.0), (10.0, 0.3), (50.0, 0.1)])
def test_stale_rate_and_pace_agree_with_the_race_bound(delay_s: float, share: float) -> None:
    result = run("stale", share=share, delay_s=delay_s, interval_s=10.0, trials=30_000, seed=2)
    assert result["agrees"], result


def test_a_share_on_either_side_of_the_bound_is_seen_as_such() -> None:
    below, above = (run("stale", share=share, delay_s=10.0, interval_s=10.0, trials=50_000) for share in (0.36, 0.41))
    assert below["secure"]
    assert below["seen_to_be_secure"]
    assert not above["secure"]
    assert above["race_measured"] > 1


@pytest.mark.parametrize("offset_s", [-7200.0, 0.0, 3600.0, 28_800.0])
def test_lies_about_time_shift_the_schedule_once_and_win_no_blocks(offset_s: float) -> None:
    result = run("timestamps", share=0.3, offset_s=offset_s, trials=200_000, seed=1)
    assert result["agrees"], result
    assert result["mean_interval_s"] == pytest.approx(600, rel=0.005)
    assert result["liars_part_of_blocks"] == pytest.approx(0.3, abs=4 * result["liars_part_standard_error"])


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_json_with_the_common_fields(kind: str) -> None:
    result = run(kind, seed=5, **SMALL[kind])
    again = json.loads(json.dumps(result, allow_nan=False))
    assert again == result
    assert set(COMMON) <= set(result)
    assert result["kind"] == kind
    assert result["seconds"] > 0
    assert len(result["digest"]) == 64


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_is_another_universe(kind: str) -> None:
    first, same, other = (run(kind, seed=seed, **SMALL[kind])["digest"] for seed in (5, 5, 6))
    assert first == same != other


def test_digests_do_not_depend_on_the_hash_seed() -> None:
    program = (
        "import json, sys; from horoi.lab.attack import run;"
        "print([run(kind, seed=5, **params)['digest'] for kind, params in json.loads(sys.argv[1]).items()])"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", program, json.dumps(SMALL)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert printed[0].count("'") == 2 * len(KINDS)


@pytest.mark.parametrize(
    ("kind", "params", "word"),
    [
        ("nonsense", {}, "nonsense"),
        ("private-fork", {"share": 0.0}, "share"),
        ("private-fork", {"share": float("nan")}, "share"),
        ("private-fork", {"share": 1.0}, "share"),
        ("private-fork", {"confirmations": -1}, "confirmations"),
        ("private-fork", {"trials": 0}, "trials"),
        ("private-fork", {"gamma": 0.5}, "gamma"),
        ("private-fork", {"model": "poisson"}, "model"),
        ("private-fork", {"model": "nakamoto", "share": 0.6}, "share"),
        ("private-fork", {"estimator": "guess"}, "estimator"),
        ("private-fork", {"estimator": "importance", "share": 0.5}, "share"),
        ("selfish", {"share": 0.5}, "majority"),
        ("selfish", {"gamma": 1.1}, "gamma"),
        ("majority", {"horizon": 0}, "horizon"),
        ("stale", {"interval_s": 0.0}, "interval"),
        ("stale", {"delay_s": -1.0}, "delay"),
        ("timestamps", {"half_life_s": 1.0}, "half_life"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(kind: str, params: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        run(kind, **params)


def test_progress_is_reported() -> None:
    reports: list[tuple[int, int]] = []
    run("private-fork", trials=3000, progress=lambda done, of: reports.append((done, of)))
    assert reports == [(0, 3000), (1000, 3000), (2000, 3000)]


def test_a_race_that_is_too_rare_to_measure_says_so() -> None:
    assert "importance" in run("private-fork", share=0.1, confirmations=10, trials=100)["warning"]


def test_every_published_figure_is_reproduced() -> None:
    rows = compare(seed=1, effort=0.2)
    assert [row for row in rows if not row["agrees"]] == []
    assert len(rows) == 30
    assert markdown(rows).count("\n") == len(rows) + 1
