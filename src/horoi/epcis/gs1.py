"""GS1 keys: the EPC URNs and Digital Link URIs that name things, and the one canonical form of each.

Sources: EPC Tag Data Standard 1.13 section 6 (EPC URIs: a company prefix of 6 to 12 digits, a reference that fills it up to the
key's length, a serial number); GS1 General Specifications section 7.9.1 (check digits); GS1 Digital Link, URI Syntax 1.2,
sections 4.4 and 4.11 (canonical URIs); CBV 2.0 section 8.9: in a hash, a key is a canonical Digital Link URI of the finest
level that is given, without query.

>>> canonical("urn:epc:id:sgtin:4012345.011111.9876")
'https://id.gs1.org/01/04012345111118/21/9876'
>>> canonical("https://example.com/some/path/gtin/4012345111118/lot/7?weight=3")
'https://id.gs1.org/01/04012345111118/10/7'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

DOMAIN = "https://id.gs1.org"

CHARACTER = r"(?:%[2-7][0-9A-Fa-f]|[!'()*+,.0-9:;=A-Za-z_-])"  # TDS 1.13 table A-1, as a URI spells it
ESCAPED = str.maketrans({character: f"%{ord(character):02X}" for character in "!()*+,:"})
"""What a Digital Link URI must escape and an EPC URN need not (Digital Link 1.2, table 7-1)."""

COMPANY_DIGITS = range(6, 13)  # TDS 1.13 section 6.3


def check_digit(digits: str) -> str:
    """The last digit of a GS1 key: weights 3 and 1 from the right, up to the next ten (GenSpecs 7.9.1)."""
    total = 3 * sum(map(int, digits[-1::-2])) + sum(map(int, digits[-2::-2]))
    return str(-total % 10)


def _checked(digits: str) -> str:
    return digits + check_digit(digits)


def _gtin(company: str, item: str) -> str:
    """The item's first digit is the indicator and stands in front of the company."""
    return _checked(item[:1] + company + item[1:])


class Scheme(NamedTuple):
    """One kind of EPC URN."""

    digits: int  # of company prefix and reference together; 0 if the reference is not of digits
    tail: str  # a pattern of what follows the reference; empty if nothing may
    link: Callable[[str, str, str], str]  # (company, reference, tail) to the path of the Digital Link


def _serials(longest: int) -> str:
    return CHARACTER + f"{{1,{longest}}}"


def _cpi(company: str, _: str, tail: str) -> str:
    reference, _, serial = tail.rpartition(".")
    return f"8010/{_escape(company + reference)}/8011/{serial}"


def _itip(company: str, item: str, tail: str) -> str:
    piece, total, serial = tail.split(".", 2)
    return f"8006/{_gtin(company, item)}{piece}{total}/21/{_escape(serial)}"


def _sgln(company: str, location: str, extension: str) -> str:
    link = "414/" + _checked(company + location)
    return link if extension == "0" else f"{link}/254/{_escape(extension)}"  # TDS 6.3.3: 0 is "no extension"


def _escape(text: str) -> str:
    return text.translate(ESCAPED)


CPI_REFERENCE = r"(?:%2[3DFdf]|[0-9A-Z-]){1,24}"

