"""k-buckets: who is kept, who waits, who leaves, who is near."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.lookup.kademlia.table import CACHE_SIZE, ContactBook, RoutingTable
from horoi.lookup.vocabulary import Contact

BITS = 16


def contact(number: int, address: object = None) -> Contact:
    return Contact(number, address if address is not None else number + 100_000)


def table_of(own: int, k: int, ids: list[int], *, digit_bits: int = 1, bits: int = BITS) -> RoutingTable:
    table = RoutingTable(own, bits, k, digit_bits=digit_bits)
    for number in ids:
        table.seen(contact(number))
    return table


ids_of = st.lists(st.integers(0, 2**BITS - 1), unique=True, min_size=1, max_size=150)


@given(ids_of, st.integers(1, 8), st.sampled_from([1, 2, 4]), st.integers(0, 2**BITS - 1))
@settings(deadline=None)
def test_closest_is_what_a_full_scan_finds(ids: list[int], k: int, digit_bits: int, target: int) -> None:
    table = table_of(ids[0], k, ids[1:], digit_bits=digit_bits)
    known = sorted(table, key=lambda c: c.id ^ target)
    assert sorted(table.closest(target, k), key=lambda c: c.id ^ target) == known[:k]


@given(st.integers(0, 2**32), st.integers(8, 20), st.integers(1, 400))
@settings(deadline=None, max_examples=50)
def test_the_k_nearest_are_known_and_buckets_bounded(seed: int, k: int, count: int) -> None:
    """Section 2.4: whatever the order in which they come, everybody knows the k around itself."""
    own, *others = Random(seed).sample(range(2**BITS), count + 1)
    table = table_of(own, k, others)
    nearest = sorted(others, key=lambda number: number ^ own)[:k]
    assert [c.id for c in sorted(table.closest(own, k), key=lambda c: c.id ^ own)] == nearest
    for index in range(table.depth):
        deeper = sum(len(table.bucket(i)) for i in range(index + 1, table.depth))
        assert len(table.bucket(index)) <= (4 * k if deeper < k else max(k, 4 * k))


@given(ids_of, st.sampled_from([1, 2, 3, 5]))
@settings(deadline=None)
def test_every_id_has_one_bucket_and_lies_in_its_range(ids: list[int], digit_bits: int) -> None:
    table = RoutingTable(ids[0], BITS, 8, digit_bits=digit_bits)
    for number in ids[1:]:
        first, after = table.range_of(table.bucket_of(number))
        assert first <= number ^ ids[0] < after


def test_least_recently_seen_stands_first() -> None:
    table = table_of(0, 3, [0x8001, 0x8002, 0x8003])
    table.seen(contact(0x8001))
    assert [c.id for c in table.bucket(0)] == [0x8002, 0x8003, 0x8001]
    oldest = table.least_recently_seen(0)
    assert oldest is not None
    assert oldest.id == 0x8002


def far_full(k: int = 2) -> RoutingTable:
    """A table whose bucket 0 is full, and that knows enough near peers for it not to grow."""
    return table_of(0, k, [1, 2, 3, 4, 0x8001, 0x8002])


def test_old_contacts_stay_and_newcomers_wait() -> None:
    table = far_full()
    assert not table.seen(contact(0x8003))
    assert [c.id for c in table.bucket(0)] == [0x8001, 0x8002]
    assert table.failure(contact(0x8001)) == contact(0x8003)  # who waits should be asked now
    assert table.is_failing(0x8001)
    assert table.seen(contact(0x8003))
    assert [c.id for c in table.bucket(0)] == [0x8002, 0x8003]


def test_an_answer_makes_failures_forgotten() -> None:
    table = far_full()
    table.failure(contact(0x8001))
    table.seen(contact(0x8001))
    assert not table.is_failing(0x8001)
    assert not table.wants(0)


def test_who_fails_too_often_leaves() -> None:
    table = far_full()
    for _ in range(5):
        table.failure(contact(0x8001))
    assert table.get(0x8001) is None
    assert len(table) == 5


def test_who_fails_is_not_named_while_others_are_there() -> None:
    table = table_of(0, 2, [0x8001, 0x8002, 0x8003, 1, 2, 3])
    table.failure(contact(0x8001))
    assert 0x8001 not in [c.id for c in table.closest(0x8001, 2)]


def test_a_known_id_at_another_address_is_believed_only_when_the_old_one_fails() -> None:
    table = far_full()
    thief = contact(0x8001, "elsewhere")
    assert not table.seen(thief)
    assert table.get(0x8001) == contact(0x8001)
    assert table.failure(thief) is None  # and cannot throw the other out
    assert not table.is_failing(0x8001)
    table.failure(contact(0x8001))
    assert table.seen(thief)
    assert table.get(0x8001) == thief


def test_the_replacement_cache_is_bounded_and_gives_the_youngest() -> None:
    table = far_full()
    for number in range(CACHE_SIZE * 3):
        table.wait(contact(0x9000 + number))
    assert table.failure(contact(0x8001)) == contact(0x9000 + CACHE_SIZE * 3 - 1)


def test_a_table_is_never_its_own_contact() -> None:
    table = table_of(7, 2, [])
    assert not table.seen(contact(7))
    assert len(table) == 0


def test_shared_books_share_contacts_and_private_ones_reuse_numbers() -> None:
    shared = ContactBook(shared=True)
    tables = [RoutingTable(own, BITS, 4, book=shared) for own in (0, 1)]
    for table in tables:
        table.seen(contact(0x8000))
    assert len(shared.contacts) == 1
    private = ContactBook()
    table = RoutingTable(0, BITS, 4, book=private)
    for number in range(1, 1000):
        table.seen(contact(number))
        for _ in range(5):
            table.failure(contact(number))
    assert len(private.contacts) <= 2


@pytest.mark.parametrize("digit_bits", [1, 4])
def test_size_of_a_table_in_a_large_network(digit_bits: int) -> None:
    dice = Random(5)
    table = table_of(
        dice.getrandbits(160), 20, [dice.getrandbits(160) for _ in range(20_000)], digit_bits=digit_bits, bits=160
    )
    assert table.size_bytes < 1500 * digit_bits
