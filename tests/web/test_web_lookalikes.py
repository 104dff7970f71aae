"""Names that read as another: spaces that nobody sees, and words of several alphabets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.web.lookalikes import is_odd


@pytest.mark.parametrize(
    "name",
    [
        "crude",
        "Thasos crude oil",
        "Πετρέλαιο Θάσου",
        "Petrol 95 (Θάσος)",
        "原油 カタ ひら漢",
        "µm",
        "E10",
        "naïve",
        "😀 flag",
        "S-4",
    ],
)
def test_what_people_call_things_is_not_odd(name: str) -> None:
    assert not is_odd(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "crude ",
        " crude",
        "a  b",
        "a\u00a0b",
        "a\u3000b",
        "a\nb",
        "\u03a4hasos",
        "crud\u0435",
        "\uff21b",
        "\U0001d401c",
    ],
)
def test_what_reads_as_something_else_is(name: str) -> None:
    assert is_odd(name)


@given(st.text())
def test_any_text_has_an_answer(name: str) -> None:
    assert is_odd(name) in (True, False)
    assert is_odd(name + " ")
