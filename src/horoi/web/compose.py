"""From wallet verbs as people write them to one transaction body, with what the ledger and the mempool have to spend.

Names become assets, decimal text becomes quantities, nobody becomes the node's own key; the verbs themselves are
``horoi.node.wallet.builder.Draft``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from horoi.base.errors import InsufficientError, NotFoundError, UsageError
from horoi.ledger.conditions import Condition, keys_named
from horoi.ledger.transaction import Amount, Body, Recipe
from horoi.node.index.index import MAX_ANSWER
from horoi.node.wallet.amounts import format_amount, parse_amount
from horoi.node.wallet.builder import Draft
from horoi.node.wallet.pools import Spendable
from horoi.node.wallet.text import condition_from_json, parse_time
from horoi.web.access import NodeAccess
from horoi.web.model import wallet as verbs
from horoi.web.reading import asset_of, unspent_of_key
from horoi.web.views import Viewer

_AMOUNTS = ("have", "need", "elsewhere", "immature")
"""Values of the wallet's refusals that count an asset's smallest unit."""


class Composer:
    """Reads the words of one request."""

    def __init__(self, access: NodeAccess) -> None:
        self.access = access
        self._view = Viewer(access)
        self._granted = dict.fromkeys(grant.asset for grant in access.node.chain.genesis.grants)
        self.parties: dict[bytes, None] = {}
        """Keys of everybody who was named."""

    def who(self, form: Any) -> Condition:
        """A condition; None is the node's default key."""
        condition = self.access.own_condition() if form is None else condition_from_json(form)
        self.parties.update(dict.fromkeys(keys_named(condition)))
        return condition

    def who_if(self, form: Any) -> Condition | None:
        """A condition, or None for None."""
        return None if form is None else self.who(form)

    def asset(self, text: str) -> bytes:
        """An asset by id or name."""
        return asset_of(self.access, text)

    def quantity(self, asset: bytes, amount: str) -> int:
        """Decimal text in the asset's smallest unit."""
        known = self._view.asset(asset)
        if known is None and asset not in self._granted:
            raise NotFoundError(
                f"asset {asset.hex()} is not defined in the connected chain: wait until its definition is",
                code="no-asset",
                asset=asset.hex(),
            )
        return parse_amount(amount, known.decimals if known else 0)

    def in_units(self, error: InsufficientError) -> InsufficientError:
        """The error, its values as people write amounts of the asset, with its name."""
        asset = str(error.values.get("asset", ""))
        known = self._view.asset(bytes.fromhex(asset)) if asset else None
        if known is not None:
            amounts = {name: error.values[name] for name in _AMOUNTS if name in error.values}
            told = {name: format_amount(int(value), known.decimals) for name, value in amounts.items()}
            error.values = {**error.values, **told, "asset_name": known.name}
        return error

    def part(self, part: verbs.Part) -> Amount:
        """So much of an asset."""
        asset = self.asset(part.asset)
        return Amount(asset, self.quantity(asset, part.amount))

    def parts(self, parts: Sequence[verbs.Part] | None) -> list[Amount] | None:
        """Several, in the order of their ids as the ledger has them; None for None."""
        return None if parts is None else sorted(map(self.part, parts), key=lambda amount: amount.asset)

    def recipe(self, product: bytes, form: verbs.RecipeForm) -> Recipe:
        """A rule of transformation."""
        return Recipe(tuple(self.parts(form.sources) or ()), self.quantity(product, form.product))


Say = Callable[[Draft], Draft]
"""A verb with its words read: to be said to a draft."""


def _define(c: Composer, v: verbs.Define) -> Say:
    issuer, limit = c.who(v.issuer), parse_amount(v.limit, v.decimals)
    terms = bytes.fromhex(v.terms) if v.terms else None
    return lambda draft: draft.define(
        v.name, issuer=issuer, limit=limit, unit=v.unit, decimals=v.decimals, custody=v.custody, terms=terms
    )


def _issue(c: Composer, v: verbs.Issue) -> Say:
    asset = c.asset(v.asset)
    quantity, issuer = c.quantity(asset, v.amount), c.who(v.issuer)
    to, custodian = c.who_if(v.to), c.who_if(v.custodian)
    return lambda draft: draft.issue(asset, quantity, issuer=issuer, to=to, custodian=custodian)


