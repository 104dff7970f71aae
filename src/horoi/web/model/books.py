"""What people ask of the ledger: assets, holdings, rights, posts, documents."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

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
from horoi.web.model.board import BoardLine
from horoi.web.model.ledger import AmountView, OutputView, PostView

MAX_ROWS = 1_000

Role: TypeAlias = Literal["owner", "custodian", "right", "later"]


class AssetView(Answer, frozen=True, kw_only=True):
    """An asset's definition and its books: issued + produced = consumed + retired + existing, in its smallest unit."""

    id: Hash
    name: str
    alike: bool = False
    """Its name could be taken for another's."""
    unit: str
    decimals: int
    issuer: ConditionForm
    limit: Number
    custody: bool
    terms: Hash | None
    """SHA-256 of a document with the issuer's rule in words."""
    transaction: Hash
    """The one that defined it."""
    height: Height
    issued: Number
    produced: Number
    consumed: Number
    retired: Number
    existing: Number
    existing_amount: AmountText
    transactions: int
    """How many touched it."""


class AssetPage(Answer, frozen=True, kw_only=True):
    """Assets in order of id; ``next`` is what to ask ``after``, null at the end."""

    assets: list[AssetView]
    next: Hash | None


class Holder(Answer, frozen=True, kw_only=True):
    """All that one owner has of an asset with one custodian."""

    owner: ConditionForm
    custodian: ConditionForm | None
    amount: AmountView
    outputs: int


class AssetDetail(Answer, frozen=True, kw_only=True):
    """An asset and who holds it. ``complete`` is false if its history is too long to have been read whole."""

    asset: AssetView
    holders: list[Holder]
    complete: bool


class AssetEvent(Answer, frozen=True, kw_only=True):
    """A transaction that touched an asset."""

    transaction: Hash
    height: Height
    position: int
    time_ms: TimeMs
    time: TimeText
    words: list[str]
    lines: list[BoardLine]
    """The same as the board says it."""


class AssetHistory(Answer, frozen=True, kw_only=True):
    """The transactions that touched an asset, oldest first."""

    asset: Hash
    count: int
    offset: int
    transactions: list[AssetEvent]


class UnspentView(Answer, frozen=True, kw_only=True):
    """An unspent output, with all that a wallet needs to spend it."""

    source: Hash
    index: int
    output: OutputView
    roles: list[Role]
    """How it names the key that was asked for; empty if an asset was asked for."""
    height: Height | None
    """Of the block that made it; null while its transaction waits."""
    is_reward: bool
    mature: bool
    """Whether the next block may spend it."""
    spent_by: Hash | None
    """The waiting transaction that spends it."""
    offered: Hash | None = None
    """The open offer that promises it."""


class HoldingSum(Answer, frozen=True, kw_only=True):
    """Of one asset, the sum of what names the key as owner, and of what is in its custody (or cannot be in anybody's)."""

    owned: AmountView
    held: AmountView


class HoldingsView(Answer, frozen=True, kw_only=True):
    """What a key owns and holds at the tip, per output and summed. ``truncated``: there is more than was looked at."""

    height: Height
    tip: Hash
    sums: list[HoldingSum]
    outputs: list[UnspentView]
    truncated: bool


class PostEntry(Answer, frozen=True, kw_only=True):
    """A post and where it stands."""

    transaction: Hash
    height: Height
    position: int
    number: int
    time_ms: TimeMs
    time: TimeText
    post: PostView


class PostPage(Answer, frozen=True, kw_only=True):
    """Posts in the ledger's order. ``next`` is what to ask ``after``; null at the end, and for the newest."""

    posts: list[PostEntry]
    next: str | None


class AssetsQuery(Asking, frozen=True, kw_only=True):
    name: Annotated[str, Meta(max_length=64, description="Only assets of exactly this name.")] | None = None
    after: Hash | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 100


class AssetPath(Asking, frozen=True, kw_only=True):
    id: Hash


class AssetHistoryPath(Asking, frozen=True, kw_only=True):
    id: Hash
    offset: Annotated[int, Meta(ge=0, le=2**31)] = 0
    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 100


class HoldingsQuery(Asking, frozen=True, kw_only=True):
    """By key or address, by asset, or both."""

    address: Annotated[str, Meta(max_length=90)] | None = None
    key: Hash | None = None
    asset: Annotated[str, Meta(max_length=64, description="An asset's id, its name, or `coin`.")] | None = None
    unconfirmed: Annotated[bool, Meta(description="Also outputs of waiting transactions.")] = False
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1_000


class RightsQuery(Asking, frozen=True, kw_only=True):
    address: Annotated[str, Meta(max_length=90)] | None = None
    key: Hash | None = None
    unconfirmed: Annotated[bool, Meta(description="Also outputs of waiting transactions.")] = False
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1_000


class PostsQuery(Asking, frozen=True, kw_only=True):
    """The newest, or all from a height on, or those after a cursor."""

    from_height: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    after: Annotated[str, Meta(pattern=r"^[0-9]{1,10}\.[0-9]{1,10}\.[0-9]{1,5}$")] | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 50


class DocumentPath(Asking, frozen=True, kw_only=True):
    hash: Hash
