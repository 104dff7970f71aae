"""Proofs and checkpoints over the API."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from horoi.ledger.proof.form import Kind
from horoi.web.model.base import Answer, Asking, Hash

MAX_DEPTH = 5_000


class ProofPath(Asking, frozen=True, kw_only=True):
    kind: Annotated[
        Kind,
        Meta(description="What is to be proven; `holding` is an output, shown to be unspent."),
    ]
    id: Annotated[
        Hash, Meta(description="Of the transaction (also of the post's, or that made the output), document or asset.")
    ]
    number: Annotated[int, Meta(ge=0, le=2**16 - 1, description="Which post, or which output.")] = 0
    owner: Annotated[str, Meta(max_length=90, description="Of an asset: only what names this address.")] | None = None
    depth: Annotated[int, Meta(ge=0, le=MAX_DEPTH, description="Headers above each record.")] = 100
    whole: Annotated[bool, Meta(description="All headers from the first block on.")] = False
    witnessed: Annotated[bool, Meta(description="With the cosigned checkpoint, where it reaches so far.")] = True


class Cosigner(Answer, frozen=True, kw_only=True):
    """A node that signed the checkpoint. ``key`` is what `horoi proof verify --witness` takes."""

    name: str
    key: str
    time_s: int


class CheckpointView(Answer, frozen=True, kw_only=True):
    """A cosigned checkpoint of this node's chain (C2SP tlog-checkpoint); null and empty before there is one."""

    origin: str
    size: int | None
    root: Hash | None
    note: str | None
    """The signed note."""
    cosigners: list[Cosigner]
    own_key: str | None
    """The key under which this node is a witness."""
    refuses: str | None
    """Why this node signs no checkpoints any more, if so."""
