"""Documents for the tests of EPCIS, made here."""

from __future__ import annotations

import json
from typing import Any

CONTEXT: list[Any] = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"thasos": "https://thasos.example/epcis/"},
]
EPC = "urn:epc:id:sgtin:4012345.011111.9876"
LOT = "urn:epc:class:lgtin:4012345.012345.998877"
FIELD = "urn:epc:id:sgln:4012345.00011.0"


def event(kind: str = "ObjectEvent", **fields: Any) -> dict[str, Any]:
    """A valid event of this type; a field that is None is left out."""
    what: dict[str, Any] = {
        "ObjectEvent": {"action": "OBSERVE", "epcList": [EPC]},
        "AggregationEvent": {"action": "ADD", "parentID": "urn:epc:id:sscc:4012345.0000000111", "childEPCs": [EPC]},
        "TransactionEvent": {
            "action": "ADD",
            "epcList": [EPC],
            "bizTransactionList": [{"type": "po", "bizTransaction": "urn:example:po:17"}],
        },
        "TransformationEvent": {
            "inputQuantityList": [{"epcClass": LOT, "quantity": 4000, "uom": "BLL"}],
            "outputEPCList": [EPC],
        },
        "AssociationEvent": {"action": "ADD", "parentID": "urn:epc:id:grai:4012345.55555.987", "childEPCs": [EPC]},
    }[kind]
    whole = {
        "type": kind,
        "eventTime": "2022-12-26T14:30:00.000+02:00",
        "eventTimeZoneOffset": "+02:00",
        **what,
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


def document(*events: Any, **fields: Any) -> dict[str, Any]:
    """An EPCIS document of these events."""
    whole = {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2022-12-27T08:00:00Z",
        "epcisBody": {"eventList": list(events)},
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


def data(value: Any) -> bytes:
    """As a file has it."""
    return json.dumps(value).encode()
