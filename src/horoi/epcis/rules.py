"""What must and must not stand together in an event (EPCIS 2.0 sections 7.4.2 to 7.4.6, and CBV 2.0).

A rule speaks only of fields whose own form is right; the shapes have told the rest.
"""

from __future__ import annotations

from typing import Any

from horoi.epcis.kinds import Faults
from horoi.epcis.times import parse_ms
from horoi.epcis.vocabulary import AGGREGATION, ASSOCIATION, OBJECT, TRANSACTION, TRANSFORMATION

QUANTITY_LISTS = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
EPC_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")


def check_rules(event: dict[str, Any], pointer: str, faults: Faults) -> None:
    """Every rule of the event's type, and those of all types."""
    kind = event.get("type")
    if kind == OBJECT:
        _object(event, pointer, faults)
    elif kind in (AGGREGATION, ASSOCIATION):
        _family(event, pointer, faults)
    elif kind == TRANSACTION:
        _transaction(event, pointer, faults)
    elif kind == TRANSFORMATION:
        _transformation(event, pointer, faults)
    _dispositions(event, pointer, faults)
    _sensors(event, pointer, faults)
    _instances_and_classes(event, pointer, faults)


def filled(event: dict[str, Any], *names: str) -> bool:
    """True if one of these lists has an entry."""
    return any(isinstance(event.get(name), list) and event[name] for name in names)


def _object(event: dict[str, Any], pointer: str, faults: Faults) -> None:
    seen = "epcList" in event or filled(event, "quantityList")
    if not seen and not (filled(event, "sensorElementList") and "readPoint" in event):
        faults.error(
            pointer, "what", "ObjectEvent needs epcList or quantityList, or sensorElementList with readPoint (7.4.2)"
        )
    if "ilmd" in event and event.get("action") in ("OBSERVE", "DELETE"):
        faults.error(f"{pointer}/ilmd", "ilmd", "master data of an instance or lot comes with action ADD only (7.3.8)")


def _family(event: dict[str, Any], pointer: str, faults: Faults) -> None:
    kind, action = event["type"], event.get("action")
    if action in ("ADD", "OBSERVE") and not filled(event, "childEPCs", "childQuantityList"):
        faults.error(
            pointer, "what", f"{kind} with action {action} needs childEPCs or childQuantityList (7.4.3, 7.4.6)"
        )
    if kind == AGGREGATION and action in ("ADD", "DELETE") and "parentID" not in event:
        faults.error(pointer, "required", f"AggregationEvent with action {action} needs parentID (7.4.3)")


def _transaction(event: dict[str, Any], pointer: str, faults: Faults) -> None:
    if event.get("action") == "DELETE" or "epcList" in event or filled(event, "quantityList"):
        return
    faults.error(pointer, "what", "TransactionEvent needs epcList or quantityList unless its action is DELETE (7.4.4)")


def _transformation(event: dict[str, Any], pointer: str, faults: Faults) -> None:
    went_in = filled(event, "inputEPCList", "inputQuantityList")
    came_out = filled(event, "outputEPCList", "outputQuantityList")
    if "transformationID" in event and not (went_in or came_out):
        faults.error(pointer, "what", "TransformationEvent needs an input or an output (7.4.5)")
    if "transformationID" not in event and not (went_in and came_out):
        faults.error(pointer, "what", "TransformationEvent without transformationID needs inputs and outputs (7.4.5)")


def _dispositions(event: dict[str, Any], pointer: str, faults: Faults) -> None:
    persistent = event.get("persistentDisposition")
    if not isinstance(persistent, dict):
        return
    if not persistent.keys() & {"set", "unset"}:
        faults.error(f"{pointer}/persistentDisposition", "required", "needs 'set' or 'unset' (7.3.5.3)")
    words = _list(persistent, "set")
    for place, word in enumerate(_list(persistent, "unset")):
        if word in words:
            where = f"{pointer}/persistentDisposition/unset/{place}"
            faults.error(where, "disposition", f"{word!r} is set and unset at once")


def _sensors(event: dict[str, Any], pointer: str, faults: Faults) -> None:
    sensors = event.get("sensorElementList")
    for place, sensor in enumerate(sensors if isinstance(sensors, list) else ()):
        metadata = sensor.get("sensorMetadata") if isinstance(sensor, dict) else None
        if not isinstance(metadata, dict):
            continue
        start, end = (_moment(metadata.get(name)) for name in ("startTime", "endTime"))
        if start is not None and end is not None and end < start:
            where = f"{pointer}/sensorElementList/{place}/sensorMetadata/endTime"
            faults.error(where, "time", "endTime is before startTime")


def _moment(value: Any) -> int | None:
    return parse_ms(value) if isinstance(value, str) else None


def _instances_and_classes(event: dict[str, Any], pointer: str, faults: Faults) -> None:
    for name in EPC_LISTS:
        for place, epc in enumerate(_list(event, name)):
            if isinstance(epc, str) and epc.startswith(("urn:epc:class:", "urn:epc:idpat:")):
                faults.warn(
                    f"{pointer}/{name}/{place}",
                    "instance",
                    f"{epc!r} names a class; a list of EPCs holds single things",
                )
    for name in QUANTITY_LISTS:
        for place, element in enumerate(_list(event, name)):
            if isinstance(element, dict):
                _quantity(element, f"{pointer}/{name}/{place}", faults)


def _quantity(element: dict[str, Any], pointer: str, faults: Faults) -> None:
    """What a quantity of a class should be (7.3.3.3)."""
    epc_class, amount = element.get("epcClass"), element.get("quantity")
    if isinstance(epc_class, str) and epc_class.startswith("urn:epc:id:"):
        faults.warn(f"{pointer}/epcClass", "class", f"{epc_class!r} names a single thing, not a class")
    if "uom" in element and amount is None:
        faults.warn(f"{pointer}/uom", "uom", "a unit without a quantity says nothing")
    if "uom" not in element and isinstance(amount, float) and not amount.is_integer():
        faults.warn(f"{pointer}/quantity", "uom", f"without a unit a quantity counts things, and {amount} is no count")


def _list(fields: dict[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    return value if isinstance(value, list) else []
