"""Sweeps as a whole: one core or two, Dask or Ray, the same digests; what is done is not done again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from horoi.base.errors import HoroiError, UsageError
from horoi.cli.lab import lab
from horoi.cli.lab_sweep import ENGINES as ENGINES_OF_THE_COMMAND
from horoi.lab.lookup.sweep import engines
from horoi.lab.lookup.sweep.engines import Done, engine, on_cores
from horoi.lab.lookup.sweep.grid import Job, grid
from horoi.lab.lookup.sweep.results import Results
from horoi.lab.lookup.sweep.sweep import sweep

JOBS = grid({"overlay": ["chord", "kademlia"], "peers": [24], "lookups": [20], "start": ["converged"]}, [1, 2])


@pytest.fixture(scope="module")
def digest() -> str:
    """Of the sweep in this process."""
    return str(sweep(JOBS, Results(), engine("cores", cores=1))["digest"])


def test_two_cores_find_what_one_finds(digest: str) -> None:
    seen: list[tuple[int, int]] = []
    found = sweep(JOBS, Results(), engine("cores", cores=2), lambda done, of: seen.append((done, of)))
    assert found["digest"] == digest
    assert (found["runs"], found["ran_now"]) == (4, 4)
    assert seen == [(done, 4) for done in range(5)]


def test_dask_finds_the_same(digest: str) -> None:
    assert find_spec("distributed"), "make install brings Dask; without it: pip install 'horoi[dask]'"
    assert sweep(JOBS, Results(), engine("dask", cores=1))["digest"] == digest


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'horoi[ray]'")
def test_ray_finds_the_same(digest: str) -> None:
    assert sweep(JOBS, Results(), engine("ray", cores=1))["digest"] == digest


def test_a_sweep_that_was_stopped_goes_on(tmp_path: Path, digest: str) -> None:
    path = tmp_path / "sweep.jsonl"

    def stopping(jobs: Sequence[Job]) -> Iterator[Done]:
        for number, done in enumerate(on_cores(jobs, 1)):
            if number == 3:
                raise KeyboardInterrupt
            yield done

    with pytest.raises(KeyboardInterrupt), Results(path) as results:
        sweep(JOBS, results, stopping)
    with Results(path) as results:
        found = sweep(JOBS, results, engine("cores", cores=1))
        assert (found["ran_now"], found["digest"]) == (1, digest)
        again = sweep(JOBS, results, nobody)
    assert (again["ran_now"], again["digest"]) == (0, digest)


def nobody(jobs: Sequence[Job]) -> Iterator[Done]:
    raise AssertionError(f"{jobs} are done already")


def end_at_once(_job: Job) -> dict[str, Any]:
    """As the kernel ends a process when memory is short."""
    os._exit(9)


def test_a_process_that_was_killed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "execute", end_at_once)
    with pytest.raises(HoroiError, match="fewer --cores"):
        sweep(JOBS, Results(), engine("cores", cores=2))


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("moon", {}, "runs on cores, ray, dask"),
        ("cores", {"cores": 0}, "cores must be at least 1"),
        ("cores", {"address": "tcp://somewhere:8786"}, "say --on ray or --on dask"),
    ],
)
def test_an_engine_that_cannot_be_meant_is_refused(name: str, options: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        engine(name, **options)


def test_a_missing_cluster_library_is_named_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"pip install 'horoi\[ray\]'"):
        engine("ray")


# The command


def test_the_engines_of_the_command_are_those_of_the_lab() -> None:
    assert engines.ENGINES == ENGINES_OF_THE_COMMAND


def test_the_command_sweeps_and_resumes(tmp_path: Path) -> None:
    words = ["sweep", "--overlay", "chord,pastry", "--peers", "16,20", "--lookups", "10", "--start", "converged"]
    words += ["--seeds", "2", "--cores", "1", "-o", str(tmp_path / "out.jsonl")]
    ran = CliRunner().invoke(lab, [*words, "--json"])
    assert ran.exit_code == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["runs"], found["ran_now"], len(found["cells"])) == (8, 8, 4)
    assert found["cells"][0]["figures"]["correct"] == {"mean": 1.0, "plus_minus": 0.0}
    again = CliRunner().invoke(lab, words)
    assert again.exit_code == 0, again.stderr
    assert "8 runs, 0 of them now" in again.stdout
    assert found["digest"] in again.stdout


def test_values_without_commas_are_explained() -> None:
    ran = CliRunner().invoke(lab, ["sweep", "--peers", "10;20"])
    assert ran.exit_code == 2
    assert "put commas between the values" in ran.stderr
