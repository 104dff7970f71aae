"""``horoi asset``: the verbs of ownership."""

from __future__ import annotations

import click

from horoi.cli.asset_books import export, history, list_assets, show
from horoi.cli.asset_making import define, issue, license_right, refine, transform
from horoi.cli.output import json_option, reports_errors
from horoi.cli.sign import Signing, act, signing_options


@click.group("asset")
def asset() -> None:
    """Define, issue, transfer, hand over, transform, retire; show, list, history.

    \b
    ASSET  its id, or its name if only one has it; "coin" is the native coin
    WHO    an address, a key's name in the keystore, or a JSON condition such as
           {"threshold": 2, "keys": ["office", "boss"]}
    """


@asset.command("transfer")
@click.argument("name", metavar="ASSET")
@click.argument("amount")
@click.option("--to", required=True, metavar="WHO", help="The new owner.")
@click.option("--owner", metavar="WHO", help="The owner. [default: the first key]")
@click.option("--custodian", metavar="WHO", help="Who holds it now, if several do.")
@click.option("--new-custodian", metavar="WHO", help="Who holds it from now on. [default: as before]")
@signing_options
@json_option
@reports_errors
def transfer(
    signing: Signing,
    as_json: bool,
    name: str,
    amount: str,
    to: str,
    owner: str | None,
    custodian: str | None,
    new_custodian: str | None,
) -> None:
    """Change the owner. Custody stays where it is, unless a new custodian is named.

    \b
    Example:
      horoi asset transfer crude 6327 --to horoi1... --key office
    """
    from horoi.web.model.wallet import Transfer

    verb = Transfer(
        asset=name,
        amount=amount,
        to=signing.who(to),
        owner=signing.who_if(owner),
        custodian=signing.who_if(custodian),
        new_custodian=signing.who_if(new_custodian),
    )
    act(signing, verb, as_json)


@asset.command("hand-over")
@click.argument("name", metavar="ASSET")
@click.argument("amount")
@click.option("--to", required=True, metavar="WHO", help="Who holds it from now on; signs too.")
@click.option("--owner", metavar="WHO", help="The owner. [default: the first key]")
@click.option("--custodian", metavar="WHO", help="Who holds it now, if several do.")
@click.option("--reclaim-after", metavar="TIME", help="The owner may take it back from then on: 2026-12-01T00:00:00Z.")
@click.option("--reclaim-at-height", type=click.IntRange(1, 2**32 - 1), help="The same, from a block on.")
@signing_options
@json_option
@reports_errors
def hand_over(
    signing: Signing,
    as_json: bool,
    name: str,
    amount: str,
    to: str,
    owner: str | None,
    custodian: str | None,
    reclaim_after: str | None,
    reclaim_at_height: int | None,
) -> None:
    """Change the custodian, not the owner. Who leaves and who receives both sign.

    \b
    Examples:
      horoi asset hand-over crude 6327 --to horoi1... --reclaim-after 2026-12-01T00:00:00Z -o bill.json
      horoi asset hand-over crude 6327 --to carrier --key office --key carrier
    """
    from horoi.web.model.wallet import HandOver

    verb = HandOver(
        asset=name,
        amount=amount,
        to=signing.who(to),
        owner=signing.who_if(owner),
        custodian=signing.who_if(custodian),
        reclaim_after=reclaim_after,
        reclaim_at_height=reclaim_at_height,
    )
    act(signing, verb, as_json)


@asset.command("reclaim")
@click.argument("name", metavar="ASSET")
@click.argument("amount", required=False)
@click.option("--from", "held_by", required=True, metavar="WHO", help="Who holds it.")
@click.option("--owner", metavar="WHO", help="The owner. [default: the first key]")
@signing_options
@json_option
@reports_errors
def reclaim(signing: Signing, as_json: bool, name: str, amount: str | None, held_by: str, owner: str | None) -> None:
    """Take goods back from a custodian, under the condition of the hand-over; all of them without AMOUNT.

    \b
    Example:
      horoi asset reclaim crude --from horoi1... --key office
    """
    from horoi.web.model.wallet import Reclaim

    verb = Reclaim(asset=name, held_by=signing.who(held_by), amount=amount, owner=signing.who_if(owner))
    act(signing, verb, as_json)


@asset.command("retire")
@click.argument("name", metavar="ASSET")
@click.argument("amount")
@click.option("--reason", required=True, metavar="TEXT", help="Why it leaves the books: burnt, spilt, eaten.")
@click.option("--owner", metavar="WHO", help="The owner. [default: the first key]")
@click.option("--custodian", metavar="WHO", help="Who holds it, if several do.")
@signing_options
@json_option
@reports_errors
def retire(
    signing: Signing, as_json: bool, name: str, amount: str, reason: str, owner: str | None, custodian: str | None
) -> None:
    """Take a quantity out of the books, with the reason.

    \b
    Example:
      horoi asset retire crude 12 --reason spilt --key office
    """
    from horoi.web.model.wallet import Retire

    owners, holders = signing.who_if(owner), signing.who_if(custodian)
    act(signing, Retire(asset=name, amount=amount, reason=reason, owner=owners, custodian=holders), as_json)


@asset.command("split")
@click.argument("name", metavar="ASSET")
@click.argument("amounts", nargs=-1, required=True)
@click.option("--owner", metavar="WHO", help="The owner. [default: the first key]")
@click.option("--custodian", metavar="WHO", help="Who holds it, if several do.")
@signing_options
@json_option
@reports_errors
def split(
    signing: Signing, as_json: bool, name: str, amounts: tuple[str, ...], owner: str | None, custodian: str | None
) -> None:
    """Make holdings of these AMOUNTS out of the owner's, so that several can move at once.

    \b
    Example:
      horoi asset split crude 1000 1000 500 --key office
    """
    from horoi.web.model.wallet import Split

    owners, holders = signing.who_if(owner), signing.who_if(custodian)
    act(signing, Split(asset=name, amounts=list(amounts), owner=owners, custodian=holders), as_json)


@asset.command("merge")
@click.argument("name", metavar="ASSET")
@click.option("--owner", metavar="WHO", help="The owner. [default: the first key]")
@click.option("--custodian", metavar="WHO", help="Who holds it, if several do.")
@signing_options
@json_option
@reports_errors
def merge(signing: Signing, as_json: bool, name: str, owner: str | None, custodian: str | None) -> None:
    """Make one holding out of the owner's smallest 200.

    \b
    Example:
      horoi asset merge crude --key office
    """
    from horoi.web.model.wallet import Merge

    act(signing, Merge(asset=name, owner=signing.who_if(owner), custodian=signing.who_if(custodian)), as_json)


for _command in (define, issue, license_right, transform, refine, show, list_assets, history, export):
    asset.add_command(_command)
