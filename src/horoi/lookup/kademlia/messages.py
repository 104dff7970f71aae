"""Kademlia's four RPCs (paper, section 2.3: PING, STORE, FIND_NODE, FIND_VALUE) as Mainline refined them, in one set of types.

Both wires speak these: Horoi's own (``codec.py``) and KRPC (``krpc.py``). FIND_VALUE and STORE come in two kinds, for the
peers that have a thing (BEP 5: get_peers, announce_peer) and for values (BEP 44: get, put).

A query carries a transaction id that its answer brings back; whoever cannot read the query cannot forge the answer. A write
carries a token from an earlier answer, which only who receives at its address can have.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from msgspec import Meta

from horoi.base.codec import Record
from horoi.lookup.kademlia.bloom import BLOOM_BYTES
from horoi.lookup.kademlia.signing import MAX_ITEM_BYTES, MAX_SALT_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from horoi.lookup.vocabulary import MAX_PAYLOAD_BYTES, Address, Contact, Id
from horoi.machine.wire import Message

MAX_DATAGRAM_BYTES: Final = 1400  # below Ethernet's 1500 less headers, with room for a tunnel's
MAX_CONTACTS: Final = 32  # in one answer: k = 20 in the paper, 8 of each family in Mainline
MAX_PEERS: Final = 40  # providers in one answer: 1000 bytes of the own wire's, 240 or 720 of KRPC's
MAX_SAMPLES: Final = 20  # BEP 51: "depends on the MTU"; 400 bytes
MAX_TEXT: Final = 200  # of an error
MAX_TOKEN_BYTES: Final = 64  # a guess: living clients use 4 to 20
MAX_TID_BYTES: Final = 20  # a guess: living clients use 2 to 8; an answer repeats it, so it must not be long
TID_BYTES: Final = 8
MAX_PADDING_BYTES: Final = 400

WANT_V4: Final = 1  # BEP 32: "n4"
WANT_V6: Final = 2  # BEP 32: "n6"

Tid: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=MAX_TID_BYTES)]
Token: TypeAlias = Annotated[bytes, Meta(max_length=MAX_TOKEN_BYTES)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=1e7)]
Port: TypeAlias = Annotated[int, Meta(ge=0, le=65535)]
Want: TypeAlias = Annotated[int, Meta(ge=0, le=3)]
Seq: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]  # BEP 44: a 64-bit integer, "monotonically increasing"
Bloom: TypeAlias = Annotated[bytes, Meta(min_length=BLOOM_BYTES, max_length=BLOOM_BYTES)]

# BEP 5 and BEP 44
GENERIC: Final = 201
SERVER: Final = 202
PROTOCOL: Final = 203  # malformed, bad arguments, bad token
UNKNOWN_METHOD: Final = 204
TOO_BIG: Final = 205
BAD_SIGNATURE: Final = 206
SALT_TOO_BIG: Final = 207
CAS_MISMATCH: Final = 301
SEQ_TOO_LOW: Final = 302


class Signed(Record, frozen=True):
    """The part of a mutable item that makes it its owner's (BEP 44)."""

    public_key: Annotated[bytes, Meta(min_length=PUBLIC_KEY_BYTES, max_length=PUBLIC_KEY_BYTES)]
    seq: Seq
    signature: Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]
    salt: Annotated[bytes, Meta(max_length=MAX_SALT_BYTES)] = b""


class Item(Record, frozen=True):
    """A value. In Mainline ``value`` is bencoded and ``ttl_s`` does not travel; ``signed`` is None for immutable items."""

    value: Annotated[bytes, Meta(max_length=MAX_ITEM_BYTES)]
    signed: Signed | None = None
    ttl_s: Seconds = 0.0


class Samples(Record, frozen=True):
    """Some of the keys that a node keeps peers for (BEP 51)."""

    interval_s: Annotated[int, Meta(ge=0, le=21600)]  # BEP 51: at most 6 hours
    total: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    keys: Annotated[tuple[Id, ...], Meta(max_length=MAX_SAMPLES)]


class Blooms(Record, frozen=True):
    """Who has all of a thing and who has part of it (BEP 33)."""

    seeds: Bloom
    peers: Bloom


# Queries. ``read_only`` says that the sender answers nothing and belongs in no table (BEP 43).


class Query(Message, frozen=True):
    """What all queries begin with."""

    tid: Tid
    sender: Id
    read_only: bool


class Ping(Query, frozen=True, tag="ping"):
    """Are you there?"""


