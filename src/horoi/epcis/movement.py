"""What an event means for quantities of things that a ledger knows (CBV 2.0 sections 7.1 and 7.4; DESIGN, the ledger's verbs).

    commissioning, ADD       quantities come into being             issue
    shipping, departing      they leave for whoever the destination names    hand over, or transfer of ownership
    receiving, accepting     they arrive                            accept what the other side offered
    TransformationEvent      some become others                     transform
    destroying, ...          they are no more                       retire

Only classes with a quantity mean anything here: a ledger of amounts has no single barrels. An event that says less than a
movement needs (no quantity, no destination) means nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from horoi.epcis.context import Namespaces
from horoi.epcis.facts import canonical_value
from horoi.epcis.vocabulary import BIZ_STEPS, DISPOSITIONS, OBJECT, PARTY_TYPES, TRANSFORMATION

STEP = BIZ_STEPS.start
MADE = (STEP + "commissioning", STEP + "creating_class_instance")
SENT = (STEP + "shipping", STEP + "departing", STEP + "consigning")
TAKEN = (STEP + "receiving", STEP + "accepting")
GONE = (STEP + "destroying", STEP + "decommissioning", STEP + "killing", STEP + "dispensing")
POSSESSING = PARTY_TYPES.start + "possessing_party"
OWNING = PARTY_TYPES.start + "owning_party"

MAX_PARTS = 20  # quantities of one event that become one transaction; a guess
MAX_DIGITS = 40  # of an amount: the ledger's own bound is 20


class Part(NamedTuple):
    """So much of a class, in the class's own unit."""

    epc_class: str
    amount: str


class Movement(NamedTuple):
    """What happened to quantities. ``verb``: issue, ship, receive, transform or retire."""

    verb: str
    parts: tuple[Part, ...]
    products: tuple[Part, ...] = ()
    holder: str | None = None  # who has it afterwards; of what is transformed: who had the sources
    owner: str | None = None  # whose it is afterwards; of what is transformed: whose the sources were
    sender: str | None = None  # who had it, or whose it was
    reason: str = ""


def movement_of(event: dict[str, Any], namespaces: Namespaces) -> Movement | None:
    """The movement that a checked event means; None if it means none."""
    if "errorDeclaration" in event:  # it says that the event should not have been, and moves nothing
        return None
    if event.get("type") == TRANSFORMATION:
        return _transformation(event, namespaces)
    if event.get("type") != OBJECT:
        return None
    parts = _parts(event, "quantityList", namespaces)
    if not parts:
        return None
    step = canonical_value(event.get("bizStep", ""), BIZ_STEPS, namespaces)
    source, destination = _parties(event, "source", namespaces), _parties(event, "destination", namespaces)
    action = event.get("action")
    if action == "ADD" and step in MADE:
        return Movement("issue", parts)
    if action == "OBSERVE" and step in SENT and destination:
        sender = source.get(POSSESSING) or source.get(OWNING)
        return Movement("ship", parts, (), destination.get(POSSESSING), destination.get(OWNING), sender)
    if action == "OBSERVE" and step in TAKEN:
        sender = source.get(POSSESSING) or source.get(OWNING)
        return Movement("receive", parts, (), destination.get(POSSESSING), destination.get(OWNING), sender)
    if action == "DELETE" and step in GONE:
        return Movement("retire", parts, reason=_reason(event, step, namespaces))
    return None


def _transformation(event: dict[str, Any], namespaces: Namespaces) -> Movement | None:
    sources = _parts(event, "inputQuantityList", namespaces)
    products = _parts(event, "outputQuantityList", namespaces)
    if not sources or not products:
        return None
    parties = _parties(event, "source", namespaces)
    return Movement("transform", sources, products, parties.get(POSSESSING), parties.get(OWNING))


def _parts(event: dict[str, Any], name: str, namespaces: Namespaces) -> tuple[Part, ...]:
    """Every quantity above zero, those of one class added up; nothing if there are too many to be one movement."""
    totals: dict[str, Decimal] = {}
    for element in event.get(name, ()):
        amount = Decimal(str(element.get("quantity", 0)))
        if amount > 0:
            epc_class = canonical_value(element["epcClass"], None, namespaces)
            totals[epc_class] = totals.get(epc_class, Decimal(0)) + amount
    if len(totals) > MAX_PARTS or any(abs(total.adjusted()) > MAX_DIGITS for total in totals.values()):
        return ()
    return tuple(Part(epc_class, plain_amount(total)) for epc_class, total in totals.items())


def plain_amount(amount: Decimal) -> str:
    """Without an exponent and without needless zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _parties(event: dict[str, Any], name: str, namespaces: Namespaces) -> dict[str, str]:
    return {
        canonical_value(entry["type"], PARTY_TYPES, namespaces): canonical_value(entry[name], None, namespaces)
        for entry in event.get(f"{name}List", ())
    }


def _reason(event: dict[str, Any], step: str, namespaces: Namespaces) -> str:
    """The disposition says more than the step, if there is one."""
    disposition = canonical_value(event.get("disposition", ""), DISPOSITIONS, namespaces)
    said = disposition if disposition.startswith(DISPOSITIONS.start) else step
    return said.rpartition("-")[2].replace("_", " ")
