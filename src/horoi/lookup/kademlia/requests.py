"""What a peer of Kademlia can be asked beyond the vocabulary of all overlays: mostly what Mainline has (BEP 5, 33, 44, 51)."""

from __future__ import annotations

from typing import Final

import msgspec

from horoi.lookup.kademlia.messages import Item, Signed
from horoi.lookup.vocabulary import Address, Contact, Id, Token


class PingPeer(msgspec.Struct, frozen=True, gc=False):
    """Is a peer at this address? -> Ponged, or Failed."""

    token: Token
    address: Address


class Ponged(msgspec.Struct, frozen=True, gc=False):
    """A peer is there. ``seen`` is the address from which it saw the question come, if it said."""

    token: Token
    contact: Contact
    round_trip_s: float
    seen: Address | None = None


class Announce(msgspec.Struct, frozen=True, gc=False):
    """Say that this host has the thing named ``key`` at another ``port``, as a BitTorrent client does. -> Stored, or Failed.

    As Provide, it is said again until ``Unprovide``.
    """

    token: Token
    key: Id
    port: int
    seed: bool = False


class PutSigned(msgspec.Struct, frozen=True, gc=False):
    """Keep a signed item under its owner's key and salt (BEP 44). -> Stored, or Failed. ``cas``: see ``PutItem``."""

    token: Token
    value: bytes
    signed: Signed
    cas: int | None = None


class GetSigned(msgspec.Struct, frozen=True, gc=False):
    """The item of this owner and salt with the highest number. -> FoundItem, NotFound, or Failed."""

    token: Token
    public_key: bytes
    salt: bytes = b""
    seq: int | None = None


class FoundItem(msgspec.Struct, frozen=True, gc=False):
    """A signed item, its signature checked."""

    token: Token
    key: Id
    item: Item
    source: Contact
    hops: int = 0
    rpcs: int = 0
    replies: int = 0
    timeouts: int = 0


class Scrape(msgspec.Struct, frozen=True, gc=False):
    """How many have the thing named ``key``? -> Scraped, or Failed."""

    token: Token
    key: Id


class Scraped(msgspec.Struct, frozen=True, gc=False):
    """About how many seeds and other peers a swarm has (BEP 33: estimates, by addresses without ports)."""

    token: Token
    key: Id
    seeds: float
    peers: float
    rpcs: int = 0


class Sample(msgspec.Struct, frozen=True, gc=False):
    """Some keys for which the peers near ``target`` keep providers. -> Sampled, or Failed."""

    token: Token
    target: Id


class Sampled(msgspec.Struct, frozen=True, gc=False):
    """Keys, ascending, and how many the peers that answered keep together."""

    token: Token
    keys: tuple[Id, ...]
    total: int
    rpcs: int = 0


class Moved(msgspec.Struct, frozen=True, gc=False):
    """Others see this peer at another address, from which its id now follows (BEP 42)."""

    contact: Contact


REQUESTS: Final = (PingPeer, Announce, PutSigned, GetSigned, Scrape, Sample)
"""What the machine hears next to the requests of the vocabulary."""
