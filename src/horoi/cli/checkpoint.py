"""``horoi checkpoint``: what witnesses signed of a network's chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from horoi.base.errors import DecodeError, RuleError, UsageError
from horoi.cli.api import connect, to_dict
from horoi.cli.output import emit, json_option, reports_errors, write_file
from horoi.cli.settings import api_option


@click.group("checkpoint")
def checkpoint() -> None:
    """Checkpoints of the chain that independent nodes signed (C2SP tlog-checkpoint)."""


@checkpoint.command("show")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the note there."
)
@api_option
@json_option
@reports_errors
def show(output: Path | None, api: str | None, as_json: bool) -> None:
    """The newest checkpoint of the node's chain, who signed it, and the keys by which to check that.

    \b
    Example:
      horoi checkpoint show -o checkpoint.txt
    """
    with connect(api) as client:
        answer = to_dict(client.checkpoint())
    if output is not None and answer["note"] is not None:
        write_file(output, answer["note"].encode())
    emit(answer, as_json, _render)


@checkpoint.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--witness", "witnesses", multiple=True, required=True, metavar="KEY", help="This node must have signed.")
@json_option
@reports_errors
def verify(file: Path, witnesses: tuple[str, ...], as_json: bool) -> None:
    """Check, offline, that every chosen witness signed a checkpoint.

    \b
    Example:
      horoi checkpoint verify checkpoint.txt --witness horoi-node/91e0...+5d2f09aa+BDq...
    """
    from horoi.ledger.checkpoint import MAX_ANY_NOTE_SIZE_BYTES, is_valid, read_any_note, read_verifier_key

    try:
        keys = [read_verifier_key(text) for text in witnesses]
    except DecodeError as error:
        raise UsageError(f"--witness: {error}") from None
    try:
        with file.open("rb") as opened:
            note = read_any_note(opened.read(MAX_ANY_NOTE_SIZE_BYTES + 1).decode())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise DecodeError(f"{file}: not a checkpoint: not UTF-8") from None
    signed = []
    for key in keys:
        made = note.by(key)
        if made is None or not is_valid(note.checkpoint, made):
            raise RuleError(f"cosignature of {key.name}", "is not there, or not valid over this checkpoint")
        signed.append({"name": key.name, "time_s": made.time_s})
    found = note.checkpoint
    answer = {
        "ok": True,
        "network": found.network.hex(),
        "size": found.size,
        "root": found.root.hex(),
        "signed": signed,
    }
    emit(answer, as_json, lambda data: click.echo(f"{len(signed)} witness(es) signed the first {data['size']} headers"))


def _render(data: dict[str, Any]) -> None:
    from horoi.cli.render import plain

    if data["refuses"]:
        click.echo(plain(data["refuses"]))
    if data["note"] is None:
        click.echo("no checkpoint yet: the chain is short, or nobody signed")
    else:
        click.echo(data["note"].rstrip("\n"))
        for cosigner in data["cosigners"]:
            click.echo(f"key {plain(cosigner['key'])}")
    if data["own_key"]:
        click.echo(f"own key {plain(data['own_key'])}")
