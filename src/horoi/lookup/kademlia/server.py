"""How a peer answers: a query in, an answer or silence out. What others store here, and how they are kept honest.

Addresses of datagrams can be forged, so an answer must not be worth forging a question for: to an address that has proved
nothing, an answer is at most about three times the query (as RFC 9000, section 8.1). On Horoi's own wire queries are padded to
deserve their answer. KRPC's sizes are given by BEP 5 (8 contacts for 92 bytes: three times); what is larger (values, filters,
samples, many peers) goes to addresses that have answered or hold a token, and in a trickle to others.
"""

from __future__ import annotations

from random import Random
from typing import TypeAlias

from horoi.base.sources import source_of
from horoi.lookup.common.permits import Permits
from horoi.lookup.common.rates import TokenBuckets
from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.kademlia.items import ItemStore, Wrong
from horoi.lookup.kademlia.messages import (
    GENERIC,
    MAX_PEERS,
    PROTOCOL,
    SERVER,
    UNKNOWN_METHOD,
    WANT_V4,
    WANT_V6,
    AnnouncePeer,
    AnyQuery,
    Deliver,
    FindNode,
    GetItem,
    GetPeers,
    Item,
    Ping,
    PutItem,
    Refusal,
    Reply,
    SampleKeys,
    Samples,
    StoreNear,
)
from horoi.lookup.kademlia.peers import PeerStore
from horoi.lookup.kademlia.table import RoutingTable
from horoi.lookup.vocabulary import Address, Contact

QUERY_BYTES = 62  # a FindNode of the own wire without padding
REPLY_BYTES = 60  # a Reply without contacts, with a token
CONTACT_BYTES = 31
AMPLIFICATION = 3  # RFC 9000, section 8.1
LARGE_PER_S = 1.0  # answers beyond that, per second and unproven source: a lookup asks a peer once. A guess
LARGE_BURST = 8.0
SMALL_VALUE_BYTES = 200  # a value that makes no large answer
SMALL_PEERS = 8
MAX_ANSWER_BYTES = 1200  # what contacts beside a value may fill
SAMPLE_INTERVAL_S = 60  # BEP 51: how soon another sample is worth asking for. A guess


Seeking: TypeAlias = FindNode | GetPeers | GetItem | StoreNear | SampleKeys
"""Queries that are answered with contacts."""


