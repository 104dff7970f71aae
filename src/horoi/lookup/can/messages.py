"""CAN's messages. Every request carries a nonce that its answer brings back.

Two rules against forged addresses: an answer to an address that has not proved itself is at most about three times its request
(RFC 9000, section 8.1), and what changes the receiver's state needs a permit, which only who receives at its address can have.
Neighbours give each other permits with their updates, so among them nothing has to be asked for twice.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from horoi.base.codec import Record
from horoi.lookup.can.zone import MAX_DEPTH
from horoi.lookup.vocabulary import MAX_PAYLOAD_BYTES, MAX_PROVIDERS, MAX_VALUE_BYTES, Contact, Id
from horoi.machine.wire import Message

MAX_ZONES: Final = 16  # zones that one peer may hold in one reality, a guess: after failures it is a few, for a while
MAX_AROUND: Final = 24  # neighbours in one update, if the datagram has room: 2d and some; what is left out is looked up
MAX_NEARER: Final = 4  # neighbours in one step's answer: about three times the request
MAX_MATES: Final = 8  # peers that may share a zone; the paper's MAXPEERS is 2 to 4
MAX_REALITIES: Final = 16  # a guess: the paper plays with up to 10
MAX_HOPS: Final = 4096  # more steps than 10**6 peers in two dimensions need (500 on average), with detours
MAX_ITEMS: Final = 64  # in one transfer, if the datagram has room
MAX_DATAGRAM_BYTES: Final = 1400  # below Ethernet's 1500 less headers, with room for a tunnel's
ROOM_BYTES: Final = 1000  # of a datagram, for a list of claims or of copies

ANY_REALITY: Final = 255
"""In ``Forward`` and ``Step``: whichever reality is nearest."""

Nonce = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Stamp = Annotated[int, Meta(ge=0, lt=2**62)]
Permit = Annotated[bytes, Meta(max_length=8)]
Seconds = Annotated[float, Meta(ge=0, le=1e7)]
ZoneNumber = Annotated[int, Meta(ge=1, le=2 ** (MAX_DEPTH + 1) - 1)]
RealityNumber = Annotated[int, Meta(ge=0, lt=MAX_REALITIES)]
AnyReality = Annotated[int, Meta(ge=0, le=ANY_REALITY)]
ValueBytes = Annotated[bytes, Meta(max_length=MAX_VALUE_BYTES)]
Count = Annotated[int, Meta(ge=0, le=MAX_HOPS)]


class Claim(Record, frozen=True):
    """Who says to own what. ``version`` grows with every change of ``zones``; no zones: the peer has left."""

    contact: Contact
    zones: Annotated[tuple[ZoneNumber, ...], Meta(max_length=MAX_ZONES)]
    version: Stamp


Claims = Annotated[tuple[Claim, ...], Meta(max_length=MAX_AROUND)]


class Hello(Message, frozen=True, tag="hello"):
    """Is anybody there? Landmarks are measured with it."""

    nonce: Nonce


class Welcome(Message, frozen=True, tag="welcome"):
    nonce: Nonce


# Routing


class Forward(Message, frozen=True, tag="forward"):
    """One step towards the owner of ``key``, who answers ``asker`` with ``ticket``. ``payload`` None: who owns it?

    With ``is_get``, whoever has the value in its cache may answer in the owner's place. ``hops`` counts this step,
    ``tries`` all requests sent for it so far, ``timeouts`` those that were given up.
    """

    nonce: Nonce
    reality: AnyReality
    key: Id
    asker: Contact
    ticket: Nonce
    hops: Count
    tries: Count
    timeouts: Count
    is_get: bool
    payload: Annotated[bytes, Meta(max_length=MAX_PAYLOAD_BYTES)] | None


class Ack(Message, frozen=True, tag="ack"):
    """The next hop has it, so the one before need not try another."""

    nonce: Nonce


class Arrived(Message, frozen=True, tag="arrived"):
    """From the owner to the asker, with a permit to write. ``is_cached``: from a cache, not the owner."""

    ticket: Nonce
    reality: RealityNumber
    owner: Claim
    mates: Annotated[tuple[Contact, ...], Meta(max_length=MAX_MATES)]
    hops: Count
    tries: Count
    timeouts: Count
    is_cached: bool
    permit: Permit


class Step(Message, frozen=True, tag="step"):
    """Iterative lookup and expanding ring search: what do you own, and which of your neighbours are nearest to the key?"""

    nonce: Nonce
    reality: AnyReality
    key: Id
    is_get: bool


class Nearer(Message, frozen=True, tag="nearer"):
    """The answer. ``reality`` is the one in which the answerer is nearest."""

    nonce: Nonce
    reality: RealityNumber
    claim: Claim
    mates: Annotated[tuple[Contact, ...], Meta(max_length=MAX_MATES)]
    neighbours: Annotated[tuple[Claim, ...], Meta(max_length=MAX_NEARER)]
    is_cached: bool
    permit: Permit


# Joining and soft state


class Enter(Message, frozen=True, tag="enter"):
    """May I have part of your zone? ``key`` is the newcomer's random point; ``is_sent`` if a neighbour sent it here."""

    nonce: Nonce
    reality: RealityNumber
    contact: Contact
    key: Id
    is_sent: bool
    permit: Permit


