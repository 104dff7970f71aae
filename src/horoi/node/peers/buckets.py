"""A table of buckets of 64 slots, nearly all of them empty, from which a filled slot is drawn fairly by bucket.

First a bucket among those that hold anything, each as likely as another, then a slot in it. So what counts is in how many
buckets an attacker is, not how many addresses he put there.
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

BUCKET_SIZE = 64  # Heilman et al. 2015, section 2.2; Bitcoin Core


class Place(NamedTuple):
    """A slot of a bucket."""

    bucket: int
    slot: int


class Buckets(Generic[T]):
    """Sparse: memory and time follow what is in it. Kept sorted, so that a draw does not depend on history."""

    def __init__(self) -> None:
        self._at: dict[Place, T] = {}
        self._slots: dict[int, list[int]] = {}
        self._filled: list[int] = []

    def __len__(self) -> int:
        return len(self._at)

    def get(self, place: Place) -> T | None:
        """What is there."""
        return self._at.get(place)

    def put(self, place: Place, item: T) -> None:
        """Fill an empty slot."""
        assert place not in self._at, f"{place} is taken"
        self._at[place] = item
        slots = self._slots.setdefault(place.bucket, [])
        if not slots:
            insort(self._filled, place.bucket)
        insort(slots, place.slot)

    def clear(self, place: Place) -> None:
        """Empty a filled slot."""
        del self._at[place]
        slots = self._slots[place.bucket]
        slots.remove(place.slot)
        if not slots:
            del self._slots[place.bucket]
            del self._filled[bisect_left(self._filled, place.bucket)]

    def draw(self, dice: random.Random) -> T:
        """Any filled slot's content; the table must not be empty."""
        bucket = dice.choice(self._filled)
        return self._at[Place(bucket, dice.choice(self._slots[bucket]))]

    def filled_buckets(self) -> Iterator[int]:
        """The buckets that hold anything, ascending."""
        return iter(self._filled)
