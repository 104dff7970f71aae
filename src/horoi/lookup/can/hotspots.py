"""Hot spots (section 3.8): a cache of what passed by, and copies of hot keys at the neighbours.

A peer remembers the values that it has lately fetched, and answers requests for them that it should only forward. And a peer
that is asked too often for one key gives each neighbour a copy, so that requests end before they reach it.
"""

from __future__ import annotations

from horoi.base.sources import OWN
from horoi.lookup.common.values import Kept

MAX_CACHED = 128  # values, a guess: 128 kB at most
MAX_COUNTED = 256  # keys whose fetches are counted, a guess
WINDOW_S = 10.0  # over which fetches are counted, a guess


class HotSpots:
    """The cache of one peer, and how often it is asked for what. Both forget the oldest."""

    __slots__ = ("_cache", "_counts", "_routed", "_window_s")

    def __init__(self) -> None:
        self._cache: dict[int, Kept] = {}
        self._routed: dict[int, int] = {}  # the key as it is routed, under some hash function -> the key
        self._counts: dict[int, int] = {}
        self._window_s = 0.0

    def __len__(self) -> int:
        return len(self._cache)

    def remember(self, key: int, routed: list[int], value: bytes, expires_s: float) -> None:
        """Cache a value. ``routed`` are the names under which requests for it travel."""
        self._cache.pop(key, None)
        self._cache[key] = Kept(value, expires_s, OWN)
        for name in routed:
            self._routed[name] = key
        if len(self._cache) > MAX_CACHED:
            self._forget(next(iter(self._cache)))

    def _forget(self, key: int) -> None:
        del self._cache[key]
        for name in [name for name, of in self._routed.items() if of == key]:
            del self._routed[name]

    def get(self, key: int, now: float) -> Kept | None:
        """The cached value of a key."""
        kept = self._cache.get(key)
        if kept is not None and kept.expires_s <= now:
            self._forget(key)
            return None
        return kept

    def has_routed(self, name: int, now: float) -> bool:
        """Whether the cache can answer a request that travels under this name."""
        key = self._routed.get(name)
        return key is not None and self.get(key, now) is not None

    def is_hot(self, key: int, now: float, hot_per_s: float) -> bool:
        """Count a fetch; True at the moment in which it makes the key hot: then copies should be made."""
        if now >= self._window_s + WINDOW_S:
            self._window_s = now
            self._counts.clear()
        if key not in self._counts and len(self._counts) >= MAX_COUNTED:
            return False
        self._counts[key] = count = self._counts.get(key, 0) + 1
        return count == int(hot_per_s * WINDOW_S) + 1