SCHEMES = {
    "id:sgtin": Scheme(13, _serials(20), lambda c, r, t: f"01/{_gtin(c, r)}/21/{_escape(t)}"),
    "id:sscc": Scheme(17, "", lambda c, r, t: "00/" + _gtin(c, r)),
    "id:sgln": Scheme(12, _serials(20), _sgln),
    "id:grai": Scheme(12, _serials(16), lambda c, r, t: f"8003/{_checked('0' + c + r)}{_escape(t)}"),
    "id:giai": Scheme(0, _serials(24), lambda c, r, t: f"8004/{c}{_escape(t)}"),
    "id:gsrn": Scheme(17, "", lambda c, r, t: "8018/" + _checked(c + r)),
    "id:gsrnp": Scheme(17, "", lambda c, r, t: "8017/" + _checked(c + r)),
    "id:gdti": Scheme(12, _serials(17), lambda c, r, t: f"253/{_checked(c + r)}{_escape(t)}"),
    "id:cpi": Scheme(0, CPI_REFERENCE + r"\.\d{1,12}", _cpi),
    "id:sgcn": Scheme(12, r"\d{1,12}", lambda c, r, t: f"255/{_checked(c + r)}{t}"),
    "id:ginc": Scheme(0, _serials(24), lambda c, r, t: f"401/{c}{_escape(t)}"),
    "id:gsin": Scheme(16, "", lambda c, r, t: "402/" + _checked(c + r)),
    "id:itip": Scheme(13, r"\d\d\.\d\d\." + _serials(20), _itip),
    "id:upui": Scheme(13, _serials(28), lambda c, r, t: f"01/{_gtin(c, r)}/235/{_escape(t)}"),
    "id:pgln": Scheme(12, "", lambda c, r, t: "417/" + _checked(c + r)),
    "class:lgtin": Scheme(13, _serials(20), lambda c, r, t: f"01/{_gtin(c, r)}/10/{_escape(t)}"),
    "idpat:sgtin": Scheme(13, r"\*", lambda c, r, t: "01/" + _gtin(c, r)),
    "idpat:grai": Scheme(12, r"\*", lambda c, r, t: "8003/" + _checked("0" + c + r)),
    "idpat:gdti": Scheme(12, r"\*", lambda c, r, t: "253/" + _checked(c + r)),
    "idpat:sgcn": Scheme(12, r"\*", lambda c, r, t: "255/" + _checked(c + r)),
    "idpat:cpi": Scheme(0, CPI_REFERENCE + r"\.\*", lambda c, r, t: "8010/" + _escape(c + t.removesuffix(".*"))),
    "idpat:itip": Scheme(13, r"\d\d\.\d\d\.\*", lambda c, r, t: "8006/" + _gtin(c, r) + t[:2] + t[3:5]),
    "idpat:upui": Scheme(13, r"\*", lambda c, r, t: "01/" + _gtin(c, r)),
}

OTHER_SCHEMES = ("id:gid", "id:usdod", "id:adi", "id:bic", "id:imovn")
"""EPC URNs without a GS1 key: they have no Digital Link and stay as they are (TDS 1.13 sections 6.3.11 to 6.3.16)."""


class Key(NamedTuple):
    """A GS1 key as application identifiers tell it: ``("01", "04012345111118", "10", "7")``."""

    ai: str
    value: str
    qualifier: str = ""
    detail: str = ""

    @property
    def uri(self) -> str:
        start = f"{DOMAIN}/{self.ai}/{self.value}"
        return f"{start}/{self.qualifier}/{self.detail}" if self.qualifier else start


def canonical(text: str) -> str | None:
    """The canonical Digital Link URI of an EPC URN or of a Digital Link URI on any host; None if it is neither."""
    if text.startswith("urn:epc:"):
        return from_urn(text)
    if text.startswith(("https:", "http:")):
        key = read_link(text)
        return key.uri if key else None
    return None


def from_urn(urn: str) -> str | None:
    """An EPC, class or pattern URN as a Digital Link URI; None if it has none."""
    parsed = _split_urn(urn)
    if parsed is None:
        return None
    scheme, company, reference, tail = parsed
    return f"{DOMAIN}/{scheme.link(company, reference, tail)}"


def _split_urn(urn: str) -> tuple[Scheme, str, str, str] | None:
    kind, _, body = urn.removeprefix("urn:epc:").rpartition(":") if urn.count(":") == 4 else _first_two(urn)
    scheme = SCHEMES.get(kind)
    if scheme is None:
        return None
    if scheme.digits == 0:
        company, _, tail = body.partition(".")
        reference = ""
    else:
        parts = body.split(".", 2)
        company, reference, tail = (*parts, "", "")[:3]
        if len(company + reference) != scheme.digits or len(parts) != 2 + bool(scheme.tail):
            return None
        if reference and not (reference.isascii() and reference.isdigit()):
            return None
    if len(company) not in COMPANY_DIGITS or not (company.isascii() and company.isdigit()):
        return None
    if scheme.tail and _pattern(scheme.tail).fullmatch(tail) is None:
        return None
    return scheme, company, reference, tail


def _first_two(urn: str) -> tuple[str, str, str]:
    """A serial number may hold colons too."""
    kind, scheme, body = (*urn.removeprefix("urn:epc:").split(":", 2), "", "")[:3]
    return f"{kind}:{scheme}", ":", body


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII)


NAMES = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017", "gsrn": "8018",
    "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402", "grai": "8003", "giai": "8004", "cpv": "22",
    "lot": "10", "ser": "21", "tpx": "235", "glnx": "254", "cpsn": "8011",
}  # fmt: skip
"""The short names that a Digital Link URI may use for application identifiers (Digital Link 1.2, section 4.9)."""

