"""Who agreed to a transaction: every condition that had to be satisfied, why, and by whose signatures it was."""

from __future__ import annotations

from typing import Literal

from horoi.ledger.conditions import Condition, Key, hash_of_preimage, keys_named, satisfied
from horoi.ledger.ledger import Prepared
from horoi.ledger.transaction import NATIVE
from horoi.web.lines import Liner
from horoi.web.model.pages import AgreementView, SignerView
from horoi.web.movements import movements

MAX_AGREEMENTS = 200
MAX_REASONS = 8  # of one agreement

NO_TIME = -1
"""Height and time at which no lock has run out: how receiving is judged (ledger/conditions.py)."""


def agreements(liner: Liner, item: Prepared, height: int, median_time_ms: int) -> list[AgreementView]:
    """The agreements of a transaction in a block of this height, whose parent has this median time."""
    witness = item.transaction.witness
    signers = [signature.key for signature in witness.signatures]
    shown = [hash_of_preimage(preimage) for preimage in witness.preimages]
    asked: list[tuple[Literal["acting", "receiving"], Condition, int, int]] = []
    asked += [("acting", condition, height, median_time_ms) for condition in item.need.acting]
    asked += [("receiving", condition, NO_TIME, NO_TIME) for condition in item.need.receiving]
    reasons = _reasons(liner, item)
    return [
        AgreementView(
            id=f"w{number}",
            role=role,
            party=liner.people.party(condition),
            satisfied=satisfied(condition, signers, shown, at_height, at_ms),
            why=reasons.get(condition, [])[:MAX_REASONS] or [_plain_reason(item, condition)],
            by=[key.hex() for key in dict.fromkeys(keys_named(condition)) if key in signers],
        )
        for number, (role, condition, at_height, at_ms) in enumerate(asked[:MAX_AGREEMENTS])
    ]


def signatures(liner: Liner, item: Prepared, agreed: list[AgreementView]) -> list[SignerView]:
    """The signatures, each with the agreements that name its key."""
    covers: dict[str, list[str]] = {}
    for agreement in agreed:
        for key in agreement.by:
            covers.setdefault(key, []).append(agreement.id)
    return [
        SignerView(
            party=liner.people.party(Key(signature.key)),
            key=signature.key.hex(),
            signature=signature.signature.hex(),
            covers=covers.get(signature.key.hex(), []),
        )
        for signature in item.transaction.witness.signatures
    ]


def _reasons(liner: Liner, item: Prepared) -> dict[Condition, list[str]]:
    """The movements that somebody is part of, in words."""
    found: dict[Condition, list[str]] = {}
    for movement in movements(item.id, item.transaction.body):
        words = liner.words(movement)
        for condition in dict.fromkeys((movement.actor, movement.counterpart, movement.owner)):
            if condition is not None:
                found.setdefault(condition, []).append(words)
    return found


def _plain_reason(item: Prepared, condition: Condition) -> str:
    """For who is part of no movement: whose output is spent, and goes back."""
    for number, spent in enumerate(item.transaction.body.inputs):
        if spent.content.owner == condition:
            what = "pays the fee" if spent.content.asset == NATIVE and item.fee else "lets its output be spent"
            return f"{what} (input {number})"
    return "holds what is merged or split"
