"""Tasks that write: a search brings home tokens, and with them something is left with those who are nearest.

A token is what an answer brings, so a write is two questions to each keeper: who is near, then keep this (paper, section 2.3:
STORE follows the lookup). On Horoi's own wire who holds a token from an earlier answer asks both at once (``StoreNear``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horoi.lookup.kademlia.messages import AnyQuery, Deliver, GetItem, Item, PutItem, Reply, StoreNear
from horoi.lookup.kademlia.search import Candidate, way_to
from horoi.lookup.kademlia.tasks import NO_SEQ, Call, Node, Task
from horoi.lookup.vocabulary import REFUSED, UNREACHABLE, Contact, Failed, Found, Stored, Token

REACH_FACTOR = 2  # a guess: with k = 8 or more, 99 of 100 keys have all their keepers within it


class TokenTask(Task):
    """A search that brings home write tokens, to store something with those who are nearest."""

    __slots__ = ("kept", "mine", "refusals", "tokens", "why")

    def __init__(self, node: Node, token: Token, key: int, *, silent: bool = False) -> None:
        super().__init__(node, token, key, silent=silent)
        self.tokens: dict[int, bytes] = {}
        self.refusals = 0
        self.why = ""
        self.mine = 0
        self.kept = 0
        """How many of the nearest had it before the search was over."""

    def take(self, contact: Contact, reply: Reply, now: float) -> None:
        if reply.token:
            self.tokens[contact.id] = reply.token

    def nearest(self) -> list[Contact]:
        """Who should keep it; this peer itself is left out here and counted in ``mine``."""
        _, owners = self.owners()
        chosen = [owner for owner in owners if owner.id in self.tokens or owner == self.node.contact]
        chosen = chosen[: self.node.config.copies]
        self.mine = int(self.node.contact in chosen)
        return [contact for contact in chosen if contact != self.node.contact]

    def notice(self, now: float) -> Any:
        copies = self.acks + self.kept + self.mine
        if not copies:
            why = REFUSED if self.refusals else UNREACHABLE
            if self.why:
                why = f"{why}: {self.why}"
            return Failed(self.token, why, 0, *self.costs())
        return Stored(self.token, self.key, copies, self.hops(), *self.costs())


class RouteTask(TokenTask):
    """Find the owner and hand it a payload."""

    __slots__ = ("_first", "_payload")

    def __init__(self, node: Node, token: Token, key: int, payload: bytes) -> None:
        super().__init__(node, token, key)
        self._payload = payload
        self._first: Candidate | None = None

    def calls(self, now: float) -> list[Call]:
        first, _ = self.owners()
        self._first = first
        if first is None:
            return []
        node = self.node
        what = (self.key, self.tokens.get(first.contact.id, b""), self._payload, first.hops)
        return [(first.contact, lambda tid: Deliver(tid, node.table.id, node.config.read_only, *what))]

    def notice(self, now: float) -> Any:
        first = self._first
        if first is not None and not self.acks:
            return Failed(self.token, UNREACHABLE, 0, *self.costs())
        if first is None:
            self.node.deliver(self.key, self._payload)
        _, owners = self.owners()
        way = way_to(first) if first is not None else ()
        return Found(self.token, self.key, owners, len(way), *self.costs(), path=way)


class PutTask(TokenTask):
    """Store an item with the ``copies`` nearest. With ``copy`` this peer keeps it too and brings it to others.

    On the own wire a peer near the key whose token is held already is asked and told at once. It keeps the item if it sees
    itself among the nearest; whoever is, and has not kept it when the search is over, is told again.
    """

    __slots__ = ("_cas", "_copy", "_filler", "_item", "_kept", "_offered", "_reach")

    def __init__(
        self, node: Node, token: Token, key: int, item: Item, *, cas: int | None = None, copy: bool = False
    ) -> None:
        super().__init__(node, token, key, silent=copy)
        self._item = item
        self._cas = cas
        self._copy = copy
        self._offered: dict[int, bytes] = {}
        """Whom a StoreNear was sent, with the token."""
        self._kept: dict[int, None] = {}
        self._filler = node.padding[len(item.value) :]
        self._reach = _reach(node) if len(node.held_tokens) else 0

    def query_for(self, contact: Contact, now: float) -> Callable[[bytes], AnyQuery]:
        if contact.id ^ self.key >= self._reach:
            return self.query
        token = self.node.held_tokens.get(contact.address, now)
        if token is None:
            return self.query
        self._offered[contact.id] = token
        node = self.node
        what = (self.key, token, self._item, self._cas, self._copy, self._filler)
        return lambda tid: StoreNear(tid, node.table.id, node.config.read_only, *what)

    def take(self, contact: Contact, reply: Reply, now: float) -> None:
        if reply.kept and contact.id in self._offered:
            self._kept[contact.id] = None
            self.tokens[contact.id] = self._offered[contact.id]
        else:
            super().take(contact, reply, now)

    def query(self, tid: bytes) -> AnyQuery:
        node = self.node
        if not node.config.mainline:
            return super().query(tid)
        return GetItem(tid, node.table.id, node.config.read_only, self.key, node.want, NO_SEQ)

    def calls(self, now: float) -> list[Call]:
        node = self.node
        nearest = self.nearest()
        if self.mine and node.server.items.put(self.key, self._item, now, cas=self._cas, copy=self._copy) is not None:
            self.mine = 0
            self.refusals += 1
        missing = [contact for contact in nearest if contact.id not in self._kept]
        self.kept = len(nearest) - len(missing)
        return [(contact, self._store_at(self.tokens[contact.id])) for contact in missing]

    def _store_at(self, token: bytes) -> Callable[[bytes], AnyQuery]:
        node = self.node
        ro = node.config.read_only
        return lambda tid: PutItem(tid, node.table.id, ro, self.key, token, self._item, self._cas, self._copy)


def _reach(node: Node) -> int:
    """How far from a key its keepers are: about as far as this peer's own k-th neighbour from it, and twice that for chance."""
    own = node.table.id
    around = node.table.closest(own, node.config.copies)
    if len(around) < node.config.copies:
        return 1 << node.config.bits
    return REACH_FACTOR * max(contact.id ^ own for contact in around)
