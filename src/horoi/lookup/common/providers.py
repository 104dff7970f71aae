"""Who said to have what: provider records that a peer keeps for others. They expire, and are bounded per key and in all; what
room there is is shared fairly (``shares``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from horoi.base.sources import Source, source_of
from horoi.lookup.common.shares import SharedStore, crowding
from horoi.lookup.vocabulary import MAX_PROVIDERS, PROVIDER_TTL_S, Contact

MAX_WORDS = 100_000  # of all keys together: 60 MB if each has a key of its own. A guess
MAX_PER_KEY = 100  # a guess: five answers' worth; of the network group that has most of them, who spoke first gives way


class Word(NamedTuple):
    """When a provider's word is forgotten, and whom it counts for."""

    expires_s: float
    source: Source


class ProviderStore(SharedStore[tuple[int, Contact]]):
    """Providers by key. A provider that says so again lives on."""

    __slots__ = ("_count", "_keys")

    def __init__(self, *, limit: int = MAX_WORDS) -> None:
        super().__init__(limit)
        self._count = 0  # of all keys together
        self._keys: dict[int, dict[Contact, Word]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def add(
        self, key: int, provider: Contact, now: float, ttl_s: float = PROVIDER_TTL_S, *, source: Source | None = None
    ) -> str | None:
        """Keep the word of a provider. Returns why not, or None.

        It counts for the provider's own address; for the ``source`` that brought it, where it is another's, since providers that
        never spoke here can be made up of as many addresses as one likes.
        """
        source = source or source_of(provider.address)
        said = self._keys.get(key, {}).get(provider)
        if said is not None:
            source = self._counts_for(said.source, source)
            self._forget((key, provider))
        elif not self._has_room(key, source, now):
            return f"{self._limit} words of providers are kept here, and nobody brought more of them than you"
        self._keys.setdefault(key, {})[provider] = Word(now + min(max(ttl_s, 0.0), PROVIDER_TTL_S), source)
        self._count += 1
        self._came((key, provider), source)  # the youngest word last
        return None

    def _has_room(self, key: int, source: Source, now: float) -> bool:
        providers = self._keys.get(key)
        if providers is None or len(providers) < MAX_PER_KEY:
            return self._makes_room(source, now)
        crowded = crowding(((provider, word.source) for provider, word in providers.items()), source)
        assert crowded is not None  # there are as many as there may be
        self._forget((key, crowded))
        return True

    def get(self, key: int, now: float, limit: int = MAX_PROVIDERS) -> tuple[Contact, ...]:
        """At most ``limit`` providers, who spoke last first."""
        alive = [provider for provider, word in self._keys.get(key, {}).items() if word.expires_s > now]
        return tuple(alive[::-1][: max(0, limit)])

    def items(self, now: float) -> Iterator[tuple[int, Contact, float]]:
        """(key, provider, seconds left) of all that have not expired."""
        for key, providers in self._keys.items():
            for provider, word in providers.items():
                if word.expires_s > now:
                    yield key, provider, word.expires_s - now

    def expire(self, now: float) -> int:
        """Forget what has expired; returns how many keys have no provider any more."""
        before = len(self._keys)
        old = [(key, who) for key, words in self._keys.items() for who, word in words.items() if word.expires_s <= now]
        for name in old:
            self._forget(name)
        return before - len(self._keys)

    def _size(self) -> int:
        return self._count

    def _held(self) -> Iterator[tuple[tuple[int, Contact], Source]]:
        for key, providers in self._keys.items():
            for provider, word in providers.items():
                yield (key, provider), word.source

    def _forget(self, name: tuple[int, Contact]) -> None:
        key, provider = name
        providers = self._keys[key]
        word = providers.pop(provider)
        if not providers:
            del self._keys[key]
        self._count -= 1
        self._gone(name, word.source)
