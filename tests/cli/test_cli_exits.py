"""Exit codes are stable, errors are on stderr, in words or as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import click
import pytest
from tests.cli.cli_fake_node import FakeNode, Runner

from horoi.base import errors
from horoi.cli.exits import ClockError, run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.HoroiError("x"), 1),
        (errors.UsageError("x"), 2),
        (errors.DecodeError("x"), 3),
        (errors.RuleError("rule.name", "x"), 4),
        (errors.KeyFileError("x"), 5),
        (errors.StorageError("x"), 6),
        (errors.NetworkError("x"), 7),
        (errors.NotFoundError("x"), 8),
        (errors.ForbiddenError("x"), 9),
        (errors.InsufficientError("x"), 10),
        (ClockError("x"), 11),
        (click.UsageError("x"), 2),
        (click.BadParameter("x"), 2),
        (click.FileError("x"), 2),
        (ZeroDivisionError("x"), 70),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise error

    assert run(fail, as_json=False, debug=False) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    if code != 130:
        assert run(fail, as_json=True, debug=False) == code
        assert json.loads(capsys.readouterr().err)["error"]["message"]


def test_a_fault_says_how_to_see_more_and_debug_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ZeroDivisionError("of a bug")

    run(fail, as_json=False, debug=False)
    assert "--debug" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        run(fail, as_json=False, debug=True)


def test_wrong_use(horoi: Runner) -> None:
    wrong = horoi("stats")
    assert wrong.code == 2
    assert "did you mean 'status'" in wrong.err
    assert horoi("asset", "issue", "--json").error["kind"] == "usage"
    assert horoi("--no-such-option").code == 2


def test_no_node(horoi: Runner) -> None:
    silent = horoi("status", "--api", "127.0.0.1:1", "--json")
    assert silent.code == 7
    assert silent.out == ""
    assert silent.error["kind"] == "network"


def test_a_refusal_of_the_node_keeps_its_family_and_rule(horoi: Runner, fake: FakeNode) -> None:
    from horoi.web.model.base import Problem

    fake.refusals["/v1/status"] = Problem(
        type="urn:horoi:problem:rule", title="t", status=422, detail="broken", rule="spend.twice"
    )
    refused = horoi("status", "--json")
    assert refused.code == 4
    assert refused.error == {"kind": "rule", "rule": "spend.twice", "message": "spend.twice: broken"}


def test_a_reader_that_leaves_early_is_no_error() -> None:
    """Standard output is a pipe whose other end is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "horoi.cli.main", "--help"],
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.returncode == 141
    assert done.stderr == b""
