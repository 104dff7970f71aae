"""Wallet actions: what to say, in the verbs of the ledger, with the node's own keys.

One verb per call, or several in one transaction with ``Draft``. Owners, custodians and authors default to the node's key.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from horoi.web.model.agreed import SentenceView
from horoi.web.model.base import AmountText, Answer, Asking, AssetText, ConditionForm, Hash, HexBytes, Number

MAX_STEPS = 100  # verbs of one draft: what a transaction takes of each kind

Who: TypeAlias = ConditionForm | None
PreimageHex: TypeAlias = Annotated[str, Meta(pattern="^([0-9a-f]{2}){0,64}$")]


class Part(Asking, frozen=True, kw_only=True):
    """So much of an asset."""

    asset: AssetText
    amount: AmountText


class RecipeForm(Asking, frozen=True, kw_only=True):
    """At least ``sources`` for every ``product`` of the asset that is made."""

    sources: Annotated[list[Part], Meta(min_length=1, max_length=8)]
    product: AmountText


class Define(Asking, frozen=True, kw_only=True):
    """Define an asset. Its right to issue exists once the transaction is made; issue in a later one."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    unit: Annotated[str, Meta(max_length=16)] = ""
    decimals: Annotated[int, Meta(ge=0, le=18)] = 0
    limit: AmountText
    """The most that will ever be made."""
    issuer: Who = None
    custody: bool = True
    terms: Hash | None = None


class Issue(Asking, frozen=True, kw_only=True):
    """Make a quantity under the issuer's free right."""

    asset: AssetText
    amount: AmountText
    issuer: Who = None
    to: Who = None
    custodian: Who = None


class Transfer(Asking, frozen=True, kw_only=True):
    """Change the owner. Custody stays with whoever holds it, unless ``new_custodian`` receives it too."""

    asset: AssetText
    amount: AmountText
    to: ConditionForm
    owner: Who = None
    custodian: Who = None
    new_custodian: Who = None


class HandOver(Asking, frozen=True, kw_only=True):
    """Change the custodian. The owner may take the goods back from a time or height on, if one is given."""

    asset: AssetText
    amount: AmountText
    to: ConditionForm
    owner: Who = None
    custodian: Who = None
    reclaim_after: Annotated[str | int | None, Meta(description="RFC 3339 with a zone, or ms since 1970.")] = None
    reclaim_at_height: Annotated[int, Meta(ge=1, le=2**32 - 1)] | None = None


class Reclaim(Asking, frozen=True, kw_only=True):
    """Take goods back from a custodian under the condition of the hand-over; all unless an amount is given."""

    asset: AssetText
    held_by: ConditionForm
    amount: AmountText | None = None
    owner: Who = None


class Transform(Asking, frozen=True, kw_only=True):
    """Make ``amount`` of ``asset`` out of others under a recipe; ``consumed`` defaults to the least that it asks for."""

    asset: AssetText
    amount: AmountText
    by: Who = None
    consumed: Annotated[list[Part], Meta(max_length=8)] | None = None
    recipe: RecipeForm | None = None
    """Which, if the maker has several that fit."""
    held_by: Who = None
    to: Who = None
    custodian: Who = None


class Refine(Asking, frozen=True, kw_only=True):
    """Use up all of ``source`` for several products; what their recipes do not account for is retired as a loss."""

    source: Part
    products: Annotated[list[Part], Meta(min_length=1, max_length=20)]
    loss_reason: Annotated[str, Meta(min_length=1, max_length=64)]
    by: Who = None
    held_by: Who = None


class Retire(Asking, frozen=True, kw_only=True):
    """Take a quantity out of the books, with the reason."""

    asset: AssetText
    amount: AmountText
    reason: Annotated[str, Meta(min_length=1, max_length=64)]
    owner: Who = None
    custodian: Who = None


class License(Asking, frozen=True, kw_only=True):
    """Narrow part of a free right into one to transform under ``recipes``, for ``to``."""

    asset: AssetText
    limit: AmountText
    to: ConditionForm
    recipes: Annotated[list[RecipeForm], Meta(min_length=1, max_length=8)]
    owner: Who = None


class Say(Asking, frozen=True, kw_only=True):
    """A line on the bulletin board: a text, a document's SHA-256, or both."""

    text: Annotated[str, Meta(max_length=2_000)] = ""
    about: AssetText | None = None
    document: Hash | None = None
    author: Who = None