def _transfer(c: Composer, v: verbs.Transfer) -> Say:
    asset = c.asset(v.asset)
    quantity, owner, to = c.quantity(asset, v.amount), c.who(v.owner), c.who(v.to)
    custodian, new_custodian = c.who_if(v.custodian), c.who_if(v.new_custodian)
    return lambda draft: draft.transfer(
        asset, quantity, owner=owner, to=to, custodian=custodian, new_custodian=new_custodian
    )


def _hand_over(c: Composer, v: verbs.HandOver) -> Say:
    asset = c.asset(v.asset)
    quantity, owner, to = c.quantity(asset, v.amount), c.who(v.owner), c.who(v.to)
    custodian = c.who_if(v.custodian)
    after_ms = _moment(v.reclaim_after) if v.reclaim_after is not None else None
    return lambda draft: draft.hand_over(
        asset,
        quantity,
        owner=owner,
        to=to,
        custodian=custodian,
        reclaim_after_ms=after_ms,
        reclaim_at_height=v.reclaim_at_height,
    )


def _moment(form: str | int) -> int:
    time_ms = parse_time(form)
    if not 1 <= time_ms <= 2**53:
        raise UsageError(f"a time of {time_ms} ms since 1970 is outside what the ledger takes", code="time-outside")
    return time_ms


def _reclaim(c: Composer, v: verbs.Reclaim) -> Say:
    asset = c.asset(v.asset)
    owner, held_by = c.who(v.owner), c.who(v.held_by)
    quantity = c.quantity(asset, v.amount) if v.amount is not None else None
    return lambda draft: draft.reclaim(asset, owner=owner, held_by=held_by, quantity=quantity)


def _transform(c: Composer, v: verbs.Transform) -> Say:
    asset = c.asset(v.asset)
    produced, by = c.quantity(asset, v.amount), c.who(v.by)
    consumed = c.parts(v.consumed)
    recipe = c.recipe(asset, v.recipe) if v.recipe is not None else None
    held_by, to, custodian = c.who_if(v.held_by), c.who_if(v.to), c.who_if(v.custodian)
    return lambda draft: draft.transform(
        asset, produced, by=by, consumed=consumed, recipe=recipe, held_by=held_by, to=to, custodian=custodian
    )


def _refine(c: Composer, v: verbs.Refine) -> Say:
    source, products = c.part(v.source), [c.part(product) for product in v.products]
    by, held_by = c.who(v.by), c.who_if(v.held_by)
    return lambda draft: draft.refine(source, products, by=by, loss_reason=v.loss_reason, held_by=held_by)


def _retire(c: Composer, v: verbs.Retire) -> Say:
    asset = c.asset(v.asset)
    quantity, owner, custodian = c.quantity(asset, v.amount), c.who(v.owner), c.who_if(v.custodian)
    return lambda draft: draft.retire(asset, quantity, owner=owner, reason=v.reason, custodian=custodian)


def _license(c: Composer, v: verbs.License) -> Say:
    asset = c.asset(v.asset)
    limit, owner, to = c.quantity(asset, v.limit), c.who(v.owner), c.who(v.to)
    recipes = [c.recipe(asset, form) for form in v.recipes]
    return lambda draft: draft.license(asset, limit, owner=owner, to=to, recipes=recipes)


def _say(c: Composer, v: verbs.Say) -> Say:
    author = c.who(v.author)
    about = c.asset(v.about) if v.about is not None else None
    document = bytes.fromhex(v.document) if v.document else None
    return lambda draft: draft.post(author, v.text, about=about, document=document)


def _split(c: Composer, v: verbs.Split) -> Say:
    asset = c.asset(v.asset)
    quantities, owner = [c.quantity(asset, amount) for amount in v.amounts], c.who(v.owner)
    custodian = c.who_if(v.custodian)
    return lambda draft: draft.split(asset, quantities, owner=owner, custodian=custodian)


