"""What one value of an EPCIS document may be, and how a fault in it is told.

The facts are those of GS1's JSON schema for EPCIS 2.0 (types, patterns, code lists); docs/decisions/epcis-validation.md says why
they are written down here as a table instead of carrying the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from horoi.epcis.gs1 import fault_of, wrong_check_digit
from horoi.epcis.patterns import pattern_of
from horoi.epcis.times import OFFSET, parse_ms
from horoi.epcis.vocabulary import CBV, PREFIXES, Vocabulary

MAX_FAULTS = 1000  # a guess: more than anybody reads, less than a document can cause

URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:(?:%[0-9A-Fa-f]{2}|[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=])+", re.ASCII
)  # RFC 3986, by its alphabet
UOM = re.compile(r"[A-Z0-9]{2,3}", re.ASCII)  # UN/ECE recommendation 20
HEX = re.compile(r"[0-9A-Fa-f]+", re.ASCII)
VERSION = re.compile(r"\d+(?:\.\d+)*", re.ASCII)
FOREIGN_CBV = ("urn:epcglobal:cbv", "https://ns.gs1.org/cbv/", "http://ns.gs1.org/cbv/")
GS1_VOCABULARY = ("https://gs1.org/voc/", "http://gs1.org/voc/", "https://www.gs1.org/voc/", "http://www.gs1.org/voc/")


class Fault(NamedTuple):
    """One thing that is wrong: where (RFC 6901), which rule, and what to do."""

    pointer: str
    rule: str
    message: str


class Faults:
    """What a check found: errors, for which a document is refused, and warnings. Bounded."""

    def __init__(self) -> None:
        self.errors: list[Fault] = []
        self.warnings: list[Fault] = []

    def error(self, pointer: str, rule: str, message: str) -> None:
        if len(self.errors) < MAX_FAULTS:
            self.errors.append(Fault(pointer, rule, message))

    def warn(self, pointer: str, rule: str, message: str) -> None:
        if len(self.warnings) < MAX_FAULTS:
            self.warnings.append(Fault(pointer, rule, message))


class Kind(Protocol):
    """What a value may be."""

    def check(self, value: Any, pointer: str, faults: Faults) -> None: ...


def step(pointer: str, key: str | int) -> str:
    """One token further (RFC 6901 section 3)."""
    if isinstance(key, int):
        return f"{pointer}/{key}"
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"


def shown(value: Any) -> str:
    """A value as a message shows it: short."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


class Scalar:
    """A value without parts. ``fault`` says what is wrong with it, or None."""

    def __init__(self, rule: str, fault: Callable[[Any], str | None]) -> None:
        self.rule = rule
        self.fault = fault

    def check(self, value: Any, pointer: str, faults: Faults) -> None:
        fault = self.fault(value)
        if fault is not None:
            faults.error(pointer, self.rule, f"{shown(value)} {fault}")


class Uri:
    """A URI; an EPC URN and a Digital Link on GS1's host must be well-formed as such."""

    def check(self, value: Any, pointer: str, faults: Faults) -> None:
        if not isinstance(value, str) or URI.fullmatch(value) is None:
            faults.error(pointer, "uri", f"{shown(value)} is not a URI (RFC 3986)")
            return
        fault = fault_of(value)
        if fault is not None and pattern_of(value) is None:
            faults.error(pointer, "gs1-key", fault)
            return
        digit = wrong_check_digit(value)
        if digit is not None:
            faults.warn(pointer, "check-digit", f"the check digit of {value!r} should be {digit} (GenSpecs 7.9.1)")


class Word:
    """A word of a code list, or a URI of somebody else's."""

    def __init__(self, vocabulary: Vocabulary, foreign: tuple[str, ...] = FOREIGN_CBV) -> None:
        self.vocabulary = vocabulary
        self.foreign = foreign

    def check(self, value: Any, pointer: str, faults: Faults) -> None:
        name = self.vocabulary.name
        if not isinstance(value, str) or (value not in self.vocabulary.words and URI.fullmatch(value) is None):
            faults.error(pointer, "vocabulary", f"{shown(value)} is no {name} of the CBV, and no URI")
        elif value.startswith(self.foreign):
            faults.error(pointer, "vocabulary", f"{shown(value)}: in JSON a {name} of the standard is a bare word")
        elif (term := _standard_term(value)) and term not in map(self.vocabulary.uri, self.vocabulary.words):
            faults.error(pointer, "vocabulary", f"{shown(value)} is no {name} of the CBV")


def _standard_term(value: str) -> str | None:
    """The full URI if it lies in the CBV's own namespace."""
    if value.startswith("cbv:"):
        return PREFIXES["cbv"] + value.removeprefix("cbv:")
    return value if value.startswith(CBV) else None


