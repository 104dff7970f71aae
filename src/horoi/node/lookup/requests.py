"""What the application and other machines of a node ask about documents, and what they hear; and how the two sides talk."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from horoi.lookup.vocabulary import MAX_PROVIDERS, Address, Id, Token

OVERLAY: Final = "overlay"
DHT: Final = "dht"

NO_LOOKUP: Final = "this node looks nothing up; start it with --lookup or --dht"
NOT_ENTERED: Final = "this node has not joined yet; it needs a peer that looks things up too"
TOO_MANY: Final = "too much is asked at once"
NO_ROOM: Final = "this node provides as much as it keeps"
NO_ANSWER: Final = "nobody answered in time"


class FindProviders(msgspec.Struct, frozen=True, gc=False):
    """Request: which nodes have the document of this hash (32 bytes)? -> ``ProvidersFound`` or ``LookupFailed``."""

    token: Token
    hash: bytes
    limit: int = MAX_PROVIDERS


class StartProviding(msgspec.Struct, frozen=True, gc=False):
    """Request: say that this node has the document, now and until ``StopProviding``, over restarts too.

    -> ``ProvidingStarted`` or ``LookupFailed``.
    """

    token: Token
    hash: bytes


class StopProviding(msgspec.Struct, frozen=True, gc=False):
    """Request: say so no longer. What others were told expires. Nothing is answered."""

    hash: bytes


class ProviderAt(msgspec.Struct, frozen=True, gc=False):
    """A node that says to have it: where it takes links (host:port), and as whom. A claim, until a link shows it.

    ``node_id`` is None where the answer came from the DHT, which knows addresses alone. ``via`` is the overlay's name, or "dht".
    """

    address: str
    node_id: bytes | None
    via: str


class ProvidersFound(msgspec.Struct, frozen=True, gc=False):
    """Notice: who says to have it; perhaps nobody, perhaps this node too."""

    token: Token
    hash: bytes
    providers: tuple[ProviderAt, ...]


class ProvidingStarted(msgspec.Struct, frozen=True, gc=False):
    """Notice: ``copies`` peers keep this node's word; 0: none yet, it is said again by itself."""

    token: Token
    hash: bytes
    copies: int


class LookupFailed(msgspec.Struct, frozen=True, gc=False):
    """Notice: a request came to nothing, and why, in words for people."""

    token: Token
    why: str


# Between the node's machine and the machines on datagrams, through the world


class ToSide(msgspec.Struct, frozen=True, gc=False):
    """Notice to the world: ask the machine of this side (``OVERLAY`` or ``DHT``) for this."""

    side: str
    request: Any


class FromSide(msgspec.Struct, frozen=True, gc=False):
    """Request from the world: the machine of this side told this."""

    side: str
    notice: Any


class SideUp(msgspec.Struct, frozen=True, gc=False):
    """From the world, in a ``FromSide``: the side has a port now. ``listen`` is "host:port", for people."""

    port: int
    listen: str


class SideDown(msgspec.Struct, frozen=True, gc=False):
    """From the world, in a ``FromSide``: the side's machine failed and is no more; the node goes on without."""

    reason: str


# What only ``overlay_peer`` hears and tells


class Doors(msgspec.Struct, frozen=True, gc=False):
    """Request: these addresses are of linked nodes that speak the same overlay; through them it is entered."""

    addresses: tuple[Address, ...]


class FindHolders(msgspec.Struct, frozen=True, gc=False):
    """Request: as the vocabulary's FindProviders, but for nodes. -> ``Holders``, or Failed."""

    token: Token
    key: Id
    limit: int = MAX_PROVIDERS


class Holder(msgspec.Struct, frozen=True, gc=False):
    """A provider's node: where it takes links, and as whom."""

    address: str
    node_id: bytes


class Holders(msgspec.Struct, frozen=True, gc=False):
    """Notice: the nodes that provide ``key`` and answered to their address."""

    token: Token
    key: Id
    holders: tuple[Holder, ...]


class Entered(msgspec.Struct, frozen=True, gc=False):
    """Notice: this node is a peer of the overlay, at this address."""

    address: Address
    ring: bytes


class Outside(msgspec.Struct, frozen=True, gc=False):
    """Notice: this node is in no overlay any more, and on its way into one."""
