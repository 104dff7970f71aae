"""An EPCIS event as the tree that is hashed: names, texts, children.

EPCIS has an XML and a JSON form. CBV 2.0 section 8.9 names the elements of the XML form: a JSON list ``epcList`` is an element of
that name with a child ``epc`` for each entry. So does every field whose name ends in ``List``, also of user extensions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from horoi.epcis.context import Namespaces, spell_key, spell_value
from horoi.epcis.vocabulary import (
    BIZ_STEPS,
    BIZ_TRANSACTION_TYPES,
    COMPONENTS,
    DISPOSITIONS,
    EXCEPTIONS,
    MEASUREMENTS,
    PARTY_TYPES,
    Vocabulary,
)

COMMENTS = ("#text", "comment", "rdfs:comment")
"""No element of its own: the text of its parent, and remarks, which are no part of what happened."""

RENAMED = {
    "inputEPC": "epc",
    "outputEPC": "epc",
    "inputQuantity": "quantityElement",
    "outputQuantity": "quantityElement",
    "childQuantity": "quantityElement",
}
"""Entries of a list whose element has another name than the list (EPCIS 2.0 XML schema)."""

TYPED = {"bizTransactionList": "bizTransaction", "sourceList": "source", "destinationList": "destination"}
"""Lists of pairs: the entry and its type."""

WORDS: dict[str, Vocabulary] = {
    "bizStep": BIZ_STEPS,
    "disposition": DISPOSITIONS,
    "persistentDisposition.set": DISPOSITIONS,
    "persistentDisposition.unset": DISPOSITIONS,
    "bizTransactionList.type": BIZ_TRANSACTION_TYPES,
    "sourceList.type": PARTY_TYPES,
    "destinationList.type": PARTY_TYPES,
    "sensorReport.type": MEASUREMENTS,
    "sensorReport.exception": EXCEPTIONS,
    "sensorReport.component": COMPONENTS,
}
"""Where a bare word stands for a web URI."""


class Node(NamedTuple):
    """An element: what it is called, what it says, what is in it."""

    name: str
    text: str = ""
    children: tuple[Node, ...] = ()


def tree_of(event: dict[str, Any], namespaces: Namespaces) -> tuple[Node, ...]:
    """The children of an event's element."""
    return _children(event, namespaces, "")


def _children(fields: dict[str, Any], namespaces: Namespaces, parent: str) -> tuple[Node, ...]:
    found: list[Node] = []
    for key, value in fields.items():
        if key in COMMENTS or key[:1] == "@" or value is None:
            continue
        name = spell_key(key, namespaces)
        if name in TYPED and isinstance(value, list):
            found += [Node(name, "", tuple(_pair(name, entry, namespaces) for entry in value))] if value else []
        elif name.endswith("List"):
            entries = value if isinstance(value, list) else [value]
            items = tuple(_element(name[:-4], entry, namespaces, parent) for entry in entries if entry is not None)
            found += [Node(name, "", items)] if items else []
        elif name == "childEPCs" and isinstance(value, list):
            found += (
                [Node(name, "", tuple(_element("epc", entry, namespaces, name) for entry in value))] if value else []
            )
        elif isinstance(value, list):
            found += [_element(name, entry, namespaces, parent) for entry in value if entry is not None]
        else:
            found.append(_element(name, value, namespaces, parent))
    return tuple(found)


def _element(name: str, value: Any, namespaces: Namespaces, parent: str) -> Node:
    if isinstance(value, dict):
        inner = _children(value, namespaces, name)
        text = value.get("#text", "")
        element = "quantityElement" if name == "quantity" and inner else RENAMED.get(name, name)
        return Node(element, text if isinstance(text, str) else "", inner)
    if isinstance(value, list):  # a list in a list: its entries have no name of their own
        return Node(name, "", tuple(_element("", entry, namespaces, name) for entry in value if entry is not None))
    vocabulary = WORDS.get(name) or WORDS.get(f"{parent}.{name}")
    return Node(RENAMED.get(name, name), _text(value, namespaces, vocabulary))


def _pair(name: str, entry: Any, namespaces: Namespaces) -> Node:
    """The type stands first, whatever the order in the document."""
    if not isinstance(entry, dict):
        return _element(TYPED[name], entry, namespaces, name)
    keys = [key for key in ("type", TYPED[name]) if entry.get(key) is not None]
    return Node("", "", tuple(_element(key, entry[key], namespaces, name) for key in keys))


def _text(value: Any, namespaces: Namespaces, vocabulary: Vocabulary | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"  # XML Schema, boolean
    if not isinstance(value, str):
        return str(value)
    if vocabulary is not None:
        value = vocabulary.uri(value.strip())
    return spell_value(value, namespaces)
