"""One object on stdout, one sentence on stderr, the family's exit code."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from horoi.base.errors import HoroiError, KeyFileError, RuleError, UsageError
from horoi.cli.output import emit, json_option, reports_errors, to_json


def command_that_raises(error: HoroiError) -> click.Command:
    @click.command()
    @json_option
    @reports_errors
    def command(as_json: bool) -> None:
        raise error

    return command


@pytest.mark.parametrize(("error", "code"), [(UsageError("no"), 2), (RuleError("sum", "1 is not 2"), 4)])
def test_errors_go_to_stderr_with_the_exit_code_of_their_family(error: HoroiError, code: int) -> None:
    ran = CliRunner().invoke(command_that_raises(error))
    assert (ran.exit_code, ran.stdout, ran.stderr) == (code, "", f"error: {error}\n")


def test_errors_are_json_on_stderr_when_json_was_asked_for() -> None:
    ran = CliRunner().invoke(command_that_raises(RuleError("sum", "1 is not 2")), ["--json"])
    assert ran.stdout == ""
    assert json.loads(ran.stderr) == {"error": {"kind": "rule", "rule": "sum", "message": "sum: 1 is not 2"}}
    ran = CliRunner().invoke(command_that_raises(KeyFileError("wrong passphrase")), ["--json"])
    assert json.loads(ran.stderr) == {"error": {"kind": "key-file", "message": "wrong passphrase"}}


def test_other_exceptions_are_not_swallowed() -> None:
    @click.command()
    @reports_errors
    def command() -> None:
        raise ZeroDivisionError

    assert isinstance(CliRunner().invoke(command).exception, ZeroDivisionError)


def test_emit_prints_one_object_or_renders(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"id": b"\x01\xff", "name": "ὅρος"}, True, lambda _: pytest.fail("rendered"))
    assert capsys.readouterr().out == '{"id": "01ff", "name": "ὅρος"}\n'
    emit({"id": 1}, False, lambda data: click.echo(f"id {data['id']}"))
    assert capsys.readouterr().out == "id 1\n"


def test_json_has_no_nan() -> None:
    with pytest.raises(ValueError):
        to_json({"x": float("nan")})
