"""The file of results: nothing is done twice, nothing of somebody else's is touched."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from horoi.base.errors import StorageError
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.sweep.grid import Job
from horoi.lab.lookup.sweep.results import Results
from horoi.lab.lookup.sweep.summary import digest_of, interval, summarise

JOBS = [Job(Settings(overlay, 100, seed=seed)) for overlay in ("can", "chord") for seed in (1, 2, 3)]


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.jsonl"
    with Results(path) as results:
        results.add(JOBS[0], {"hops_mean": 2.5, "digest": "a"})
    with Results(path) as results:
        assert results[JOBS[0]] == {"hops_mean": 2.5, "digest": "a"}
        assert results.missing(JOBS) == JOBS[1:]
        results.add(JOBS[1], {"hops_mean": 3.5, "digest": "b"})
    assert len(path.read_text().splitlines()) == 2


def test_a_line_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Results(path) as results:
        for job in JOBS[:2]:
            results.add(job, {"digest": job.key})
    whole = path.read_bytes()
    for cut in (1, 20, len(whole) // 2 - 1):
        path.write_bytes(whole[:-cut])
        with Results(path) as results:
            assert results.missing(JOBS[:2]) == [JOBS[1]]
            results.add(JOBS[1], {"digest": JOBS[1].key})
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "content",
    ["hello\n", '{"settings": {}, "figures": {}}\n', '{"settings": {"colour": 1}, "details": false}\n', "[]\n"],
)
def test_a_file_that_is_none_of_ours_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(content + "no newline here")
    with pytest.raises(StorageError, match=r"notes\.txt, line 1 is not the result of a run"):
        Results(path)
    assert path.read_text() == content + "no newline here"


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="name a file that can be written"):
        Results(tmp_path)


# The summary


def test_means_come_with_students_interval() -> None:
    found = interval([1.0, 2.0, 3.0])
    assert found["mean"] == pytest.approx(2.0)
    assert found["plus_minus"] == pytest.approx(4.303 * 1.0 / math.sqrt(3))
    assert interval([5.0]) == {"mean": 5.0, "plus_minus": None}
    many = interval([0.0, 1.0] * 50)
    assert many["plus_minus"] == pytest.approx(1.96 * 0.50252 / 10, rel=1e-3)


def test_seeds_of_a_cell_are_averaged_and_cells_are_not() -> None:
    results = Results()
    for job in JOBS:
        hops = float(job.settings.seed) + (10.0 if job.settings.overlay == "chord" else 0.0)
        results.add(job, {"hops_mean": hops, "hops_histogram": [1, 2], "digest": job.key})
    can, chord = summarise(JOBS, results)
    assert (can["options"], can["seeds"]) == ({"overlay": "can", "peers": 100}, 3)
    assert can["figures"]["hops_mean"]["mean"] == pytest.approx(2.0)
    assert chord["figures"]["hops_mean"]["mean"] == pytest.approx(12.0)
    assert list(can["figures"]) == ["hops_mean"]
    json.dumps([can, chord])


def test_the_digest_is_of_the_runs_and_not_of_their_order() -> None:
    forwards, backwards, other = Results(), Results(), Results()
    for job in JOBS:
        forwards.add(job, {"digest": job.key})
    for job in reversed(JOBS):
        backwards.add(job, {"digest": job.key})
        other.add(job, {"digest": "x" if job is JOBS[0] else job.key})
    assert digest_of(JOBS, forwards) == digest_of(JOBS, backwards) != digest_of(JOBS, other)
