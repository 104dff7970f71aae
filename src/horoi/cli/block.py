"""``horoi block``: blocks of the connected chain."""

from __future__ import annotations

from typing import Any

import click

from horoi.cli.api import connect, to_dict
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import api_option


@click.group("block")
def block() -> None:
    """Look at blocks."""


@block.command("show")
@click.argument("name", metavar="[HEIGHT|HASH|tip]", default="tip")
@click.option("--offset", type=click.IntRange(min=0), default=0, help="Leave out so many transactions.")
@click.option("--limit", type=click.IntRange(1, 1000), default=1000, show_default=True)
@click.option("--hex", "as_hex", is_flag=True, help="The block's canonical bytes instead.")
@api_option
@json_option
@reports_errors
def show(name: str, offset: int, limit: int, as_hex: bool, api: str | None, as_json: bool) -> None:
    """A block: its header, its reward, its transactions' ids.

    \b
    Examples:
      horoi block show
      horoi block show 17 --json
    """
    with connect(api) as client:
        if as_hex:
            emit({"hex": client.block_bytes(name).hex()}, as_json, lambda data: click.echo(data["hex"]))
            return
        emit(to_dict(client.block(name, offset=offset, limit=limit)), as_json, _render_block)


@block.command("list")
@click.option("--before", type=click.IntRange(min=1), help="Below this height. [default: the newest]")
@click.option("--limit", type=click.IntRange(1, 50), default=10, show_default=True)
@api_option
@json_option
@reports_errors
def list_blocks(before: int | None, limit: int, api: str | None, as_json: bool) -> None:
    """Blocks in a line each, newest first.

    \b
    Example:
      horoi block list --limit 20
    """
    with connect(api) as client:
        emit(to_dict(client.blocks(before=before, limit=limit)), as_json, _render_blocks)


def _render_block(data: dict[str, Any]) -> None:
    from horoi.cli.render import fields, who

    header = data["header"]
    rewards = "; ".join(f"{r['amount']['quantity']} to {who(r['owner'])}" for r in data["reward"])
    fields(
        {
            "height": header["height"],
            "hash": header["hash"],
            "parent": header["parent"],
            "time": header["time"],
            "confirmations": header["confirmations"],
            "content root": header["content_root"],
            "state root": header["state_root"],
            "difficulty": f"{header['difficulty']} hashes",
            "work": header["work"],
            "nonce": header["nonce"],
            "size": f"{data['size_bytes']} bytes",
            "reward": rewards or "none",
            "transactions": data["transaction_count"],
        }
    )
    for transaction in data["transactions"]:
        click.echo(f"  {transaction}")


def _render_blocks(data: dict[str, Any]) -> None:
    from horoi.cli.render import table

    rows = [
        (b["header"]["height"], b["header"]["hash"], b["header"]["time"], b["transaction_count"], b["size_bytes"])
        for b in data["blocks"]
    ]
    table(("height", "hash", "time", "transactions", "bytes"), rows, right=("height", "transactions", "bytes"))
