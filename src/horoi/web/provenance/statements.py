"""Quantities that people state in posts: a number before a word for the asset's unit."""

from __future__ import annotations

import re

from horoi.base.errors import UsageError
from horoi.node.index.text import words_of
from horoi.node.wallet.amounts import parse_amount

_STATED = re.compile(r"(?<![\w.,])([0-9]{1,3}(?:[ ,\u00a0][0-9]{3})+|[0-9]{1,18})(\.[0-9]{1,18})?\s?([^\W\d_]{1,20})")

UNIT_WORDS: dict[str, tuple[str, ...]] = {
    "bbl": ("barrel", "barrels", "βαρελι", "βαρελια"),
    "kg": ("kilo", "kilos", "kilogram", "kilograms", "κιλο", "κιλα"),
    "t": ("ton", "tons", "tonne", "tonnes", "τονοσ", "τονοι", "τονουσ"),
    "l": ("litre", "litres", "liter", "liters", "λιτρο", "λιτρα"),
    "m3": ("cubic",),
}
"""How people write a unit beside its symbol, in English and Greek, folded as the index folds words."""

MAX_STATED = 20  # of one post


def stated_quantities(text: str, unit: str, decimals: int) -> list[tuple[str, int | None]]:
    """Numbers that stand before the unit: as they are written, and in the smallest unit (None: not a quantity of it)."""
    symbol = next(iter(words_of(unit)), "")
    words = {symbol, f"{symbol}s", *UNIT_WORDS.get(symbol, ())} - {"", "s"}
    found: list[tuple[str, int | None]] = []
    for match in _STATED.finditer(text):
        if next(iter(words_of(match[3])), "") not in words:
            continue
        number = re.sub(r"[ ,\u00a0]", "", match[1]) + (match[2] or "")
        found.append((match[0].strip(), _quantity(number, decimals)))
        if len(found) >= MAX_STATED:
            break
    return found


def _quantity(number: str, decimals: int) -> int | None:
    try:
        return parse_amount(number, decimals)
    except UsageError:
        return None
