"""What this node saw happen since it started: who was first with what, and how long transactions waited.

Kept in memory and bounded; a restart begins anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import time
from typing import TypeVar

from horoi.machine.contract import Peer
from horoi.node.events import PeerUseful, TipChanged, TransactionAccepted, TransactionRemoved
from horoi.web.access import NodeAccess

K = TypeVar("K")
V = TypeVar("V")

MAX_PEERS = 1_000  # whose contributions are remembered; a guess, many times the links
MAX_WAITING = 50_000  # transactions whose arrival is remembered: 10 MB
MAX_BLOCKS = 20_000  # whose waits are remembered: 2 MB


class Contribution:
    """What a peer was the first to bring."""

    __slots__ = ("blocks", "transactions")

    def __init__(self) -> None:
        self.blocks = 0
        self.transactions = 0


class Observed:
    """Listens from its making until ``close``. ``now`` gives seconds since 1970."""

    def __init__(self, access: NodeAccess, now: Callable[[], float] = time) -> None:
        self._access = access
        self._now = now
        self._contributions: OrderedDict[Peer, Contribution] = OrderedDict()
        self._arrived_s: OrderedDict[bytes, float] = OrderedDict()
        self._waits_ms: OrderedDict[bytes, float] = OrderedDict()
        """Mean wait of a block's transactions that this node saw come, by the block's name."""
        kinds = (PeerUseful, TransactionAccepted, TransactionRemoved, TipChanged)
        self._leave = access.host.on_notice(self._hear, *kinds)
        self._start_height = access.node.chain.tip.height

    def close(self) -> None:
        """Stop listening."""
        self._leave()

    def contribution(self, peer: Peer) -> Contribution:
        """What a peer brought first."""
        return self._contributions.get(peer) or Contribution()

    def waits_ms(self, start: int, end: int) -> list[float]:
        """How long the transactions of the connected blocks of these heights had waited here, of those that it saw come."""
        active = self._access.node.chain.active
        first = max(start, self._start_height, len(active) - MAX_BLOCKS)
        names = (active[height].name for height in range(first, end + 1))
        return [wait for name in names if (wait := self._waits_ms.get(name)) is not None]

    def _hear(self, notice: object) -> None:
        if isinstance(notice, TransactionAccepted):
            self._accepted(notice.prepared.id)
        elif isinstance(notice, PeerUseful):
            self._of(notice.peer).blocks += 1
        elif isinstance(notice, TipChanged):
            self._moved(notice)
        elif isinstance(notice, TransactionRemoved) and notice.why != "confirmed":
            self._arrived_s.pop(notice.id, None)

    def _accepted(self, item: bytes) -> None:
        entry = self._access.node.mempool.entries.get(item)
        if entry is not None and entry.source is not None:
            self._of(entry.source).transactions += 1
        _put(self._arrived_s, item, self._now(), MAX_WAITING)

    def _moved(self, change: TipChanged) -> None:
        now = self._now()
        for block in change.connected:
            waits = [now - at for item in block.prepared if (at := self._arrived_s.pop(item.id, None)) is not None]
            if waits:
                _put(self._waits_ms, block.known.name, 1000 * sum(waits) / len(waits), MAX_BLOCKS)

    def _of(self, peer: Peer) -> Contribution:
        found = self._contributions.get(peer)
        if found is None:
            found = Contribution()
            _put(self._contributions, peer, found, MAX_PEERS)
        return found


def _put(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)
