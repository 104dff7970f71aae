"""The neighbour map, the surrogate metric, and routing on settled networks."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.ids import digit
from horoi.lookup.tapestry.config import TapestryConfig
from horoi.lookup.tapestry.converged import settle
from horoi.lookup.tapestry.machine import Tapestry
from horoi.lookup.tapestry.neighbour_map import MAX_BACKPOINTERS, SLOT_SIZE, Backpointers, NeighbourMap
from horoi.lookup.tapestry.object_pointers import salted
from horoi.lookup.tapestry.surrogate import distance, next_step
from horoi.lookup.vocabulary import Contact

ids = st.integers(0, 0xFFFF)
CONFIG = TapestryConfig(bits=16, upkeep=False)


@settings(deadline=None)
@given(ids, ids, st.sampled_from([1, 2, 4]))
def test_distance_subtracts_digit_by_digit(a: int, b: int, digit_bits: int) -> None:
    base = 1 << digit_bits
    expected = 0
    for row in range(16 // digit_bits):
        expected = expected * base + (digit(a, row, 16, digit_bits) - digit(b, row, 16, digit_bits)) % base
    assert distance(a, b, 16, digit_bits) == expected


@settings(deadline=None)
@given(ids, st.lists(ids, unique=True, max_size=60))
def test_a_slot_has_the_nearest_three_in_order(me: int, others: list[int]) -> None:
    neighbours = NeighbourMap(me, 16, 4)
    peers = [Contact(other, other) for other in others if other != me]
    for peer in peers:
        neighbours.add(peer, lambda contact: (contact.id * 7919) % 1009)
    for level in range(4):
        for column in range(16):
            fitting = [peer for peer in peers if neighbours.place(peer.id) == (level, column)]
            nearest = sorted(fitting, key=lambda contact: (contact.id * 7919) % 1009)[:SLOT_SIZE]
            assert sorted(peer.id for peer in neighbours.slot(level, column)) == sorted(peer.id for peer in nearest)
    for peer in peers:
        was_there = peer in neighbours
        assert neighbours.remove(peer) == (neighbours.place(peer.id) if was_there else None)
    assert neighbours.depth == len(neighbours) == 0


def network(numbers: list[int]) -> dict[int, Tapestry]:
    dice = Random(1)
    machines = [Tapestry(Contact(number, number), CONFIG, dice) for number in numbers]
    settle(machines, dice, joined=True)
    return {machine.me.address: machine for machine in machines}


@settings(deadline=None, max_examples=60)
@given(st.lists(ids, unique=True, min_size=1, max_size=40), ids)
def test_one_root_from_every_source_and_a_digit_with_every_step(numbers: list[int], key: int) -> None:
    peers = network(numbers)
    root = min(numbers, key=lambda number: distance(number, key, 16, 4))
    for start in numbers:
        here, level, hops = peers[start], 0, 0
        while True:
            step = next_step(here.neighbours, key, level)
            if step.hop is None:
                break
            assert step.level > level
            here, level, hops = peers[step.hop.address], step.level, hops + 1
        assert here.me.id == root
        assert hops <= 4


def test_fewer_than_two_surrogate_digits_are_taken_on_average() -> None:
    """Counted as hops that resolve another digit than the wanted one (TR: fewer than two expected)."""
    dice = Random(5)
    numbers = dice.sample(range(1 << 16), 500)
    peers = network(numbers)
    surrogate_hops = []
    for _ in range(2000):
        key, here, level, taken = dice.randrange(1 << 16), peers[dice.choice(numbers)], 0, 0
        while True:
            step = next_step(here.neighbours, key, level)
            if step.hop is None:
                break
            taken += digit(step.hop.id, step.level - 1, 16, 4) != digit(key, step.level - 1, 16, 4)
            here, level = peers[step.hop.address], step.level
        surrogate_hops.append(taken)
    assert sum(surrogate_hops) / len(surrogate_hops) < 2


def test_backups_take_over_and_a_slot_under_repair_is_waited_for() -> None:
    neighbours = NeighbourMap(0x0000, 16, 4)
    first, second = Contact(0x9001, 1), Contact(0x9002, 2)
    neighbours.put(0, 9, (first, second))
    assert next_step(neighbours, 0x9ABC, 0).hop == first
    assert next_step(neighbours, 0x9ABC, 0, suspects={1}).hop == second
    assert next_step(neighbours, 0x9ABC, 0, suspects={1, 2}).hop in (first, second)
    neighbours.remove(first)
    neighbours.remove(second)
    neighbours.put(0, 10, (Contact(0xA000, 3),))
    assert next_step(neighbours, 0x9ABC, 0, holes={(0, 9): None}).hole == (0, 9)
    assert next_step(neighbours, 0x9ABC, 0).hop == Contact(0xA000, 3)


def test_backpointers_are_bounded() -> None:
    pointers = Backpointers()
    for number in range(MAX_BACKPOINTERS + 5):
        pointers.add(Contact(number, number))
    assert len(pointers) == MAX_BACKPOINTERS
    assert next(iter(pointers)) == Contact(5, 5)


def test_salts_give_other_keys_that_all_agree_on() -> None:
    keys = {salted(77, salt, 160) for salt in range(4)}
    assert len(keys) == 4
    assert salted(77, 0, 160) == 77


@pytest.mark.parametrize("field", ["digit_bits", "roots", "replicas", "routes", "probe_s"])
def test_a_configuration_that_cannot_be_meant_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field if field != "probe_s" else "periods"):
        TapestryConfig(**{field: -1})
