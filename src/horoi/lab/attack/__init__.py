"""Attacks on proof of work, played out block by block and held against the published formulas.

    private-fork   pay, then publish a longer chain without the payment (Nakamoto 2008, Rosenfeld 2014)
    selfish        hide blocks, so that the others waste work (Eyal & Sirer 2014)
    majority       rewrite history with half the hash power or more (Feller's random walk)
    stale          what a slow network wastes, and the share that then suffices (Dembo et al. 2020)
    timestamps     lie about time to a per-block difficulty rule (ASERT)

Each kind is a small state machine driven by one seeded ``random.Random``, so a seed is a universe. ``predict`` has the
formulas, ``published`` the papers' tables.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from horoi.base.errors import UsageError
from horoi.lab.attack import majority, private_fork, selfish, stale, timestamps
from horoi.lab.attack.result import Progress, Result

__all__ = ["KINDS", "Progress", "Result", "run"]

KINDS: dict[str, Callable[..., Result]] = {
    "private-fork": private_fork.run,
    "selfish": selfish.run,
    "majority": majority.run,
    "stale": stale.run,
    "timestamps": timestamps.run,
}


def run(kind: str, *, progress: Progress | None = None, **params: Any) -> Result:
    """Run one kind of attack and return its result, ready for JSON.

    ``params`` are those of the kind's own ``run`` (share, trials, seed, ...); what is left out has that kind's default.
    Every result has: kind, the parameters, trials, seed, model, measured, predicted, standard_error, agrees (within four
    standard errors), digest (SHA-256 of the outcomes), seconds. Raises UsageError for an unknown kind or parameter.
    """
    if kind not in KINDS:
        raise UsageError(f"attack kind must be one of {', '.join(KINDS)}, not {kind!r}")
    accepted = [name for name in inspect.signature(KINDS[kind]).parameters if name != "progress"]
    for name in params:
        if name not in accepted:
            raise UsageError(f"attack kind {kind} takes {', '.join(accepted)}, but no {name}")
    return KINDS[kind](**params, progress=progress)
