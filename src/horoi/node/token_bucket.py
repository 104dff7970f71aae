"""How much a peer may do or be sent: a token bucket (Turner, "New Directions in Communications", IEEE Communications
Magazine 24(10), 1986; there "leaky bucket")."""

from __future__ import annotations


class TokenBucket:
    """Allows ``burst`` things at once and ``per_s`` of them per second in the long run."""

    __slots__ = ("_at_s", "burst", "per_s", "tokens")

    def __init__(self, per_s: float, burst: float, now: float) -> None:
        self.per_s = per_s
        self.burst = burst
        self.tokens = burst
        self._at_s = now

    def refill(self, now: float) -> None:
        """Add what has come since the last time."""
        if self.tokens < self.burst:  # tokens above the burst were granted and do not grow
            self.tokens = min(self.burst, self.tokens + (now - self._at_s) * self.per_s)
        self._at_s = now

    def take(self, now: float) -> bool:
        """Take one token; False if there is none."""
        self.refill(now)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def overdraw(self, tokens: float) -> None:
        """Take so many, down to below zero: for things whose size shows only when they are at hand."""
        self.tokens -= tokens

    def grant(self, tokens: float) -> None:
        """Allow so many more, once, above the burst if need be."""
        self.tokens += tokens
