"""What is remembered of each peer: what it knows already, what it is to hear, what it waits for."""

from __future__ import annotations

from collections.abc import Callable

from horoi.ledger.ledger import Prepared
from horoi.ledger.transaction import Transaction
from horoi.machine.contract import Action, Peer, Send
from horoi.node.relay.messages import DELIVER_SIZE_BYTES, MAX_IDS, Announce, Deliver, NotFound
from horoi.node.relay.recent import Recent
from horoi.node.token_bucket import TokenBucket

KNOWN_IDS = 20_000  # ids per peer that are surely remembered; a guess: over 2 s of 8,000 a second, 3 to 7 MB
SERVED_IDS = 10_000  # nobody is served the same twice within so many
MAX_TO_ANNOUNCE = 50_000  # ids that wait for a peer's next announcement
ANNOUNCE_IDS = 8_000  # ids per announcement timer: the rest waits for the next
MAX_WANTED = 8_000  # ids that a peer may wait for: twice what an honest one has in flight
SERVE_BYTES_PER_S = 16e6  # a guess: five times the busiest load aimed at; bounds what a peer can make us send
SERVE_BURST_BYTES = 4e6


class Link:
    """One peer past the handshake."""

    def __init__(self, peer: Peer, now: float) -> None:
        self.peer = peer
        self.known = Recent(KNOWN_IDS)
        """Ids that it announced to us or we to it."""
        self.served = Recent(SERVED_IDS)
        self.to_announce: list[bytes] = []
        self.wanted: dict[bytes, None] = {}
        self.banned = False
        """It did what no honest peer does: nothing that it sends is read any more."""
        self._share = TokenBucket(SERVE_BYTES_PER_S, SERVE_BURST_BYTES, now)
        """Bytes of transactions."""

    def queue(self, items: list[bytes]) -> bool:
        """Let these be announced. True if they are the first that wait (so a timer is due)."""
        waiting = self.to_announce
        was_idle = not waiting
        waiting.extend(items[: MAX_TO_ANNOUNCE - len(waiting)])
        return was_idle and bool(waiting)

    def announce(self, is_here: Callable[[bytes], bool]) -> list[Action]:
        """The announcements that are due, of what is still here and new to the peer."""
        batch, self.to_announce = self.to_announce[:ANNOUNCE_IDS], self.to_announce[ANNOUNCE_IDS:]
        fresh = []
        for item in batch:
            if item not in self.known and is_here(item):
                self.known.add(item)
                fresh.append(item)
        return [Send(self.peer, Announce(tuple(ids))) for ids in in_parts(fresh)]

    def want(self, ids: tuple[bytes, ...]) -> list[bytes]:
        """The peer asks for these; return those that it will not get: too many at once, or served already."""
        refused = []
        for item in ids:
            if item in self.served or len(self.wanted) >= MAX_WANTED:
                refused.append(item)
            else:
                self.wanted[item] = None
        return refused

    def serve(self, get: Callable[[bytes], Prepared | None], now: float) -> list[Action]:
        """Deliver what the peer wants, as far as its share of bytes allows; the rest stays wanted."""
        self._share.refill(now)
        actions: list[Action] = []
        batch: list[Transaction] = []
        batch_bytes = 0
        absent = []
        while self.wanted and self._share.tokens > 0:
            item = next(iter(self.wanted))
            del self.wanted[item]
            prepared = get(item)
            if prepared is None:
                absent.append(item)
                continue
            if batch and (batch_bytes + prepared.size_bytes > DELIVER_SIZE_BYTES or len(batch) == MAX_IDS):
                actions.append(Send(self.peer, Deliver(tuple(batch))))
                batch, batch_bytes = [], 0
            batch.append(prepared.transaction)
            batch_bytes += prepared.size_bytes
            self._share.overdraw(prepared.size_bytes)
            self.known.add(item)
            self.served.add(item)
        if batch:
            actions.append(Send(self.peer, Deliver(tuple(batch))))
        return [*actions, *self.lack(absent)]

    def lack(self, ids: list[bytes]) -> list[Action]:
        """Say that these are not to be had."""
        return [Send(self.peer, NotFound(tuple(part))) for part in in_parts(ids)]


def in_parts(ids: list[bytes]) -> list[list[bytes]]:
    """Cut into as many messages as it takes."""
    return [ids[start : start + MAX_IDS] for start in range(0, len(ids), MAX_IDS)]
