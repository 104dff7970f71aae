"""From what an event means to a transaction: classes become assets, parties become addresses, and the wallet does the rest.

What classes and parties stand for is a table of this node (``PUT /v1/epcis/names``): two companies may call one thing by two
names, and only its owner knows. A lot that is not in the table is looked up by its GTIN. What is not known moves nothing.

If the node's own keys suffice the transaction is handed in, else it is offered to those who must sign too; a receipt accepts the
offer that fits it, if that only brings: nobody reads it before it is signed, so it must ask for nothing in return.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from horoi.base.errors import HoroiError, NotFoundError, UsageError
from horoi.epcis.context import namespaces_of
from horoi.epcis.gs1 import read_link
from horoi.epcis.movement import Movement, Part, movement_of, plain_amount
from horoi.ledger.conditions import Condition, Key, keys_named
from horoi.ledger.transaction import Body, Holding
from horoi.node.epcis.store import EventStore
from horoi.web.model import wallet as verbs
from horoi.web.model.offers import OfferView
from horoi.web.offer_view import own_keys
from horoi.web.offering import accept_offer, act_or_offer, find_offer, offers_of

if TYPE_CHECKING:
    from horoi.web.access import NodeAccess

CLASS, PARTY = "class", "party"
LOSS = "lost in processing"


class Outcome(NamedTuple):
    """What became of a movement.

    ``state``: ``done`` (a transaction), ``offered``, ``accepted``, ``refused``, or ``unknown`` (nothing here has these names).
    """

    state: str
    reference: str
    words: str


UNKNOWN = Outcome("unknown", "", "one of its classes stands for no asset here; PUT /v1/epcis/names says what does")


class Names(NamedTuple):
    """A movement's names, looked up."""

    classes: dict[str, str]
    parties: dict[str, str]


def look_up(store: EventStore, movement: Movement) -> Names | None:
    """What the classes and parties of a movement stand for; None if one of its classes is nothing here."""
    classes = {}
    for part in (*movement.parts, *movement.products):
        asset = asset_of_class(store, part.epc_class)
        if asset is None:
            return None
        classes[part.epc_class] = asset
    named = [party for party in (movement.holder, movement.owner, movement.sender) if party is not None]
    return Names(classes, {party: address for party in named if (address := store.known(PARTY, party))})


def asset_of_class(store: EventStore, epc_class: str) -> str | None:
    """The asset of a class: of the lot, else of its GTIN."""
    found = store.known(CLASS, epc_class)
    key = read_link(epc_class)
    if found is None and key is not None and key.qualifier:
        found = store.known(CLASS, key._replace(qualifier="", detail="").uri)
    return found


async def move(access: NodeAccess, names: Names, movement: Movement, note: str) -> Outcome:
    """Do what an event means. Never raises for what the ledger or the wallet refuses: that is its outcome."""
    others = {"ship": movement.sender, "receive": movement.holder or movement.owner}.get(movement.verb)
    address = names.parties.get(others or "")
    if address is not None and address not in [key.address for key in access.keys]:
        return Outcome("unknown", "", f"it is {address} who does this, not this node")
    try:
        if movement.verb == "receive":
            return await _receive(access, names, movement)
        steps = steps_of(names, movement)
        if not steps:
            return Outcome("unknown", "", "one of its parties is nobody that this node knows by name")
        done = await act_or_offer(access, steps, note=note)
    except HoroiError as error:
        return Outcome("refused", "", str(error))
    if isinstance(done, OfferView):
        return Outcome("offered", done.id, "; ".join(done.words))
    return Outcome("done", done.id, "; ".join(done.words))


def steps_of(names: Names, movement: Movement) -> list[verbs.Verb]:
    """The wallet's verbs for a movement; none if nobody receives it, or its sources are with a stranger."""
    if movement.verb == "issue":
        return [verbs.Issue(asset=names.classes[part.epc_class], amount=part.amount) for part in movement.parts]
    if movement.verb == "retire":
        return [_retire(names, part, movement.reason) for part in movement.parts]
    if movement.verb == "transform":
        named = [party for party in (movement.holder, movement.owner) if party is not None]
        return _transform(names, movement) if all(party in names.parties for party in named) else []
    holder, owner = (names.parties.get(party or "") for party in (movement.holder, movement.owner))
    if owner is not None:
        return [
            verbs.Transfer(asset=names.classes[part.epc_class], amount=part.amount, to=owner, new_custodian=holder)
            for part in movement.parts
        ]
    if holder is None:
        return []
    return [
        verbs.HandOver(asset=names.classes[part.epc_class], amount=part.amount, to=holder) for part in movement.parts
    ]


