"""Token buckets per source, so that a flood costs its sender more than its victim. Bounded: the oldest source is forgotten.

The key of a bucket is the host, without the port, which costs nothing to change. Datagram addresses can be forged: a flood
in another's name can use up that one's tokens here, which is why buckets are generous and answers to requests of this
machine never pass them.
"""

from __future__ import annotations

from horoi.lookup.vocabulary import Address

RATE_PER_S = 100.0  # requests per second and source, a guess: ten lookups at once through one peer
BURST = 200.0  # a guess: two seconds' worth
MAX_SOURCES = 10_000  # a guess: about 2 MB


class TokenBuckets:
    """One bucket per source. ``take`` says whether a request may be served."""

    __slots__ = ("_buckets", "_burst", "_limit", "_rate_per_s")

    def __init__(self, rate_per_s: float = RATE_PER_S, burst: float = BURST, *, limit: int = MAX_SOURCES) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._limit = limit
        self._buckets: dict[Address, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, address: Address, now: float, cost: float = 1.0) -> bool:
        """Pay for one request from ``address``; False if its bucket has run dry."""
        source = address[0] if isinstance(address, tuple) else address
        tokens, since_s = self._buckets.pop(source, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since_s) * self._rate_per_s)
        is_paid = tokens >= cost
        self._buckets[source] = (tokens - cost if is_paid else tokens, now)  # last: the first is the longest silent
        if len(self._buckets) > self._limit:
            del self._buckets[next(iter(self._buckets))]
        return is_paid
