"""The records of the pool, and what it reads of the chain."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from horoi.ledger.consensus.nakamoto.tree import HeaderTree, Known
from horoi.ledger.genesis import Genesis
from horoi.ledger.ledger import Ledger, Prepared
from horoi.machine.contract import Peer


class ChainView(Protocol):
    """What the pool and the relay read of the chain."""

    @property
    def genesis(self) -> Genesis: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def tip(self) -> Known: ...

    @property
    def tree(self) -> HeaderTree: ...


class Entry(msgspec.Struct, gc=False, eq=False):
    """A waiting transaction."""

    prepared: Prepared
    keys: tuple[bytes, ...]
    """The state's keys of the outputs that it spends."""
    parents: tuple[bytes, ...]
    own_class: int
    place: int
    """The class in which it stands: not above its parents."""
    number: int
    """Higher than its parents'."""
    since_s: float
    source: Peer | None
    delicate: bool
    """A step back of the chain may make it invalid: a lock, a young reward, no inputs."""
    children: dict[bytes, None] | None = None
    contested: bool = False
    """A valid rival was reported already."""


class Left(NamedTuple):
    """A transaction that left the pool: "confirmed", "conflict", "evicted" or "expired"; ``by`` is the rival that won."""

    id: bytes
    why: str
    by: bytes | None = None


class Spends(NamedTuple):
    """What admission learned about the inputs of a transaction."""

    keys: tuple[bytes, ...]
    parents: tuple[bytes, ...]
    has_reward: bool
