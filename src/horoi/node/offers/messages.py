"""The wire of offers.

OfferHave(items)                    I know these, in these versions
OfferGet(ids)   ->  OfferGive(offers), OfferGone(ids)
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from horoi.base.codec import Record
from horoi.ledger.conditions import Hash
from horoi.machine.wire import Message, Wire
from horoi.node.offers.limits import MAX_OFFER_SIZE_BYTES
from horoi.node.offers.offer import MARK_SIZE_BYTES, Offer

MAX_ITEMS = 500  # 22 kB; a guess
MAX_IDS = 16  # asked for at once: what is owed stays below a megabyte
GIVE_SIZE_BYTES = 100_000  # a guess: a message fills up to this, so that other traffic gets between

Ids = Annotated[tuple[Hash, ...], Meta(min_length=1, max_length=MAX_IDS)]


class Version(Record, frozen=True):
    """An offer, and who has stated what about it (offer.py, ``mark_of``)."""

    id: Hash
    mark: Annotated[bytes, Meta(min_length=MARK_SIZE_BYTES, max_length=MARK_SIZE_BYTES)]


class OfferHave(Message, frozen=True, tag="offer-have"):
    """The sender can deliver these."""

    items: Annotated[tuple[Version, ...], Meta(min_length=1, max_length=MAX_ITEMS)]


class OfferGet(Message, frozen=True, tag="offer-get"):
    """Asks for offers that the other side announced."""

    ids: Ids


class OfferGive(Message, frozen=True, tag="offer"):
    """Offers that were asked for, in the sender's present versions."""

    offers: Annotated[tuple[Offer, ...], Meta(min_length=1, max_length=MAX_IDS)]


class OfferGone(Message, frozen=True, tag="offer-gone"):
    """These were asked for and are not to be had here (any more)."""

    ids: Ids


WIRE = Wire([OfferHave, OfferGet, OfferGive, OfferGone], max_size_bytes=GIVE_SIZE_BYTES + MAX_OFFER_SIZE_BYTES + 1_000)
