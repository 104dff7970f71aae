"""The index: transactions by id, holdings and history by key, assets and their history, posts in order and by their words.

Derived from the chain and rebuildable from it. It follows the tip block by block; while the node is behind the network, or
opens after a crash, it stays behind and catches up in slices, so that it never holds up the chain. Nothing of consensus
depends on it. ``keys.py`` says how its store is laid out, ``rows.py`` what a block writes there.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from horoi.base.codec import Record, encode
from horoi.base.errors import StorageError
from horoi.machine.contract import Action, Arm, Asked, Event, Fired, Save
from horoi.machine.disk import Disk, Store
from horoi.machine.host import Started
from horoi.node.chain import Chain
from horoi.node.events import ConnectedBlock, TipChanged
from horoi.node.index.answers import MAX_ANSWER, Answers
from horoi.node.index.keys import BOOKS, FIGURES, u32
from horoi.node.index.records import (
    AssetRecord,
    IndexedBlock,
    IndexMarker,
    Item,
    PostRecord,
    TransactionPlace,
    marker_codec,
    reread,
)
from horoi.node.index.rows import BlockRows
from horoi.node.index.search import Found, Search
from horoi.node.index.touched import CUSTODIAN, LATER, OWNER, RIGHT, Books
from horoi.node.storage.cache import CachedStore

FORMAT = b"2"  # of the store's rows; another one is thrown away and made anew
FLUSH_S = 2.0  # a crash re-indexes at most this long; a guess
FOLLOW_S = 0.25  # how often a waiting index looks whether the node has caught up; a guess
DAMAGED_S = 2.0  # until a block that is being fetched again is looked for; a guess
SLICE_TRANSACTIONS = 500  # indexed at once when catching up: 20 ms
CACHE_CHANGES = 20_000  # a question sorts what is not flushed: 2 ms at this many
CLEAR_ROWS = 10_000  # deleted at once of an index that is thrown away


class FlushIndex(Record, frozen=True):
    """Record for the world: write the index down."""


def read_marker(store: Store | CachedStore) -> IndexMarker:
    """How far an index has come; height -1 if it is empty."""
    raw = store.get(b"m")
    return marker_codec.decode(raw) if raw is not None else IndexMarker(b"", -1, 0, 0)


def is_astray(store: Store | CachedStore, chain: Chain) -> bool:
    """Whether an index is of a block that the log does not have: the log lost its end, or is another's."""
    marker = read_marker(store)
    return marker.height >= 0 and marker.name not in chain.tree.by_name


class Index(Answers, Search):
    """The machine. Its answers are in ``answers.py`` and ``search.py``."""

    wire = None
    hears = (Started, TipChanged)

    def __init__(self, chain: Chain, disk: Disk, *, cache_changes: int = CACHE_CHANGES) -> None:
        super().__init__(CachedStore(disk.store("index"), max_changes=cache_changes))
        self.chain = chain
        if self.store.get(b"v") != FORMAT or is_astray(self.store, chain):
            self._clear()
        self.marker = read_marker(self.store)
        root = chain.tree.root
        if self.marker.height < 0:
            self._connect(self._read(root.name))

    def _clear(self) -> None:
        """Throw away what cannot be gone on from; its format first, so that after a crash nothing of it looks whole."""
        store = self.store.store
        store.write({b"v": None}, sync=False)
        while rows := [key for key, _ in islice(store.items(), CLEAR_ROWS)]:
            store.write(dict.fromkeys(rows), sync=False)
        self.store.put(b"v", FORMAT)

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
            self._disconnect(_indexed(block))
        for block in change.connected:
            self._connect(_indexed(block))
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

    def catch_up(self, progress: Callable[[float], None] = lambda part: None) -> None:
        """All the way to the tip at once, for programs that read a folder offline. What is in memory stays bounded."""
        while not self.is_current:
            self._one_block()
            if self.store.full:
                self.flush()
                progress(self.marker.height / max(1, self.chain.tip.height))

    def _read(self, name: bytes) -> IndexedBlock:
        return reread(self.chain.tree.by_name[name], self.chain.read_block(name), self.chain.ledger.id_of_bytes)

    def flush(self) -> None:
        """Write down, atomically with the marker. The world calls it after what came before is durable. After a write that
        failed (the disk was full) it is not: an index ahead of the log could not be walked back."""
        if not self.chain.kept.all_saved:
            return
        self.store.flush({b"m": encode(self.marker)}, sync=False)

    def close(self) -> None:
        """Flush and close."""
        try:
            self.flush()
        finally:
            self.store.close()

    # ---- following blocks ------------------------------------------------------------------------------

    def _connect(self, block: IndexedBlock) -> None:
        rows = BlockRows(self.chain.network, block)
        changes, fresh = self.store.changes, self.store.fresh
        changes.update(rows.rows)
        if fresh:
            for key in rows.spent:
                self.store.delete(key)
        else:
            changes.update(dict.fromkeys(rows.spent))
        fresh.update(rows.made.keys() - changes.keys())
        changes.update(rows.made)
        self._write_books(rows.books, +1)
        height = block.known.height
        before = self.figures(height - 1)
        figures = (
            len(block.items),
            before.total_transactions + len(block.items),
            before.total_posts + rows.books.posts,
            before.total_bytes + rows.size_bytes,
        )
        changes[b"b" + u32(height)] = FIGURES.pack(*figures)
        self.marker = IndexMarker(block.known.name, height, figures[1], figures[2])

    def _disconnect(self, block: IndexedBlock) -> None:
        rows = BlockRows(self.chain.network, block)
        changes = self.store.changes
        self._write_books(rows.books, -1)
        changes.update(dict.fromkeys(rows.rows))
        for key in rows.made:
            self.store.delete(key)
        changes.update(rows.spent)
        height = block.known.height
        changes[b"b" + u32(height)] = None
        before = self.figures(height - 1)
        parent = block.known.header.parent
        self.marker = IndexMarker(parent, height - 1, before.total_transactions, before.total_posts)

    def _write_books(self, books: Books, sign: int) -> None:
        """Bring the books of the assets that a block touched up to date, or back. Books of nothing are no books."""
        get, changes = self.store.get, self.store.changes
        for asset, row in books.changes.items():
            key = b"s" + asset
            raw = get(key)
            if raw is None:
                changes[key] = BOOKS.pack(*row)
                continue
            sums = [old + sign * new for old, new in zip(BOOKS.unpack(raw), row, strict=True)]
            changes[key] = BOOKS.pack(*sums) if any(sums) else None
        for reason, quantity in books.reasons.items():
            key = b"r" + reason
            total = int.from_bytes(get(key) or b"", "big") + sign * quantity
            changes[key] = total.to_bytes(8, "big") if total else None


def _indexed(block: ConnectedBlock) -> IndexedBlock:
    items = [Item(item.transaction.body, item.id, item.size_bytes) for item in block.prepared]
    return IndexedBlock(block.known, block.block.reward, items)


__all__ = [
    "CUSTODIAN",
    "LATER",
    "MAX_ANSWER",
    "OWNER",
    "RIGHT",
    "AssetRecord",
    "Found",
    "Index",
    "PostRecord",
    "TransactionPlace",
]
