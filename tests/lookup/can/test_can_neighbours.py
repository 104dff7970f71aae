"""Who enters the coordinate routing table, and who does not."""

from __future__ import annotations

import random
from typing import Any

import pytest

from horoi.lookup.can.hotspots import MAX_CACHED, HotSpots
from horoi.lookup.can.messages import MAX_AROUND, MAX_DATAGRAM_BYTES, MAX_ZONES, Claim, fitting
from horoi.lookup.can.neighbours import MAX_NEIGHBOURS, MAX_RIVALS, RIVAL_S, Neighbours
from horoi.lookup.can.takeover import MAX_TAKEOVERS, MAX_TIMER, Failure, Takeovers, gives_way, timer_s
from horoi.lookup.can.zone import Space
from horoi.lookup.vocabulary import Contact

OWN = (4,)  # the lower left quarter; 5, 6 abut it, 7 touches a corner


def claim(name: int, *zones: int, version: int = 1) -> Claim:
    return Claim(Contact(name, name), zones, version)


@pytest.fixture
def table() -> Neighbours:
    return Neighbours(Space(2, 32))


def take(table: Neighbours, what: Claim, now: float = 0.0, max_peers: int = 1) -> Any:
    return table.take(what, OWN, max_peers, now)


def test_who_abuts_is_a_neighbour_and_who_does_not_is_none(table: Neighbours) -> None:
    assert take(table, claim(1, 5)) == []
    assert take(table, claim(2, 7)) == []
    assert [n.contact.address for n in table] == [1]


def test_a_zone_of_a_neighbour_is_not_believed_of_another(table: Neighbours) -> None:
    take(table, claim(1, 5))
    (conflict,) = take(table, claim(2, 10))
    assert conflict.zone == 10
    assert conflict.holder is table.get(1)
    assert table.get(2) is None
    assert table.rivals(1.0) == [claim(2, 10)]
    table.remove(1)
    assert take(table, claim(2, 10)) == []
    assert table.rivals(1.0) == []


def test_a_rival_is_forgotten(table: Neighbours) -> None:
    take(table, claim(1, 5))
    take(table, claim(2, 5))
    assert table.rivals(RIVAL_S + 1) == []


def test_our_own_zone_is_never_believed_of_another(table: Neighbours) -> None:
    (conflict,) = take(table, claim(1, 9))
    assert conflict.holder is None
    assert len(table) == 0


def test_a_claim_that_contradicts_itself_counts_once(table: Neighbours) -> None:
    assert take(table, claim(1, 5, 10, 11)) == []
    neighbour = table.get(1)
    assert neighbour is not None
    assert neighbour.zones == (5,)


def test_an_old_claim_changes_nothing(table: Neighbours) -> None:
    take(table, claim(1, 5, version=2))
    take(table, claim(1, 6, version=1))
    neighbour = table.get(1)
    assert neighbour is not None
    assert neighbour.zones == (5,)
    take(table, claim(1, version=3))
    assert table.get(1) is None


def test_peers_of_one_zone_are_spares_where_zones_are_overloaded(table: Neighbours) -> None:
    take(table, claim(1, 5), max_peers=3)
    assert take(table, claim(2, 5), max_peers=3) == []
    take(table, claim(3, 5), max_peers=3)
    take(table, claim(4, 5), max_peers=3)
    neighbour = table.get(1)
    assert neighbour is not None
    assert [spare.address for spare in neighbour.spares] == [3, 4]


def test_the_table_is_bounded() -> None:
    table = Neighbours(Space(2, 32))
    own = (2,)
    for name in range(2000):
        table.take(claim(name, (0b11 << 16) | name), own, 1, 0.0)
        table.take(claim(name + 5000, (0b11 << 16) | name), own, 1, 0.0)
    assert len(table) <= MAX_NEIGHBOURS
    assert len(table.rivals(0.0)) <= MAX_RIVALS


def test_a_list_of_neighbours_fits_a_datagram() -> None:
    wide = [Claim(Contact(name, ("2001:db8::1", 9)), tuple(range(64, 64 + MAX_ZONES)), 1) for name in range(100)]
    narrow = [claim(name, 5) for name in range(100)]
    assert 1 <= len(fitting(wide)) * (58 + 9 * MAX_ZONES) < MAX_DATAGRAM_BYTES
    assert len(fitting(narrow)) <= MAX_AROUND


# Takeover


def test_the_timer_grows_with_the_volume() -> None:
    dice = random.Random(1)
    small = max(timer_s(1 / 64, 1 / 16, 1.0, dice) for _ in range(50))
    large = min(timer_s(1 / 4, 1 / 16, 1.0, dice) for _ in range(50))
    assert small < 1.1
    assert large >= 4.0
    assert timer_s(1.0, 2**-40, 1.0, dice) <= MAX_TIMER + 1


def test_the_smaller_heir_is_the_better_and_of_equals_one() -> None:
    a, b = Contact(1, 1), Contact(2, 2)
    assert gives_way(0.5, a, 0.25, b)
    assert not gives_way(0.25, a, 0.5, b)
    assert gives_way(0.5, b, 0.5, a) != gives_way(0.5, a, 0.5, b)


def test_failures_are_bounded_and_counted_once() -> None:
    takeovers = Takeovers()
    for name in range(2 * MAX_TAKEOVERS):
        takeovers.add(Failure(name, Contact(name, name), (5,), ()))
    assert len(takeovers) == MAX_TAKEOVERS
    assert not takeovers.add(Failure(0, Contact(0, 0), (5,), ()))


def test_less_than_half_reachable_is_risky() -> None:
    failure = Failure(9, Contact(9, 9), (5,), (claim(1, 4), claim(2, 6), claim(3, 7)))
    takeovers = Takeovers()
    takeovers.add(failure)
    takeovers.heard(1, b"")
    assert failure.is_risky()
    takeovers.heard(2, b"")
    takeovers.heard(77, b"")
    assert not failure.is_risky()


# Hot spots


def test_the_cache_forgets_the_oldest_and_what_has_expired() -> None:
    spots = HotSpots()
    for key in range(MAX_CACHED + 5):
        spots.remember(key, [key, 1000 + key], b"v", 10.0)
    assert len(spots) == MAX_CACHED
    assert spots.get(0, 1.0) is None
    assert not spots.has_routed(1000, 1.0)
    assert spots.has_routed(1000 + MAX_CACHED, 1.0)
    assert spots.get(MAX_CACHED, 11.0) is None


def test_a_key_becomes_hot_once_per_window() -> None:
    spots = HotSpots()
    hot = [spots.is_hot(7, 0.001 * i, 2.0) for i in range(100)]
    assert sum(hot) == 1
    assert hot[20]
    assert not spots.is_hot(7, 60.0, 2.0)
