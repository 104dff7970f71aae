"""``horoi provide``, ``providers``: which nodes have a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from horoi.cli.api import connect, connect_as_owner, to_dict
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import api_option, dir_option


@click.command("provide")
@click.argument("document", metavar="HASH|FILE")
@click.option("--stop", is_flag=True, help="Say so no longer.")
@dir_option
@api_option
@json_option
@reports_errors
def provide(document: str, stop: bool, folder: Path | None, api: str | None, as_json: bool) -> None:
    """Say that the node has a document, from now on and over restarts. Needs the node's token.

    \b
    Examples:
      horoi provide bill-of-lading.pdf
      horoi provide bill-of-lading.pdf --stop
    """
    from horoi.cli.documents import document_hash

    with connect_as_owner(api, folder) as client:
        name = document_hash(document)
        emit(to_dict(client.stop_providing(name) if stop else client.provide(name)), as_json, _render_providing)


@click.command("providers")
@click.argument("document", metavar="HASH|FILE")
@api_option
@json_option
@reports_errors
def providers(document: str, api: str | None, as_json: bool) -> None:
    """Which nodes say to have a document: where they take links, and as whom.

    \b
    Example:
      horoi providers bill-of-lading.pdf --json
    """
    from horoi.cli.documents import document_hash

    with connect(api) as client:
        emit(to_dict(client.providers(document_hash(document))), as_json, _render_providers)


def _render_providing(data: dict[str, Any]) -> None:
    if not data["providing"]:
        click.echo(f"the node no longer provides {data['hash']}; what others were told expires within half an hour")
    elif data["copies"]:
        click.echo(f"the node provides {data['hash']}; {data['copies']} peers keep its word")
    else:
        click.echo(f"the node provides {data['hash']}; no peer keeps its word yet, and it is said again by itself")


def _render_providers(data: dict[str, Any]) -> None:
    from horoi.cli.render import short, table

    rows = [(p["address"], short(p["node"]) if p["node"] else "", p["via"]) for p in data["providers"]]
    table(("address", "node", "via"), rows, empty="nobody says to have it")
    if data["providing"]:
        click.echo("this node provides it", err=True)
