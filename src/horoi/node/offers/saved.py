"""Offers across a restart: a small sealed file of what was kept, and how it stood.

A node's own disk is believed about signatures (as it is about the state of the ledger), not about time and chain: those
have moved on, so every state is judged anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import RuleError
from horoi.ledger.conditions import Hash
from horoi.ledger.ledger import Ledger
from horoi.node.offers.book import Kept, State
from horoi.node.offers.offer import Digests, Offer, examine

FILE = "offers"
VERSION = 1
MAX_SAVED_SIZE_BYTES = 100_000_000  # more than any sensible Limits.max_size_bytes

TimeMs = Annotated[int, Meta(ge=0, le=2**53)]


class SavedOffer(Record, frozen=True):
    """An offer as it stood."""

    offer: Offer
    own: bool
    """It was put by the application, not brought by a peer."""
    received_ms: TimeMs
    state: State
    confirmed_height: int | None
    ended_ms: TimeMs | None


class OffersRecord(Record, frozen=True):
    """What the node saves."""

    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    network: Hash
    offers: tuple[SavedOffer, ...]

    def file(self) -> tuple[str, bytes]:
        """The name of the file that it becomes the whole content of, and the content (``RECORD_CODEC`` reads it)."""
        return FILE, encode(self)


RECORD_CODEC: Codec[OffersRecord] = Codec(OffersRecord, max_size_bytes=MAX_SAVED_SIZE_BYTES)


def record_of(network: bytes, book: Iterable[Kept]) -> OffersRecord:
    """The record of a book."""
    offers = tuple(
        SavedOffer(k.known.offer, k.source is None, k.received_ms, k.state, k.confirmed_height, k.ended_ms)
        for k in book
    )
    return OffersRecord(VERSION, network, offers)


def kept_of(record: OffersRecord, ledger: Ledger, digests: Digests) -> list[Kept]:
    """The offers of a record of this network. One that breaks a rule (of a newer version, say) is left out."""
    kept = []
    for saved in record.offers if record.network == ledger.network else ():
        try:
            known = examine(ledger, digests, saved.offer)
        except (RuleError, RecursionError):
            continue
        kept.append(
            Kept(
                known,
                None if saved.own else FORMER_LIFE,
                saved.received_ms,
                saved.state,
                saved.confirmed_height,
                saved.ended_ms,
            )
        )
    return kept


FORMER_LIFE = b"former life"
"""Stands for the peers of an earlier life, in the counts of who brought what."""
