"""KRPC, the wire of BitTorrent's Mainline DHT (BEP 5), with IPv6 (BEP 32), scrapes (33), addresses (42), read-only peers (43),
items (44) and samples (51): bytes of one datagram, and back.

A message is a bencoded dictionary: ``t`` its transaction, ``y`` its kind: a query (``q`` its name, ``a`` what it says), a
response (``r``) or an error (``e``). What is there and cannot be meant makes the message void; what is unknown is passed over.
A query that is void but says which transaction it is becomes ``Malformed``, so that it can be answered with an error, which is
cut where it would amplify.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horoi.base.errors import DecodeError
from horoi.lookup.common.wire import pack_address
from horoi.lookup.kademlia import bencode
from horoi.lookup.kademlia.bloom import BLOOM_BYTES
from horoi.lookup.kademlia.compact import ID_BYTES, pack_contacts, pack_id, unpack_address, unpack_contacts
from horoi.lookup.kademlia.messages import (
    MAX_CONTACTS,
    MAX_PEERS,
    MAX_SAMPLES,
    MAX_TEXT,
    MAX_TID_BYTES,
    MAX_TOKEN_BYTES,
    PROTOCOL,
    UNKNOWN_METHOD,
    WANT_V4,
    WANT_V6,
    AnnouncePeer,
    AnyQuery,
    Blooms,
    FindNode,
    GetItem,
    GetPeers,
    Item,
    Malformed,
    Ping,
    PutItem,
    Refusal,
    Reply,
    SampleKeys,
    Samples,
    Signed,
)
from horoi.lookup.kademlia.signing import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, immutable_target, mutable_target
from horoi.lookup.vocabulary import Contact

MAX_BYTES = 4096  # read: what we write fits Ethernet's 1500, but who sends too large a value is told so. A guess
VERSION = b"HO\x00\x01"  # BEP 20 and 5: two letters of the client, two bytes of its version
MAX_SEQ = 2**63 - 1
ERROR_BYTES = 38  # an error without its text and transaction
AMPLIFICATION = 3  # RFC 9000, section 8.1

KrpcMessage = AnyQuery | Reply | Refusal | Malformed
Fields = dict[bytes, Any]


class VoidError(Exception):
    """What a message says cannot be meant; ``args[0]`` says why. Never leaves this module."""


# Reading


def _contacts(said: Fields, name: bytes, address_bytes: int) -> list[Contact]:
    data = said.get(name, b"")
    if type(data) is not bytes:
        raise VoidError(f"{name.decode()} is a byte string")
    return unpack_contacts(data, address_bytes, MAX_CONTACTS // 2)


def _bytes(fields: Fields, name: bytes, size: int) -> bytes:
    value = fields.get(name)
    if type(value) is not bytes or len(value) != size:
        raise VoidError(f"{name.decode()} is {size} bytes")
    return value


def _id(fields: Fields, name: bytes) -> int:
    return int.from_bytes(_bytes(fields, name, ID_BYTES), "big")


def _some_bytes(fields: Fields, name: bytes, most: int) -> bytes:
    value = fields.get(name, b"")
    if type(value) is not bytes or len(value) > most:
        raise VoidError(f"{name.decode()} is at most {most} bytes")
    return value


def _integer(fields: Fields, name: bytes, least: int, most: int) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not int or not least <= value <= most:
        raise VoidError(f"{name.decode()} is an integer from {least} to {most}")
    return value


def _is_set(fields: Fields, name: bytes) -> bool:
    """Flags are 1 or absent (BEP 5, implied_port: "non-zero")."""
    value = fields.get(name, 0)
    return type(value) is int and value != 0


def _want(fields: Fields) -> int:
    wanted = fields.get(b"want", [])
    if type(wanted) is not list:
        return 0
    return (WANT_V4 if b"n4" in wanted else 0) | (WANT_V6 if b"n6" in wanted else 0)


def decode(data: bytes) -> KrpcMessage:
    """The message in a datagram; DecodeError for anything else."""
    if len(data) > MAX_BYTES:
        raise DecodeError(f"KRPC: {len(data)} bytes, the limit is {MAX_BYTES}")
    fields = bencode.decode(data, sorted_keys=False)
    if type(fields) is not dict:
        raise DecodeError("KRPC: a message is a dictionary")
    tid = fields.get(b"t")
    if type(tid) is not bytes or not 0 < len(tid) <= MAX_TID_BYTES:
        raise DecodeError(f"KRPC: t, the transaction, is 1 to {MAX_TID_BYTES} bytes")
    kind = fields.get(b"y")
    try:
        if kind == b"q":
            query = _read_query(tid, fields)
            return _no_more_than_deserved(query, len(data)) if type(query) is Malformed else query
        if kind == b"r":
            return _read_reply(tid, fields)
        if kind == b"e":
            return _read_error(tid, fields)
    except VoidError as error:
        raise DecodeError(f"KRPC: {error}") from None
    raise DecodeError("KRPC: y is q, r or e")


def _read_query(tid: bytes, fields: Fields) -> KrpcMessage:
    name = fields.get(b"q")
    said = fields.get(b"a")
    try:
        if type(name) is not bytes or type(said) is not dict:
            raise VoidError("a query has a name q and arguments a")
        read = _READ.get(name)
        if read is None:
            return Malformed(tid, UNKNOWN_METHOD, "no such method")
        return read(tid, _id(said, b"id"), _is_set(fields, b"ro"), said)  # BEP 43: ro stands beside a
    except VoidError as error:
        return Malformed(tid, PROTOCOL, str(error))


def _no_more_than_deserved(query: Malformed, size_bytes: int) -> Malformed:
    """The same with so much text that the error is no more than three times the query."""
    room = AMPLIFICATION * size_bytes - ERROR_BYTES - len(query.tid)
    return Malformed(query.tid, query.code, query.text[: max(0, room)])


def _read_ping(tid: bytes, sender: int, read_only: bool, _: Fields) -> Ping:
    return Ping(tid, sender, read_only)


def _read_find_node(tid: bytes, sender: int, read_only: bool, said: Fields) -> FindNode:
    return FindNode(tid, sender, read_only, _id(said, b"target"), _want(said))


def _read_get_peers(tid: bytes, sender: int, read_only: bool, said: Fields) -> GetPeers:
    flags = _is_set(said, b"noseed"), _is_set(said, b"scrape")
    return GetPeers(tid, sender, read_only, _id(said, b"info_hash"), _want(said), *flags)


def _read_announce_peer(tid: bytes, sender: int, read_only: bool, said: Fields) -> AnnouncePeer:
    token = _some_bytes(said, b"token", MAX_TOKEN_BYTES)
    port = _integer(said, b"port", 0, 65535) or 0
    if _is_set(said, b"implied_port"):
        port = 0
    elif not port:
        raise VoidError("port is missing or 0, and implied_port not set")
    return AnnouncePeer(tid, sender, read_only, _id(said, b"info_hash"), token, port, _is_set(said, b"seed"))


def _read_get(tid: bytes, sender: int, read_only: bool, said: Fields) -> GetItem:
    return GetItem(tid, sender, read_only, _id(said, b"target"), _want(said), _integer(said, b"seq", 0, MAX_SEQ))


def _read_put(tid: bytes, sender: int, read_only: bool, said: Fields) -> PutItem:
    token = _some_bytes(said, b"token", MAX_TOKEN_BYTES)
    item = _read_item(said, said.get(b"salt", b""))
    if item is None:
        raise VoidError("v, the value, is missing")
    signed = item.signed
    target = immutable_target(item.value) if signed is None else mutable_target(signed.public_key, signed.salt)
    return PutItem(tid, sender, read_only, target, token, item, _integer(said, b"cas", 0, MAX_SEQ))


def _read_sample(tid: bytes, sender: int, read_only: bool, said: Fields) -> SampleKeys:
    return SampleKeys(tid, sender, read_only, _id(said, b"target"), _want(said))


_READ: dict[bytes, Callable[[bytes, int, bool, Fields], AnyQuery]] = {
    b"ping": _read_ping,
    b"find_node": _read_find_node,
    b"get_peers": _read_get_peers,
    b"announce_peer": _read_announce_peer,
    b"get": _read_get,
    b"put": _read_put,
    b"sample_infohashes": _read_sample,
}


def _read_item(said: Fields, salt: Any) -> Item | None:
    """The item in a put or in the answer to a get. A value's size and a signature are the store's business."""
    if b"v" not in said:
        return None
    value = bencode.encode(said[b"v"])
    if b"k" not in said:
        return Item(value)
    if type(salt) is not bytes:
        raise VoidError("salt is a byte string")
    seq = _integer(said, b"seq", 0, MAX_SEQ)
    if seq is None:
        raise VoidError("seq, the number of a mutable item, is missing")
    signature = _bytes(said, b"sig", SIGNATURE_BYTES)
    return Item(value, Signed(_bytes(said, b"k", PUBLIC_KEY_BYTES), seq, signature, salt))


def _read_reply(tid: bytes, fields: Fields) -> Reply:
    said = fields.get(b"r")
    if type(said) is not dict:
        raise VoidError("a response has a dictionary r")
    contacts = None
    if b"nodes" in said or b"nodes6" in said:
        contacts = (*_contacts(said, b"nodes", 6), *_contacts(said, b"nodes6", 18))
    ip = fields.get(b"ip")
    return Reply(
        tid,
        _id(said, b"id"),
        contacts,
        _some_bytes(said, b"token", MAX_TOKEN_BYTES),
        _read_peers(said),
        _read_item(said, b""),
        _integer(said, b"seq", 0, MAX_SEQ),
        samples=_read_samples(said),
        blooms=_read_blooms(said),
        seen=unpack_address(ip) if type(ip) is bytes else None,
    )


def _read_peers(said: Fields) -> tuple[Contact, ...]:
    """``values``: addresses without ids, so the contacts have the id 0."""
    values = said.get(b"values", [])
    if type(values) is not list:
        raise VoidError("values are a list")
    found = (unpack_address(value) for value in values[:MAX_PEERS] if type(value) is bytes)
    return tuple(Contact(0, address) for address in found if address is not None)


def _read_samples(said: Fields) -> Samples | None:
    if b"samples" not in said:
        return None
    keys = said[b"samples"]
    if type(keys) is not bytes:
        raise VoidError("samples are a byte string")
    whole = min(len(keys) // ID_BYTES, MAX_SAMPLES)
    numbers = tuple(int.from_bytes(keys[at * ID_BYTES : (at + 1) * ID_BYTES], "big") for at in range(whole))
    return Samples(_integer(said, b"interval", 0, 21600) or 0, _integer(said, b"num", 0, MAX_SEQ) or 0, numbers)


def _read_blooms(said: Fields) -> Blooms | None:
    if b"BFsd" not in said or b"BFpe" not in said:
        return None
    return Blooms(_bytes(said, b"BFsd", BLOOM_BYTES), _bytes(said, b"BFpe", BLOOM_BYTES))


def _read_error(tid: bytes, fields: Fields) -> Refusal:
    said = fields.get(b"e")
    if type(said) is not list or len(said) < 2 or type(said[0]) is not int or type(said[1]) is not bytes:
        raise VoidError("an error is a list of a code and a text")
    return Refusal(tid, min(max(said[0], 0), 99_999), said[1][:MAX_TEXT].decode("utf-8", "replace")[:MAX_TEXT])


# Writing


def encode(message: KrpcMessage) -> bytes:
    """The datagram of a message. Raises ValueError for what KRPC has no form for."""
    if isinstance(message, Reply):
        fields = _reply_fields(message)
    elif isinstance(message, Refusal):
        fields = {b"e": [message.code, message.text.encode()], b"y": b"e"}
    else:
        fields = _query_fields(message)
    return bencode.encode({b"t": message.tid, b"v": VERSION, **fields})


def _query_fields(query: Any) -> Fields:
    write = _WRITE.get(type(query))
    if write is None:
        raise ValueError(f"KRPC has no {type(query).__name__}")
    name, said = write(query)
    said[b"id"] = query.sender.to_bytes(ID_BYTES, "big")
    fields: Fields = {b"y": b"q", b"q": name, b"a": said}
    if query.read_only:
        fields[b"ro"] = 1
    if getattr(query, "want", 0):
        said[b"want"] = [name for flag, name in ((WANT_V4, b"n4"), (WANT_V6, b"n6")) if query.want & flag]
    return fields


def _write_ping(_: Ping) -> tuple[bytes, Fields]:
    return b"ping", {}


def _write_find_node(query: FindNode) -> tuple[bytes, Fields]:
    return b"find_node", {b"target": pack_id(query.target)}


def _write_get_peers(query: GetPeers) -> tuple[bytes, Fields]:
    said: Fields = {b"info_hash": pack_id(query.target)}
    if query.no_seeds:
        said[b"noseed"] = 1
    if query.scrape:
        said[b"scrape"] = 1
    return b"get_peers", said


def _write_announce_peer(query: AnnouncePeer) -> tuple[bytes, Fields]:
    said: Fields = {b"info_hash": pack_id(query.target), b"token": query.token, b"port": query.port}
    said[b"implied_port"] = int(query.port == 0)
    if query.seed:
        said[b"seed"] = 1
    return b"announce_peer", said


def _write_get(query: GetItem) -> tuple[bytes, Fields]:
    said: Fields = {b"target": pack_id(query.target)}
    if query.seq is not None:
        said[b"seq"] = query.seq
    return b"get", said


def _write_put(query: PutItem) -> tuple[bytes, Fields]:
    said: Fields = {b"token": query.token, **_item_fields(query.item)}
    if query.item.signed is not None and query.item.signed.salt:
        said[b"salt"] = query.item.signed.salt
    if query.cas is not None:
        said[b"cas"] = query.cas
    return b"put", said


def _write_sample(query: SampleKeys) -> tuple[bytes, Fields]:
    return b"sample_infohashes", {b"target": pack_id(query.target)}


_WRITE: dict[type, Callable[[Any], tuple[bytes, Fields]]] = {
    Ping: _write_ping,
    FindNode: _write_find_node,
    GetPeers: _write_get_peers,
    AnnouncePeer: _write_announce_peer,
    GetItem: _write_get,
    PutItem: _write_put,
    SampleKeys: _write_sample,
}


def _item_fields(item: Item) -> Fields:
    fields: Fields = {b"v": bencode.decode(item.value, sorted_keys=False)}
    if item.signed is not None:
        fields |= {b"k": item.signed.public_key, b"seq": item.signed.seq, b"sig": item.signed.signature}
    return fields


def _reply_fields(reply: Reply) -> Fields:
    said: Fields = {b"id": pack_id(reply.sender)}
    nodes, nodes6 = pack_contacts(reply.contacts or ())
    if nodes:
        said[b"nodes"] = nodes
    if nodes6:
        said[b"nodes6"] = nodes6
    if reply.contacts == ():  # BEP 5, BEP 32: who asked is told that there are none, of its own family
        said[b"nodes6" if reply.seen is not None and ":" in reply.seen[0] else b"nodes"] = b""
    if reply.token:
        said[b"token"] = reply.token
    if reply.peers:
        said[b"values"] = [pack_address(peer.address) for peer in reply.peers]
    if reply.seq is not None:
        said[b"seq"] = reply.seq
    if reply.item is not None:
        said |= _item_fields(reply.item)
    if reply.samples is not None:
        said[b"interval"] = reply.samples.interval_s
        said[b"num"] = reply.samples.total
        said[b"samples"] = b"".join(map(pack_id, reply.samples.keys))
    if reply.blooms is not None:
        said |= {b"BFsd": reply.blooms.seeds, b"BFpe": reply.blooms.peers}
    fields: Fields = {b"r": said, b"y": b"r"}
    if reply.seen is not None:
        fields[b"ip"] = pack_address(reply.seen)
    return fields