class Given(Message, frozen=True, tag="given"):
    """You own ``zones`` now. ``giver`` is the former owner, ``around`` whom it knows beside them, ``mates`` who shares them."""

    nonce: Nonce
    zones: Annotated[tuple[ZoneNumber, ...], Meta(max_length=MAX_ZONES)]
    giver: Claim
    around: Claims
    mates: Annotated[tuple[Claim, ...], Meta(max_length=MAX_MATES)]


class Elsewhere(Message, frozen=True, tag="elsewhere"):
    """Ask this peer instead: its zone is the largest around (section 3.7), or it owns the point."""

    nonce: Nonce
    claim: Claim


class No(Message, frozen=True, tag="no"):
    """Refused. ``why`` is a phrase for people."""

    nonce: Nonce
    why: Annotated[str, Meta(max_length=100)]


class Update(Message, frozen=True, tag="update"):
    """The periodic update: the sender's zones, and its neighbours with theirs (section 2.3).

    ``around`` is the list, sent only to who has not got its latest state: ``stamp`` numbers that state, ``knows`` is the
    stamp of the receiver's list that the sender has. ``permit`` was given by the receiver, ``grant`` is for it.
    """

    nonce: Nonce
    reality: RealityNumber
    claim: Claim
    stamp: Stamp
    knows: Stamp
    around: Claims | None
    permit: Permit
    grant: Permit


class Updated(Message, frozen=True, tag="updated"):
    """The receiver's own update in return, which also says that it lives."""

    nonce: Nonce
    reality: RealityNumber
    claim: Claim
    stamp: Stamp
    knows: Stamp
    around: Claims | None
    grant: Permit


class Takeover(Message, frozen=True, tag="takeover"):
    """TAKEOVER (section 2.3): I have taken the zones of ``dead``. ``volume`` is what I had before, of the whole space."""

    nonce: Nonce
    reality: RealityNumber
    claim: Claim
    dead: Contact
    volume: Annotated[float, Meta(ge=0, le=1)]
    permit: Permit


class Handover(Message, frozen=True, tag="handover"):
    """Take this zone of mine. ``moves``: then give away the zone that you had, to ``sibling``, who merges it (Appendix A)."""

    nonce: Nonce
    reality: RealityNumber
    claim: Claim
    zone: ZoneNumber
    around: Claims
    mates: Annotated[tuple[Contact, ...], Meta(max_length=MAX_MATES)]
    moves: Claim | None
    permit: Permit


class Taken(Message, frozen=True, tag="taken"):
    """The zone is the answerer's now."""

    nonce: Nonce
    claim: Claim


class FindSiblings(Message, frozen=True, tag="siblings"):
    """One step of the depth-first search (Appendix A): who of two sibling leaves is inside this subtree?"""

    nonce: Nonce
    reality: RealityNumber
    within: ZoneNumber


