"""The wire of witnesses.

AskCosign(size, root)  ->  Cosigned(size, root, ...)    at once, later when the other side's chain is as long, or never
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from horoi.base.ed25519 import NODE_KEY_SIZE_BYTES, NODE_SIGNATURE_SIZE_BYTES
from horoi.ledger.checkpoint import MAX_TIME_S
from horoi.ledger.conditions import Hash
from horoi.machine.wire import Message, Wire

Size = Annotated[int, Meta(ge=1, le=2**32)]


class AskCosign(Message, frozen=True, tag="ask-cosign"):
    """Please sign that the first ``size`` headers of your chain have this root."""

    size: Size
    root: Hash


class Cosigned(Message, frozen=True, tag="cosigned"):
    """The sender's cosignature (C2SP tlog-cosignature) with its node key."""

    size: Size
    root: Hash
    public: Annotated[bytes, Meta(min_length=NODE_KEY_SIZE_BYTES, max_length=NODE_KEY_SIZE_BYTES)]
    time_s: Annotated[int, Meta(ge=0, le=MAX_TIME_S)]
    signature: Annotated[bytes, Meta(min_length=NODE_SIGNATURE_SIZE_BYTES, max_length=NODE_SIGNATURE_SIZE_BYTES)]


WITNESS_WIRE = Wire([AskCosign, Cosigned], max_size_bytes=400)
