"""Offering: what the node's own keys propose, accept, refuse and withdraw. Used by the routes, and by whoever turns other
events into transactions that several parties must sign."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from horoi.base.errors import ForbiddenError, NetworkError, NotFoundError, RuleError, UsageError
from horoi.ledger.conditions import Key, keys_named
from horoi.ledger.transaction import NATIVE, Holding
from horoi.node.events import OfferPut, PutOffer
from horoi.node.offers.book import Kept
from horoi.node.offers.offer import Offer, Stake, Terms, agree, asked_keys, propose, refuse, withdraw
from horoi.node.wallet import partial as partials
from horoi.node.wallet.builder import Draft
from horoi.node.wallet.partial import PartialTransaction
from horoi.node.wallet.pools import Spendable
from horoi.web.access import NamedKey, NodeAccess
from horoi.web.compose import compose, spendables
from horoi.web.model.offers import OfferView
from horoi.web.model.wallet import Step, Verb, WalletAnswer
from horoi.web.offer_view import awaits, direction_of, is_asked, offer_view, own_keys, partial_of
from horoi.web.reading import unspent_at, unspent_of_key
from horoi.web.signing import finish, read_fee, read_payer, signed_by

DEFAULT_LIFE_MS = 24 * 3_600_000  # a guess: a working day, and the night after it
PUT_TIMEOUT_S = 30.0  # a guess: verification of one offer takes milliseconds


# ---- proposing ------------------------------------------------------------------------------------------------------


async def make_offer(
    access: NodeAccess,
    steps: Sequence[Verb | Step],
    *,
    note: str = "",
    expires_ms: int | None = None,
    keys: str | None = None,
    payer: str | None = None,
    fee: str | None = None,
) -> OfferView:
    """Compose a transaction of confirmed holdings, sign it with the node's keys, and offer it to those who must sign too."""
    async with access.wallet_turn:
        body = compose(access, steps, read_payer(payer), read_fee(fee), may_spend_unconfirmed=False)
        partial = PartialTransaction(access.node.chain.network, body)
        return await _offer(access, partial, note, expires_ms, keys)


async def act_or_offer(
    access: NodeAccess,
    steps: Sequence[Verb | Step],
    *,
    note: str = "",
    expires_ms: int | None = None,
    keys: str | None = None,
    payer: str | None = None,
    fee: str | None = None,
) -> WalletAnswer | OfferView:
    """Hand the transaction in if the node's own keys suffice; else offer it."""
    async with access.wallet_turn:
        body = compose(access, steps, read_payer(payer), read_fee(fee), may_spend_unconfirmed=False)
        partial = signed_by(access.keys_named(keys), PartialTransaction(access.node.chain.network, body))
        if _is_complete(access, partial):
            return await finish(access, partial, submit=True)
        return await _offer(access, partial, note, expires_ms, keys)


async def offer_partial(
    access: NodeAccess,
    partial: PartialTransaction,
    *,
    note: str = "",
    expires_ms: int | None = None,
    keys: str | None = None,
) -> OfferView:
    """Offer a transaction that was made elsewhere, with the node's signatures added."""
    if partial.network_id != access.node.chain.network:
        raise UsageError(
            f"it is of network {partial.network_id.hex()}, this node of {access.node.chain.network.hex()}",
            code="other-network",
        )
    async with access.wallet_turn:
        return await _offer(access, partial, note, expires_ms, keys)


async def _offer(
    access: NodeAccess, partial: PartialTransaction, note: str, expires_ms: int | None, keys: str | None
) -> OfferView:
    signers = access.keys_named(keys)
    partial = signed_by(signers, partial)
    if _is_complete(access, partial):
        raise UsageError(
            "nobody else has to agree: hand it in with the wallet's own actions instead of offering it",
            code="offer-alone",
        )
    proposer = _proposer(signers, partial)
    stake = _stake(access, partial, proposer)
    expires_ms = expires_ms if expires_ms is not None else int(access.host.now() * 1000) + DEFAULT_LIFE_MS
    terms = Terms(partial.body, proposer.pair.public, stake, expires_ms, note)
    return await _put(access, propose(partial.network_id, terms, partial.witness, proposer.pair))


