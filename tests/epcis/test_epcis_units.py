"""Units of one kind turn into each other and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.epcis.units import SYSTEM, UNITS, converted, others


@pytest.mark.parametrize(
    ("value", "code", "other", "expected"),
    [
        (26.0, "CEL", "KEL", 299.15),
        (-40.0, "CEL", "FAH", -40.0),
        (212.0, "FAH", "CEL", 100.0),
        (42.0, "GLL", "BLL", 1.0),
        (1.0, "LTN", "LBR", 2240.0),
        (36.0, "KMH", "MTS", 10.0),
        (1.0, "NMI", "MTR", 1852.0),
        (1.0, "ATM", "MBR", 1013.25),
        (1.0, "KWH", "KJO", 3600.0),
        (2.0, "23", "KMQ", 2000.0),
        (float("inf"), "KGM", "GRM", float("inf")),
        (-1e308, "TNE", "MGM", float("-inf")),
    ],
)
def test_known_conversions(value: float, code: str, other: str, expected: float) -> None:
    assert converted(value, code, other) == expected


def test_a_difference_has_no_zero() -> None:
    assert converted(5.0, "CEL", "FAH", is_difference=True) == 9.0
    assert converted(5.0, "CEL", "KEL", is_difference=True) == 5.0


@given(st.sampled_from(sorted(UNITS)), st.floats(-1e9, 1e9), st.data())
@settings(deadline=None)
def test_there_and_back(code: str, value: float, data: st.DataObject) -> None:
    other = data.draw(st.sampled_from(others(code)))
    assert converted(converted(value, code, other), other, code) == pytest.approx(value, rel=1e-9, abs=1e-6)


def test_no_code_is_of_two_kinds() -> None:
    assert sum(len(codes) for codes in SYSTEM.values()) == len(UNITS)
    assert others("no unit") == ()
