"""What single pages show beyond the plain record: a key, a transaction with its signers, a block with its tree."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from horoi.web.model.agreed import ReasonView, SentenceView
from horoi.web.model.base import Answer, Asking, Hash, Height, HexBytes, Number
from horoi.web.model.board import BoardLine, Cursor
from horoi.web.model.books import HoldingSum, PostEntry
from horoi.web.model.ledger import BlockView, OutputView, TransactionView
from horoi.web.model.people import ClaimView, Party


class KeyPath(Asking, frozen=True, kw_only=True):
    address: Annotated[str, Meta(max_length=90, description="An address, a key, or a name that this node knows.")]
    before: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100, description="Transactions of the history.")] = 20


class KeyPage(Answer, frozen=True, kw_only=True):
    """A key, or the company behind it: what it owns and holds, may make, did and said."""

    party: Party
    claims: list[ClaimView]
    """Names that it gave itself, the newest first."""
    sums: list[HoldingSum]
    rights: list[OutputView]
    lines: list[BoardLine]
    posts: list[PostEntry]
    next: Cursor | None
    truncated: bool
    """There is more that it owns than was added up."""


class AgreementView(Answer, frozen=True, kw_only=True):
    """Somebody who had to agree, why, and whose signatures satisfied the condition."""

    id: Annotated[str, Meta(pattern="^w[0-9]+$")]
    role: Literal["acting", "receiving"]
    party: Party
    satisfied: bool
    why: list[str]
    reasons: list[ReasonView] = msgspec.field(default_factory=list)
    """The same as `why`, in parts."""
    by: list[Hash]


class SignerView(Answer, frozen=True, kw_only=True):
    """A signature, and the agreements that it is part of."""

    party: Party
    key: Hash
    signature: HexBytes
    covers: list[str]


class TransactionDetail(TransactionView, frozen=True, kw_only=True):
    """A transaction, whole, with who agreed to what."""

    sentences: list[SentenceView] = msgspec.field(default_factory=list)
    """`words` in parts."""
    lines: list[BoardLine]
    digest: Hash
    """What every signature covers: the id, which is the hash of network and body, whole."""
    agreements: list[AgreementView]
    signers: list[SignerView]
    output_states: list[Literal["unspent", "spent", "waiting"]]
    """Of every output: `waiting` while a waiting transaction makes or spends it."""


class Neighbours(Answer, frozen=True, kw_only=True):
    """The blocks beside a block."""

    parent: Hash | None
    next: Hash | None
    stale: list[Hash]
    """Other blocks of its height that this node knows."""


class PuzzleView(Answer, frozen=True, kw_only=True):
    """The hash puzzle: the hash, read as a number, is at most the target."""

    target: Hash
    hash: Hash
    is_solved: bool
    difficulty: Number
    margin: float
    """How many times smaller the hash is than it had to be."""


class BlockDetail(BlockView, frozen=True, kw_only=True):
    """A block with its puzzle and its neighbours."""

    puzzle: PuzzleView
    neighbours: Neighbours


class TreePath(Asking, frozen=True, kw_only=True):
    block: Annotated[str, Meta(max_length=64, description="A height, a hash, or `tip`.")]
    leaf: Annotated[int, Meta(ge=0, le=2**32, description="Also the path of this leaf; 0 is the reward.")] | None = None


class TreeNode(Answer, frozen=True, kw_only=True):
    """A node of the content tree."""

    index: int
    hash: Hash


class TreeItem(Answer, frozen=True, kw_only=True):
    """What a leaf stands for."""

    index: int
    kind: Literal["reward", "transaction"]
    id: Hash
    hash: Hash
    first_output: Number
    """Number of its first output within the block."""


class TreeBranch(Answer, frozen=True, kw_only=True):
    """The inclusion path of a leaf (RFC 9162, 2.1.3.1): ``hash`` = SHA-256(0x00 || preimage)."""

    leaf: int
    id: Hash
    hash: Hash
    preimage: HexBytes
    siblings: list[Hash]


class ContentTree(Answer, frozen=True, kw_only=True):
    """The Merkle tree over a block's content, its root first, as far down as its levels are narrow."""

    block: Hash
    height: Height
    root: Hash
    leaves: int
    levels: list[list[TreeNode]]
    omitted_levels: int
    items: list[TreeItem]
    """The first leaves."""
    path: TreeBranch | None
