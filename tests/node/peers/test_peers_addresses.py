"""Addresses: one canonical form, and the groups that diversity is measured in."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from horoi.node.peers.addresses import MAX_ADDRESS_LENGTH, canonical, group_of

GOOD = [
    ("192.0.2.1:9000", "192.0.2.1:9000", "4:192.0"),
    ("[2001:DB8:0:0::1]:65535", "[2001:db8::1]:65535", "6:20010db8"),
    ("[::ffff:192.0.2.1]:1", "192.0.2.1:1", "4:192.0"),
    ("[2002:c633:6401::1]:1", "[2002:c633:6401::1]:1", "4:198.51"),
    ("Node.Example.ORG:9000", "node.example.org:9000", "name"),
    ("other.example.net:9000", "other.example.net:9000", "name"),
    ("node_1:9000", "node_1:9000", "local"),
    ("depot.internal:9000", "depot.internal:9000", "local"),
    ("localhost:9000", "localhost:9000", "local"),
    ("127.0.0.1:9000", "127.0.0.1:9000", "local"),
    ("10.1.2.3:9000", "10.1.2.3:9000", "local"),
    ("100.64.0.1:9000", "100.64.0.1:9000", "local"),
    ("[::1]:9000", "[::1]:9000", "local"),
    ("[fe80::1]:9000", "[fe80::1]:9000", "local"),
]
BAD = [":", ":1", "host", "host:", "host:0", "host:65536", "host:01", "host:-1", "host:1x", "host:\u0661", "1.2.3:1"]
BAD += ["::1:9000", "[::1:9000", "[::1]9000", "[fe80::1%eth0]:1", "[::]:1", "[ff02::1]:1", "256.1.1.1:1", "01.2.3.4:1"]
BAD += [
    "0.0.0.0:1",
    "224.0.0.1:1",
    "255.255.255.255:1",
    "-a:1",
    "a-:1",
    "a..b:1",
    "ho\0st:1",
    "h\u00f6st:1",
    "u@h:1",
    "a/b:1",
]


@pytest.mark.parametrize(("text", "form", "group"), GOOD)
def test_good_addresses_have_one_form_and_a_group(text: str, form: str, group: str) -> None:
    assert canonical(text) == form
    assert group_of(form) == group


@pytest.mark.parametrize("text", ["", " host:1", "host:1\n", "a b:1", "a" * 64 + ":1", "a." * 130 + "b:1", *BAD])
def test_what_cannot_be_dialed_is_no_address(text: str) -> None:
    assert canonical(text) is None


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=MAX_ADDRESS_LENGTH + 5) | st.from_regex(r"\A[0-9a-f:.\[\]%-]{1,30}:[0-9]{1,6}\Z"))
@example("[2001:0:1::]:1")
def test_any_text_has_a_group_and_the_canonical_form_is_its_own(text: str) -> None:
    assert group_of(text)
    form = canonical(text)
    if form is not None:
        assert canonical(form) == form
        assert len(form) <= MAX_ADDRESS_LENGTH
