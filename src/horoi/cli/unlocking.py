"""Keys of the local keystore, and where their passphrases come from: a file, HOROI_PASSPHRASE, or a prompt."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from horoi.base.errors import KeyFileError
from horoi.cli.settings import KEYS_FOLDER

if TYPE_CHECKING:
    from horoi.base.keys import KeyPair
    from horoi.node.wallet.keystore import Keystore

F = TypeVar("F", bound=Callable[..., Any])

passphrase_option: Callable[[F], F] = click.option(
    "--passphrase-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Its first line is the passphrase. [default: HOROI_PASSPHRASE, else a prompt]",
)


def keystore(folder: Path) -> Keystore:
    """The keystore in a node's folder."""
    from horoi.node.wallet.keystore import Keystore

    return Keystore(folder / KEYS_FOLDER)


def unlock(folder: Path, name: str, passphrase_file: Path | None = None) -> KeyPair:
    """The key pair of a key of the keystore; asks for the passphrase where it is needed and nobody gave it."""
    store = keystore(folder)
    if not store.show(name).encrypted:
        return store.unlock(name)
    return store.unlock(name, passphrase(f"Passphrase of key {name}", passphrase_file))


def passphrase(prompt: str, file: Path | None, *, confirm: bool = False) -> str:
    """The passphrase: from the file, the environment, or the terminal. KeyFileError where nobody can be asked."""
    from horoi.node.wallet.seal import PASSPHRASE_VARIABLE, find_passphrase

    found = find_passphrase(os.environ, file)
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise KeyFileError(
            f"a passphrase is needed and there is no terminal to ask at: set {PASSPHRASE_VARIABLE}, "
            "or give --passphrase-file"
        )
    answer: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    return answer
