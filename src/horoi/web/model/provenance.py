"""Where an asset came from, where it went, and whether the books meet."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from horoi.web.model.base import AmountText, Answer, Asking, Hash, Height, Number, TimeMs
from horoi.web.model.board import BoardLine
from horoi.web.model.books import AssetView
from horoi.web.model.ledger import AmountView
from horoi.web.model.people import Party

MAX_WINDOW = 200

NodeKind: TypeAlias = Literal[
    "issued", "produced", "earlier", "holding", "transform", "retired", "consumed", "later", "other"
]


class ProvenanceQuery(Asking, frozen=True, kw_only=True):
    id: Hash
    offset: (
        Annotated[int, Meta(ge=0, le=2**31, description="First transaction; the newest window if absent.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=MAX_WINDOW, description="Transactions of the asset.")] = 40
    related: Annotated[bool, Meta(description="Also the assets that it was made of, and that were made of it.")] = True
    overdue_hours: Annotated[
        float, Meta(ge=0, le=1e6, description="With somebody else for so long: goods count as not received.")
    ] = 24.0


class FlowNode(Answer, frozen=True, kw_only=True):
    """A place that quantity flows through: a making, a holding of one owner and custodian, a transformation, an end.

    ``earlier`` and ``later`` stand for what is outside the window, ``other`` for small holdings of one transaction.
    """

    id: str
    kind: NodeKind
    layer: int
    asset: Hash | None
    """Null for a transformation."""
    asset_name: str | None
    asset_alike: bool = False
    unit: str | None
    quantity: Number
    amount: AmountText | None
    owner: Party | None
    custodian: Party | None
    transaction: Hash | None
    height: Height | None
    time_ms: TimeMs | None
    reason: str | None
    remains: Number
    """The part that is unspent now."""
    remains_amount: AmountText | None
    label: str


class FlowLink(Answer, frozen=True, kw_only=True):
    """So much of an asset from one node to another, of a later layer."""

    source: str
    target: str
    asset: Hash
    quantity: Number
    amount: AmountText | None
    value: float
    """The amount as a number, for drawing."""
    transaction: Hash


class RetiredSum(Answer, frozen=True, kw_only=True):
    """What left the books for a reason."""

    reason: str
    amount: AmountText


class PartySum(Answer, frozen=True, kw_only=True):
    """What somebody has."""

    party: Party
    amount: AmountText


class Gap(Answer, frozen=True, kw_only=True):
    """A place where books do not meet.

    `unbalanced`: what exists is not what was made less what left. `in-transit`: with somebody else for long, and nobody
    confirmed receiving it. `statement`: a post states a quantity that no movement has. `waiting`: in no block yet.
    """

    kind: Literal["unbalanced", "in-transit", "statement", "waiting"]
    words: str
    amount: AmountView | None = None
    transaction: Hash | None = None
    height: Height | None = None
    hours: float | None = None
    party: Party | None = None
    """Who holds what is in transit, or states something."""
    owner: Party | None = None
    """Of what is in transit."""
    stated: str | None = None
    against: Literal["transaction", "books"] | None = None
    """What a statement does not meet: the quantities of its own transaction, or any movement or holding."""
    line: BoardLine | None = None
    """The first movement of a transaction that waits."""


class Reconciliation(Answer, frozen=True, kw_only=True):
    """issued + produced = consumed + retired + existing, and who has what exists. Amounts in the asset's unit."""

    unit: str
    issued: AmountText
    produced: AmountText
    consumed: AmountText
    retired: AmountText
    existing: AmountText
    retired_by_reason: list[RetiredSum]
    by_owner: list[PartySum]
    by_custodian: list[PartySum]
    complete: bool
    """All holdings were added up; else there are too many for a page."""
    balanced: bool
    gaps: list[Gap]


class Provenance(Answer, frozen=True, kw_only=True):
    """An asset's flow as a graph without cycles, and its reconciliation. ``previous`` and ``next`` are offsets."""

    asset: AssetView
    offset: int
    limit: int
    transactions: int
    previous: int | None
    next: int | None
    truncated: bool
    """Something is outside the window, or was left out for size."""
    nodes: list[FlowNode]
    links: list[FlowLink]
    reconciliation: Reconciliation
