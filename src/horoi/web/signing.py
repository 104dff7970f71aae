"""Signing with the node's keys, and handing in what is complete: what the wallet's actions and offers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from horoi.base.codec import encode
from horoi.ledger.conditions import Condition
from horoi.ledger.rules import check_body
from horoi.ledger.transaction import asset_id
from horoi.node.wallet import partial as partials
from horoi.node.wallet.explain import explain
from horoi.node.wallet.partial import PartialTransaction
from horoi.node.wallet.text import condition_from_text, condition_to_json
from horoi.web.access import NamedKey, NodeAccess
from horoi.web.agreed import sentence_views
from horoi.web.model.wallet import WalletAnswer
from horoi.web.people import People
from horoi.web.routes.transactions import refusal
from horoi.web.views import Viewer


def read_payer(text: str | None) -> Any:
    """Who pays the fee, as a condition's form; None for None. Raises UsageError."""
    return condition_to_json(condition_from_text(text)) if text is not None else None


def read_fee(text: str | None) -> int | None:
    """A fee in the coin's smallest unit, which the query's pattern has checked."""
    return int(text) if text is not None else None


def signed_by(keys: Sequence[NamedKey], partial: PartialTransaction) -> PartialTransaction:
    """The transaction with the signatures of those keys that it asks for."""
    asked = partials.keys_asked(partial)
    for key in keys:
        if key.pair.public in asked:
            partial = partials.sign(partial, key.pair)
    return partial


async def finish(access: NodeAccess, partial: PartialTransaction, *, submit: bool) -> WalletAnswer:
    """Hand in what is complete, if it is to be submitted; raise what the mempool refuses it for."""
    chain = access.node.chain
    height, median_ms = chain.tip.height + 1, chain.tip.median_time_ms
    missing: list[Condition] = partials.missing(partial, height, median_ms)
    transaction = None if missing else partials.finalize(partial, height, median_ms)
    submitted = transaction is not None and submit
    if transaction is not None and submitted:
        result = (await access.submit([transaction]))[0]
        if not result.accepted:
            raise refusal(result)
    view = Viewer(access)
    names = view.names(partial.body)
    return WalletAnswer(
        id=partial.id.hex(),
        submitted=submitted,
        words=explain(partial.body, names),
        sentences=sentence_views(view, People(access), partial.body),
        missing=[condition_to_json(condition) for condition in missing],
        partial=msgspec.json.decode(partials.to_json(partial, names)),
        hex=encode(transaction).hex() if transaction is not None else None,
        fee=str(check_body(partial.body)),
        assets=[asset_id(partial.id, number).hex() for number in range(len(partial.body.definitions))],
    )
