"""An asset's life in the languages of others: EPCIS 2.0, W3C PROV (PROV-JSON, W3C Member Submission 2013), CSV (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from horoi.base.address import address_of
from horoi.epcis.times import format_ms
from horoi.epcis.vocabulary import CONTEXT
from horoi.ledger.conditions import Condition, keys_named
from horoi.node.epcis.life import Pair, Step, Told
from horoi.node.wallet.amounts import format_amount

NAMESPACE = "urn:horoi:voc:"
PREFIX = {"horoi": NAMESPACE}
UNITS = {
    "bbl": "BLL", "barrel": "BLL", "barrels": "BLL", "kg": "KGM", "g": "GRM", "t": "TNE", "l": "LTR", "m3": "MTQ", "m": "MTR",
    "kwh": "KWH", "mwh": "MWH", "pcs": "H87",
}  # fmt: skip
"""Units by their UN/ECE recommendation 20 codes; another unit stands beside the quantity as an extension."""

COLUMNS = (
    "time", "height", "transaction", "verb", "amount", "unit", "owner_before", "owner_after", "custodian_before",
    "custodian_after", "text",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would run (OWASP, CSV injection)."""


class Subject(NamedTuple):
    """The asset, as others know it."""

    asset: bytes
    name: str
    unit: str
    decimals: int
    epc_class: str  # of the node's table, else a URN of the asset's id
    party: Callable[[str], str]  # an address as a URI

    def amount(self, quantity: int) -> str:
        return format_amount(quantity, self.decimals)


def class_urn(asset: bytes) -> str:
    """The name of an asset that has no GS1 class."""
    return f"urn:horoi:asset:{asset.hex()}"


def party_urn(address: str) -> str:
    """The name of a key that has no GS1 party."""
    return f"urn:horoi:key:{address}"


# ---- EPCIS --------------------------------------------------------------------------------------------------------------


def epcis_document(
    subject: Subject, steps: Sequence[Step], told: Sequence[Told], captured: Sequence[Any], now_ms: int
) -> Any:
    """The asset's life as events: those that the ledger tells, and those that were captured about its class."""
    transforms = {each.id: each for each in told if each.body.transforms}
    events: list[dict[str, Any]] = []
    counted: dict[bytes, int] = {}
    done: dict[bytes, None] = {}
    for step in steps:
        if step.verb in ("transform", "consume"):
            if step.transaction in done:
                continue
            done[step.transaction] = None
            fields = _transformation(subject, transforms[step.transaction])
        else:
            fields = _OBJECT[step.verb](subject, step)
        number = counted[step.transaction] = counted.get(step.transaction, 0) + 1
        events.append({**_common(step, number), **fields})
    return {
        "@context": [CONTEXT, PREFIX],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": format_ms(now_ms),
        "epcisBody": {"eventList": [*events, *captured]},
    }


def _common(step: Step, number: int) -> dict[str, Any]:
    return {
        "eventID": f"urn:horoi:event:{step.transaction.hex()}:{number}",
        "eventTime": format_ms(step.time_ms),
        "eventTimeZoneOffset": "+00:00",
        "horoi:transaction": step.transaction.hex(),
        "horoi:height": step.height,
    }


def _quantity(subject: Subject, quantity: int) -> dict[str, Any]:
    """The number is JSON's, so it may be rounded; the exact amount stands in the event."""
    element = {"epcClass": subject.epc_class, "quantity": float(subject.amount(quantity))}
    unit = UNITS.get(subject.unit.lower())
    return {**element, "uom": unit} if unit else element


def _object(subject: Subject, step: Step, action: str, biz_step: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "action": action,
        "bizStep": biz_step,
        "quantityList": [_quantity(subject, step.quantity)],
        "horoi:amount": subject.amount(step.quantity),
        "horoi:unit": subject.unit,
        **fields,
    }


def _issued(subject: Subject, step: Step) -> dict[str, Any]:
    return _object(subject, step, "ADD", "commissioning", disposition="active", **_parties(subject, None, step.after))


def _retired(subject: Subject, step: Step) -> dict[str, Any]:
    parties = _parties(subject, step.before, None)
    return _object(subject, step, "DELETE", "decommissioning", **parties, **{"horoi:reason": step.text})


def _moved(subject: Subject, step: Step) -> dict[str, Any]:
    return _object(subject, step, "OBSERVE", "shipping", **_parties(subject, step.before, step.after))


def _said(subject: Subject, step: Step) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "bizStep": "other",
        "quantityList": [{"epcClass": subject.epc_class}],
        "horoi:says": step.text,
    }


_OBJECT: dict[str, Callable[[Subject, Step], dict[str, Any]]] = {
    "issue": _issued,
    "retire": _retired,
    "transfer": _moved,
    "hand-over": _moved,
    "post": _said,
}


