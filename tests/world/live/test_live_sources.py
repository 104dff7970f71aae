"""Shares of hosts, of network groups, and of everybody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from horoi.world.live.sources import Ration


def test_each_share_and_the_sum_end() -> None:
    ration = Ration(per_host=2, per_group=3, in_all=5)
    taken = [ration.take((f"192.{group}.0.{host}", 1)) for group in range(3) for host in range(2) for _ in range(3)]
    assert taken == [*(True, True, False), *(True, False, False), *(True, True, False), *[False] * 9]
    ration.refill()
    assert ration.take(("192.0.0.0", 1))


octet = st.integers(0, 3)


@given(st.lists(st.tuples(octet, octet), max_size=60))
def test_nobody_gets_more_than_his_share(sources: list[tuple[int, int]]) -> None:
    ration = Ration(per_host=3, per_group=7, in_all=20)
    taken = [source for source in sources if ration.take((f"10.{source[0]}.0.{source[1]}", 1))]
    assert len(taken) <= 20
    assert all(taken.count(source) <= 3 for source in taken)
    assert all(sum(group == own for group, _ in taken) <= 7 for own in range(4))
