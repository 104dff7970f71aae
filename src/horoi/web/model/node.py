"""The node itself: status, peers, mining, and the live stream's events."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, get_args

from msgspec import Meta

from horoi.web.model.base import Answer, Asking, ConditionForm, Hash, Height, Number, TimeMs, TimeText
from horoi.web.model.board import BoardLine
from horoi.web.model.ledger import PostView
from horoi.web.model.offers import OfferEvent


class NetworkView(Answer, frozen=True, kw_only=True):
    """Which ledger this is, and what its genesis fixes."""

    id: Hash
    name: str
    created_ms: TimeMs
    consensus: str
    interval_ms: int
    half_life_ms: int
    future_limit: int
    """In block intervals."""
    maturity: int
    """In blocks."""
    reward_initial: Number
    reward_halving_blocks: int
    fee_floor: Number
    """Least fee per 1000 bytes, in the coin's smallest unit."""
    max_block_size_bytes: int
    open_issuing: bool
    """Whether anybody may define assets."""


class PoolView(Answer, frozen=True, kw_only=True):
    """How much waits."""

    count: int
    size_bytes: int


class MiningView(Answer, frozen=True, kw_only=True):
    """The node's own miner."""

    hash_rate: float
    """Cap in hashes per second; 0: it does not mine."""
    owner: ConditionForm | None
    """Who gets the reward."""
    attempts: Number
    blocks_found: int


class StatusView(Answer, frozen=True, kw_only=True):
    """The node at a glance."""

    version: str
    network: NetworkView
    height: Height
    tip: Hash
    tip_time_ms: TimeMs
    tip_time: TimeText
    work: Number
    target: Annotated[str, Meta(pattern="^[0-9a-f]{8}$")]
    """Of the next block, in compact form."""
    difficulty: Number
    """Hashes that the next block takes on average."""
    median_time_ms: TimeMs
    synced: bool
    """No heavier chain is known than the connected one."""
    headers_height: Height
    """Of the heaviest chain of headers."""
    peers: int
    mempool: PoolView
    state_digest: Hash
    """The same on every node whose ledger stands at the same tip in the same state."""
    outputs: Number
    """Ever made."""
    transactions: int | None
    """In the connected chain; null without an index."""
    posts: int | None
    mining: MiningView
    node_id: Hash
    listen: str | None
    """Where it takes peers."""
    key: str | None
    """Address of the node's default key."""
    started_ms: TimeMs
    uptime_s: float


class PeerView(Answer, frozen=True, kw_only=True):
    """A peer. ``latency_ms`` is null before the first pong; bytes are those of this link."""

    peer: str
    address: str
    outbound: bool
    ready: bool
    height: int
    agent: str
    latency_ms: float | None
    points: int
    """Misbehaviour; at 100 it is dropped."""
    since_ms: TimeMs
    bytes_in: int
    bytes_out: int


class PeerList(Answer, frozen=True, kw_only=True):
    """Who is linked."""

    peers: list[PeerView]
    known_addresses: int


class DialForm(Asking, frozen=True, kw_only=True):
    """An address to stay linked to."""

    address: Annotated[str, Meta(min_length=3, max_length=262, description="host:port, or [host]:port for IPv6.")]


class DialAnswer(Answer, frozen=True, kw_only=True):
    """The node dials, and dials again until it is linked; whether it is, the list of peers says."""

    address: str


class MiningForm(Asking, frozen=True, kw_only=True):
    """How hard to mine, and for whom (default: as before, or the node's default key)."""

    hash_rate: Annotated[float, Meta(ge=0, le=1e12)]
    owner: ConditionForm | None = None


EventKind: TypeAlias = Literal[
    "block",
    "block-removed",
    "transaction",
    "transaction-removed",
    "conflict",
    "post",
    "movement",
    "waiting",
    "agreement",
    "peer",
    "peer-lost",
    "offer",
    "offer-changed",
]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)


class EventsQuery(Asking, frozen=True, kw_only=True):
    types: (
        Annotated[str, Meta(max_length=200, description=f"Only these, separated by commas: {', '.join(EVENT_KINDS)}.")]
        | None
    ) = None


class BlockEvent(Answer, frozen=True, kw_only=True):
    """A block joined the connected chain (`block`) or left it (`block-removed`)."""

    height: Height
    hash: Hash
    time_ms: TimeMs
    transactions: int
    difficulty: Number
    size_bytes: int
    lines: int = 0
    """`movement` events that follow for it."""
    lines_omitted: bool = False
    """Whether it has more lines than that: the board has them all."""


class TransactionEvent(Answer, frozen=True, kw_only=True):
    """A transaction entered the mempool (`transaction`)."""

    id: Hash
    fee: Number
    size_bytes: int


class RemovedEvent(Answer, frozen=True, kw_only=True):
    """A transaction left the mempool (`transaction-removed`): confirmed, conflict, evicted or expired."""

    id: Hash
    why: str


class ConflictEvent(Answer, frozen=True, kw_only=True):
    """A transaction can never confirm on this chain: another one spent the same (`conflict`)."""

    id: Hash
    by: Hash


class PostEvent(Answer, frozen=True, kw_only=True):
    """A post was confirmed (`post`)."""

    transaction: Hash
    height: Height
    post: PostView


class Agreement(Answer, frozen=True, kw_only=True):
    """Whether the linked peers stand at this node's tip (`agreement`)."""

    agreed: bool
    """At least one peer is linked, and all whose tip is known have this node's."""
    tip: Hash
    height: Height
    peers: int
    same_tip: int
    lagging: int
    ahead: int
    different: int
    """At another block of the same work."""
    unknown: int


class PeerEvent(Answer, frozen=True, kw_only=True):
    """A peer came (`peer`) or went (`peer-lost`)."""

    peer: str
    address: str | None


EventData: TypeAlias = (
    BlockEvent
    | TransactionEvent
    | RemovedEvent
    | ConflictEvent
    | PostEvent
    | BoardLine
    | Agreement
    | PeerEvent
    | OfferEvent
)


class Health(Answer, frozen=True, kw_only=True):
    """Alive."""

    ok: bool


GenesisFile: TypeAlias = dict[str, Any]
