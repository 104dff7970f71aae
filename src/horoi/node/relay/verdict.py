"""What a refusal means for the one who brought the transaction, and for the transaction.

An id does not cover the witness, so a fault of the witness condemns the peer, not the id: another may have it with a better
one. What depends on the tip may be seen differently by an honest peer, and costs nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from horoi.base.errors import RuleError
from horoi.ledger.authority import missing
from horoi.ledger.ledger import Prepared

UNASKED_POINTS = 10
"""For transactions that nobody asked for: a nuisance."""
GRAVE_POINTS = 100
"""For what the peer could have checked as we do, from any tip: bytes, signatures, contents that ids commit to."""

_EARLY = ("spend.immature", "inputless.window", "authority.missing")
_LATEST_HEIGHT, _LATEST_MS = 2**32 - 1, 2**53  # locks cannot name later ones


class Fate(Enum):
    """What becomes of a transaction that a peer brought and the pool refused."""

    KNOWN = "it is here already"
    RETRY = "ask another peer for it"
    EARLY = "the next block may allow it"
    ORPHAN = "wait for what it builds on"
    REFUSED = "do not ask for it again at this tip"


class Verdict(NamedTuple):
    """Points for the peer, and what becomes of the transaction."""

    points: int
    fate: Fate


def verdict(error: RuleError, prepared: Prepared) -> Verdict:
    """Judge a refusal."""
    rule = error.rule
    if rule == "pool.known":
        return Verdict(0, Fate.KNOWN)
    if rule == "witness.signature" or (rule == "authority.missing" and _never_enough(prepared)):
        return Verdict(GRAVE_POINTS, Fate.RETRY)
    if rule == "verify.failed":
        return Verdict(0, Fate.RETRY)
    if rule in _EARLY:
        return Verdict(0, Fate.EARLY)
    if rule == "spend.content":
        return Verdict(GRAVE_POINTS, Fate.REFUSED)
    if rule == "spend.unknown":
        return Verdict(0, Fate.ORPHAN)
    return Verdict(0, Fate.REFUSED)


def _never_enough(prepared: Prepared) -> bool:
    """True if the witness lacks an agreement even when every lock has run out."""
    return bool(missing(prepared.need, prepared.transaction.witness, _LATEST_HEIGHT, _LATEST_MS))
