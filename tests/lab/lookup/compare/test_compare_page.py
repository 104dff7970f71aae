"""What the page of a comparison says of its numbers."""

from __future__ import annotations

from typing import Any

import pytest

from horoi.lab.lookup.compare.page import SECTIONS


def found(**right: float) -> dict[str, Any]:
    return {"overlays": {name: {"table": {"half_failed_correct": share}} for name, share in right.items()}}


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"can": 0.98, "chord": 1.0, "pastry": 0.99}, "most right answers Chord (100.0%), fewest CAN (98.0%)"),
        ({"can": 1.0, "chord": 0.99999}, "right answers 100.0%, all alike"),  # no winner among equals
    ],
)
def test_the_best_and_the_worst_are_named_if_there_are_any(shares: dict[str, float], said: str) -> None:
    assert said in SECTIONS["failures"].follows(found(**shares))
