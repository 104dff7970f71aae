"""The leaf set against its definition: the L/2 next peers on each side."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.ids import clockwise
from horoi.lookup.pastry.leaf_set import LeafSet
from horoi.lookup.vocabulary import Contact

BITS = 8
ids = st.integers(0, 255)


def set_of(me: int, others: list[int], size: int) -> LeafSet:
    leaves = LeafSet(me, BITS, size)
    for other in others:
        leaves.add(Contact(other, other))
    return leaves


@settings(deadline=None)
@given(ids, st.lists(ids, unique=True, max_size=40), st.sampled_from([2, 4, 8]))
def test_each_side_holds_the_next_peers_nearest_first(me: int, others: list[int], size: int) -> None:
    leaves = set_of(me, others, size)
    rest = [other for other in others if other != me]
    up = sorted(rest, key=lambda other: clockwise(me, other, BITS))[: size // 2]
    down = sorted(rest, key=lambda other: clockwise(other, me, BITS))[: size // 2]
    assert [contact.id for contact in leaves.larger] == up
    assert [contact.id for contact in leaves.smaller] == down
    assert sorted(contact.id for contact in leaves.members()) == sorted({*up, *down})


@settings(deadline=None)
@given(ids, st.lists(ids, unique=True, min_size=1, max_size=40), ids)
def test_a_key_that_is_covered_has_its_owner_among_the_leaves(me: int, others: list[int], key: int) -> None:
    leaves = set_of(me, others, 4)
    if not leaves.covers(key):
        return

    def away(number: int) -> int:
        return min((number - key) % 256, (key - number) % 256)

    everyone = [me, *others]
    nearest_leaf = min([me, *(contact.id for contact in leaves.members())], key=away)
    assert away(nearest_leaf) == min(map(away, everyone))


@settings(deadline=None)
@given(ids, st.lists(ids, unique=True, max_size=20), ids)
def test_wants_says_what_add_does(me: int, others: list[int], new: int) -> None:
    leaves = set_of(me, others, 4)
    would = leaves.wants(Contact(new, new))
    assert leaves.add(Contact(new, new)) == would
    assert not leaves.wants(Contact(new, new))


def test_alone_it_covers_everything_and_a_gap_left_by_the_dead_is_not_covered() -> None:
    leaves = set_of(0, [], 4)
    assert leaves.covers(77)
    for number in (10, 20, 30, 200, 220, 240):
        leaves.add(Contact(number, number))
    assert leaves.covers(15)
    assert not leaves.covers(100)
    assert leaves.remove(Contact(20, 20))
    assert not leaves.remove(Contact(20, 20))
    assert leaves.covers(5)
    assert not leaves.covers(15)  # who is beyond 10 is not known any more


def test_an_id_is_there_once() -> None:
    leaves = set_of(0, [10], 4)
    assert not leaves.add(Contact(10, 999))
    assert Contact(10, 10) in leaves
