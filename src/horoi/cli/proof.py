"""``horoi proof``: proofs that stand alone: make one from a node, verify one without."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from horoi.base.errors import NotFoundError, UsageError
from horoi.cli.api import connect
from horoi.cli.output import emit, json_option, reports_errors, write_file
from horoi.cli.settings import api_option

if TYPE_CHECKING:
    from horoi.client import Client
    from horoi.ledger.checkpoint import VerifierKey

KINDS = ("transaction", "post", "document", "asset", "holding")


@click.group("proof")
def proof() -> None:
    """Prove to anybody, without a node, that something was recorded."""


@proof.command("make")
@click.argument("what", metavar="ASSET|TX|POST|DOCUMENT")
@click.option(
    "-o", "--output", "output", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE"
)
@click.option("--kind", type=click.Choice(KINDS), help="What it is, where that is not clear.")
@click.option(
    "--number", type=click.IntRange(0, 2**16 - 1), default=0, help="Which post, or which output.  [default: 0]"
)
@click.option("--owner", metavar="ADDRESS", help="Of an asset: only what this address owns or holds.")
@click.option(
    "--depth", type=click.IntRange(0, 5000), default=100, show_default=True, help="Headers above each record."
)
@click.option(
    "--whole", is_flag=True, help="All headers from the first block on: then nothing but more work contradicts it."
)
@api_option
@json_option
@reports_errors
def make(
    what: str,
    output: Path,
    kind: str | None,
    number: int,
    owner: str | None,
    depth: int,
    whole: bool,
    api: str | None,
    as_json: bool,
) -> None:
    """Ask the node for a proof, verify it, and write it to a file.

    WHAT is an asset's name or id, a transaction's id, or a document (a file, or its SHA-256). A transaction with a post is
    proven as that post. Of an asset the proof also shows what is unspent of it; `--kind holding` shows one output.

    \b
    Examples:
      horoi proof make crude -o crude.json
      horoi proof make bill-of-lading.pdf -o bill.json
    """
    from horoi.cli.proofs import check_asked, verdict_of
    from horoi.ledger.proof.form import read

    with connect(api) as client:
        named, identifier = (kind, _identifier(client, kind, what)) if kind is not None else _guess(client, what)
        data = client.proof(named, identifier, number=number, owner=owner, depth=depth, whole=whole)
    proof = read(data)
    check_asked(proof, named, identifier, number)
    summary = verdict_of(proof, None, ())
    write_file(output, data)
    emit(
        {"file": str(output), "size_bytes": len(data), **summary},
        as_json,
        lambda shown: click.echo(f"{shown['claim']['kind']} {shown['claim']['id']}: proof written to {output}"),
    )


@proof.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--genesis", type=click.Path(path_type=Path), metavar="FILE", help="The network that you mean.")
@click.option("--witness", "witnesses", multiple=True, metavar="KEY", help="This node must have signed the checkpoint.")
@json_option
@reports_errors
def verify(file: Path, genesis: Path | None, witnesses: tuple[str, ...], as_json: bool) -> None:
    """Check a proof, offline: every link of it, and say what is proven and what is assumed.

    Exit code 0 if it holds; 4 if it does not, with the name of the broken link.

    \b
    Examples:
      horoi proof verify crude.json --genesis genesis.json
      horoi proof verify bill.json --witness horoi-node/91e0...+5d2f09aa+BDq... --json
    """
    from horoi.cli.genesis_file import read_genesis
    from horoi.cli.proofs import read_proof_file, render_verdict, verdict_of
    from horoi.ledger.proof.form import read

    given = read_genesis(genesis) if genesis is not None else None
    keys = _witness_keys(witnesses)
    emit(verdict_of(read(read_proof_file(file)), given, keys), as_json, render_verdict)


def _witness_keys(texts: tuple[str, ...]) -> tuple[VerifierKey, ...]:
    from horoi.base.errors import DecodeError
    from horoi.ledger.checkpoint import read_verifier_key

    try:
        return tuple(read_verifier_key(text) for text in texts)
    except DecodeError as error:
        raise UsageError(f"--witness: {error}; horoi checkpoint show prints the keys") from None


def _identifier(client: Client, kind: str, what: str) -> str:
    from horoi.cli.documents import document_hash
    from horoi.cli.lookup import asset_id, is_hash

    if kind == "document":
        return document_hash(what)
    if kind == "asset":
        return asset_id(client, what)
    if not is_hash(what):
        raise UsageError(f"{what[:80]!r}: a {kind} is named by the id of its transaction, 64 hexadecimal letters")
    return what


def _guess(client: Client, what: str) -> tuple[str, str]:
    """(kind, id) of what a person named: a file, an id of something, or an asset's name."""
    from horoi.cli.documents import document_hash
    from horoi.cli.lookup import asset_id, is_hash

    if Path(what).is_file():
        return "document", document_hash(what)
    if not is_hash(what):
        return "asset", asset_id(client, what)
    try:
        return ("post" if client.transaction(what).posts else "transaction"), what
    except NotFoundError:
        pass
    try:
        return "asset", client.asset(what).asset.id
    except NotFoundError:
        return "document", client.document(what).hash
