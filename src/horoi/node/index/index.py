"""The index: transactions by id, holdings and history by key, assets and their history, posts in order, documents.

Derived from the chain and rebuildable from it: it follows the tip block by block, and at opening goes back to where it
left the chain and catches up. Nothing of consensus depends on it.

Keys of its store (numbers big-endian, so that they sort):

    t || transaction id                          its place: height and position in the block
    a || asset                                   definition and totals
    y || asset || height || position             transactions that touched the asset
    k || key || outpoint                         unspent outputs that name the key, and how
    c || key || height || position               transactions that name the key
    p || height || position || number            posts, in order
    d || document || height || position || n     posts about a document
    m                                            the marker
"""

from __future__ import annotations

from collections.abc import Iterator

from horoi.base.codec import Codec, Record, encode
from horoi.ledger.block import reward_id
from horoi.ledger.conditions import Condition, keys_named
from horoi.ledger.ledger import Prepared, Undo
from horoi.ledger.transaction import (
    NATIVE,
    Definition,
    Holding,
    Input,
    Output,
    Post,
    asset_id,
    outpoint,
    outputs_made,
)
from horoi.machine.contract import Action, Arm, Asked, Event, Fired, Save
from horoi.machine.disk import Disk
from horoi.machine.host import Started
from horoi.node.chain import Chain
from horoi.node.events import ConnectedBlock, TipChanged
from horoi.node.storage.cache import CachedStore

FLUSH_S = 10.0  # a crash re-indexes at most this long; a guess
CACHE_CHANGES = 100_000
MAX_ANSWER = 10_000  # rows that one question returns at most

OWNER, CUSTODIAN, RIGHT = 1, 2, 4
"""How an output names a key."""


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


