"""Lengths of time as people write them: 500ms, 2s, 10m, 1h, 7d."""

from __future__ import annotations

import re

import click

_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)?")
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def parse_duration_ms(text: str) -> int | None:
    """Milliseconds; seconds where no unit is written; None if it is no duration of at least 1 ms.

    >>> parse_duration_ms("2s"), parse_duration_ms("1.5m"), parse_duration_ms("soon")
    (2000, 90000, None)
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        return None
    milliseconds = float(match[1]) * _UNITS_MS[match[2] or "s"]
    return round(milliseconds) if 1 <= milliseconds <= 2**53 else None


def duration(text: str) -> int:
    """The type of an option: milliseconds."""
    milliseconds = parse_duration_ms(text)
    if milliseconds is None:
        raise click.BadParameter(f"{text!r} is no length of time; write 500ms, 2s, 10m, 1h or 7d")
    return milliseconds
