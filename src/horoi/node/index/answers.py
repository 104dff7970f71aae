"""What the index answers. Every question reads a bounded number of rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from horoi.node.index.keys import (
    BOOKS,
    FIGURES,
    PLACE,
    below,
    name_key,
    read_where,
    u32,
    where,
)
from horoi.node.index.records import (
    AssetRecord,
    BlockFigures,
    PostRecord,
    TransactionPlace,
    defined_codec,
    post_codec,
)
from horoi.node.index.text import words_of
from horoi.node.storage.cache import CachedStore

MAX_ANSWER = 10_000  # rows that one question returns at most

Place = tuple[int, int]
"""Height and position of a transaction."""

NO_BLOCK = BlockFigures(0, 0, 0, 0)


class Answers:
    """The index, to be asked."""

    def __init__(self, store: CachedStore) -> None:
        self.store = store

    # ---- transactions and blocks --------------------------------------------------------------------------------

    def transaction_place(self, transaction: bytes) -> TransactionPlace | None:
        """Where a confirmed transaction is."""
        raw = self.store.get(b"t" + transaction)
        return TransactionPlace(*PLACE.unpack(raw)) if raw is not None else None

    def transactions_beginning(self, prefix: bytes, most: int) -> list[bytes]:
        """Ids of confirmed transactions that begin so, in order."""
        stop = b"t" + prefix + b"\xff" * (33 - len(prefix))
        return [key[1:] for key, _ in islice(self.store.items(b"t" + prefix, stop), most)]

    def block_ids(self, height: int) -> list[bytes]:
        """Ids of the transactions of a block of the connected chain, in order."""
        raw = self.store.get(b"w" + u32(height)) or b""
        return [raw[start : start + 32] for start in range(0, len(raw), 32)]

    def figures(self, height: int) -> BlockFigures:
        """A block of the connected chain in figures; zeros for one that is not indexed."""
        raw = self.store.get(b"b" + u32(height)) if height >= 0 else None
        return BlockFigures(*FIGURES.unpack(raw)) if raw is not None else NO_BLOCK

    def busy_blocks(self, below_height: int, most_looked_at: int) -> Iterator[tuple[int, int]]:
        """Blocks below a height, newest first: (height, transactions). The empty ones are among them."""
        rows = self.store.items_down(b"b", b"b" + u32(max(0, min(below_height, 2**32 - 1))))
        for key, value in islice(rows, most_looked_at):
            yield int.from_bytes(key[1:], "big"), FIGURES.unpack(value)[0]

    # ---- assets ---------------------------------------------------------------------------------------------------

    def asset(self, asset: bytes) -> AssetRecord | None:
        """Definition and books of an asset."""
        raw = self.store.get(b"a" + asset)
        return self._asset(asset, raw) if raw is not None else None

    def _asset(self, asset: bytes, raw: bytes) -> AssetRecord:
        defined = defined_codec.decode(raw)
        books = self.store.get(b"s" + asset)
        sums = BOOKS.unpack(books) if books is not None else (0, 0, 0, 0, 0)
        return AssetRecord(defined.definition, defined.transaction, defined.height, *sums)

    def assets(self, after: bytes = b"", most: int = 1_000) -> list[tuple[bytes, AssetRecord]]:
        """Assets in order of id, from the one after ``after``."""
        start = b"a" + after + b"\x00" if after else b"a"
        rows = list(islice(self.store.items(start, b"b"), min(most, MAX_ANSWER)))
        return [(key[1:], self._asset(key[1:], value)) for key, value in rows]

    def assets_named(self, name: str, most: int = 100) -> list[bytes]:
        """Ids of the assets of exactly this name, in order of id."""
        prefix = name_key(name)
        return [key[len(prefix) :] for key, _ in islice(self.store.items(*below(prefix)), most)]

    def assets_like(self, text: str, most: int) -> list[bytes]:
        """Ids of assets whose names have a word that begins with the first of ``text``; then those that have the others too."""
        words = list(words_of(text))
        if not words:
            return []
        prefix = b"l" + words[0].encode()
        found = {key[-32:]: None for key, _ in islice(self.store.items(*below(prefix)), MAX_ANSWER // 10)}
        if len(words) == 1:
            return list(found)[:most]
        fitting = []
        for asset in found:
            record = self.asset(asset)
            named = words_of(record.definition.name) if record is not None else {}
            if all(any(name.startswith(word) for name in named) for word in words):
                fitting.append(asset)
            if len(fitting) >= most:
                break
        return fitting

    def retired_by_reason(self, asset: bytes, most: int) -> list[tuple[str, int]]:
        """What was retired of an asset, by reason, the greatest first."""
        prefix = b"r" + asset
        rows = islice(self.store.items(*below(prefix)), MAX_ANSWER)
        sums = [(key[len(prefix) :].decode(), int.from_bytes(value, "big")) for key, value in rows]
        return sorted(sums, key=lambda row: (-row[1], row[0]))[:most]

    # ---- outputs --------------------------------------------------------------------------------------------------

    def outputs_of_asset(self, asset: bytes, most: int = MAX_ANSWER) -> Iterator[tuple[bytes, int]]:
        """Unspent outputs of an asset: (transaction, index)."""
        for name, _ in islice(self.store.items(*below(b"h" + asset)), most):
            yield name[33:65], int.from_bytes(name[65:], "big")

    def outputs_of(self, key: bytes, most: int = MAX_ANSWER) -> Iterator[tuple[bytes, int, int]]:
        """Unspent outputs that name a key: (transaction, index, roles)."""
        for name, value in islice(self.store.items(*below(b"k" + key)), most):
            point = name[33:]
            yield point[:32], int.from_bytes(point[32:], "big"), value[0]

    # ---- histories ------------------------------------------------------------------------------------------------

    def history_of_asset(self, asset: bytes, most: int = 1_000) -> list[bytes]:
        """Ids of the transactions that touched an asset, oldest first."""
        return self._values(b"y" + asset, most)

    def latest_of_asset(self, asset: bytes, most: int, before: Place | None = None) -> list[tuple[Place, bytes]]:
        """Places and ids of the transactions that touched an asset, newest first, from before a place on."""
        return self._latest(b"y" + asset, most, before)

    def history_of_key(self, key: bytes, most: int = 1_000) -> list[bytes]:
        """Ids of the transactions that name a key, oldest first."""
        return self._values(b"c" + key, most)

    def latest_of_key(self, key: bytes, most: int, before: Place | None = None) -> list[tuple[Place, bytes]]:
        """Places and ids of the transactions that name a key, newest first, from before a place on."""
        return self._latest(b"c" + key, most, before)

    def posts_about_document(self, document: bytes, most: int = 1_000) -> list[bytes]:
        """Ids of the transactions with posts that name a document, oldest first."""
        return self._values(b"d" + document, most)

    def claims(self, key: bytes, most: int) -> list[tuple[Place, str]]:
        """Names that a key gave itself, the newest first."""
        rows = islice(self.store.items_down(*below(b"u" + key)), most)
        return [(read_where(name[33:]), value.decode()) for name, value in rows]

    def _values(self, prefix: bytes, most: int) -> list[bytes]:
        return [value for _, value in islice(self.store.items(*below(prefix)), min(most, MAX_ANSWER))]

    def _latest(self, prefix: bytes, most: int, before: Place | None) -> list[tuple[Place, bytes]]:
        start, stop = below(prefix)
        if before is not None:
            stop = prefix + where(*before)
        rows = islice(self.store.items_down(start, stop), min(most, MAX_ANSWER))
        return [(read_where(key[len(prefix) :]), value) for key, value in rows]

    # ---- posts ----------------------------------------------------------------------------------------------------

    def posts(self, from_height: int = 0, most: int = 1_000) -> list[PostRecord]:
        """Posts in the order of the ledger, from a height on."""
        rows = islice(self.store.items(b"p" + u32(from_height), b"q"), min(most, MAX_ANSWER))
        return [post_codec.decode(value) for _, value in rows]

    def posts_after(self, place: tuple[int, int, int], most: int) -> list[PostRecord]:
        """Posts in the order of the ledger, from the one after a place (height, position, number) on."""
        height, position, number = place
        start = b"p" + where(height, position) + number.to_bytes(2, "big") + b"\0"
        return [post_codec.decode(value) for _, value in islice(self.store.items(start, b"q"), min(most, MAX_ANSWER))]

    def last_posts(self, most: int) -> list[PostRecord]:
        """The latest posts, oldest of them first."""
        rows = islice(self.store.items_down(b"p", b"q"), min(most, MAX_ANSWER))
        return [post_codec.decode(value) for _, value in rows][::-1]

    def post_at(self, height: int, position: int, number: int) -> PostRecord | None:
        """The post of a place."""
        raw = self.store.get(b"p" + where(height, position) + number.to_bytes(2, "big"))
        return post_codec.decode(raw) if raw is not None else None
