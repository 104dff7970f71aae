"""Bytes in, events out: EPCIS documents, query documents, single events, bare lists of events, as JSON or JSON-LD.

Whoever sends a document is a stranger: its size, depth and number of events are bounded before anything looks at them, and what
JSON leaves open (a name given twice, NaN, half a surrogate pair) is refused, because two readers would see two events.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from horoi.epcis.context import Namespaces, namespaces_of, spell_key
from horoi.epcis.kinds import Faults, ListOf, Open, shown, step
from horoi.epcis.shapes import DOCUMENT, QUERY_DOCUMENT, QUERY_RESULTS

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024  # a guess: some 60,000 events
MAX_EVENTS = 100_000  # a guess
MAX_DEPTH = 64  # a guess: GS1's fullest example is 12 deep

EVENTS = ListOf(Open("an event", {}, required=()))

TOO_LARGE = 2**1024  # behind the largest double (IEEE 754)

ABSENT = object()
"""No value at all: null is one."""

IGNORED = ":ignoreFields"
"""A document may name extensions that no event hash covers (reference implementation, after 1.9.3)."""


class Placed(NamedTuple):
    """An event, where it stands in its document, and the prefixes that hold there."""

    pointer: str
    event: dict[str, Any]
    namespaces: Namespaces


class Document(NamedTuple):
    """What was read. With errors there may be fewer events than the document has."""

    kind: str  # EPCISDocument, EPCISQueryDocument, event, list; empty if it is none
    context: Any
    events: list[Placed]
    ignored: tuple[str, ...]  # spelled-out names of extensions that no event hash covers
    faults: Faults
    header: Any = None  # epcisHeader, which may hold master data


class _Refused(ValueError):
    """The JSON is not what any two readers would agree on."""


def read(data: bytes) -> Document:
    """Read a document. Never raises: what is wrong is in ``faults``."""
    faults = Faults()
    if len(data) > MAX_DOCUMENT_BYTES:
        faults.error("", "size", f"{len(data)} bytes; at most {MAX_DOCUMENT_BYTES} are read")
        return _nothing(faults)
    try:
        value = json.loads(data, object_pairs_hook=_fields, parse_constant=_constant)
    except RecursionError:
        faults.error("", "depth", f"nested deeper than {MAX_DEPTH}")
        return _nothing(faults)
    except ValueError as error:  # also UnicodeDecodeError and the refusal of numbers with thousands of digits
        faults.error("", "json", f"not JSON: {error}")
        return _nothing(faults)
    return locate(value, faults)


def locate(value: Any, faults: Faults | None = None) -> Document:
    """Find the events in JSON that was already decoded."""
    faults = faults if faults is not None else Faults()
    _check_bounds(value, "", 0, faults)
    if faults.errors:
        return _nothing(faults)
    if isinstance(value, list):
        return _with_events("list", None, value, "", {}, faults)
    if not isinstance(value, dict):
        faults.error("", "type", f"{shown(value)} is no EPCIS document, event or list of events")
        return _nothing(faults)
    kind = value.get("type")
    if kind == "EPCISDocument":
        return _document(value, faults)
    if kind == "EPCISQueryDocument":
        return _query_document(value, faults)
    return _single(value, faults)


def _nothing(faults: Faults) -> Document:
    return Document("", None, [], (), faults)


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused(f"the name {shown(twice)} is given twice in one object")
    return fields


def _constant(name: str) -> float:
    raise _Refused(f"{name} is not JSON (RFC 8259)")


def _check_bounds(value: Any, pointer: str, depth: int, faults: Faults) -> None:
    if depth > MAX_DEPTH:
        faults.error(pointer[:200], "depth", f"nested deeper than {MAX_DEPTH}")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name, pointer, faults)
            _check_bounds(inner, step(pointer, name), depth + 1, faults)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            _check_bounds(inner, f"{pointer}/{place}", depth + 1, faults)
    elif isinstance(value, str):
        _check_text(value, pointer, faults)
    elif isinstance(value, int | float) and not abs(value) < TOO_LARGE:  # 1e999 is infinite as a double
        faults.error(pointer, "number", "the number is larger than a double can hold")


def _check_text(text: str, pointer: str, faults: Faults) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        faults.error(pointer, "unicode", "half of a surrogate pair is no character")


def _document(value: dict[str, Any], faults: Faults) -> Document:
    DOCUMENT.check(value, "", faults)
    body = _inner(value, "epcisBody", "", ("eventList",), faults)
    return _with_events("EPCISDocument", value.get("@context"), body, "/epcisBody/eventList", value, faults)


def _query_document(value: dict[str, Any], faults: Faults) -> Document:
    QUERY_DOCUMENT.check(value, "", faults)
    results = value.get("epcisBody")
    results = results.get("queryResults") if isinstance(results, dict) else None
    if results is not None:
        QUERY_RESULTS.check(results, "/epcisBody/queryResults", faults)
    at = ("queryResults", "resultsBody", "eventList")
    body = _inner(value, "epcisBody", "", at, faults)
    pointer = "/epcisBody/" + "/".join(at)
    return _with_events("EPCISQueryDocument", value.get("@context"), body, pointer, value, faults)


def _single(value: dict[str, Any], faults: Faults) -> Document:
    if "type" not in value:
        faults.error("", "required", "needs 'type': EPCISDocument, EPCISQueryDocument or the type of an event")
        return _nothing(faults)
    if "@context" not in value:
        faults.error("", "required", "a single event needs '@context'")
    namespaces = namespaces_of(value.get("@context"))
    return Document("event", value.get("@context"), [Placed("", value, namespaces)], (), faults)


def _inner(value: dict[str, Any], name: str, pointer: str, rest: tuple[str, ...], faults: Faults) -> Any:
    """Walk down by these names; ABSENT, with a fault, where there is no way."""
    if name not in value:
        return ABSENT  # told by the shape
    inner, pointer = value[name], step(pointer, name)
    for following in rest:
        if not isinstance(inner, dict):
            faults.error(pointer, "type", f"{shown(inner)} is not an object")
            return ABSENT
        if following not in inner:
            faults.error(pointer, "required", f"needs {following!r}")
            return ABSENT
        inner, pointer = inner[following], step(pointer, following)
    return inner


def _with_events(kind: str, context: Any, body: Any, pointer: str, outer: dict[str, Any], faults: Faults) -> Document:
    namespaces = namespaces_of(context)
    names = [
        name for key, value in outer.items() if key.endswith(IGNORED) and isinstance(value, list) for name in value
    ]
    ignored = tuple(spell_key(name, namespaces) for name in names if isinstance(name, str) and ":" in name)
    if body is not ABSENT:
        EVENTS.check(body, pointer, faults)
    events = body if isinstance(body, list) else []
    if len(events) > MAX_EVENTS:
        faults.error(pointer, "size", f"{len(events)} events; at most {MAX_EVENTS} are read")
        events = []
    placed = [
        Placed(f"{pointer}/{place}", event, {**namespaces, **own} if (own := _own(event)) else namespaces)
        for place, event in enumerate(events)
        if isinstance(event, dict)
    ]
    return Document(kind, context, placed, ignored, faults, outer.get("epcisHeader"))


def _own(event: dict[str, Any]) -> dict[str, str]:
    return namespaces_of(event["@context"]) if "@context" in event else {}
