"""What every overlay is asked and what it tells: one vocabulary, so that a node or a lab can change overlays by name.

A structured overlay gives each key an owner and each peer a way to find it ("lookup(key) -> address"; Dabek et al. 2003,
"Towards a common API for structured peer-to-peer overlays", calls the layers KBR, DHT and DOLR: here they are ``Lookup``
and ``Route``; ``Put`` and ``Get``; ``Provide`` and ``FindProviders``).

A machine of an overlay takes the requests as ``Asked(request)`` and answers with ``Tell(notice)``:

    Join             -> Joined, or Failed(JOIN)
    Leave            -> Left
    Lookup           -> Found, or Failed
    Route            -> Found, or Failed, at the asker; Delivered at the owner
    Put              -> Stored, or Failed
    Get              -> Value, NotFound, or Failed
    Provide          -> Stored, or Failed
    FindProviders    -> Providers (perhaps of nobody), or Failed

``token`` is chosen by the asker and comes back in exactly one answer. ``key`` is a whole number of the overlay's ``bits``
bits (``horoi.base.ids``); a machine answers a key out of range with Failed(BAD_KEY), never with an exception.

What an answer cost stands in it. **Hops count the last step, to the owner**: an owner that answers itself took 0 hops, its
neighbour's answer 1. ``rpcs`` are requests sent for it, by the asker and by those who forwarded, as far as the asker can
know; ``replies`` the answers to them that came, so ``rpcs + replies`` are its datagrams; ``timeouts`` the requests given up.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from horoi.base.codec import Record

Id: TypeAlias = Annotated[int, Meta(ge=0, extra={"wire": "id"})]
"""A point of the id space, 0 <= id < 2**bits. On the wire: bits/8 bytes, big-endian (``common.wire``)."""

Address: TypeAlias = Annotated[Any, Meta(extra={"wire": "address"})]
"""Where datagrams are sent: ``(ip, port)`` on sockets, a small whole number in large simulations."""

Token: TypeAlias = Any
"""Hashable; the asker's own name for a request."""

# Bounds that all overlays keep.
MAX_VALUE_BYTES: Final = 1000  # BEP 44: a value fits a datagram with room for ids and addresses
MAX_PAYLOAD_BYTES: Final = 1000  # the same for what is routed
MAX_BOOTSTRAPS: Final = 64  # a guess: more addresses than anyone types
MAX_PROVIDERS: Final = 20  # providers in one answer, a guess: 26 bytes each, so 520 bytes
MAX_LOOKUPS: Final = 4096  # lookups that one machine carries on at once, a guess; the next is Failed(BUSY)
VALUE_TTL_S: Final = (
    3600.0  # how long a value is kept unless put again; Kademlia's paper, section 2.5: republish hourly
)
PROVIDER_TTL_S: Final = 1800.0  # Mainline announces every 15 minutes or so and keeps peers for 30; a guess within that


class Contact(Record, frozen=True, cache_hash=True):
    """A peer as others know it. In a simulation without a codec the one object is shared by all tables that hold it.

    Every step of a lookup asks several times whether a contact was met already, so its hash is kept.
    """

    id: Id
    address: Address


# Requests


class Join(msgspec.Struct, frozen=True, gc=False):
    """Enter the overlay through any of these addresses; with none, be its first peer."""

    bootstrap: tuple[Address, ...] = ()


class Leave(msgspec.Struct, frozen=True, gc=False):
    """Leave in good order: hand over what this peer keeps, tell neighbours, then be silent."""


class Lookup(msgspec.Struct, frozen=True, gc=False):
    """Who owns ``key``?"""

    token: Token
    key: Id


class Route(msgspec.Struct, frozen=True, gc=False):
    """Bring ``payload`` to the owner of ``key``; its machine tells ``Delivered``."""

    token: Token
    key: Id
    payload: bytes


class Put(msgspec.Struct, frozen=True, gc=False):
    """Keep ``value`` at the owner of ``key`` and its replicas for ``ttl_s`` seconds."""

    token: Token
    key: Id
    value: bytes
    ttl_s: float = VALUE_TTL_S