def _is_complete(access: NodeAccess, partial: PartialTransaction) -> bool:
    tip = access.node.chain.tip
    return not partials.missing(partial, tip.height + 1, tip.median_time_ms)


def _proposer(signers: Sequence[NamedKey], partial: PartialTransaction) -> NamedKey:
    """The first own key that signed."""
    signed = {signature.key for signature in partial.witness.signatures}
    for key in signers:
        if key.pair.public in signed:
            return key
    raise ForbiddenError(
        "none of this node's keys is asked to agree: whoever has to sign must offer it", code="not-asked"
    )


def _stake(access: NodeAccess, partial: PartialTransaction, proposer: NamedKey) -> Stake:
    """An unspent output that names the proposer: one that is spent here, else any."""
    public = proposer.pair.public
    for spent in partial.body.inputs:
        holders = [spent.content.owner, spent.content.custodian if isinstance(spent.content, Holding) else None]
        if Key(public) in holders:
            return Stake(spent.source, spent.index)
    rows, _ = unspent_of_key(access, public, unconfirmed=False, most=1)
    if not rows:
        raise ForbiddenError(
            f"{proposer.address} owns and holds nothing yet, and an offer needs something to stand for it (against floods): "
            "let the other side offer it, or send the file (horoi tx sign)",
            code="offer-stake",
            who=proposer.address,
        )
    return Stake(rows[0].spendable.source, rows[0].spendable.index)


# ---- answering ------------------------------------------------------------------------------------------------------


def find_offer(access: NodeAccess, offer_id: bytes) -> Kept:
    """The offer of this id; NotFoundError if it is not known here."""
    kept = access.node.offers.book.get(offer_id)
    if kept is None:
        raise NotFoundError(f"no offer {offer_id.hex()}: it never came here, or ended long ago", code="no-offer")
    return kept


async def accept_offer(
    access: NodeAccess, offer_id: bytes, *, keys: str | None = None, preimages: Sequence[bytes] = ()
) -> OfferView:
    """Sign with the node's keys that are asked. Whoever completes it hands the transaction in."""
    kept = find_offer(access, offer_id)
    _check_open(kept, ("open", "refused"))
    signers = _asked(access, kept, keys)
    partial = partial_of(access, kept)
    for preimage in preimages:
        partial = partials.show_preimage(partial, preimage)
    partial = signed_by(signers, partial)
    return await _put(access, agree(kept.known.offer, partial.witness))


async def refuse_offer(access: NodeAccess, offer_id: bytes, *, reason: str = "", keys: str | None = None) -> OfferView:
    """Say no with the node's keys that are asked and have not signed."""
    kept = find_offer(access, offer_id)
    _check_open(kept, ("open",))
    signed = {signature.key for signature in kept.known.offer.witness.signatures}
    refusing = [key for key in _asked(access, kept, keys) if key.pair.public not in signed]
    if not refusing:
        raise UsageError(
            "this node's keys have signed it, and a signature cannot be called back; its proposer can withdraw it",
            code="offer-signed",
        )
    offer = kept.known.offer
    for key in refusing:
        offer = refuse(access.node.chain.network, offer, key.pair, reason)
    return await _put(access, offer)


async def withdraw_offer(access: NodeAccess, offer_id: bytes, *, spend: bool = False) -> OfferView:
    """Take an own offer back; ``spend``: and spend one of the outputs that it promised, so that it can never come about."""
    kept = find_offer(access, offer_id)
    _check_open(kept, ("open", "refused", "withdrawn", "expired") if spend else ("open", "refused"))
    by = kept.known.offer.terms.by
    proposer = next((key for key in access.keys if key.pair.public == by), None)
    if proposer is None:
        raise ForbiddenError(
            "only its proposer withdraws an offer; refuse it if you are asked to sign", code="offer-not-proposer"
        )
    view = await _put(access, withdraw(access.node.chain.network, kept.known.offer, proposer.pair))
    if spend:
        await _spend_promised(access, kept)
    return view


