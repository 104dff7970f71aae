"""What a body says, in plain words, for the person who is asked to sign it.

Computed from the body alone, which carries the content of everything it spends: an offline signer needs no node. Names of
people and assets come from the signer's own books, never from the file; an asset is always shown with the beginning of its
id, because anybody may define another of the same name. Texts that others wrote are quoted with their control letters
escaped, so none can paint over the line above.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from horoi.base.address import address_of
from horoi.ledger.authority import required
from horoi.ledger.conditions import AfterHeight, AfterTime, AllOf, Condition, Key, Preimage, Threshold
from horoi.ledger.ledger import INPUTLESS_WINDOW
from horoi.ledger.transaction import NATIVE, Body, Holding, Output, Recipe, Right, Transform
from horoi.node.wallet.amounts import format_amount
from horoi.node.wallet.text import format_time

SHOWN_ID_CHARACTERS = 16  # 64 bits: more than anybody can search for a twin of
_HOLDING_ALONE = ("lets go of", "takes into custody")


class AssetName(NamedTuple):
    """How a person calls an asset and counts it."""

    name: str
    unit: str = ""
    decimals: int = 0


class Names:
    """The signer's books: names of people by condition, names of assets by id. Both may be empty."""

    def __init__(
        self, people: Mapping[Condition, str] | None = None, assets: Mapping[bytes, AssetName] | None = None
    ) -> None:
        self._people = people or {}
        self._assets = assets or {}

    def who(self, condition: Condition) -> str:
        """A condition in words."""
        if condition in self._people:
            return _plain(self._people[condition])
        if isinstance(condition, Key):
            return address_of(condition.public)
        if isinstance(condition, Threshold):
            keys = ", ".join(self.who(Key(key)) for key in condition.keys)
            return f"{condition.needed} of ({keys})"
        if isinstance(condition, AfterHeight):
            return f"anybody from block {condition.height} on"
        if isinstance(condition, AfterTime):
            return f"anybody after {format_time(condition.time_ms)}"
        if isinstance(condition, Preimage):
            return f"whoever shows the bytes with SHA-256 {condition.digest.hex()}"
        word = " and " if isinstance(condition, AllOf) else " or "
        return "(" + word.join(self.who(part) for part in condition.parts) + ")"

    def asset(self, asset: bytes) -> str:
        """An asset by its name and the beginning of its id."""
        if asset == NATIVE:
            return _plain(self._assets[asset].name) if asset in self._assets else "the coin"
        known = self._assets.get(asset)
        shown = asset.hex()[:SHOWN_ID_CHARACTERS]
        return f"{_plain(known.name)} [{shown}]" if known else f"asset [{shown}]"

    def amount(self, asset: bytes, quantity: int) -> str:
        """So much of an asset, in its unit if that is known."""
        known = self._assets.get(asset)
        if known is None:
            return f"{quantity} (smallest unit) of {self.asset(asset)}"
        unit = f" {_plain(known.unit)}" if known.unit else ""
        return f"{format_amount(quantity, known.decimals)}{unit} of {self.asset(asset)}"

    def recipe(self, product: bytes, recipe: Recipe) -> str:
        """A recipe in words."""
        sources = " and ".join(self.amount(source.asset, source.quantity) for source in recipe.sources)
        return f"{sources} for {self.amount(product, recipe.product)}"


def explain(body: Body, names: Names | None = None) -> list[str]:
    """What a signer of ``body`` agrees to, one sentence a line: makings, owners, custody, rights, losses, posts, fee, signers.

    Assumes that ``rules.check_body`` accepted the body.
    """
    names = names or Names()
    lines = [*_makings(body, names), *_ownership(body, names), *_custody(body, names), *_rights(body, names)]
    lines += [f"{names.amount(r.asset, r.quantity)} leave the books: {r.reason!r}." for r in body.retires]
    lines += _posts(body, names)
    fee = sum(_change(output, 1) for output in _of_coin(_spent(body))) - sum(
        _change(output, 1) for output in _of_coin(body.outputs)
    )
    if fee:
        lines.append(f"A fee of {names.amount(NATIVE, fee)} is paid to the maker of the block.")
    if not body.inputs:
        lines.append(f"Valid up to block {body.since + INPUTLESS_WINDOW}.")
    need = required(body)
    signers = dict.fromkeys(names.who(condition) for condition in (*need.acting, *need.receiving))
    lines.append(f"To agree: {'; '.join(signers) or 'nobody'}.")
    return lines


def _makings(body: Body, names: Names) -> Iterator[str]:
    for d in body.definitions:
        unit = f" {_plain(d.unit)}" if d.unit else ""
        held = "with custodians" if d.custody else "without custodians"
        terms = f", under terms with SHA-256 {d.terms.hex()}" if d.terms else ""
        most = f"{format_amount(d.limit, d.decimals)}{unit}"
        yield f"{names.who(d.issuer)} defines the asset {d.name!r}, at most {most}, {held}{terms}."
    for issue in body.issues:
        right = _right_of(body.inputs[issue.right].content)
        yield f"{names.who(right.owner)} issues {names.amount(right.asset, issue.quantity)}."
    for transform in body.transforms:
        right = _right_of(body.inputs[transform.right].content)
        yield f"{names.who(right.owner)} makes {_transformed(right, transform, names)}."


