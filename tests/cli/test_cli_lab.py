"""``horoi lab attack`` from the outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from horoi.cli.lab import ATTACK_KINDS, lab
from horoi.lab.attack import KINDS


def test_the_kinds_of_the_command_are_those_of_the_lab() -> None:
    assert tuple(KINDS) == ATTACK_KINDS


def test_json_is_one_object_with_the_figures() -> None:
    options = ["--kind", "private-fork", "--share", "0.3", "--confirmations", "6", "--trials", "2000", "--seed", "1"]
    ran = CliRunner().invoke(lab, ["attack", *options, "--json"])
    assert ran.exit_code == 0
    result = json.loads(ran.stdout)
    assert (result["share"], result["confirmations"], result["trials"], result["seed"]) == (0.3, 6, 2000, 1)
    assert result["predicted"] == pytest.approx(0.1564496, abs=1e-7)
    assert result["agrees"]


@pytest.mark.parametrize(
    "options",
    [
        ["--kind", "selfish", "--share", "0.35", "--gamma", "0.5", "--trials", "5000"],
        ["--kind", "majority", "--horizon", "50", "--trials", "100"],
        ["--kind", "stale", "--delay", "1", "--interval", "10", "--trials", "500"],
        ["--kind", "timestamps", "--offset", "60", "--half-life", "6000", "--interval", "600", "--trials", "1"],
    ],
)
def test_people_read_a_table_with_a_verdict(options: list[str]) -> None:
    ran = CliRunner().invoke(lab, ["attack", *options])
    assert ran.exit_code == 0, ran.stderr
    assert "measured" in ran.stdout
    assert "measured and predicted agree" in ran.stdout


def test_an_option_of_another_kind_is_refused() -> None:
    ran = CliRunner().invoke(lab, ["attack", "--kind", "selfish", "--confirmations", "6", "--json"])
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "no confirmations" in json.loads(ran.stderr)["error"]["message"]


@pytest.mark.parametrize("options", [[], ["--published", "--kind", "selfish"], ["--published", "--share", "0.2"]])
def test_it_must_be_clear_what_to_play(options: list[str]) -> None:
    assert CliRunner().invoke(lab, ["attack", *options]).exit_code == 2


def test_importing_the_commands_imports_neither_the_lab_nor_rich() -> None:
    program = "import sys, horoi.cli.lab; print([name for name in ('rich', 'horoi.lab') if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout == "[]\n"
