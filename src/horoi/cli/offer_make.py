"""``horoi offer make``: propose to another company what it must sign too."""

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
from horoi.cli.offer_text import render_one
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.people import who, who_if
from horoi.cli.settings import api_option, dir_option, node_folder

if TYPE_CHECKING:
    from horoi.client import Client
    from horoi.web.model.wallet import Step

F = TypeVar("F", bound=Callable[..., Any])


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


@click.group("make")
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
        emit(to_dict(made), as_json, render_one)


def _make(offering: Offering, steps: list[Step], as_json: bool) -> None:
    with offering.connect() as client:
        until = offering.until
        made = client.make_offer(steps, note=offering.note, expires=until, fee=offering.fee, keys=offering.keys)
        emit(to_dict(made), as_json, render_one)


def _read(file: Path) -> bytes:
    with click.open_file(str(file), "rb") as opened:
        data: bytes = opened.read()
    return data
