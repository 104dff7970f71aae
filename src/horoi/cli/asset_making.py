"""``horoi asset define``, ``issue``, ``license``, ``transform``, ``refine``: the verbs that make assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from horoi.base.errors import UsageError
from horoi.cli.output import json_option, reports_errors
from horoi.cli.sign import Signing, act, signing_options

if TYPE_CHECKING:
    from horoi.web.model.wallet import Part, RecipeForm


@click.command("define")
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


@click.command("issue")
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


@click.command("license")
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


@click.command("transform")
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


@click.command("refine")
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
