"""What is known and owed between us and one peer, all of it bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from horoi.machine.contract import Action, Peer, Send
from horoi.node.offers.messages import (
    GIVE_SIZE_BYTES,
    MAX_IDS,
    MAX_ITEMS,
    OfferGet,
    OfferGive,
    OfferGone,
    OfferHave,
    Version,
)
from horoi.node.offers.offer import Offer
from horoi.node.token_bucket import TokenBucket

MAX_REMEMBERED = 8_192  # versions that a peer announced: twice what an honest book holds
MAX_WANTED = 64  # ids that a peer may wait for: four of its questions
SERVE_BYTES_PER_S = (
    500_000.0  # a guess: an offer of 1 kB is served 500 times a second; bounds what a peer can make us send
)
SERVE_BURST_BYTES = 2_000_000.0  # a guess: a new peer gets 2,000 offers at once

Value = TypeVar("Value")

Find = Callable[[bytes], tuple[Offer, bytes, int] | None]
"""An offer by its id: with its mark and its size in bytes."""


class Link:
    """One peer past the handshake."""

    def __init__(self, peer: Peer, now: float) -> None:
        self.peer = peer
        self.knows: dict[bytes, bytes] = {}
        """Which version it has, as far as we heard or told."""
        self.has: dict[bytes, bytes] = {}
        """Versions that it announced and that we may ask for, oldest first."""
        self.early: dict[bytes, bytes] = {}
        """Versions that it delivered and that the next block may allow."""
        self.owes: dict[bytes, float] = {}
        """Asked of it, with the time by which it should come."""
        self.late: dict[bytes, None] = {}
        """Asked of it and given up; that it comes all the same is no fault."""
        self.to_tell: dict[bytes, None] = {}
        self.banned = False
        """It did what no honest peer does: nothing that it sends is read any more."""
        self._wanted: dict[bytes, None] = {}
        self._share = TokenBucket(SERVE_BYTES_PER_S, SERVE_BURST_BYTES, now)

    @property
    def is_waiting(self) -> bool:
        """True while it wants something that its share does not allow yet."""
        return bool(self._wanted)

    def heard(self, item: bytes, mark: bytes) -> None:
        """It has this version."""
        remember(self.knows, item, mark)

    def forget(self, item: bytes) -> None:
        """The offer is gone from here: it may be told anew."""
        for memory in (self.knows, self.has, self.early, self.to_tell):
            memory.pop(item, None)

    def ask(self, item: bytes, due_s: float) -> None:
        """It is asked for this now."""
        self.has.pop(item, None)
        self.late.pop(item, None)
        self.owes[item] = due_s

    def settles(self, item: bytes) -> bool:
        """It delivered this; False if nobody asked it."""
        if item in self.owes:
            del self.owes[item]
            return True
        if item in self.late:
            del self.late[item]
            return True
        return False

    def give_up(self, now: float) -> list[bytes]:
        """What is late by now; it is not waited for any longer."""
        late = [item for item, due_s in self.owes.items() if due_s <= now]
        for item in late:
            del self.owes[item]
            remember(self.late, item, None, MAX_WANTED)
        return late

    def announce(self, find: Find) -> list[Action]:
        """Tell what is to be told, of what is still here and news to it."""
        fresh: list[Version] = []
        for item in self.to_tell:
            found = find(item)
            if found is not None and self.knows.get(item) != found[1]:
                self.heard(item, found[1])
                fresh.append(Version(item, found[1]))
        self.to_tell.clear()
        parts = [fresh[start : start + MAX_ITEMS] for start in range(0, len(fresh), MAX_ITEMS)]
        return [Send(self.peer, OfferHave(tuple(part))) for part in parts]

    def want(self, message: OfferGet) -> list[Action]:
        """It asks for these; what is above its bound is declined."""
        declined = []
        for item in message.ids:
            if len(self._wanted) >= MAX_WANTED:
                declined.append(item)
            else:
                self._wanted[item] = None
        return self._gone(declined)

    def serve(self, find: Find, now: float) -> list[Action]:
        """Deliver what it wants, as far as its share of bytes allows; the rest waits."""
        self._share.refill(now)
        actions: list[Action] = []
        batch: list[Offer] = []
        absent: list[bytes] = []
        batch_bytes = 0
        while self._wanted and self._share.tokens > 0:
            item = next(iter(self._wanted))
            del self._wanted[item]
            found = find(item)
            if found is None:
                absent.append(item)
                continue
            offer, mark, size_bytes = found
            if batch and (batch_bytes + size_bytes > GIVE_SIZE_BYTES or len(batch) == MAX_IDS):
                actions.append(Send(self.peer, OfferGive(tuple(batch))))
                batch, batch_bytes = [], 0
            batch.append(offer)
            batch_bytes += size_bytes
            self._share.overdraw(size_bytes)
            self.heard(item, mark)
        if batch:
            actions.append(Send(self.peer, OfferGive(tuple(batch))))
        return [*actions, *self._gone(absent)]

    def _gone(self, ids: list[bytes]) -> list[Action]:
        parts = [ids[start : start + MAX_IDS] for start in range(0, len(ids), MAX_IDS)]
        return [Send(self.peer, OfferGone(tuple(part))) for part in parts]


def remember(memory: dict[bytes, Value], item: bytes, value: Value, most: int = MAX_REMEMBERED) -> None:
    """Note the latest; beyond the bound the oldest is forgotten."""
    memory.pop(item, None)
    if len(memory) >= most:
        del memory[next(iter(memory))]
    memory[item] = value