class Get(msgspec.Struct, frozen=True, gc=False):
    """What is kept under ``key``?"""

    token: Token
    key: Id


class Provide(msgspec.Struct, frozen=True, gc=False):
    """Say that this peer has the thing named ``key``. The peer keeps saying so until it leaves or ``Unprovide``."""

    token: Token
    key: Id


class Unprovide(msgspec.Struct, frozen=True, gc=False):
    """Stop saying so. Nothing is answered; what others were told expires."""

    key: Id


class FindProviders(msgspec.Struct, frozen=True, gc=False):
    """Who has the thing named ``key``? At most ``limit`` providers are told."""

    token: Token
    key: Id
    limit: int = MAX_PROVIDERS


REQUESTS: Final = (Join, Leave, Lookup, Route, Put, Get, Provide, Unprovide, FindProviders)
"""What a machine of an overlay hears (``StackMachine.hears``), next to ``Started``."""


# Notices


class Joined(msgspec.Struct, frozen=True, gc=False):
    """This peer is part of the overlay and answers for its keys. Told once per Join."""

    contact: Contact


class Left(msgspec.Struct, frozen=True, gc=False):
    """This peer has left; it answers nobody until the next Join."""


class Found(msgspec.Struct, frozen=True, gc=False):
    """``owners`` of a key, the first the one responsible; the others (if any) its replicas, nearest first.

    ``path`` is who was asked on the way that led there, in order, the owner last, this peer not counted; shorter than
    ``hops`` (or empty) where the asker cannot know.
    """

    token: Token
    key: Id
    owners: tuple[Contact, ...]
    hops: int
    rpcs: int = 0
    replies: int = 0
    timeouts: int = 0
    path: tuple[Contact, ...] = ()


class Failed(msgspec.Struct, frozen=True, gc=False):
    """A request came to nothing. ``why`` is one of the words below; the token of a Join is ``JOIN``."""

    token: Token
    why: str
    hops: int = 0
    rpcs: int = 0
    replies: int = 0
    timeouts: int = 0


JOIN: Final = "join"
"""The token of ``Failed`` for a Join."""

# Why a request failed.
NOT_JOINED: Final = "not joined"
BAD_KEY: Final = "key out of range"
TOO_LARGE: Final = "too large"
BUSY: Final = "too many requests at once"
UNREACHABLE: Final = "nobody answered"
EXHAUSTED: Final = "too many steps"
REFUSED: Final = "refused by the owner"


class Delivered(msgspec.Struct, frozen=True, gc=False):
    """A payload arrived here, because this peer owns ``key``. ``source`` is who routed it."""

    key: Id
    payload: bytes
    source: Contact
    hops: int


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A value (or the word of a provider) is kept by ``copies`` peers as far as the asker knows: at least the owner."""

    token: Token
    key: Id
    copies: int
    hops: int = 0
    rpcs: int = 0
    replies: int = 0
    timeouts: int = 0


class Value(msgspec.Struct, frozen=True, gc=False):
    """What is kept under ``key``. ``source`` is the peer that had it."""

    token: Token
    key: Id
    value: bytes
    source: Contact
    hops: int = 0
    rpcs: int = 0
    replies: int = 0
    timeouts: int = 0


class NotFound(msgspec.Struct, frozen=True, gc=False):
    """Whoever should have it was reached, and nothing is kept under ``key``."""

    token: Token
    key: Id
    hops: int = 0
    rpcs: int = 0
    replies: int = 0
    timeouts: int = 0


class Providers(msgspec.Struct, frozen=True, gc=False):
    """Who said to have the thing named ``key``; empty if nobody did."""

    token: Token
    key: Id
    providers: tuple[Contact, ...]
    hops: int = 0
    rpcs: int = 0
    replies: int = 0
    timeouts: int = 0


NOTICES: Final = (Joined, Left, Found, Failed, Delivered, Stored, Value, NotFound, Providers)

Request: TypeAlias = Join | Leave | Lookup | Route | Put | Get | Provide | Unprovide | FindProviders
Notice: TypeAlias = Joined | Left | Found | Failed | Delivered | Stored | Value | NotFound | Providers
