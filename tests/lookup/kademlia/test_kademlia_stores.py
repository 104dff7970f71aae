"""What a peer keeps for others: items by the rules of BEP 44 and of the own wire, and peers of swarms."""

from __future__ import annotations

from random import Random

import pytest

from horoi.base.ids import key_of
from horoi.base.sources import source_of
from horoi.lookup.kademlia import bencode
from horoi.lookup.kademlia.items import MAINLINE_TTL_S, ItemStore
from horoi.lookup.kademlia.messages import (
    BAD_SIGNATURE,
    CAS_MISMATCH,
    GENERIC,
    PROTOCOL,
    SALT_TOO_BIG,
    SEQ_TOO_LOW,
    SERVER,
    TOO_BIG,
    Item,
    Signed,
)
from horoi.lookup.kademlia.peers import MAX_PER_HOST, PeerStore
from horoi.lookup.kademlia.signing import immutable_target, mutable_target, public_key_of, sign
from horoi.lookup.vocabulary import PROVIDER_TTL_S, Contact

SECRET = bytes(range(32))
OWNER = public_key_of(SECRET)


def signed(value: bytes, seq: int, salt: bytes = b"") -> Item:
    return Item(value, Signed(OWNER, seq, sign(SECRET, value, seq, salt), salt))


def mainline() -> ItemStore:
    return ItemStore(160, mainline=True)


def code(wrong: object) -> object:
    return wrong and wrong[0]  # type: ignore[index]


def test_immutable_items_prove_themselves() -> None:
    store = mainline()
    value = bencode.encode(b"x")
    assert store.put(immutable_target(value), Item(value), 0.0) is None
    assert code(store.put(5, Item(value), 0.0)) == PROTOCOL
    big = bencode.encode(bytes(997))
    assert len(big) == 1001
    assert code(store.put(immutable_target(big), Item(big), 0.0)) == TOO_BIG
    just = bencode.encode(bytes(996))
    assert store.put(immutable_target(just), Item(just), 0.0) is None


def test_mutable_items_only_move_forward() -> None:
    store = mainline()
    key = mutable_target(OWNER)
    assert store.put(key, signed(b"1:a", 5), 0.0) is None
    assert store.put(key, signed(b"1:a", 5), 60.0) is None  # the same again lives on
    assert code(store.put(key, signed(b"1:b", 5), 60.0)) == SEQ_TOO_LOW
    assert code(store.put(key, signed(b"1:b", 4), 60.0)) == SEQ_TOO_LOW
    assert code(store.put(key, signed(b"1:b", 6), 60.0, cas=4)) == CAS_MISMATCH
    assert store.put(key, signed(b"1:b", 6), 60.0, cas=5) is None
    kept = store.get(key, 60.0)
    assert kept is not None
    assert kept.item.value == b"1:b"
    assert store.get(key, 60.0 + MAINLINE_TTL_S) is None


def test_signatures_and_salts_are_checked() -> None:
    store = mainline()
    good = signed(b"1:a", 1, b"s")
    assert good.signed is not None
    assert code(store.put(mutable_target(OWNER, b"s"), Item(b"1:b", good.signed), 0.0)) == BAD_SIGNATURE
    assert code(store.put(mutable_target(OWNER, b"t"), good, 0.0)) == PROTOCOL
    long = signed(b"1:a", 1, bytes(65))
    assert code(store.put(mutable_target(OWNER, bytes(65)), long, 0.0)) == SALT_TOO_BIG
    assert len(store) == 0


def test_the_own_wire_takes_any_key_and_protects_hashes() -> None:
    store = ItemStore(160, mainline=False)
    assert store.put(7, Item(b"first", None, 100.0), 0.0) is None
    assert store.put(7, Item(b"second", None, 10.0), 0.0) is None
    kept = store.get(7, 9.0)
    assert kept is not None
    assert kept.item.value == b"second"
    assert store.get(7, 10.0) is None
    own = key_of(b"document", 160)
    assert store.put(own, Item(b"document", None, 100.0), 0.0) is None
    assert code(store.put(own, Item(b"forgery", None, 100.0), 0.0)) == GENERIC
    assert code(store.put(8, Item(b"x", None, 0.0), 0.0)) == PROTOCOL


def test_copies_never_replace_younger_values() -> None:
    store = ItemStore(160, mainline=False)
    store.put(7, Item(b"new", None, 100.0), 0.0)
    assert store.put(7, Item(b"old", None, 50.0), 0.0, copy=True) is None
    kept = store.get(7, 0.0)
    assert kept is not None
    assert kept.item.value == b"new"
    store.put(7, Item(b"new", None, 10.0), 0.0, copy=True)
    assert store.get(7, 50.0) is not None


def test_items_are_bounded_and_the_expired_make_room() -> None:
    store = ItemStore(160, mainline=False, limit=3)
    for key in range(3):
        store.put(key, Item(b"x", None, 10.0), 0.0)
    assert code(store.put(3, Item(b"x", None, 10.0), 5.0)) == SERVER
    assert store.put(3, Item(b"x", None, 10.0), 11.0) is None
    assert len(store) == 1


def test_one_address_that_fills_the_store_silences_nobody() -> None:
    store = ItemStore(160, mainline=False, limit=100)
    flood, other = source_of(("10.1.1.1", 1)), source_of(("10.2.1.1", 1))
    for key in range(100):
        assert store.put(key, Item(b"x", None, 1000.0), 0.0, source=flood) is None
    assert code(store.put(500, Item(b"x", None, 1000.0), 0.0, source=flood)) == SERVER
    for key in range(1000, 1040):
        assert store.put(key, Item(b"y", None, 1000.0), 0.0, source=other) is None
    for key in range(2000, 3000):
        store.put(key, Item(b"x", None, 1000.0), 1.0, source=source_of(("10.1.1.1", key)))
    assert len(store) == 100
    assert all(store.get(key, 1.0) is not None for key in range(1000, 1040))


