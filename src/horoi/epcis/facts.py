"""What can be asked of an event: its facts, each a name and a value, so that a store can index them.

Names are those of the query parameters of EPCIS 2.0 section 8.2.7.1 without their operator: ``bizStep``, ``epc``,
``value_CEL``, ``ILMD_https://thasos.example/epcis/grade``. Values that name things are in their canonical form (gs1.py, web
URIs of the CBV), so that a question in one spelling finds an event in another.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import Any, NamedTuple

from horoi.epcis.context import Namespaces, spell_value
from horoi.epcis.gs1 import canonical
from horoi.epcis.shapes import known_fields
from horoi.epcis.times import parse_ms
from horoi.epcis.vocabulary import (
    BIZ_STEPS,
    BIZ_TRANSACTION_TYPES,
    COMPONENTS,
    DISPOSITIONS,
    ERROR_REASONS,
    EXCEPTIONS,
    MEASUREMENTS,
    PARTY_TYPES,
    Vocabulary,
    web_uri,
)

MAX_FACTS = 10_000  # of one event; a guess: a pallet of some thousand items
MAX_INNER_DEPTH = 32  # below the depth that a document may have

WORDS = {"bizStep": BIZ_STEPS, "disposition": DISPOSITIONS}
EPC_FIELDS = {"epcList": "epc", "childEPCs": "epc", "inputEPCList": "inputEPC", "outputEPCList": "outputEPC"}
CLASS_FIELDS = {
    "quantityList": "epcClass",
    "childQuantityList": "epcClass",
    "inputQuantityList": "inputEPCClass",
    "outputQuantityList": "outputEPCClass",
}
TYPED_FIELDS = {
    "bizTransactionList": ("bizTransaction", BIZ_TRANSACTION_TYPES),
    "sourceList": ("source", PARTY_TYPES),
    "destinationList": ("destination", PARTY_TYPES),
}
SENSOR_WORDS = {"type": MEASUREMENTS, "exception": EXCEPTIONS, "component": COMPONENTS}
SENSOR_NUMBERS = ("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue")
SENSOR_TIMES = ("time", "startTime", "endTime")

Value = str | float


class Fact(NamedTuple):
    """A value is a text, or a number (also a moment, in milliseconds)."""

    name: str
    value: Value


def canonical_value(text: str, vocabulary: Vocabulary | None = None, namespaces: Namespaces | None = None) -> str:
    """The one spelling of a name of something."""
    text = text.strip()
    if vocabulary is not None and text in vocabulary.words:
        return vocabulary.uri(text)
    text = web_uri(spell_value(text, namespaces or {}))
    return canonical(text) or text


def facts_of(event: dict[str, Any], namespaces: Namespaces) -> list[Fact]:
    """The facts of a checked event, each once, at most ``MAX_FACTS``."""
    found: dict[Fact, None] = {}
    for fact in _facts(known_fields(event), namespaces):
        if len(found) >= MAX_FACTS:
            break
        found[fact] = None
    return list(found)


def _facts(event: dict[str, Any], names: Namespaces) -> Iterator[Fact]:
    for field, value in event.items():
        if field in WORDS:
            yield Fact(field, canonical_value(value, WORDS[field], names))
        elif field in ("type", "action", "eventID", "transformationID", "parentID"):
            yield Fact("eventType" if field == "type" else field, canonical_value(value, None, names))
        elif field in ("readPoint", "bizLocation"):
            yield Fact(field, canonical_value(value["id"], None, names))
            yield from _extensions(f"{field}_", value, names)
        elif field == "persistentDisposition":
            for way in ("set", "unset"):
                yield from (Fact(f"{field}_{way}", canonical_value(w, DISPOSITIONS, names)) for w in value.get(way, ()))
        elif field in EPC_FIELDS:
            yield from (Fact(EPC_FIELDS[field], canonical_value(epc, None, names)) for epc in value)
        elif field in CLASS_FIELDS:
            yield from _quantities(CLASS_FIELDS[field], value, names)
        elif field in TYPED_FIELDS:
            yield from _typed(*TYPED_FIELDS[field], value, names)
        elif field == "sensorElementList":
            for sensor in value:
                yield Fact("sensorElement", "true")
                yield from _sensor(sensor, names)
        elif field == "errorDeclaration":
            yield from _declaration(value, names)
        elif field == "ilmd":
            yield from _extensions("ILMD_", value, names)
    yield from _extensions("", event, names)


def _quantities(name: str, elements: list[dict[str, Any]], names: Namespaces) -> Iterator[Fact]:
    for element in elements:
        yield Fact(name, canonical_value(element["epcClass"], None, names))
        if "quantity" in element:
            yield Fact("quantity", float(element["quantity"]))
            if "uom" in element:
                yield Fact(f"quantity_{element['uom']}", float(element["quantity"]))


def _typed(name: str, words: Vocabulary, entries: list[dict[str, Any]], names: Namespaces) -> Iterator[Fact]:
    for entry in entries:
        kind = canonical_value(entry["type"], words, names) if "type" in entry else ""
        yield Fact(f"{name}_{kind}", canonical_value(entry[name], None, names))


def _sensor(sensor: dict[str, Any], names: Namespaces) -> Iterator[Fact]:
    yield from _extensions("SENSORELEMENT_", sensor, names)
    metadata = sensor.get("sensorMetadata", {})
    yield from _extensions("SENSORMETADATA_", metadata, names)
    for report in (metadata, *sensor["sensorReport"]):
        for field, value in report.items():
            if field in SENSOR_WORDS:
                yield Fact(field, canonical_value(value, SENSOR_WORDS[field], names))
            elif field in SENSOR_TIMES:
                yield Fact(field, float(parse_ms(value) or 0))
            elif field in SENSOR_NUMBERS:
                yield Fact(field, float(value))
                if "uom" in report:
                    yield Fact(f"{field}_{report['uom']}", float(value))
            elif isinstance(value, bool):
                yield Fact(field, "true" if value else "false")
            elif field != "uom" and ":" not in field:
                yield Fact(field, canonical_value(value, None, names) if field != "stringValue" else value)
        yield from _extensions("SENSORREPORT_" if report is not metadata else "SENSORMETADATA_", report, names)


def _declaration(declaration: dict[str, Any], names: Namespaces) -> Iterator[Fact]:
    yield Fact("errorDeclaration", "true")
    yield Fact("errorDeclarationTime", float(parse_ms(declaration["declarationTime"]) or 0))
    if "reason" in declaration:
        yield Fact("errorReason", canonical_value(declaration["reason"], ERROR_REASONS, names))
    yield from (Fact("correctiveEventID", event) for event in declaration.get("correctiveEventIDs", ()))
    yield from _extensions("ERROR_DECLARATION_", declaration, names)


def _extensions(start: str, fields: dict[str, Any], names: Namespaces) -> Iterator[Fact]:
    """Extensions at this level by their full names, and those inside them as ``INNER_``."""
    for key, value in fields.items():
        if ":" in key and key[:1] != "@":
            yield from _extension(start + spell_value(key, names), value)
            yield from _inner(f"INNER_{start}", value, names, 0)


def _inner(start: str, value: Any, names: Namespaces, depth: int) -> Iterator[Fact]:
    if depth > MAX_INNER_DEPTH:
        return
    if isinstance(value, list):
        for entry in value:
            yield from _inner(start, entry, names, depth + 1)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _extension(start + spell_value(key, names), inner)
            yield from _inner(start, inner, names, depth + 1)


def _extension(name: str, value: Any) -> Iterator[Fact]:
    """The value as text, and as the number or moment that it may be; nothing but its presence if it has parts."""
    if isinstance(value, list):
        for entry in value:
            yield from _extension(name, entry)
        return
    if isinstance(value, dict) or value is None:
        yield Fact(name, "")
        return
    if isinstance(value, bool):
        yield Fact(name, "true" if value else "false")
        return
    if isinstance(value, int | float):
        yield Fact(name, _number(value))
        return
    yield Fact(name, canonical_value(value))
    moment = parse_ms(value)
    number = float(moment) if moment is not None else number_of(value)
    if number is not None:
        yield Fact(name, number)


def _number(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def number_of(text: str) -> float | None:
    """The number that a text spells; None if none, or none that can be compared."""
    try:
        number = float(text)
    except ValueError:
        return None
    return None if isnan(number) else number
