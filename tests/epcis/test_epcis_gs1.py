"""GS1 keys: URNs and Digital Links have one canonical form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.epcis.gs1 import canonical, check_digit, fault_of, read_link, read_path, wrong_check_digit

digits = st.text("0123456789", min_size=1)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("urn:epc:id:sgtin:4012345.012345.12", "01/04012345123456/21/12"),
        ("urn:epc:id:sgtin:4012345.012345.a+b%2F:c", "01/04012345123456/21/a%2Bb%2F%3Ac"),
        ("urn:epc:id:sscc:4012345.0000000333", "00/040123450000003338"),
        ("urn:epc:id:sgln:4012345.00011.987", "414/4012345000115/254/987"),
        ("urn:epc:id:sgln:4012345.00011.0", "414/4012345000115"),
        ("urn:epc:id:sgln:401234500011..0", "414/4012345000115"),
        ("urn:epc:id:pgln:401234500011.", "417/4012345000115"),
        ("urn:epc:id:grai:4012345.66666.87", "8003/0401234566666387"),
        ("urn:epc:id:giai:4012345.AAbb", "8004/4012345AAbb"),
        ("urn:epc:id:gsrn:4012345.9876540000", "8018/401234598765400000"),
        ("urn:epc:id:gsrnp:4012345.0000098765", "8017/401234500000987658"),
        ("urn:epc:id:gdti:4012345.55555.98", "253/401234555555498"),
        ("urn:epc:id:cpi:4012345.ABC.123", "8010/4012345ABC/8011/123"),
        ("urn:epc:id:sgcn:4012345.99999.44", "255/401234599999044"),
        ("urn:epc:id:ginc:4012345.333", "401/4012345333"),
        ("urn:epc:id:gsin:4012345.999987654", "402/40123459999876541"),
        ("urn:epc:id:itip:4012345.012345.01.02.999", "8006/040123451234560102/21/999"),
        ("urn:epc:id:upui:4012345.012345.AB12", "01/04012345123456/235/AB12"),
        ("urn:epc:class:lgtin:4054739.099914.20160711", "01/04054739999148/10/20160711"),
        ("urn:epc:idpat:sgtin:4054739.099914.*", "01/04054739999148"),
        ("urn:epc:idpat:cpi:4012345.ABC.*", "8010/4012345ABC"),
        ("urn:epc:idpat:itip:4012345.012345.01.02.*", "8006/040123451234560102"),
        ("https://example.com/a/01/4012345123456/22/2A/10/L1/21/7?17=201225", "01/04012345123456/21/7"),
        ("https://example.com/gtin/4012345123456/cpv/2A/lot/L1", "01/04012345123456/10/L1"),
        ("http://id.gs1.org/gln/4012345000115/254/987", "414/4012345000115/254/987"),
    ],
)
def test_canonical_form(uri: str, expected: str) -> None:
    link = f"https://id.gs1.org/{expected}"
    assert canonical(uri) == link
    assert canonical(link) == link
    assert fault_of(uri) is None
    assert wrong_check_digit(link) is None


@pytest.mark.parametrize(
    "uri",
    [
        "urn:epc:id:sgtin:4012345.012345",  # no serial number
        "urn:epc:id:sgtin:40123.01234567.1",  # a company prefix has six digits at least
        "urn:epc:id:sgtin:4012345.0123456.1",
        "urn:epc:id:sgtin:4012345.01234x.1",
        "urn:epc:id:sgtin:٤٠١٢٣٤٥.012345.1",
        "urn:epc:id:sscc:4012345.0000000333.1",
        "urn:epc:id:sgtin:4012345.012345." + "1" * 21,
        "urn:epc:id:sgtin:4012345.012345.a b",
        "urn:epc:id:",
        "urn:epc:",
        "https://example.com/01/4012345123456/99/x",
        "https://example.com/01/4012345123456/21",
        "https://example.com/01/4012345123456#fragment",
        "https://example.com/about",
        "https://",
        "geo:47.5,11.1",
    ],
)
def test_what_is_no_key_has_no_canonical_form(uri: str) -> None:
    assert canonical(uri) is None


@given(digits)
def test_a_check_digit_finds_every_single_wrong_digit(text: str) -> None:
    right = check_digit(text)
    for digit in "0123456789":
        if digit != text[-1]:
            assert check_digit(text[:-1] + digit) != right


@given(st.text(max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    for start in (
        "",
        "urn:epc:",
        "urn:epc:id:sgtin:",
        "urn:epc:id:cpi:",
        "https://id.gs1.org/01/",
        "https://x.y/8010/1234",
    ):
        canonical(start + text)
        fault_of(start + text)
        wrong_check_digit(start + text)
        read_path(text)


def test_a_link_is_read_as_a_key() -> None:
    key = read_link("https://shop.example/01/04012345123456/10/L1?x=1")
    assert key == ("01", "04012345123456", "10", "L1")
    assert wrong_check_digit("https://id.gs1.org/01/04012345123457") == "6"
