"""KRPC: the examples of the BEPs, every message there and back, and bytes of strangers."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import DecodeError
from horoi.lookup.kademlia import bencode, krpc
from horoi.lookup.kademlia.bloom import BLOOM_BYTES
from horoi.lookup.kademlia.codec import kademlia_wire
from horoi.lookup.kademlia.messages import (
    PROTOCOL,
    UNKNOWN_METHOD,
    WANT_V4,
    WANT_V6,
    AnnouncePeer,
    Blooms,
    Deliver,
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
from horoi.lookup.kademlia.signing import immutable_target, mutable_target
from horoi.lookup.vocabulary import Contact

A = int.from_bytes(b"abcdefghij0123456789", "big")
M = int.from_bytes(b"mnopqrstuvwxyz123456", "big")

ids = st.integers(0, 2**160 - 1)
tids = st.binary(min_size=1, max_size=20)
ports = st.integers(1, 65535)
four = st.tuples(st.ip_addresses(v=4).map(str), ports)
six = st.tuples(st.ip_addresses(v=6).map(str), ports)
tokens = st.binary(max_size=64)
seqs = st.integers(0, 2**63 - 1)
values = (st.integers(-5, 5) | st.binary(max_size=50) | st.lists(st.binary(max_size=5), max_size=3)).map(bencode.encode)
signeds = st.builds(
    Signed, st.binary(min_size=32, max_size=32), seqs, st.binary(min_size=64, max_size=64), st.binary(max_size=64)
)
wants = st.integers(0, 3)


def put_of(tid: bytes, sender: int, ro: bool, token: bytes, value: bytes, signed: Signed | None, cas: Any) -> PutItem:
    target = immutable_target(value) if signed is None else mutable_target(signed.public_key, signed.salt)
    return PutItem(tid, sender, ro, target, token, Item(value, signed), cas)


queries = st.one_of(
    st.builds(Ping, tids, ids, st.booleans()),
    st.builds(FindNode, tids, ids, st.booleans(), ids, wants),
    st.builds(GetPeers, tids, ids, st.booleans(), ids, wants, st.booleans(), st.booleans()),
    st.builds(AnnouncePeer, tids, ids, st.booleans(), ids, tokens, st.integers(0, 65535), st.booleans()),
    st.builds(GetItem, tids, ids, st.booleans(), ids, wants, st.none() | seqs),
    st.builds(put_of, tids, ids, st.booleans(), tokens, values, st.none() | signeds, st.none() | seqs),
    st.builds(SampleKeys, tids, ids, st.booleans(), ids, wants),
)
blooms = st.binary(min_size=BLOOM_BYTES, max_size=BLOOM_BYTES)


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    nodes = draw(st.lists(st.builds(Contact, ids, four), max_size=8))
    nodes6 = draw(st.lists(st.builds(Contact, ids, six), max_size=8))
    signed = draw(st.none() | signeds.map(lambda s: Signed(s.public_key, s.seq, s.signature)))
    item = draw(st.none() | values.map(lambda value: Item(value, signed)))
    seq = signed.seq if item is not None and signed is not None else draw(st.none() | seqs)
    return Reply(
        draw(tids),
        draw(ids),
        (*nodes, *nodes6),
        draw(tokens),
        tuple(draw(st.lists(st.builds(Contact, st.just(0), four), max_size=10))),
        item,
        seq,
        samples=draw(
            st.none() | st.builds(Samples, st.integers(0, 21600), seqs, st.lists(ids, max_size=20).map(tuple))
        ),
        blooms=draw(st.none() | st.builds(Blooms, blooms, blooms)),
        seen=draw(st.none() | four | six),
    )


refusals = st.builds(Refusal, tids, st.integers(0, 99_999), st.text("abc ", max_size=50))


@given(queries | replies() | refusals)
@settings(deadline=None, max_examples=300)
def test_every_message_there_and_back(message: Any) -> None:
    data = krpc.encode(message)
    if len(data) > krpc.MAX_BYTES:  # what a machine never sends together
        with pytest.raises(DecodeError):
            krpc.decode(data)
    else:
        assert krpc.decode(data) == message
        assert bencode.encode(bencode.decode(data)) == data


@given(queries | replies() | refusals)
@settings(deadline=None, max_examples=300)
def test_the_own_wire_carries_the_same_messages(message: Any) -> None:
    wire = kademlia_wire()
    try:
        data = wire.encode(message)
    except ValueError:
        return  # over the limit of a datagram, which the wire refuses to send
    assert wire.decode(data) == message


KRPC_PARTS = st.recursive(
    st.sampled_from([b"q", b"r", b"e", b"ping", b"get", b"put", b"find_node", b"x" * 20, b"x" * 26, b"", 0, 1, -1, 2**64]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from([b"t", b"y", b"q", b"a", b"r", b"e", b"id", b"target", b"info_hash", b"nodes", b"values", b"v", b"k",
                         b"seq", b"sig", b"token", b"samples", b"want", b"port", b"ip", b"BFsd", b"BFpe", b"salt", b"cas"]),
        inner,
        max_size=6,
    ),
    max_leaves=15,
)  # fmt: skip


@given(st.binary(max_size=200) | KRPC_PARTS.map(bencode.encode))
@settings(deadline=None, max_examples=500)
def test_bytes_of_strangers_are_a_message_or_refused(data: bytes) -> None:
    for decode in (krpc.decode, kademlia_wire().decode):
        try:
            message = decode(data)
        except DecodeError:
            continue
        assert message.tid


@given(KRPC_PARTS, KRPC_PARTS)
@settings(deadline=None, max_examples=300)
def test_queries_of_strangers_are_answered_with_a_standard_error(name: Any, said: Any) -> None:
    message = krpc.decode(bencode.encode({b"t": b"aa", b"y": b"q", b"q": name, b"a": said}))
    if isinstance(message, Malformed):
        assert message.code in (PROTOCOL, UNKNOWN_METHOD)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", Ping(b"aa", A, False)),
        (b"d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re", Reply(b"aa", M)),
        (
            b"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe",
            FindNode(b"aa", A, False, M),
        ),
        (
            b"d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe",
            GetPeers(b"aa", A, False, M),
        ),
        (
            b"d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re",
            Reply(
                b"aa",
                A,
                None,
                b"aoeusnth",
                (Contact(0, ("97.120.106.101", 11893)), Contact(0, ("105.100.104.116", 28269))),
            ),
        ),
        (
            b"d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e"
            b"5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe",
            AnnouncePeer(b"aa", A, False, M, b"aoeusnth", 0),
        ),
        (b"d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee", Refusal(b"aa", 201, "A Generic Error Ocurred")),
    ],
)
def test_the_examples_of_bep_5(data: bytes, message: Any) -> None:
    assert krpc.decode(data) == message


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({b"q": b"dance", b"a": {b"id": bytes(20)}}, UNKNOWN_METHOD),
        ({b"q": b"ping", b"a": {}}, PROTOCOL),
        ({b"q": b"ping", b"a": {b"id": bytes(19)}}, PROTOCOL),
        ({b"q": b"ping", b"a": []}, PROTOCOL),
        ({b"q": [], b"a": {b"id": bytes(20)}}, PROTOCOL),
        ({b"q": b"find_node", b"a": {b"id": bytes(20)}}, PROTOCOL),
        ({b"q": b"get_peers", b"a": {b"id": bytes(20), b"info_hash": 7}}, PROTOCOL),
        ({b"q": b"announce_peer", b"a": {b"id": bytes(20), b"info_hash": bytes(20), b"token": b"x"}}, PROTOCOL),
        ({b"q": b"announce_peer", b"a": {b"id": bytes(20), b"info_hash": bytes(20), b"port": 70000}}, PROTOCOL),
        ({b"q": b"put", b"a": {b"id": bytes(20), b"token": b"x"}}, PROTOCOL),
        ({b"q": b"put", b"a": {b"id": bytes(20), b"v": 1, b"k": bytes(31), b"seq": 1, b"sig": bytes(64)}}, PROTOCOL),
        ({b"q": b"put", b"a": {b"id": bytes(20), b"v": 1, b"k": bytes(32), b"seq": -1, b"sig": bytes(64)}}, PROTOCOL),
    ],
)
def test_queries_that_cannot_be_meant(fields: dict[bytes, Any], code: int) -> None:
    message = krpc.decode(bencode.encode({b"t": b"aa", b"y": b"q", **fields}))
    assert isinstance(message, Malformed)
    assert (message.tid, message.code) == (b"aa", code)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"t": b"", b"y": b"r", b"r": {b"id": bytes(20)}},
        {b"t": bytes(21), b"y": b"r", b"r": {b"id": bytes(20)}},
        {b"t": b"aa", b"y": b"z"},
        {b"t": b"aa", b"y": b"r"},
        {b"t": b"aa", b"y": b"r", b"r": {b"id": bytes(20), b"values": b"x"}},
        {b"t": b"aa", b"y": b"r", b"r": {b"id": bytes(20), b"nodes": 5}},
        {b"t": b"aa", b"y": b"e", b"e": [b"x", 201]},
        {b"t": b"aa", b"y": b"e", b"e": 201},
    ],
)
def test_answers_that_cannot_be_meant(fields: dict[bytes, Any]) -> None:
    with pytest.raises(DecodeError):
        krpc.decode(bencode.encode(fields))


def test_what_living_clients_send_is_passed_over() -> None:
    """Unsorted keys, unknown keys, a nodes string with a rest, contacts without a port."""
    nodes = bytes(20) + bytes((192, 0, 2, 1, 0, 80)) + bytes(20) + bytes((192, 0, 2, 2, 0, 0)) + b"rest"
    said = b"d5:nodes%d:%b2:id20:%b4:newsi1ee" % (len(nodes), nodes, bytes(20))
    reply = krpc.decode(b"d1:y1:r1:t2:aa1:r%b1:v4:abcde" % said)
    assert reply == Reply(b"aa", 0, (Contact(0, ("192.0.2.1", 80)),))


def test_want_and_read_only_and_huge_lists() -> None:
    asked = FindNode(b"aa", A, True, M, WANT_V4 | WANT_V6)
    fields = bencode.decode(krpc.encode(asked))
    assert fields[b"ro"] == 1  # BEP 43: beside the arguments
    assert fields[b"a"][b"want"] == [b"n4", b"n6"]
    many = krpc.decode(
        bencode.encode({b"t": b"a", b"y": b"r", b"r": {b"id": bytes(20), b"values": [b"\1\1\1\1\0\1"] * 150}})
    )
    assert len(many.peers) == 40
    with pytest.raises(DecodeError, match="4097 bytes"):
        krpc.decode(bytes(4097))


@pytest.mark.parametrize(("seen", "name"), [(("10.0.0.1", 1), b"nodes"), (("2001:db8::1", 1), b"nodes6")])
def test_who_asks_for_nodes_is_told_that_there_are_none(seen: tuple[str, int], name: bytes) -> None:
    said = bencode.decode(krpc.encode(Reply(b"aa", A, (), seen=seen)))[b"r"]
    assert said[name] == b""  # BEP 5, BEP 32: the key is there
    assert krpc.decode(krpc.encode(Reply(b"aa", A, ()))).contacts == ()
    assert b"nodes" not in bencode.decode(krpc.encode(Reply(b"aa", A)))[b"r"]  # to a ping


def test_krpc_has_no_form_for_a_payload() -> None:
    with pytest.raises(ValueError, match="Deliver"):
        krpc.encode(Deliver(b"a", 1, False, 2, b"", b"payload", 1))


def test_addresses_in_compact_form() -> None:
    reply = krpc.decode(krpc.encode(Reply(b"a", 1, (Contact(5, ("2001:db8::1", 6881)),), seen=("2001:db8::2", 9))))
    assert reply.contacts == (Contact(5, ("2001:db8::1", 6881)),)
    assert ipaddress.ip_address(reply.seen[0]) == ipaddress.ip_address("2001:db8::2")
