"""What strangers send to a Mainline peer, as bytes: a standard error, or silence; never an exception, never growth."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import DecodeError
from horoi.lookup.kademlia import bencode, krpc
from horoi.lookup.kademlia.config import mainline
from horoi.lookup.kademlia.core import MAX_VERIFYING
from horoi.lookup.kademlia.machine import Kademlia
from horoi.lookup.kademlia.messages import (
    BAD_SIGNATURE,
    CAS_MISMATCH,
    PROTOCOL,
    SALT_TOO_BIG,
    SEQ_TOO_LOW,
    TOO_BIG,
    UNKNOWN_METHOD,
)
from horoi.lookup.kademlia.node_ids import node_id
from horoi.lookup.kademlia.requests import PingPeer
from horoi.lookup.kademlia.signing import public_key_of, sign
from horoi.lookup.kademlia.table import CACHE_SIZE
from horoi.lookup.vocabulary import Contact, Join, Lookup
from horoi.machine.contract import Asked, Received, Send

STRANGER = ("10.6.6.6", 6)
SECRET = bytes(range(32))
OWNER = public_key_of(SECRET)
ID = b"i" * 20
HASH = b"h" * 20


def peer(**options: Any) -> Kademlia:
    machine = Kademlia(Contact(0, ("10.0.0.1", 1)), mainline(**{"rate_per_s": None, **options}), Random(1))
    machine.handle(Asked(Join()), 0.0)
    return machine


def tell(machine: Kademlia, data: bytes, *, source: Any = STRANGER, now: float = 1.0) -> list[bytes]:
    """Hand a machine a datagram; the answers that go back, without questions of its own."""
    try:
        message = krpc.decode(data)
    except DecodeError:
        return []
    sends = [a for a in machine.handle(Received(source, message), now) if isinstance(a, Send)]
    out = [krpc.encode(send.message) for send in sends if send.peer == source]
    return [datagram for datagram in out if bencode.decode(datagram)[b"y"] != b"q"]


def query(name: bytes, **said: Any) -> bytes:
    fields = {key.encode(): value for key, value in said.items() if value is not None}
    return bencode.encode({b"t": b"aa", b"y": b"q", b"q": name, b"a": {b"id": ID, **fields}})


def code(machine: Kademlia, data: bytes, **more: Any) -> int:
    """0 for an answer, else the code of the error."""
    (answer,) = tell(machine, data, **more)
    fields = bencode.decode(answer)
    assert fields[b"t"] == b"aa"
    return int(fields[b"e"][0]) if fields[b"y"] == b"e" else 0


def token_of(machine: Kademlia, **more: Any) -> bytes:
    (answer,) = tell(machine, query(b"get_peers", info_hash=HASH), **more)
    token: bytes = bencode.decode(answer)[b"r"][b"token"]
    return token


def put(token: bytes, value: Any, seq: int, *, salt: bytes = b"", cas: int | None = None, **other: Any) -> bytes:
    fields = {"k": OWNER, "sig": sign(SECRET, bencode.encode(value), seq, salt), "salt": salt or None, **other}
    return query(b"put", token=token, v=value, seq=seq, cas=cas, **fields)


def test_every_error_of_bep_44_has_its_code() -> None:
    machine = peer()
    token = token_of(machine)
    assert code(machine, put(token, b"one", 5)) == 0
    assert code(machine, put(token, bytes(997), 6)) == TOO_BIG
    assert code(machine, put(token, b"two", 6, sig=bytes(64))) == BAD_SIGNATURE
    assert code(machine, put(token, b"two", 6, k=bytes(32))) == BAD_SIGNATURE
    assert code(machine, put(token, b"two", 6, salt=bytes(65))) == SALT_TOO_BIG
    assert code(machine, put(token, b"two", 6, cas=4)) == CAS_MISMATCH
    assert code(machine, put(token, b"two", 5)) == SEQ_TOO_LOW
    assert code(machine, put(token, b"two", 4)) == SEQ_TOO_LOW
    assert code(machine, put(b"wrong", b"two", 6)) == PROTOCOL
    assert code(machine, put(token, b"two", 6), source=("10.6.6.7", 6)) == PROTOCOL
    assert code(machine, put(token, b"two", 6), now=1000.0) == PROTOCOL
    assert code(machine, query(b"put", token=token, v=bytes(997))) == TOO_BIG
    assert code(machine, query(b"put", token=token, v=bytes(3000))) == TOO_BIG  # more than we would ever send
    assert code(machine, query(b"put", token=token, v=b"immutable")) == 0
    assert code(machine, put(token, b"two", 6, cas=5)) == 0


@pytest.mark.parametrize("missing", ["k", "sig", "seq"])
def test_half_a_mutable_item_is_none(missing: str) -> None:
    machine = peer()
    data = bencode.decode(put(token_of(machine), b"x", 1))
    del data[b"a"][missing.encode()]
    expected = 0 if missing == "k" else PROTOCOL  # without a key it is an immutable item
    assert code(machine, bencode.encode(data)) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (query(b"dance"), UNKNOWN_METHOD),
        (query(b"find_node"), PROTOCOL),
        (query(b"find_node", target=b"short"), PROTOCOL),
        (query(b"find_node", target=[HASH]), PROTOCOL),
        (query(b"get_peers", info_hash=7), PROTOCOL),
        (query(b"get", target=HASH, seq=-1), PROTOCOL),
        (query(b"get", target=HASH, seq=b"1"), PROTOCOL),
        (query(b"sample_infohashes"), PROTOCOL),
        (query(b"announce_peer", info_hash=HASH, port=0, token=b"x"), PROTOCOL),
        (query(b"announce_peer", info_hash=HASH, port=99999, token=b"x"), PROTOCOL),
        (query(b"announce_peer", info_hash=HASH, port=80, token=b"x" * 65), PROTOCOL),
        (query(b"announce_peer", info_hash=HASH, port=80, token=b"never given"), PROTOCOL),
        (query(b"announce_peer", info_hash=HASH, port=80), PROTOCOL),
    ],
)
def test_queries_that_cannot_be_meant_are_told_so(data: bytes, expected: int) -> None:
    machine = peer()
    assert code(machine, data) == expected
    assert len(machine.server.peers) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"d1:t2:aae",
        b"d1:q4:ping1:t2:aa1:y1:q",  # no end
        b"d1:a9999999:x1:t2:aa1:y1:qe",  # longer than it is
        b"l" * 1400,
        b"d1:t2:aa1:ai1e1:y1:q1:q0:1:yi1ee",  # a key twice
        bencode.encode({b"t": bytes(21), b"y": b"q", b"q": b"ping", b"a": {b"id": ID}}),
        bencode.encode({b"t": b"aa", b"y": b"e", b"e": [203, b"an answer to nothing"]}),
        bencode.encode({b"t": b"aa", b"y": b"r", b"r": {b"id": ID}}),
        query(b"ping") + b"rest",
        query(b"find_node", target=HASH, x=bytes(4096)),
    ],
)
def test_what_deserves_no_answer_gets_none(data: bytes) -> None:
    assert tell(peer(), data) == []


@pytest.mark.parametrize("data", [b"d1:t1:a1:y1:qe", b"d1:qle1:t1:a1:y1:qe", query(b"announce_peer", info_hash=HASH)])
def test_an_error_says_no_more_than_its_query_deserves(data: bytes) -> None:
    (answer,) = tell(peer(), data)
    assert len(answer) <= 3 * len(data)


def test_spoofed_answers_and_answers_in_anothers_name_change_nothing() -> None:
    machine = peer()
    asked = [a for a in machine.handle(Asked(PingPeer("t", STRANGER)), 0.0) if isinstance(a, Send)]
    tid = asked[0].message.tid
    nodes = b"".join(bytes([n]) * 20 + bytes([10, 0, 0, n, 0, 9]) for n in range(1, 9))
    for source, number in ((("10.6.6.7", 6), tid), ((STRANGER[0], 7), tid), (STRANGER, bytes(8)), (STRANGER, tid[:4])):
        reply = bencode.encode({b"t": number, b"y": b"r", b"r": {b"id": ID, b"nodes": nodes}})
        assert machine.handle(Received(source, krpc.decode(reply)), 0.1) == []
    assert len(machine.table) == 0
    known = Contact(7 << 150, STRANGER)
    machine.table.seen(known)
    (ask,) = [a for a in machine.handle(Asked(Lookup("l", 5)), 0.2) if isinstance(a, Send)]
    reply = bencode.encode({b"t": ask.message.tid, b"y": b"r", b"r": {b"id": ID, b"nodes": nodes}})
    machine.handle(Received(STRANGER, krpc.decode(reply)), 0.3)  # the right address, another id
    assert [contact.id for contact in machine.table] == [known.id]
    assert machine.table.is_failing(known.id)


def test_huge_lists_are_cut_to_what_an_honest_peer_sends() -> None:
    nodes = b"".join(number.to_bytes(20, "big") + bytes([10, 0, 0, 1, 0, 9]) for number in range(1, 50))
    reply = krpc.decode(bencode.encode({b"t": b"a", b"y": b"r", b"r": {b"id": ID, b"nodes": nodes}}))
    assert len(reply.contacts) == 16
    samples = krpc.decode(bencode.encode({b"t": b"a", b"y": b"r", b"r": {b"id": ID, b"samples": bytes(1000)}}))
    assert len(samples.samples.keys) == 20
    wants = query(b"find_node", target=HASH, want=[b"n4"] * 300)
    assert len(tell(peer(), wants)) == 1


def test_ids_of_other_addresses_are_answered_and_never_named() -> None:
    """BEP 42: outside of local networks an id follows from the address."""
    machine = peer()
    outside = ("8.8.8.8", 6881)
    (answer,) = tell(machine, query(b"ping"), source=outside)
    assert bencode.decode(answer)[b"ip"] == bytes([8, 8, 8, 8]) + (6881).to_bytes(2, "big")
    false, true = Contact(9, outside), Contact(node_id("8.8.4.4", Random(1)), ("8.8.4.4", 6881))
    assert machine.believable((false, true)) == (true,)
    machine.heard(false, 1.0)
    assert len(machine.table) == 0


def test_strangers_make_nothing_grow() -> None:
    machine = peer()
    dice = Random(2)
    for number in range(3000):
        source = (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1 + number % 60000)
        said = {"id": dice.randbytes(20), "target": dice.randbytes(20)}
        tell(machine, query(b"find_node", **said), source=source, now=1.0 + number / 1000)
        tell(machine, put(b"no token", number, 1), source=source, now=1.0 + number / 1000)
    assert len(machine.table) == 0
    assert not machine.server.has_items
    assert len(machine.pending) <= MAX_VERIFYING
    assert len(machine._verifying or ()) <= MAX_VERIFYING
    assert sum(map(len, (machine.table._cache or {}).values())) <= CACHE_SIZE * 160


WORDS = st.sampled_from(
    [
        b"ping",
        b"find_node",
        b"get_peers",
        b"announce_peer",
        b"get",
        b"put",
        b"sample_infohashes",
        b"x",
        ID,
        HASH,
        0,
        1,
        2**63,
    ]
)
SAID = st.dictionaries(
    st.sampled_from(
        [
            b"id",
            b"target",
            b"info_hash",
            b"token",
            b"port",
            b"v",
            b"k",
            b"sig",
            b"seq",
            b"cas",
            b"salt",
            b"want",
            b"scrape",
        ]
    ),
    WORDS | st.lists(WORDS, max_size=3),
    max_size=6,
)


@given(st.binary(max_size=8), WORDS, SAID, st.binary(max_size=60))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_answered_once_or_not_and_never_with_four_times_as_many(
    tid: bytes, name: Any, said: Any, noise: bytes
) -> None:
    machine = peer()
    dice = Random(3)
    for number in range(40):
        machine.table.seen(Contact(dice.getrandbits(160), (f"10.2.0.{number + 1}", 9)))
    data = bencode.encode({b"t": tid, b"y": b"q", b"q": name, b"a": said})
    for datagram in (data, noise, data[: len(noise)], data + noise):
        answers = tell(machine, datagram)
        assert len(answers) <= 1
        assert sum(map(len, answers)) <= 4 * len(datagram)
