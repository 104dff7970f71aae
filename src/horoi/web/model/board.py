"""The board: posts and movements as lines."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from horoi.web.model.base import Answer, Asking, Hash, Height, TimeMs, TimeText
from horoi.web.model.ledger import AmountView
from horoi.web.model.people import Party

MAX_BOARD_LINES = 200

LineKind: TypeAlias = Literal[
    "defined",
    "issued",
    "licensed",
    "transferred",
    "handed-over",
    "received",
    "transformed",
    "retired",
    "posted",
    "rearranged",
    "paid",
]
Cursor: TypeAlias = Annotated[
    str, Meta(pattern=r"^[0-9]{1,10}\.[0-9]{1,10}$", description="What the page before said as `next`.")
]


class BoardLine(Answer, frozen=True, kw_only=True):
    """Something that happened, as one sentence and as what it is made of. It waits while ``confirmations`` is 0."""

    id: str
    kind: LineKind
    words: str
    actor: Party | None = None
    counterpart: Party | None = None
    owner: Party | None = None
    """Of what is handed over or received: whose it is."""
    amount: AmountView | None = None
    sources: list[AmountView] = msgspec.field(default_factory=list)
    """What was used up."""
    reason: str | None = None
    text: str | None = None
    about: Hash | None = None
    about_name: str | None = None
    about_alike: bool = False
    document: Hash | None = None
    transaction: Hash
    height: Height | None
    position: int | None
    block: Hash | None
    time_ms: TimeMs
    """Of the block, or when it came to this node."""
    time: TimeText
    confirmations: int


class Board(Answer, frozen=True, kw_only=True):
    """A page of the board, the newest transaction first, and on the first page what waits. ``next``: where to go on."""

    tip: Hash
    height: Height
    waiting: list[BoardLine]
    waiting_count: int
    """Waiting transactions, shown or not."""
    lines: list[BoardLine]
    next: Cursor | None


class BoardQuery(Asking, frozen=True, kw_only=True):
    before: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_BOARD_LINES, description="Lines; a transaction is never cut.")] = 50
    waiting: Annotated[bool, Meta(description="Also what waits in the mempool.")] = True
