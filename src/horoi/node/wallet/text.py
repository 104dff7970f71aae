"""Conditions as people write them: an address, a public key, or JSON for what is compound.

    horoi1...                                     a key, by its address
    64 hexadecimal letters                        a key
    {"threshold": 2, "keys": [KEY, KEY, KEY]}     two of three
    {"any": [...]}   {"all": [...]}               combinations, of 2 to 16 parts
    {"after_height": 1200}                        from that block on
    {"after_time": "2026-12-01T00:00:00Z"}        once the chain's median time is there; or milliseconds since 1970
    {"preimage": "64 hexadecimal letters"}        by showing the bytes whose SHA-256 this is

Inside JSON a key is the string of its address or of its letters. ``condition_to_json`` writes what ``condition_from_json``
reads. A key must be a point of the curve: the ledger does not ask, so the wallet does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from horoi.base.address import PREFIX, address_of, public_key_of
from horoi.base.errors import RuleError, UsageError
from horoi.base.keys import is_public_key
from horoi.ledger import conditions
from horoi.ledger.conditions import (
    MAX_DEPTH,
    MAX_MEMBERS,
    AfterHeight,
    AfterTime,
    AllOf,
    AnyOf,
    Condition,
    Key,
    Preimage,
    Threshold,
)

MAX_TEXT_CHARACTERS = 8_192  # eight times the ledger's limit on a condition, for hexadecimal and spaces

_HEX_32 = re.compile(r"[0-9a-fA-F]{64}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def condition_from_text(text: str) -> Condition:
    """Read a condition from an address, a key in hexadecimal, or JSON. Raises UsageError with what is wrong."""
    text = text.strip()
    if len(text) > MAX_TEXT_CHARACTERS:
        raise UsageError(
            f"a condition of {len(text)} characters; at most {MAX_TEXT_CHARACTERS} are read",
            code="party-long",
            most=MAX_TEXT_CHARACTERS,
        )
    if not text.startswith("{"):
        return Key(_key_of(text))
    try:
        value = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"a condition that is not JSON: {error}") from None
    return condition_from_json(value)


def condition_from_json(value: object) -> Condition:
    """Read a condition from decoded JSON. Raises UsageError."""
    condition = _read(value, MAX_DEPTH)
    try:
        conditions.check(condition)
    except RuleError as error:
        raise UsageError(f"not a condition that the ledger takes: {error}", code=error.code) from None
    return condition


def condition_to_json(condition: Condition) -> Any:
    """The condition as JSON data: a string for a key, a dict for everything else."""
    if isinstance(condition, Key):
        return address_of(condition.public)
    if isinstance(condition, Threshold):
        return {"threshold": condition.needed, "keys": [address_of(key) for key in condition.keys]}
    if isinstance(condition, AfterHeight):
        return {"after_height": condition.height}
    if isinstance(condition, AfterTime):
        return {"after_time": format_time(condition.time_ms)}
    if isinstance(condition, Preimage):
        return {"preimage": condition.digest.hex()}
    parts = [condition_to_json(part) for part in condition.parts]
    return {"all": parts} if isinstance(condition, AllOf) else {"any": parts}


def condition_to_text(condition: Condition) -> str:
    """The condition on one line, as ``condition_from_text`` reads it."""
    form = condition_to_json(condition)
    return form if isinstance(form, str) else json.dumps(form)


def format_time(time_ms: int) -> str | int:
    """ISO 8601 in UTC; the milliseconds themselves if they are beyond the year 9999."""
    try:
        moment = _EPOCH + time_ms * _MILLISECOND
    except OverflowError:
        return time_ms
    return moment.isoformat(timespec="milliseconds" if time_ms % 1000 else "seconds").replace("+00:00", "Z")


def parse_time(value: object) -> int:
    """Milliseconds since 1970 of an ISO 8601 time with its zone, or of a whole number of them. Raises UsageError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise UsageError(f"{value!r} is not a time; write 2026-12-01T00:00:00Z or milliseconds since 1970")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise UsageError(f"{value!r} is not a time; write it as 2026-12-01T00:00:00Z") from None
    if moment.tzinfo is None:
        raise UsageError(f"{value!r} does not say in which zone; end it with Z for UTC, or +02:00")
    count, rest = divmod(moment - _EPOCH, _MILLISECOND)
    if rest:
        raise UsageError(f"{value!r} is finer than a millisecond")
    return count


