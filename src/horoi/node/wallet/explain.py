"""What a body says, in plain English, for the person who is asked to sign it at a terminal.

``sentences.py`` finds what is said. Names of people and assets come from the signer's own books, never from the file; an asset
is always shown with the beginning of its id, because anybody may define another of the same name. Texts that others wrote are
quoted with their control letters escaped, so none can paint over the line above.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from horoi.base.address import address_of
from horoi.ledger.conditions import AfterHeight, AfterTime, AllOf, Condition, Key, Preimage, Threshold
from horoi.ledger.transaction import NATIVE, Amount, Body, Definition, Recipe
from horoi.node.wallet.amounts import format_amount
from horoi.node.wallet.sentences import Sentence, SentenceKind, sentences
from horoi.node.wallet.text import format_time

SHOWN_ID_CHARACTERS = 16  # 64 bits: more than anybody can search for a twin of

ENGLISH: Mapping[SentenceKind, str] = {
    "defines": "{who} defines the asset {name}, at most {limit}, {custody}{terms}.",
    "issues": "{who} issues {amount}.",
    "makes": "{who} makes {amount} out of {sources}.",
    "owns-as-before": "{who} owns as much of {asset} as before.",
    "gives": "{who} gives {amount} to {to}.",
    "parts-with": "{who} parts with {amount}.",
    "receives": "{who} receives {amount}.",
    "hands-over": "{who} hands over {amount}{owned} to {to}.",
    "lets-go": "{who} lets go of {amount}{still}.",
    "takes-custody": "{who} takes into custody {amount}{still}.",
    "goes-on-holding": "{who} goes on holding {asset}, whoever owns it.",
    "uses-right": "{who} uses {right}.",
    "keeps-right": "{who} keeps {right}.",
    "receives-right": "{who} receives {right}.",
    "leaves-books": "{amount} leave the books: {text}.",
    "states": "{who} states{about}{document}: {text}.",
    "pays-fee": "A fee of {amount} is paid to the maker of the block.",
    "valid-up-to": "Valid up to block {height}.",
    "agree": "To agree: {signers}.",
}
CLAUSES: Mapping[str, str] = {
    "owned": ", still owned by {owner},",
    "still": ", still owned by {owner}",
    "about": " about {asset}",
    "document": " with the document of SHA-256 {hash}",
    "custody": "with custodians",
    "no-custody": "without custodians",
    "terms": ", under terms with SHA-256 {hash}",
    "issue-right": "a right to issue up to {amount}",
    "make-right": "a right to make up to {amount} out of {recipes}",
    "recipe": "{sources} for {product}",
    "nobody": "nobody",
}
"""What a sentence has only sometimes."""


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
        made = self.amount(product, recipe.product)
        return CLAUSES["recipe"].format(sources=self.amounts(recipe.sources), product=made)

    def amounts(self, amounts: Iterable[Amount]) -> str:
        """Several."""
        return " and ".join(self.amount(amount.asset, amount.quantity) for amount in amounts)


def explain(body: Body, names: Names | None = None) -> list[str]:
    """What a signer of ``body`` agrees to, one sentence a line.

    Assumes that ``rules.check_body`` accepted the body.
    """
    names = names or Names()
    return [_said(sentence, names) for sentence in sentences(body)]


def _said(sentence: Sentence, names: Names) -> str:
    return ENGLISH[sentence.kind].format(**_parts(sentence, names))


def _parts(s: Sentence, names: Names) -> dict[str, str]:
    """The parts that a sentence has, and empty ones for those that its kind has only sometimes."""
    parts = {
        "sources": names.amounts(s.sources),
        "owned": _clause("owned", owner=names.who(s.owner)) if s.owner is not None else "",
        "still": _clause("still", owner=names.who(s.owner)) if s.owner is not None else "",
        "about": _clause("about", asset=names.asset(s.asset)) if s.asset else "",
        "document": _clause("document", hash=s.document.hex()) if s.document else "",
        "text": repr(s.text),
        "height": str(s.height),
        # each name once, though several conditions may have it
        "signers": "; ".join(dict.fromkeys(map(names.who, s.signers))) or CLAUSES["nobody"],
    }
    if s.who is not None:
        parts["who"] = names.who(s.who)
    if s.to is not None:
        parts["to"] = names.who(s.to)
    if s.asset is not None:
        parts["asset"] = names.asset(s.asset)
    if s.amount is not None:
        parts["amount"] = names.amounts([s.amount])
        parts["right"] = _right(s.amount, s.recipes, names)
    if s.definition is not None:
        parts |= _definition(s.definition)
    return parts


def _clause(name: str, **parts: str) -> str:
    return CLAUSES[name].format(**parts)


def _right(limit: Amount, recipes: Sequence[Recipe], names: Names) -> str:
    amount = names.amounts([limit])
    if not recipes:
        return _clause("issue-right", amount=amount)
    sources = "; or ".join(names.recipe(limit.asset, recipe) for recipe in recipes)
    return _clause("make-right", amount=amount, recipes=sources)


def _definition(d: Definition) -> dict[str, str]:
    return {
        "name": repr(d.name),
        "limit": format_amount(d.limit, d.decimals) + (f" {_plain(d.unit)}" if d.unit else ""),
        "custody": CLAUSES["custody" if d.custody else "no-custody"],
        "terms": _clause("terms", hash=d.terms.hex()) if d.terms else "",
    }


def _plain(text: str) -> str:
    """A name as it stands if it is harmless to show, else quoted and escaped."""
    return text if text.isprintable() else repr(text)
