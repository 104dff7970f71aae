"""An offer as the node's owner sees it: in words, with who is asked, and what changes for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from horoi.base.address import address_of
from horoi.ledger.conditions import Condition, Key
from horoi.ledger.transaction import Body, Holding
from horoi.node.index.touched import OWNER
from horoi.node.offers.book import ALIVE, Kept, keys_of
from horoi.node.offers.offer import asked_keys
from horoi.node.wallet import partial as partials
from horoi.node.wallet.amounts import format_amount
from horoi.node.wallet.explain import AssetName, explain
from horoi.node.wallet.partial import PartialTransaction
from horoi.node.wallet.sentences import sentences
from horoi.node.wallet.text import condition_to_json
from horoi.web.access import NodeAccess
from horoi.web.agreed import sentence_view
from horoi.web.model.offers import Direction, OfferChange, OfferEvent, OfferView, SignerView
from horoi.web.people import People
from horoi.web.reading import unspent_of_key
from horoi.web.views import Viewer, time_text

MAX_OUTPUTS_READ = 10_000  # of one key, for its sums: as the holdings of the API

Moved = dict[tuple[Condition, bytes], list[int]]
"""By party and asset: what it owns more, what it holds more; and whether the asset has custodians (1 or 0)."""


def partial_of(access: NodeAccess, kept: Kept) -> PartialTransaction:
    """The transaction, as far as it is signed."""
    offer = kept.known.offer
    return PartialTransaction(access.node.chain.network, offer.terms.body, offer.witness)


def own_keys(access: NodeAccess) -> dict[bytes, None]:
    """The public keys that this node can sign with."""
    return {key.pair.public: None for key in access.keys}


def direction_of(kept: Kept, mine: Mapping[bytes, None]) -> Direction:
    """Whose it is, as seen from here."""
    if kept.known.offer.terms.by in mine:
        return "outgoing"
    return "incoming" if is_asked(kept, mine) else "other"


def is_asked(kept: Kept, mine: Mapping[bytes, None]) -> bool:
    """True if an own key's agreement counts."""
    return any(key in mine for key in asked_keys(kept.known.prepared.need))


def awaits(kept: Kept, mine: Mapping[bytes, None]) -> bool:
    """True if an own key has still to answer."""
    offer = kept.known.offer
    answered = {s.key for s in offer.witness.signatures} | {r.key for r in offer.refusals}
    asked = asked_keys(kept.known.prepared.need)
    return kept.state == "open" and any(key in mine and key not in answered for key in asked)


def event_of(kept: Kept) -> OfferEvent:
    """The event of the live stream. It does not say whose keys are this node's: anybody may listen."""
    return OfferEvent(
        id=kept.id.hex(),
        transaction=kept.known.prepared.id.hex(),
        state=kept.state,
        by=address_of(kept.known.offer.terms.by),
    )


def offer_view(access: NodeAccess, kept: Kept, *, whole: bool) -> OfferView:
    """The offer; ``whole``: with the ledger's sums before and after."""
    terms, prepared = kept.known.offer.terms, kept.known.prepared
    view, mine, partial = Viewer(access), own_keys(access), partial_of(access, kept)
    names = view.names(terms.body)
    words = explain(terms.body, view.names(terms.body, _called(access, kept)))
    said, people = sentences(terms.body), People(access)
    headline = next((number for number, sentence in enumerate(said) if sentence.kind != "owns-as-before"), 0)
    tip = access.node.chain.tip
    return OfferView(
        id=kept.id.hex(),
        transaction=prepared.id.hex(),
        state=kept.state,
        direction=direction_of(kept, mine),
        awaits_me=awaits(kept, mine),
        by=address_of(terms.by),
        note=terms.note,
        received_ms=kept.received_ms,
        received=time_text(kept.received_ms),
        expires_ms=terms.expires_ms,
        expires=time_text(terms.expires_ms),
        ended_ms=kept.ended_ms,
        ended=time_text(kept.ended_ms) if kept.ended_ms is not None else None,
        height=kept.confirmed_height,
        problem=kept.problem or None,
        problem_rule=kept.problem.partition(":")[0] or None,
        headline=words[headline],
        headlined=sentence_view(view, people, said[headline]),
        words=words,
        sentences=[sentence_view(view, people, sentence) for sentence in said] if whole else [],
        fee=str(prepared.fee),
        signers=_signers(kept, mine),
        missing=[condition_to_json(c) for c in partials.missing(partial, tip.height + 1, tip.median_time_ms)],
        changes=_changes(access, view, terms.body, mine, whole=whole and kept.state in ALIVE),
        partial=msgspec.json.decode(partials.to_json(partial, names)),
    )


