"""What Tapestry's peers say to each other, one datagram each.

Spoofed sources: whatever is answered with much more than was asked (levels, values) needs a permit, which only who
receives datagrams at its address can have (``common.permits``). What needs none is answered with less than three times its
size, the factor that RFC 9000, section 8.1, allows towards an address that has not been validated.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from horoi.lookup.common.permits import PERMIT_BYTES
from horoi.lookup.tapestry.config import MAX_ROOTS
from horoi.lookup.vocabulary import MAX_PAYLOAD_BYTES, MAX_PROVIDERS, MAX_VALUE_BYTES, Contact, Id
from horoi.machine.wire import Message

MAX_DATAGRAM_BYTES: Final = 1400  # below Ethernet's 1500 less headers, with room for a tunnel's
MAX_HOPS: Final = 24  # a guess: each step resolves a digit, and a million peers need 5 or 6; beyond, a message is lost
MAX_NEIGHBOURS: Final = 32  # of a level in one answer: 864 bytes, 1248 with IPv6
MAX_SHORT: Final = 4  # contacts in an answer that needs no permit
MAX_DIGIT: Final = 15
MAX_LEVEL: Final = 256

# Why a message is routed.
LOOKUP: Final = 0
ROUTE: Final = 1
JOIN: Final = 2
PUBLISH: Final = 3
LOCATE: Final = 4

Nonce = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Permit = Annotated[bytes, Meta(max_length=PERMIT_BYTES)]
Level = Annotated[int, Meta(ge=0, le=MAX_LEVEL)]
Digit = Annotated[int, Meta(ge=0, le=MAX_DIGIT)]
Salt = Annotated[int, Meta(ge=0, lt=MAX_ROOTS)]
Ttl = Annotated[float, Meta(ge=0, le=1e9)]
Contacts = Annotated[tuple[Contact, ...], Meta(max_length=MAX_NEIGHBOURS)]
FewContacts = Annotated[tuple[Contact, ...], Meta(max_length=MAX_SHORT)]
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


class LevelOf(Message, frozen=True, tag="l"):
    """Which peers are in level ``level`` of your neighbour map, and who points to you from that level?"""

    nonce: Nonce
    permit: Permit
    level: Level


class Known(Message, frozen=True, tag="K"):
    """The peers of the level that was asked for."""

    nonce: Nonce
    contacts: Contacts


class SlotOf(Message, frozen=True, tag="e"):
    """Which peers do you have at this level and digit? The question of repair."""

    nonce: Nonce
    level: Level
    digit: Digit


class SlotIs(Message, frozen=True, tag="E"):
    """Those, the nearest first; yourself among them, if you are of that level and digit."""

    nonce: Nonce
    contacts: FewContacts


class Multicast(Message, frozen=True, tag="m"):
    """Acknowledged multicast (SPAA, section 4): everybody with the newcomer's first ``prefix`` digits hears of it.

    The receiver passes it on to the subtrees of ``level`` and deeper, and answers when all of them have.
    """

    nonce: Nonce
    permit: Permit
    newcomer: Contact
    prefix: Level
    level: Level


class Reached(Message, frozen=True, tag="M"):
    """Everybody of the subtree has heard."""

    nonce: Nonce


class Hello(Message, frozen=True, tag="h"):
    """I, ``id``, have come, or have you in my map: you may want me in yours, and should tell me when you leave."""

    id: Id


class Bye(Message, frozen=True, tag="b"):
    """I am about to be silent. Whoever hears it asks once whether that is so."""

    id: Id


class Forward(Message, frozen=True, tag="f"):
    """A message on its way to the root of ``key``. Acknowledged at each step by ``Ack(step)``.

    ``sender`` is the id of whoever passed it on, ``level`` how many digits are resolved; ``origin`` is answered with the
    same ``nonce``. ``path`` is who was passed, for lookups and joins; a payload leaves no room for it.
    """

    step: Nonce
    nonce: Nonce
    key: Id
    purpose: Annotated[int, Meta(ge=LOOKUP, le=LOCATE)]
    origin: Contact
    sender: Id
    level: Level
    hops: Annotated[int, Meta(ge=0, le=MAX_HOPS)]
    timeouts: Annotated[int, Meta(ge=0, le=1000)]
    surrogates: Annotated[int, Meta(ge=0, le=MAX_LEVEL)]
    path: Annotated[tuple[Contact, ...], Meta(max_length=MAX_HOPS)]
    payload: Annotated[bytes, Meta(max_length=MAX_PAYLOAD_BYTES)]


class Ack(Message, frozen=True, tag="a"):
    """I have it and pass it on."""

    step: Nonce


class Answer(Message, frozen=True, tag="A"):
    """From the root to the origin: I am it. ``permit`` is for a write that follows.

    To a LOCATE whoever has a pointer answers, root or not, with some of the ``holders``.
    """

    nonce: Nonce
    owner: Contact
    holders: FewContacts
    surrogates: Annotated[int, Meta(ge=0, le=MAX_LEVEL)]
    hops: Annotated[int, Meta(ge=0, le=MAX_HOPS)]
    timeouts: Annotated[int, Meta(ge=0, le=1000)]
    path: Annotated[tuple[Contact, ...], Meta(max_length=MAX_HOPS)]
    permit: Permit


class Store(Message, frozen=True, tag="s"):
    """Keep this, as the root of the key with this salt."""

    nonce: Nonce
    permit: Permit
    key: Id
    salt: Salt
    value: Value
    ttl_s: Ttl
    is_copy: bool


class Kept(Message, frozen=True, tag="k"):
    """It is kept, or not."""

    nonce: Nonce
    is_kept: bool


class Fetch(Message, frozen=True, tag="g"):
    """What is kept under ``key``?"""

    nonce: Nonce
    permit: Permit
    key: Id


class Fetched(Message, frozen=True, tag="G"):
    """That, or nothing."""

    nonce: Nonce
    value: Value | None


class FetchHolders(Message, frozen=True, tag="o"):
    """To whom do you have pointers for ``key``?"""

    nonce: Nonce
    permit: Permit
    key: Id
    limit: Annotated[int, Meta(ge=0, le=MAX_PROVIDERS)]


class HoldersAre(Message, frozen=True, tag="O"):
    """To these."""

    nonce: Nonce
    holders: Annotated[tuple[Contact, ...], Meta(max_length=MAX_PROVIDERS)]


REPLIES: Final = (Pong, Known, SlotIs, Reached, Kept, Fetched, HoldersAre)
"""What answers a request of ``Core.ask`` by its nonce, next to ``Ack``."""

MESSAGES: Final = (
    Ping, Pong, LevelOf, Known, SlotOf, SlotIs, Multicast, Reached, Hello, Bye, Forward, Ack, Answer,
    Store, Kept, Fetch, Fetched, FetchHolders, HoldersAre,
)  # fmt: skip
