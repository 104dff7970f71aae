"""Which addresses are one network group."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from horoi.base.networks import network_group, unmapped


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("198.51.100.9", "4:198.51"),
        ("198.51.7.7", "4:198.51"),
        ("2001:db8:1::1", "6:20010db8"),
        ("2001:db8:2::1", "6:20010db8"),
        ("2002:c633:6409::1", "4:198.51"),  # 6to4 of 198.51.100.9
        ("2001:0:c000:201::39cc:9bf6", "4:198.51"),  # Teredo of it: its address with all bits turned over
        ("::ffff:198.51.100.9", "4:198.51"),
    ],
)
def test_groups(text: str, group: str) -> None:
    assert network_group(unmapped(ip_address(text))) == group