def _called(access: NodeAccess, kept: Kept) -> dict[Condition, str]:
    """How the operator calls the keys that an offer names. The file that travels has none of that."""
    body = kept.known.offer.terms.body
    parties = [*(spent.content for spent in body.inputs), *body.outputs]
    keys = {key: None for content in parties for key in keys_of(content)}
    keys |= asked_keys(kept.known.prepared.need)
    return {Key(key): name for key in keys if (name := access.book.get(key)) is not None}


def _signers(kept: Kept, mine: Mapping[bytes, None]) -> list[SignerView]:
    offer = kept.known.offer
    signed = {signature.key for signature in offer.witness.signatures}
    reasons = {refusal.key: refusal.reason for refusal in offer.refusals if refusal.key not in signed}
    return [
        SignerView(
            address=address_of(key),
            key=key.hex(),
            state="signed" if key in signed else "refused" if key in reasons else "missing",
            mine=key in mine,
            reason=reasons.get(key),
        )
        for key in asked_keys(kept.known.prepared.need)
    ]


# ---- what changes ---------------------------------------------------------------------------------------------------


def _changes(
    access: NodeAccess, view: Viewer, body: Body, mine: Mapping[bytes, None], *, whole: bool
) -> list[OfferChange]:
    changes = []
    for (party, asset), (owns, holds, has_custody) in _moved(body).items():
        if not owns and not holds:
            continue
        known = view.asset(asset) or AssetName("", "", 0)
        before: Sequence[int] | None = None
        if whole and isinstance(party, Key) and access.node.index is not None:
            before = _sums(access, party.public, asset)
        changes.append(_change(party, asset, (owns, holds if has_custody else None), before, known, mine))
    return changes


def _change(
    party: Condition,
    asset: bytes,
    change: tuple[int, int | None],
    before: Sequence[int] | None,
    known: AssetName,
    mine: Mapping[bytes, None],
) -> OfferChange:
    owns, holds = change

    def text(quantity: int | None) -> str | None:
        return format_amount(quantity, known.decimals) if quantity is not None and quantity >= 0 else None

    owned, held = before if before is not None else (None, None)
    return OfferChange(
        who=condition_to_json(party),
        mine=isinstance(party, Key) and party.public in mine,
        asset=asset.hex(),
        name=known.name or None,
        unit=known.unit or None,
        owns_change=_signed_text(owns, known.decimals),
        holds_change=_signed_text(holds, known.decimals) if holds is not None else None,
        owns_before=text(owned),
        owns_after=text(owned + owns) if owned is not None else None,
        holds_before=text(held) if holds is not None else None,
        holds_after=text(held + holds) if held is not None and holds is not None else None,
    )


def _signed_text(quantity: int, decimals: int) -> str:
    return ("-" if quantity < 0 else "+") + format_amount(abs(quantity), decimals)


def _moved(body: Body) -> Moved:
    """Outputs minus inputs, by party and asset, in order of appearance."""
    moved: Moved = {}
    contents = [(spent.content, -1) for spent in body.inputs] + [(made, 1) for made in body.outputs]
    for content, sign in contents:
        if not isinstance(content, Holding):
            continue
        has_custody = content.custodian is not None
        for party, position in ((content.owner, 0), (content.custodian, 1)):
            if party is not None:
                sums = moved.setdefault((party, content.asset), [0, 0, int(has_custody)])
                sums[position] += sign * content.quantity
    return moved


def _sums(access: NodeAccess, key: bytes, asset: bytes) -> tuple[int, int]:
    """What a key owns and what it holds of an asset at the tip, by itself."""
    owned = held = 0
    rows, _ = unspent_of_key(access, key, unconfirmed=False, most=MAX_OUTPUTS_READ)
    for row in rows:
        content = row.spendable.content
        if isinstance(content, Holding) and content.asset == asset:
            owned += content.quantity if row.roles & OWNER and content.owner == Key(key) else 0
            held += content.quantity if content.custodian == Key(key) else 0
    return owned, held
