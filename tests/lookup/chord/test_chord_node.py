"""The tables of one node against their definition, on random rings."""

from __future__ import annotations

import random
from bisect import bisect_left

from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.lookup.chord.config import ChordConfig
from horoi.lookup.chord.converged import settle
from horoi.lookup.chord.machine import Chord
from horoi.lookup.chord.node import FingerTable, Node
from horoi.lookup.vocabulary import Contact

BITS = 8
TOP = 1 << BITS
RINGS = st.lists(st.integers(0, TOP - 1), min_size=1, max_size=24, unique=True).map(sorted)


def ring_of(ids: list[int], successors: int = 4) -> list[Node]:
    config = ChordConfig(bits=BITS, successors=successors, replicas=1)
    peers = [Chord([Contact(n, n)], config, random.Random(1)) for n in ids]
    settle(peers)
    return [peer.nodes[0] for peer in peers]


def successor(ids: list[int], key: int) -> int:
    place = bisect_left(ids, key % TOP)
    return ids[place % len(ids)]


@given(ids=RINGS)
@settings(deadline=None, max_examples=60)
def test_settled_tables_are_the_papers_definition(ids: list[int]) -> None:
    for i, node in enumerate(ring_of(ids)):
        others = [ids[(i + j) % len(ids)] for j in range(1, min(5, len(ids)))]
        assert [known.id for known in node.successors] == others
        assert (node.predecessor.id if node.predecessor else node.id) == ids[i - 1]
        for exponent in range(BITS):
            finger = node.fingers.get(exponent)
            expected = successor(ids, node.id + (1 << exponent))
            if finger is None:
                assert expected == (others[0] if others else node.id)
            else:
                assert finger.id == expected


@given(ids=RINGS, key=st.integers(0, TOP - 1), all_successors=st.booleans())
@settings(deadline=None, max_examples=200)
def test_walking_by_next_hop_ends_at_the_owner_and_always_comes_closer(
    ids: list[int], key: int, all_successors: bool
) -> None:
    nodes = {node.id: node for node in ring_of(ids)}
    owner = successor(ids, key)
    for start in ids:
        node, steps = nodes[start], 0
        while True:
            hop = node.next_hop(key, all_successors=all_successors)
            if hop.is_owner:
                assert node.id == owner
                break
            left = (key - node.id) % TOP
            distances = [(key - known.id) % TOP for known in hop.closer]
            assert distances == sorted(distances)
            assert all(0 < distance < left for distance in distances)
            if not hop.closer:
                assert hop.behind[0].id == owner
                break
            node, steps = nodes[hop.closer[0].id], steps + 1
            assert steps <= BITS


@given(ids=RINGS, key=st.integers(0, TOP - 1))
@settings(deadline=None, max_examples=60)
def test_exactly_one_node_owns_a_key(ids: list[int], key: int) -> None:
    nodes = ring_of(ids)
    assert [node.id for node in nodes if node.owns(key)] == [successor(ids, key)]


@given(node_id=st.integers(0, TOP - 1), others=st.lists(st.integers(0, TOP - 1), max_size=40), limit=st.integers(1, 6))
@settings(deadline=None)
def test_a_successor_list_goes_forward_once_around_and_is_bounded(node_id: int, others: list[int], limit: int) -> None:
    node = Node(Contact(node_id, 0), BITS)
    node.set_successors([Contact(other, other) for other in others], limit)
    distances = [(known.id - node_id) % TOP for known in node.successors]
    assert distances == sorted(set(distances) - {0})
    assert len(distances) <= limit


@given(
    node_id=st.integers(0, TOP - 1),
    sets=st.lists(st.tuples(st.integers(0, BITS), st.integers(0, TOP - 1)), max_size=30),
    follows=st.lists(st.integers(0, TOP - 1), min_size=1, max_size=5),
)
@settings(deadline=None)
def test_fingers_stay_within_their_rows_whatever_is_set(
    node_id: int, sets: list[tuple[int, int]], follows: list[int]
) -> None:
    table = FingerTable(node_id, BITS)
    for followed in follows:
        if followed != node_id:
            table.follow(Contact(followed, followed))
        for i, other in sets:
            table.set(i, Contact(other, other))
        assert len(table.entries) == BITS - table.low
        for distance in (1, 2, TOP // 2, TOP - 1):
            found = table.preceding(distance, 3)
            assert len(found) <= 3
            assert all(0 < (known.id - node_id) % TOP < distance for known in found)


def test_a_removed_peer_is_nowhere() -> None:
    (node, *_) = ring_of([10, 20, 30, 200])
    node.remove(Contact(20, 20))
    node.remove(Contact(200, 200))
    assert node.predecessor is None
    assert [known.id for known in node.successors] == [30]
    assert all(entry is None or entry.id not in (20, 200) for entry in node.fingers.entries)
    assert node.entries() == 1
