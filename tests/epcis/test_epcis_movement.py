"""What events mean for quantities."""

from __future__ import annotations

from typing import Any

import pytest
from tests.epcis.epcis_documents import LOT, event

from horoi.epcis.movement import Movement, Part, movement_of

CRUDE = "https://id.gs1.org/01/04012345123456/10/998877"
PETROL = "urn:epc:class:lgtin:4012345.022222.7"
QUANTITY = [{"epcClass": LOT, "quantity": 6327, "uom": "BLL"}]
FIELD, CARRIER = "urn:epc:id:pgln:4012345.00001", "urn:epc:id:pgln:4012345.00002"
TO_CARRIER: dict[str, Any] = {
    "sourceList": [{"type": "possessing_party", "source": FIELD}],
    "destinationList": [{"type": "possessing_party", "destination": CARRIER}],
}


def test_the_verbs() -> None:
    assert movement_of(event(action="ADD", bizStep="commissioning", quantityList=QUANTITY), {}) == Movement(
        "issue", (Part(CRUDE, "6327"),)
    )
    shipped = movement_of(event(bizStep="shipping", quantityList=QUANTITY, **TO_CARRIER), {})
    assert shipped is not None
    assert (shipped.verb, shipped.holder, shipped.owner) == ("ship", "https://id.gs1.org/417/4012345000023", None)
    received = movement_of(event(bizStep="receiving", quantityList=QUANTITY), {})
    assert received is not None
    assert received.verb == "receive"
    gone = movement_of(event(action="DELETE", bizStep="destroying", disposition="damaged", quantityList=QUANTITY), {})
    assert gone is not None
    assert (gone.verb, gone.reason) == ("retire", "damaged")
    made = movement_of(event("TransformationEvent", outputQuantityList=[{"epcClass": PETROL, "quantity": 2080.5}]), {})
    assert made is not None
    assert (made.verb, made.parts[0].amount, made.products[0].amount) == ("transform", "4000", "2080.5")
    assert (made.holder, made.owner) == (None, None)
    source = [{"type": "possessing_party", "source": "urn:epc:id:pgln:4012345.00002"}]
    output = [{"epcClass": PETROL, "quantity": 1}]
    elsewhere = movement_of(event("TransformationEvent", outputQuantityList=output, sourceList=source), {})
    assert elsewhere is not None
    assert (elsewhere.holder, elsewhere.owner) == ("https://id.gs1.org/417/4012345000023", None)


@pytest.mark.parametrize(
    "fields",
    [
        {"bizStep": "shipping", "quantityList": QUANTITY},  # to nobody
        {"bizStep": "shipping", **TO_CARRIER},  # nothing
        {"bizStep": "shipping", "quantityList": [{"epcClass": LOT}], **TO_CARRIER},
        {"bizStep": "shipping", "quantityList": [{"epcClass": LOT, "quantity": 0}], **TO_CARRIER},
        {"bizStep": "shipping", "quantityList": [{"epcClass": LOT, "quantity": 1e300}], **TO_CARRIER},
        {"bizStep": "commissioning", "quantityList": QUANTITY},  # only observed
        {"action": "ADD", "bizStep": "storing", "quantityList": QUANTITY},
        {
            "action": "ADD",
            "bizStep": "commissioning",
            "quantityList": QUANTITY,
            "errorDeclaration": {"declarationTime": "2023-01-01T00:00:00Z"},
        },
    ],
)
def test_what_moves_nothing(fields: dict[str, Any]) -> None:
    assert movement_of(event(**fields), {}) is None
    assert movement_of(event("AggregationEvent"), {}) is None


def test_quantities_of_one_class_are_added_exactly() -> None:
    tenths = [{"epcClass": LOT, "quantity": 0.1}, {"epcClass": LOT, "quantity": 0.2}]
    found = movement_of(event(action="ADD", bizStep="commissioning", quantityList=tenths), {})
    assert found is not None
    assert found.parts == (Part(CRUDE, "0.3"),)
