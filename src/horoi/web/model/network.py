"""The overlay as this node sees it, its health, and charts of the chain."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from horoi.web.model.base import Answer, Asking, Hash, Height, TimeMs
from horoi.web.model.node import Agreement

MAX_POINTS = 500


class OverlayNode(Answer, frozen=True, kw_only=True):
    """A node of the overlay: this one, a peer that is linked, or an address that is only known of."""

    id: str
    label: str
    kind: Literal["self", "peer", "known"]
    address: str | None = None
    agent: str | None = None
    height: int | None = None
    tip: Hash | None = None
    tip_said: bool = False
    """Whether it told its tip itself; else it was told of this one and says nothing else."""
    behind: int | None = None
    """Blocks from its tip to this node's; negative if it is ahead."""
    latency_ms: float | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    outbound: bool | None = None
    since_ms: TimeMs | None = None
    points: int = 0
    """Misbehaviour; at 100 it is dropped."""
    first_blocks: int = 0
    first_transactions: int = 0
    """Valid news that it was the first to bring, since this node started."""
    state: Literal["agrees", "lags", "ahead", "differs", "unknown"] = "unknown"


class OverlayLink(Answer, frozen=True, kw_only=True):
    """`linked`: a connection. `told`: the peer told this node of that address."""

    source: str
    target: str
    kind: Literal["linked", "told"]


class Overlay(Answer, frozen=True, kw_only=True):
    """The overlay as a graph, as far as this node knows it, and whether the peers agree."""

    agreement: Agreement
    nodes: list[OverlayNode]
    links: list[OverlayLink]
    known_addresses: int
    truncated: bool


class CheckView(Answer, frozen=True, kw_only=True):
    """One finding, in English and as a code with values. ``advice`` is empty where nothing is to be done."""

    name: str
    verdict: Literal["ok", "warn", "fail"]
    found: str
    advice: str
    code: str = ""
    values: dict[str, str | int | float] = msgspec.field(default_factory=dict)


class Diagnostics(Answer, frozen=True, kw_only=True):
    """What the node finds when it looks at itself."""

    checks: list[CheckView]
    worst: Literal["ok", "warn", "fail"]


class ChartsQuery(Asking, frozen=True, kw_only=True):
    from_: Annotated[int, Meta(ge=0, le=2**32 - 1, description="First height.")] = msgspec.field(default=0, name="from")
    to: Annotated[int, Meta(ge=0, le=2**32 - 1, description="Last height; the tip if absent.")] | None = None
    points: Annotated[int, Meta(ge=1, le=MAX_POINTS)] = 200


class Charts(Answer, frozen=True, kw_only=True):
    """Lists of equal length: an entry is a run of blocks, oldest first. ``height`` and ``time_ms`` are of a run's last block."""

    from_: Height = msgspec.field(name="from")
    to: Height
    points: int
    height: list[int]
    time_ms: list[TimeMs]
    blocks: list[int]
    interval_ms: list[float]
    """Mean time between blocks."""
    transactions: list[int]
    rate_per_s: list[float]
    difficulty: list[float]
    stale: list[int]
    """Known blocks of these heights that are not on the chain."""
    confirmation_ms: list[float | None]
    """Mean time from this node's mempool to a block; null where it did not see the transactions come."""
