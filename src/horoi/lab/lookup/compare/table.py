"""The table of a comparison: one row an overlay, for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLUMNS = (
    ("hops", "hops_mean", "{:.2f}"),
    ("p99", "hops_p99", "{:.0f}"),
    ("formula", "hops_formula", "{:.2f}"),
    ("msgs", "messages_per_lookup", "{:.1f}"),
    ("stretch", "stretch_p50", "{:.1f}"),
    ("entries", "state_entries_mean", "{:.1f}"),
    ("load", "keys_p99_over_mean", "{:.1f}"),
    ("half fail", "half_failed_correct", "{:.1%}"),
    ("churn", "churn_correct", "{:.1%}"),
    ("upkeep B/s", "churn_bytes_per_s", "{:.0f}"),
)
"""Title, figure, form."""

LEGEND = """\
Hops: mean, 99th percentile, and the mean by the paper's formula, the last hop counted. Msgs: datagrams of a lookup,
requests and replies. Stretch: median time of a lookup over the round trip to the owner. Entries: peers in the tables of a
peer. Load: keys of the 99th percentile of the peers over the mean. Half fail, churn:
answers that name the true owner, when half of the peers failed at once, and with median sessions of 84 s. Upkeep: bytes
per second and peer then."""


def rows(found: Mapping[str, Any]) -> list[list[str]]:
    """The cells, titles first."""
    lines = [["overlay", *(title for title, _, _ in COLUMNS)]]
    for overlay, of in found["overlays"].items():
        lines.append([overlay, *(form.format(of["table"][name]) for _, name, form in COLUMNS)])
    return lines


def markdown(found: Mapping[str, Any]) -> str:
    """The table in Markdown, ending in a newline."""
    titles, *body = rows(found)
    rule = ["---", *["---:"] * len(COLUMNS)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (titles, rule, *body))
