"""Units of measure that mean the same kind of quantity (UN/ECE Recommendation 20, common codes and conversion factors).

A query names a unit, and what was measured in another one is compared all the same: ``GE_value_KEL=290`` finds 26 CEL (EPCIS 2.0
conformance, test case 53). Factors are exact, so 26 CEL is 78.8 FAH and nothing beside it.

>>> converted(26.0, "CEL", "FAH")
78.8
>>> converted(1.0, "BLL", "LTR")
158.987294928
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import inf, isfinite
from typing import NamedTuple

SYSTEM: dict[str, dict[str, str]] = {
    "length": {
        "MTR": "1", "DMT": "0.1", "CMT": "0.01", "MMT": "0.001", "4H": "0.000001", "KMT": "1000", "INH": "0.0254",
        "FOT": "0.3048", "YRD": "0.9144", "SMI": "1609.344", "NMI": "1852",
    },
    "area": {"MTK": "1", "CMK": "0.0001", "MMK": "0.000001", "KMK": "1000000", "HAR": "10000", "FTK": "0.09290304"},
    "volume": {
        "MTQ": "1", "DMQ": "0.001", "CMQ": "0.000001", "MMQ": "0.000000001", "HLT": "0.1", "LTR": "0.001", "DLT": "0.0001",
        "CLT": "0.00001", "MLT": "0.000001", "BLL": "0.158987294928", "GLL": "0.003785411784", "GLI": "0.00454609",
        "FTQ": "0.028316846592", "INQ": "0.000016387064",
    },
    "mass": {
        "KGM": "1", "GRM": "0.001", "MGM": "0.000001", "MC": "0.000000001", "TNE": "1000", "DTN": "100", "LBR": "0.45359237",
        "ONZ": "0.028349523125", "STN": "907.18474", "LTN": "1016.0469088",
    },
    "density": {"KMQ": "1", "GL": "1", "23": "1000", "A93": "0.001", "GP": "0.000001"},
    "pressure": {
        "PAL": "1", "A97": "100", "KPA": "1000", "MPA": "1000000", "BAR": "100000", "MBR": "100", "ATM": "101325",
    },
    "time": {
        "SEC": "1", "C26": "0.001", "B98": "0.000001", "MIN": "60", "HUR": "3600", "DAY": "86400", "WEE": "604800",
    },
    "speed": {"MTS": "1", "KMH": "5/18", "HM": "0.44704", "KNT": "463/900"},
    "energy": {"JOU": "1", "KJO": "1000", "3B": "1000000", "WHR": "3600", "KWH": "3600000", "MWH": "3600000000"},
    "power": {"WTT": "1", "KWT": "1000", "MAW": "1000000"},
    "voltage": {"VLT": "1", "2Z": "0.001", "KVT": "1000"},
    "current": {"AMP": "1", "4K": "0.001"},
    "frequency": {"HTZ": "1", "KHZ": "1000", "MHZ": "1000000"},
    "share": {"P1": "0.01", "59": "0.000001"},
    "temperature": {"KEL": "1", "CEL": "1", "FAH": "5/9", "A48": "5/9"},
}  # fmt: skip
"""How much of the SI's own unit each is."""

ZERO = {"CEL": Fraction("273.15"), "FAH": Fraction("459.67") * 5 / 9}
"""Scales whose zero lies elsewhere, in kelvin."""


class Unit(NamedTuple):
    """So much of the SI's unit, from this zero."""

    kind: str
    factor: Fraction
    zero: Fraction


UNITS = {
    code: Unit(kind, Fraction(factor), ZERO.get(code, Fraction(0)))
    for kind, codes in SYSTEM.items()
    for code, factor in codes.items()
}


@cache
def others(code: str) -> tuple[str, ...]:
    """The other units of the same kind; none if this one is not known here."""
    unit = UNITS.get(code)
    return tuple(other for other in SYSTEM[unit.kind] if other != code) if unit is not None else ()


def converted(value: float, code: str, other: str, *, is_difference: bool = False) -> float:
    """The nearest double in the other unit. A difference (a deviation, say) has no zero."""
    if not isfinite(value):
        return value
    here, there = UNITS[code], UNITS[other]
    absolute = Fraction(repr(value)) * here.factor
    if not is_difference:
        absolute += here.zero - there.zero
    try:
        return float(absolute / there.factor)
    except OverflowError:
        return inf if absolute > 0 else -inf
