"""The full node, assembled: one boot for the live world and the simulated one.

    peers   who is there                sync    which chain is the tip
    relay   transactions                miner   the next block
    index   what people ask             offers  what waits for somebody's signature
    witness  checkpoints, co-signed     documents   files by their hashes
    lookup  who has a document          discovery   peers found in the DHT

The application (API, story, lab) holds a ``Node``: it asks through the world with requests (``Submit``, ``SetMining``, ...),
and reads chain, mempool, index and peers directly, from the same thread as the machines.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from horoi.base.errors import DecodeError, StorageError
from horoi.base.ids import ID_BITS
from horoi.ledger.conditions import Condition
from horoi.ledger.genesis import Genesis
from horoi.ledger.transaction import Transaction
from horoi.machine.disk import Disk
from horoi.machine.host import Hosted, Place
from horoi.machine.stack import Stack
from horoi.machine.wire import Wire
from horoi.node.chain import CACHE_CHANGES, Chain
from horoi.node.discovery.machine import Discovery
from horoi.node.documents.machine import DocumentRecord, Documents
from horoi.node.documents.store import QUOTA_BYTES, DocumentStore
from horoi.node.index.index import FlushIndex, Index
from horoi.node.lookup.machine import NodeLookup
from horoi.node.lookup.messages import LINK_WIRE
from horoi.node.lookup.overlays import OVERLAYS
from horoi.node.lookup.record import PROVIDING_FILE, ProvidingRecord, read_providing
from horoi.node.mempool import Mempool
from horoi.node.mempool import saved as saved_pool
from horoi.node.mining.machine import Miner
from horoi.node.offers.machine import Offers
from horoi.node.offers.saved import FILE as OFFERS_FILE
from horoi.node.offers.saved import RECORD_CODEC as OFFERS_CODEC
from horoi.node.offers.saved import OffersRecord
from horoi.node.peers.bans import BANS_CODEC, BANS_FILE, BansRecord
from horoi.node.peers.config import PeersConfig
from horoi.node.peers.machine import Peers
from horoi.node.peers.messages import RECORD_CODEC, RECORD_FILE, AddressBookRecord
from horoi.node.peers.messages import WIRE as PEERS_WIRE
from horoi.node.records import FlushState, SaveBlocks
from horoi.node.relay.machine import Relay
from horoi.node.small_files import MEMPOOL_FILE, read_sealed, write_sealed
from horoi.node.sync.machine import Sync
from horoi.node.witness.machine import Signer, Witness
from horoi.node.witness.messages import WITNESS_WIRE
from horoi.node.witness.promise import Promise, PromiseRecord


@dataclass(frozen=True)
class NodeConfig:
    """What an operator decides."""

    genesis: Genesis
    connect: tuple[str, ...] = ()
    """Addresses to dial and keep dialing."""
    advertise: str | None = None
    """The address that others may dial, told to peers."""
    listen_port: int = 0
    """Where it takes links, if the operator does not know by which address others reach it (0: nowhere)."""
    hash_rate: float = 0.0
    """Hashes per second of the own miner; 0: none."""
    reward_to: Condition | None = None
    index: bool = True
    """Keep the index that answers people's questions."""
    cache_changes: int = CACHE_CHANGES
    agent: str = "horoi"
    documents_quota_bytes: int = QUOTA_BYTES
    signer: Signer | None = None
    """The node's key, with which it is a witness (None: it signs no checkpoints)."""
    overlay: str = ""
    """By which overlay the nodes find each other's documents: a name of ``horoi.node.lookup.overlays``; "": by none."""
    dht: bool = False
    """Find peers in the Mainline DHT, and documents where there is no overlay."""
    dht_is_local: bool = False
    """That DHT is one of this machine or its local network, and may name local addresses."""


@dataclass
class Node:
    """A node's parts. ``boot`` makes one per life; ``lives`` hears of it."""

    config: NodeConfig
    chain: Chain
    mempool: Mempool
    sync: Sync
    relay: Relay
    peers: Peers
    miner: Miner
    offers: Offers
    index: Index | None
    witness: Witness
    lookup: NodeLookup
    discovery: Discovery | None
    documents: Documents
    stack: Stack
    disk: Disk

    @property
    def wire(self) -> Wire:
        """Every message that the node's machines understand."""
        links = self.sync.wire + self.relay.wire + PEERS_WIRE + self.offers.wire
        return links + WITNESS_WIRE + LINK_WIRE + self.documents.wire

    def save(self, record: Any) -> None:
        """Make a record durable; the world calls this for every ``Save``."""
        if isinstance(record, SaveBlocks):
            self.chain.save(record)
        elif isinstance(record, FlushState):
            self.chain.flush()
        elif isinstance(record, FlushIndex):
            assert self.index is not None
            self.index.flush()
        elif isinstance(record, DocumentRecord):
            self.documents.save(record)
        else:
            assert isinstance(record, AddressBookRecord | BansRecord | OffersRecord | PromiseRecord | ProvidingRecord)
            write_sealed(self.disk, *record.file())

    def close(self) -> None:
        """Flush everything at a clean stop. On a disk that is full all is closed nevertheless, then the error raised."""
        with contextlib.ExitStack() as closing:  # last in, first out
            if self.index is not None:
                closing.callback(self.index.close)
            closing.callback(self.documents.store.close)
            closing.callback(self.chain.close)
            closing.callback(lambda: write_sealed(self.disk, *self.peers.record().file()))
            closing.callback(lambda: write_sealed(self.disk, *self.peers.bans.record().file()))
            closing.callback(lambda: write_sealed(self.disk, *self.offers.record().file()))
            if self.lookup.is_on:
                closing.callback(lambda: write_sealed(self.disk, *self.lookup.record().file()))
            closing.callback(lambda: write_sealed(self.disk, MEMPOOL_FILE, self.mempool.dump()))