def _transformation(subject: Subject, told: Told) -> dict[str, Any]:
    inputs = [
        {"epcClass": class_urn(amount.asset), "quantity": amount.quantity}
        for transform in told.body.transforms
        for amount in transform.consumed
    ]
    outputs = [
        {"epcClass": class_urn(told.body.inputs[transform.right].content.asset), "quantity": transform.produced}
        for transform in told.body.transforms
    ]
    return {
        "type": "TransformationEvent",
        "inputQuantityList": [_named(subject, element) for element in inputs],
        "outputQuantityList": [_named(subject, element) for element in outputs],
        "bizStep": "other",
    }


def _named(subject: Subject, element: dict[str, Any]) -> dict[str, Any]:
    """The asset itself by its class and unit; others by their ids, in their smallest unit."""
    if element["epcClass"] != class_urn(subject.asset):
        return element
    return _quantity(subject, element["quantity"])


def _parties(subject: Subject, before: Pair | None, after: Pair | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, pair in (("source", before), ("destination", after)):
        if pair is None:
            continue
        entries = [{"type": "owning_party", name: subject.party(_who(pair.owner))}]
        if pair.custodian is not None:
            entries.append({"type": "possessing_party", name: subject.party(_who(pair.custodian))})
        found[f"{name}List"] = entries
    return found


def _who(condition: Condition | None) -> str:
    """The first key of a condition: whom people mean."""
    keys = keys_named(condition) if condition is not None else ()
    return address_of(keys[0]) if keys else "nobody"


# ---- PROV ---------------------------------------------------------------------------------------------------------------


def prov_document(subject: Subject, told: Sequence[Told]) -> dict[str, Any]:
    """Holdings are entities, transactions activities, keys agents."""
    document: dict[str, dict[str, Any]] = {
        kind: {}
        for kind in (
            "entity",
            "activity",
            "agent",
            "wasGeneratedBy",
            "used",
            "wasDerivedFrom",
            "wasAttributedTo",
            "wasAssociatedWith",
        )
    }
    for each in told:
        _tell_prov(document, subject, each)
    prefix = {"horoi": NAMESPACE, "prov": "http://www.w3.org/ns/prov#", "xsd": "http://www.w3.org/2001/XMLSchema#"}
    return {"prefix": prefix, **{kind: entries for kind, entries in document.items() if entries}}


def _tell_prov(document: dict[str, dict[str, Any]], subject: Subject, told: Told) -> None:
    activity = f"horoi:transaction.{told.id.hex()}"
    moment = format_ms(told.time_ms)
    document["activity"][activity] = {"prov:startTime": moment, "prov:endTime": moment, "horoi:height": told.height}
    used = []
    for spent in told.body.inputs:
        if spent.content.asset == subject.asset and hasattr(spent.content, "custodian"):
            entity = _entity(document, subject, spent.source, spent.index, spent.content)
            used.append(entity)
            _relate(document, "used", activity=activity, entity=entity)
    for index, output in enumerate(told.outputs):
        if output.asset != subject.asset or not hasattr(output, "custodian"):
            continue
        entity = _entity(document, subject, told.id, index, output)
        _relate(document, "wasGeneratedBy", entity=entity, activity=activity)
        for source in used:
            _relate(document, "wasDerivedFrom", generatedEntity=entity, usedEntity=source)
    for signer in {who: None for spent in told.body.inputs if (who := _who(spent.content.owner))}:
        _relate(document, "wasAssociatedWith", activity=activity, agent=_agent(document, subject, signer))


def _entity(document: dict[str, dict[str, Any]], subject: Subject, source: bytes, index: int, content: Any) -> str:
    name = f"horoi:holding.{source.hex()}.{index}"
    if name not in document["entity"]:
        document["entity"][name] = {
            "prov:label": subject.name,
            "horoi:asset": subject.epc_class,
            "horoi:amount": subject.amount(content.quantity),
            "horoi:unit": subject.unit,
        }
        agent = _agent(document, subject, _who(content.owner))
        _relate(document, "wasAttributedTo", entity=name, agent=agent)
    return name


def _agent(document: dict[str, dict[str, Any]], subject: Subject, address: str) -> str:
    name = f"horoi:key.{address}"
    document["agent"].setdefault(name, {"horoi:party": subject.party(address)})
    return name


def _relate(document: dict[str, dict[str, Any]], kind: str, **ends: str) -> None:
    entries = document[kind]
    entries[f"_:{kind}{len(entries) + 1}"] = {f"prov:{end}": name for end, name in ends.items()}


# ---- CSV ----------------------------------------------------------------------------------------------------------------


def csv_table(subject: Subject, steps: Sequence[Step]) -> str:
    """One line for each step."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for step in steps:
        before, after = step.before, step.after
        row = (
            format_ms(step.time_ms),
            str(step.height),
            step.transaction.hex(),
            step.verb,
            subject.amount(step.quantity) if step.verb != "post" else "",
            subject.unit,
            _who(before.owner) if before else "",
            _who(after.owner) if after else "",
            _who(before.custodian) if before and before.custodian is not None else "",
            _who(after.custodian) if after and after.custodian is not None else "",
            step.text,
        )
        writer.writerow([_harmless(cell) for cell in row])
    return table.getvalue()


def _harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(FORMULA) else cell
