"""The index: transactions by id, holdings and history by key, assets and their history, posts in order, documents.

Derived from the chain and rebuildable from it. It follows the tip block by block; while the node is behind the network, or
opens after a crash, it stays behind and catches up in slices, so that it never holds up the chain. Nothing of consensus
depends on it.

Keys of its store (numbers big-endian, so that they sort):

    t || transaction id                          its place: height and position in the block
    a || asset                                   definition and totals
    y || asset || height || position             transactions that touched the asset
    n || name || 0 || asset                      assets by name
    k || key || outpoint                         unspent outputs that name the key, and how
    h || asset || outpoint                       unspent outputs of the asset
    c || key || height || position               transactions that name the key
    p || height || position || number            posts, in order
    d || document || height || position || n     posts about a document
    m                                            the marker
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import StorageError
from horoi.ledger.block import reward_id
from horoi.ledger.ledger import Undo
from horoi.ledger.transaction import (
    Definition,
    Output,
    Post,
    asset_id,
    outpoint,
)
from horoi.machine.contract import Action, Arm, Asked, Event, Fired, Save
from horoi.machine.disk import Disk
from horoi.machine.host import Started
from horoi.node.chain import Chain
from horoi.node.events import ConnectedBlock, TipChanged
from horoi.node.index.touched import CUSTODIAN, LATER, OWNER, RIGHT, Books, Touched, roles_of
from horoi.node.storage.cache import CachedStore

FLUSH_S = 2.0  # a crash re-indexes at most this long; a guess
FOLLOW_S = 0.25  # how often a waiting index looks whether the node has caught up; a guess
DAMAGED_S = 2.0  # until a block that is being fetched again is looked for; a guess
SLICE_TRANSACTIONS = 500  # indexed at once when catching up: 20 ms
CACHE_CHANGES = 20_000  # a question sorts what is not flushed: 2 ms at this many
MAX_ANSWER = 10_000  # rows that one question returns at most


class TransactionPlace(Record, frozen=True):
    """Where a transaction is: block height and position among the block's transactions."""

    height: int
    position: int


class AssetRecord(Record, frozen=True):
    """An asset's definition and its books, in its smallest unit: issued + produced = consumed + retired + existing."""

    definition: Definition
    transaction: bytes
    height: int
    issued: int = 0
    produced: int = 0
    consumed: int = 0
    retired: int = 0
    transactions: int = 0


class PostRecord(Record, frozen=True):
    """A post and where it stands."""

    transaction: bytes
    height: int
    position: int
    number: int
    time_ms: int
    post: Post


class IndexMarker(Record, frozen=True):
    """The block that the index is up to, and counts."""

    name: bytes
    height: int
    transactions: int
    posts: int


class FlushIndex(Record, frozen=True):
    """Record for the world: write the index down."""


