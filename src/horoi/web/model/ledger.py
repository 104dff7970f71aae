"""Transactions and blocks."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from horoi.web.model.base import (
    AmountText,
    Answer,
    Asking,
    ConditionForm,
    Hash,
    Height,
    HexBytes,
    Number,
    TimeMs,
    TimeText,
)

MAX_BATCH = 10_000  # transactions in one request: a guess, a second's work
MAX_PAGE = 1_000


class AmountView(Answer, frozen=True, kw_only=True):
    """So much of an asset. ``amount`` is null where the asset's definition is not known. ``alike``: its name could be taken for
    another's, so show the beginning of the id too."""

    asset: Hash
    name: str | None
    alike: bool = False
    unit: str | None
    quantity: Number
    amount: AmountText | None


class RecipeView(Answer, frozen=True, kw_only=True):
    """At least ``sources`` are consumed for every ``product`` made."""

    sources: list[AmountView]
    product: AmountView


class OutputView(Answer, frozen=True, kw_only=True):
    """A holding (quantity, owner, custodian) or a right to make an asset (limit as quantity, owner, recipes)."""

    kind: Literal["holding", "right"]
    amount: AmountView
    owner: ConditionForm
    custodian: ConditionForm | None = None
    """Who has the goods; null for assets without custody, and for rights."""
    custody: bool
    """Whether the asset has custodians."""
    recipes: list[RecipeView] = msgspec.field(default_factory=list)
    """Of a right: empty is the right to issue freely."""
    content: HexBytes
    """The canonical bytes, as an input that spends it must repeat them."""


class InputView(Answer, frozen=True, kw_only=True):
    """An output that is spent."""

    source: Hash
    index: int
    output: OutputView


class DefinitionView(Answer, frozen=True, kw_only=True):
    """An asset that is defined here."""

    asset: Hash
    name: str
    unit: str
    decimals: int
    issuer: ConditionForm
    limit: Number
    custody: bool
    terms: Hash | None


class IssueView(Answer, frozen=True, kw_only=True):
    """A quantity that is made under the free right that input ``right`` spends."""

    right: int
    made: AmountView


class TransformView(Answer, frozen=True, kw_only=True):
    """A quantity that is made out of others under a recipe of the right that input ``right`` spends."""

    right: int
    recipe: int
    consumed: list[AmountView]
    produced: AmountView


class RetireView(Answer, frozen=True, kw_only=True):
    """A quantity that leaves the books."""

    retired: AmountView
    reason: str


class PostView(Answer, frozen=True, kw_only=True):
    """A line on the bulletin board."""

    author: ConditionForm
    text: str
    about: Hash | None
    about_name: str | None
    about_alike: bool = False
    document: Hash | None
    """SHA-256 of the document."""


class SignatureView(Answer, frozen=True, kw_only=True):
    """Who signed."""

    key: Hash
    address: str
    signature: HexBytes


class TransactionView(Answer, frozen=True, kw_only=True):
    """A transaction, whole. Block, height, position and time are null while it waits."""

    id: Hash
    status: Literal["confirmed", "waiting"]
    block: Hash | None
    height: Height | None
    position: int | None
    confirmations: int
    """Blocks on top of its own, its own counted; 0 while it waits."""
    time_ms: TimeMs | None
    time: TimeText
    size_bytes: int
    fee: Number
    words: list[str]
    """What it says, in sentences."""
    inputs: list[InputView]
    outputs: list[OutputView]
    """Every output in order of index, the first rights of definitions included."""
    definitions: list[DefinitionView]
    issues: list[IssueView]
    transforms: list[TransformView]
    retires: list[RetireView]
    posts: list[PostView]
    since: Height
    signatures: list[SignatureView]
    preimages: list[HexBytes]
    hex: HexBytes
    """The canonical bytes of the whole transaction."""


class WaitingTransaction(Answer, frozen=True, kw_only=True):
    """A line of the mempool."""

    id: Hash
    size_bytes: int
    fee: Number
    since_ms: TimeMs
    inputs: int
    outputs: int
    posts: int


class WaitingPage(Answer, frozen=True, kw_only=True):
    """Waiting transactions in the order in which a miner takes them."""

    count: int
    size_bytes: int
    offset: int
    transactions: list[WaitingTransaction]


class SubmitResultView(Answer, frozen=True, kw_only=True):
    """What became of one transaction; ``id`` is null if it could not be read."""

    id: Hash | None
    accepted: bool
    rule: str = ""
    detail: str = ""


class BatchResult(Answer, frozen=True, kw_only=True):
    """What became of each, in the order in which they were sent."""

    accepted: int
    results: list[SubmitResultView]


class SubmitForm(Asking, frozen=True, kw_only=True):
    """A transaction in its canonical bytes."""

    hex: Annotated[str, Meta(max_length=200_000, description="Canonical bytes in hexadecimal.")]


class HeaderView(Answer, frozen=True, kw_only=True):
    """A block's header, and what follows from it."""

    height: Height
    hash: Hash
    parent: Hash
    content_root: Hash
    state_root: Hash
    time_ms: TimeMs
    time: TimeText
    target: Annotated[str, Meta(pattern="^[0-9a-f]{8}$", description="In the compact form of nBits.")]
    difficulty: Number
    """Hashes that its puzzle takes on average."""
    work: Number
    """Hashes expected from the genesis to here."""
    median_time_ms: TimeMs
    nonce: HexBytes
    confirmations: int
    """Blocks on top, its own counted; 0 for a block that is not on the connected chain."""
    hex: HexBytes


class HeaderList(Answer, frozen=True, kw_only=True):
    """Headers of the connected chain, lowest first."""

    headers: list[HeaderView]


class BlockSummary(Answer, frozen=True, kw_only=True):
    """A block in a line."""

    header: HeaderView
    transaction_count: int
    size_bytes: int


class BlockList(Answer, frozen=True, kw_only=True):
    """Blocks of the connected chain, newest first."""

    blocks: list[BlockSummary]


class BlockView(Answer, frozen=True, kw_only=True):
    """A block: its header, its maker's compensation, and a page of its transactions' ids."""

    header: HeaderView
    size_bytes: int
    reward_id: Hash
    """The id under which the reward's outputs are spent."""
    reward: list[OutputView]
    transaction_count: int
    offset: int
    transactions: list[Hash]


class TransactionPath(Asking, frozen=True, kw_only=True):
    id: Hash


class PageQuery(Asking, frozen=True, kw_only=True):
    offset: Annotated[int, Meta(ge=0, le=2**31)] = 0
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 100


class BlockPath(Asking, frozen=True, kw_only=True):
    block: Annotated[str, Meta(max_length=64, description="A height, a hash, or `tip`.")]
    format: Annotated[
        Literal["json", "hex", "raw"], Meta(description="`hex` and `raw` are the canonical bytes of the block.")
    ] = "json"
    offset: Annotated[int, Meta(ge=0, le=2**31)] = 0
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = MAX_PAGE


class BlocksQuery(Asking, frozen=True, kw_only=True):
    before: Annotated[int | None, Meta(description="Blocks below this height; the newest if absent.")] = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 10


class HeadersQuery(Asking, frozen=True, kw_only=True):
    from_: Annotated[int, Meta(ge=0, le=2**32 - 1)] = msgspec.field(default=0, name="from")
    count: Annotated[int, Meta(ge=1, le=2_000)] = 100
    format: Annotated[Literal["json", "raw"], Meta(description="raw: the canonical bytes of the list of headers.")] = (
        "json"
    )
