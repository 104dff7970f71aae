"""``horoi post``, ``posts``, ``document``: the bulletin board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from horoi.base.errors import UsageError
from horoi.cli.api import connect, connect_as_owner, to_dict
from horoi.cli.output import emit, json_option, reports_errors, write_file
from horoi.cli.settings import api_option, dir_option
from horoi.cli.sign import Signing, act, signing_options


@click.command("post")
@click.argument("text", default="")
@click.option("--about", metavar="ASSET", help="The asset that it is about.")
@click.option("--document", metavar="FILE|HASH", help="A document; its hash is posted, not its content.")
@click.option("--author", metavar="WHO", help="Who says it. [default: the first key]")
@signing_options
@json_option
@reports_errors
def post(
    signing: Signing, as_json: bool, text: str, about: str | None, document: str | None, author: str | None
) -> None:
    """Say something on the bulletin board: a text, a document's hash, or both.

    \b
    Example:
      horoi post "6327 barrels loaded" --about crude --document bill-of-lading.pdf --key office
    """
    from horoi.cli.documents import document_hash
    from horoi.web.model.wallet import Say

    if not text and document is None:
        raise UsageError("say something: TEXT, --document FILE, or both")
    digest = document_hash(document) if document is not None else None
    act(signing, Say(text=text, about=about, document=digest, author=signing.who_if(author)), as_json)


@click.command("posts")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option(
    "--from-height", type=click.IntRange(0, 2**32 - 1), help="From this block on, oldest first. [default: the newest]"
)
@click.option("--after", metavar="CURSOR", help="Go on behind this one.")
@api_option
@json_option
@reports_errors
def posts(limit: int, from_height: int | None, after: str | None, api: str | None, as_json: bool) -> None:
    """Read the bulletin board: the newest posts, or all from a height on.

    \b
    Example:
      horoi posts --from-height 0 --json
    """
    with connect(api) as client:
        emit(to_dict(client.posts(from_height=from_height, after=after, limit=limit)), as_json, _render_posts)


@click.group("document")
def document() -> None:
    """Documents: their hashes on the ledger, their bytes at the peers that keep them."""


@document.command("hash")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@json_option
@reports_errors
def hash_document(file: str, as_json: bool) -> None:
    """The SHA-256 of a file, as posts carry it.

    \b
    Example:
      horoi document hash bill-of-lading.pdf
    """
    from horoi.cli.documents import document_hash

    emit({"file": file, "sha256": document_hash(file)}, as_json, lambda data: click.echo(data["sha256"]))


@document.command("find")
@click.argument("file", metavar="FILE|HASH")
@api_option
@json_option
@reports_errors
def find_document(file: str, api: str | None, as_json: bool) -> None:
    """Who posted a document's hash, and when.

    \b
    Example:
      horoi document find bill-of-lading.pdf
    """
    from horoi.cli.documents import document_hash

    with connect(api) as client:
        emit(to_dict(client.document(document_hash(file))), as_json, _render_posts)


@document.command("put")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@api_option
@dir_option
@json_option
@reports_errors
def put_document(file: Path, api: str | None, folder: Path | None, as_json: bool) -> None:
    """Have the node keep a document and give it to peers that ask. A post makes its hash known: post --document FILE.

    \b
    Example:
      horoi document put bill-of-lading.pdf && horoi post "loaded" --document bill-of-lading.pdf
    """
    from horoi.cli.documents import read_document

    data = read_document(file)
    with connect_as_owner(api, folder) as client:
        kept = to_dict(client.keep_document(data))
    emit({"file": str(file), **kept}, as_json, lambda shown: click.echo(shown["hash"]))


@document.command("get")
@click.argument("name", metavar="FILE|HASH")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--timeout", type=click.FloatRange(1), default=60.0, show_default=True, help="Seconds to wait for peers.")
@api_option
@dir_option
@json_option
@reports_errors
def get_document(name: str, output: Path, timeout: float, api: str | None, folder: Path | None, as_json: bool) -> None:
    """Download a document: from the node if it is there, else the node fetches it from peers first. Its hash is checked here.

    \b
    Example:
      horoi document get 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 -o bill.pdf
    """
    from horoi.cli.documents import document_hash, fetch_content

    digest = document_hash(name)
    data = fetch_content(api, folder, digest, timeout)
    write_file(output, data)
    found = {"file": str(output), "hash": digest, "size_bytes": len(data)}
    emit(found, as_json, lambda shown: click.echo(f"{shown['size_bytes']} bytes, as their hash says: {shown['file']}"))


@document.command("remove")
@click.argument("name", metavar="FILE|HASH")
@api_option
@dir_option
@json_option
@reports_errors
def remove_document(name: str, api: str | None, folder: Path | None, as_json: bool) -> None:
    """Have the node keep a document no longer. Its hash on the ledger stays.

    \b
    Example:
      horoi document remove bill-of-lading.pdf
    """
    from horoi.cli.documents import document_hash

    with connect_as_owner(api, folder) as client:
        gone = to_dict(client.remove_document(document_hash(name)))
    emit(gone, as_json, lambda shown: click.echo(f"{shown['hash']} is not kept here any more"))


def _render_posts(data: dict[str, Any]) -> None:
    from horoi.cli.render import plain, who

    if data.get("content") is not None:
        click.echo(f"the document itself: {data['content']['state']}")
    if not data["posts"]:
        click.echo("no posts yet")
    for entry in data["posts"]:
        said = entry["post"]
        click.echo(f"{entry['height']:>8}  {entry['time']}  {who(said['author'])}")
        if said["text"]:
            click.echo(f"          {plain(said['text'])}")
        if said["about"]:
            click.echo(f"          about {plain(said['about_name'] or 'asset')} [{said['about'][:16]}]")
        if said["document"]:
            click.echo(f"          document {said['document']}")
    if data.get("next"):
        click.echo(f"there are more: --after {data['next']}", err=True)
