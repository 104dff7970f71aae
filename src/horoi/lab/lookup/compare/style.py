"""How the pictures look: one colour and one mark for each overlay in all of them, names beside the lines, nothing else.

The colours are those of Okabe and Ito ("Color universal design", 2008), which people who see colours differently can tell apart;
marks tell them apart in print.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # before pyplot: no window, no display

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

COLOURS = {"chord": "#0072B2", "can": "#E69F00", "pastry": "#009E73", "tapestry": "#CC79A7", "kademlia": "#D55E00"}
MARKS = {"chord": "o", "can": "s", "pastry": "^", "tapestry": "v", "kademlia": "D"}
NAMES = {"can": "CAN"}
GREY = "#666666"
APART = 0.055  # of the height: how far names beside the lines keep from one another
PIXELS_PER_INCH = 144

RULES: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.titlesize": 10,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "font.size": 10,
    "font.family": "sans-serif",
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "svg.fonttype": "none",
    "svg.hashsalt": "horoi",  # with it the same numbers give the same file
}


def name_of(overlay: str) -> str:
    """As a person writes it."""
    return NAMES.get(overlay, overlay.capitalize())


@contextmanager
def picture(
    folder: Path, name: str, *, columns: int = 1, rows: int = 1, size: tuple[float, float] = (7.2, 4.2)
) -> Iterator[Any]:
    """Axes to draw on; when the block ends they are written to ``name.svg`` and ``name.png`` in the folder."""
    with mpl.rc_context(RULES):
        figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", sharex=rows > 1)
        yield axes
        _write(figure, folder / name)
        plt.close(figure)


def _write(figure: Figure, path: Path) -> None:
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None, "Creator": None})
    figure.savefig(path.with_suffix(".png"), dpi=PIXELS_PER_INCH, metadata={"Software": None})


def line(axes: Axes, overlay: str, points: Sequence[Sequence[float]], **options: Any) -> None:
    """One overlay's points, joined."""
    style = {"color": COLOURS[overlay], "marker": MARKS[overlay], **options}
    axes.plot([x for x, _ in points], [y for _, y in points], **style)


def name_lines(axes: Axes, ends: Mapping[str, tuple[float, float]]) -> None:
    """Write each overlay's name right of the end of its line, moved apart where they would lie on one another."""
    axes.figure.canvas.draw()  # limits and scales are known from here on
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = {overlay: to_axes.transform(point)[1] for overlay, point in ends.items()}
    placed = spread(heights, APART)
    for overlay, height in placed.items():
        axes.annotate(
            name_of(overlay),
            (1.015, height),
            xycoords="axes fraction",
            color=COLOURS[overlay],
            va="center",
            annotation_clip=False,
        )


def spread(heights: Mapping[str, float], apart: float) -> dict[str, float]:
    """The same heights, in the same order, moved as little as keeps them ``apart`` and between 0 and 1.

    >>> spread({"a": 0.5, "b": 0.5, "c": 1.0, "d": 1.0}, 0.1)
    {'a': 0.45, 'b': 0.55, 'c': 0.9, 'd': 1.0}
    """
    groups: list[tuple[float, list[str]]] = []  # (middle, names from below)
    for name in sorted(heights, key=lambda each: heights[each]):
        groups.append((_inside(heights[name], 1, apart), [name]))
        while len(groups) > 1 and _overlap(groups[-2], groups[-1], apart):
            groups[-2:] = [_merged(groups[-2], groups[-1], apart)]
    placed = {
        name: middle + (place - (len(names) - 1) / 2) * apart
        for middle, names in groups
        for place, name in enumerate(names)
    }
    return {name: round(placed[name], 6) for name in heights}


def _inside(middle: float, count: int, apart: float) -> float:
    half = (count - 1) / 2 * apart
    return max(half, min(1 - half, middle))


def _overlap(below: tuple[float, list[str]], above: tuple[float, list[str]], apart: float) -> bool:
    return above[0] - below[0] < apart * (len(below[1]) + len(above[1])) / 2 - 1e-9


def _merged(below: tuple[float, list[str]], above: tuple[float, list[str]], apart: float) -> tuple[float, list[str]]:
    names = below[1] + above[1]
    middle = (below[0] * len(below[1]) + above[0] * len(above[1])) / len(names)
    return _inside(middle, len(names), apart), names


def plain_ticks(axis: Any, values: Sequence[float], form: str = "{:g}") -> None:
    """Ticks at these values only, written plainly, also on a logarithmic axis."""
    axis.set_ticks(list(values))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(mpl.ticker.NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: form.format(value)))


def per_cent(axis: Any) -> None:
    """Shares as per cent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))


def one_two_five(axis: Any, lowest: float, highest: float) -> None:
    """Ticks at 1, 2, 5, 10, 20, ... between the two, with thousands apart: enough of them on a short logarithmic axis."""
    steps = [digit * 10**power for power in range(7) for digit in (1, 2, 5)]
    plain_ticks(axis, [step for step in steps if lowest <= step <= highest], "{:,.0f}")