class Split(Asking, frozen=True, kw_only=True):
    """Make holdings of these amounts out of the owner's; owner and custodian stay."""

    asset: AssetText
    amounts: Annotated[list[AmountText], Meta(min_length=1, max_length=900)]
    owner: Who = None
    custodian: Who = None


class Merge(Asking, frozen=True, kw_only=True):
    """Make one holding out of the smallest 200 of the owner's."""

    asset: AssetText
    owner: Who = None
    custodian: Who = None


class DefineStep(Define, frozen=True, kw_only=True, tag="define", tag_field="verb"): ...


class IssueStep(Issue, frozen=True, kw_only=True, tag="issue", tag_field="verb"): ...


class TransferStep(Transfer, frozen=True, kw_only=True, tag="transfer", tag_field="verb"): ...


class HandOverStep(HandOver, frozen=True, kw_only=True, tag="hand-over", tag_field="verb"): ...


class ReclaimStep(Reclaim, frozen=True, kw_only=True, tag="reclaim", tag_field="verb"): ...


class TransformStep(Transform, frozen=True, kw_only=True, tag="transform", tag_field="verb"): ...


class RefineStep(Refine, frozen=True, kw_only=True, tag="refine", tag_field="verb"): ...


class RetireStep(Retire, frozen=True, kw_only=True, tag="retire", tag_field="verb"): ...


class LicenseStep(License, frozen=True, kw_only=True, tag="license", tag_field="verb"): ...


class SayStep(Say, frozen=True, kw_only=True, tag="post", tag_field="verb"): ...


class SplitStep(Split, frozen=True, kw_only=True, tag="split", tag_field="verb"): ...


class MergeStep(Merge, frozen=True, kw_only=True, tag="merge", tag_field="verb"): ...


Step: TypeAlias = (
    DefineStep
    | IssueStep
    | TransferStep
    | HandOverStep
    | ReclaimStep
    | TransformStep
    | RefineStep
    | RetireStep
    | LicenseStep
    | SayStep
    | SplitStep
    | MergeStep
)

Verb: TypeAlias = (
    Define | Issue | Transfer | HandOver | Reclaim | Transform | Refine | Retire | License | Say | Split | Merge
)


class DraftForm(Asking, frozen=True, kw_only=True):
    """Several verbs that happen together or not at all, in one transaction."""

    steps: Annotated[list[Step], Meta(min_length=1, max_length=MAX_STEPS)]


class WalletQuery(Asking, frozen=True, kw_only=True):
    """How to sign and pay."""

    submit: Annotated[bool, Meta(description="Hand it to the mempool if all who must agree did.")] = True
    fee: (
        Annotated[str, Meta(pattern="^[0-9]{1,20}$", description="In the coin's smallest unit; default: the least.")]
        | None
    ) = None
    payer: Annotated[str, Meta(max_length=90, description="Who pays the fee; default: the node's key.")] | None = None
    keys: (
        Annotated[
            str, Meta(max_length=1_000, description="Names of keys to sign with, by commas; default: all unlocked.")
        ]
        | None
    ) = None


class SignForm(Asking, frozen=True, kw_only=True):
    """A partially signed transaction to add the node's signatures to, and preimages to show."""

    partial: dict[str, Any]
    """The file's content, as it travels between signers."""
    preimages: Annotated[list[PreimageHex], Meta(max_length=16)] = msgspec.field(default_factory=list)


class WalletAnswer(Answer, frozen=True, kw_only=True):
    """The transaction, and who has still to agree. If ``missing`` is empty it is complete."""

    id: Hash
    submitted: bool
    words: list[str]
    """What its signers agree to."""
    sentences: list[SentenceView] = msgspec.field(default_factory=list)
    """The same in parts, where the node made the answer."""
    missing: list[ConditionForm]
    partial: dict[str, Any]
    """The file that travels between signers."""
    hex: HexBytes | None
    """The complete transaction's bytes; null while somebody is missing."""
    fee: Number
    assets: list[Hash]
    """Ids of the assets that it defines, in order."""


class KeyView(Answer, frozen=True, kw_only=True):
    """A key of the node."""

    name: str
    address: str
    key: Hash
    default: bool


class KeyList(Answer, frozen=True, kw_only=True):
    """The keys that the node can sign with, the default first."""

    keys: list[KeyView]
