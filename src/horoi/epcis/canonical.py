"""The event hash id: one name for an event, whoever writes it down (CBV 2.0 section 8.9).

The fields of an event are strung together, ``name=value`` without separators, in an order that the standard fixes; lists are
sorted, times are UTC milliseconds, numbers have no needless zeros, GS1 keys are canonical Digital Link URIs, words of the CBV are
web URIs. The SHA-256 of that *pre-hash string* names the event (RFC 6920)::

    ni:///sha-256;6ae96341...?ver=CBV2.0

Two writers must get the same name, so where the standard's text and its reference implementation
(RalphTro/epcis-event-hash-generator, 1.9) part, this follows the implementation; docs/decisions/event-hash.md lists where.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from hashlib import sha256
from typing import Any

from horoi.epcis.context import Namespaces, spell_value
from horoi.epcis.gs1 import canonical
from horoi.epcis.times import format_ms, parse_ms
from horoi.epcis.tree import TYPED, Node, tree_of
from horoi.epcis.vocabulary import web_uri

Order = tuple[tuple[str, "Order"], ...]

_EPC: Order = (("epc", ()),)
_QUANTITY: Order = (("quantityElement", (("epcClass", ()), ("quantity", ()), ("uom", ()))),)


def _names(text: str) -> Order:
    return tuple((name, ()) for name in text.split())


ORDER: Order = (
    *_names("eventTime eventTimeZoneOffset certificationInfo parentID"),
    ("epcList", _EPC),
    ("inputEPCList", _EPC),
    ("childEPCs", _EPC),
    ("quantityList", _QUANTITY),
    ("childQuantityList", _QUANTITY),
    ("inputQuantityList", _QUANTITY),
    ("outputEPCList", _EPC),
    ("outputQuantityList", _QUANTITY),
    *_names("action transformationID bizStep disposition"),
    ("persistentDisposition", _names("set unset")),
    ("readPoint", _names("id")),
    ("bizLocation", _names("id")),
    (
        "sensorElementList",
        (
            (
                "sensorElement",
                (
                    (
                        "sensorMetadata",
                        _names("time startTime endTime deviceID deviceMetadata rawData dataProcessingMethod bizRules"),
                    ),
                    (
                        "sensorReport",
                        _names(
                            "type exception deviceID deviceMetadata rawData dataProcessingMethod time microorganism"
                            " chemicalSubstance value component stringValue booleanValue hexBinaryValue uriValue minValue"
                            " maxValue meanValue sDev percRank percValue uom coordinateReferenceSystem"
                        ),
                    ),
                ),
            ),
        ),
    ),
)
"""The canonical order. What it does not name follows behind it, sorted (as documents, parties, ILMD, user extensions)."""

TIMES = ("eventTime", "time", "startTime", "endTime")
NOT_HASHED = ("type", "recordTime", "eventID", "errorDeclaration")
"""Set by who records, or said of an event afterwards: not what happened. (The type stands in front.)"""

VERSION = "CBV2.0"
HASH_ID = re.compile(r"ni:///sha-256;([0-9a-f]{64})\?ver=CBV2\.0", re.ASCII)

NUMBER_STARTS = frozenset("0123456789+-.")


def prehash(event: dict[str, Any], namespaces: Namespaces, ignored: Collection[str] = ()) -> str:
    """The pre-hash string of an event. ``ignored``: spelled-out names of extensions that its document leaves out."""
    kind = event.get("type")
    nodes = tree_of(event, namespaces)
    text, rest = _in_order(nodes, ORDER, top=True)
    rest = [node for node in rest if node.name not in NOT_HASHED and node.name not in ignored]
    return f"eventType={spell_value(kind if isinstance(kind, str) else '', namespaces)}{text}{_sorted(rest)}"


def hash_id(prehashed: str) -> str:
    """``ni:///sha-256;HEX?ver=CBV2.0``."""
    return hash_id_of(sha256(prehashed.encode()).digest())


def hash_id_of(digest: bytes) -> str:
    """The hash id of these 32 bytes."""
    return f"ni:///sha-256;{digest.hex()}?ver={VERSION}"


def digest_of(event_hash: str) -> bytes | None:
    """The 32 bytes in a hash id; None if it is not one."""
    found = HASH_ID.fullmatch(event_hash)
    return bytes.fromhex(found[1]) if found else None


def _in_order(nodes: Iterable[Node], order: Order, *, top: bool = False) -> tuple[str, list[Node]]:
    """The text of the named children, and what of the children is left."""
    waiting = list(nodes)
    extensions = [] if top or len(waiting) < 2 else [node for node in waiting if _is_extension(node.name)]
    by_name: dict[str, list[Node]] = {}
    for node in waiting:
        by_name.setdefault(node.name, []).append(node)
    parts: list[str] = []
    left: list[Node] = []
    for name, inner in order:
        texts = []
        for node in by_name.pop(name, ()):
            text, rest = _element(node, inner)
            texts.append(text)
            if rest:
                left.append(Node(node.name, node.text, tuple(rest)))
        parts += sorted(texts)
    taken = {node.name for node in extensions}
    left += [node for name, others in by_name.items() if name not in taken for node in others]
    return "".join(parts) + _sorted(extensions), left


def _element(node: Node, order: Order) -> tuple[str, list[Node]]:
    inner, rest = _in_order(node.children, order)
    text = _moment(node.text) if node.name in TIMES else _value(node.text)
    if not text and not inner:
        return "", rest
    return f"{node.name}={text}{inner}" if text else node.name + inner, rest


def _sorted(nodes: Iterable[Node]) -> str:
    """Names, values and everything inside, each level sorted."""
    texts = []
    for node in nodes:
        text = _value(node.text)
        inner = _typed(node) if node.name in TYPED else _sorted(node.children)
        texts.append(f"{node.name}={text}{inner}" if text else node.name + inner)
    return "".join(sorted(texts))


def _typed(node: Node) -> str:
    """Pairs are sorted; inside a pair the type stays first."""
    return "".join(sorted("".join(map(_leaf, pair.children)) for pair in node.children))


def _leaf(node: Node) -> str:
    text = _value(node.text)
    return f"{node.name}={text}" if text else node.name


def _is_extension(name: str) -> bool:
    """An extension inside a standard element is hashed there if its namespace ends in a slash, behind all others if not."""
    return name[:1] == "{" and "/}" in name


def _moment(text: str) -> str:
    text = text.strip()
    moment_ms = parse_ms(text)
    return text if moment_ms is None else format_ms(moment_ms)


def _value(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    if text[0] in NUMBER_STARTS:
        return _number(text)
    text = web_uri(text)
    return canonical(text) or text


def _number(text: str) -> str:
    """Without needless zeros, as the shortest decimal of the nearest double: what the reference implementation writes."""
    try:
        number = float(text)
        whole = int(number)
    except (ValueError, OverflowError):
        return text
    return str(whole if whole == number else number)
