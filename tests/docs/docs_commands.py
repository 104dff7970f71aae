"""What a command in the docs may be, checked without running it: the command exists, and so does every option."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
from tests.docs.docs_pages import PROJECT, Block, blocks, pages

from horoi.cli.main import cli
from horoi.web.routes.table import ENDPOINTS

OTHER_PROGRAMS = {
    ".": "activates the environment that make install made",
    "export": "of the shell",
    "echo": "of the shell",
    "curl": "may be absent; the path is looked up in the API's table",
    ".venv/bin/pre-commit": "needs a git repository; its configuration is read by itself",
}
"""Programs of console blocks that are neither horoi nor make, and why their options are not checked."""


def commands_of(block: Block) -> list[str]:
    """The lines after ``$``."""
    return [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]


def horoi_command(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words after ``horoi`` lead to, and the rest of the words. AssertionError if there is none."""
    command: click.Command = cli
    context = click.Context(cli)
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        assert found is not None, f"there is no command {' '.join(words)!r}: {rest[0]!r} is unknown"
        command, context = found, click.Context(found, parent=context)
        rest.pop(0)
    return command, rest


def check_horoi(words: list[str]) -> None:
    """AssertionError unless the command exists and takes the options."""
    command, rest = horoi_command(words)
    known = {option: p for p in command.params for option in (*p.opts, *p.secondary_opts)}
    known |= dict.fromkeys(("--help", "-h"))
    for word in rest:
        if re.match(r"--?[a-z]", word):
            option = word.partition("=")[0]
            assert option in known, f"horoi {' '.join(words)}: --help lists no {option}"


def check_command(line: str) -> None:
    """AssertionError unless the line is a command that exists, with options that exist."""
    words = shlex.split(line.replace("$(", "").replace(")", ""), comments=True)
    program = words[0]
    if program.endswith("horoi"):
        check_horoi(words[1:])
    elif program == "make":
        makefile = (PROJECT / "Makefile").read_text()
        for target in words[1:]:
            if "=" not in target:
                assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), f"the Makefile has no {target!r}"
    else:
        assert program in OTHER_PROGRAMS, f"{line!r}: neither horoi nor make, and not listed with a reason"
        if program == "curl":
            path = "/" + words[-1].split("/", 3)[3]
            assert path in [endpoint.path for endpoint in ENDPOINTS], f"the API has no {path}"


def written_commands() -> Iterator[tuple[str, str]]:
    """(where, command) of everything in the docs that is a command: in console blocks, in indented lines, in units."""
    for page in pages():
        for block in blocks(page):
            if block.language == "console":
                for command in commands_of(block):
                    yield block.where, command
            elif block.language == "ini":
                for found in re.findall(r"^ExecStart=\S*/(horoi .*)$", block.text, re.MULTILINE):
                    yield block.where, found
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            if re.match(r"    (horoi|make) ", line):
                yield f"{page.relative_to(PROJECT)}:{number}", line.strip()
