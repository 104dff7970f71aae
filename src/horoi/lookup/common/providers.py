"""Who said to have what: provider records that a peer keeps for others. They expire, and are bounded per key and in all."""

from __future__ import annotations

from collections.abc import Iterator

from horoi.lookup.vocabulary import MAX_PROVIDERS, PROVIDER_TTL_S, Contact

MAX_KEYS = 100_000  # a guess: 20 MB of a few providers each
MAX_PER_KEY = 100  # a guess: five answers' worth; the one that expires first gives way


class ProviderStore:
    """Providers by key. A provider that says so again lives on."""

    __slots__ = ("_keys", "_limit")

    def __init__(self, *, limit: int = MAX_KEYS) -> None:
        self._limit = limit
        self._keys: dict[int, dict[Contact, float]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: int, provider: Contact, now: float, ttl_s: float = PROVIDER_TTL_S) -> str | None:
        """Keep the word of a provider. Returns why not, or None."""
        providers = self._keys.get(key)
        if providers is None:
            if len(self._keys) >= self._limit and not self.expire(now):
                return f"providers of {self._limit} keys are kept here, which is all there is room for"
            providers = self._keys[key] = {}
        elif provider not in providers and len(providers) >= MAX_PER_KEY:
            del providers[min(providers, key=providers.__getitem__)]
        providers.pop(provider, None)  # the youngest word last
        providers[provider] = now + min(max(ttl_s, 0.0), PROVIDER_TTL_S)
        return None

    def get(self, key: int, now: float, limit: int = MAX_PROVIDERS) -> tuple[Contact, ...]:
        """At most ``limit`` providers, who spoke last first."""
        alive = [provider for provider, expires_s in self._keys.get(key, {}).items() if expires_s > now]
        return tuple(alive[::-1][: max(0, limit)])

    def items(self, now: float) -> Iterator[tuple[int, Contact, float]]:
        """(key, provider, seconds left) of all that have not expired."""
        for key, providers in self._keys.items():
            for provider, expires_s in providers.items():
                if expires_s > now:
                    yield key, provider, expires_s - now

    def expire(self, now: float) -> int:
        """Forget what has expired; returns how many keys have no provider any more."""
        gone = 0
        for key in list(self._keys):
            alive = {provider: expires_s for provider, expires_s in self._keys[key].items() if expires_s > now}
            if alive:
                self._keys[key] = alive
            else:
                del self._keys[key]
                gone += 1
        return gone
