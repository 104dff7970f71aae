"""The pictures of a comparison, each from the numbers of ``figures``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from horoi.lab.lookup.compare import style
from horoi.lab.lookup.compare.figures import PACE, hull
from horoi.lab.lookup.compare.formulas import FORMULAS

BAMBOO_BYTES_PER_S = 900  # Rhea et al. 2004: at most so many with median sessions of 1.4 minutes
LEAST_WRONG = 1e-4  # where a logarithmic axis of wrong answers ends: one in ten thousand

Found = Mapping[str, Any]


def draw(found: Found, folder: Path) -> list[str]:
    """Draw all pictures into the folder. Returns their names."""
    for name, plot in PLOTS.items():
        plot(found, folder, name)
    return list(PLOTS)


def hops(found: Found, folder: Path, name: str) -> None:
    """Hops against the number of peers, the paper's formula as a broken line."""
    with style.picture(folder, name) as axes:
        axes.set_xscale("log")
        axes.set_yscale("log")
        for overlay, of in found["overlays"].items():
            style.line(axes, overlay, of["hops"])
            dots = (0, (1, 2)) if FORMULAS[overlay].is_bound else (0, (5, 2))
            style.line(axes, overlay, of["formula"], marker="", linestyle=dots, linewidth=1)
        _sizes(axes, found)
        lowest, highest = axes.get_ylim()
        ticks = (0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128, 256, 512)
        style.plain_ticks(axes.yaxis, [tick for tick in ticks if lowest <= tick <= highest])
        axes.set_ylabel("hops of a lookup, mean")
        axes.set_title("full: measured; broken: the paper's formula; dotted: the paper's bound", loc="left")
        style.name_lines(axes, {overlay: of["hops"][-1] for overlay, of in found["overlays"].items()})


def state(found: Found, folder: Path, name: str) -> None:
    """Entries of a peer's tables against the number of peers."""
    with style.picture(folder, name) as axes:
        axes.set_xscale("log")
        axes.set_yscale("log")
        for overlay, of in found["overlays"].items():
            style.line(axes, overlay, of["state"])
        _sizes(axes, found)
        style.one_two_five(axes.yaxis, *axes.get_ylim())
        axes.set_ylabel("other peers in a peer's tables, mean")
        style.name_lines(axes, {overlay: of["state"][-1] for overlay, of in found["overlays"].items()})


def failures(found: Found, folder: Path, name: str) -> None:
    """Right answers against the share of the peers that fail at once."""
    with style.picture(folder, name) as axes:
        for overlay, of in found["overlays"].items():
            style.line(axes, overlay, of["failed"])
        style.per_cent(axes.xaxis)
        style.per_cent(axes.yaxis)
        wrong = max(0.01, *(1 - right for of in found["overlays"].values() for _, right in of["failed"]))
        axes.set_ylim(1 - 1.1 * wrong, 1 + 0.04 * wrong)
        axes.set_xlabel("peers that failed at once, before the lookups")
        axes.set_ylabel("lookups that find the true owner")
        style.name_lines(axes, {overlay: of["failed"][-1] for overlay, of in found["overlays"].items()})


