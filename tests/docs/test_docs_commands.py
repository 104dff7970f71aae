"""Every command of the docs: run in a sandbox, or at least one that exists with options that exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.docs_commands import check_command, check_horoi, commands_of, horoi_command, written_commands
from tests.docs.docs_pages import Block, blocks, inline_code, name, pages
from tests.docs.docs_session import Session, difference

NOT_RUN = {
    "make up": "runs until Ctrl-C, and installs",
    "make": "installs, or runs all tests, which this is one of",
    ".venv/bin/pre-commit": "writes into the git repository",
    "horoi doctor": "exits with 1 where something is wrong with the machine, which may be",
    "horoi node run --dir /srv/horoi": "writes to folders of a server",
    "horoi node run --listen": "takes fixed ports of the machine",
    "horoi offer": "needs the nodes of two companies; tests/web/explorer/test_explorer_offers.py plays them",
    "horoi provide": "needs nodes that have met; tests/cli/test_cli_lookup.py runs it between processes",
    "horoi lab": "takes minutes; tests/lab/lookup runs each, small",
    "curl": "may be absent",
}
"""Beginnings of commands that stand in no session, and why."""


def sessions() -> dict[tuple[str, str], list[Block]]:
    found: dict[tuple[str, str], list[Block]] = {}
    for page in pages():
        for block in blocks(page):
            if block.session is not None:
                found.setdefault((name(page), block.session), []).append(block)
    return found


SESSIONS = sessions()


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("session", SESSIONS, ids=" ".join)
def test_a_session_does_what_the_page_says(session: tuple[str, str], tmp_path: Path) -> None:
    with Session(tmp_path) as sandbox:
        for block in SESSIONS[session]:
            sandbox.run(block)


def test_the_sessions_are_there() -> None:
    assert ("README.md", "hand") in SESSIONS
    ran = [command for parts in SESSIONS.values() for block in parts for command in commands_of(block)]
    assert len(ran) > 30


def test_every_command_exists_with_its_options() -> None:
    checked = 0
    for where, command in written_commands():
        try:
            check_command(command)
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from None
        checked += 1
    assert checked > 40


def test_inline_commands_exist_with_their_options() -> None:
    checked = 0
    for page in pages():
        for code in inline_code(page):
            words = code.split()
            if words[0] != "horoi" or any(word.isupper() and word in ("COMMAND",) for word in words):
                continue
            try:
                check_horoi(words[1:])
            except AssertionError as error:
                raise AssertionError(f"{name(page)}: {error}") from None
            checked += 1
    assert checked > 20


def test_what_is_not_run_is_listed_with_its_reason() -> None:
    used = set()
    for page in pages():
        for block in blocks(page):
            if block.language != "console" or block.session is not None:
                continue
            for command in commands_of(block):
                listed = [start for start in NOT_RUN if command.startswith(start)]
                assert listed, f"{block.where}: {command!r} is in no session and not listed in NOT_RUN"
                used.update(listed)
    assert used == set(NOT_RUN), "listed and not used"


def test_a_wrong_command_is_found() -> None:
    for wrong in (
        "horoi frobnicate",
        "horoi asset issue crude 1 --frob",
        "make nonsense",
        "curl http://x/v0/none",
        "rm x",
    ):
        with pytest.raises(AssertionError):
            check_command(wrong)
    assert horoi_command(["key", "new", "office"])[1] == ["office"]


def test_another_output_is_found() -> None:
    printed = "confirmed in block 12\nkey 00112233445566778899\nlast\n"
    assert difference(["confirmed in block 3", "key aabbccddeeff00112233", "last"], printed) is None
    assert difference(["confirmed in block 3", "..."], printed) is None
    assert difference(["...", "last"], printed) is None
    assert difference(["confirmed in block 3"], printed) is not None
    assert difference(["...", "first"], printed) is not None
    assert difference([], printed) is None
