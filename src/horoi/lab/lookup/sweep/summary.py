"""What a sweep found: of each cell the mean over its seeds, and how far from the truth it may be.

The interval is Student's: runs with different seeds are independent, and means of many lookups are close to normal.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from statistics import fmean, stdev
from typing import Any

from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.sweep.grid import Job
from horoi.lab.lookup.sweep.results import Figures, Results

T_95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Quantiles of Student's t for 95 %, two-sided, by degrees of freedom from 1 to 30 (any table of it)."""
NORMAL_95 = 1.960  # for more degrees of freedom; 4 % too narrow at 31


def summarise(jobs: Sequence[Job], results: Results) -> list[dict[str, Any]]:
    """One record a cell, in the order of the jobs: its options, and every figure as mean and half width of the interval."""
    cells: dict[Settings, list[Figures]] = {}
    for job in jobs:
        cells.setdefault(job.cell, []).append(results[job])
    return [{"options": _changed(cell), "seeds": len(runs), "figures": _means(runs)} for cell, runs in cells.items()]


def _changed(cell: Settings) -> dict[str, Any]:
    """The overlay, the peers, and what else is not at its default."""
    defaults = {field.name: field.default for field in fields(Settings)}
    return {
        name: value
        for name, value in asdict(cell).items()
        if name in ("overlay", "peers") or (name != "seed" and value != defaults[name])
    }


def _means(runs: Sequence[Figures]) -> dict[str, dict[str, float | None]]:
    names = [name for name, value in runs[0].items() if isinstance(value, int | float)]
    return {name: interval([run[name] for run in runs]) for name in names}


def interval(values: Sequence[float]) -> dict[str, float | None]:
    """Mean and half width of its 95 % confidence interval; None where one value cannot tell."""
    if len(values) < 2:
        return {"mean": fmean(values), "plus_minus": None}
    freedom = len(values) - 1
    quantile = T_95[freedom - 1] if freedom <= len(T_95) else NORMAL_95
    return {"mean": fmean(values), "plus_minus": quantile * stdev(values) / math.sqrt(len(values))}


def digest_of(jobs: Sequence[Job], results: Results) -> str:
    """SHA-256 over the digests of all runs, in the order of the jobs."""
    hashed = hashlib.sha256()
    for job in jobs:
        hashed.update(f"{job.key} {results[job]['digest']}\n".encode())
    return hashed.hexdigest()