def churn(found: Found, folder: Path, name: str) -> None:
    """Right answers and bytes against the length of sessions: a line at the usual pace, an area over all paces."""
    with style.picture(folder, name, rows=2, size=(7.2, 6.6)) as (top, bottom):
        ends: dict[str, dict[str, tuple[float, float]]] = {"correct": {}, "bytes_per_s": {}}
        for axes, figure in ((top, "correct"), (bottom, "bytes_per_s")):
            for overlay, of in found["overlays"].items():
                usual = [(run["median_session_s"], run[figure]) for run in of["churn"] if run["pace"] == PACE]
                style.line(axes, overlay, usual)
                _area(axes, overlay, of["churn"], figure)
                ends[figure][overlay] = usual[-1]
        top.set_xscale("log")
        bottom.set_yscale("log")
        sessions = sorted({run["median_session_s"] for of in found["overlays"].values() for run in of["churn"]})
        style.plain_ticks(bottom.xaxis, sessions)
        style.per_cent(top.yaxis)
        style.one_two_five(bottom.yaxis, *bottom.get_ylim())
        bottom.axhline(BAMBOO_BYTES_PER_S, color=style.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        bottom.annotate(
            "Bamboo at 84 s: at most 900",
            (sessions[-1], BAMBOO_BYTES_PER_S),
            ha="right",
            va="bottom",
            color=style.GREY,
            fontsize=8,
        )
        bottom.set_xlabel("median session of a peer, seconds")
        top.set_ylabel("lookups that find the true owner")
        bottom.set_ylabel("upkeep, bytes per second and peer")
        top.set_title("line: usual pace of upkeep; area: from half to double the pace", loc="left")
        style.name_lines(top, ends["correct"])
        style.name_lines(bottom, ends["bytes_per_s"])


def _area(axes: Any, overlay: str, runs: list[dict[str, float]], figure: str) -> None:
    values: dict[float, list[float]] = {}
    for run in runs:
        values.setdefault(run["median_session_s"], []).append(run[figure])
    sessions = sorted(values)
    low, high = [min(values[each]) for each in sessions], [max(values[each]) for each in sessions]
    axes.fill_between(sessions, low, high, color=style.COLOURS[overlay], alpha=0.15, linewidth=0)


def hulls(found: Found, folder: Path, name: str) -> None:
    """Wrong answers against bytes, one panel a session length: the hull is what an overlay can do at best."""
    overlays = found["overlays"]
    sessions = sorted({run["median_session_s"] for of in overlays.values() for run in of["churn"]})
    with style.picture(folder, name, columns=len(sessions), size=(2.4 * len(sessions), 3.6)) as panels:
        runs = [run for of in overlays.values() for run in of["churn"]]
        costs = [run["bytes_per_s"] for run in runs]
        most = max(LEAST_WRONG, *(1 - run["correct"] for run in runs))
        for axes, session_s in zip(panels, sessions, strict=True):
            for overlay, of in overlays.items():
                points = [
                    (run["bytes_per_s"], max(LEAST_WRONG, 1 - run["correct"]))
                    for run in of["churn"]
                    if run["median_session_s"] == session_s
                ]
                style.line(axes, overlay, points, linestyle="", markersize=4)
                style.line(axes, overlay, hull(points), marker="", linewidth=1.2)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlim(min(costs) / 1.4, max(costs) * 1.4)
            axes.set_ylim(LEAST_WRONG / 1.3, most * 1.6)
            axes.set_title(f"sessions of {session_s:g} s", loc="left")
            style.one_two_five(axes.xaxis, *axes.get_xlim())
            style.per_cent(axes.yaxis)
            axes.tick_params(labelsize=8)
            if axes is not panels[0]:
                axes.set_yticklabels([])
        panels[0].set_ylabel("lookups that do not find the owner")
        panels[len(panels) // 2].set_xlabel("upkeep, bytes per second and peer")
        for overlay in overlays:
            style.line(panels[-1], overlay, [(float("nan"), 0.0)], label=style.name_of(overlay))
        panels[-1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)


def load(found: Found, folder: Path, name: str) -> None:
    """The share of the peers that own at least so many keys."""
    with style.picture(folder, name) as axes:
        for overlay, of in found["overlays"].items():
            style.line(axes, overlay, of["load"], marker="", drawstyle="steps-pre")
        axes.set_yscale("log")
        style.per_cent(axes.yaxis)
        axes.set_xlim(left=0)
        axes.set_xlabel("keys of a peer, over the mean")
        axes.set_ylabel("peers with at least so many")
        _legend(axes, found, "upper right")


def stretch(found: Found, folder: Path, name: str) -> None:
    """The share of the lookups that take at most so many direct round trips."""
    with style.picture(folder, name) as axes:
        for overlay, of in found["overlays"].items():
            style.line(axes, overlay, of["stretch"], marker="")
        axes.set_xscale("log")
        axes.set_xlim(left=0.5, right=100)
        style.plain_ticks(axes.xaxis, (0.5, 1, 2, 5, 10, 20, 50, 100))
        style.per_cent(axes.yaxis)
        axes.set_ylim(0, 1)
        axes.set_xlabel("time of a lookup, in round trips straight to the owner")
        axes.set_ylabel("lookups that take at most so long")
        _legend(axes, found, "lower right")


def _sizes(axes: Any, found: Found) -> None:
    sizes = sorted({size for of in found["overlays"].values() for size, _ in of["hops"]})
    style.plain_ticks(axes.xaxis, sizes, "{:,.0f}")
    axes.set_xlabel("peers")


def _legend(axes: Any, found: Found, place: str) -> None:
    for overlay in found["overlays"]:
        axes.plot([], [], color=style.COLOURS[overlay], label=style.name_of(overlay))
    axes.legend(loc=place, frameon=False)


PLOTS: dict[str, Callable[[Found, Path, str], None]] = {
    "hops": hops,
    "state": state,
    "stretch": stretch,
    "load": load,
    "failures": failures,
    "churn": churn,
    "hulls": hulls,
}
"""The pictures by name, in the order of the page."""
