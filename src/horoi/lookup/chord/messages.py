"""Chord's messages. Every request carries a nonce that its answer brings back, and ``to``: the id of the (virtual) node meant.

An answer to an address that has not proved itself is at most about three times its request (RFC 9000, section 8.1, has the
same rule against amplification); a write needs a permit, which only who receives at its address can have.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from horoi.base.codec import Record
from horoi.lookup.vocabulary import (
    MAX_PAYLOAD_BYTES,
    MAX_PROVIDERS,
    MAX_VALUE_BYTES,
    Address,
    Contact,
    Id,
)
from horoi.machine.wire import Message

MAX_SUCCESSORS: Final = 32  # a guess: 2 log2 N at 65,536 peers; the paper has r = 20 for 1000
MAX_CLOSER: Final = 3  # contacts of a kind in one step's answer, which is then about three times the request
MAX_HOPS: Final = 128  # more steps than any ring of bound ids needs: log2 N would be at most 40, dead ends trebled
MAX_ITEMS: Final = 64  # in one transfer, if the datagram has room
MAX_DATAGRAM_BYTES: Final = 1400  # below Ethernet's 1500 less headers, with room for a tunnel's

Nonce = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Permit = Annotated[bytes, Meta(max_length=8)]
Seconds = Annotated[float, Meta(ge=0, le=1e7)]
ValueBytes = Annotated[bytes, Meta(max_length=MAX_VALUE_BYTES)]
Closer = Annotated[tuple[Contact, ...], Meta(max_length=MAX_CLOSER)]
Contacts = Annotated[tuple[Contact, ...], Meta(max_length=MAX_SUCCESSORS)]


class Hello(Message, frozen=True, tag="hello"):
    """Who is at this address?"""

    nonce: Nonce


class Welcome(Message, frozen=True, tag="welcome"):
    """A node of this address, and the address from which the question came."""

    nonce: Nonce
    contact: Contact
    seen: Address


class FindSuccessor(Message, frozen=True, tag="find"):
    """One step of an iterative lookup: n.find_successor(id) of the paper's figure 4."""

    nonce: Nonce
    to: Id
    key: Id


class NextHop(Message, frozen=True, tag="next"):
    """Where to go next.

    ``closer``: peers nearer to the key, the nearest first; empty if the answerer's successor owns the key. ``behind``: as
    many successors of the answerer as are known at the key or behind it, nearest first. ``is_owner``: the answerer owns the
    key itself; ``behind`` are those who keep its copies. ``predecessor`` is the answerer's, by which an owner is checked.
    """

    nonce: Nonce
    is_owner: bool
    closer: Closer
    behind: Closer
    predecessor: Contact | None


class Forward(Message, frozen=True, tag="forward"):
    """One step of a recursive lookup, or of a payload (None: a lookup). The owner answers ``asker`` with ``ticket``.

    ``final``: the sender takes the receiver for the owner, as its successor.
    """

    nonce: Nonce
    to: Id
    key: Id
    asker: Contact
    ticket: Nonce
    hops: Annotated[int, Meta(ge=0, le=MAX_HOPS)]
    final: bool
    payload: Annotated[bytes, Meta(max_length=MAX_PAYLOAD_BYTES)] | None


class Ack(Message, frozen=True, tag="ack"):
    """The next hop has it (so the one before need not try another)."""

    nonce: Nonce


class Arrived(Message, frozen=True, tag="arrived"):
    """From the owner to the asker. ``hops`` counts the last one."""

    ticket: Nonce
    owner: Contact
    successors: Contacts
    hops: Annotated[int, Meta(ge=0, le=MAX_HOPS)]


class Notify(Message, frozen=True, tag="notify"):
    """n.notify(n') and the question of stabilize() in one: ``contact`` might be your predecessor; who are your neighbours?"""

    nonce: Nonce
    to: Id
    contact: Contact


class Neighbours(Message, frozen=True, tag="neighbours"):
    """Predecessor as it was before the notification, and successors, nearest first."""

    nonce: Nonce
    predecessor: Contact | None
    successors: Contacts


