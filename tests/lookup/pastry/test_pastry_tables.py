"""The routing table and the neighbourhood set."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.lookup.pastry.neighbourhood_set import NeighbourhoodSet
from horoi.lookup.pastry.routing_table import RoutingTable
from horoi.lookup.vocabulary import Contact

ids = st.integers(0, 0xFFFF)


@settings(deadline=None)
@given(ids, st.lists(ids, unique=True, max_size=60))
def test_row_n_shares_n_digits_and_the_column_is_the_next(me: int, others: list[int]) -> None:
    table = RoutingTable(me, 16, 4)
    for other in others:
        if other != me:
            table.put(Contact(other, other))
    for row in range(table.depth):
        for contact in table.row(row):
            mine, theirs = f"{me:04x}", f"{contact.id:04x}"
            assert mine[:row] == theirs[:row]
            assert mine[row] != theirs[row]
            assert table.get(row, int(theirs[row], 16)) == contact
    slots = {(f"{other:04x}"[: len(common(me, other)) + 1]) for other in others if other != me}
    assert len(table) == len(slots)


def common(a: int, b: int) -> str:
    text = ""
    for x, y in zip(f"{a:04x}", f"{b:04x}", strict=True):
        if x != y:
            return text
        text += x
    return text


def test_what_is_removed_leaves_its_slot_and_empty_rows_go() -> None:
    table = RoutingTable(0x1234, 16, 4)
    near, far = Contact(0x1235, 1), Contact(0x9000, 2)
    table.put(near)
    table.put(far)
    assert table.depth == 4
    assert table.remove(Contact(0x1235, 99)) is None  # another address is another peer
    assert table.remove(near) == (3, 5)
    assert table.depth == 1
    assert table.occupant(0x9ABC) == far


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.floats(0, 1)), max_size=40))
def test_the_neighbourhood_set_keeps_the_nearest(heard: list[tuple[int, float]]) -> None:
    neighbours = NeighbourhoodSet(5)
    latest: dict[int, float] = {}
    for number, round_trip_s in heard:
        if number not in latest:  # one measurement each: with later ones it depends on who was dropped before
            latest[number] = round_trip_s
            neighbours.add(Contact(number, number), round_trip_s)
    expected = sorted(latest.values())[:5]
    assert [latest[contact.id] for contact in neighbours.members()] == expected
    assert neighbours.reach_s == (expected[-1] if expected else 0.0)