class FindNode(Query, frozen=True, tag="find"):
    """The k peers nearest to ``target`` that you know. ``padding`` makes the answer less than three times the query."""

    target: Id
    want: Want = 0
    padding: Annotated[bytes, Meta(max_length=MAX_PADDING_BYTES)] = b""


class GetPeers(Query, frozen=True, tag="who has"):
    """Who has the thing named ``target``? ``no_seeds`` and ``scrape``: BEP 33."""

    target: Id
    want: Want = 0
    no_seeds: bool = False
    scrape: bool = False
    padding: Annotated[bytes, Meta(max_length=MAX_PADDING_BYTES)] = b""


class AnnouncePeer(Query, frozen=True, tag="provide"):
    """The sender has the thing named ``target``, at ``port`` of its address (0: where this comes from)."""

    target: Id
    token: Token
    port: Port = 0
    seed: bool = False


class GetItem(Query, frozen=True, tag="get"):
    """The value kept under ``target``; not if it is signed and its number is at most ``seq`` (BEP 44).

    With a ``token`` (own wire) a large value is sent at once; without one it may have to be asked for again.
    """

    target: Id
    want: Want = 0
    seq: Seq | None = None
    token: Token = b""
    padding: Annotated[bytes, Meta(max_length=MAX_PADDING_BYTES)] = b""


class PutItem(Query, frozen=True, tag="store"):
    """Keep this value under ``target``. ``cas``: only if the number of what is there is this one (BEP 44).

    ``copy`` (own wire): the sender keeps it too, and brings it to a peer that is near by now.
    """

    target: Id
    token: Token
    item: Item
    cas: Seq | None = None
    copy: bool = False


class StoreNear(Query, frozen=True, tag="store near"):
    """STORE and FIND_NODE in one (own wire only), from who holds a token already: keep this if you are one of the nearest to
    ``target`` that you know, and name the others. Not keeping it is no refusal: whoever should have it is told with a PutItem.
    Item and ``padding`` together are as long as the padding of a FindNode.
    """

    target: Id
    token: Token
    item: Item
    cas: Seq | None = None
    copy: bool = False
    padding: Annotated[bytes, Meta(max_length=MAX_PADDING_BYTES)] = b""


class SampleKeys(Query, frozen=True, tag="sample"):
    """Some of the keys that you keep peers for, and the peers nearest to ``target`` (BEP 51)."""

    target: Id
    want: Want = 0


class Deliver(Query, frozen=True, tag="deliver"):
    """A payload for the owner of ``target`` (own wire only; vocabulary: Route)."""

    target: Id
    token: Token
    payload: Annotated[bytes, Meta(max_length=MAX_PAYLOAD_BYTES)]
    hops: Annotated[int, Meta(ge=0, le=255)]


# Answers


class Reply(Message, frozen=True, tag="reply"):
    """The answer to any query: what it did not ask for is empty. ``contacts`` are None where the query asked for none.

    ``seen`` is the address from which the query came (BEP 42). ``again``: there is a large value, ask again with the token.
    ``kept``: the item of a StoreNear is.
    """

    tid: Tid
    sender: Id
    contacts: Annotated[tuple[Contact, ...], Meta(max_length=MAX_CONTACTS)] | None = None
    token: Token = b""
    peers: Annotated[tuple[Contact, ...], Meta(max_length=MAX_PEERS)] = ()
    item: Item | None = None
    seq: Seq | None = None
    again: bool = False
    samples: Samples | None = None
    blooms: Blooms | None = None
    seen: Address | None = None
    kept: bool = False


class Refusal(Message, frozen=True, tag="error"):
    """Why a query was refused, with the codes of BEP 5 and 44."""

    tid: Tid
    code: Annotated[int, Meta(ge=0, lt=100_000)]
    text: Annotated[str, Meta(max_length=MAX_TEXT)]


class Malformed(Message, frozen=True, tag="malformed"):
    """A query that could be read so far that it can be refused. Made by a codec, never sent."""

    tid: Tid
    code: int
    text: str


QUERIES: Final = (Ping, FindNode, GetPeers, AnnouncePeer, GetItem, PutItem, StoreNear, SampleKeys, Deliver)
MESSAGES: Final = (*QUERIES, Reply, Refusal)
AnyQuery: TypeAlias = Ping | FindNode | GetPeers | AnnouncePeer | GetItem | PutItem | StoreNear | SampleKeys | Deliver
