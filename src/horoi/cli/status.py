"""``horoi status``, ``peers``, ``mine``: a running node, at a glance and at the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from horoi.cli.api import connect, connect_as_owner, to_dict
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import api_option, dir_option, node_folder


@click.command("status")
@api_option
@json_option
@reports_errors
def status(api: str | None, as_json: bool) -> None:
    """The node at a glance: network, height, tip, peers, what waits, mining.

    \b
    Example:
      horoi status --api 127.0.0.1:8700
    """
    with connect(api) as client:
        emit(to_dict(client.status()), as_json, _render_status)


@click.command("peers")
@click.option(
    "--dial",
    "addresses",
    metavar="HOST:PORT",
    multiple=True,
    help="Stay linked to this one from now on. Needs the token. Repeat.",
)
@dir_option
@api_option
@json_option
@reports_errors
def peers(addresses: tuple[str, ...], folder: Path | None, api: str | None, as_json: bool) -> None:
    """Who the node is linked to.

    \b
    Examples:
      horoi peers
      horoi peers --dial 192.0.2.7:7700
    """
    with connect_as_owner(api, folder) if addresses else connect(api) as client:
        for address in addresses:
            client.dial(address)
        emit(to_dict(client.peers()), as_json, _render_peers)


@click.command("mine")
@click.argument("rate", type=click.FloatRange(0, 1e12))
@click.option("--reward-to", metavar="WHO", help="Who is paid. [default: as before, or the node's first key]")
@dir_option
@api_option
@json_option
@reports_errors
def mine(rate: float, reward_to: str | None, folder: Path | None, api: str | None, as_json: bool) -> None:
    """Set how many hashes per second the node mines with at most; 0 stops. Needs the node's token.

    \b
    Example:
      horoi mine 20000
    """
    from horoi.cli.people import who_if

    owner = who_if(reward_to, node_folder(folder))
    with connect_as_owner(api, folder) as client:
        emit(to_dict(client.set_mining(rate, owner)), as_json, _render_mining)


def _render_status(data: dict[str, Any]) -> None:
    from horoi.cli.render import fields, who

    mining, pool = data["mining"], data["mempool"]
    behind = "" if data["synced"] else f" (headers go to {data['headers_height']})"
    fields(
        {
            "network": f"{data['network']['name']} [{data['network']['id'][:16]}]",
            "height": f"{data['height']}{behind}",
            "tip": data["tip"],
            "tip time": data["tip_time"],
            "peers": data["peers"],
            "waiting": f"{pool['count']} transactions, {pool['size_bytes']} bytes",
            "transactions": data["transactions"],
            "posts": data["posts"],
            "difficulty": f"{data['difficulty']} hashes a block",
            "mining": f"{mining['hash_rate']:g} hashes a second for {who(mining['owner'])}, {mining['blocks_found']} blocks found"
            if mining["hash_rate"]
            else "no",
            "state digest": data["state_digest"],
            "node": data["node_id"],
            "takes peers at": data["listen"],
            "key": data["key"],
            "version": data["version"],
            "up for": f"{data['uptime_s']:.0f} s",
        }
    )


def _render_peers(data: dict[str, Any]) -> None:
    from horoi.cli.render import short, table

    rows = [
        (
            short(p["peer"]),
            p["address"],
            "out" if p["outbound"] else "in",
            p["height"] if p["ready"] else "greeting",
            "" if p["latency_ms"] is None else f"{p['latency_ms']:.1f}",
            p["bytes_in"],
            p["bytes_out"],
            p["points"],
            p["agent"],
        )
        for p in data["peers"]
    ]
    heads = ("peer", "address", "way", "height", "latency ms", "bytes in", "bytes out", "points", "agent")
    empty = "no peers: name one with horoi peers --dial HOST:PORT, and see horoi doctor"
    table(heads, rows, right=heads[3:8], empty=empty)
    click.echo(f"{data['known_addresses']} addresses known", err=True)


def _render_mining(data: dict[str, Any]) -> None:
    from horoi.cli.render import fields, who

    fields(
        {"hashes a second": f"{data['hash_rate']:g}", "for": who(data["owner"]), "blocks found": data["blocks_found"]}
    )