class Siblings(Message, frozen=True, tag="sibling"):
    """``is_pair``: the answerer and ``claim`` hold sibling leaves; otherwise go on with ``claim``, deeper. None: nobody."""

    nonce: Nonce
    is_pair: bool
    zone: ZoneNumber
    claim: Claim | None


class Halve(Message, frozen=True, tag="halve"):
    """Our zone is overfull and split (section 3.4): its peers divide by the order of their ids."""

    nonce: Nonce
    reality: RealityNumber
    zone: ZoneNumber
    peers: Annotated[tuple[Claim, ...], Meta(max_length=MAX_MATES + 1)]
    permit: Permit


class Spares(Message, frozen=True, tag="spares"):
    """Who else is in your zone? Asked by a neighbour that looks for the nearest of them (section 3.4)."""

    nonce: Nonce
    reality: RealityNumber


class SparesHere(Message, frozen=True, tag="spares here"):
    nonce: Nonce
    mates: Annotated[tuple[Contact, ...], Meta(max_length=MAX_MATES)]


# Keeping


class AskPermit(Message, frozen=True, tag="may I"):
    nonce: Nonce


class Permitted(Message, frozen=True, tag="you may"):
    """A permit for the address that asked."""

    nonce: Nonce
    permit: Permit


class Store(Message, frozen=True, tag="store"):
    """Keep this. ``is_copy``: it goes into the cache of a neighbour, to share the load of a hot key (section 3.8)."""

    nonce: Nonce
    key: Id
    value: ValueBytes
    ttl_s: Seconds
    is_copy: bool
    permit: Permit


class StoreProvider(Message, frozen=True, tag="provide"):
    """The sender (``provider.address`` must be its address) has the thing named ``key``."""

    nonce: Nonce
    key: Id
    provider: Contact
    permit: Permit


class Kept(Message, frozen=True, tag="kept"):
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
    """What belongs to the receiver now: its zone grew, or it shares the sender's."""

    nonce: Nonce
    items: Annotated[tuple[Item, ...], Meta(max_length=MAX_ITEMS)]
    words: Annotated[tuple[Word, ...], Meta(max_length=MAX_ITEMS)]
    permit: Permit


class Fetch(Message, frozen=True, tag="fetch"):
    """What is kept under the key? Answered only with a permit: values are larger than questions."""

    nonce: Nonce
    key: Id
    permit: Permit


class Fetched(Message, frozen=True, tag="fetched"):
    nonce: Nonce
    value: ValueBytes | None
    ttl_s: Seconds


class FetchProviders(Message, frozen=True, tag="who has"):
    nonce: Nonce
    key: Id
    limit: Annotated[int, Meta(ge=1, le=MAX_PROVIDERS)]
    permit: Permit


class ProvidersHere(Message, frozen=True, tag="these have"):
    nonce: Nonce
    providers: Annotated[tuple[Contact, ...], Meta(max_length=MAX_PROVIDERS)]


REQUESTS: Final = (
    Hello, Forward, Step, Enter, Update, Takeover, Handover, FindSiblings, Halve, Spares,
    AskPermit, Store, StoreProvider, Transfer, Fetch, FetchProviders,
)  # fmt: skip
REPLIES: Final = (
    Welcome, Ack, Nearer, Given, Elsewhere, No, Updated, Taken, Siblings, SparesHere,
    Permitted, Kept, Fetched, ProvidersHere,
)  # fmt: skip
MESSAGES: Final = (*REQUESTS, *REPLIES, Arrived)


def fitting(claims: list[Claim] | tuple[Claim, ...], room_bytes: int = ROOM_BYTES) -> tuple[Claim, ...]:
    """As many of the claims, first ones first, as a datagram has room for."""
    fit: list[Claim] = []
    for claim in claims:
        room_bytes -= 58 + 9 * len(claim.zones)  # id 32, address 18 (IPv6), version 9 at most
        if room_bytes < 0 or len(fit) == MAX_AROUND:
            break
        fit.append(claim)
    return tuple(fit)