def _read(value: object, depth_left: int) -> Condition:
    if isinstance(value, str):
        return Key(_key_of(value))
    if not isinstance(value, dict):
        raise UsageError(f"{value!r} is not a condition; it is a key or an object such as {{'any': [...]}}")
    if depth_left == 0:
        raise UsageError(f"a condition nested deeper than {MAX_DEPTH}")
    fields = sorted(value)
    if fields == ["keys", "threshold"]:
        return _threshold(value)
    if fields in (["all"], ["any"]):
        parts = tuple(_read(part, depth_left - 1) for part in _list(value[fields[0]], fields[0], least=2))
        return AllOf(parts) if fields == ["all"] else AnyOf(parts)
    if len(fields) == 1 and fields[0] in _SIMPLE:
        return _SIMPLE[fields[0]](value[fields[0]])
    raise UsageError(
        f"a condition with the fields {fields}; it is one of threshold with keys, all, any, {', '.join(_SIMPLE)}"
    )


def _threshold(value: dict[str, object]) -> Threshold:
    keys = [_key_of(key) for key in _list(value["keys"], "keys", least=1)]
    if len(set(keys)) != len(keys):
        raise UsageError("a threshold names the same key twice")
    needed = _whole(value["threshold"], "threshold", 1, len(keys))
    return Threshold(needed, tuple(sorted(keys)))


def _list(value: object, name: str, *, least: int) -> list[object]:
    if not isinstance(value, list) or not least <= len(value) <= MAX_MEMBERS:
        raise UsageError(f"{name!r} is a list of {least} to {MAX_MEMBERS}")
    return value


def _whole(value: object, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{name!r} is a whole number from {least} to {most}, not {value!r}")
    return value


def _key_of(value: object) -> bytes:
    if not isinstance(value, str):
        raise UsageError(f"{value!r} is not a key; it is an address or 64 hexadecimal letters, as a string")
    text = value.strip()
    if _HEX_32.fullmatch(text):
        key = bytes.fromhex(text)
    elif text[: len(PREFIX)].lower() == PREFIX:
        key = public_key_of(text)
    else:
        raise UsageError(
            f"{text[:100]!r} is neither an address ({PREFIX}1...), nor a key of 64 letters, nor JSON",
            code="party-form",
            text=text[:100],
        )
    if not is_public_key(key):
        raise UsageError(
            f"{text!r} is not a key: no secret can sign for it, and what it is given would be lost",
            code="party-nobody",
            text=text,
        )
    return key


def _after_height(value: object) -> AfterHeight:
    return AfterHeight(_whole(value, "after_height", 1, 2**32 - 1))


def _after_time(value: object) -> AfterTime:
    return AfterTime(_whole(parse_time(value), "after_time", 1, 2**53))


def _preimage(value: object) -> Preimage:
    if not isinstance(value, str) or not _HEX_32.fullmatch(value):
        raise UsageError("'preimage' is the SHA-256 that the secret bytes have: 64 hexadecimal letters")
    return Preimage(bytes.fromhex(value))


_SIMPLE: dict[str, Callable[[object], Condition]] = {
    "after_height": _after_height,
    "after_time": _after_time,
    "preimage": _preimage,
}


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """JSON allows a field twice and readers differ on which counts: refuse it."""
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else _refuse_duplicates(pairs)


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> NoReturn:
    raise ValueError(f"a field stands twice among {[name for name, _ in pairs]}")
