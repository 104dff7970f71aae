"""What a block writes into the index: rows that are there exactly while the block is on the chain, and outputs that it
makes and spends.

Connecting puts these, disconnecting takes them back; both see the same enumeration, so neither can forget what the other did.
"""

from __future__ import annotations

from horoi.base.codec import encode
from horoi.ledger.block import Header, reward_id
from horoi.ledger.conditions import keys_named
from horoi.ledger.transaction import (
    NATIVE,
    Holding,
    Output,
    Post,
    asset_id,
    outputs_made,
)
from horoi.node.index.claims import claimed_name
from horoi.node.index.keys import PLACE, POSTING, name_key, u16, u32, where, word_key
from horoi.node.index.records import DefinedAsset, IndexedBlock, Item, PostRecord
from horoi.node.index.text import words_of
from horoi.node.index.touched import Books, roles_of


class BlockRows:
    """``rows``: keys and values that come and go with the block. ``made`` and ``spent``: rows of outputs, by their keys; what
    the block itself spends again is in neither. ``books``: what it changes in sums. ``size_bytes``: of the block."""

    def __init__(self, network: bytes, indexed: IndexedBlock) -> None:
        self.height = indexed.known.height
        self.time_ms = indexed.known.header.time_ms
        self.rows: dict[bytes, bytes] = {}
        self.made: dict[bytes, bytes] = {}
        self.spent: dict[bytes, bytes] = {}
        self.books = Books()
        self._postings: dict[str, bytearray] = {}
        reward = reward_id(network, self.height, indexed.reward)
        for index, coin in enumerate(indexed.reward):
            self._make(reward + u16(index), coin, {})
        offset = offset_of_first(indexed.known.header, indexed.reward, len(indexed.items))
        for position, item in enumerate(indexed.items):
            self._enter(item, position, offset)
            offset += item.size_bytes
        self.size_bytes = offset
        if indexed.items:
            self.rows[b"w" + u32(self.height)] = b"".join([item.id for item in indexed.items])
        for word, places in self._postings.items():
            self.rows[word_key(word.encode(), self.height)] = bytes(places)

    # ---- transactions -----------------------------------------------------------------------------------------

    def _enter(self, item: Item, position: int, offset: int) -> None:
        body, name, rows = item.body, item.id, self.rows
        rows[b"t" + name] = PLACE.pack(self.height, position, offset, item.size_bytes)
        keys: dict[bytes, None] = {}
        assets: dict[bytes, None] = {}
        for spent in body.inputs:
            content = spent.content
            assets[content.asset] = None
            self._spend(spent.source + u16(spent.index), content, keys)
        for index, made in enumerate(outputs_made(name, body) if body.definitions else body.outputs):
            assets[made.asset] = None
            self._make(name + u16(index), made, keys)
        place = where(self.height, position)
        for number, post in enumerate(body.posts):
            self._post(item, post, position, number, place + u16(number))
            keys.update(dict.fromkeys(keys_named(post.author)))
            if post.about is not None:
                assets[post.about] = None
        if body.definitions:
            self._define(item)
        assets.pop(NATIVE, None)
        for key in keys:
            rows[b"c" + key + place] = name
        for asset in assets:
            rows[b"y" + asset + place] = name
        self.books.enter(item, assets)

    def _define(self, item: Item) -> None:
        for number, definition in enumerate(item.body.definitions):
            asset = asset_id(item.id, number)
            self.rows[b"a" + asset] = encode(DefinedAsset(definition, item.id, self.height))
            self.rows[name_key(definition.name) + asset] = b""
            for folded in folded_beginnings(definition.name):
                self.rows[b"l" + folded + b"\0" + asset] = b""

    def _post(self, item: Item, post: Post, position: int, number: int, place: bytes) -> None:
        record = PostRecord(item.id, self.height, position, number, self.time_ms, post)
        self.rows[b"p" + place] = encode(record)
        if post.document is not None:
            self.rows[b"d" + post.document + place] = item.id
        claim = claimed_name(post)
        if claim is not None:
            key, name = claim
            self.rows[b"u" + key + place] = name.encode()
        posting, postings = POSTING.pack(position, number), self._postings
        for word in words_of(post.text):
            places = postings.get(word)
            if places is None:
                postings[word] = bytearray(posting)
            else:
                places += posting

    # ---- outputs ----------------------------------------------------------------------------------------------

    def _make(self, point: bytes, content: Output, keys: dict[bytes, None]) -> None:
        made = self.made
        made[b"h" + content.asset + point] = b""
        for key, roles in roles_of(content):
            made[b"k" + key + point] = roles
            keys[key] = None

    def _spend(self, point: bytes, content: Output, keys: dict[bytes, None]) -> None:
        made, spent = self.made, self.spent
        name = b"h" + content.asset + point
        if made.pop(name, None) is None:
            spent[name] = b""
        for key, roles in roles_of(content):
            keys[key] = None
            name = b"k" + key + point
            if made.pop(name, None) is None:
                spent[name] = roles


def offset_of_first(header: Header, reward: tuple[Holding, ...], count: int) -> int:
    """Where the first transaction lies in a block's bytes: after the header, the reward, and the marks of two lists."""
    mark = 1 if count < 16 else 3 if count < 2**16 else 5  # MessagePack, "array format family"
    return 1 + len(encode(header)) + len(encode(reward)) + mark


def folded_beginnings(name: str) -> list[bytes]:
    """The words of a name, folded: an asset is found by the beginning of each."""
    return [word.encode() for word in list(words_of(name))[:8]]
