"""``horoi asset``: the verbs of ownership, and the books of an asset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from horoi.base.errors import UsageError
from horoi.cli.api import connect, to_dict
from horoi.cli.output import emit, json_option, reports_errors
from horoi.cli.settings import api_option
from horoi.cli.sign import Signing, act, signing_options

if TYPE_CHECKING:
    from horoi.web.model.wallet import Part, RecipeForm


@click.group("asset")
def asset() -> None:
    """Define, issue, transfer, hand over, transform, retire; show, list, history.

    \b
    ASSET  its id, or its name if only one has it; "coin" is the native coin
    WHO    an address, a key's name in the keystore, or a JSON condition such as
           {"threshold": 2, "keys": ["office", "boss"]}
    """


@asset.command("define")
@click.argument("name")
@click.option("--limit", required=True, metavar="AMOUNT", help="The most that will ever be made.")
@click.option("--unit", default="", help="What is counted: bbl, kg, ...")
@click.option("--decimals", type=click.IntRange(0, 18), default=0, show_default=True, help="Digits after the point.")
@click.option("--issuer", metavar="WHO", help="Who may issue. [default: the first key]")
@click.option("--no-custody", is_flag=True, help="A paper or a coin: nobody holds it but its owner.")
@click.option("--terms", metavar="FILE|HASH", help="A document with the issuer's rule in words; its hash is kept.")
@signing_options
@json_option
@reports_errors
def define(
    signing: Signing,
    as_json: bool,
    name: str,
    limit: str,
    unit: str,
    decimals: int,
    issuer: str | None,
    no_custody: bool,
    terms: str | None,
) -> None:
    """Define an asset. Its right to issue exists once this is confirmed.

    \b
    Example:
      horoi asset define crude --unit bbl --limit 1000000 --key office --wait
    """
    from horoi.cli.documents import document_hash
    from horoi.web.model.wallet import Define

    verb = Define(
        name=name,
        unit=unit,
        decimals=decimals,
        limit=limit,
        issuer=signing.who_if(issuer),
        custody=not no_custody,
        terms=document_hash(terms) if terms is not None else None,
    )
    act(signing, verb, as_json)


@asset.command("issue")
@click.argument("name", metavar="ASSET")
@click.argument("amount")
@click.option("--issuer", metavar="WHO", help="Whose right is used. [default: the first key]")
@click.option("--to", metavar="WHO", help="Who owns what is made. [default: the issuer]")
@click.option("--custodian", metavar="WHO", help="Who holds it. [default: the issuer]")
@signing_options
@json_option
@reports_errors
def issue(
    signing: Signing,
    as_json: bool,
    name: str,
    amount: str,
    issuer: str | None,
    to: str | None,
    custodian: str | None,
) -> None:
    """Make a quantity of an asset under the issuer's right.

    \b
    Example:
      horoi asset issue crude 10432 --key office
    """
    from horoi.web.model.wallet import Issue

    verb = Issue(
        asset=name,
        amount=amount,
        issuer=signing.who_if(issuer),
        to=signing.who_if(to),
        custodian=signing.who_if(custodian),
    )
    act(signing, verb, as_json)


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


@asset.command("license")
@click.argument("name", metavar="ASSET")
@click.argument("limit", metavar="AMOUNT")
@click.option("--to", required=True, metavar="WHO", help="Who may transform.")
@click.option(
    "--recipe",
    "recipes",
    required=True,
    multiple=True,
    metavar="N=ASSET:M[+ASSET:M]",
    help="N are made from at least M. Repeat.",
)
@click.option("--owner", metavar="WHO", help="Whose right is narrowed. [default: the first key]")
@signing_options
@json_option
@reports_errors
def license_right(
    signing: Signing, as_json: bool, name: str, limit: str, to: str, recipes: tuple[str, ...], owner: str | None
) -> None:
    """Give somebody a right to make up to AMOUNT of an asset out of others, under recipes.

    \b
    Example (1 of petrol from at least 2 of crude):
      horoi asset license petrol 5000 --to refinery --recipe 1=crude:2 --key office
    """
    from horoi.web.model.wallet import License

    forms = [_recipe(text) for text in recipes]
    verb = License(asset=name, limit=limit, to=signing.who(to), recipes=forms, owner=signing.who_if(owner))
    act(signing, verb, as_json)


@asset.command("transform")
@click.argument("name", metavar="ASSET")
@click.argument("amount")
@click.option("--consume", multiple=True, metavar="ASSET:AMOUNT", help="What is used up. Repeat. [default: the least]")
@click.option("--recipe", metavar="N=ASSET:M[+ASSET:M]", help="Which recipe, if several fit.")
@click.option("--by", metavar="WHO", help="Whose right and goods are used. [default: the first key]")
@click.option("--held-by", metavar="WHO", help="Who holds the goods, if several do.")
@click.option("--to", metavar="WHO", help="Who owns what is made. [default: the maker]")
@click.option("--custodian", metavar="WHO", help="Who holds what is made. [default: the maker]")
@signing_options
@json_option
@reports_errors
def transform(
    signing: Signing,
    as_json: bool,
    name: str,
    amount: str,
    consume: tuple[str, ...],
    recipe: str | None,
    by: str | None,
    held_by: str | None,
    to: str | None,
    custodian: str | None,
) -> None:
    """Make AMOUNT of ASSET out of others, under a recipe that its issuer allows.

    \b
    Example:
      horoi asset transform petrol 3000 --consume crude:6000 --key refinery
    """
    from horoi.web.model.wallet import Transform

    verb = Transform(
        asset=name,
        amount=amount,
        by=signing.who_if(by),
        consumed=[_part(text) for text in consume] or None,
        recipe=_recipe(recipe) if recipe is not None else None,
        held_by=signing.who_if(held_by),
        to=signing.who_if(to),
        custodian=signing.who_if(custodian),
    )
    act(signing, verb, as_json)


@asset.command("refine")
@click.argument("name", metavar="ASSET")
@click.argument("amount")
@click.option("--into", "products", required=True, multiple=True, metavar="ASSET:AMOUNT", help="What is made. Repeat.")
@click.option("--loss-reason", required=True, metavar="TEXT", help="Why the rest is lost.")
@click.option("--by", metavar="WHO", help="Whose rights and goods are used. [default: the first key]")
@click.option("--held-by", metavar="WHO", help="Who holds the goods, if several do.")
@signing_options
@json_option
@reports_errors
def refine(
    signing: Signing,
    as_json: bool,
    name: str,
    amount: str,
    products: tuple[str, ...],
    loss_reason: str,
    by: str | None,
    held_by: str | None,
) -> None:
    """Use up AMOUNT of ASSET for several products; what their recipes leave over is retired as a loss.

    \b
    Example:
      horoi asset refine crude 6000 --into petrol:2000 --into diesel:1500 --loss-reason "refining loss"
    """
    from horoi.web.model.wallet import Part, Refine

    verb = Refine(
        source=Part(asset=name, amount=amount),
        products=[_part(text) for text in products],
        loss_reason=loss_reason,
        by=signing.who_if(by),
        held_by=signing.who_if(held_by),
    )
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


# ---- reading ----------------------------------------------------------------------------------------------------


@asset.command("show")
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
    with connect(api) as client:
        emit(to_dict(client.asset(_id_of(client, name))), as_json, _render_asset)


@asset.command("list")
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


@asset.command("history")
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
    with connect(api) as client:
        found = client.asset_history(_id_of(client, name), offset=offset, limit=limit)
        emit(to_dict(found), as_json, _render_history)


def _id_of(client: Any, text: str) -> str:
    from horoi.cli.lookup import asset_id

    return asset_id(client, text)


def _part(text: str) -> Part:
    """ASSET:AMOUNT; a name may have colons."""
    from horoi.web.model.wallet import Part

    name, colon, amount = text.rpartition(":")
    if not colon or not name or not amount:
        raise UsageError(f"{text!r}: write ASSET:AMOUNT, as in crude:6000")
    return Part(asset=name, amount=amount)


def _recipe(text: str) -> RecipeForm:
    """N=ASSET:M, with further sources behind +."""
    from horoi.web.model.wallet import RecipeForm

    product, equals, sources = text.partition("=")
    if not equals or not product:
        raise UsageError(f"recipe {text!r}: write N=ASSET:M, as in 1=crude:2 (1 is made from at least 2 of crude)")
    return RecipeForm(sources=[_part(source) for source in sources.split("+")], product=product.strip())


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