def load_address_book(disk: Disk) -> AddressBookRecord | None:
    """The address book of an earlier life; None if there is none, or it is damaged (peers are found again)."""
    data = read_sealed(disk, RECORD_FILE)
    try:
        return RECORD_CODEC.decode(data) if data else None
    except DecodeError:
        return None


def load_bans(disk: Disk) -> BansRecord | None:
    """The bans of an earlier life; None if there are none, or they are damaged."""
    data = read_sealed(disk, BANS_FILE)
    try:
        return BANS_CODEC.decode(data) if data else None
    except DecodeError:
        return None


def load_mempool(disk: Disk, network: bytes) -> tuple[Transaction, ...]:
    """What waited when an earlier life stopped; nothing if that is damaged (its senders have it still)."""
    data = read_sealed(disk, MEMPOOL_FILE)
    try:
        return saved_pool.load(data, network) if data else ()
    except (DecodeError, StorageError):
        return ()


def load_offers(disk: Disk) -> OffersRecord | None:
    """The offers of an earlier life; None if there is none, or they are damaged (the peers have them still)."""
    data = read_sealed(disk, OFFERS_FILE)
    try:
        return OFFERS_CODEC.decode(data) if data else None
    except DecodeError:
        return None


def build_node(config: NodeConfig, place: Place) -> Node:
    """Open what the disk has and put the machines together."""
    salt = place.dice.randbytes(16)
    chain = Chain(config.genesis, place.disk, cache_changes=config.cache_changes, salt=salt)
    mempool = Mempool(chain)
    sync = Sync(chain, mempool.get)
    relay = Relay(chain, mempool, place.dice, restored=load_mempool(place.disk, chain.network))
    saved = load_address_book(place.disk)
    peers = Peers(
        PeersConfig(
            network_id=chain.network,
            connect=config.connect,
            own_address=config.advertise,
            listen_port=config.listen_port,
            agent=config.agent,
        ),
        place.dice,
        saved=saved,
        bans=load_bans(place.disk),
        height=lambda: chain.tip.height,
    )
    miner = Miner(chain, mempool, place.dice, hash_rate=config.hash_rate, owner=config.reward_to)
    index = Index(chain, place.disk) if config.index else None
    machines: dict[str, Any] = {"peers": peers, "sync": sync}
    if index is not None:
        machines["index"] = index
    offers = Offers(chain, place.dice, place_of=_place_of(index), restored=load_offers(place.disk))
    documents = Documents(DocumentStore(place.disk, quota_bytes=config.documents_quota_bytes), place.name)
    witness = Witness(chain, Promise(place.disk), config.signer)
    lookup = build_lookup(config, place.disk)
    machines |= {"relay": relay, "offers": offers, "miner": miner, "witness": witness, "lookup": lookup}
    machines["documents"] = documents
    discovery = None
    if config.dht:
        port, is_local = config.listen_port, config.dht_is_local
        machines["discovery"] = discovery = Discovery(chain.network, place.dice, port=port, is_local=is_local)
    stack = Stack(machines)
    parts = (chain, mempool, sync, relay, peers, miner, offers, index, witness, lookup, discovery)
    return Node(config, *parts, documents, stack, place.disk)


def _place_of(index: Index | None) -> Callable[[bytes], int | None] | None:
    """The height at which a transaction was confirmed, as the index knows it; None without an index."""
    if index is None:
        return None

    def place_of(transaction: bytes) -> int | None:
        place = index.transaction_place(transaction)
        return place.height if place is not None else None

    return place_of


def build_lookup(config: NodeConfig, disk: Disk) -> NodeLookup:
    """The machine of lookups, which goes on providing what an earlier life provided."""
    bits = OVERLAYS[config.overlay].bits if config.overlay else ID_BITS
    saved = read_providing(read_sealed(disk, PROVIDING_FILE))
    return NodeLookup(
        overlay=config.overlay,
        bits=bits,
        dht=config.dht,
        dht_is_local=config.dht_is_local,
        port=config.listen_port,
        saved=saved,
    )


def boot_node(config: NodeConfig, lives: Callable[[Node], None] | None = None) -> Callable[[Place], Hosted]:
    """A boot for ``config``; ``lives`` is handed the node of every life."""

    def boot(place: Place) -> Hosted:
        node = build_node(config, place)
        if lives is not None:
            lives(node)
        return Hosted(node.stack, node.wire, node.save, node.close)

    return boot
