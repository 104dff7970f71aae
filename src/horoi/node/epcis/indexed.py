"""What the store's index has of an event: its facts (``horoi.epcis.facts``), and both of its names."""

from __future__ import annotations

import json
from typing import Any

from horoi.epcis.canonical import hash_id_of
from horoi.epcis.context import Namespaces, namespaces_of
from horoi.epcis.facts import Fact, facts_of


def indexed_facts(event: dict[str, Any], namespaces: Namespaces, event_id: str, digest: bytes) -> list[Fact]:
    """The facts of a checked event. It is found by the id that it was given, and by its hash id."""
    facts = facts_of(event, namespaces)
    names = [Fact("eventID", name) for name in dict.fromkeys((event_id, hash_id_of(digest)))]
    return [*facts, *(name for name in names if name not in facts)]


def facts_of_payload(payload: bytes, event_id: str, digest: bytes) -> list[Fact]:
    """The same, of an event as it is kept."""
    event = json.loads(payload)
    return indexed_facts(event, namespaces_of(event.get("@context")), event_id, digest)
