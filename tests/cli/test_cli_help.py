"""Help is quick, whole, and shows an example everywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from tests.cli.cli_fake_node import Runner

from horoi.cli.main import SECTIONS, cli

HEAVY = (
    "msgspec",
    "coincurve",
    "cryptography",
    "httpx",
    "rich",
    "starlette",
    "uvicorn",
    "rocksdict",
    "asyncio",
    "platformdirs",
    "horoi.ledger",
    "horoi.node",
    "horoi.web",
    "horoi.world",
)

COUNT_MODULES = """
import sys
from horoi.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert ended.code == 0, ended.code
import json
print("\\n" + json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize(
    "arguments",
    [[], ["--help"], ["--version"], ["asset", "--help"], ["asset", "transfer", "--help"], ["node", "run", "--help"]]
    + [[name, "--help"] for section in SECTIONS.values() for name in section if name not in ("bench", "up")],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COUNT_MODULES, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert [name for name in loaded if name.startswith(tuple(HEAVY))] == []


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        if not path and name in ("bench", "up", "lab"):  # others look after these
            continue
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands(cli))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_shows_an_example_and_speaks_json(name: str) -> None:
    command = COMMANDS[name]
    assert f"horoi {name.split(maxsplit=1)[0]}" in (command.help or "")
    assert "Example" in (command.help or "")
    assert any("--json" in parameter.opts for parameter in command.params)


def test_every_promised_command_is_there() -> None:
    promised = {
        "network new", "network show", "node run", "key new", "key list", "key show", "key restore", "key address",
        "asset define", "asset issue", "asset transfer", "asset hand-over", "asset reclaim", "asset license",
        "asset transform", "asset retire", "asset history", "asset show", "asset list", "holdings", "post", "posts",
        "document hash", "tx show", "tx sign", "tx merge", "tx submit", "tx wait", "block show", "ledger audit",
        "ledger export", "ledger import", "ledger rebuild", "peers", "status", "mine", "doctor", "completion",
    }  # fmt: skip
    assert promised <= COMMANDS.keys()


def test_the_first_screen_says_what_to_do_first(horoi: Runner) -> None:
    shown = horoi()
    assert shown.code == 0
    assert "horoi up" in shown.out
    assert "horoi node run --genesis" in shown.out


def test_version(horoi: Runner) -> None:
    assert horoi("--version").out.startswith("horoi ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_this_program(horoi: Runner, shell: str) -> None:
    script = horoi("completion", shell).out
    assert "_HOROI_COMPLETE" in script
    assert horoi("completion", shell, "--json").data["script"] + "\n" == script


def test_completion_lists_commands_without_loading_them() -> None:
    items = cli.shell_complete(click.Context(cli), "hol")
    assert [item.value for item in items] == ["holdings"]
