"""Which fields EPCIS documents and events have: EPCIS 2.0 sections 7.3 and 7.4, with the names of the JSON binding."""

from __future__ import annotations

from typing import Any

from horoi.epcis.kinds import (
    FOREIGN_CBV,
    GS1_VOCABULARY,
    Kind,
    ListOf,
    OneOrMore,
    Open,
    Shape,
    Word,
    anything,
    boolean,
    context,
    hex_binary,
    number,
    offset,
    one_of,
    quantity,
    text,
    time,
    uom,
    uri,
    version,
)
from horoi.epcis.vocabulary import (
    ACTIONS,
    AGGREGATION,
    ASSOCIATION,
    BIZ_STEPS,
    BIZ_TRANSACTION_TYPES,
    COMPONENTS,
    DISPOSITIONS,
    ERROR_REASONS,
    EXCEPTIONS,
    MEASUREMENTS,
    OBJECT,
    PARTY_TYPES,
    TRANSACTION,
    TRANSFORMATION,
)

QUANTITY_ELEMENT = Shape(
    "a quantity element", {"epcClass": uri, "quantity": quantity, "uom": uom}, required=("epcClass",), extensible=False
)
QUANTITIES = ListOf(QUANTITY_ELEMENT)
EPCS = ListOf(uri)
UNIQUE_EPCS = ListOf(uri, unique=True)

PLACE = Shape("a place", {"id": uri}, required=("id",))
DISPOSITION = Word(DISPOSITIONS)
PERSISTENT_DISPOSITION = Shape(
    "a persistent disposition",
    {name: ListOf(DISPOSITION, at_least=1, unique=True) for name in ("set", "unset")},
    extensible=False,
)
BIZ_TRANSACTION = Shape(
    "a business transaction",
    {"type": Word(BIZ_TRANSACTION_TYPES), "bizTransaction": uri},
    required=("bizTransaction",),
    extensible=False,
)


def _party(name: str) -> Shape:
    fields: dict[str, Kind] = {"type": Word(PARTY_TYPES), name: uri}
    return Shape(f"a {name}", fields, required=("type", name), extensible=False)


SENSOR_METADATA = Shape(
    "sensor metadata",
    {
        **dict.fromkeys(("time", "startTime", "endTime"), time),
        **dict.fromkeys(("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"), uri),
    },
)
NOT_GS1 = (*FOREIGN_CBV, *GS1_VOCABULARY)
SENSOR_REPORT = Shape(
    "a sensor report",
    {
        "type": Word(MEASUREMENTS, NOT_GS1),
        "exception": Word(EXCEPTIONS, NOT_GS1),
        "component": Word(COMPONENTS),
        "time": time,
        **dict.fromkeys(("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"), uri),
        **dict.fromkeys(("microorganism", "chemicalSubstance", "coordinateReferenceSystem", "uriValue"), uri),
        **dict.fromkeys(("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"), number),
        "stringValue": text,
        "booleanValue": boolean,
        "hexBinaryValue": hex_binary,
        "uom": text,
    },
    required=("type",),
)
SENSOR_ELEMENT = Shape(
    "a sensor element",
    {"sensorMetadata": SENSOR_METADATA, "sensorReport": ListOf(SENSOR_REPORT, at_least=1)},
    required=("sensorReport",),
)

ERROR_DECLARATION = Shape(
    "an error declaration",
    {"declarationTime": time, "reason": Word(ERROR_REASONS), "correctiveEventIDs": ListOf(uri)},
    required=("declarationTime",),
)