class Ping(Message, frozen=True, tag="ping"):
    nonce: Nonce
    to: Id


class Pong(Message, frozen=True, tag="pong"):
    nonce: Nonce


class NotHere(Message, frozen=True, tag="not here"):
    """No node of the id that was asked for is at this address (any more)."""

    nonce: Nonce


class AskPermit(Message, frozen=True, tag="may I"):
    nonce: Nonce
    to: Id


class Permitted(Message, frozen=True, tag="you may"):
    """A permit for the address that asked."""

    nonce: Nonce
    permit: Permit


class Leaving(Message, frozen=True, tag="leaving"):
    """The node ``contact`` leaves; its own predecessor and successors take its place in the receiver's tables."""

    nonce: Nonce
    to: Id
    contact: Contact
    predecessor: Contact | None
    successors: Annotated[tuple[Contact, ...], Meta(max_length=MAX_SUCCESSORS)]
    permit: Permit


class Store(Message, frozen=True, tag="store"):
    nonce: Nonce
    to: Id
    key: Id
    value: ValueBytes
    ttl_s: Seconds
    permit: Permit


class StoreProvider(Message, frozen=True, tag="provide"):
    """The sender (``provider.address`` must be its address) has the thing named ``key``."""

    nonce: Nonce
    to: Id
    key: Id
    provider: Contact
    permit: Permit


class StoreReply(Message, frozen=True, tag="kept"):
    """``refusal`` is empty if it is kept."""

    nonce: Nonce
    refusal: Annotated[str, Meta(max_length=200)]


class Item(Record, frozen=True):
    """A copy of a value, with what is left of its time to live."""

    key: Id
    value: ValueBytes
    ttl_s: Seconds


class Word(Record, frozen=True):
    """A copy of a provider's word."""

    key: Id
    provider: Contact
    ttl_s: Seconds


class Transfer(Message, frozen=True, tag="transfer"):
    """Copies for a neighbour: keys that are now its own, or replicas."""

    nonce: Nonce
    to: Id
    items: Annotated[tuple[Item, ...], Meta(max_length=MAX_ITEMS)]
    words: Annotated[tuple[Word, ...], Meta(max_length=MAX_ITEMS)]
    permit: Permit


class Fetch(Message, frozen=True, tag="fetch"):
    """What is kept under the key? Without a permit a large value is not sent, but a permit is."""

    nonce: Nonce
    to: Id
    key: Id
    permit: Permit


class Fetched(Message, frozen=True, tag="fetched"):
    nonce: Nonce
    value: ValueBytes | None


class FetchProviders(Message, frozen=True, tag="who has"):
    nonce: Nonce
    to: Id
    key: Id
    limit: Annotated[int, Meta(ge=1, le=MAX_PROVIDERS)]
    permit: Permit


class ProvidersHere(Message, frozen=True, tag="these have"):
    nonce: Nonce
    providers: Annotated[tuple[Contact, ...], Meta(max_length=MAX_PROVIDERS)]


REQUESTS: Final = (
    Hello,
    FindSuccessor,
    Forward,
    Notify,
    Ping,
    AskPermit,
    Leaving,
    Store,
    StoreProvider,
    Transfer,
    Fetch,
    FetchProviders,
)
REPLIES: Final = (
    Welcome,
    NextHop,
    Ack,
    Arrived,
    Neighbours,
    Pong,
    NotHere,
    Permitted,
    StoreReply,
    Fetched,
    ProvidersHere,
)
MESSAGES: Final = REQUESTS + REPLIES

ANSWERS: Final[dict[type, tuple[type, ...]]] = {
    Hello: (Welcome,),
    FindSuccessor: (NextHop,),
    Forward: (Ack,),
    Notify: (Neighbours,),
    Ping: (Pong,),
    AskPermit: (Permitted,),
    Leaving: (StoreReply,),
    Store: (StoreReply,),
    StoreProvider: (StoreReply,),
    Transfer: (StoreReply,),
    Fetch: (Fetched, Permitted),
    FetchProviders: (ProvidersHere, Permitted),
}
"""What may answer a request. Whoever answers with anything else is as good as silent."""
