"""A pattern means the names that it was made from, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.epcis.gs1 import canonical
from horoi.epcis.patterns import pattern_of

NAMES = [
    "id:sgtin:4012345.012345.12",
    "id:sgtin:401234501234.5.a%2Fb",
    "id:sscc:4012345.0000000333",
    "id:sgln:4012345.00011.987",
    "id:sgln:4012345.00011.0",
    "id:sgln:401234500011..7",
    "id:pgln:4012345.00011",
    "id:grai:4012345.66666.87",
    "id:giai:4012345.AAbb",
    "id:gsrn:4012345.9876540000",
    "id:gsrnp:4012345.0000098765",
    "id:gdti:4012345.55555.98",
    "id:cpi:4012345.ABC.123",
    "id:sgcn:4012345.99999.44",
    "id:ginc:4012345.333",
    "id:gsin:4012345.999987654",
    "id:itip:4012345.012345.01.02.999",
    "id:upui:4012345.012345.AB12",
    "id:gid:95100000.12345.400",
    "id:imovn:9176187",
]


def names_of(name: str) -> tuple[str, int]:
    """As events are kept, and how many fields it has."""
    return canonical(f"urn:epc:{name}") or f"urn:epc:{name}", name.count(".") + 1


def blurred(name: str, given: int) -> str:
    """Only the first fields; the others are free."""
    start, _, body = name.rpartition(":")
    fields = body.split(".")
    return f"urn:epc:{start.replace('id:', 'idpat:')}:{'.'.join([*fields[:given], *'*' * (len(fields) - given)])}"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_meant_by_each_of_its_patterns(name: str) -> None:
    link, fields = names_of(name)
    for given_fields in range(fields):
        pattern = pattern_of(blurred(name, given_fields))
        assert pattern is not None, blurred(name, given_fields)
        assert pattern.matches(link)
        assert any(link.startswith(start) for start in pattern.starts), "else an index would not find it"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_not_meant_by_patterns_of_other_schemes(name: str) -> None:
    link, _ = names_of(name)
    for other in NAMES:
        pattern = pattern_of(blurred(other, 0))
        assert pattern is not None
        assert pattern.matches(link) == (other.split(":")[1] == name.split(":")[1])


@given(st.integers(6, 12), st.from_regex(r"[0-9]{13}", fullmatch=True), st.from_regex(r"[0-9]{13}", fullmatch=True))
@settings(deadline=None)
def test_a_company_is_told_from_others(company_digits: int, one: str, other: str) -> None:
    first, second = (f"{digits[:company_digits]}.{digits[company_digits:]}" for digits in (one, other))
    pattern = pattern_of(f"urn:epc:idpat:sgtin:{one[:company_digits]}.*.*")
    assert pattern is not None
    assert pattern.matches(canonical(f"urn:epc:id:sgtin:{first}.1") or "")
    is_same = one[:company_digits] == other[:company_digits]
    assert pattern.matches(canonical(f"urn:epc:id:sgtin:{second}.1") or "") == is_same


def test_an_item_is_told_from_others_and_is_a_class_with_lots() -> None:
    pattern = pattern_of("urn:epc:idpat:sgtin:4012345.012345.*")
    assert pattern is not None
    for meant in ("", "/21/7", "/10/L"):
        assert pattern.matches(f"https://id.gs1.org/01/04012345123456{meant}")
    for other in ("01/04012345123463/21/7", "01/04012345123456/235/7", "8006/040123451234560102/21/7"):
        assert not pattern.matches(f"https://id.gs1.org/{other}")


@pytest.mark.parametrize(
    "body",
    [
        "sgtin:4012345.012345.7",  # nothing is free
        "sgtin:*.012345.*",  # free and given again
        "sgtin:4012345.*",
        "sgtin:40123.*.*",
        "sgtin:4012345.01234.*",
        "sgtin:٤٠١٢٣٤٥.*.*",
        "sgtin:4012345.01234x.*",
        "itip:4012345.012345.1.*.*",
        "cpi:4012345.a[b]?.*",
        "gid:[1.*.*",
        "gid:*",
        "nonsense:*.*",
        "sgtin",
        "",
    ],
)
def test_what_is_no_pattern(body: str) -> None:
    assert pattern_of(f"urn:epc:idpat:{body}") is None


@given(st.text(max_size=40))
@settings(deadline=None)
def test_no_text_makes_it_raise(text: str) -> None:
    for start in ("", "sgtin:", "cpi:4012345.", "gid:", "itip:4012345.012345."):
        pattern_of(f"urn:epc:idpat:{start}{text}")
        pattern_of(f"urn:epc:idpat:{start}{text}.*.*")
