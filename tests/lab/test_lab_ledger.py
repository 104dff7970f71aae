"""The ledger's lab: a small universe converges, conserves and loses nothing, and one seed is one universe everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from horoi.lab.ledger import Scenario, run

SMALL = ["--nodes", "8", "--minutes", "8", "--crashes", "6", "--leaves", "3", "--seed", "5"]


def play(hash_seed: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "horoi.cli.main", "lab", "ledger", *SMALL, "--json"]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_same_seed_is_the_same_universe_under_any_hash_seed() -> None:
    one, other = play("0"), play("4242")
    assert one["digest"] == other["digest"]
    assert {k: one[k] for k in ("height", "reorgs", "confirmed")} == {
        k: other[k] for k in ("height", "reorgs", "confirmed")
    }
    assert (one["converged"], one["conserved"], one["lost_confirmed"]) == (True, True, 0)
    assert one["confirmed"] > 100


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_partition_crashes_and_churn_lose_nothing(seed: int) -> None:
    result = run(Scenario(nodes=10, minutes=12, seed=seed, crashes=8, leaves=4))
    assert result["converged"], (
        f"seed {seed}: horoi lab ledger --nodes 10 --minutes 12 --crashes 8 --leaves 4 --seed {seed}"
    )
    assert result["conserved"]
    assert result["lost_confirmed"] == 0
    assert result["reorgs"] > 0
    assert result["conflicts_reported"] > 0
