"""What counts as one host, and as one network group."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.base.sources import Source, source_of


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


@pytest.mark.parametrize(
    ("ip", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::5", "20010db800010002"),
        ("2001:db8:1:2:ffff::9", "20010db800010002"),
        ("fe80::1%eth0", "fe80000000000000"),
    ],
)
def test_a_host_by_name(ip: str, source: str) -> None:
    assert source_of((ip, 9)).host == source


def test_what_is_no_ip_address_stands_for_itself() -> None:
    assert source_of(7) == Source(7, 7)
    assert source_of("alice") == Source("alice", "alice")
    assert source_of(("alice.example", 1)) == Source("alice.example", "alice.example")


@given(
    st.one_of(
        st.integers(),
        st.text(),
        st.tuples(st.text(), st.integers()),
        st.tuples(st.ip_addresses().map(str), st.integers()),
    )
)
def test_every_address_has_a_source(address: object) -> None:
    assert source_of(address) == source_of(address)
