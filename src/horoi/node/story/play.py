"""What the steps of a story mean on the ledger.

A story is played in scenes, each one transaction: first one that defines all assets, then one that licenses the recipes,
then one for every step. A scene says by whom it is submitted; where several must sign, the
partially signed transaction travels between the companies as an offer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from horoi.base.errors import UsageError
from horoi.base.hashing import sha256
from horoi.ledger.conditions import AfterTime, AllOf, AnyOf, Key
from horoi.ledger.transaction import Amount, Body, Recipe
from horoi.node.story.format import (
    AssetText,
    HandOverMove,
    IssueMove,
    Move,
    RetireMove,
    Step,
    Story,
    TransferMove,
    TransformMove,
)
from horoi.node.wallet.amounts import parse_amount
from horoi.node.wallet.builder import Draft
from horoi.node.wallet.pools import Spendable


class Cast(NamedTuple):
    """Who plays: public keys of companies, and assets' ids once they are defined."""

    keys: dict[str, bytes]
    assets: dict[str, bytes]
    reclaims: dict[tuple[str, str, str], int]
    """When (ms) the owner may reclaim: by asset, owner and custodian; filled as hand-overs are played."""


class Scene(NamedTuple):
    """One transaction of the play."""

    name: str
    by: str
    """The company whose node submits it."""
    build: Callable[[Cast, Sequence[Spendable], int, int], Body]
    """(cast, spendables, height of the next block, now in ms) -> the body."""
    defines: tuple[str, ...] = ()
    """Assets that it defines, in order of definition."""
    is_setting: bool = False
    """It sets the stage, and is no step of the story."""


def scenes(story: Story, fee_payer: str | None = None) -> Iterator[Scene]:
    """The scenes of a story, in order."""
    issuers = dict.fromkeys(asset.issuer for asset in story.assets)
    for issuer in issuers:
        assets = tuple(asset for asset in story.assets if asset.issuer == issuer)
        yield Scene(f"{issuer} defines", issuer, _define(story, assets, issuer), tuple(a.id for a in assets), True)
    for asset in story.assets:
        for company in dict.fromkeys(recipe.by for recipe in asset.recipes):
            yield Scene(f"license {asset.id} to {company}", asset.issuer, _license(story, asset, company), (), True)
    for number, step in enumerate(story.steps, 1):
        yield Scene(f"step {number}", step.by, _step(story, step))


def _draft(story: Story, cast: Cast, by: str, spendables: Sequence[Spendable], height: int) -> Draft:
    network = story.network
    payer = Key(cast.keys[by])
    return Draft(spendables, height=height, maturity=network.maturity, fee_floor=network.fee_floor, payer=payer)


def _define(
    story: Story, assets: Sequence[AssetText], issuer: str
) -> Callable[[Cast, Sequence[Spendable], int, int], Body]:
    def build(cast: Cast, spendables: Sequence[Spendable], height: int, now_ms: int) -> Body:
        draft = _draft(story, cast, issuer, spendables, height)
        for asset in assets:
            draft.define(
                asset.name,
                issuer=Key(cast.keys[issuer]),
                limit=parse_amount(asset.limit, asset.decimals),
                unit=asset.unit,
                decimals=asset.decimals,
                custody=asset.custody,
            )
        return draft.build()

    return build


def _license(story: Story, asset: AssetText, company: str) -> Callable[[Cast, Sequence[Spendable], int, int], Body]:
    def build(cast: Cast, spendables: Sequence[Spendable], height: int, now_ms: int) -> Body:
        recipes = [_recipe(story, cast, asset, number) for number, r in enumerate(asset.recipes) if r.by == company]
        companies = len(dict.fromkeys(recipe.by for recipe in asset.recipes))
        limit = parse_amount(asset.limit, asset.decimals) // companies
        draft = _draft(story, cast, asset.issuer, spendables, height)
        owner, to = Key(cast.keys[asset.issuer]), Key(cast.keys[company])
        return draft.license(cast.assets[asset.id], limit, owner=owner, to=to, recipes=recipes).build()

    return build


def _recipe(story: Story, cast: Cast, asset: AssetText, number: int) -> Recipe:
    text = asset.recipes[number]
    source = Amount(cast.assets[text.source], parse_amount(text.consumed, story.asset(text.source).decimals))
    return Recipe((source,), parse_amount(text.produced, asset.decimals))


def _step(story: Story, step: Step) -> Callable[[Cast, Sequence[Spendable], int, int], Body]:
    def build(cast: Cast, spendables: Sequence[Spendable], height: int, now_ms: int) -> Body:
        draft = _draft(story, cast, step.by, spendables, height)
        for move in step.do:
            _move(story, cast, draft, move, now_ms)
        about = cast.assets[step.about] if step.about is not None else None
        document = sha256(step.document.encode()) if step.document is not None else None
        return draft.post(Key(cast.keys[step.by]), step.post, about=about, document=document).build()

    return build


def _move(story: Story, cast: Cast, draft: Draft, move: Move, now_ms: int) -> None:
    asset = cast.assets[move.asset]
    quantity = parse_amount(move.quantity, story.asset(move.asset).decimals)
    if isinstance(move, IssueMove):
        draft.issue(asset, quantity, issuer=Key(cast.keys[story.asset(move.asset).issuer]))
    elif isinstance(move, HandOverMove):
        _hand_over(cast, draft, move, asset, quantity, now_ms)
    elif isinstance(move, TransferMove):
        seller, buyer = Key(cast.keys[move.seller]), Key(cast.keys[move.buyer])
        held_by = _custodian(cast, move.asset, move.seller, move.held_by)
        taker = buyer if move.delivered else None
        draft.transfer(asset, quantity, owner=seller, to=buyer, custodian=held_by, new_custodian=taker)
    elif isinstance(move, TransformMove):
        products = [
            Amount(cast.assets[p.asset], parse_amount(p.quantity, story.asset(p.asset).decimals)) for p in move.products
        ]
        draft.refine(Amount(asset, quantity), products, by=Key(cast.keys[move.by]), loss_reason=move.loss_reason)
    else:
        assert isinstance(move, RetireMove)
        draft.retire(asset, quantity, owner=Key(cast.keys[move.owner]), reason=move.reason)


def _hand_over(cast: Cast, draft: Draft, move: HandOverMove, asset: bytes, quantity: int, now_ms: int) -> None:
    reclaim_after_ms = None
    if move.reclaim_after_hours is not None:
        reclaim_after_ms = now_ms + int(move.reclaim_after_hours * 3_600_000)
        name = (move.asset, move.owner, move.taker)
        if name in cast.reclaims:
            raise UsageError(f"hand-over of {move.asset} to {move.taker}: one with a reclaim is open already")
        cast.reclaims[name] = reclaim_after_ms
    draft.hand_over(
        asset,
        quantity,
        owner=Key(cast.keys[move.owner]),
        to=Key(cast.keys[move.taker]),
        custodian=_custodian(cast, move.asset, move.owner, move.giver),
        reclaim_after_ms=reclaim_after_ms,
    )


def _custodian(cast: Cast, asset: str, owner: str, held_by: str | None) -> Key | AnyOf | None:
    """The condition of the custodian, with the reclaim that its hand-over agreed."""
    if held_by is None:
        return None
    key = Key(cast.keys[held_by])
    reclaim_after_ms = cast.reclaims.get((asset, owner, held_by))
    if reclaim_after_ms is None:
        return key
    return AnyOf((key, AllOf((AfterTime(reclaim_after_ms), Key(cast.keys[owner])))))
