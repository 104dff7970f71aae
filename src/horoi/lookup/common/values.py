"""Values that a peer keeps for others: they expire, and what anyone can make it keep is bounded.

A value whose key is its own hash (``ids.key_of(value)``) proves itself, so nothing else can take its place; any other key
takes the last value that was put.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from horoi.base.ids import key_of
from horoi.lookup.vocabulary import MAX_VALUE_BYTES, VALUE_TTL_S

MAX_VALUES = 100_000  # a guess: 100 MB of the largest values
MAX_TTL_S = 24 * VALUE_TTL_S  # a guess: a day, then somebody must still want it


class Kept(NamedTuple):
    """A value and the time when it is forgotten."""

    value: bytes
    expires_s: float


class ValueStore:
    """Values by key, bounded in number and in bytes each."""

    __slots__ = ("_bits", "_limit", "_values")

    def __init__(self, bits: int, *, limit: int = MAX_VALUES) -> None:
        self._bits = bits
        self._limit = limit
        self._values: dict[int, Kept] = {}

    def __len__(self) -> int:
        return len(self._values)

    def refusal(self, key: int, value: bytes, now: float) -> str | None:
        """Why this value cannot be kept, in one phrase; None if it can."""
        if len(value) > MAX_VALUE_BYTES:
            return f"a value has at most {MAX_VALUE_BYTES} bytes, this one {len(value)}"
        kept = self.get(key, now)
        if kept is None:
            if len(self._values) >= self._limit and not self._make_room(now):
                return f"{self._limit} values are kept here, which is all there is room for"
            return None
        if kept.value != value and key_of(kept.value, self._bits) == key:
            return "the key is the hash of the value that is kept here"
        return None

    def put(self, key: int, value: bytes, ttl_s: float, now: float) -> str | None:
        """Keep a value for ``ttl_s`` (at most a day). Returns why not, or None."""
        refusal = self.refusal(key, value, now)
        if refusal is not None:
            return refusal
        if not ttl_s > 0:
            return "a time to live is more than 0 s"
        self._values[key] = Kept(value, now + min(ttl_s, MAX_TTL_S))
        return None

    def merge(self, key: int, value: bytes, ttl_s: float, now: float) -> str | None:
        """Take a copy from another peer: the one that lives longer stays, so an old copy never replaces a newer one."""
        kept = self.get(key, now)
        if kept is not None and kept.expires_s >= now + ttl_s:
            return None
        return self.put(key, value, ttl_s, now)

    def get(self, key: int, now: float) -> Kept | None:
        """What is kept under ``key``, unless it has expired."""
        kept = self._values.get(key)
        if kept is not None and kept.expires_s <= now:
            del self._values[key]
            return None
        return kept

    def items(self, now: float) -> Iterator[tuple[int, Kept]]:
        """Keys and values that have not expired, in the order in which they came."""
        return ((key, kept) for key, kept in self._values.items() if kept.expires_s > now)

    def discard(self, key: int) -> None:
        """Forget a value."""
        self._values.pop(key, None)

    def expire(self, now: float) -> int:
        """Forget what has expired; returns how many."""
        old = [key for key, kept in self._values.items() if kept.expires_s <= now]
        for key in old:
            del self._values[key]
        return len(old)

    def _make_room(self, now: float) -> bool:
        return self.expire(now) > 0
