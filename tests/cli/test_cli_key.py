"""``horoi key``: made, shown, restored, never overwritten, never shown by accident."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.cli.cli_fake_node import Runner


def test_new_shows_the_words_once_and_restore_gives_the_same_key(horoi: Runner, home: Path) -> None:
    made = horoi("key", "new", "office", "--no-passphrase", "--json").data
    assert len(made["mnemonic"].split()) == 12
    assert "mnemonic" not in horoi("key", "show", "office", "--json").data
    assert horoi("key", "show", "office", "--mnemonic", "--json").data["mnemonic"] == made["mnemonic"]
    Path("words").write_text(made["mnemonic"])
    again = horoi("key", "restore", "copy", "--mnemonic-file", "words", "--no-passphrase", "--json").data
    assert again["address"] == made["address"]
    assert horoi("key", "address", "copy").out.strip() == made["address"]
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_derive_and_list(horoi: Runner) -> None:
    horoi("key", "new", "office", "--no-passphrase")
    horoi("key", "derive", "till", "--from", "office")
    keys = horoi("key", "list", "--json").data["keys"]
    assert [(key["name"], key["account"]) for key in keys] == [("office", 0), ("till", 1)]
    assert "till" in horoi("key", "list").out


def test_a_passphrase_from_a_file_or_the_environment(horoi: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pass").write_text("right\nsecond line\n")
    assert horoi("key", "new", "office", "--passphrase-file", "pass", "--json").data["encrypted"]
    monkeypatch.setenv("HOROI_PASSPHRASE", "wrong")
    wrong = horoi("key", "show", "office", "--mnemonic", "--json")
    assert wrong.code == 5
    assert "wrong passphrase" in wrong.error["message"]
    monkeypatch.setenv("HOROI_PASSPHRASE", "right")
    assert horoi("key", "show", "office", "--mnemonic").code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["new", "office"], 5),  # no passphrase, and no terminal to ask at
        (["new", "../office", "--no-passphrase"], 2),
        (["new", "office", "--no-passphrase", "--passphrase-file", "x"], 2),
        (["show", "nobody"], 8),
        (["restore", "office", "--no-passphrase"], 2),
    ],
)
def test_refusals(horoi: Runner, arguments: list[str], code: int) -> None:
    assert horoi("key", *arguments).code == code


def test_a_key_is_never_overwritten(horoi: Runner) -> None:
    first = horoi("key", "new", "office", "--no-passphrase", "--json").data
    assert horoi("key", "new", "office", "--no-passphrase").code == 5
    assert horoi("key", "address", "office").out.strip() == first["address"]
