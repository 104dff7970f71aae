"""Shares of hosts, of network groups, and of everybody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from horoi.world.live.sources import Ration, source_of


def test_what_one_host_and_one_network_is() -> None:
    def is_one_host(a: str, b: str) -> bool:
        return source_of((a, 1)).host == source_of((b, 2)).host

    def is_one_group(a: str, b: str) -> bool:
        return source_of((a, 1)).group == source_of((b, 2)).group

    assert is_one_host("2001:db8::1", "2001:db8::2")
    assert not is_one_host("2001:db8:0:1::1", "2001:db8::1")
    assert is_one_host("fe80::1%eth0", "fe80::2")
    assert is_one_group("2001:db8:1::1", "2001:db8:2::1")
    assert not is_one_host("192.0.2.1", "192.0.2.2")
    assert is_one_group("192.0.2.1", "192.0.7.2")
    assert not is_one_group("192.0.2.1", "192.1.2.1")
    assert is_one_host("::ffff:192.0.2.1", "192.0.2.1")
    assert not is_one_host("::ffff:192.0.2.1", "::ffff:192.0.2.2")
    assert is_one_group("2002:c000:201::1", "192.0.7.7")  # whoever has an IPv4 address has a network of 6to4 too


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