def padding_for(k: int) -> bytes:
    """What a query of the own wire needs so that k contacts are no large answer."""
    return bytes(max(0, -(-(REPLY_BYTES + CONTACT_BYTES * k) // AMPLIFICATION) - QUERY_BYTES))


class Server:
    """The answering half of a peer. Stores and limits come into being when they are needed: most simulated peers are idle."""

    __slots__ = ("_buckets", "_config", "_dice", "_items", "_large", "_peers", "_permits", "id", "table")

    def __init__(self, config: KademliaConfig, table: RoutingTable, dice: Random) -> None:
        self._config = config
        self._dice = dice
        self.table = table
        self.id = table.id
        self._items: ItemStore | None = None
        self._peers: PeerStore | None = None
        self._permits: Permits | None = None
        self._buckets: TokenBuckets | None = None
        self._large: TokenBuckets | None = None

    @property
    def items(self) -> ItemStore:
        if self._items is None:
            self._items = ItemStore(self._config.bits, mainline=self._config.mainline)
        return self._items

    @property
    def has_items(self) -> bool:
        return bool(self._items)

    @property
    def peers(self) -> PeerStore:
        if self._peers is None:
            self._peers = PeerStore(self._dice)
        return self._peers

    @property
    def permits(self) -> Permits:
        if self._permits is None:
            self._permits = Permits(self._dice)
        return self._permits

    def move(self, table: RoutingTable) -> None:
        """This peer has another id now."""
        self.table = table
        self.id = table.id

    def expire(self, now: float) -> None:
        """Forget what has expired."""
        if self._items is not None:
            self._items.expire(now)
        if self._peers is not None:
            self._peers.expire(now)

    def admits(self, address: Address, now: float) -> bool:
        """Whether a source may be served now; a flood is met with silence."""
        rate = self._config.rate_per_s
        if rate is None:
            return True
        if self._buckets is None:
            self._buckets = TokenBuckets(rate, 2 * rate)
        return self._buckets.take(address, now)

    def answer(self, query: AnyQuery, address: Address, now: float) -> Reply | Refusal:
        """The answer to a query that was admitted."""
        kind = type(query)
        if kind is FindNode:
            assert isinstance(query, FindNode)
            return self._find_node(query, address, now)
        if kind is GetItem:
            assert isinstance(query, GetItem)
            return self._get_item(query, address, now)
        if kind is StoreNear:
            assert isinstance(query, StoreNear)
            return self._store_near(query, address, now)
        if isinstance(query, Ping):
            return Reply(query.tid, self.id, seen=self._seen(address))
        if isinstance(query, GetPeers):
            return self._get_peers(query, address, now)
        if isinstance(query, AnnouncePeer):
            return self._announce(query, address, now)
        if isinstance(query, PutItem):
            return self._put_item(query, address, now)
        if isinstance(query, SampleKeys):
            return self._sample(query, address, now)
        assert isinstance(query, Deliver)
        if self._config.mainline:
            return self._no_method(query)
        if not self.permits.check(address, query.token, now):
            return self._bad_token(query)
        return Reply(query.tid, self.id)

    # What all answers need

    def _seen(self, address: Address) -> Address | None:
        return address if self._config.mainline else None

    def _token(self, address: Address, now: float) -> bytes:
        return self.permits.make(address, now)

    def _is_proven(self, query: AnyQuery, address: Address) -> bool:
        """Whether the sender is a contact that has answered from this address."""
        known = self.table.get(query.sender)
        return known is not None and known.address == address

    def _may_be_large(self, query: AnyQuery, address: Address, now: float, token: bytes = b"") -> bool:
        if token and self.permits.check(address, token, now):
            return True
        if self._is_proven(query, address):
            return True
        if self._large is None:
            self._large = TokenBuckets(LARGE_PER_S, LARGE_BURST)
        return self._large.take(address, now)

    def _contacts(self, query: Seeking, address: Address) -> tuple[Contact, ...]:
        """The nearest contacts to the target that the sender wants, without itself; fewer if the query is short."""
        config = self._config
        count = config.k
        if isinstance(query, StoreNear):
            filler_bytes = len(query.padding) + len(query.item.value)
        elif config.mainline:
            return self._of_families(query, address)
        else:
            filler_bytes = len(getattr(query, "padding", b""))
        room = (AMPLIFICATION * (QUERY_BYTES + filler_bytes) - REPLY_BYTES) // CONTACT_BYTES
        if room < count and not self._is_proven(query, address):
            count = max(room, 1)
        return tuple(self.table.closest(query.target, count, query.sender))

    def _of_families(self, query: FindNode | GetPeers | GetItem | SampleKeys, address: Address) -> tuple[Contact, ...]:
        """k contacts of each address family that is wanted, the sender's own by default (BEP 32)."""
        want = query.want or (WANT_V6 if isinstance(address, tuple) and ":" in address[0] else WANT_V4)
        k = self._config.k if want != WANT_V4 | WANT_V6 or self._is_proven(query, address) else self._config.k // 2
        nearest = self.table.closest(query.target, 4 * self._config.k)  # enough of the rarer family, in most tables
        nearest.sort(key=lambda contact: contact.id ^ query.target)
        chosen: list[Contact] = []
        for family in (WANT_V4, WANT_V6):
            if want & family:
                of_family = [c for c in nearest if _family(c.address) == family and c.id != query.sender]
                chosen += of_family[:k]
        return tuple(chosen)

    # Each query

    def _find_node(self, query: FindNode, address: Address, now: float) -> Reply:
        contacts = self._contacts(query, address)
        if self._config.mainline:
            return Reply(query.tid, self.id, contacts, seen=address)
        return Reply(query.tid, self.id, contacts, self._token(address, now))

    def _get_peers(self, query: GetPeers, address: Address, now: float) -> Reply:
        contacts = self._contacts(query, address)
        token = self._token(address, now)
        peers: tuple[Contact, ...] = ()
        blooms = None
        if self._peers is not None:
            large = self._may_be_large(query, address, now)
            peers = self._peers.get(query.target, now, MAX_PEERS if large else SMALL_PEERS, no_seeds=query.no_seeds)
            peers = tuple(peer for peer in peers if _family(peer.address) == _family(address))
            blooms = self._peers.blooms(query.target, now) if query.scrape and large else None
            if len(peers) > SMALL_PEERS and not self._config.mainline:
                contacts = contacts[:SMALL_PEERS]
        return Reply(query.tid, self.id, contacts, token, peers, blooms=blooms, seen=self._seen(address))

    def _announce(self, query: AnnouncePeer, address: Address, now: float) -> Reply | Refusal:
        if not self.permits.check(address, query.token, now):
            return self._bad_token(query)
        where = (address[0], query.port) if query.port and isinstance(address, tuple) else address
        if not self.peers.add(query.target, Contact(query.sender, where), is_seed=query.seed, now=now):
            return Refusal(query.tid, SERVER, "no room for more, and nobody announced more of them than you")
        return Reply(query.tid, self.id, seen=self._seen(address))

    def _get_item(self, query: GetItem, address: Address, now: float) -> Reply:
        kept = self._items.get(query.target, now) if self._items is not None else None
        if kept is not None and self._ends_search(kept.item, query, address, now):
            return Reply(query.tid, self.id, item=Item(kept.item.value, None, kept.expires_s - now))
        contacts = self._contacts(query, address)
        token = self._token(address, now)
        seen = self._seen(address)
        if kept is None:
            return Reply(query.tid, self.id, contacts, token, seen=seen)
        signed = kept.item.signed
        seq = signed.seq if signed is not None else None
        if seq is not None and query.seq is not None and seq <= query.seq:
            return Reply(query.tid, self.id, contacts, token, seq=seq, seen=seen)
        if len(kept.item.value) > SMALL_VALUE_BYTES and not self._may_be_large(query, address, now, query.token):
            return Reply(query.tid, self.id, contacts, token, seq=seq, again=True, seen=seen)
        item = Item(kept.item.value, signed, kept.expires_s - now)
        room = max(0, MAX_ANSWER_BYTES - REPLY_BYTES - len(item.value) - (140 if signed is not None else 0))
        return Reply(query.tid, self.id, contacts[: room // CONTACT_BYTES], token, item=item, seq=seq, seen=seen)

    def _ends_search(self, item: Item, query: GetItem, address: Address, now: float) -> bool:
        """Whether this is all that there is to say: paper, section 2.3, "it just returns the stored value". Others of Mainline
        want contacts with it, and a signed item may be newer elsewhere."""
        if self._config.mainline or item.signed is not None:
            return False
        return len(item.value) <= SMALL_VALUE_BYTES or self._may_be_large(query, address, now, query.token)

    def _put_item(self, query: PutItem, address: Address, now: float) -> Reply | Refusal:
        if not self.permits.check(address, query.token, now):
            return self._bad_token(query)
        wrong = self._put(query, address, now)
        if wrong is not None:
            return Refusal(query.tid, *wrong)
        return Reply(query.tid, self.id, seen=self._seen(address))

    def _store_near(self, query: StoreNear, address: Address, now: float) -> Reply | Refusal:
        """The nearest contacts, as to a FindNode, and the item is kept if this peer is one of the nearest that it knows."""
        if self._config.mainline:
            return self._no_method(query)
        if not self.permits.check(address, query.token, now):
            contacts = self._contacts(query, address)
            return Reply(query.tid, self.id, contacts, self._token(address, now))
        contacts = tuple(self.table.closest(query.target, self._config.k, query.sender))
        kept = self._is_among_nearest(query, contacts)
        if kept and self._put(query, address, now) is None:
            return Reply(query.tid, self.id, contacts, kept=True)
        return Reply(query.tid, self.id, contacts, self._token(address, now))

    def _put(self, query: PutItem | StoreNear, address: Address, now: float) -> Wrong | None:
        source = source_of(address)
        return self.items.put(query.target, query.item, now, cas=query.cas, copy=query.copy, source=source)

    def _is_among_nearest(self, query: StoreNear, others: tuple[Contact, ...]) -> bool:
        """Whether fewer peers are nearer to the target than keep a value: the nearest that are known, and the sender."""
        target = query.target
        own = self.id ^ target
        nearer = len([other for other in others if other.id ^ target < own])
        return nearer + (query.sender ^ target < own and not query.read_only) < self._config.copies

    def _no_method(self, query: AnyQuery) -> Refusal:
        return Refusal(query.tid, UNKNOWN_METHOD, "no such method")

    def _bad_token(self, query: AnyQuery) -> Refusal:
        return Refusal(query.tid, PROTOCOL, "this token is not valid (any more) for this address")

    def _sample(self, query: SampleKeys, address: Address, now: float) -> Reply | Refusal:
        if not self._may_be_large(query, address, now):
            return Refusal(query.tid, GENERIC, "too often; answer a ping first")
        keys = self._peers.sample() if self._peers is not None else ()
        samples = Samples(SAMPLE_INTERVAL_S, len(self._peers or ()), keys)
        return Reply(query.tid, self.id, self._contacts(query, address), samples=samples, seen=self._seen(address))


def _family(address: Address) -> int:
    """WANT_V4 or WANT_V6; simulated hosts count as the former."""
    return WANT_V6 if isinstance(address, tuple) and ":" in address[0] else WANT_V4
