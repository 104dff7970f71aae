"""Tables in a pipe: plain, whole, without colour or blanks at the ends of lines."""

from __future__ import annotations

import pytest

from horoi.cli.render import fields, plain, table, who


def test_a_table_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    table(("name", "quantity"), [("a" * 64, 5), ("[red]x[/red]", 10_000), ("e\x1b[2J", None)], right=("quantity",))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "quantity"]
    assert lines[2].split() == ["a" * 64, "5"]
    assert lines[3].split() == ["[red]x[/red]", "10000"]
    assert lines[4] == r"e\x1b[2J"
    assert all(line == line.rstrip() for line in lines)


def test_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    table(("name",), [], empty="nobody")
    assert capsys.readouterr().out == "nobody\n"


def test_fields_leave_out_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    fields({"height": 0, "key": None, "tip": "ab"})
    assert capsys.readouterr().out.split() == ["height", "0", "tip", "ab"]


def test_plain_escapes_what_steers() -> None:
    assert plain("Θάσος 10 bbl") == "Θάσος 10 bbl"
    assert plain("a\r\nb\x07\u202e") == r"a\r\nb\x07\u202e"
    assert plain(None) == ""


def test_conditions_in_words() -> None:
    assert who(None) == ""
    assert who("horoi1x") == "horoi1x"
    assert who({"after_height": 12}) == "anybody from block 12 on"
