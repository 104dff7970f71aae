"""``horoi offer``: propose to another company what it must sign too; read, accept, refuse what others propose."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from horoi.base.errors import UsageError
from horoi.cli.api import connect_as_owner, to_dict
from horoi.cli.durations import parse_duration_ms
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.people import who, who_if
from horoi.cli.settings import api_option, dir_option, node_folder

if TYPE_CHECKING:
    from horoi.client import Client
    from horoi.web.model.wallet import Step

F = TypeVar("F", bound=Callable[..., Any])

STATES = ("awaiting", "incoming", "outgoing", "done", "open", "all")


@dataclass(frozen=True)
class Offering:
    """What every proposal takes beside its verb."""

    note: str
    expires: str | None
    fee: int | None
    node_keys: tuple[str, ...]
    folder: Path | None
    api: str | None

    @property
    def home(self) -> Path:
        return node_folder(self.folder)

    def connect(self) -> Client:
        return connect_as_owner(self.api, self.folder)

    @property
    def until(self) -> str | int | None:
        """When it expires: a time as it stands, a length of time from now on."""
        if self.expires is None:
            return None
        life_ms = parse_duration_ms(self.expires)
        if life_ms is None:
            return self.expires
        import time

        return int(time.time() * 1000) + life_ms

    @property
    def keys(self) -> tuple[str, ...] | None:
        return self.node_keys or None


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--note", default="", metavar="TEXT", help="A line for the other side. Everybody can read it."),
    click.option("--expires", metavar="WHEN", help="12h, 7d, or a time: 2026-12-01T00:00:00Z. [default: 24h]"),
    click.option("--fee", type=click.IntRange(min=0), help="In the coin's smallest unit. [default: the least]"),
    click.option("--node-key", "node_keys", metavar="NAME", multiple=True, help="A key of the node. [default: all]"),
    dir_option,
    api_option,
)


def offering_options(command: F) -> F:
    """Decorate a command: its options of offering arrive as one argument, ``offering``."""
    names = [field.name for field in fields(Offering)]

    @functools.wraps(command)
    def wrapped(**kwargs: Any) -> Any:
        return command(offering=Offering(**{name: kwargs.pop(name) for name in names}), **kwargs)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


@click.group("offer")
def offer() -> None:
    """Propose, list, show, accept, refuse, withdraw: transactions that several companies must sign.

    The node signs with its own keys and sends the offer to all nodes, so all can read it. What it spends is reserved until it
    ends. Where the others must not read it, send a file instead: horoi asset hand-over -o FILE.
    """


@offer.group("make")
def make() -> None:
    """Propose something.

    \b
    Example:
      horoi offer make hand-over crude 6327 --to horoi1... --note "ready at the quay" --expires 12h
    """


@make.command("hand-over")
@click.argument("name", metavar="ASSET")
@click.argument("amount")
@click.option("--to", required=True, metavar="WHO", help="Who holds it from now on.")
@click.option("--owner", metavar="WHO", help="The owner. [default: the node's key]")
@click.option("--custodian", metavar="WHO", help="Who holds it now, if several do.")
@click.option("--reclaim-after", metavar="TIME", help="The owner may take it back from then on: 2026-12-01T00:00:00Z.")
@offering_options
@json_option
@reports_errors
def make_hand_over(
    offering: Offering,
    as_json: bool,
    name: str,
    amount: str,
    to: str,
    owner: str | None,
    custodian: str | None,
    reclaim_after: str | None,
) -> None:
    """Offer goods into somebody's custody; they stay whose they are.

    \b
    Example:
      horoi offer make hand-over crude 6327 --to horoi1... --reclaim-after 2026-12-01T00:00:00Z
    """
    from horoi.web.model.wallet import HandOverStep

    home = offering.home
    step = HandOverStep(
        asset=name,
        amount=amount,
        to=who(to, home),
        owner=who_if(owner, home),
        custodian=who_if(custodian, home),
        reclaim_after=reclaim_after,
    )
    _make(offering, [step], as_json)


@make.command("transfer")
@click.argument("name", metavar="ASSET")
@click.argument("amount")
@click.option("--to", required=True, metavar="WHO", help="The new owner.")
@click.option("--owner", metavar="WHO", help="The owner. [default: the node's key]")
@click.option("--custodian", metavar="WHO", help="Who holds it now, if several do.")
@click.option("--new-custodian", metavar="WHO", help="Who holds it from now on, and signs. [default: as before]")
@offering_options
@json_option
@reports_errors
def make_transfer(
    offering: Offering,
    as_json: bool,
    name: str,
    amount: str,
    to: str,
    owner: str | None,
    custodian: str | None,
    new_custodian: str | None,
) -> None:
    """Offer a change of owner that needs more signatures than the node's: goods that move along, goods that somebody holds.

    \b
    Example:
      horoi offer make transfer crude 6327 --to horoi1... --new-custodian horoi1...
    """
    from horoi.web.model.wallet import TransferStep

    home = offering.home
    step = TransferStep(
        asset=name,
        amount=amount,
        to=who(to, home),
        owner=who_if(owner, home),
        custodian=who_if(custodian, home),
        new_custodian=who_if(new_custodian, home),
    )
    _make(offering, [step], as_json)


@make.command("steps")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@offering_options
@json_option
@reports_errors
def make_steps(offering: Offering, as_json: bool, file: Path) -> None:
    """Offer several verbs that happen together or not at all: a JSON list of steps, as POST /v1/wallet/draft takes them.

    \b
    Example:
      horoi offer make steps sale.json --note "against payment"
    """
    import msgspec

    from horoi.web.model.wallet import Step

    try:
        steps = msgspec.json.decode(_read(file), type=list[Step])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"file {file}: not a list of steps: {error}") from None
    _make(offering, steps, as_json)


@make.command("file")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@offering_options
@json_option
@reports_errors
def make_file(offering: Offering, as_json: bool, file: Path) -> None:
    """Offer a partially signed transaction that was made elsewhere.

    \b
    Example:
      horoi offer make file bill.json
    """
    import json

    try:
        partial = json.loads(_read(file))
    except ValueError as error:
        raise UsageError(f"file {file}: not a partially signed transaction: {error}") from None
    with offering.connect() as client:
        made = client.offer_partial(partial, note=offering.note, expires=offering.until, keys=offering.keys)
        emit(to_dict(made), as_json, _render_one)


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
        emit(to_dict(client.offers(state, limit=limit)), as_json, _render_list)


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
        emit(to_dict(client.offer(_whole_id(client, offer_id))), as_json, _render_one)


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
        emit(to_dict(answer), as_json, _render_one)


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
        emit(to_dict(client.refuse_offer(_whole_id(client, offer_id), reason)), as_json, _render_one)


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
        emit(to_dict(client.withdraw_offer(_whole_id(client, offer_id), spend=spend)), as_json, _render_one)


# ---- inside ---------------------------------------------------------------------------------------------------------


def _make(offering: Offering, steps: list[Step], as_json: bool) -> None:
    with offering.connect() as client:
        until = offering.until
        made = client.make_offer(steps, note=offering.note, expires=until, fee=offering.fee, keys=offering.keys)
        emit(to_dict(made), as_json, _render_one)


def _read(file: Path) -> bytes:
    with click.open_file(str(file), "rb") as opened:
        data: bytes = opened.read()
    return data


def _whole_id(client: Client, text: str) -> str:
    """The id that begins with ``text`` among the offers that are known. UsageError if there are several."""
    if len(text) == 64:
        return text
    found = [offer.id for offer in client.offers("all", limit=200).offers if offer.id.startswith(text.lower())]
    if len(found) != 1:
        known = f"{len(found)} offers begin so" if found else "no offer of the newest 200 begins so"
        raise UsageError(f"{text!r}: {known}; give more of its id, horoi offer list --state all shows them")
    return found[0]


def _render_list(data: dict[str, Any]) -> None:
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


def _render_one(data: dict[str, Any]) -> None:
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