class ListOf:
    """A list of one kind."""

    def __init__(self, kind: Kind, *, at_least: int = 0, unique: bool = False) -> None:
        self.kind = kind
        self.at_least = at_least
        self.unique = unique

    def check(self, value: Any, pointer: str, faults: Faults) -> None:
        if not isinstance(value, list):
            faults.error(pointer, "type", f"{shown(value)} is not a list")
            return
        if len(value) < self.at_least:
            faults.error(pointer, "length", f"needs at least {self.at_least} entries, has {len(value)}")
        for place, entry in enumerate(value):
            self.kind.check(entry, f"{pointer}/{place}", faults)
        if self.unique:
            _check_unique(value, pointer, faults)


def _check_unique(value: list[Any], pointer: str, faults: Faults) -> None:
    seen: set[str] = set()
    for place, entry in enumerate(value):
        if not isinstance(entry, str):
            continue
        if entry in seen:
            faults.error(f"{pointer}/{place}", "unique", f"{shown(entry)} is listed twice")
        seen.add(entry)


class OneOrMore:
    """A value of this kind, or a list of such."""

    def __init__(self, kind: Kind) -> None:
        self.one = kind
        self.more = ListOf(kind)

    def check(self, value: Any, pointer: str, faults: Faults) -> None:
        (self.more if isinstance(value, list) else self.one).check(value, pointer, faults)


class Shape:
    """An object with named fields. ``extensible``: names with a prefix may stand beside them, with any content."""

    def __init__(
        self, name: str, fields: Mapping[str, Kind], *, required: tuple[str, ...] = (), extensible: bool = True
    ) -> None:
        self.name = name
        self.fields = dict(fields)
        self.required = required
        self.extensible = extensible

    def check(self, value: Any, pointer: str, faults: Faults) -> None:
        if not isinstance(value, dict):
            faults.error(pointer, "type", f"{shown(value)} is not an object ({self.name})")
            return
        for name in self.required:
            if name not in value:
                faults.error(pointer, "required", f"{self.name} needs {name!r}")
        for name, entry in value.items():
            kind = self.fields.get(name)
            if kind is not None:
                kind.check(entry, step(pointer, name), faults)
            elif not (self.extensible and URI.fullmatch(name)):
                faults.error(step(pointer, name), "field", self._unknown(name))

    def _unknown(self, name: str) -> str:
        if not self.extensible:
            return f"{self.name} has no field {shown(name)} and takes no extensions"
        return f"{self.name} has no field {shown(name)}; an extension's name is prefix:name"


class Open(Shape):
    """An object with some known fields and any others: the events of other standards."""

    def check(self, value: Any, pointer: str, faults: Faults) -> None:
        if isinstance(value, dict):
            value = {name: value[name] for name in value if name in self.fields}
        super().check(value, pointer, faults)


class Context:
    """A JSON-LD context: a URI, an object, or a list of those in which nothing stands twice (GS1's schema, ``@context``)."""

    def check(self, value: Any, pointer: str, faults: Faults) -> None:
        if not isinstance(value, list):
            self._check_part(value, pointer, faults)
            return
        seen: set[str] = set()
        for place, part in enumerate(value):
            self._check_part(part, f"{pointer}/{place}", faults)
            text = json.dumps(part, sort_keys=True)
            if text in seen:
                faults.error(f"{pointer}/{place}", "unique", f"{shown(part)} is listed twice")
            seen.add(text)

    def _check_part(self, part: Any, pointer: str, faults: Faults) -> None:
        if not isinstance(part, dict) and not (isinstance(part, str) and URI.fullmatch(part)):
            faults.error(pointer, "context", f"{shown(part)} is no JSON-LD context: neither a URI nor an object")


class Anything:
    """Any JSON."""

    def check(self, value: Any, pointer: str, faults: Faults) -> None:
        return


def _matches(pattern: re.Pattern[str], what: str) -> Callable[[Any], str | None]:
    return lambda value: None if isinstance(value, str) and pattern.fullmatch(value) else what


def _is_time(value: Any) -> str | None:
    if isinstance(value, str) and parse_ms(value) is not None:
        return None
    return "is not a date and time with an offset, as 2022-12-26T14:30:00.000+02:00"


def _is_number(value: Any) -> str | None:
    return None if isinstance(value, int | float) and not isinstance(value, bool) else "is not a number"


def _is_quantity(value: Any) -> str | None:
    return _is_number(value) or ("is a negative quantity" if value < 0 else None)


uri = Uri()
time = Scalar("time", _is_time)
offset = Scalar("offset", _matches(OFFSET, "is not an offset between -14:00 and +14:00"))
text = Scalar("type", lambda value: None if isinstance(value, str) else "is not a text")
boolean = Scalar("type", lambda value: None if isinstance(value, bool) else "is not true or false")
number = Scalar("type", _is_number)
quantity = Scalar("quantity", _is_quantity)
uom = Scalar("uom", _matches(UOM, "is not a unit code of two or three capitals or digits (UN/ECE rec. 20)"))
hex_binary = Scalar("hex", _matches(HEX, "is not hexadecimal"))
version = Scalar("version", _matches(VERSION, "is not a version, as 2.0"))
anything = Anything()
context = Context()


def one_of(*words: str) -> Scalar:
    """One of a few words."""
    return Scalar(
        "value", lambda value: None if isinstance(value, str) and value in words else f"is none of {', '.join(words)}"
    )