async def _spend_promised(access: NodeAccess, kept: Kept) -> None:
    """Move an output that the offer promised to its present owner and custodian: goods rather than coin."""
    mine = own_keys(access)
    movable: list[Spendable] = []
    for spent in kept.known.offer.terms.body.inputs:
        owner, found = spent.content.owner, unspent_at(access, spent.source, spent.index)
        if found is not None and isinstance(owner, Key) and owner.public in mine and isinstance(found.content, Holding):
            movable.append(found)
    if not movable:
        raise UsageError(
            "none of what it promised can be moved by an own key alone: it stays possible until that is spent",
            code="offer-unmovable",
        )
    movable.sort(key=lambda spendable: spendable.content.asset == NATIVE)
    async with access.wallet_turn:
        await _move_in_place(access, movable[0])


async def _move_in_place(access: NodeAccess, found: Spendable) -> None:
    """Spend this output, and nothing else but coin for the fee."""
    chain, content = access.node.chain, found.content
    assert isinstance(content, Holding)
    is_coin = content.asset == NATIVE
    payer = content.owner if is_coin else access.own_condition()
    coins = [] if is_coin else spendables(access, keys_named(payer), unconfirmed=False)
    draft = Draft(
        [found, *(coin for coin in coins if coin.content.asset == NATIVE)],
        height=chain.tip.height + 1,
        maturity=chain.genesis.consensus.maturity,
        fee_floor=chain.genesis.fee_floor,
        payer=payer,
    )
    part = 1 if is_coin else content.quantity  # of the coin the rest is change, and pays the fee
    body = draft.split(content.asset, [part], owner=content.owner, custodian=content.custodian).build()
    await finish(access, signed_by(access.keys, PartialTransaction(chain.network, body)), submit=True)


def _check_open(kept: Kept, states: tuple[str, ...]) -> None:
    if kept.state not in states:
        raise RuleError("offer.over", f"the offer is {kept.state}: there is nothing left to answer")


def _asked(access: NodeAccess, kept: Kept, keys: str | None) -> list[NamedKey]:
    asked = asked_keys(kept.known.prepared.need)
    found = [key for key in access.keys_named(keys) if key.pair.public in asked]
    if not found:
        raise ForbiddenError("none of this node's keys is asked to agree with this offer", code="not-asked")
    return found


# ---- listing --------------------------------------------------------------------------------------------------------


def kept_offers(access: NodeAccess, state: str) -> list[Kept]:
    """The offers of a list (``OffersQuery``), newest first."""
    mine = own_keys(access)

    def belongs(kept: Kept) -> bool:
        is_over = kept.state not in ("open", "complete")
        if state in ("open", "all"):
            return state == "all" or not is_over
        if state == "done":
            return is_over and is_asked(kept, mine)
        if state == "awaiting":
            return direction_of(kept, mine) == "incoming" and awaits(kept, mine)
        return not is_over and direction_of(kept, mine) == state

    return [kept for kept in reversed(list(access.node.offers.book)) if belongs(kept)]


def offers_of(access: NodeAccess, state: str = "all") -> list[OfferView]:
    """The same, as they are shown."""
    return [offer_view(access, kept, whole=False) for kept in kept_offers(access, state)]


# ---- the machine ----------------------------------------------------------------------------------------------------


async def _put(access: NodeAccess, offer: Offer) -> OfferView:
    """Hand a copy to the node, and show what it then knows. Raises RuleError or NetworkError."""
    token = secrets.randbits(60)
    answer: asyncio.Future[OfferPut] = asyncio.get_running_loop().create_future()

    def answered(notice: OfferPut) -> None:
        if notice.token == token and not answer.done():
            answer.set_result(notice)

    leave = access.host.on_notice(answered, OfferPut)
    try:
        access.host.ask(PutOffer(token, offer))
        put = await asyncio.wait_for(answer, PUT_TIMEOUT_S)
    except TimeoutError:
        raise NetworkError(
            f"the node did not answer within {PUT_TIMEOUT_S:g} s; look for the offer later", code="no-answer"
        ) from None
    finally:
        leave()
    if put.rule:
        raise RuleError(put.rule, put.detail)
    return offer_view(access, find_offer(access, put.id), whole=True)
