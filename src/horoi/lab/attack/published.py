"""The tables of the papers, and our figures beside them.

``compare`` plays every row and returns it with the published figure, the formula's and the measured one;
``horoi lab attack --published`` prints that as the table of docs/lab/attacks.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from horoi.lab.attack import predict, private_fork, selfish, stale
from horoi.lab.attack.result import Progress, Result

Job = Callable[[], Result]

NAKAMOTO: dict[float, tuple[str, ...]] = {
    0.1: (
        *("1.0000000", "0.2045873", "0.0509779", "0.0131722", "0.0034552", "0.0009137"),
        *("0.0002428", "0.0000647", "0.0000173", "0.0000046", "0.0000012"),
    )
}
"""Share -> the chance for z = 0, 1, 2, ... (Nakamoto 2008, section 11, "q=0.1")."""

ROSENFELD_PERCENT: dict[float, tuple[str, ...]] = {0.1: ("20", "5.6", "1.712", "0.546", "0.178", "0.059")}
"""Share -> the chance in per cent for z = 1, 2, 3, ... (Rosenfeld 2014, the table of success probabilities)."""

SELFISH = {
    (0.3, 0.0): "0.273126",
    (0.3, 0.5): "0.326874",
    (0.3, 1.0): "0.380622",
    (0.4, 0.0): "0.483721",
    (0.4, 0.5): "0.525581",
    (0.4, 1.0): "0.567442",
}
"""(share, gamma) -> revenue: eq. (8) of Eyal & Sirer 2014."""

RACE_BOUND = {0.1: "0.48751", 1.0: "0.38197", 5.0: "0.16148"}
"""Blocks per delay (lambda * Delta) -> the share b* that the longest chain just withstands (Dembo et al. 2020, eq. 2)."""

STALE_PERCENT = {600.0: "1.51", 60.0: "2.15", 30.0: "2.54", 5.0: "8.64"}
"""Block interval in seconds -> stale blocks in per cent (Gervais et al., CCS 2016, standard relay)."""


def compare(seed: int = 1, progress: Progress | None = None, effort: float = 1.0) -> list[Result]:
    """Play every published row; each has table, case, published, formula, measured, standard_error, agrees, fitted.

    ``agrees`` means that the formula gives the published digits and that the measured figure is within four standard
    errors of the formula. Double spends are measured by importance sampling, since at 10^-6 a plain race of 10^5 trials
    would count nothing. ``fitted`` marks the rows of Gervais et al.: they publish no delay, so ours is solved from their
    rate, and the row shows only that the play turns that delay back into that rate. ``effort`` scales the trials.
    """
    jobs = _double_spends(seed, effort) + _selfish(seed, effort) + _race_bounds(seed, effort) + _stale(seed, effort)
    rows: list[Result] = []
    for job in jobs:
        rows.append(job())
        if progress:
            progress(len(rows), len(jobs))
    return rows


def _double_spends(seed: int, effort: float) -> list[Job]:
    return [
        partial(_double_spend, model, share, confirmations, figure, seed=seed, effort=effort)
        for model, table in (("nakamoto", NAKAMOTO), ("rosenfeld", ROSENFELD_PERCENT))
        for share, figures in table.items()
        for confirmations, figure in enumerate(figures, start=0 if model == "nakamoto" else 1)
    ]


def _double_spend(model: str, share: float, confirmations: int, figure: str, *, seed: int, effort: float) -> Result:
    result = private_fork.run(
        share=share,
        confirmations=confirmations,
        trials=round(100_000 * effort),
        seed=seed,
        model=model,
        estimator="importance",
    )
    case = f"q = {share:g}, z = {confirmations}"
    if model == "nakamoto":
        return _row("double spend, Nakamoto", case, figure, result, 1.0)
    return _row("double spend, Rosenfeld, %", case, figure, result, 100.0)


def _selfish(seed: int, effort: float) -> list[Job]:
    return [partial(_selfish_one, share, gamma, figure, seed, effort) for (share, gamma), figure in SELFISH.items()]


def _selfish_one(share: float, gamma: float, figure: str, seed: int, effort: float) -> Result:
    result = selfish.run(share=share, gamma=gamma, trials=round(1_000_000 * effort), seed=seed)
    return _row("selfish mining, revenue", f"a = {share:g}, g = {gamma:g}", figure, result, 1.0)


def _race_bounds(seed: int, effort: float) -> list[Job]:
    return [partial(_race_bound, blocks, figure, seed, effort) for blocks, figure in RACE_BOUND.items()]


def _race_bound(blocks_per_delay: float, figure: str, seed: int, effort: float) -> Result:
    """Play the race exactly at the published share: attacker's and honest pace must then be equal, a ratio of 1."""
    share = predict.race_bound(blocks_per_delay)
    result = stale.run(share=share, delay_s=blocks_per_delay, interval_s=1.0, trials=round(200_000 * effort), seed=seed)
    # At the bound the ratio's distance from 1 becomes a distance in share through the ratio's slope there.
    slope = (
        predict.race_ratio(share + 1e-6, blocks_per_delay) - predict.race_ratio(share - 1e-6, blocks_per_delay)
    ) / 2e-6
    at_bound = {
        "predicted": share,
        "measured": share - (result["race_measured"] - 1) / slope,
        "standard_error": result["race_standard_error"] / slope,
        "agrees": result["agrees"],
    }
    return _row("race bound b*", f"lambda * Delta = {blocks_per_delay:g}", figure, at_bound, 1.0)


def _stale(seed: int, effort: float) -> list[Job]:
    return [partial(_stale_one, interval_s, figure, seed, effort) for interval_s, figure in STALE_PERCENT.items()]


def _stale_one(interval_s: float, figure: str, seed: int, effort: float) -> Result:
    delay_s = predict.implied_delay_s(float(figure) / 100, interval_s)
    result = stale.run(share=0.0, delay_s=delay_s, interval_s=interval_s, trials=round(200_000 * effort), seed=seed)
    case = f"interval {interval_s:g} s, delay {delay_s:.2f} s"
    return _row("stale blocks, Gervais, %", case, figure, result, 100.0) | {"fitted": True}


def _row(table: str, case: str, figure: str, result: Result, scale: float) -> Result:
    formula = result["predicted"] * scale
    digits = len(figure.partition(".")[2])
    return {
        "table": table,
        "case": case,
        "published": figure,
        "formula": formula,
        "measured": result["measured"] * scale,
        "standard_error": result["standard_error"] * scale,
        "agrees": result["agrees"] and f"{formula:.{digits}f}" == figure,
        "fitted": False,
        "digits": digits,
    }


def markdown(rows: list[Result]) -> str:
    """The rows as a Markdown table; a measured figure has two digits of its standard error."""
    lines = ["| table | case | published | formula | measured | agrees |", "|---|---|---|---|---|---|"]
    for row in rows:
        error = row["standard_error"]
        digits = max(0, 1 - math.floor(math.log10(error))) if error > 0 else row["digits"]
        verdict = "NO" if not row["agrees"] else "fitted" if row["fitted"] else "yes"
        measured = f"{row['measured']:.{digits}f} ± {error:.{digits}f}"
        lines.append(
            f"| {row['table']} | {row['case']} | {row['published']} | {row['formula']:.{row['digits']}f} "
            f"| {measured} | {verdict} |"
        )
    return "\n".join(lines)
