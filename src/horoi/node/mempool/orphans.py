"""Orphans: transactions that cannot be judged yet, because something they build on is not known here.

Usually a child that overtook its parent on another link. They cost nothing to make, so they are kept unverified, few, not
for long, and the peer with the most of them loses its oldest first. (Bitcoin Core keeps 100 for 20 minutes and evicts by
chance; here parents are seconds away, not minutes, and thousands arrive every second.)
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from horoi.ledger.ledger import Prepared
from horoi.machine.contract import Peer

MAX_COUNT = 5_000  # a guess: what 100 ms of 8,000 transactions a second could bring in the wrong order, six times
MAX_SIZE_BYTES = 8_000_000  # a guess
MAX_AGE_S = 60.0  # a guess: a parent that did not come within some blocks will not come
MAX_WAITS = 32  # inputs that an orphan waits for: above the ancestors that a pool allows (25)


class Orphan(msgspec.Struct, gc=False):
    """A transaction, who brought it, since when it waits and for which transactions."""

    prepared: Prepared
    source: Peer
    since_s: float
    waits_for: tuple[bytes, ...]


class Orphans:
    """Bounded by number, bytes and age, fair between peers."""

    def __init__(
        self, *, max_count: int = MAX_COUNT, max_size_bytes: int = MAX_SIZE_BYTES, max_age_s: float = MAX_AGE_S
    ) -> None:
        self.max_count = max_count
        self.max_size_bytes = max_size_bytes
        self.max_age_s = max_age_s
        self.size_bytes = 0
        self._orphans: dict[bytes, Orphan] = {}  # oldest first
        self._by_source: dict[Peer, dict[bytes, None]] = {}
        self._by_wait: dict[bytes, dict[bytes, None]] = {}

    def __len__(self) -> int:
        return len(self._orphans)

    def __contains__(self, item: bytes) -> bool:
        return item in self._orphans

    def add(
        self, prepared: Prepared, source: Peer, waits_for: Iterable[bytes], now: float, since_s: float | None = None
    ) -> list[bytes]:
        """Keep ``prepared`` until one of ``waits_for`` is known; return the ids that had to go for it (perhaps its own).

        ``since_s`` is for one that waited before, so that waiting again does not make it younger.
        """
        waits = tuple(waits_for)[:MAX_WAITS]
        if prepared.id in self._orphans:
            return []
        if prepared.size_bytes > self.max_size_bytes or not waits:
            return [prepared.id]
        since = now if since_s is None else since_s
        self._orphans[prepared.id] = Orphan(prepared, source, since, waits)
        self._by_source.setdefault(source, {})[prepared.id] = None
        for wait in waits:
            self._by_wait.setdefault(wait, {})[prepared.id] = None
        self.size_bytes += prepared.size_bytes
        gone = []
        while len(self._orphans) > self.max_count or self.size_bytes > self.max_size_bytes:
            most = max(self._by_source, key=lambda peer: len(self._by_source[peer]))
            gone.append(next(iter(self._by_source[most])))
            self.remove(gone[-1])
        return gone

    def remove(self, item: bytes) -> Orphan | None:
        """Forget one."""
        orphan = self._orphans.pop(item, None)
        if orphan is None:
            return None
        self.size_bytes -= orphan.prepared.size_bytes
        _discard(self._by_source, orphan.source, item)
        for wait in orphan.waits_for:
            _discard(self._by_wait, wait, item)
        return orphan

    def take_waiting(self, arrived: bytes) -> list[Orphan]:
        """Take out those that waited for ``arrived``, oldest first: they can be judged again."""
        waiting = self._by_wait.get(arrived)
        if not waiting:
            return []
        taken = [self.remove(item) for item in list(waiting)]
        return [orphan for orphan in taken if orphan is not None]

    def drop_peer(self, source: Peer) -> list[bytes]:
        """Forget all that this peer brought; return their ids."""
        gone = list(self._by_source.get(source, ()))
        for item in gone:
            self.remove(item)
        return gone

    def expire(self, now: float) -> list[bytes]:
        """Forget those that waited too long; return their ids."""
        gone = [item for item, orphan in self._orphans.items() if orphan.since_s + self.max_age_s <= now]
        for item in gone:
            self.remove(item)
        return gone


def _discard(groups: dict[bytes, dict[bytes, None]], group: bytes, item: bytes) -> None:
    members = groups.get(group)
    if members is None:
        return
    members.pop(item, None)
    if not members:
        del groups[group]
