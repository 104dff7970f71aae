"""Values that a peer keeps for others, under the rules of BEP 44 and of Horoi's own wire. Bounded; they expire; what room there
is is shared fairly (``common.shares``).

A signed item has one owner and only moves forward. An unsigned one is, in Mainline, named by its own hash; on Horoi's own wire
any key may be used, and takes the last value that was put, except where the key is the hash of the value that is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from horoi.base.ids import key_of
from horoi.base.sources import OWN, Source
from horoi.lookup.common.shares import SharedStore
from horoi.lookup.kademlia.messages import (
    BAD_SIGNATURE,
    CAS_MISMATCH,
    GENERIC,
    PROTOCOL,
    SALT_TOO_BIG,
    SEQ_TOO_LOW,
    SERVER,
    TOO_BIG,
    Item,
)
from horoi.lookup.kademlia.signing import (
    MAX_ITEM_BYTES,
    MAX_SALT_BYTES,
    immutable_target,
    is_signed,
    mutable_target,
)

MAX_ITEMS = 50_000  # a guess: 60 MB of the largest
MAX_TTL_S = 24 * 3600.0  # paper, section 2.5: pairs expire 24 hours after their publication
MAINLINE_TTL_S = 2 * 3600.0  # BEP 44: "re-announced once an hour", and items may expire after 2 hours


class Kept(NamedTuple):
    """An item, when it is forgotten, when it was last put here (paper: who was told within the hour need not tell), and whom it
    counts for."""

    item: Item
    expires_s: float
    put_s: float
    source: Source


class Wrong(NamedTuple):
    """Why an item is refused: an error code of BEP 44 and a sentence."""

    code: int
    text: str


def is_valid(key: int, item: Item, *, bits: int, mainline: bool) -> bool:
    """Whether an item may stand under a key at all: what a peer answers is checked by the same rules as what it is told."""
    return _wrong_in_itself(key, item, bits=bits, mainline=mainline) is None


def _wrong_in_itself(key: int, item: Item, *, bits: int, mainline: bool) -> Wrong | None:
    if len(item.value) > MAX_ITEM_BYTES:
        return Wrong(TOO_BIG, f"a value has at most {MAX_ITEM_BYTES} bytes, this one {len(item.value)}")
    signed = item.signed
    if signed is None:
        if mainline and immutable_target(item.value) != key:
            return Wrong(PROTOCOL, "an immutable item is named by the SHA-1 of its bencoded value")
        return None
    if len(signed.salt) > MAX_SALT_BYTES:
        return Wrong(SALT_TOO_BIG, f"a salt has at most {MAX_SALT_BYTES} bytes, this one {len(signed.salt)}")
    if mutable_target(signed.public_key, signed.salt) >> (160 - min(bits, 160)) != key:
        return Wrong(PROTOCOL, "a mutable item is named by the SHA-1 of its public key and salt")
    if not is_signed(signed.public_key, signed.signature, item.value, signed.seq, signed.salt):
        return Wrong(BAD_SIGNATURE, "the signature is not by this key over this value")
    return None


class ItemStore(SharedStore[int]):
    """Items by key."""

    __slots__ = ("_bits", "_items", "_mainline")

    def __init__(self, bits: int, *, mainline: bool, limit: int = MAX_ITEMS) -> None:
        super().__init__(limit)
        self._bits = bits
        self._mainline = mainline
        self._items: dict[int, Kept] = {}

    def __len__(self) -> int:
        return len(self._items)

    def put(
        self, key: int, item: Item, now: float, *, cas: int | None = None, copy: bool = False, source: Source = OWN
    ) -> Wrong | None:
        """Keep an item that ``source`` brings. Returns why not, or None. A ``copy`` (brought by who keeps it too) never replaces
        a younger value."""
        wrong = _wrong_in_itself(key, item, bits=self._bits, mainline=self._mainline)
        if wrong is not None:
            return wrong
        kept = self.get(key, now)
        ttl_s = MAINLINE_TTL_S if self._mainline else min(item.ttl_s, MAX_TTL_S)
        if not ttl_s > 0:
            return Wrong(PROTOCOL, "a time to live is more than 0 s")
        if kept is None:
            if not self._makes_room(source, now):
                return Wrong(SERVER, f"{self._limit} values are kept here, and nobody brought more of them than you")
        elif item.signed is not None or kept.item.signed is not None:
            wrong = _wrong_after(kept.item, item, cas)
            if wrong is not None:
                return wrong
        elif kept.item.value != item.value:
            if key_of(kept.item.value, self._bits) == key:
                return Wrong(GENERIC, "the key is the hash of the value that is kept here")
            if copy and kept.expires_s >= now + ttl_s:
                return None
        if kept is not None:
            if copy and kept.item.value == item.value:
                ttl_s = max(ttl_s, kept.expires_s - now)
            source = kept.source if copy else self._counts_for(kept.source, source)
            self._forget(key)
        self._items[key] = Kept(item, now + ttl_s, now, source)
        self._came(key, source)
        return None

    def get(self, key: int, now: float) -> Kept | None:
        """What is kept under ``key``, unless it has expired."""
        kept = self._items.get(key)
        if kept is not None and kept.expires_s <= now:
            self._forget(key)
            return None
        return kept

    def items(self, now: float) -> Iterator[tuple[int, Kept]]:
        """Keys and items that have not expired, in the order in which they were put."""
        return ((key, kept) for key, kept in self._items.items() if kept.expires_s > now)

    def expire(self, now: float) -> int:
        """Forget what has expired; returns how many."""
        old = [key for key, kept in self._items.items() if kept.expires_s <= now]
        for key in old:
            self._forget(key)
        return len(old)

    def _size(self) -> int:
        return len(self._items)

    def _held(self) -> Iterator[tuple[int, Source]]:
        return ((key, kept.source) for key, kept in self._items.items())

    def _forget(self, key: int) -> None:
        self._gone(key, self._items.pop(key).source)


def _wrong_after(kept: Item, item: Item, cas: int | None) -> Wrong | None:
    """Why a signed item cannot follow the one that is kept (BEP 44)."""
    if item.signed is None or kept.signed is None:
        return Wrong(PROTOCOL, "signed and unsigned items never share a key")
    if cas is not None and kept.signed.seq != cas:
        return Wrong(CAS_MISMATCH, f"compared with sequence number {cas}, and {kept.signed.seq} is kept here")
    if item.signed.seq < kept.signed.seq or (item.signed.seq == kept.signed.seq and item.value != kept.value):
        return Wrong(SEQ_TOO_LOW, f"sequence number {item.signed.seq} is not above {kept.signed.seq}")
    return None
