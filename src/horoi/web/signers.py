"""Who agreed to a transaction: every condition that had to be satisfied, why, and by whose signatures it was."""

from __future__ import annotations

from typing import Literal, TypeAlias

from horoi.ledger.conditions import Condition, Key, hash_of_preimage, keys_named, satisfied
from horoi.ledger.ledger import Prepared
from horoi.ledger.transaction import NATIVE
from horoi.web.lines import Liner
from horoi.web.model.agreed import ReasonView
from horoi.web.model.pages import AgreementView, SignerView
from horoi.web.movements import movements

MAX_AGREEMENTS = 200
MAX_REASONS = 8  # of one agreement

Reason: TypeAlias = tuple[str, ReasonView]
"""In English, and in parts."""

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
    agreed = []
    for number, (role, condition, at_height, at_ms) in enumerate(asked[:MAX_AGREEMENTS]):
        why = reasons.get(condition, [])[:MAX_REASONS] or [_plain_reason(item, condition)]
        agreed.append(
            AgreementView(
                id=f"w{number}",
                role=role,
                party=liner.people.party(condition),
                satisfied=satisfied(condition, signers, shown, at_height, at_ms),
                why=[words for words, _ in why],
                reasons=[reason for _, reason in why],
                by=[key.hex() for key in dict.fromkeys(keys_named(condition)) if key in signers],
            )
        )
    return agreed


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


def _reasons(liner: Liner, item: Prepared) -> dict[Condition, list[Reason]]:
    """The movements that somebody is part of."""
    found: dict[Condition, list[Reason]] = {}
    for number, movement in enumerate(movements(item.id, item.transaction.body)):
        reason = liner.words(movement), ReasonView(kind="line", number=number)
        for condition in dict.fromkeys((movement.actor, movement.counterpart, movement.owner)):
            if condition is not None:
                found.setdefault(condition, []).append(reason)
    return found


def _plain_reason(item: Prepared, condition: Condition) -> Reason:
    """For who is part of no movement: whose output is spent, and goes back."""
    for number, spent in enumerate(item.transaction.body.inputs):
        if spent.content.owner == condition:
            if spent.content.asset == NATIVE and item.fee:
                return f"pays the fee (input {number})", ReasonView(kind="pays-fee", number=number)
            return f"lets its output be spent (input {number})", ReasonView(kind="lets-spend", number=number)
    return "holds what is merged or split", ReasonView(kind="merged-or-split", number=None)
