"""The numbers of a comparison, as JSON has them and as the pictures draw them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from horoi.lab.lookup.compare.formulas import FORMULAS
from horoi.lab.lookup.compare.plan import Plan
from horoi.lab.lookup.sweep.results import Results
from horoi.lab.lookup.sweep.summary import digest_of

Point = tuple[float, float]

HALF = 0.5
CHURN_SESSION_S = 84.0  # Rhea et al. 2004: the shortest median session, 1.4 minutes
PACE = 1.0


def figures(plan: Plan, results: Results) -> dict[str, Any]:
    """Everything that the comparison found."""
    return {
        "command": plan.command,
        "peers": plan.peers,
        "lookups": plan.lookups,
        "seed": plan.seed,
        "latency": plan.latency,
        "churn_peers": plan.peers_in_churn,
        "minutes": plan.minutes,
        "overlays": {overlay: _of(plan, results, overlay) for overlay in plan.overlays},
        "digest": digest_of(plan.jobs(), results),
    }


def _of(plan: Plan, results: Results, overlay: str) -> dict[str, Any]:
    standing = results[plan.standing(overlay, plan.peers)]
    half = results[plan.failed(overlay, HALF)]
    churn = results[plan.churned(overlay, CHURN_SESSION_S, PACE)]
    return {
        "table": {
            "hops_mean": standing["hops_mean"],
            "hops_p99": standing["hops_p99"],
            "hops_formula": FORMULAS[overlay].hops(plan.peers, plan.standing(overlay, plan.peers).settings),
            "messages_per_lookup": standing["messages_per_lookup"],
            "stretch_p50": standing["stretch_p50"],
            "state_entries_mean": standing["state_entries_mean"],
            "keys_p99_over_mean": standing["keys_p99_over_mean"],
            "keys_max_over_mean": standing["keys_max_over_mean"],
            "half_failed_correct": half["correct"],
            "half_failed_timeouts": half["timeouts_per_lookup"],
            "churn_correct": churn["correct"],
            "churn_bytes_per_s": churn["maintenance_bytes_per_s_per_peer"],
        },
        "hops": _by_size(plan, results, overlay, "hops_mean"),
        "formula": [
            (peers, FORMULAS[overlay].hops(peers, plan.standing(overlay, peers).settings)) for peers in plan.sizes
        ],
        "state": _by_size(plan, results, overlay, "state_entries_mean"),
        "failed": [
            (0.0, standing["correct"]),
            *((share, results[plan.failed(overlay, share)]["correct"]) for share in plan.failed_shares),
        ],
        "churn": [
            {
                "median_session_s": session_s,
                "pace": pace,
                "correct": results[plan.churned(overlay, session_s, pace)]["correct"],
                "bytes_per_s": results[plan.churned(overlay, session_s, pace)]["maintenance_bytes_per_s_per_peer"],
            }
            for session_s in plan.sessions_s
            for pace in plan.paces
        ],
        "load": load_beyond(standing["keys_histogram"]),
        "stretch": [(stretch, share / 100) for share, stretch in enumerate(standing["stretch_percentiles"])],
    }


def _by_size(plan: Plan, results: Results, overlay: str, name: str) -> list[Point]:
    return [(peers, results[plan.standing(overlay, peers)][name]) for peers in plan.sizes]


def load_beyond(histogram: Sequence[Sequence[int]]) -> list[Point]:
    """(keys over the mean, share of the peers that own at least so many) for each number of keys that occurs.

    >>> load_beyond([(0, 1), (2, 2), (4, 1)])
    [(0.0, 1.0), (1.0, 0.75), (2.0, 0.25)]
    """
    peers = sum(count for _, count in histogram)
    mean = sum(keys * count for keys, count in histogram) / peers
    below = accumulate((count for _, count in histogram), initial=0)
    return [(keys / mean, 1 - under / peers) for (keys, _), under in zip(histogram, below, strict=False)]


def hull(points: Sequence[Point]) -> list[Point]:
    """The lower left convex hull of points (cost, harm): what can be had at best, from the cheapest to the least harmful.

    Points on a line between two others say nothing new and are left out (Andrew's monotone chain).

    >>> hull([(1, 9), (2, 3), (3, 4), (4, 1), (5, 1)])
    [(1, 9), (2, 3), (4, 1)]
    """
    chain: list[Point] = []
    for point in sorted(points):
        if chain and point[1] >= chain[-1][1]:
            continue  # dearer and no better
        while len(chain) > 1 and _turns_right(chain[-2], chain[-1], point):
            chain.pop()
        chain.append(point)
    return chain


def _turns_right(a: Point, b: Point, c: Point) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) <= 0
