"""The largest group is always at hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from horoi.world.live.groups import Groups

name = st.integers(0, 5)


@given(st.lists(st.tuples(st.sampled_from("abc"), name, st.booleans()), max_size=60))
def test_groups_are_what_a_list_of_members_says(steps: list[tuple[str, int, bool]]) -> None:
    groups: Groups[int] = Groups()
    kept: list[tuple[str, int]] = []
    for group, number, is_coming in steps:
        if is_coming == ((group, number) in kept):
            continue
        if is_coming:
            groups.add(group, bytes([number]), number)
            kept.append((group, number))
        else:
            groups.remove(group, bytes([number]))
            kept.remove((group, number))
        by_group = {own: [member for other, member in kept if other == own] for own in "abc"}
        assert {own: list(groups.of(own)) for own in "abc"} == by_group
        largest = list(groups.largest())
        assert largest in by_group.values()
        assert len(largest) == max(map(len, by_group.values()))
    for group, number in kept:
        groups.remove(group, bytes([number]))
    assert list(groups.largest()) == []
    assert groups._members == groups._of_size == {}
