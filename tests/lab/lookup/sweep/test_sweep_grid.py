"""Which runs a sweep has."""

from __future__ import annotations

import json

import pytest

from horoi.base.errors import UsageError
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.sweep.grid import Job, grid


def test_a_grid_is_every_combination_with_every_seed() -> None:
    jobs = grid({"overlay": ["chord", "can"], "peers": [10, 20], "fail": [0.0, 0.5]}, [1, 2, 3])
    assert len(jobs) == len(set(jobs)) == 2 * 2 * 2 * 3
    assert jobs[0].settings == Settings("chord", 10, seed=1, fail=0.0)
    assert [job.settings.seed for job in jobs[:4]] == [1, 2, 3, 1]


def test_an_option_that_an_overlay_does_not_read_makes_no_second_run() -> None:
    jobs = grid({"overlay": ["chord", "kademlia"], "k": [8, 20]}, [1])
    assert [(job.settings.overlay, job.settings.k) for job in jobs] == [
        ("chord", 20),
        ("kademlia", 8),
        ("kademlia", 20),
    ]


@pytest.mark.parametrize(
    ("options", "seeds", "why"),
    [
        ({"peers": []}, [1], "peers has no value"),
        ({"peers": [10, 0]}, [1], "peers must be at least 1"),
        ({"overlay": ["chord", "ring"]}, [1], "overlay must be one of"),
        ({"peers": list(range(1, 1001)), "lookups": list(range(1, 1001))}, [1], "from 1 to 100000 runs"),
        ({}, [], "from 1 to 100000 runs"),
    ],
)
def test_a_grid_that_cannot_be_meant_is_refused_before_anything_runs(
    options: dict[str, list[object]], seeds: list[int], why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        grid(options, seeds)


def test_a_job_is_named_by_all_its_settings() -> None:
    one, other = Job(Settings(seed=1)), Job(Settings(seed=2))
    assert one.key != other.key
    assert one.cell == other.cell
    assert json.loads(one.key)["peers"] == 1000
    assert Job(Settings(), details=True).key != Job(Settings()).key
