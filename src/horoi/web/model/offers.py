"""Offers: transactions that wait for somebody's signature."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from horoi.web.model.agreed import SentenceView
from horoi.web.model.base import (
    AmountText,
    Answer,
    Asking,
    ConditionForm,
    Hash,
    Height,
    Number,
    TimeMs,
    TimeText,
)
from horoi.web.model.wallet import MAX_STEPS, PreimageHex, Step

MAX_NOTE_CHARACTERS = 200
MAX_LISTED = 200

NoteText: TypeAlias = Annotated[str, Meta(max_length=MAX_NOTE_CHARACTERS, description="One line, read by everybody.")]
OfferState: TypeAlias = Literal["open", "complete", "confirmed", "spent", "withdrawn", "refused", "expired"]
Direction: TypeAlias = Literal["incoming", "outgoing", "other"]
ChangeText: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[+-][0-9]+(\.[0-9]+)?$", max_length=65, description="A signed decimal amount, in the asset's unit."
    ),
]


class OfferForm(Asking, frozen=True, kw_only=True):
    """What is offered: verbs, as for a draft, or a partially signed transaction (its file's content)."""

    steps: Annotated[list[Step], Meta(min_length=1, max_length=MAX_STEPS)] | None = None
    partial: dict[str, Any] | None = None
    note: NoteText = ""
    expires: Annotated[
        str | int | None,
        Meta(description="RFC 3339 with a zone, or ms since 1970; default: in 24 hours, at most in 30 days."),
    ] = None


class OfferQuery(Asking, frozen=True, kw_only=True):
    """How to sign and pay."""

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


class OffersQuery(Asking, frozen=True, kw_only=True):
    """Which offers.

    `incoming`: open, somebody else's, and an own key is asked; `awaiting`: of those, where an own key has still to answer;
    `outgoing`: open, and an own key's; `done`: over, and an own key was asked; `open`, `all`: anybody's.
    """

    state: Literal["incoming", "awaiting", "outgoing", "done", "open", "all"] = "open"
    limit: Annotated[int, Meta(ge=1, le=MAX_LISTED)] = 50
    offset: Annotated[int, Meta(ge=0, le=2**31)] = 0


class OfferPath(Asking, frozen=True, kw_only=True):
    id: Hash


class AnswerPath(Asking, frozen=True, kw_only=True):
    """Which offer, and which keys answer."""

    id: Hash
    keys: (
        Annotated[str, Meta(max_length=1_000, description="Names of keys, by commas; default: all that are asked.")]
        | None
    ) = None


class AcceptForm(Asking, frozen=True, kw_only=True):
    """Agree. ``preimages``: secret bytes that a hash lock asks for."""

    preimages: Annotated[list[PreimageHex], Meta(max_length=16)] = msgspec.field(default_factory=list)


class RefuseForm(Asking, frozen=True, kw_only=True):
    """Say no, and why; everybody reads it."""

    reason: NoteText = ""


class WithdrawForm(Asking, frozen=True, kw_only=True):
    """Take an offer back. ``spend``: also spend one of the outputs that it promised, to its present owner and custodian, so
    that nobody who kept a copy can complete it."""

    spend: bool = False


class SignerView(Answer, frozen=True, kw_only=True):
    """A key that is asked to agree."""

    address: str
    key: Hash
    state: Literal["signed", "refused", "missing"]
    mine: bool
    reason: NoteText | None
    """Of a refusal."""


class OfferChange(Answer, frozen=True, kw_only=True):
    """What an offer changes for one party in one asset. Before and after are the ledger's sums for a single key, in the answer
    for one offer that is open; null in lists, for compound conditions, and once it is over."""

    who: ConditionForm
    mine: bool
    asset: Hash
    name: str | None
    unit: str | None
    owns_change: ChangeText | None
    holds_change: ChangeText | None
    """Null for assets without custody."""
    owns_before: AmountText | None
    owns_after: AmountText | None
    holds_before: AmountText | None
    holds_after: AmountText | None


class OfferView(Answer, frozen=True, kw_only=True):
    """An offer as this node's owner sees it."""

    id: Hash
    transaction: Hash
    state: OfferState
    direction: Direction
    awaits_me: bool
    """An own key is asked and has neither signed nor refused."""
    by: str
    """Address of the proposer."""
    note: NoteText
    received_ms: TimeMs
    received: TimeText
    expires_ms: TimeMs
    expires: TimeText
    ended_ms: TimeMs | None
    ended: TimeText
    height: Height | None
    """Of the block that holds its transaction."""
    problem: str | None
    """Why the mempool does not take it, though all agreed: a rule and the values."""
    problem_rule: str | None
    """The rule's stable name."""
    headline: str
    """The first of the words that says that something changes."""
    headlined: SentenceView | None = None
    """The same in parts."""
    words: list[str]
    """What its signers agree to."""
    sentences: list[SentenceView] = msgspec.field(default_factory=list)
    """The same in parts; in lists, none."""
    fee: Number
    signers: list[SignerView]
    missing: list[ConditionForm]
    changes: list[OfferChange]
    partial: dict[str, Any]
    """The file that travels between signers."""


class OfferList(Answer, frozen=True, kw_only=True):
    """Offers, newest first. ``count``: of all that were asked for."""

    offers: list[OfferView]
    count: int
    offset: int


class OfferEvent(Answer, frozen=True, kw_only=True):
    """An offer came (`offer`), or somebody stated something about it, or its state changed (`offer-changed`)."""

    id: Hash
    transaction: Hash
    state: OfferState
    by: str
