"""Prefixes of a JSON-LD ``@context``, and names spelled out with them (JSON-LD 1.1, section 4.1.5, compact IRIs).

Nothing is fetched: a context that is only named is either the standard's own, whose prefixes are known, or brings none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from horoi.epcis.vocabulary import PREFIXES

Namespaces = Mapping[str, str]


def namespaces_of(context: Any) -> dict[str, str]:
    """Prefix to namespace, of what this ``@context`` itself declares."""
    found: dict[str, str] = {}
    for part in context if isinstance(context, list) else [context]:
        if isinstance(part, dict):
            found.update(
                {prefix: name for prefix, value in part.items() if (name := _name(value)) and prefix[:1] != "@"}
            )
    return found


def joined(outer: Any, inner: Any) -> Any:
    """One context for both: of what stands in an object that has its own. What is there twice counts where it stands last."""
    parts: dict[str, Any] = {}
    for context in (outer, inner):
        for part in context if isinstance(context, list) else [context]:
            text = json.dumps(part, sort_keys=True)
            parts.pop(text, None)
            parts[text] = part
    return list(parts.values())


def _name(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("@id")
    return value if isinstance(value, str) else ""


def spell_key(key: str, namespaces: Namespaces) -> str:
    """``prefix:name`` as ``{namespace}name``; anything else as it is (CBV 2.0 section 8.9, user extensions)."""
    prefix, colon, name = key.partition(":")
    if colon and prefix in namespaces:
        return f"{{{namespaces[prefix]}}}{name}"
    return key


def spell_value(text: str, namespaces: Namespaces) -> str:
    """A compact IRI spelled out, by the document's prefixes and the standard's own (CBV 2.0 section 8.9)."""
    prefix, colon, name = text.partition(":")
    if not colon:
        return text
    namespace = namespaces.get(prefix) or PREFIXES.get(prefix)
    return namespace + name if namespace else text
