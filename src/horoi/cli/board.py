"""``horoi post``, ``posts``, ``document``: the bulletin board."""

from __future__ import annotations

from typing import Any

import click

from horoi.base.errors import UsageError
from horoi.cli.api import connect, to_dict
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import api_option
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
    """The hash of a document, and who posted it."""


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


def _render_posts(data: dict[str, Any]) -> None:
    from horoi.cli.render import plain, who

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
