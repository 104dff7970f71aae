"""What Pastry's peers say to each other, one datagram each.

Spoofed sources: whatever is answered with much more than was asked (rows, leaf sets, values) needs a permit, which only who
receives datagrams at its address can have (``common.permits``). What needs none is answered with less than three times its
size, the factor that RFC 9000, section 8.1, allows towards an address that has not been validated.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from horoi.lookup.common.permits import PERMIT_BYTES
from horoi.lookup.vocabulary import MAX_PAYLOAD_BYTES, MAX_PROVIDERS, MAX_VALUE_BYTES, Contact, Id
from horoi.machine.wire import Message

MAX_DATAGRAM_BYTES: Final = 1400  # below Ethernet's 1500 less headers, with room for a tunnel's
MAX_HOPS: Final = 24  # a guess: a million peers need 5, and failures a few more; beyond, a message is lost
MAX_LEAVES: Final = 32  # paper, section 2.1: |L| is 2^b or 2 x 2^b; 32 contacts are 864 bytes, 1248 with IPv6
MAX_NEIGHBOURS: Final = 32  # the same
MAX_REPLICAS: Final = 4  # in an answer, next to the owner, so that it stays small
MAX_DIGIT: Final = 15
MAX_ROW: Final = 255

# Why a message is routed.
LOOKUP: Final = 0
ROUTE: Final = 1
JOIN: Final = 2

Nonce = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Permit = Annotated[bytes, Meta(max_length=PERMIT_BYTES)]
RowNumber = Annotated[int, Meta(ge=0, le=MAX_ROW)]
Ttl = Annotated[float, Meta(ge=0, le=1e9)]
Contacts = Annotated[tuple[Contact, ...], Meta(max_length=MAX_LEAVES)]
RowContacts = Annotated[tuple[Contact, ...], Meta(max_length=MAX_DIGIT + 1)]
Value = Annotated[bytes, Meta(max_length=MAX_VALUE_BYTES)]


class Ping(Message, frozen=True, tag="p"):
    """Are you there? ``id`` is the sender's: a stranger that pings may be worth knowing, if it can be routed through."""

    nonce: Nonce
    id: Id
    is_routing: bool


class Pong(Message, frozen=True, tag="P"):
    """Yes, as ``id``, and this is your permit. A peer whose tables are empty yet is not routed through."""

    nonce: Nonce
    id: Id
    is_routing: bool
    permit: Permit


class RowOf(Message, frozen=True, tag="r"):
    """Which peers are in row ``row`` of your routing table?"""

    nonce: Nonce
    permit: Permit
    row: RowNumber


class LeavesOf(Message, frozen=True, tag="l"):
    """Which peers are in your leaf set?"""

    nonce: Nonce
    permit: Permit


class NeighboursOf(Message, frozen=True, tag="n"):
    """Which peers are in your neighbourhood set?"""

    nonce: Nonce
    permit: Permit


class Known(Message, frozen=True, tag="K"):
    """The peers of the row or set that was asked for."""

    nonce: Nonce
    contacts: Contacts


class EntryOf(Message, frozen=True, tag="e"):
    """Which peer do you have at this row and digit? The question of repair (section 2.4)."""

    nonce: Nonce
    row: RowNumber
    digit: Annotated[int, Meta(ge=0, le=MAX_DIGIT)]


class Entry(Message, frozen=True, tag="E"):
    """That one, or none."""

    nonce: Nonce
    contact: Contact | None


class Hello(Message, frozen=True, tag="h"):
    """I have come (section 2.4, last step of a join). ``contacts`` is the row of my table in which you are."""

    id: Id
    contacts: RowContacts


class Bye(Message, frozen=True, tag="b"):
    """I am about to be silent. Whoever hears it asks once whether that is so."""

    id: Id


