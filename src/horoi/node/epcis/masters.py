"""Master data of a document's header (EPCIS 2.0 section 9.4): which places lie below which, and what is said of them."""

from __future__ import annotations

from typing import Any

from horoi.epcis.context import Namespaces, spell_value
from horoi.epcis.facts import canonical_value

Descent = list[tuple[str, str]]
Attributes = list[tuple[str, str, str]]


def master_data_of(header: Any, namespaces: Namespaces) -> tuple[Descent, Attributes]:
    """(parent, child) and (id, attribute, value) of a checked header; both empty if there is none."""
    descent: Descent = []
    attributes: Attributes = []
    master_data = header.get("epcisMasterData") if isinstance(header, dict) else None
    for vocabulary in (master_data or {}).get("vocabularyList", ()):
        for element in vocabulary.get("vocabularyElementList", ()):
            name = canonical_value(element["id"], None, namespaces)
            descent += [(name, canonical_value(child, None, namespaces)) for child in element.get("children", ())]
            for attribute in element.get("attributes", ()):
                value = attribute.get("attribute", "")
                text = value if isinstance(value, str) else repr(value)
                attributes.append((name, spell_value(attribute["id"], namespaces), text))
    return descent, attributes
