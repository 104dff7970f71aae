"""Topologically sensitive construction (section 3.6): peers that are near in the network become near in the space.

A newcomer measures its round trip to m well-known landmarks. The order of the landmarks by that time is one of m!, and peers
with one order are likely to be near each other. So the space is divided into m! portions, one for each order: into m parts
along the first dimension, each of these into m-1 along the second, and so on, cycling over the dimensions. The newcomer joins
at a random point of its portion.
"""

from __future__ import annotations

from collections.abc import Sequence

from horoi.base.ids import torus_point

MAX_LANDMARKS = 8  # 40,320 portions; the paper uses 4


def order_by_round_trip(round_trips_s: Sequence[float]) -> tuple[int, ...]:
    """The landmarks' numbers, nearest first.

    >>> order_by_round_trip([0.2, 0.05, 0.1])
    (1, 2, 0)
    """
    return tuple(sorted(range(len(round_trips_s)), key=lambda number: (round_trips_s[number], number)))


def key_in_portion(order: Sequence[int], key: int, dimensions: int, bits: int) -> int:
    """The key moved into the portion of this order: uniform in the portion if it was uniform in the space."""
    width = bits // dimensions
    lows, sizes = [0] * dimensions, [1 << width] * dimensions
    left = list(range(len(order)))
    for step, landmark in enumerate(order[:-1]):
        dimension = step % dimensions
        parts = len(left)
        part = left.index(landmark)
        left.remove(landmark)
        low = sizes[dimension] * part // parts
        sizes[dimension] = sizes[dimension] * (part + 1) // parts - low
        lows[dimension] += low
    moved = 0
    for x, low, size in zip(torus_point(key, dimensions, bits), lows, sizes, strict=True):
        moved = moved << width | low + (x * size >> width)
    return moved << (bits - width * dimensions)
