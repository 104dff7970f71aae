"""CAN in the laboratory, against its paper's figures and the project's aims, in small."""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any

from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.overlays.can import NOBODY, CanOverlay

run: Any = import_module("horoi.lab.lookup.run").run


def test_hops_are_within_the_papers_and_lookups_end_at_the_owner() -> None:
    figures = run(overlay="can", peers=800, lookups=800, latency="constant")
    assert figures["correct"] == 1.0
    assert 0.75 <= figures["hops_mean"] / (2 / 4 * 800**0.5) <= 0.95
    assert figures["messages_per_lookup"] <= 2 * figures["hops_mean"] + 1
    assert 4.3 <= figures["state_entries_mean"] <= 4.9
    assert figures["maintenance_bytes_per_s_per_peer"] < 900


def test_half_failed() -> None:
    figures = run(overlay="can", peers=300, lookups=300, fail=0.5)
    assert figures["completed"] >= 0.98
    assert figures["correct"] >= 0.95  # who answers while two still claim a zone is counted as wrong


def test_churn_of_minutes() -> None:
    figures = run(overlay="can", peers=150, lookups=150, median_session_s=84.0, minutes=4.0)
    assert figures["correct"] >= 0.95
    assert figures["maintenance_bytes_per_s_per_peer"] < 900


def test_a_fifth_lie() -> None:
    figures = run(overlay="can", peers=300, lookups=300, adversaries=0.2)
    assert figures["correct"] >= 0.95


def test_one_seed_is_one_universe() -> None:
    digests = {run(overlay="can", peers=60, lookups=50, seed=7)["digest"] for _ in range(2)}
    assert len(digests) == 1


def test_the_truth_follows_the_zones() -> None:
    overlay = CanOverlay(Settings(overlay="can"), random.Random(1))
    machines = [overlay.machine(address, upkeep=False) for address in range(20)]
    overlay.settle(machines, joined=True)
    truth = overlay.truth(range(20))
    key = 12345 << 140
    owner = truth.owner(key)
    assert machines[owner].owns(overlay.space.place(key))
    truth.remove(owner)
    assert truth.owner(key) == NOBODY
    heir = machines[(owner + 1) % 20].realities[0]
    heir.set_zones((*heir.zones, *machines[owner].realities[0].zones), 1.0)
    assert truth.owner(key) == (owner + 1) % 20
