"""Every fault of a document: form by the shapes, sense by the rules, names by the context. And the hash ids of what is right.

Nothing is fetched: the standard's schema, vocabulary and context are known here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from horoi.epcis.canonical import HASH_ID, hash_id, prehash
from horoi.epcis.document import Document, Placed, locate, read
from horoi.epcis.kinds import Fault, Faults, shown
from horoi.epcis.rules import check_rules
from horoi.epcis.shapes import EVENTS, OTHER_EVENT


class Hashed(NamedTuple):
    """An event with its name."""

    pointer: str
    event: dict[str, Any]
    prehash: str
    hash_id: str


class Report(NamedTuple):
    """What there is to say about a document."""

    kind: str
    context: Any
    ignored: tuple[str, ...]
    events: list[Hashed]
    errors: list[Fault]
    warnings: list[Fault]
    header: Any = None


def report_on(data: bytes) -> Report:
    """Read, check and hash a document."""
    return report(read(data))


def report_on_value(value: Any) -> Report:
    """The same, of JSON that was already decoded."""
    return report(locate(value))


def report(document: Document) -> Report:
    """Check and hash what was read. An event that cannot be hashed is left out; its errors say why."""
    faults = document.faults
    hashed = []
    for placed in document.events:
        check_event(placed.event, placed.pointer, faults)
        hashed.append(_hash(placed, document.ignored, faults))
    return Report(
        document.kind, document.context, document.ignored, hashed, faults.errors, faults.warnings, document.header
    )


def check_event(event: dict[str, Any], pointer: str, faults: Faults) -> None:
    """The faults of one event."""
    kind = event.get("type")
    if "type" not in event:
        faults.error(pointer, "required", "an event needs 'type'")
        return
    if not isinstance(kind, str):
        faults.error(f"{pointer}/type", "type", f"{shown(kind)} is not a text")
        return
    EVENTS.get(kind, OTHER_EVENT).check(event, pointer, faults)
    check_rules(event, pointer, faults)


def _hash(placed: Placed, ignored: tuple[str, ...], faults: Faults) -> Hashed:
    text = prehash(placed.event, placed.namespaces, ignored)
    name = hash_id(text)
    given = placed.event.get("eventID")
    if isinstance(given, str) and HASH_ID.fullmatch(given) and given != name:
        faults.warn(
            f"{placed.pointer}/eventID", "event-id", f"eventID is a hash id, but not of this event: that is {name}"
        )
    return Hashed(placed.pointer, placed.event, text, name)
