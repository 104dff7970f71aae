"""The page of a comparison: one HTML file with its pictures inside, for somebody who heard of these systems last week.

Each picture comes with what it shows and what follows; how to repeat it is said once, at the end. What follows is said from the
numbers, so that the page stays true for other sizes and seeds.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from horoi.lab.lookup.compare.figures import CHURN_SESSION_S
from horoi.lab.lookup.compare.formulas import FORMULAS
from horoi.lab.lookup.compare.table import LEGEND, rows

Found = Mapping[str, Any]

NAMES = {"can": "CAN"}


class Section(NamedTuple):
    """A picture and its words."""

    title: str
    shows: str
    follows: Callable[[Found], str]


def page(found: Found, pictures: Mapping[str, Path]) -> str:
    """The whole file."""
    body = [
        "<h1>Five ways to look a key up</h1>" if len(found["overlays"]) == 5 else "<h1>Ways to look a key up</h1>",
        f"<p>{_introduction(found)}</p>",
        _table(found),
        f"<p class=small>{html.escape(LEGEND)}</p>",
    ]
    for name, path in pictures.items():
        section = SECTIONS[name]
        body += [
            f"<h2>{section.title}</h2>",
            f"<p><b>What it shows.</b> {section.shows}</p>",
            _image(path, section.title),
            f"<p><b>What follows.</b> {section.follows(found)}</p>",
        ]
    body.append(_repeat(found))
    return TEMPLATE.format(style=STYLE, body="\n".join(body))


def _introduction(found: Found) -> str:
    return (
        f"{found['peers']:,} peers, {found['lookups']:,} lookups of random keys by random peers. All overlays get "
        f"the same trace: peers live in the same places (latency model <i>{html.escape(found['latency'])}</i>), "
        "ask for the same keys in the same order, fail and leave at the same moments. What differs is the overlay "
        "alone, run as it would run on sockets."
    )


def _table(found: Found) -> str:
    titles, *body = rows(found)
    head = "".join(f"<th>{html.escape(title)}" for title in titles)
    lines = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in cells) for cells in body)
    return f"<table><tr>{head}{lines}</table>"


def _image(path: Path, title: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{html.escape(title)}" src="data:image/svg+xml;base64,{data}">'


def _repeat(found: Found) -> str:
    command = html.escape(f"{found['command']} -o FOLDER")
    return (
        f"<h2>Repeat it</h2><pre>{command}</pre><p>The seed is the universe: the same command finds the same "
        "numbers on every machine and on any number of cores. The digest of all runs "
        f"was</p><pre>{found['digest']}</pre><p>Change the seed to see how much is chance. The numbers behind the "
        "pictures are in <code>compare.json</code>, each run in <code>runs.jsonl</code>.</p>"
    )


# What follows from the numbers


def _name(overlay: str) -> str:
    return NAMES.get(overlay, overlay.capitalize())


def _extremes(found: Found, value: Callable[[Any], float], form: str) -> tuple[str, str]:
    """Who has least and who has most, with the figures."""
    ordered = sorted(found["overlays"], key=lambda overlay: value(found["overlays"][overlay]))
    least, most = (
        f"{_name(each)} ({form.format(value(found['overlays'][each]))})" for each in (ordered[0], ordered[-1])
    )
    return least, most


def _right_answers(found: Found, figure: str) -> str:
    """Who has most right answers and who has fewest, or that all have the same."""
    least, most = _extremes(found, lambda of: of["table"][figure], "{:.1%}")
    shares = {f"{of['table'][figure]:.1%}" for of in found["overlays"].values()}
    if len(shares) == 1:
        return f"right answers {shares.pop()}, all alike"
    return f"most right answers {most}, fewest {least}"


def _of_hops(found: Found) -> str:
    least, most = _extremes(found, lambda of: of["table"]["hops_mean"], "{:.2f}")
    both = ", ".join(_measured_and_formula(overlay, of["table"]) for overlay, of in found["overlays"].items())
    return (
        f"Fewest hops: {least}; most: {most}. Where each step resolves a digit or halves a distance, hops grow "
        "like the logarithm of N and the lines are nearly flat; where peers know their neighbours in d dimensions "
        f"alone they grow like a root of N, a straight line upwards here. Measured, and the formula: {both}."
    )


def _measured_and_formula(overlay: str, table: Mapping[str, float]) -> str:
    bound = "at most " if FORMULAS[overlay].is_bound else ""
    return f"{_name(overlay)} {table['hops_mean']:.2f} ({bound}{table['hops_formula']:.2f})"


def _of_state(found: Found) -> str:
    least, most = _extremes(found, lambda of: of["table"]["state_entries_mean"], "{:.0f}")
    return (
        f"Smallest tables: {least}; largest: {most}. This is the price of few hops: more known peers, fewer steps. "
        "A table whose size does not grow with N is cheap to keep, and each lookup pays for it."
    )


def _of_stretch(found: Found) -> str:
    least, most = _extremes(found, lambda of: of["table"]["stretch_p50"], "{:.1f}")
    return (
        f"Quickest: {least}; slowest: {most}, medians. Hops are not time: those who choose near peers among the "
        "admissible ones (Pastry, Tapestry) make short hops, those who ask in turn (iterative lookups) cross the "
        "way back with each step, those who ask several at once do not wait for the slowest. Below 1 is possible: "
        "an answer can come from nearer than the owner is by the direct way."
    )


def _of_load(found: Found) -> str:
    least, most = _extremes(found, lambda of: of["table"]["keys_p99_over_mean"], "{:.1f}")
    return (
        f"99 of 100 peers own at most so many times the mean: least uneven {least}, most {most}. Keys are spread "
        "evenly; the peers are not, for ids are random and so the parts of the space between them are. Chord's "
        "remedy is virtual nodes (--virtual 20), CAN's uniform partitioning."
    )


def _of_failures(found: Found) -> str:
    answers = _right_answers(found, "half_failed_correct")
    return (
        f"With half of the peers gone at once: {answers}. Nobody had time to "
        "repair, so what counts is how many other ways a table offers (successor lists, leaf sets, full buckets), "
        "and that whoever is asked says so when it is not the owner. CAN is the exception: a failed peer's zone "
        "has no owner until a neighbour takes it over, so it repairs what lookups run into."
    )


def _of_churn(found: Found) -> str:
    answers = _right_answers(found, "churn_correct")
    cheap, dear = _extremes(found, lambda of: of["table"]["churn_bytes_per_s"], "{:.0f} B/s")
    return (
        f"At {CHURN_SESSION_S:g} s: {answers}; cheapest upkeep {cheap}, dearest "
        f"{dear}. The shorter the sessions, the older the tables in comparison, and the more bytes go into joins. "
        "Periodic upkeep costs the same however long peers stay; upkeep that reacts to what lookups run into "
        "grows with churn."
    )


def _of_hulls(found: Found) -> str:
    return (
        "Lower left is better. A point is one pace of upkeep (half, usual, double); the line is the hull, the "
        "best that can be had for so many bytes. Where a hull falls steeply, more upkeep buys right answers; "
        "where it is flat or a single point, more of it buys nothing. Points on the lower edge had at most one "
        f"wrong answer in ten thousand, or none among {found['lookups']:,}."
    )


SECTIONS = {
    "hops": Section("Hops", "How many peers a lookup visits, the owner included, as the network grows.", _of_hops),
    "state": Section("State", "How many other peers a peer has to know, and so to keep alive.", _of_state),
    "stretch": Section(
        "Stretch",
        "How long lookups take, in units of the round trip from the asker straight to the owner: each line says "
        "which share of the lookups take at most so long.",
        _of_stretch,
    ),
    "load": Section(
        "Load",
        "How unevenly keys fall on peers: which share of the peers owns at least so many times the mean.",
        _of_load,
    ),
    "failures": Section(
        "Failures", "A share of the peers dies at once, without a word; then the others look keys up.", _of_failures
    ),
    "churn": Section(
        "Churn",
        "Peers leave by crashing after random times with this median, and strangers join in their place: how many "
        "lookups still find the true owner, and what upkeep costs.",
        _of_churn,
    ),
    "hulls": Section(
        "What a byte buys", "Wrong answers against bytes of upkeep, for each length of sessions.", _of_hulls
    ),
}
"""By the names of the pictures."""

STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
body { color: #222; background: #fff }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem }
img { width: 100%; height: auto } .small { font-size: .85rem; color: #555 }
table { border-collapse: collapse; font-size: .9rem }
th, td { text-align: right; padding: .2rem .6rem; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left } pre { background: #f4f4f4; padding: .6rem; overflow-x: auto }"""

TEMPLATE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Lookup overlays compared</title>
<style>
{style}
</style>
<body>
{body}
</body>
</html>
"""
