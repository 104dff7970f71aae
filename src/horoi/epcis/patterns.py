"""Pure identity patterns: ``urn:epc:idpat:sgtin:4012345.*.*`` stands for every SGTIN of a company (EPC Tag Data Standard 1.13
section 8).

The fields of a pattern are given up to some place, and all behind it are ``*``. Events are kept under canonical Digital Links,
where the company prefix stands between other digits, so a pattern becomes what a link begins with, which an index can walk along,
and the forms that the whole link may have.

>>> pattern = pattern_of("urn:epc:idpat:sscc:4012345.*")
>>> pattern.starts[3], pattern.forms
('https://id.gs1.org/00/34012345', ('https://id.gs1.org/00/?4012345??????????',))
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from itertools import takewhile
from typing import NamedTuple

from horoi.epcis.gs1 import COMPANY_DIGITS, CPI_REFERENCE, DOMAIN, OTHER_SCHEMES, check_digit

START = "urn:epc:idpat:"
ANY = "*"
ONE = "?"  # any one character
DIGITS = "0123456789"
CLASS_TAILS = ("", "/21/*", "/10/*")  # a class, its single things, its lots


class Pattern(NamedTuple):
    """What a text begins with, and the forms (``*`` and ``?`` as in GLOB) of which it has one."""

    starts: tuple[str, ...]
    forms: tuple[str, ...]

    def matches(self, text: str) -> bool:
        """Whether a canonical name is one of those that are meant."""
        return any(fnmatchcase(text, form) for form in self.forms)


class Scheme(NamedTuple):
    """How the link of a scheme is built: ``lead`` and company and reference and check digit, then a tail."""

    fields: int
    ai: str
    digits: int  # of the key with its check digit; 0 if it has none
    lead: str  # before the company: ONE is the indicator, the reference's first digit
    tails: tuple[str, ...]


SCHEMES = {
    "sgtin": Scheme(3, "01", 14, ONE, CLASS_TAILS),
    "upui": Scheme(3, "01", 14, ONE, ("", "/235/*")),
    "itip": Scheme(5, "8006", 14, ONE, CLASS_TAILS),
    "sscc": Scheme(2, "00", 18, ONE, ("",)),
    "sgln": Scheme(3, "414", 13, "", ("", "/254/*")),
    "pgln": Scheme(2, "417", 13, "", ("",)),
    "gsrn": Scheme(2, "8018", 18, "", ("",)),
    "gsrnp": Scheme(2, "8017", 18, "", ("",)),
    "gsin": Scheme(2, "402", 17, "", ("",)),
    "grai": Scheme(3, "8003", 14, "0", (ANY,)),
    "gdti": Scheme(3, "253", 13, "", (ANY,)),
    "sgcn": Scheme(3, "255", 13, "", (ANY,)),
    "giai": Scheme(2, "8004", 0, "", (ANY,)),
    "ginc": Scheme(2, "401", 0, "", (ANY,)),
    "cpi": Scheme(3, "8010", 0, "", ("", "/8011/*")),
}
COUNTS = 2  # digits each of an ITIP's piece and total
OTHER_FIELDS = {"gid": 3, "usdod": 2, "adi": 3, "bic": 1, "imovn": 1}
OTHER = re.compile(r"(?:%[0-9A-Fa-f]{2}|[0-9A-Za-z-])*", re.ASCII)
REFERENCE = re.compile(CPI_REFERENCE, re.ASCII)


def pattern_of(urn: str) -> Pattern | None:
    """What a pattern stands for; None if it is not well-formed."""
    if not urn.startswith(START):
        return None
    kind, _, body = urn.removeprefix(START).partition(":")
    fields = body.split(".")
    given = list(takewhile(lambda field: field != ANY, fields))
    if len(given) == len(fields) or any(field != ANY for field in fields[len(given) :]):
        return None
    if f"id:{kind}" in OTHER_SCHEMES:
        return _other(kind, given) if len(fields) == OTHER_FIELDS[kind] else None
    scheme = SCHEMES.get(kind)
    return _of_key(scheme, given) if scheme is not None and len(fields) == scheme.fields else None


def _other(kind: str, given: list[str]) -> Pattern | None:
    """Without a GS1 key there is no link: names of this scheme stay as they are."""
    if not all(OTHER.fullmatch(field) for field in given):
        return None
    start = "".join(f"{field}." for field in given)
    return Pattern((f"urn:epc:id:{kind}:{start}",), (f"urn:epc:id:{kind}:{start}{ANY}",))


def _of_key(scheme: Scheme, given: list[str]) -> Pattern | None:
    key = _key(scheme, given[:2])
    if key is None:
        return None
    counts = _counts(given[2:]) if scheme.fields > 3 else ""
    if counts is None:
        return None
    start = f"{DOMAIN}/{scheme.ai}/{key}{counts}"
    return Pattern(_starts(start), tuple(start + tail for tail in scheme.tails))


def _key(scheme: Scheme, given: list[str]) -> str | None:
    """The key as far as it is given; ONE for each digit that is not, ANY for the rest of a key without fixed length."""
    if not given:
        return ONE * scheme.digits or ANY
    company, *references = given
    if not _is_number(company) or len(company) not in COMPANY_DIGITS:
        return None
    if scheme.digits == 0:
        return _of_letters(scheme, company, references)
    if not references:
        return (scheme.lead + company).ljust(scheme.digits, ONE)
    reference = references[0]
    indicator = reference[:1] if scheme.lead == ONE else scheme.lead
    digits = indicator + company + (reference[1:] if scheme.lead == ONE else reference)
    if len(digits) != scheme.digits - 1 or not _is_number(digits):
        return None
    return digits + check_digit(digits)


def _of_letters(scheme: Scheme, company: str, references: list[str]) -> str | None:
    if not references:
        return company if scheme.tails == (ANY,) else company + ANY
    return company + references[0] if REFERENCE.fullmatch(references[0]) else None


def _counts(given: list[str]) -> str | None:
    """Piece and total of an ITIP."""
    if not all(_is_number(count) and len(count) == COUNTS for count in given):
        return None
    return "".join(given).ljust(2 * COUNTS, ONE)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _starts(form: str) -> tuple[str, ...]:
    """What comes before the first free character; where that is an indicator before a company, one start for each digit."""
    head = re.split(r"[*?]", form, maxsplit=1)[0]
    rest = form[len(head) + 1 :]
    if form[len(head) : len(head) + 1] != ONE or rest[:1] in (ONE, ANY, ""):
        return (head,)
    company = re.split(r"[*?]", rest, maxsplit=1)[0]
    return tuple(head + digit + company for digit in DIGITS)