COMMON: dict[str, Kind] = {
    "@context": context,
    "type": anything,
    "eventTime": time,
    "recordTime": time,
    "eventTimeZoneOffset": offset,
    "eventID": uri,
    "certificationInfo": OneOrMore(uri),
    "errorDeclaration": ERROR_DECLARATION,
}
WHY_AND_WHERE: dict[str, Kind] = {
    "bizStep": Word(BIZ_STEPS),
    "disposition": DISPOSITION,
    "persistentDisposition": PERSISTENT_DISPOSITION,
    "readPoint": PLACE,
    "bizLocation": PLACE,
    "bizTransactionList": ListOf(BIZ_TRANSACTION),
    "sourceList": ListOf(_party("source")),
    "destinationList": ListOf(_party("destination")),
    "sensorElementList": ListOf(SENSOR_ELEMENT),
}
ACTION: dict[str, Kind] = {"action": one_of(*ACTIONS)}
ILMD: dict[str, Kind] = {"ilmd": Shape("ilmd", {})}
FAMILY: dict[str, Kind] = {"parentID": uri, "childEPCs": EPCS, "childQuantityList": QUANTITIES}
MUST = ("type", "eventTime", "eventTimeZoneOffset")


def _event(name: str, fields: dict[str, Kind], required: tuple[str, ...] = ()) -> Shape:
    return Shape(name, {**COMMON, **WHY_AND_WHERE, **fields}, required=(*MUST, *required))


EVENTS: dict[str, Shape] = {
    OBJECT: _event(OBJECT, {**ACTION, **ILMD, "epcList": UNIQUE_EPCS, "quantityList": QUANTITIES}, ("action",)),
    AGGREGATION: _event(AGGREGATION, {**ACTION, **FAMILY}, ("action",)),
    TRANSACTION: _event(
        TRANSACTION,
        {
            **ACTION,
            "parentID": uri,
            "epcList": EPCS,
            "quantityList": QUANTITIES,
            "bizTransactionList": ListOf(BIZ_TRANSACTION, at_least=1),
        },
        ("action", "bizTransactionList"),
    ),
    TRANSFORMATION: _event(
        TRANSFORMATION,
        {
            **ILMD,
            "inputEPCList": UNIQUE_EPCS,
            "inputQuantityList": QUANTITIES,
            "outputEPCList": UNIQUE_EPCS,
            "outputQuantityList": QUANTITIES,
            "transformationID": uri,
        },
    ),
    ASSOCIATION: _event(ASSOCIATION, {**ACTION, **FAMILY}, ("action", "parentID")),
}
OTHER_EVENT = Open("an event of another standard", {**COMMON, "type": uri}, required=MUST)


def known_fields(event: dict[str, Any]) -> dict[str, Any]:
    """The fields of a checked event whose form is known: of another standard's, those that all events have, and extensions."""
    if event.get("type") in EVENTS:
        return event
    return {name: value for name, value in event.items() if name == "type" or name in COMMON or ":" in name}


MASTER_DATA = Open("master data", {"vocabularyList": ListOf(
    Open(
        "a vocabulary",
        {
            "type": uri,
            "vocabularyElementList": ListOf(
                Open(
                    "a vocabulary element",
                    {
                        "id": uri,
                        "attributes": ListOf(Open("an attribute", {"id": uri}, required=("id",))),
                        "children": ListOf(uri),
                    },
                    required=("id",),
                )
            ),
        },
        required=("type",),
    )
)})  # fmt: skip

DOCUMENT = Shape(
    "an EPCIS document",
    {
        "@context": context,
        "id": uri,
        "type": anything,
        "schemaVersion": version,
        "creationDate": time,
        **dict.fromkeys(("instanceIdentifier", "sender", "receiver"), text),
        "epcisHeader": Shape("an EPCIS header", {"epcisMasterData": MASTER_DATA}),
        "epcisBody": anything,
    },
    required=("@context", "schemaVersion", "creationDate", "epcisBody"),
)
QUERY_DOCUMENT = Shape(
    "an EPCIS query document",
    {
        "@context": context,
        "id": uri,
        "type": anything,
        "schemaVersion": version,
        "creationDate": time,
        "epcisBody": anything,
    },
    required=("@context", "epcisBody"),
)
QUERY_RESULTS = Shape(
    "query results",
    {"queryName": text, "subscriptionID": text, "resultsBody": anything},
    required=("queryName", "resultsBody"),
)