class Forward(Message, frozen=True, tag="f"):
    """A message on its way to the owner of ``key``. Acknowledged at each step by ``Ack(step)``.

    ``sender`` is the id of whoever passed it on; ``origin`` is answered by the owner with the same ``nonce``. ``path``
    is who was passed, for lookups and joins; a payload leaves no room for it.
    """

    step: Nonce
    nonce: Nonce
    key: Id
    purpose: Annotated[int, Meta(ge=LOOKUP, le=JOIN)]
    origin: Contact
    sender: Id
    hops: Annotated[int, Meta(ge=0, le=MAX_HOPS)]
    timeouts: Annotated[int, Meta(ge=0, le=1000)]
    is_wide: bool
    path: Annotated[tuple[Contact, ...], Meta(max_length=MAX_HOPS)]
    payload: Annotated[bytes, Meta(max_length=MAX_PAYLOAD_BYTES)]


class Ack(Message, frozen=True, tag="a"):
    """I have it and pass it on."""

    step: Nonce


class Answer(Message, frozen=True, tag="A"):
    """From the owner to the origin: I am it, and these are next to me. ``permit`` is for a write that follows."""

    nonce: Nonce
    owner: Contact
    replicas: Annotated[tuple[Contact, ...], Meta(max_length=MAX_REPLICAS)]
    hops: Annotated[int, Meta(ge=0, le=MAX_HOPS)]
    timeouts: Annotated[int, Meta(ge=0, le=1000)]
    path: Annotated[tuple[Contact, ...], Meta(max_length=MAX_HOPS)]
    permit: Permit


class Store(Message, frozen=True, tag="s"):
    """Keep this, as the owner, and give it to the replicas."""

    nonce: Nonce
    permit: Permit
    key: Id
    value: Value
    ttl_s: Ttl


class Copy(Message, frozen=True, tag="c"):
    """Keep this as a replica, or as the new owner. Only from a peer of the leaf set."""

    nonce: Nonce
    permit: Permit
    key: Id
    value: Value
    ttl_s: Ttl


class AddProvider(Message, frozen=True, tag="v"):
    """I, ``id`` at the address this came from, have the thing named ``key``."""

    nonce: Nonce
    permit: Permit
    key: Id
    id: Id


class CopyProvider(Message, frozen=True, tag="w"):
    """A provider's word, as a replica. Only from a peer of the leaf set."""

    nonce: Nonce
    permit: Permit
    key: Id
    provider: Contact
    ttl_s: Ttl


class Kept(Message, frozen=True, tag="k"):
    """It is kept by so many peers; 0: refused."""

    nonce: Nonce
    copies: Annotated[int, Meta(ge=0, le=MAX_LEAVES)]


class Fetch(Message, frozen=True, tag="g"):
    """What is kept under ``key``?"""

    nonce: Nonce
    permit: Permit
    key: Id


class Fetched(Message, frozen=True, tag="G"):
    """That, or nothing."""

    nonce: Nonce
    value: Value | None


class FetchProviders(Message, frozen=True, tag="o"):
    """Who has the thing named ``key``?"""

    nonce: Nonce
    permit: Permit
    key: Id
    limit: Annotated[int, Meta(ge=0, le=MAX_PROVIDERS)]


class FetchedProviders(Message, frozen=True, tag="O"):
    """They said so."""

    nonce: Nonce
    providers: Annotated[tuple[Contact, ...], Meta(max_length=MAX_PROVIDERS)]


REPLIES: Final = (Pong, Known, Entry, Kept, Fetched, FetchedProviders)
"""What answers a request of ``Core.ask`` by its nonce, next to ``Ack``."""

MESSAGES: Final = (
    Ping, Pong, RowOf, LeavesOf, NeighboursOf, Known, EntryOf, Entry, Hello, Bye, Forward, Ack, Answer,
    Store, Copy, AddProvider, CopyProvider, Kept, Fetch, Fetched, FetchProviders, FetchedProviders,
)  # fmt: skip