def test_signed_items_that_move_forward_count_once() -> None:
    store = ItemStore(160, mainline=True, limit=2)
    flood, other = source_of(("10.1.1.1", 1)), source_of(("10.2.1.1", 1))
    value = bencode.encode(b"x")
    store.put(immutable_target(value), Item(value), 0.0, source=flood)
    for seq in range(5):
        assert store.put(mutable_target(OWNER), signed(b"1:a", seq), 0.0, source=flood) is None
    more = bencode.encode(b"y")
    assert store.put(immutable_target(more), Item(more), 0.0, source=other) is None
    assert store.get(immutable_target(value), 0.0) is None  # the flood's first
    assert store.get(mutable_target(OWNER), 0.0) is not None


def test_copies_count_for_who_brought_them_first() -> None:
    store = ItemStore(160, mainline=False, limit=3)
    flood, keeper, other = (source_of((f"10.{n}.1.1", 1)) for n in (1, 2, 3))
    for key in range(2):
        store.put(key, Item(b"x", None, 100.0), 0.0, source=flood)
    store.put(9, Item(b"x", None, 100.0), 0.0, source=keeper)
    store.put(10, Item(b"x", None, 100.0), 0.0, source=other)  # the flood's 0 gave way
    for key in (1, 9):  # a keeper republishes everything, the flood's too
        store.put(key, Item(b"x", None, 100.0), 1.0, source=keeper, copy=True)
    store.put(2, Item(b"x", None, 100.0), 1.0, source=flood)
    assert [key for key, _ in store.items(1.0)] == [10, 1, 9]


def peer(number: int, port: int = 1) -> Contact:
    return Contact(number, (f"10.0.{number // 250}.{number % 250}", port))


def test_peers_are_kept_by_address_and_expire() -> None:
    store = PeerStore(Random(1))
    store.add(1, peer(1), is_seed=False, now=0.0)
    store.add(1, peer(2), is_seed=True, now=0.0)
    store.add(1, peer(1), is_seed=False, now=100.0)
    assert {c.id for c in store.get(1, 100.0, 10)} == {1, 2}
    assert [c.id for c in store.get(1, 100.0, 10, no_seeds=True)] == [1]
    assert [c.id for c in store.get(1, PROVIDER_TTL_S + 1, 10)] == [1]
    assert store.expire(PROVIDER_TTL_S + 200) == 1
    assert len(store) == 0


def test_one_host_cannot_fill_a_swarm() -> None:
    store = PeerStore(Random(1))
    store.add(1, peer(2), is_seed=False, now=0.0)
    for port in range(1, 100):
        store.add(1, peer(1, port), is_seed=False, now=0.0)
    found = store.get(1, 0.0, 1000)
    assert len(found) == MAX_PER_HOST + 1
    assert peer(2) in found


def test_large_swarms_are_bounded_and_sampled() -> None:
    store = PeerStore(Random(1))
    for number in range(2000):
        store.add(1, peer(number), is_seed=number % 2 == 0, now=0.0)
    assert len(store.get(1, 0.0, 10_000)) == 500
    assert store.get(1, 0.0, 10) != store.get(1, 0.0, 10)
    for key in range(100):
        store.add(key, peer(1), is_seed=False, now=0.0)
    assert len(store.sample()) == 20


def test_one_network_cannot_wash_a_swarm_out_nor_fill_the_store() -> None:
    store = PeerStore(Random(1), limit=1000)
    for number in range(20):
        assert store.add(1, Contact(number, (f"10.{number}.0.1", 1)), is_seed=False, now=0.0)
    for number in range(2000):
        store.add(1, Contact(number, (f"99.9.{number // 250}.{number % 250}", 1)), is_seed=False, now=1.0)
        store.add(number + 100, Contact(number, ("99.9.9.9", 1)), is_seed=False, now=1.0)
    found = store.get(1, 1.0, 1000)
    assert sum(contact.address[0].startswith("10.") for contact in found) == 20
    assert store.add(5000, Contact(5, ("10.99.0.1", 1)), is_seed=False, now=1.0)
    assert store.get(5000, 1.0, 10) != ()


def test_filters_count_seeds_and_others() -> None:
    from horoi.lookup.kademlia.bloom import estimate

    store = PeerStore(Random(1))
    for number in range(30):
        store.add(1, peer(number), is_seed=number < 10, now=0.0)
    blooms = store.blooms(1, 0.0)
    assert estimate(blooms.seeds) == pytest.approx(10, abs=1)
    assert estimate(blooms.peers) == pytest.approx(20, abs=1)


def test_peers_of_all_keys_together_are_bounded() -> None:
    store = PeerStore(Random(1), limit=4)
    for number in range(4):
        assert store.add(number, Contact(0, (f"10.0.0.{number}", 1)), is_seed=False, now=0.0)
    assert not store.add(9, Contact(0, ("10.0.0.9", 1)), is_seed=False, now=1.0)
    assert store.add(3, Contact(0, ("10.0.0.3", 1)), is_seed=True, now=1700.0)  # who is known may say so again
    assert store.add(9, Contact(0, ("10.0.0.9", 1)), is_seed=False, now=1900.0)  # three have expired
    assert [len(store.get(key, 1900.0, 10)) for key in (0, 3, 9)] == [0, 1, 1]
