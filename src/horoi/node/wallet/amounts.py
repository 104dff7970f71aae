"""Decimal amounts of an asset, exactly: ``10.5`` with two decimals is 1050 of the smallest unit. No floats anywhere.

A point separates decimals and nothing separates thousands: ``1,000`` is one thousand to some readers and one to others.
"""

from __future__ import annotations

import re

from horoi.base.codec import U64_MAX
from horoi.base.errors import UsageError

MAX_TEXT_CHARACTERS = 64  # twice what 2**64 with 18 decimals takes

_FORM = re.compile(r"([0-9]+)(?:\.([0-9]+))?")


def parse_amount(text: str, decimals: int) -> int:
    """``text`` in the asset's smallest unit, of which 10**decimals are one. Raises UsageError.

    >>> parse_amount("10.5", 2), parse_amount("6327", 0)
    (1050, 6327)
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise UsageError(
            f"an amount of {len(text)} characters; at most {MAX_TEXT_CHARACTERS} are read",
            code="amount-long",
            most=MAX_TEXT_CHARACTERS,
        )
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"{text!r} is not an amount; write digits with a point for decimals, as in 6327 or 10.5",
            code="amount-form",
            text=text,
        )
    whole, fraction = match[1], (match[2] or "").rstrip("0")
    if len(fraction) > decimals:
        raise UsageError(
            f"{text!r} has {len(fraction)} decimals; this asset has {decimals}",
            code="amount-decimals",
            text=text,
            most=decimals,
        )
    quantity = int(whole + fraction.ljust(decimals, "0"))
    if quantity > U64_MAX:
        most = format_amount(U64_MAX, decimals)
        raise UsageError(
            f"{text!r} is more than the ledger can count: {most}", code="amount-large", text=text, most=most
        )
    return quantity


def format_amount(quantity: int, decimals: int) -> str:
    """The shortest text that ``parse_amount`` reads as ``quantity``.

    >>> format_amount(1050, 2), format_amount(5, 3)
    ('10.5', '0.005')
    """
    if not decimals:
        return str(quantity)
    whole, fraction = divmod(quantity, 10**decimals)
    digits = f"{fraction:0{decimals}}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
