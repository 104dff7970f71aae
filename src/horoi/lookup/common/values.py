"""Values that a peer keeps for others: they expire, and what anyone can make it keep is bounded and shared fairly (``shares``).

A value whose key is its own hash (``ids.key_of(value)``) proves itself, so nothing else can take its place; any other key
takes the last value that was put.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from horoi.base.ids import key_of
from horoi.base.sources import OWN, Source
from horoi.lookup.common.shares import SharedStore
from horoi.lookup.vocabulary import MAX_VALUE_BYTES, VALUE_TTL_S

MAX_VALUES = 100_000  # a guess: 100 MB of the largest values
MAX_TTL_S = 24 * VALUE_TTL_S  # a guess: a day, then somebody must still want it


class Kept(NamedTuple):
    """A value, the time when it is forgotten, and whom it counts for."""

    value: bytes
    expires_s: float
    source: Source


class ValueStore(SharedStore[int]):
    """Values by key, bounded in number and in bytes each."""

    __slots__ = ("_bits", "_values")

    def __init__(self, bits: int, *, limit: int = MAX_VALUES) -> None:
        super().__init__(limit)
        self._bits = bits
        self._values: dict[int, Kept] = {}

    def __len__(self) -> int:
        return len(self._values)

    def put(self, key: int, value: bytes, ttl_s: float, now: float, source: Source = OWN) -> str | None:
        """Keep a value that ``source`` brings for ``ttl_s`` (at most a day). Returns why not, or None."""
        if len(value) > MAX_VALUE_BYTES:
            return f"a value has at most {MAX_VALUE_BYTES} bytes, this one {len(value)}"
        if not ttl_s > 0:
            return "a time to live is more than 0 s"
        kept = self.get(key, now)
        if kept is None:
            if not self._makes_room(source, now):
                return f"{self._limit} values are kept here, and nobody brought more of them than you"
        elif kept.value != value and key_of(kept.value, self._bits) == key:
            return "the key is the hash of the value that is kept here"
        else:
            source = self._counts_for(kept.source, source)
            self._forget(key)
        self._values[key] = Kept(value, now + min(ttl_s, MAX_TTL_S), source)
        self._came(key, source)
        return None

    def merge(self, key: int, value: bytes, ttl_s: float, now: float, source: Source = OWN) -> str | None:
        """Take a copy from another peer: the one that lives longer stays, so an old copy never replaces a newer one."""
        kept = self.get(key, now)
        if kept is not None and kept.expires_s >= now + ttl_s:
            return None
        return self.put(key, value, ttl_s, now, source)

    def get(self, key: int, now: float) -> Kept | None:
        """What is kept under ``key``, unless it has expired."""
        kept = self._values.get(key)
        if kept is not None and kept.expires_s <= now:
            self._forget(key)
            return None
        return kept

    def items(self, now: float) -> Iterator[tuple[int, Kept]]:
        """Keys and values that have not expired, in the order in which they came."""
        return ((key, kept) for key, kept in self._values.items() if kept.expires_s > now)

    def discard(self, key: int) -> None:
        """Forget a value."""
        if key in self._values:
            self._forget(key)

    def expire(self, now: float) -> int:
        """Forget what has expired; returns how many."""
        old = [key for key, kept in self._values.items() if kept.expires_s <= now]
        for key in old:
            self._forget(key)
        return len(old)

    def _size(self) -> int:
        return len(self._values)

    def _held(self) -> Iterator[tuple[int, Source]]:
        return ((key, kept.source) for key, kept in self._values.items())

    def _forget(self, key: int) -> None:
        self._gone(key, self._values.pop(key).source)