def _merge(c: Composer, v: verbs.Merge) -> Say:
    asset, owner, custodian = c.asset(v.asset), c.who(v.owner), c.who_if(v.custodian)
    return lambda draft: draft.merge(asset, owner=owner, custodian=custodian)


_READERS: dict[type, Callable[[Composer, Any], Say]] = {
    verbs.Define: _define,
    verbs.Issue: _issue,
    verbs.Transfer: _transfer,
    verbs.HandOver: _hand_over,
    verbs.Reclaim: _reclaim,
    verbs.Transform: _transform,
    verbs.Refine: _refine,
    verbs.Retire: _retire,
    verbs.License: _license,
    verbs.Say: _say,
    verbs.Split: _split,
    verbs.Merge: _merge,
}


def compose(
    access: NodeAccess,
    steps: Iterable[verbs.Verb | verbs.Step],
    payer_form: Any,
    fee: int | None,
    *,
    may_spend_unconfirmed: bool = True,
) -> Body:
    """One body that says all of ``steps``. Raises UsageError, NotFoundError, InsufficientError or RuleError.

    It spends what is confirmed; only where that does not suffice, also what waiting transactions make, if it may. It leaves
    alone what is promised in open offers.
    """
    composer = Composer(access)
    said = [reader_of(step)(composer, step) for step in steps]
    payer = composer.who_if(payer_form)
    if payer is None and access.default_key is not None:
        payer = composer.who(None)
    try:
        return _build(access, composer, said, payer, fee, unconfirmed=False)
    except InsufficientError as error:
        if not may_spend_unconfirmed:
            raise _with_promises(access, composer, composer.in_units(error)) from None
    try:
        return _build(access, composer, said, payer, fee, unconfirmed=True)
    except InsufficientError as error:
        raise _with_promises(access, composer, composer.in_units(error)) from None


def _with_promises(access: NodeAccess, composer: Composer, error: InsufficientError) -> InsufficientError:
    """The error, with what is promised in open offers: it could be had by withdrawing them."""
    offers: dict[bytes, None] = {}
    for key in composer.parties:
        rows, _ = unspent_of_key(access, key, unconfirmed=False, most=MAX_ANSWER)
        found = [access.node.offers.book.reserved(row.spendable.source, row.spendable.index) for row in rows]
        offers.update((offer, None) for offer in found if offer is not None)
    if not offers:
        return error
    shown = ", ".join(offer.hex()[:16] for offer in list(offers)[:3])
    return InsufficientError(
        f"{error}; more is promised in {len(offers)} open offer(s), {shown}: withdraw one, or wait",
        code="promised",
        offers=shown,
    )


def reader_of(step: verbs.Verb | verbs.Step) -> Callable[[Composer, Any], Say]:
    return next(_READERS[kind] for kind in type(step).__mro__ if kind in _READERS)


def _build(
    access: NodeAccess,
    composer: Composer,
    said: Sequence[Say],
    payer: Condition | None,
    fee: int | None,
    *,
    unconfirmed: bool,
) -> Body:
    chain = access.node.chain
    draft = Draft(
        spendables(access, composer.parties, unconfirmed=unconfirmed),
        height=chain.tip.height + 1,
        maturity=chain.genesis.consensus.maturity,
        fee_floor=chain.genesis.fee_floor,
        payer=payer,
    )
    if fee is not None and payer is not None:
        draft.pay_fee(payer, fee)
    for say in said:
        say(draft)
    return draft.build()


def spendables(access: NodeAccess, keys: Iterable[bytes], *, unconfirmed: bool) -> list[Spendable]:
    """Unspent outputs that name one of ``keys``, that no waiting transaction spends and no open offer promises, each once."""
    found: dict[tuple[bytes, int], Spendable] = {}
    spender, reserved = access.node.mempool.spender, access.node.offers.book.reserved
    for key in keys:
        rows, _ = unspent_of_key(access, key, unconfirmed=unconfirmed, most=MAX_ANSWER)
        for row in rows:
            point = (row.spendable.source, row.spendable.index)
            if point not in found and spender(*point) is None and reserved(*point) is None:
                found[point] = row.spendable
    return list(found.values())