VALUE = "(?:%[2-7][0-9A-Fa-f]|[\"'.0-9;<=>A-Z_a-z-])"
PRIMARY = {
    "00": r"\d{18}", "01": r"\d{14}", "253": r"\d{13}" + VALUE + "{0,17}", "255": r"\d{13,25}", "401": VALUE + "{1,30}",
    "402": r"\d{17}", "414": r"\d{13}", "417": r"\d{13}", "8003": r"\d{14}" + VALUE + "{0,16}", "8004": VALUE + "{1,30}",
    "8006": r"\d{18}", "8010": r"(?:%2[3Ff]|[#0-9A-Z-]){1,30}", "8017": r"\d{18}", "8018": r"\d{18}",
}  # fmt: skip
"""Application identifiers that begin a Digital Link, and the form of their values (GenSpecs section 3)."""

QUALIFIERS = {
    "01": {"22": 20, "21": 20, "235": 28, "10": 20},
    "8006": {"22": 20, "21": 20, "10": 20},
    "414": {"254": 20},
    "8010": {"8011": 12},
}
"""What may follow, and how long it is, finest first; ``22`` (a variant of the consumer product) is never part of the name."""

GTIN_LENGTHS = (8, 12, 13)
DIGITAL_LINK = re.compile(r"https?:(?://[^/]*)?(/.*)", re.ASCII)


def read_link(text: str) -> Key | None:
    """The key in a Digital Link URI of any host and path; None if there is none."""
    found = DIGITAL_LINK.fullmatch(text.partition("?")[0])
    if found is None or "#" in found[1]:
        return None
    return read_path(found[1])


def read_path(path: str) -> Key | None:
    """The key in ``.../01/04012345111118/10/7``."""
    parts = path.split("/")
    for place in range(len(parts) - 1):
        ai = NAMES.get(parts[place], parts[place])
        if ai in PRIMARY and parts[place + 1][:4].isdigit():
            return _key(ai, parts[place + 1], parts[place + 2 :])
    return None


def _key(ai: str, value: str, rest: list[str]) -> Key | None:
    if ai == "01" and len(value) in GTIN_LENGTHS:
        value = value.zfill(14)
    if _pattern(PRIMARY[ai]).fullmatch(value) is None or len(rest) % 2:
        return None
    given = {NAMES.get(name, name): detail for name, detail in zip(rest[::2], rest[1::2], strict=True)}
    allowed = QUALIFIERS.get(ai, {})
    if any(name not in allowed for name in given):
        return None
    for name, longest in allowed.items():
        if name == "22" or name not in given:
            continue
        form = r"\d" if name == "8011" else VALUE
        return Key(ai, value, name, given[name]) if _pattern(f"{form}{{1,{longest}}}").fullmatch(given[name]) else None
    return Key(ai, value)


def fault_of(uri: str) -> str | None:
    """What is wrong with an EPC URN, or with a Digital Link URI on GS1's own host; None if nothing, or if it is neither."""
    if uri.startswith("urn:epc:"):
        kind = ":".join(uri.split(":")[2:4])
        if kind in SCHEMES and _split_urn(uri) is None:
            return f"{uri!r} is not a valid urn:epc:{kind} (EPC Tag Data Standard section 6)"
        return (
            None if kind in SCHEMES or kind in OTHER_SCHEMES or kind.startswith("idpat:") else f"no EPC scheme {kind!r}"
        )
    if uri.startswith((DOMAIN + "/", "http://id.gs1.org/")) and (first := uri.split("/")[3]) in (*PRIMARY, *NAMES):
        return (
            None
            if read_link(uri)
            else f"{uri!r} is not a valid Digital Link for {first!r} (GS1 Digital Link section 4)"
        )
    return None


CHECKED = {
    "00": 18,
    "01": 14,
    "253": 13,
    "255": 13,
    "402": 17,
    "414": 13,
    "417": 13,
    "8003": 14,
    "8006": 14,
    "8017": 18,
    "8018": 18,
}
"""Keys with a check digit, and its place."""


def wrong_check_digit(uri: str) -> str | None:
    """The digit that a Digital Link on GS1's host should have, if it has another."""
    key = read_link(uri) if uri.startswith(DOMAIN) else None
    if key is None or key.ai not in CHECKED:
        return None
    length = CHECKED[key.ai]
    right = check_digit(key.value[: length - 1])
    return right if key.value[length - 1] != right else None