def _retire(names: Names, part: Part, reason: str) -> verbs.Verb:
    return verbs.Retire(asset=names.classes[part.epc_class], amount=part.amount, reason=reason)


def _transform(names: Names, movement: Movement) -> list[verbs.Verb]:
    """One source is refined into all products, and the rest is lost; several sources make one product.

    If the event says whose the sources were, and who had them in hand, those agree; else all are this node's own.
    """
    by, held_by = (names.parties.get(party or "") for party in (movement.owner, movement.holder))
    if len(movement.parts) == 1:
        products = [verbs.Part(asset=names.classes[part.epc_class], amount=part.amount) for part in movement.products]
        (source,) = movement.parts
        return [
            verbs.Refine(
                source=verbs.Part(asset=names.classes[source.epc_class], amount=source.amount),
                products=products,
                loss_reason=LOSS,
                by=by,
                held_by=held_by,
            )
        ]
    if len(movement.products) > 1:
        raise UsageError(
            f"{len(movement.parts)} sources and {len(movement.products)} products: say which source became which product, "
            "as one TransformationEvent for each product"
        )
    (product,) = movement.products
    consumed = [verbs.Part(asset=names.classes[part.epc_class], amount=part.amount) for part in movement.parts]
    return [
        verbs.Transform(
            asset=names.classes[product.epc_class], amount=product.amount, consumed=consumed, by=by, held_by=held_by
        )
    ]


async def _receive(access: NodeAccess, names: Names, movement: Movement) -> Outcome:
    """Accept the offer that brings exactly these quantities and takes nothing; from the sender, if its address is known."""
    wanted = sorted((names.classes[part.epc_class], part.amount) for part in movement.parts)
    sender, mine = names.parties.get(movement.sender or ""), own_keys(access)
    for offer in offers_of(access, "incoming"):
        if not offer.awaits_me or wanted != brought(offer) or (sender is not None and not _has_signed(offer, sender)):
            continue
        body = find_offer(access, bytes.fromhex(offer.id)).known.offer.terms.body
        if not takes(offer, body, mine):
            accepted = await accept_offer(access, bytes.fromhex(offer.id))
            return Outcome("accepted", accepted.id, "; ".join(accepted.words))
    raise NotFoundError(
        "no open offer brings exactly these quantities to this node's keys and asks for nothing in return: it was offered "
        "otherwise, or not yet; `horoi offer list` shows what there is"
    )


def _has_signed(offer: OfferView, address: str) -> bool:
    return any(signer.address == address and signer.state == "signed" for signer in offer.signers)


def takes(offer: OfferView, body: Body, mine: Mapping[bytes, None]) -> bool:
    """True if its signature would give something of this node's keys away, or say something in their name."""
    losses = [change for change in offer.changes if change.mine]
    if any((text or "").startswith("-") for change in losses for text in (change.owns_change, change.holds_change)):
        return True
    said = [*(post.author for post in body.posts), *(definition.issuer for definition in body.definitions)]
    return any(_names(condition, mine) for condition in (*said, *_shared(body)))


def _shared(body: Body) -> list[Condition]:
    """Who agrees to what an offer spends where the sums of single keys do not show it: rights, and what several keys have."""
    found: list[Condition] = []
    for spent in body.inputs:
        content = spent.content
        if not isinstance(content, Holding):
            found.append(content.owner)
            continue
        found += [each for each in (content.owner, content.custodian) if each is not None and not isinstance(each, Key)]
    return found


def _names(condition: Condition, mine: Mapping[bytes, None]) -> bool:
    return any(key in mine for key in keys_named(condition))


def brought(offer: OfferView) -> list[tuple[str, str]]:
    """What an offer brings to this node's keys: (asset, amount gained), held if it has custodians, else owned."""
    found = []
    for change in offer.changes:
        gained = change.owns_change if change.holds_change is None else change.holds_change
        if change.mine and gained is not None and gained.startswith("+"):
            found.append((change.asset, plain_amount(Decimal(gained))))
    return sorted(found)


def movements_of(payloads: Sequence[tuple[int, dict[str, Any]]]) -> list[tuple[int, Movement]]:
    """Those events that mean a movement, in order."""
    found = []
    for seq, event in payloads:
        movement = movement_of(event, namespaces_of(event.get("@context")))
        if movement is not None:
            found.append((seq, movement))
    return found
