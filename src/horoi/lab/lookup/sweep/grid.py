"""Which runs a sweep has: the product of its options, seeds innermost, without what would be the same run twice."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from horoi.base.errors import UsageError
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.run import settings_of

MAX_RUNS = 100_000  # a guess: more is a slip of the hand

READ_BY = {
    "dimensions": ("can",),
    "digit_bits": ("pastry", "tapestry"),
    "leaf_set": ("pastry",),
    "k": ("kademlia",),
    "alpha": ("kademlia",),
    "disjoint": ("kademlia",),
    "free_ids": ("kademlia",),
    "successors": ("chord",),
    "virtual": ("chord",),
}
"""Options that only these overlays read. For the others they stay at their defaults, or runs would be repeated."""


@dataclass(frozen=True)
class Job:
    """One run of a sweep."""

    settings: Settings
    details: bool = False

    @property
    def key(self) -> str:
        """The run's name in a file of results: its settings, in full, so that other defaults are another run."""
        return json.dumps({**asdict(self.settings), "details": self.details}, separators=(",", ":"))

    @property
    def cell(self) -> Settings:
        """The run without its seed: what is averaged over."""
        return replace(self.settings, seed=0)


def grid(options: Mapping[str, Sequence[Any]], seeds: Sequence[int], *, details: bool = False) -> list[Job]:
    """The runs of all combinations of ``options`` (lists of values for fields of ``Settings``), each with all seeds.

    Every one is checked, before any is begun. Raises UsageError.
    """
    for name, values in options.items():
        if not values:
            raise UsageError(f"{name} has no value; give at least one, or leave it out")
    count = len(seeds)
    for values in options.values():
        count *= len(values)
    if not 0 < count <= MAX_RUNS:
        raise UsageError(f"a sweep has from 1 to {MAX_RUNS} runs, not {count}; give fewer values or seeds")
    cells = [
        as_read(settings_of(dict(zip(options, values, strict=True)))) for values in itertools.product(*options.values())
    ]
    return [Job(replace(cell, seed=seed), details) for cell in dict.fromkeys(cells) for seed in seeds]


def as_read(settings: Settings) -> Settings:
    """The settings with what the overlay does not read at its default."""
    defaults: dict[str, Any] = {field.name: field.default for field in fields(Settings)}
    unread = {name: defaults[name] for name, overlays in READ_BY.items() if settings.overlay not in overlays}
    return replace(settings, **unread)
