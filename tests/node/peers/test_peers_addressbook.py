"""The address book: what an attacker can take of it, test before evict, restarts."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.codec import encode
from horoi.base.errors import DecodeError
from horoi.node.peers.addressbook import (
    BUCKET_SIZE,
    HORIZON_S,
    MAX_COLLISIONS,
    NEW_BUCKETS,
    NEW_BUCKETS_PER_SOURCE,
    PROVEN_S,
    TRIED_BUCKETS,
    TRIED_BUCKETS_PER_GROUP,
    AddressBook,
    SavedBook,
    SavedEntry,
)
from horoi.node.peers.addresses import group_of

DAY_S = 86_400.0
NOW = 1_000_000_000.0
ATTACKER = "66.66.0.1:6666"


def public_address(dice: random.Random, group: int | None = None) -> str:
    group = dice.randrange(256 * 200) if group is None else group
    return f"{20 + group // 256 % 70}.{group % 256}.{dice.randrange(256)}.{dice.randrange(1, 255)}:9000"


def new_book(seed: int = 1) -> AddressBook:
    return AddressBook(random.Random(seed))


def check(book: AddressBook) -> None:
    """Every entry stands where its tables say, and the other way round."""
    places = sum(len(entry.places) for entry in book._entries.values())
    assert places == len(book.tried) + len(book.new)
    for name, entry in book._entries.items():
        assert entry.places, f"{name} stands nowhere"
        assert entry.address == name
        table = book.tried if entry.tried else book.new
        assert all(table.get(place) is entry for place in entry.places)
        assert not entry.tried or len(entry.places) == 1
    assert len(book._collisions) <= MAX_COLLISIONS


def test_one_network_and_one_source_get_one_bucket_of_new() -> None:
    book = new_book()
    for third in range(256):
        for fourth in range(0, 256, 8):
            book.add(f"66.66.{third}.{fourth}:9000", ATTACKER, NOW)
    assert len(list(book.new.filled_buckets())) == 1
    assert len(book) <= BUCKET_SIZE  # of 65 536 places: 0.1 %
    check(book)


def test_one_source_gets_64_buckets_of_new_whatever_it_tells() -> None:
    book, dice = new_book(), random.Random(2)
    for _ in range(30_000):
        book.add(public_address(dice), ATTACKER, NOW)
    buckets = len(list(book.new.filled_buckets()))
    assert 40 < buckets <= NEW_BUCKETS_PER_SOURCE
    assert buckets / NEW_BUCKETS <= 0.0625
    check(book)


def test_one_network_gets_8_buckets_of_tried_however_it_is_told_of() -> None:
    book, dice = new_book(), random.Random(3)
    for number in range(20_000):
        address = f"66.66.{number % 256}.{number // 256}:9000"
        book.add(address, public_address(dice), NOW + number)
        book.good(address, NOW + number)
        if number % 10 == 0:
            book.resolve_collisions(NOW + number)
    buckets = len(list(book.tried.filled_buckets()))
    assert 4 <= buckets <= TRIED_BUCKETS_PER_GROUP
    assert len(book.tried) <= TRIED_BUCKETS_PER_GROUP * BUCKET_SIZE
    assert buckets / TRIED_BUCKETS < 0.032
    check(book)


def test_host_names_are_one_group_because_they_cost_nothing() -> None:
    book = new_book()
    for number in range(2000):
        book.add(f"n{number}.evil{number % 99}.example:9000", ATTACKER, NOW)
    assert len(list(book.new.filled_buckets())) == 1


def test_picks_are_seldom_the_attackers_in_a_book_that_he_flooded() -> None:
    book, dice = new_book(), random.Random(4)
    honest = {}
    for source in range(50):
        teller = public_address(dice, 1000 + source)
        for _ in range(20):
            address = public_address(dice)
            honest[address] = None
            book.add(address, teller, NOW)
    for address in list(honest)[:200]:
        book.good(address, NOW)
    for _ in range(20_000):
        book.add(public_address(dice), ATTACKER, NOW + DAY_S)
    picks = [book.pick(NOW + DAY_S) for _ in range(4000)]
    share = sum(address not in honest for address in picks) / len(picks)
    # New: 64 of 525 filled buckets; tried: none; a coin between the two: 6 %. He told 20 times as many as the others.
    assert 0.005 < share < 0.08


def test_an_older_address_stands_in_new_until_it_is_terrible() -> None:
    book = new_book()
    honest = [f"66.66.0.{number}:9000" for number in range(1, 100)]
    kept = [address for address in honest if book.add(address, ATTACKER, NOW)]  # they share one bucket with what comes
    for number in range(2000):
        book.add(f"66.66.{number % 250}.{number // 250}:7", ATTACKER, NOW + 1)
    assert all(address in book for address in kept)
    for _ in range(3):
        book.attempt(kept[0], NOW + 2)
    for number in range(2000):
        book.add(f"66.66.{number % 250}.{number // 250}:8", ATTACKER, NOW + 100)
    assert [address for address in kept if address not in book] == [kept[0]]
    check(book)


def test_picks_prefer_nothing_fresh() -> None:
    book, dice = new_book(), random.Random(5)
    old = [public_address(dice) for _ in range(100)]
    fresh = [public_address(dice) for _ in range(100)]
    for number, address in enumerate(old + fresh):
        book.add(address, public_address(dice), NOW + number * 1000)
    picks = Counter(book.pick(NOW + 200_000) in old for _ in range(4000))
    assert 0.4 < picks[True] / 4000 < 0.6


def test_strangers_cannot_make_us_dial_our_own_intranet() -> None:
    book = new_book()
    assert not book.add("10.0.0.5:22", ATTACKER, NOW)
    assert not book.add("printer:9100", ATTACKER, NOW)
    assert not book.add("127.0.0.1:8080", "evil.example:1", NOW)
    assert book.add("10.0.0.5:9000", "10.0.0.7:50123", NOW)
    assert book.add("127.0.0.1:9001", "127.0.0.1:50123", NOW)


@pytest.mark.parametrize("pattern", ["127.0.0.1:{}", "node{}:9000", "10.0.0.{}:9000"])
def test_local_networks_of_tens_of_nodes_fit(pattern: str) -> None:
    book = new_book()
    addresses = [pattern.format(number + 1) for number in range(60)]
    for address in addresses:
        book.add(address, "127.0.0.1:50000", NOW)
    assert len(book) >= 59  # one bucket for all of them, as for a public network, would have kept some 39
    for address in addresses:
        book.good(address, NOW)
    assert len(book.tried) + len(book._collisions) == len(book)


def test_malformed_addresses_are_not_kept() -> None:
    book = new_book()
    for address in ["", "host", "host:0", "1.2.3.4:99999", "x" * 500 + ":1", "0.0.0.0:1"]:
        assert not book.add(address, ATTACKER, NOW)
    assert len(book) == 0
    assert book.pick(NOW) is None
    assert book.sample(NOW, 10, local=True) == ()


def colliding(book: AddressBook) -> tuple[str, str]:
    """Two addresses with the same place in tried: the first is in it, the second has answered and waits."""
    seen: dict[object, str] = {}
    dice = random.Random(6)
    while True:
        address = public_address(dice)
        if not book.add(address, public_address(dice), NOW):
            continue
        place = book._tried_place(book._entries[address])
        if place in seen:
            book.good(seen[place], NOW)
            book.good(address, NOW + 2 * PROVEN_S)
            return seen[place], address
        seen[place] = address


def test_an_address_that_answers_its_test_is_not_evicted() -> None:
    book = new_book()
    incumbent, newcomer = colliding(book)
    now = NOW + 2 * PROVEN_S
    book.resolve_collisions(now)  # nothing is known yet
    assert book.is_tried(incumbent)
    assert book.next_test() == incumbent
    book.attempt(incumbent, now + 60)
    book.good(incumbent, now + 61)
    book.resolve_collisions(now + 200)
    assert book.is_tried(incumbent)
    assert not book.is_tried(newcomer)
    assert newcomer in book
    assert book.next_test() is None
    check(book)


def test_an_address_that_fails_its_test_goes_back_to_new() -> None:
    book = new_book()
    incumbent, newcomer = colliding(book)
    now = NOW + 2 * PROVEN_S
    book.attempt(incumbent, now + 60)
    book.resolve_collisions(now + 90)  # it may still answer
    assert book.is_tried(incumbent)
    book.resolve_collisions(now + 121)
    assert book.is_tried(newcomer)
    assert not book.is_tried(incumbent)
    assert incumbent in book
    check(book)


def test_a_proven_incumbent_needs_no_test_and_an_untestable_one_gives_way() -> None:
    book = new_book()
    incumbent, newcomer = colliding(book)
    book.good(incumbent, NOW + 2 * PROVEN_S + 1)
    book.resolve_collisions(NOW + 2 * PROVEN_S + 2)
    assert book.next_test() is None
    late = NOW + 4 * PROVEN_S
    book.good(newcomer, late)
    book.resolve_collisions(late + 3600)
    assert book.is_tried(newcomer)


def test_failures_make_an_address_rare_and_then_terrible() -> None:
    book, dice = new_book(), random.Random(7)
    addresses = [public_address(dice) for _ in range(20)]
    for address in addresses:
        book.add(address, public_address(dice), NOW)
    dead = addresses[0]
    for _ in range(5):
        book.attempt(dead, NOW)
    later = NOW + 3600
    picks = Counter(book.pick(later) for _ in range(3000))
    assert picks[dead] < picks[addresses[1]] / 2
    assert dead not in book.sample(later, 100, local=False)
    assert addresses[1] in book.sample(later, 100, local=False)
    assert addresses[1] not in book.sample(NOW + HORIZON_S + 1, 100, local=False)


def test_pick_excludes_and_bad_forgets() -> None:
    book, dice = new_book(), random.Random(8)
    addresses = [public_address(dice) for _ in range(10)]
    for address in addresses:
        book.add(address, public_address(dice), NOW)
    free = addresses[3]
    assert {book.pick(NOW, lambda a: a != free) for _ in range(20)} == {free}
    assert book.pick(NOW, lambda _: True) is None
    for address in addresses:
        book.bad(address)
    assert len(book) == 0
    assert not book.new
    check(book)


def test_an_answer_is_a_share_of_a_large_book_and_hides_local_addresses() -> None:
    book, dice = new_book(), random.Random(9)
    for _ in range(400):
        book.add(public_address(dice), public_address(dice), NOW)
    for number in range(100):
        book.add(f"10.0.0.{number + 1}:9000", "10.0.0.1:9", NOW)
    sample = book.sample(NOW, 1000, local=False)
    assert len(sample) == int(0.23 * len(book))
    assert len(dict.fromkeys(sample)) == len(sample)
    assert all(group_of(address) != "local" for address in sample)
    assert any(group_of(address) == "local" for address in book.sample(NOW, 1000, local=True))


def test_a_book_survives_a_restart_and_goes_on_alike() -> None:
    book, dice = new_book(), random.Random(10)
    for number in range(2000):
        address = public_address(dice, number % 300)
        book.add(address, public_address(dice, number % 40), NOW + number)
        if number % 3 == 0:
            book.attempt(address, NOW + number)
        if number % 5 == 0:
            book.good(address, NOW + number)
    data = book.dump()
    twin = AddressBook.load(data, random.Random(11))
    check(twin)
    assert twin.dump() == data
    again = AddressBook.load(data, random.Random(11))
    assert [twin.pick(NOW) for _ in range(50)] == [again.pick(NOW) for _ in range(50)]


def test_a_damaged_dump_is_refused() -> None:
    book, dice = new_book(), random.Random(12)
    for _ in range(50):
        book.add(public_address(dice), public_address(dice), NOW)
    data = book.dump()
    for damaged in (b"", data[:-1], data + b"\0", data.replace(b":9000", b":900x", 1)):
        with pytest.raises(DecodeError):
            AddressBook.load(damaged, dice)
    entry = SavedEntry("1.2.3.4:1", "4:1.2", 0, 0, 0, 0, (5, 5))
    for entries in [(entry,), (SavedEntry("1.2.3.4:1", "x", 0, 0, 0, 0, ()),) * 2]:
        with pytest.raises(DecodeError, match="remove the file"):
            AddressBook.load(encode(SavedBook(bytes(32), entries)), dice)


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_book_or_refused(data: bytes) -> None:
    try:
        book = AddressBook.load(data, random.Random(1))
    except DecodeError:
        return
    assert book.dump() == data


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 5), max_size=300))
def test_the_tables_agree_whatever_happens(seed: int, doings: list[int]) -> None:
    book, dice = new_book(seed), random.Random(seed)
    known = [public_address(dice, dice.randrange(4)) for _ in range(60)]
    now = NOW
    for doing in doings:
        address = dice.choice(known)
        now += dice.choice([1.0, 100.0, 10_000.0])
        if doing <= 1:
            book.add(address, public_address(dice, dice.randrange(3)), now)
        elif doing == 2:
            book.attempt(address, now)
        elif doing == 3:
            book.good(address, now)
        elif doing == 4:
            book.bad(address)
        else:
            book.resolve_collisions(now)
            test = book.next_test()
            assert test is None or book.is_tried(test)
    check(book)
    check(AddressBook.load(book.dump(), dice))
