"""What a peer is in the middle of: a search, and what is done with those it found.

A task has two stages. It searches, and what answers bring is taken (``take``); then it calls some of the peers that were found
(``calls``); what came of it all is its ``notice``. The machine sends, waits and counts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Protocol, TypeAlias

from msgspec import structs

from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.kademlia.held_tokens import HeldTokens
from horoi.lookup.kademlia.items import is_valid
from horoi.lookup.kademlia.messages import (
    AnyQuery,
    FindNode,
    GetItem,
    Item,
    PutItem,
    Reply,
)
from horoi.lookup.kademlia.requests import FoundItem
from horoi.lookup.kademlia.search import Candidate, Search, way_to
from horoi.lookup.kademlia.server import Server
from horoi.lookup.kademlia.table import RoutingTable
from horoi.lookup.vocabulary import (
    UNREACHABLE,
    Contact,
    Failed,
    Found,
    NotFound,
    Token,
    Value,
)

NO_SEQ = 2**63 - 1  # asked with this, a peer sends the token and never the signed item
MAX_FOUND = 1000  # providers or keys that one task gathers: a guess
SEARCH, CALLS, DONE = range(3)

Call: TypeAlias = tuple[Contact, Callable[[bytes], AnyQuery]]


class Node(Protocol):
    """The peer whose task it is, as far as tasks know it."""

    config: KademliaConfig
    contact: Contact
    table: RoutingTable
    server: Server
    want: int
    padding: bytes

    @property
    def held_tokens(self) -> HeldTokens:
        """Tokens that came with earlier answers (own wire)."""

    @property
    def is_keeper(self) -> bool:
        """Whether this peer counts among those who keep what is near it."""

    def deliver(self, key: int, payload: bytes) -> None:
        """A payload whose owner is this peer itself."""


class Task:
    """The plain lookup: who is nearest to ``key``? Others refine it."""

    __slots__ = ("acks", "extra", "key", "node", "rpcs", "search", "silent", "stage", "timeouts", "token", "waiting")

    def __init__(
        self,
        node: Node,
        token: Token,
        key: int,
        *,
        k: int | None = None,
        first: int | None = None,
        silent: bool = False,
    ) -> None:
        config = node.config
        self.node = node
        self.token = token
        self.key = key
        self.silent = silent
        self.stage = SEARCH
        self.waiting = 0  # calls under way
        self.extra: list[Call] = []
        self.rpcs = self.acks = self.timeouts = 0  # of calls; the search counts its own
        alone = first if config.disjoint == 1 else None
        self.search = Search(
            key,
            node.table.closest(key, alone or config.k),
            own_id=node.table.id,
            k=k or config.k,
            alpha=min(config.alpha, k or config.k),
            disjoint=config.disjoint,
            first=first,
            later=partial(node.table.closest, key, config.k) if alone else None,
        )

    tells_at_once: ClassVar[bool] = False
    """Whether the notice is told when the search is over, and the calls are made for the sake of others."""

    @property
    def satisfied(self) -> bool:
        """Whether the search may end before its time."""
        return False

    def query(self, tid: bytes) -> AnyQuery:
        """What the search asks."""
        node = self.node
        return FindNode(tid, node.table.id, node.config.read_only, self.key, node.want, node.padding)

    def query_for(self, contact: Contact, now: float) -> Callable[[bytes], AnyQuery]:
        """What the search asks this peer."""
        return self.query

    def take(self, contact: Contact, reply: Reply, now: float) -> None:
        """What an answer brings besides contacts."""

    def calls(self, now: float) -> list[Call]:
        """Whom to call when the search is over."""
        return []

    def notice(self, now: float) -> Any:
        """What is told in the end."""
        failed = self.failure()
        if failed is not None:
            return failed
        first, owners = self.owners()
        way = way_to(first) if first is not None else ()
        hops = first.hops if first is not None else 0
        return Found(self.token, self.key, owners, hops, *self.costs(), path=way)

    # For all kinds

    def owners(self) -> tuple[Candidate | None, tuple[Contact, ...]]:
        """The nearest candidate (None: this peer itself is nearer) and the k nearest peers, this one among them."""
        node = self.node
        found = self.search.candidates()
        contacts = [candidate.contact for candidate in found]
        first = found[0] if found else None
        if node.is_keeper:
            own = node.contact
            distance = own.id ^ self.key
            at = sum(contact.id ^ self.key < distance for contact in contacts)
            if at < node.config.k:
                contacts.insert(at, own)
            if at == 0:
                first = None
        return first, tuple(contacts[: node.config.k])

    def costs(self) -> tuple[int, int, int]:
        """(rpcs, replies, timeouts) so far."""
        search = self.search
        return search.rpcs + self.rpcs, search.replies + self.acks, search.timeouts + self.timeouts

    def failure(self) -> Failed | None:
        """Nobody answered, although there was somebody to ask."""
        if self.search.rpcs and not self.search.replies:
            return Failed(self.token, UNREACHABLE, 0, *self.costs())
        return None

    def hops(self) -> int:
        first, _ = self.owners()
        return first.hops if first is not None else 0


class GetTask(Task):
    """Find a value. An unsigned one ends the search (paper, section 2.3); of signed ones the highest number wins.

    On the own wire the nearest peer known is asked alone, then the nearest that it names, until one is silent or names nobody
    nearer: whatever was put lies with the nearest, and mostly that is it.
    Afterwards the value is cached "at the closest node to the key that did not return the value".
    """

    __slots__ = ("_least_seq", "_salt", "_tokens", "item", "source", "wants_signed")

    def __init__(
        self, node: Node, token: Token, key: int, *, signed: bool = False, salt: bytes = b"", seq: int | None = None
    ) -> None:
        super().__init__(node, token, key, first=None if signed or node.config.mainline else 1)
        self._salt = salt
        self.wants_signed = signed
        self._least_seq = seq
        self.item: Item | None = None
        self.source: Contact | None = None
        self._tokens: dict[int, bytes] = {}

    tells_at_once: ClassVar[bool] = True

    @property
    def satisfied(self) -> bool:
        return self.item is not None and self.item.signed is None

    def query(self, tid: bytes) -> AnyQuery:
        node = self.node
        ro = node.config.read_only
        return GetItem(tid, node.table.id, ro, self.key, node.want, self._least_seq, padding=node.padding)

    def take(self, contact: Contact, reply: Reply, now: float) -> None:
        if reply.item is not None:
            self.offer(contact, reply.item)
        elif reply.again and reply.token:
            node = self.node
            token = reply.token
            ask = (node.table.id, node.config.read_only, self.key, node.want, self._least_seq, token)
            self.extra.append((contact, lambda tid: GetItem(tid, *ask)))
        elif reply.token:
            self._tokens[contact.id] = reply.token

    def offer(self, contact: Contact, item: Item) -> None:
        """Take an item if it is true, and newer than what was found."""
        node = self.node
        if self.wants_signed and item.signed is None:
            return
        if self._salt and item.signed is not None and not item.signed.salt:
            item = structs.replace(
                item, signed=structs.replace(item.signed, salt=self._salt)
            )  # KRPC does not say it again
        best = self.item
        if best is not None and (best.signed is None or item.signed is None or item.signed.seq <= best.signed.seq):
            return
        if not is_valid(self.key, item, bits=node.config.bits, mainline=node.config.mainline):
            return
        self.item = item
        self.source = contact

    def calls(self, now: float) -> list[Call]:
        node = self.node
        item = self.item
        if not self._tokens or item is None or self.source is None or item.signed is not None or node.config.mainline:
            return []
        for between, candidate in enumerate(self.search.candidates()):
            token = self._tokens.get(candidate.contact.id)
            if token is not None:
                return [(candidate.contact, self._cache_with(token, item, between))]
        return []

    def _cache_with(self, token: bytes, item: Item, between: int) -> Callable[[bytes], AnyQuery]:
        """Its time is "exponentially inversely proportional to the number of nodes between the current node and the node
        whose ID is closest to the key ID" (section 2.3)."""
        node = self.node
        short = Item(item.value, None, item.ttl_s / 2**between)
        ro = node.config.read_only
        return lambda tid: PutItem(tid, node.table.id, ro, self.key, token, short, None, True)

    def notice(self, now: float) -> Any:
        if self.item is None or self.source is None:
            return self.failure() or NotFound(self.token, self.key, self.hops(), *self.costs())
        source = self.source
        hops = self.search.hops_to(source)
        if self.wants_signed:
            return FoundItem(self.token, self.key, self.item, source, hops, *self.costs())
        return Value(self.token, self.key, self.item.value, source, hops, *self.costs())
