"""Who is meant: an address, a key in hexadecimal, a JSON condition, or the name of a key in the local keystore.

Names are replaced by addresses here, inside JSON too, so that nothing behind this needs to know of the keystore.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from horoi.base.errors import NotFoundError, UsageError
from horoi.cli.unlocking import keystore

_HEX_32 = re.compile(r"[0-9a-fA-F]{64}")


def who(text: str, folder: Path) -> Any:
    """The condition of ``text`` as JSON data (a string is a key). Raises UsageError."""
    from horoi.node.wallet.text import condition_from_json, condition_to_json

    text = text.strip()
    form: Any = text
    if text.startswith("{"):
        try:
            form = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"a condition that is not JSON: {error}") from None
    return condition_to_json(condition_from_json(_replace(form, folder)))


def who_if(text: str | None, folder: Path) -> Any:
    """As ``who``; None for None."""
    return None if text is None else who(text, folder)


def key_names(folder: Path) -> dict[bytes, str]:
    """Names of the keys of the keystore, by public key."""
    return {entry.public: entry.name for entry in keystore(folder).entries()}


def _replace(form: Any, folder: Path) -> Any:
    if isinstance(form, str):
        return _address(form, folder)
    if isinstance(form, dict):
        return {
            name: [_replace(part, folder) for part in value] if isinstance(value, list) else value
            for name, value in form.items()
        }
    return form


def _address(text: str, folder: Path) -> str:
    from horoi.base.address import PREFIX

    if _HEX_32.fullmatch(text) or text.lower().startswith(PREFIX + "1"):
        return text
    try:
        return keystore(folder).show(text).address
    except (NotFoundError, UsageError):
        raise UsageError(
            f"{text[:100]!r} is neither an address ({PREFIX}1...), nor a key of 64 letters, nor JSON, nor a key in "
            f"{folder}; horoi key list shows the names"
        ) from None
