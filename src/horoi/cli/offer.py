"""``horoi offer``: propose to another company what it must sign too; read, accept, refuse what others propose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from horoi.base.errors import UsageError
from horoi.cli.api import connect_as_owner, to_dict
from horoi.cli.offer_make import make
from horoi.cli.offer_text import render_list, render_one
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import api_option, dir_option

if TYPE_CHECKING:
    from horoi.client import Client

STATES = ("awaiting", "incoming", "outgoing", "done", "open", "all")


@click.group("offer")
def offer() -> None:
    """Propose, list, show, accept, refuse, withdraw: transactions that several companies must sign.

    The node signs with its own keys and sends the offer to all nodes, so all can read it. What it spends is reserved until it
    ends. Where the others must not read it, send a file instead: horoi asset hand-over -o FILE.
    """


offer.add_command(make)


@offer.command("list")
@click.option("--state", type=click.Choice(STATES), default="open", show_default=True, help="Which.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="At most so many.")
@dir_option
@api_option
@json_option
@reports_errors
def list_offers(state: str, limit: int, folder: Path | None, api: str | None, as_json: bool) -> None:
    """Offers, newest first. awaiting: those that wait for the node's own keys.

    \b
    Example:
      horoi offer list --state awaiting
    """
    with connect_as_owner(api, folder) as client:
        emit(to_dict(client.offers(state, limit=limit)), as_json, render_list)


@offer.command("show")
@click.argument("offer_id", metavar="ID")
@dir_option
@api_option
@json_option
@reports_errors
def show(offer_id: str, folder: Path | None, api: str | None, as_json: bool) -> None:
    """An offer: what it says, who signed, what each party has before and after. ID may be its beginning.

    \b
    Example:
      horoi offer show 3f0c
    """
    with connect_as_owner(api, folder) as client:
        emit(to_dict(client.offer(_whole_id(client, offer_id))), as_json, render_one)


@offer.command("accept")
@click.argument("offer_id", metavar="ID")
@click.option(
    "--node-key", "node_keys", metavar="NAME", multiple=True, help="Sign with this key of the node. [default: all]"
)
@click.option("--wait", is_flag=True, help="Wait until it is confirmed.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0),
    default=300.0,
    show_default=True,
    help="Seconds, for --wait.",
)
@dir_option
@api_option
@json_option
@reports_errors
def accept(
    offer_id: str,
    node_keys: tuple[str, ...],
    wait: bool,
    timeout_s: float,
    folder: Path | None,
    api: str | None,
    as_json: bool,
) -> None:
    """Agree: sign with the node's keys. Read it first: horoi offer show ID. A signature cannot be called back.

    \b
    Example:
      horoi offer accept 3f0c --wait
    """
    with connect_as_owner(api, folder) as client:
        answer = client.accept_offer(_whole_id(client, offer_id), keys=node_keys or None)
        if wait and not answer.missing:
            client.wait_confirmed(answer.transaction, timeout_s=timeout_s)
            answer = client.offer(answer.id)
        emit(to_dict(answer), as_json, render_one)


@offer.command("refuse")
@click.argument("offer_id", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why. Everybody can read it.")
@dir_option
@api_option
@json_option
@reports_errors
def refuse(offer_id: str, reason: str, folder: Path | None, api: str | None, as_json: bool) -> None:
    """Say no, signed by the node's keys that are asked.

    \b
    Example:
      horoi offer refuse 3f0c --reason "the ship is full"
    """
    with connect_as_owner(api, folder) as client:
        emit(to_dict(client.refuse_offer(_whole_id(client, offer_id), reason)), as_json, render_one)


@offer.command("withdraw")
@click.argument("offer_id", metavar="ID")
@click.option(
    "--spend", is_flag=True, help="Also spend what it promised, to yourself: then nobody can complete a copy."
)
@dir_option
@api_option
@json_option
@reports_errors
def withdraw(offer_id: str, spend: bool, folder: Path | None, api: str | None, as_json: bool) -> None:
    """Take an own offer back. Honest nodes drop it; --spend makes sure.

    \b
    Example:
      horoi offer withdraw 3f0c --spend
    """
    with connect_as_owner(api, folder) as client:
        emit(to_dict(client.withdraw_offer(_whole_id(client, offer_id), spend=spend)), as_json, render_one)


def _whole_id(client: Client, text: str) -> str:
    """The id that begins with ``text`` among the offers that are known. UsageError if there are several."""
    if len(text) == 64:
        return text
    found = [offer.id for offer in client.offers("all", limit=200).offers if offer.id.startswith(text.lower())]
    if len(found) != 1:
        known = f"{len(found)} offers begin so" if found else "no offer of the newest 200 begins so"
        raise UsageError(f"{text!r}: {known}; give more of its id, horoi offer list --state all shows them")
    return found[0]
