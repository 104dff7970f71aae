"""Whom a lookup may ask next, in order of distance: short lists, the nearest last."""

from __future__ import annotations

from operator import itemgetter
from typing import TypeAlias

from horoi.lookup.vocabulary import Contact

MAX_CANDIDATES = 64  # a guess: four per step, and the farthest are never needed

Place: TypeAlias = tuple[int, int, Contact]
"""(distance to the key or behind it, hops to it, who)."""

_distance = itemgetter(0)


def merge(places: list[Place], more: list[Place]) -> list[Place]:
    """All of them, the nearest last, and no more than the nearest ``MAX_CANDIDATES``.

    ``more`` comes the nearest first, and mostly is nearer than ``places``.
    """
    more.reverse()
    if places and places[-1][0] <= more[0][0]:
        more += places
        more.sort(key=_distance, reverse=True)
        places = []
    elif len(more) > 1:
        more.sort(key=_distance, reverse=True)
    places += more
    return places[-MAX_CANDIDATES:] if len(places) > MAX_CANDIDATES else places
