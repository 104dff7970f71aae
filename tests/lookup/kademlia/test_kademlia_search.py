"""The lookup, without a machine or a network around it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.lookup.kademlia.search import MAX_QUERIES_FACTOR, Search, way_to
from horoi.lookup.vocabulary import Contact


def contact(number: int) -> Contact:
    return Contact(number, number)


def known_by(peer: int, everybody: list[int], target: int, k: int, dice: Random) -> list[Contact]:
    """What a peer answers that knows k of each subtree."""
    buckets: dict[int, list[int]] = {}
    for other in everybody:
        if other != peer:
            buckets.setdefault((other ^ peer).bit_length(), []).append(other)
    known = [other for ids in buckets.values() for other in dice.sample(ids, min(k, len(ids)))]
    known.sort(key=lambda other: other ^ target)
    return [contact(other) for other in known[:k]]


def play(search: Search, everybody: list[int], target: int, k: int, dead: set[int], seed: int) -> int:
    """Answer for the peers, in random order; return the most that were under way at once."""
    dice = Random(seed)
    under_way: list[Contact] = []
    most = 0
    while True:
        under_way += search.next()
        most = max(most, len(under_way))
        assert search.waiting == len(under_way)
        if not under_way:
            return most
        one = under_way.pop(dice.randrange(len(under_way)))
        if one.id in dead:
            search.on_failure(one)
        else:
            search.on_reply(one, known_by(one.id, everybody, target, k, dice))


@given(
    st.lists(st.integers(0, 2**20 - 1), unique=True, min_size=2, max_size=120),
    st.integers(0, 2**20 - 1),
    st.integers(0, 10**6),
    st.sampled_from([1, 2]),
)
@settings(deadline=None, max_examples=60)
def test_it_finds_the_nearest_that_live_and_ends(everybody: list[int], target: int, seed: int, disjoint: int) -> None:
    k, alpha = 4, 3
    dice = Random(seed)
    own = everybody[0]
    dead = set(dice.sample(everybody[1:], len(everybody) // 10))
    search = Search(target, known_by(own, everybody, target, k, dice), own_id=own, k=k, alpha=alpha, disjoint=disjoint)
    most = play(search, everybody, target, k, dead, seed)
    found = [c.id for c in search.closest()]
    alive = sorted((peer for peer in everybody if peer not in dead and peer != own), key=lambda peer: peer ^ target)
    assert found == sorted(found, key=lambda peer: peer ^ target)
    assert not set(found) & dead
    if not dead:
        assert found == alive[:k]
    assert most <= k * disjoint
    assert search.rpcs == search.replies + search.timeouts


def test_no_peer_is_asked_twice_by_disjoint_paths() -> None:
    dice = Random(3)
    everybody = [dice.getrandbits(40) for _ in range(400)]
    target = dice.getrandbits(40)
    search = Search(
        target, [contact(p) for p in dice.sample(everybody, 8)], own_id=everybody[0], k=8, alpha=3, disjoint=4
    )
    asked: list[int] = []
    under_way: list[Contact] = []
    while True:
        chosen = search.next()
        asked += [c.id for c in chosen]
        under_way += chosen
        if not under_way:
            break
        one = under_way.pop(0)
        search.on_reply(one, known_by(one.id, everybody, target, 8, dice))
    assert len(asked) == len(set(asked))
    assert everybody[0] not in asked
    assert search.closest()[0].id == min((p for p in everybody[1:]), key=lambda p: p ^ target)


def test_liars_cannot_make_it_last() -> None:
    """A liar names ever nearer peers that do not exist."""
    dice = Random(1)
    search = Search(0, [contact(2**100)], own_id=1, k=4, alpha=3)
    asked = 0
    while chosen := search.next():
        for one in chosen:
            asked += 1
            search.on_reply(one, [contact(one.id - 1 - dice.randrange(1000)) for _ in range(4)])
    assert asked <= MAX_QUERIES_FACTOR * 4 + 4


def test_answers_that_were_not_asked_for_change_nothing() -> None:
    search = Search(0, [contact(8)], own_id=1, k=2, alpha=1)
    assert search.next() == [contact(8)]
    search.on_reply(contact(9), [contact(2)])
    search.on_failure(contact(10))
    assert search.waiting == 1
    search.on_reply(contact(8), [contact(4), contact(1)])
    search.on_reply(contact(8), [contact(3)])
    assert search.next() == [contact(4)]
    assert search.waiting == 1


def test_the_way_to_a_peer_is_who_named_it() -> None:
    search = Search(0, [contact(64)], own_id=1, k=2, alpha=1)
    for step, named in ((64, 32), (32, 16), (16, 16)):
        assert search.next() == [contact(step)]
        search.on_reply(contact(step), [contact(named)])
    nearest = search.candidates()[0]
    assert nearest.hops == 3
    assert way_to(nearest) == (contact(64), contact(32), contact(16))


def test_the_nearest_may_be_asked_alone_first() -> None:
    for on_first in ("on_reply", "on_failure"):
        contacts = [Contact(number, number) for number in range(1, 7)]
        search = Search(0, contacts, own_id=99, k=6, alpha=3, first=1)
        (first,) = search.next()
        assert first.id == 1
        assert search.next() == []
        if on_first == "on_reply":
            search.on_reply(first, [])
        else:
            search.on_failure(first)
        assert [contact.id for contact in search.next()] == [2, 3, 4]


def test_one_is_asked_at_a_time_while_answers_lead_nearer() -> None:
    search = Search(0, [contact(number) for number in (8, 9)], own_id=99, k=6, alpha=3, first=1)
    for nearest, named in ((8, [4, 5]), (4, [2, 3])):
        (asked,) = search.next()
        assert asked.id == nearest
        assert search.next() == []
        search.on_reply(asked, [contact(number) for number in named])
    (asked,) = search.next()
    search.on_failure(asked)
    assert [found.id for found in search.next()] == [3, 5, 9]


@pytest.mark.parametrize("on_first", ["on_reply", "on_failure"])
def test_what_else_is_known_is_looked_up_when_the_first_came_back(on_first: str) -> None:
    looked_up: list[int] = []

    def later() -> list[Contact]:
        looked_up.append(1)
        return [contact(number) for number in (1, 2, 3, 4)]

    search = Search(0, [contact(1)], own_id=99, k=6, alpha=2, first=1, later=later)
    (first,) = search.next()
    assert search.next() == []
    assert not looked_up
    if on_first == "on_reply":
        search.on_reply(first, [contact(3), contact(99)])
    else:
        search.on_failure(first)
    assert [found.id for found in search.next()] == [2, 3]
    assert looked_up == [1]


def test_who_is_named_twice_in_an_answer_is_one_candidate() -> None:
    search = Search(0, [Contact(9, "a")], own_id=99, k=6, alpha=3)
    (first,) = search.next()
    search.on_reply(first, [Contact(3, "b"), Contact(3, "c"), Contact(9, "d"), Contact(99, "e")])
    assert [contact.id for contact in search.next()] == [3]
