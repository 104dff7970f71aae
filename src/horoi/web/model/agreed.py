"""What signers agree to, in parts, so that it can be said in the reader's language."""

from __future__ import annotations

from typing import Literal

import msgspec

from horoi.node.wallet.sentences import SentenceKind
from horoi.web.model.base import AmountText, Answer, Hash, Height
from horoi.web.model.ledger import AmountView, RecipeView
from horoi.web.model.people import Party


class DefinedView(Answer, frozen=True, kw_only=True):
    """The asset that a sentence defines."""

    name: str
    unit: str
    limit: AmountText
    custody: bool
    terms: Hash | None


class SentenceView(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """One sentence; beside it, `words` has it in English. Which parts are there follows from its kind."""

    kind: SentenceKind
    who: Party | None = None
    to: Party | None = None
    owner: Party | None = None
    """Who goes on owning what changes hands."""
    amount: AmountView | None = None
    asset: Hash | None = None
    """What is spoken of without a quantity."""
    asset_name: str | None = None
    sources: list[AmountView] = msgspec.field(default_factory=list)
    recipes: list[RecipeView] = msgspec.field(default_factory=list)
    """Of a right to make something out of something; none of a right to issue."""
    defined: DefinedView | None = None
    text: str | None = None
    document: Hash | None = None
    height: Height | None = None
    signers: list[Party] = msgspec.field(default_factory=list)


class ReasonView(Answer, frozen=True, kw_only=True):
    """Why somebody had to agree: a line of the transaction, or an output of theirs that it spends; beside it, `why` has it in
    English."""

    kind: Literal["line", "pays-fee", "lets-spend", "merged-or-split"]
    number: int | None
    """Of the line among `lines`, which are cut at some length, or of the input."""
