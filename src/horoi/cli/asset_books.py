"""``horoi asset show``, ``list``, ``history``: the books of assets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from horoi.cli.api import connect, to_dict
from horoi.cli.output import emit, json_option, reports_errors, write_file
from horoi.cli.settings import api_option


@click.command("show")
@click.argument("name", metavar="ASSET")
@api_option
@json_option
@reports_errors
def show(name: str, api: str | None, as_json: bool) -> None:
    """An asset: its definition, its books, who owns and holds it.

    \b
    Example:
      horoi asset show crude
    """
    from horoi.cli.lookup import asset_id

    with connect(api) as client:
        emit(to_dict(client.asset(asset_id(client, name))), as_json, _render_asset)


@click.command("list")
@click.option("--name", help="Only assets of exactly this name.")
@click.option("--after", metavar="ID", help="Behind this one, in order of id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@api_option
@json_option
@reports_errors
def list_assets(name: str | None, after: str | None, limit: int, api: str | None, as_json: bool) -> None:
    """The assets of the network, in order of id.

    \b
    Example:
      horoi asset list --json
    """
    with connect(api) as client:
        emit(to_dict(client.assets(name=name, after=after, limit=limit)), as_json, _render_assets)


@click.command("export")
@click.argument("name", metavar="ASSET")
@click.option("--form", type=click.Choice(["epcis", "prov", "csv"]), default="epcis", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to; default: standard output."
)
@api_option
@json_option
@reports_errors
def export(name: str, form: str, output: Path | None, api: str | None, as_json: bool) -> None:
    """An asset's whole life: as an EPCIS 2.0 document, as W3C PROV JSON, or as CSV.

    \b
    Example:
      horoi asset export crude --form csv -o crude.csv
    """
    from horoi.cli.lookup import asset_id

    with connect(api) as client:
        asset = asset_id(client, name)
        content = client.export_asset(asset, form)
    if output is None and not as_json:
        click.echo(content, nl=False)
        return
    if output is not None:
        write_file(output, content)
    told = {"asset": asset, "form": form, "size_bytes": len(content), "file": str(output) if output else None}
    if output is None:
        told["content"] = content.decode()
    emit(told, as_json, lambda data: click.echo(f"written to {data['file']}: {data['size_bytes']} bytes"))


@click.command("history")
@click.argument("name", metavar="ASSET")
@click.option("--offset", type=click.IntRange(min=0), default=0, show_default=True, help="Leave out so many.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@api_option
@json_option
@reports_errors
def history(name: str, offset: int, limit: int, api: str | None, as_json: bool) -> None:
    """Every transaction that touched an asset, oldest first, in words.

    \b
    Example:
      horoi asset history crude
    """
    from horoi.cli.lookup import asset_id

    with connect(api) as client:
        found = client.asset_history(asset_id(client, name), offset=offset, limit=limit)
        emit(to_dict(found), as_json, _render_history)


def _render_asset(data: dict[str, Any]) -> None:
    from horoi.cli.render import fields, table, who
    from horoi.node.wallet.amounts import format_amount

    found = data["asset"]
    decimals, unit = found["decimals"], f" {found['unit']}" if found["unit"] else ""

    def counted(quantity: str) -> str:
        return format_amount(int(quantity), decimals) + unit

    fields(
        {
            "asset": found["name"],
            "id": found["id"],
            "issuer": who(found["issuer"]),
            "limit": counted(found["limit"]),
            "terms": found["terms"],
            "issued": counted(found["issued"]),
            "produced": counted(found["produced"]),
            "consumed": counted(found["consumed"]),
            "retired": counted(found["retired"]),
            "existing": counted(found["existing"]),
        }
    )
    rows = [(h["amount"]["amount"], who(h["owner"]), who(h["custodian"])) for h in data["holders"]]
    table(("amount", "owner", "held by"), rows, right=("amount",), empty="nobody owns any")
    if not data["complete"]:
        click.echo("its history is too long to have been read whole: there may be more holders", err=True)


def _render_assets(data: dict[str, Any]) -> None:
    from horoi.cli.render import table

    rows = [(a["name"], a["existing_amount"], a["unit"], a["transactions"], a["id"]) for a in data["assets"]]
    table(
        ("name", "existing", "unit", "transactions", "id"), rows, right=("existing", "transactions"), empty="none yet"
    )
    if data["next"]:
        click.echo(f"there are more: --after {data['next']}", err=True)


def _render_history(data: dict[str, Any]) -> None:
    from horoi.cli.render import plain

    for event in data["transactions"]:
        click.echo(f"{event['height']:>8}  {event['time']}  {event['transaction']}")
        for line in event["words"]:
            click.echo(f"          {plain(line)}")
    shown = data["offset"] + len(data["transactions"])
    if shown < data["count"]:
        click.echo(f"{shown} of {data['count']}: go on with --offset {shown}", err=True)
