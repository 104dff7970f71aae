"""EPCIS documents to measure capture with: ObjectEvents of single items, as GS1's own examples have them."""

from __future__ import annotations

import json

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


def capture_document(start: int, count: int) -> bytes:
    """A document of ``count`` shipping events, numbered from ``start`` on, no two alike."""
    document = {
        "@context": [CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-29T12:00:00Z",
        "epcisBody": {"eventList": [_event(number) for number in range(start, start + count)]},
    }
    return json.dumps(document).encode()


def _event(number: int) -> dict[str, object]:
    minute, second = number // 60 % 60, number % 60
    return {
        "type": "ObjectEvent",
        "eventTime": f"2026-11-29T10:{minute:02}:{second:02}.000Z",
        "eventTimeZoneOffset": "+02:00",
        "epcList": [f"https://id.gs1.org/01/09521321000016/21/{number:08}"],
        "action": "OBSERVE",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "readPoint": {"id": "https://id.gs1.org/414/9521321000010"},
        "bizTransactionList": [{"type": "po", "bizTransaction": f"https://example.com/po/{number // 100}"}],
    }
