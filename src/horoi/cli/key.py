"""``horoi key``: the keys that own, in the keystore of a node's folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from horoi.base.errors import KeyFileError, UsageError
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import dir_option, node_folder
from horoi.cli.unlocking import keystore, passphrase, passphrase_option

if TYPE_CHECKING:
    from horoi.node.wallet.keystore import KeyEntry, Keystore

no_passphrase_option = click.option(
    "--no-passphrase", is_flag=True, help="Let the key lie open in its file: for demonstrations."
)


@click.group("key")
def key() -> None:
    """Make, list, show, restore keys. A key owns what is given to its address."""


@key.command("new")
@click.argument("name")
@click.option("--words", type=click.Choice(("12", "24")), default="12", show_default=True, help="Of the mnemonic.")
@no_passphrase_option
@passphrase_option
@dir_option
@json_option
@reports_errors
def new(
    name: str, words: str, no_passphrase: bool, passphrase_file: Path | None, folder: Path | None, as_json: bool
) -> None:
    """Make a key from fresh words, and show the words once: write them down.

    \b
    Example:
      horoi key new office
    """
    store = _keystore(node_folder(folder))
    secret = _new_passphrase(name, no_passphrase, passphrase_file)
    entry = store.new(name, words=int(words), passphrase=secret, unencrypted=no_passphrase)
    emit({**_shown(entry), "mnemonic": store.mnemonic(name, secret)}, as_json, _render_new)


@key.command("restore")
@click.argument("name")
@click.option(
    "--mnemonic-file", metavar="FILE", type=click.File("r"), help="The words; - is standard input. [default: a prompt]"
)
@click.option(
    "--account", type=click.IntRange(min=0), default=0, show_default=True, help="Number of the key of these words."
)
@no_passphrase_option
@passphrase_option
@dir_option
@json_option
@reports_errors
def restore(
    name: str,
    mnemonic_file: Any,
    account: int,
    no_passphrase: bool,
    passphrase_file: Path | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Make a key again from its words.

    \b
    Example:
      horoi key restore office
    """
    if mnemonic_file is None and not sys.stdin.isatty():
        raise UsageError("the words are needed and there is no terminal to ask at: give --mnemonic-file FILE, or -")
    words = mnemonic_file.read(2_000) if mnemonic_file else click.prompt("Words", hide_input=True, err=True)
    secret = _new_passphrase(name, no_passphrase, passphrase_file)
    entry = _keystore(node_folder(folder)).restore(
        name, words, account=account, passphrase=secret, unencrypted=no_passphrase
    )
    emit(_shown(entry), as_json, _render_entry)


@key.command("derive")
@click.argument("name")
@click.option("--from", "source", required=True, metavar="NAME", help="A key of the same words.")
@click.option("--account", type=click.IntRange(min=0), help="Number of the new key. [default: the next free one]")
@passphrase_option
@dir_option
@json_option
@reports_errors
def derive(
    name: str, source: str, account: int | None, passphrase_file: Path | None, folder: Path | None, as_json: bool
) -> None:
    """Make a further key from the words of another one.

    \b
    Example:
      horoi key derive till --from office
    """
    store = keystore(node_folder(folder))
    sealed = store.show(source).encrypted
    secret = passphrase(f"Passphrase of key {source}", passphrase_file) if sealed else None
    emit(_shown(store.derive(name, source, account=account, passphrase=secret)), as_json, _render_entry)


@key.command("list")
@dir_option
@json_option
@reports_errors
def list_keys(folder: Path | None, as_json: bool) -> None:
    """The keys, by name. Needs no passphrase.

    \b
    Example:
      horoi key list
    """
    where = node_folder(folder)
    keys = [_shown(entry) for entry in keystore(where).entries()]
    emit({"dir": str(where), "keys": keys}, as_json, _render_list)


@key.command("show")
@click.argument("name")
@click.option(
    "--mnemonic", "with_mnemonic", is_flag=True, help="Also the words: whoever reads them owns what the key owns."
)
@passphrase_option
@dir_option
@json_option
@reports_errors
def show(name: str, with_mnemonic: bool, passphrase_file: Path | None, folder: Path | None, as_json: bool) -> None:
    """What is known of a key: address, public key, account.

    \b
    Example:
      horoi key show office
    """
    store = keystore(node_folder(folder))
    entry = store.show(name)
    shown = _shown(entry)
    if with_mnemonic:
        secret = passphrase(f"Passphrase of key {name}", passphrase_file) if entry.encrypted else None
        shown["mnemonic"] = store.mnemonic(name, secret)
    emit(shown, as_json, _render_entry)


@key.command("address")
@click.argument("name")
@dir_option
@json_option
@reports_errors
def address(name: str, folder: Path | None, as_json: bool) -> None:
    """The address of a key, alone on its line.

    \b
    Example:
      horoi asset transfer crude 10 --to "$(horoi key address shop)"
    """
    entry = keystore(node_folder(folder)).show(name)
    emit({"name": name, "address": entry.address}, as_json, lambda data: click.echo(data["address"]))


def _keystore(folder: Path) -> Keystore:
    """The keystore, with the folder around it for its owner's eyes only."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyFileError(f"folder {folder}: cannot be made: {error.strerror or error}; choose another") from None
    return keystore(folder)


def _new_passphrase(name: str, no_passphrase: bool, file: Path | None) -> str | None:
    if not no_passphrase:
        return passphrase(f"New passphrase for key {name}", file, confirm=True)
    if file is not None:
        raise UsageError("--passphrase-file and --no-passphrase contradict one another; choose one")
    return None


def _shown(entry: KeyEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "address": entry.address,
        "key": entry.public.hex(),
        "account": entry.account,
        "root": entry.root.hex() if entry.root else None,
        "encrypted": entry.encrypted,
    }


def _render_new(data: dict[str, Any]) -> None:
    _render_entry({name: value for name, value in data.items() if name != "mnemonic"})
    click.echo(
        "\nWrite these words down, on paper; whoever has them has the key, and without them a lost file is lost:"
    )
    click.echo(f"\n  {data['mnemonic']}\n")


def _render_entry(data: dict[str, Any]) -> None:
    from horoi.cli.render import fields

    fields(data)


def _render_list(data: dict[str, Any]) -> None:
    from horoi.cli.render import table

    rows = [(k["name"], k["address"], "sealed" if k["encrypted"] else "open") for k in data["keys"]]
    table(("name", "address", "file"), rows, empty=f"no keys in {data['dir']}; make one with: horoi key new NAME")
