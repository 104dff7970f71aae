"""Offers, on the desk of the node's owner. Every handler here needs the node's token: an offer is read by everybody, but not
which of them concern this node's keys."""

from __future__ import annotations

import msgspec

from horoi.base.errors import UsageError
from horoi.node.wallet import partial as partials
from horoi.node.wallet.text import parse_time
from horoi.web import offering
from horoi.web.access import NodeAccess
from horoi.web.model.offers import (
    AcceptForm,
    AnswerPath,
    OfferForm,
    OfferList,
    OfferPath,
    OfferQuery,
    OffersQuery,
    OfferView,
    RefuseForm,
    WithdrawForm,
)
from horoi.web.offer_view import offer_view


async def make_offer(access: NodeAccess, query: OfferQuery, form: OfferForm) -> OfferView:
    """Propose a transaction to those who must sign it too.

    The node signs with its own keys and sends it to all nodes, which read it. What it spends is reserved in this wallet until the
    offer ends.
    """
    if (form.steps is None) == (form.partial is None):
        raise UsageError("give steps, or a partially signed transaction, and not both")
    expires_ms = parse_time(form.expires) if form.expires is not None else None
    if expires_ms is not None and not 1 <= expires_ms <= 2**53:
        raise UsageError(f"a time of {expires_ms} ms since 1970 is outside what an offer takes", code="time-outside")
    if form.partial is not None:
        partial = partials.from_json(msgspec.json.encode(form.partial))
        return await offering.offer_partial(access, partial, note=form.note, expires_ms=expires_ms, keys=query.keys)
    return await offering.make_offer(
        access,
        form.steps or [],
        note=form.note,
        expires_ms=expires_ms,
        keys=query.keys,
        payer=query.payer,
        fee=query.fee,
    )


def offers(access: NodeAccess, query: OffersQuery, _: None) -> OfferList:
    """Offers, newest first: those that wait for this node's keys, its own, those that are over."""
    found = offering.kept_offers(access, query.state)
    page = found[query.offset : query.offset + query.limit]
    return OfferList(
        offers=[offer_view(access, kept, whole=False) for kept in page], count=len(found), offset=query.offset
    )


def offer(access: NodeAccess, path: OfferPath, _: None) -> OfferView:
    """An offer, with what every party has before and after."""
    return offer_view(access, offering.find_offer(access, bytes.fromhex(path.id)), whole=True)


async def accept_offer(access: NodeAccess, path: AnswerPath, form: AcceptForm) -> OfferView:
    """Agree: sign with the node's keys that are asked. Whoever completes an offer hands its transaction in."""
    preimages = [bytes.fromhex(preimage) for preimage in form.preimages]
    return await offering.accept_offer(access, bytes.fromhex(path.id), keys=path.keys, preimages=preimages)


async def refuse_offer(access: NodeAccess, path: AnswerPath, form: RefuseForm) -> OfferView:
    """Say no, signed by the node's keys that are asked. Signing later is still possible."""
    return await offering.refuse_offer(access, bytes.fromhex(path.id), reason=form.reason, keys=path.keys)


async def withdraw_offer(access: NodeAccess, path: OfferPath, form: WithdrawForm) -> OfferView:
    """Take an own offer back.

    Honest nodes carry it no further. Whoever kept a copy could still complete it while what it spends is unspent; with `spend`
    one of the outputs that it promised is moved to its present owner and custodian, which rules that out.
    """
    return await offering.withdraw_offer(access, bytes.fromhex(path.id), spend=form.spend)
