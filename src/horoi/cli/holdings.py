"""``horoi holdings``: what somebody owns and holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from horoi.base.errors import UsageError
from horoi.cli.api import connect, to_dict
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import api_option, dir_option, node_folder

if TYPE_CHECKING:
    from horoi.client import Client


@click.command("holdings")
@click.argument("who", required=False)
@click.option("--asset", metavar="ASSET", help="Only of this asset; without WHO, everybody's.")
@click.option("--rights", is_flag=True, help="The rights to issue and to transform instead.")
@click.option("--unconfirmed", is_flag=True, help="Also what waiting transactions make.")
@click.option("--outputs", is_flag=True, help="Show every single output.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=1_000, show_default=True)
@dir_option
@api_option
@json_option
@reports_errors
def holdings(
    who: str | None,
    asset: str | None,
    rights: bool,
    unconfirmed: bool,
    outputs: bool,
    limit: int,
    folder: Path | None,
    api: str | None,
    as_json: bool,
) -> None:
    """What WHO (an address, or a key's name) owns and holds. Without WHO: the only local key, else the node's.

    \b
    Examples:
      horoi holdings office
      horoi holdings --asset crude --json
      horoi holdings horoi1... --outputs
    """
    with connect(api) as client:
        key = None if asset is not None and who is None else _address(client, who, node_folder(folder))
        if rights:
            if key is None:
                raise UsageError("say whose rights: WHO")
            found = client.rights(address=key)
        else:
            found = client.holdings(address=key, asset=asset, unconfirmed=unconfirmed, limit=limit)
        data = {"address": key, **to_dict(found)}
    emit(data, as_json, _render_outputs if outputs or rights else _render_sums)


def _address(client: Client, text: str | None, folder: Path) -> str:
    from horoi.cli.people import who
    from horoi.cli.unlocking import keystore

    if text is not None:
        form = who(text, folder)
        if not isinstance(form, str):
            raise UsageError(
                "holdings are listed by key: give an address or a key's name, one of those in the condition"
            )
        return form
    there = keystore(folder).entries()
    if len(there) == 1:
        return there[0].address
    own = client.status().key
    if own is None:
        raise UsageError("say whose: an address, or the name of a key (horoi key list)")
    return own


def _render_sums(data: dict[str, Any]) -> None:
    from horoi.cli.render import table

    rows = [(_name(s["owned"]), _amount(s["owned"]), _amount(s["held"]), s["owned"]["unit"]) for s in data["sums"]]
    of = f" of {data['address']}" if data["address"] else ""
    table(
        ("asset", "owned", "held", "unit"),
        rows,
        right=("owned", "held"),
        empty=f"nothing{of} at height {data['height']}",
    )
    _warn(data)


def _render_outputs(data: dict[str, Any]) -> None:
    from horoi.cli.render import table, who

    rows = [
        (
            _name(o["output"]["amount"]),
            _amount(o["output"]["amount"]),
            who(o["output"]["owner"]),
            who(o["output"]["custodian"]),
            "waits" if o["height"] is None else o["height"],
            _state(o),
            f"{o['source']}:{o['index']}",
        )
        for o in data["outputs"]
    ]
    heads = ("asset", "amount", "owner", "held by", "block", "", "output")
    table(heads, rows, right=("amount", "block"), empty=f"nothing at height {data['height']}")
    _warn(data)


def _name(view: dict[str, Any]) -> str:
    name = view["name"] or "asset"
    return name if view["asset"] == "0" * 64 else f"{name} [{view['asset'][:16]}]"


def _amount(view: dict[str, Any]) -> str:
    return view["amount"] if view["amount"] is not None else f"{view['quantity']} (smallest unit)"


def _state(output: dict[str, Any]) -> str:
    if output["spent_by"]:
        return "being spent"
    if not output["mature"]:
        return "not mature"
    return "right" if output["output"]["kind"] == "right" else ""


def _warn(data: dict[str, Any]) -> None:
    if data["truncated"]:
        click.echo("there is more than was looked at: sums and rows are not all", err=True)