_asset = Codec[AssetRecord](AssetRecord, max_size_bytes=10_000)
_post = Codec[PostRecord](PostRecord, max_size_bytes=100_000)
_marker = Codec[IndexMarker](IndexMarker, max_size_bytes=200)


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _u16(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _name_key(name: str) -> bytes:
    return b"n" + name.encode() + b"\0"


def _below(prefix: bytes) -> tuple[bytes, bytes]:
    """The range of keys with this prefix."""
    return prefix, prefix + b"\xff" * 48


class Index:
    """The machine and its answers."""

    wire = None
    hears = (Started, TipChanged)

    def __init__(self, chain: Chain, disk: Disk, *, cache_changes: int = CACHE_CHANGES) -> None:
        self.chain = chain
        self.store = CachedStore(disk.store("index"), max_changes=cache_changes)
        raw = self.store.get(b"m")
        root = chain.tree.root
        self.marker = _marker.decode(raw) if raw is not None else IndexMarker(b"", -1, 0, 0)
        if self.marker.height < 0:
            self._connect(self._read(root.name))

    # ---- the machine --------------------------------------------------------------------------------

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Fired):
            return [Arm("flush", FLUSH_S), Save(FlushIndex())] if event.timer == "flush" else self._slice()
        if not isinstance(event, Asked):
            return []
        if isinstance(event.request, Started):
            return [Arm("flush", FLUSH_S), *self._slice()]
        change = event.request
        assert isinstance(change, TipChanged)
        return self._follow(change)

    @property
    def is_current(self) -> bool:
        """True if the index is up to the chain's tip."""
        return self.marker.name == self.chain.tip.name

    def _follow(self, change: TipChanged) -> list[Action]:
        moves = [
            *(block.known.name for block in change.disconnected),
            *(b.known.header.parent for b in change.connected),
        ]
        if moves[0] != self.marker.name or self._node_is_behind():
            return [Arm("follow", FOLLOW_S)]
        for block in change.disconnected:
            self._disconnect(block)
        for block in change.connected:
            self._connect(block)
        return self._flush_if_full()

    def _node_is_behind(self) -> bool:
        return self.chain.tree.best.work > self.chain.tip.work

    def _flush_if_full(self) -> list[Action]:
        return [Save(FlushIndex())] if self.store.full else []

    def _slice(self) -> list[Action]:
        """A part of the way to the tip, and the timer for the next."""
        if self._node_is_behind():
            return [Arm("follow", FOLLOW_S)]
        before = self.marker.transactions
        try:
            while not self.is_current and abs(self.marker.transactions - before) < SLICE_TRANSACTIONS:
                self._one_block()
        except StorageError:
            return [Arm("follow", DAMAGED_S)]  # the block's copy is damaged: the chain fetches it again
        return [*self._flush_if_full(), Arm("follow", None if self.is_current else 0.0)]

    def _one_block(self) -> None:
        """Back by a block that left the chain, or forward by one."""
        at = self.chain.at_height(self.marker.height)
        if at is None or at.name != self.marker.name:
            self._disconnect(self._read(self.marker.name))
        else:
            self._connect(self._read(self.chain.active[self.marker.height + 1].name))

    def catch_up(self) -> None:
        """All the way to the tip at once, for programs that read a folder offline."""
        while not self.is_current:
            self._one_block()

    def _read(self, name: bytes) -> ConnectedBlock:
        staged = self.chain.stage_again(self.chain.read_block(name))
        return ConnectedBlock(staged.known, staged.block, staged.prepared, Undo((), 0))

    def flush(self) -> None:
        """Write down, atomically with the marker. The world calls it after what came before is durable."""
        self.store.flush({b"m": encode(self.marker)}, sync=False)

    def close(self) -> None:
        """Flush and close."""
        try:
            self.flush()
        finally:
            self.store.close()

    # ---- following blocks ------------------------------------------------------------------------------

    def _add_output(self, point: bytes, content: Output) -> None:
        self.store.put(b"h" + content.asset + point, b"")
        for key, roles in roles_of(content):
            self.store.put(b"k" + key + point, roles)

    def _remove_output(self, point: bytes, content: Output) -> None:
        self.store.delete(b"h" + content.asset + point)
        for key, _ in roles_of(content):
            self.store.delete(b"k" + key + point)

    def _connect(self, block: ConnectedBlock) -> None:
        height, put = block.known.height, self.store.put
        reward = reward_id(self.chain.network, height, block.block.reward)
        for index, coin in enumerate(block.block.reward):
            self._add_output(outpoint(reward, index), coin)
        books = Books()
        for position, item in enumerate(block.prepared):
            where = _u32(height) + _u32(position)
            put(b"t" + item.id, where)
            touched = Touched(item)
            for point, content in touched.spent:
                self._remove_output(point, content)
            for point, content in touched.made:
                self._add_output(point, content)
            for key in touched.keys:
                put(b"c" + key + where, item.id)
            for asset in touched.assets:
                put(b"y" + asset + where, item.id)
            for number, definition in enumerate(item.transaction.body.definitions):
                asset = asset_id(item.id, number)
                put(b"a" + asset, encode(AssetRecord(definition, item.id, height)))
                put(_name_key(definition.name) + asset, b"")
            for number, post in enumerate(item.transaction.body.posts):
                record = PostRecord(item.id, height, position, number, block.known.header.time_ms, post)
                put(b"p" + where + _u16(number), encode(record))
                if post.document is not None:
                    put(b"d" + post.document + where + _u16(number), item.id)
            books.enter(item, touched.assets)
        self._write_books(books, +1)
        total = self.marker.transactions + len(block.prepared)
        self.marker = IndexMarker(block.known.name, height, total, self.marker.posts + books.posts)

    def _disconnect(self, block: ConnectedBlock) -> None:
        height, delete = block.known.height, self.store.delete
        books = Books()
        for position, item in reversed(list(enumerate(block.prepared))):
            where = _u32(height) + _u32(position)
            delete(b"t" + item.id)
            touched = Touched(item)
            for point, content in touched.made:
                self._remove_output(point, content)
            for point, content in touched.spent:
                self._add_output(point, content)
            for key in touched.keys:
                delete(b"c" + key + where)
            for asset in touched.assets:
                delete(b"y" + asset + where)
            for number, post in enumerate(item.transaction.body.posts):
                delete(b"p" + where + _u16(number))
                if post.document is not None:
                    delete(b"d" + post.document + where + _u16(number))
            books.enter(item, touched.assets)
        self._write_books(books, -1)
        for item in block.prepared:
            for number, definition in enumerate(item.transaction.body.definitions):
                asset = asset_id(item.id, number)
                delete(b"a" + asset)
                delete(_name_key(definition.name) + asset)
        reward = reward_id(self.chain.network, height, block.block.reward)
        for index, coin in enumerate(block.block.reward):
            self._remove_output(outpoint(reward, index), coin)
        total = self.marker.transactions - len(block.prepared)
        parent = block.known.header.parent
        self.marker = IndexMarker(parent, height - 1, total, self.marker.posts - books.posts)

    def _write_books(self, books: Books, sign: int) -> None:
        """Bring the books of the assets that a block touched up to date, or back."""
        for asset, (issued, produced, consumed, retired, transactions) in books.changes.items():
            record = self.asset(asset)
            if record is None:
                continue  # granted by the genesis without a definition
            changed = AssetRecord(
                record.definition,
                record.transaction,
                record.height,
                record.issued + sign * issued,
                record.produced + sign * produced,
                record.consumed + sign * consumed,
                record.retired + sign * retired,
                record.transactions + sign * transactions,
            )
            self.store.put(b"a" + asset, encode(changed))

    # ---- answers ----------------------------------------------------------------------------------------

    def transaction_place(self, transaction: bytes) -> TransactionPlace | None:
        """Where a confirmed transaction is."""
        raw = self.store.get(b"t" + transaction)
        return TransactionPlace(int.from_bytes(raw[:4], "big"), int.from_bytes(raw[4:], "big")) if raw else None

    def asset(self, asset: bytes) -> AssetRecord | None:
        """Definition and books of an asset."""
        raw = self.store.get(b"a" + asset)
        return _asset.decode(raw) if raw is not None else None

    def assets(self, after: bytes = b"", most: int = 1_000) -> list[tuple[bytes, AssetRecord]]:
        """Assets in order of id, from the one after ``after``."""
        start = b"a" + after + b"\x00" if after else b"a"
        rows = []
        for key, value in self.store.items(start, b"b"):
            rows.append((key[1:], _asset.decode(value)))
            if len(rows) >= min(most, MAX_ANSWER):
                break
        return rows

    def assets_named(self, name: str, most: int = 100) -> list[bytes]:
        """Ids of the assets of exactly this name, in order of id."""
        prefix = _name_key(name)
        return [key[len(prefix) :] for key, _ in islice(self.store.items(*_below(prefix)), most)]

    def outputs_of_asset(self, asset: bytes, most: int = MAX_ANSWER) -> Iterator[tuple[bytes, int]]:
        """Unspent outputs of an asset: (transaction, index)."""
        for name, _ in islice(self.store.items(*_below(b"h" + asset)), most):
            yield name[33:65], int.from_bytes(name[65:], "big")

    def outputs_of(self, key: bytes, most: int = MAX_ANSWER) -> Iterator[tuple[bytes, int, int]]:
        """Unspent outputs that name a key: (transaction, index, roles)."""
        for count, (name, value) in enumerate(self.store.items(*_below(b"k" + key))):
            if count >= most:
                return
            point = name[33:]
            yield point[:32], int.from_bytes(point[32:], "big"), value[0]

    def history_of_asset(self, asset: bytes, most: int = 1_000) -> list[bytes]:
        """Ids of the transactions that touched an asset, oldest first."""
        return self._values(b"y" + asset, most)

    def history_of_key(self, key: bytes, most: int = 1_000) -> list[bytes]:
        """Ids of the transactions that name a key, oldest first."""
        return self._values(b"c" + key, most)

    def posts_about_document(self, document: bytes, most: int = 1_000) -> list[bytes]:
        """Ids of the transactions with posts that name a document, oldest first."""
        return self._values(b"d" + document, most)

    def _values(self, prefix: bytes, most: int) -> list[bytes]:
        rows = []
        for _, value in self.store.items(*_below(prefix)):
            rows.append(value)
            if len(rows) >= min(most, MAX_ANSWER):
                break
        return rows

    def posts(self, from_height: int = 0, most: int = 1_000) -> list[PostRecord]:
        """Posts in the order of the ledger, from a height on."""
        rows = []
        for _, value in self.store.items(b"p" + _u32(from_height), b"q"):
            rows.append(_post.decode(value))
            if len(rows) >= min(most, MAX_ANSWER):
                break
        return rows

    def last_posts(self, most: int) -> list[PostRecord]:
        """The latest posts, oldest of them first. Looks back in growing strides."""
        height, stride = self.chain.tip.height, 64
        while True:
            start = max(0, height - stride)
            rows = [_post.decode(value) for _, value in self.store.items(b"p" + _u32(start), b"q")]
            if len(rows) >= most or start == 0:
                return rows[-most:]
            stride *= 4


__all__ = ["CUSTODIAN", "LATER", "OWNER", "RIGHT", "AssetRecord", "Index", "PostRecord", "TransactionPlace"]
