"""Who gives way in a store that is full: whoever has most, and never who has little."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from horoi.base.ids import key_of
from horoi.base.sources import OWN, Source, source_of
from horoi.lookup.common.providers import MAX_PER_KEY, ProviderStore
from horoi.lookup.common.shares import Shares, crowding
from horoi.lookup.common.values import ValueStore
from horoi.lookup.vocabulary import Contact

FLOOD = source_of(("10.1.1.1", 1))
NEIGHBOUR = source_of(("10.1.9.9", 1))  # of the flood's network group
STRANGER = source_of(("10.2.1.1", 1))


def keys(store: ValueStore, source: Source, now: float = 0.0) -> list[int]:
    return [key for key, kept in store.items(now) if kept.source == source]


def filled(limit: int = 20) -> ValueStore:
    store = ValueStore(160, limit=limit)
    for key in range(limit):
        assert store.put(key, b"x", 100.0, 0.0, FLOOD) is None
    return store


def test_a_full_store_takes_from_who_has_most() -> None:
    store = filled()
    assert "nobody brought more" in (store.put(100, b"x", 100.0, 0.0, FLOOD) or "")
    assert store.put(101, b"x", 100.0, 0.0, STRANGER) is None
    assert store.put(102, b"x", 100.0, 0.0, NEIGHBOUR) is None
    assert store.put(103, b"x", 100.0, 0.0) is None
    assert keys(store, FLOOD) == list(range(3, 20))  # the oldest gave way
    assert (keys(store, STRANGER), keys(store, NEIGHBOUR), keys(store, OWN)) == ([101], [102], [103])


def test_a_flood_takes_nothing_from_who_has_little() -> None:
    store = ValueStore(160, limit=20)
    for key in (100, 101, 102):
        store.put(key, b"x", 100.0, 0.0, NEIGHBOUR)
    for key in (200, 201, 202):
        store.put(key, b"x", 100.0, 0.0, STRANGER)
    for key in range(1000, 2000):
        flooding = source_of((f"10.1.2.{key % 4}", key))
        store.put(key, b"x", 100.0, 0.0, flooding)
    assert len(store) == 20
    assert keys(store, NEIGHBOUR) == [100, 101, 102]
    assert keys(store, STRANGER) == [200, 201, 202]


def test_two_networks_come_to_have_as_much() -> None:
    store = filled()
    kept = [store.put(key, b"x", 100.0, 0.0, STRANGER) is None for key in range(100, 130)]
    assert sum(kept) == 10
    assert len(keys(store, FLOOD)) == len(keys(store, STRANGER)) == 10


def test_where_all_have_one_the_newcomer_is_refused() -> None:
    store = ValueStore(160, limit=3)
    for n in range(3):
        store.put(n, b"x", 100.0, 0.0, Source(n, n))
    assert store.put(9, b"x", 100.0, 0.0, Source(9, 9)) is not None
    assert len(store) == 3


def test_nobody_takes_over_what_others_brought() -> None:
    store = ValueStore(160, limit=20)
    store.put(100, b"x", 100.0, 0.0, STRANGER)
    for key in range(19):
        store.put(key, b"x", 100.0, 0.0, FLOOD)
    store.put(100, b"x", 100.0, 0.0, FLOOD)  # says it again, so that it would count for the flood
    store.put(50, b"x", 100.0, 0.0, OWN)
    store.put(100, b"x", 100.0, 0.0, FLOOD)
    assert keys(store, STRANGER) == [100]
    store.put(5, b"x", 100.0, 0.0, OWN)  # who has less saves what the flood brought
    assert keys(store, OWN) == [50, 5]


def test_what_expires_makes_room_and_is_counted() -> None:
    store = filled()
    store.put(100, b"x", 500.0, 0.0, STRANGER)
    assert all(store.put(key, b"x", 100.0, 101.0, FLOOD) is None for key in range(1000, 1019))
    assert len(store) == 20
    assert store.put(2000, b"x", 100.0, 102.0, FLOOD) is not None
    assert store.put(2001, b"x", 100.0, 102.0, NEIGHBOUR) is None
    store.discard(2001)
    assert store.put(2002, b"x", 100.0, 102.0, NEIGHBOUR) is None
    assert len(store) == 20


def test_a_refused_value_pushes_nothing_out() -> None:
    store = filled()
    assert store.put(100, bytes(5000), 100.0, 0.0, STRANGER) is not None
    assert store.put(100, b"x", 0.0, 0.0, STRANGER) is not None
    own = key_of(b"deed", 160)
    store.put(own, b"deed", 100.0, 0.0, STRANGER)
    assert store.put(own, b"forged", 100.0, 0.0, NEIGHBOUR) is not None
    assert len(keys(store, FLOOD)) == 19


# Providers


def test_made_up_providers_count_for_who_brings_them() -> None:
    store = ProviderStore(limit=20)
    assert store.add(1, Contact(1, ("10.2.1.1", 1)), 0.0) is None
    refused = [
        store.add(key, Contact(key, (f"{key}.7.7.7", 1)), 0.0, source=FLOOD) is not None for key in range(2, 100)
    ]
    assert sum(refused) == 98 - 19
    assert store.add(200, Contact(5, ("10.3.1.1", 1)), 0.0) is None
    assert store.get(1, 0.0) != ()


def test_one_network_cannot_wash_a_key_out() -> None:
    store = ProviderStore()
    honest = [Contact(n, (f"10.{n}.0.1", 1)) for n in range(2, 7)]
    for provider in honest:
        store.add(7, provider, 0.0)
    for n in range(3 * MAX_PER_KEY):
        store.add(7, Contact(1000 + n, (f"10.1.{n // 250}.{n % 250}", 1)), 1.0)
    found = store.get(7, 1.0, 1000)
    assert len(found) == MAX_PER_KEY
    assert [provider for provider in reversed(found) if provider in honest] == honest


# Shares


sources = st.builds(lambda group, host: Source(f"{group}.{host}", group), st.integers(0, 2), st.integers(0, 2))


@given(st.lists(st.tuples(st.integers(0, 40), sources), max_size=120))
def test_shares_are_what_counting_gives(steps: list[tuple[int, Source]]) -> None:
    """Things come and go; who loses is found by counting all of them again."""
    shares: Shares[int] = Shares([])
    held: dict[int, Source] = {}
    for name, source in steps:
        if name in held:
            shares.drop(name, held.pop(name))
        else:
            shares.add(name, source)
            held[name] = source
        groups, hosts = Counter(s.group for s in held.values()), Counter(held.values())
        for newcomer in (Source("0.0", 0), Source("9.9", 9)):
            loser = shares.loser(newcomer)
            counted = groups[newcomer.group] + 1
            if loser is None:
                assert counted >= max(groups.values(), default=0)
                assert hosts[newcomer] + 1 >= max((hosts[s] for s in hosts if s.group == newcomer.group), default=0)
                continue
            of = held[loser]
            assert groups[of.group] == max(groups.values()) or of.group == newcomer.group
            assert groups[of.group] + (of.group == newcomer.group) >= counted
            assert hosts[of] == max(hosts[s] for s in hosts if s.group == of.group)
            assert loser == next(name for name, source in held.items() if source == of)


@given(st.lists(sources, max_size=30), sources)
def test_on_a_full_key_the_group_that_has_most_gives_way(words: list[Source], newcomer: Source) -> None:
    loser = crowding(enumerate(words), newcomer)
    if not words:
        assert loser is None
        return
    assert loser is not None
    groups = Counter(source.group for source in words)
    most = max(groups.values())
    own = groups[newcomer.group] + 1
    if own < most:
        assert groups[words[loser].group] == most
        assert words[loser].group != newcomer.group
    elif own > 1:
        assert words[loser].group == newcomer.group
