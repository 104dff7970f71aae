"""Admission where fees are zero: what a fee would limit is limited per signing key and per peer.

Per key: how many may wait, and a token bucket for how many may enter per second. Only verified transactions are counted,
so nobody uses up another's quota. Per peer: how many of those that wait it brought first. Keys are free, so transactions
that spend nothing (posts, definitions) have a share of their own; those that spend something need a holding to begin with.
"""

from __future__ import annotations

import msgspec

from horoi.base.errors import RuleError
from horoi.ledger.ledger import Prepared
from horoi.machine.contract import Peer
from horoi.node.mempool.limits import Limits

IDLE_KEYS = 10_000  # keys remembered while nothing of theirs waits: a guess, about 3 MB


class _Bucket(msgspec.Struct, gc=False):
    waiting: int
    tokens: float
    at_s: float


class Quotas:
    """Counts of what waits, by key and by peer."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._keys: dict[bytes, _Bucket] = {}
        self._idle: dict[bytes, None] = {}
        self._peers: dict[Peer, int] = {}
        self._inputless = 0
        self._max_per_peer = int(limits.max_count * limits.max_share_of_peer)
        self._max_inputless = int(limits.max_count * limits.max_share_inputless)

    def check(self, prepared: Prepared, source: Peer | None, now: float) -> None:
        """Raise RuleError if this transaction is over a quota."""
        limits = self._limits
        for signature in prepared.transaction.witness.signatures:
            bucket = self._keys.get(signature.key)
            if bucket is None:
                continue
            if bucket.waiting >= limits.max_per_key:
                raise RuleError(
                    "pool.key", f"{bucket.waiting} transactions of key {signature.key.hex()} wait already: send later"
                )
            if bucket.tokens + (now - bucket.at_s) * limits.key_rate_per_s < 1:
                raise RuleError(
                    "pool.key", f"key {signature.key.hex()} sends more than {limits.key_rate_per_s:g} per s: send later"
                )
        if source is not None and self._peers.get(source, 0) >= self._max_per_peer:
            raise RuleError("pool.peer", f"{self._max_per_peer} transactions that this peer brought wait already")
        if self._inputless >= self._max_inputless and not prepared.transaction.body.inputs:
            raise RuleError("pool.inputless", f"{self._inputless} transactions without inputs wait already: send later")

    def enter(self, prepared: Prepared, source: Peer | None, now: float) -> None:
        """Count a transaction that was admitted."""
        burst = float(self._limits.max_per_key)
        for signature in prepared.transaction.witness.signatures:
            bucket = self._keys.get(signature.key)
            if bucket is None:
                bucket = self._keys[signature.key] = _Bucket(0, burst, now)
            elif bucket.waiting == 0:
                self._idle.pop(signature.key, None)
            earned = bucket.tokens + (now - bucket.at_s) * self._limits.key_rate_per_s
            bucket.tokens = (earned if earned < burst else burst) - 1
            bucket.at_s = now
            bucket.waiting += 1
        if source is not None:
            self._peers[source] = self._peers.get(source, 0) + 1
        if not prepared.transaction.body.inputs:
            self._inputless += 1

    def leave(self, prepared: Prepared, source: Peer | None) -> None:
        """Uncount a transaction that left."""
        for signature in prepared.transaction.witness.signatures:
            bucket = self._keys[signature.key]
            bucket.waiting -= 1
            if bucket.waiting == 0:
                self._idle[signature.key] = None
        if source is not None:
            left = self._peers[source] - 1
            if left:
                self._peers[source] = left
            else:
                del self._peers[source]
        if not prepared.transaction.body.inputs:
            self._inputless -= 1
        while len(self._idle) > IDLE_KEYS:
            key = next(iter(self._idle))
            del self._idle[key], self._keys[key]
