"""A sweep: the runs that are missing, done by an engine, each kept as soon as it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from horoi.lab.lookup.sweep.engines import Engine
from horoi.lab.lookup.sweep.grid import Job
from horoi.lab.lookup.sweep.results import Results
from horoi.lab.lookup.sweep.summary import digest_of, summarise

Progress = Callable[[int, int], None]


def finish(jobs: Sequence[Job], results: Results, engine: Engine, progress: Progress | None = None) -> int:
    """Run those of the jobs that ``results`` has not. Returns how many that were."""
    missing = results.missing(jobs)
    done = len(jobs) - len(missing)
    if progress:
        progress(done, len(jobs))
    # the costliest first, so that no core is left with a long one at the end
    for job, figures in engine(sorted(missing, key=_cost, reverse=True)) if missing else ():
        results.add(job, figures)
        done += 1
        if progress:
            progress(done, len(jobs))
    return len(missing)


def _cost(job: Job) -> float:
    """Roughly how long it takes, in no unit."""
    settings = job.settings
    if settings.median_session_s is not None:
        return settings.peers * settings.minutes * 60
    return settings.peers + settings.lookups


def sweep(jobs: Sequence[Job], results: Results, engine: Engine, progress: Progress | None = None) -> dict[str, Any]:
    """Finish all jobs and return the summary, ready for JSON."""
    ran = finish(jobs, results, engine, progress)
    return {
        "runs": len(jobs),
        "ran_now": ran,
        "cells": summarise(jobs, results),
        "digest": digest_of(jobs, results),
    }