def _transformed(right: Right, transform: Transform, names: Names) -> str:
    consumed = " and ".join(names.amount(amount.asset, amount.quantity) for amount in transform.consumed)
    return f"{names.amount(right.asset, transform.produced)} out of {consumed}"


def _ownership(body: Body, names: Names) -> Iterator[str]:
    """Per asset, whose total falls and whose rises."""
    touched: dict[bytes, dict[Condition, int]] = {}
    for output, sign in _signed(body):
        owners = touched.setdefault(output.asset, {})
        owners[output.owner] = owners.get(output.owner, 0) + _change(output, sign)
    for asset, owners in touched.items():
        if asset != NATIVE and not any(owners.values()):
            for owner in owners:
                yield f"{names.who(owner)} owns as much of {names.asset(asset)} as before."
        yield from _moved(owners, asset, names, "gives", alone=("parts with", "receives"))


def _custody(body: Body, names: Names) -> Iterator[str]:
    """Per asset: for each owner who keeps the total, custody among its pairs; for all others together, among custodians."""
    pairs: dict[bytes, dict[Condition, dict[Condition, int]]] = {}
    for output, sign in _signed(body):
        if output.custodian is not None:
            held = pairs.setdefault(output.asset, {}).setdefault(output.owner, {})
            held[output.custodian] = held.get(output.custodian, 0) + _change(output, sign)
    for asset, owners in pairs.items():
        together: dict[Condition, int] = {}
        for owner, held in owners.items():
            if sum(held.values()) == 0:
                of = f", still owned by {names.who(owner)},"
                yield from _moved(held, asset, names, "hands over", alone=_HOLDING_ALONE, of=of)
                continue
            for custodian, change in held.items():
                together[custodian] = together.get(custodian, 0) + change
        for custodian, change in together.items():
            if change == 0:
                yield f"{names.who(custodian)} goes on holding {names.asset(asset)}, whoever owns it."
        yield from _moved(together, asset, names, "hands over", alone=_HOLDING_ALONE)


def _moved(
    changes: Mapping[Condition, int],
    asset: bytes,
    names: Names,
    verb: str,
    *,
    alone: tuple[str, str],
    of: str = "",
) -> Iterator[str]:
    """One sentence a movement: paired if one side is a single party and both sides are equal, else each party alone."""
    falls = {who: -change for who, change in changes.items() if change < 0}
    rises = {who: change for who, change in changes.items() if change > 0}
    if sum(falls.values()) == sum(rises.values()) and (len(falls) == 1 or len(rises) == 1):
        for giver, given in falls.items():
            for taker, taken in rises.items():
                what = names.amount(asset, min(given, taken))
                yield f"{names.who(giver)} {verb} {what}{of} to {names.who(taker)}."
        return
    for who, change in falls.items():
        yield f"{names.who(who)} {alone[0]} {names.amount(asset, change)}{of.rstrip(',')}."
    for who, change in rises.items():
        yield f"{names.who(who)} {alone[1]} {names.amount(asset, change)}{of.rstrip(',')}."


def _rights(body: Body, names: Names) -> Iterator[str]:
    spent = [content for content in _spent(body) if isinstance(content, Right)]
    for right in spent:
        yield f"{names.who(right.owner)} uses {_right(right, names)}."
    for made in body.outputs:
        if isinstance(made, Right):
            keeps = any(right.owner == made.owner and right.asset == made.asset for right in spent)
            yield f"{names.who(made.owner)} {'keeps' if keeps else 'receives'} {_right(made, names)}."


def _right(right: Right, names: Names) -> str:
    what = names.amount(right.asset, right.limit)
    if not right.recipes:
        return f"a right to issue up to {what}"
    recipes = "; or ".join(names.recipe(right.asset, recipe) for recipe in right.recipes)
    return f"a right to make up to {what} out of {recipes}"


def _posts(body: Body, names: Names) -> Iterator[str]:
    for post in body.posts:
        about = f" about {names.asset(post.about)}" if post.about else ""
        document = f" with the document of SHA-256 {post.document.hex()}" if post.document else ""
        yield f"{names.who(post.author)} states{about}{document}: {post.text!r}."


def _spent(body: Body) -> list[Output]:
    return [spent.content for spent in body.inputs]


def _signed(body: Body) -> Iterator[tuple[Holding, int]]:
    """Every holding: spent ones with -1, made ones with +1. The order is the body's."""
    for content in _spent(body):
        if isinstance(content, Holding):
            yield content, -1
    for made in body.outputs:
        if isinstance(made, Holding):
            yield made, 1


def _of_coin(outputs: list[Output] | tuple[Output, ...]) -> list[Holding]:
    return [output for output in outputs if isinstance(output, Holding) and output.asset == NATIVE]


def _change(holding: Holding, sign: int) -> int:
    return sign * holding.quantity


def _right_of(content: Output) -> Right:
    assert isinstance(content, Right)  # rules.check_body
    return content


def _plain(text: str) -> str:
    """A name as it stands if it is harmless to show, else quoted and escaped."""
    return text if text.isprintable() else repr(text)
