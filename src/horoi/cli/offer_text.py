"""Offers as an operator reads them."""

from __future__ import annotations

from typing import Any

import click


def render_list(data: dict[str, Any]) -> None:
    from horoi.cli.render import short, table

    rows = [
        (
            short(o["id"]),
            o["state"] + (", awaits you" if o["awaits_me"] else ""),
            short(o["by"]),
            o["expires"],
            o["headline"],
        )
        for o in data["offers"]
    ]
    table(("offer", "state", "from", "until", "what"), rows, empty="no offers")


def render_one(data: dict[str, Any]) -> None:
    from horoi.cli.render import fields as show_fields
    from horoi.cli.render import plain, table, who

    for line in data["words"]:
        click.echo(plain(line))
    show_fields(
        {
            "offer": data["id"],
            "transaction": data["transaction"],
            "state": data["state"],
            "from": data["by"] + (" (this node)" if data["direction"] == "outgoing" else ""),
            "note": data["note"] or None,
            "until": data["expires"],
            "confirmed in block": data["height"],
            "refused by the pool": data["problem"],
        }
    )
    signers = [(s["address"], s["state"], "this node" if s["mine"] else "", s["reason"]) for s in data["signers"]]
    table(("signer", "has", "", "why"), signers)
    changes = [
        (
            who(c["who"]),
            c["name"] or c["asset"][:16],
            c["owns_change"],
            c["holds_change"],
            c["owns_after"],
            c["holds_after"],
        )
        for c in data["changes"]
    ]
    table(("party", "asset", "owns", "holds", "owns then", "holds then"), changes, right=("owns", "holds"))
    if data["awaits_me"]:
        click.echo(f"agree with: horoi offer accept {data['id'][:16]}")