_place = Codec[TransactionPlace](TransactionPlace, max_size_bytes=100)
_asset = Codec[AssetRecord](AssetRecord, max_size_bytes=10_000)
_post = Codec[PostRecord](PostRecord, max_size_bytes=100_000)
_marker = Codec[IndexMarker](IndexMarker, max_size_bytes=200)


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _u16(number: int) -> bytes:
    return number.to_bytes(2, "big")


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
            return [Arm("flush", FLUSH_S), Save(FlushIndex())]
        if not isinstance(event, Asked):
            return []
        if isinstance(event.request, Started):
            self.catch_up()
            return [Arm("flush", FLUSH_S)]
        change = event.request
        assert isinstance(change, TipChanged)
        self._follow(change)
        return [Save(FlushIndex())] if self.store.full else []

    def _follow(self, change: TipChanged) -> None:
        moves = [
            *(block.known.name for block in change.disconnected),
            *(b.known.header.parent for b in change.connected),
        ]
        first = moves[0]
        if first != self.marker.name:
            self.catch_up()
            return
        for block in change.disconnected:
            self._disconnect(block)
        for block in change.connected:
            self._connect(block)

    def catch_up(self) -> None:
        """Go back to where the index left the connected chain, then forward to its tip."""
        while True:
            at = self.chain.at_height(self.marker.height)
            if at is not None and at.name == self.marker.name:
                break
            self._disconnect(self._read(self.marker.name))
        for known in self.chain.active[self.marker.height + 1 :]:
            self._connect(self._read(known.name))

    def _read(self, name: bytes) -> ConnectedBlock:
        staged = self.chain.stage_again(self.chain.read_block(name))
        return ConnectedBlock(staged.known, staged.block, staged.prepared, Undo((), 0))

    def flush(self) -> None:
        """Write down, atomically with the marker. The world calls it after what came before is durable."""
        self.store.flush({b"m": encode(self.marker)}, sync=False)

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self.store.close()

    # ---- following blocks ------------------------------------------------------------------------------

    def _connect(self, block: ConnectedBlock) -> None:
        height, put = block.known.height, self.store.put
        reward = reward_id(self.chain.network, height, block.block.reward)
        for index, coin in enumerate(block.block.reward):
            self._put_output(reward, index, coin)
        posts = 0
        for position, item in enumerate(block.prepared):
            put(b"t" + item.id, encode(TransactionPlace(height, position)))
            where = _u32(height) + _u32(position)
            for spent in item.transaction.body.inputs:
                self._delete_output(spent)
            for index, made in enumerate(outputs_made(item.id, item.transaction.body)):
                self._put_output(item.id, index, made)
            for key in _keys_of(item):
                put(b"c" + key + where, item.id)
            self._book(item, height, +1)
            for asset in _assets_of(item):
                put(b"y" + asset + where, item.id)
            for number, post in enumerate(item.transaction.body.posts):
                record = PostRecord(item.id, height, position, number, block.known.header.time_ms, post)
                put(b"p" + where + _u16(number), encode(record))
                if post.document is not None:
                    put(b"d" + post.document + where + _u16(number), item.id)
                posts += 1
        total = self.marker.transactions + len(block.prepared)
        self.marker = IndexMarker(block.known.name, height, total, self.marker.posts + posts)

    def _disconnect(self, block: ConnectedBlock) -> None:
        height, delete = block.known.height, self.store.delete
        posts = 0
        for position, item in reversed(list(enumerate(block.prepared))):
            delete(b"t" + item.id)
            where = _u32(height) + _u32(position)
            for index, made in enumerate(outputs_made(item.id, item.transaction.body)):
                self._delete_output(Input(item.id, index, made))
            for spent in item.transaction.body.inputs:
                self._put_output(spent.source, spent.index, spent.content)
            for key in _keys_of(item):
                delete(b"c" + key + where)
            self._book(item, height, -1)
            for asset in _assets_of(item):
                delete(b"y" + asset + where)
            for number, post in enumerate(item.transaction.body.posts):
                delete(b"p" + where + _u16(number))
                if post.document is not None:
                    delete(b"d" + post.document + where + _u16(number))
                posts += 1
        reward = reward_id(self.chain.network, height, block.block.reward)
        for index, made in enumerate(block.block.reward):
            self._delete_output(Input(reward, index, made))
        total = self.marker.transactions - len(block.prepared)
        parent = block.known.header.parent
        self.marker = IndexMarker(parent, height - 1, total, self.marker.posts - posts)

    def _put_output(self, source: bytes, index: int, made: Output) -> None:
        for key, roles in _roles(made).items():
            self.store.put(b"k" + key + outpoint(source, index), bytes([roles]))

    def _delete_output(self, spent: Input) -> None:
        for key in _roles(spent.content):
            self.store.delete(b"k" + key + outpoint(spent.source, spent.index))

    def _book(self, item: Prepared, height: int, sign: int) -> None:
        """Keep the books of the assets that a transaction defines, makes, consumes or retires."""
        body = item.transaction.body
        for number, definition in enumerate(body.definitions):
            key = b"a" + asset_id(item.id, number)
            if sign > 0:
                self.store.put(key, encode(AssetRecord(definition, item.id, height)))
            else:
                self.store.delete(key)
        changes: dict[bytes, list[int]] = {}

        def note(asset: bytes, column: int, quantity: int) -> None:
            changes.setdefault(asset, [0, 0, 0, 0])[column] += sign * quantity

        for issue in body.issues:
            note(body.inputs[issue.right].content.asset, 0, issue.quantity)
        for transform in body.transforms:
            note(body.inputs[transform.right].content.asset, 1, transform.produced)
            for amount in transform.consumed:
                note(amount.asset, 2, amount.quantity)
        for retired in body.retires:
            note(retired.asset, 3, retired.quantity)
        for asset in _assets_of(item):
            self._change_books(asset, changes.get(asset, [0, 0, 0, 0]), sign)

    def _change_books(self, asset: bytes, by: list[int], sign: int) -> None:
        record = self.asset(asset)
        if record is None:
            return  # granted by the genesis without a definition
        sums = (record.issued + by[0], record.produced + by[1], record.consumed + by[2], record.retired + by[3])
        changed = AssetRecord(record.definition, record.transaction, record.height, *sums, record.transactions + sign)
        self.store.put(b"a" + asset, encode(changed))

    # ---- answers ----------------------------------------------------------------------------------------

    def transaction_place(self, transaction: bytes) -> TransactionPlace | None:
        """Where a confirmed transaction is."""
        raw = self.store.get(b"t" + transaction)
        return _place.decode(raw) if raw is not None else None

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


def _roles(made: Output) -> dict[bytes, int]:
    """Which keys an output names, and how."""
    roles: dict[bytes, int] = {}
    for key in keys_named(made.owner):
        roles[key] = roles.get(key, 0) | (OWNER if isinstance(made, Holding) else RIGHT)
    if isinstance(made, Holding) and made.custodian is not None:
        for key in keys_named(made.custodian):
            roles[key] = roles.get(key, 0) | CUSTODIAN
    return roles


def _assets_of(item: Prepared) -> list[bytes]:
    """The assets that a transaction touches, in order of appearance, without the coin."""
    body = item.transaction.body
    touched = [spent.content.asset for spent in body.inputs] + [made.asset for made in body.outputs]
    touched += [asset_id(item.id, number) for number in range(len(body.definitions))]
    touched += [post.about for post in body.posts if post.about is not None]
    return [asset for asset in dict.fromkeys(touched) if asset != NATIVE]


def _keys_of(item: Prepared) -> list[bytes]:
    """The keys that a transaction names, in order of appearance."""
    body = item.transaction.body
    named: dict[bytes, None] = {}
    for content in (*(spent.content for spent in body.inputs), *body.outputs):
        named.update(dict.fromkeys(_roles(content)))
    conditions: list[Condition] = [definition.issuer for definition in body.definitions]
    conditions += [post.author for post in body.posts]
    for condition in conditions:
        named.update(dict.fromkeys(keys_named(condition)))
    return list(named)
