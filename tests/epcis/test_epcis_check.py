"""Every fault is found, with its JSON pointer; nothing that a stranger sends makes the check raise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.epcis.epcis_documents import EPC, FIELD, LOT, data, document, event

from horoi.epcis import document as documents
from horoi.epcis.check import report_on, report_on_value
from horoi.epcis.facts import facts_of
from horoi.epcis.kinds import MAX_FAULTS
from horoi.epcis.movement import movement_of
from horoi.epcis.vocabulary import EVENT_TYPES

HERE = "/epcisBody/eventList/0"


def errors_of(value: Any) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.rule) for fault in report_on_value(value).errors]


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_a_plain_event_of_each_type_is_valid(kind: str) -> None:
    assert errors_of(document(event(kind))) == []
    assert errors_of([event(kind)]) == []
    assert (
        errors_of({"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", **event(kind)}) == []
    )


def test_a_query_document_is_read() -> None:
    results = {"queryName": "all", "resultsBody": {"eventList": [event(), event(action="SELL")]}}
    value = {**document(), "type": "EPCISQueryDocument", "epcisBody": {"queryResults": results}}
    report = report_on_value(value)
    assert report.kind == "EPCISQueryDocument"
    assert [fault.pointer for fault in report.errors] == ["/epcisBody/queryResults/resultsBody/eventList/1/action"]


@pytest.mark.parametrize(
    ("fields", "where", "rule"),
    [
        ({"eventTime": None}, "", "required"),
        ({"eventTime": "2022-12-26T14:30:00"}, "/eventTime", "time"),  # no offset
        ({"eventTime": "2022-02-30T14:30:00Z"}, "/eventTime", "time"),
        ({"eventTime": "2022-12-26T24:00:00Z"}, "/eventTime", "time"),
        ({"eventTime": 1672065000}, "/eventTime", "time"),
        ({"eventTimeZoneOffset": "+2:00"}, "/eventTimeZoneOffset", "offset"),
        ({"eventTimeZoneOffset": "+14:01"}, "/eventTimeZoneOffset", "offset"),
        ({"action": "SELL"}, "/action", "value"),
        ({"action": None}, "", "required"),
        ({"epcList": EPC}, "/epcList", "type"),
        ({"epcList": [EPC, EPC]}, "/epcList/1", "unique"),
        ({"epcList": ["not a uri"]}, "/epcList/0", "uri"),
        ({"epcList": ["urn:epc:id:sgtin:4012345.0111.9"]}, "/epcList/0", "gs1-key"),
        ({"epcList": ["urn:epc:id:nonsense:1"]}, "/epcList/0", "gs1-key"),
        ({"epcList": ["https://id.gs1.org/01/123/21/7"]}, "/epcList/0", "gs1-key"),
        ({"epcList": None}, "", "what"),
        ({"bizStep": "stealing"}, "/bizStep", "vocabulary"),
        ({"bizStep": "urn:epcglobal:cbv:bizstep:shipping"}, "/bizStep", "vocabulary"),
        ({"bizStep": "https://ref.gs1.org/cbv/BizStep-stealing"}, "/bizStep", "vocabulary"),
        ({"bizStep": "cbv:Disp-active"}, "/bizStep", "vocabulary"),
        ({"disposition": "shipping"}, "/disposition", "vocabulary"),
        ({"readPoint": {"id": FIELD, "name": "x"}}, "/readPoint/name", "field"),
        ({"readPoint": {}}, "/readPoint", "required"),
        ({"readPoint": FIELD}, "/readPoint", "type"),
        ({"color": "red"}, "/color", "field"),
        ({"ilmd": {"thasos:grade": "A"}}, "/ilmd", "ilmd"),
        ({"ilmd": {"grade": "A"}, "action": "ADD"}, "/ilmd/grade", "field"),
        ({"quantityList": [{"quantity": 3}]}, "/quantityList/0", "required"),
        ({"quantityList": [{"epcClass": LOT, "quantity": "3"}]}, "/quantityList/0/quantity", "quantity"),
        ({"quantityList": [{"epcClass": LOT, "quantity": True}]}, "/quantityList/0/quantity", "quantity"),
        ({"quantityList": [{"epcClass": LOT, "quantity": -3}]}, "/quantityList/0/quantity", "quantity"),
        ({"quantityList": [{"epcClass": LOT, "quantity": 3, "uom": "barrels"}]}, "/quantityList/0/uom", "uom"),
        ({"quantityList": [{"epcClass": LOT, "lot": 3}]}, "/quantityList/0/lot", "field"),
        ({"bizTransactionList": [{"type": "po"}]}, "/bizTransactionList/0", "required"),
        ({"sourceList": [{"source": FIELD}]}, "/sourceList/0", "required"),
        ({"persistentDisposition": {}}, "/persistentDisposition", "required"),
        ({"persistentDisposition": {"set": []}}, "/persistentDisposition/set", "length"),
        (
            {"persistentDisposition": {"set": ["damaged"], "unset": ["damaged"]}},
            "/persistentDisposition/unset/0",
            "disposition",
        ),
        ({"sensorElementList": [{}]}, "/sensorElementList/0", "required"),
        ({"sensorElementList": [{"sensorReport": []}]}, "/sensorElementList/0/sensorReport", "length"),
        (
            {"sensorElementList": [{"sensorReport": [{"type": "Heat"}]}]},
            "/sensorElementList/0/sensorReport/0/type",
            "vocabulary",
        ),
        ({"errorDeclaration": {"reason": "incorrect_data"}}, "/errorDeclaration", "required"),
        ({"certificationInfo": ["https://ok.example/1", 2]}, "/certificationInfo/1", "uri"),
        ({"eventID": ""}, "/eventID", "uri"),
        ({"a/b~c": 1}, "/a~1b~0c", "field"),
    ],
)
def test_each_fault_has_its_pointer(fields: dict[str, Any], where: str, rule: str) -> None:
    assert (HERE + where, rule) in errors_of(document(event(**fields)))


@pytest.mark.parametrize(
    ("context", "where", "rule"),
    [
        (7, "", "context"),
        ("no uri", "", "context"),
        (["https://a.example/", None], "/1", "context"),
        ([{"x": "https://x.example/"}, {"x": "https://x.example/"}], "/1", "unique"),
    ],
)
def test_a_context_is_a_uri_an_object_or_a_list_of_those(context: Any, where: str, rule: str) -> None:
    assert errors_of({**document(event()), "@context": context}) == [(f"/@context{where}", rule)]
    assert errors_of(document(event(**{"@context": context}))) == [(f"{HERE}/@context{where}", rule)]


def test_sensor_times_run_forward() -> None:
    metadata = {"startTime": "2022-01-02T00:00:00Z", "endTime": "2022-01-01T00:00:00Z"}
    sensor = {"sensorMetadata": metadata, "sensorReport": [{"type": "Temperature", "value": 4}]}
    where = f"{HERE}/sensorElementList/0/sensorMetadata/endTime"
    assert errors_of(document(event(sensorElementList=[sensor]))) == [(where, "time")]


@pytest.mark.parametrize(
    ("kind", "fields", "rule"),
    [
        ("AggregationEvent", {"parentID": None}, "required"),
        ("AggregationEvent", {"childEPCs": None}, "what"),
        ("AssociationEvent", {"parentID": None}, "required"),
        ("AssociationEvent", {"childEPCs": []}, "what"),
        ("TransactionEvent", {"bizTransactionList": None}, "required"),
        ("TransactionEvent", {"epcList": None}, "what"),
        ("TransformationEvent", {"outputEPCList": None}, "what"),
        ("TransformationEvent", {"inputQuantityList": None}, "what"),
        ("TransformationEvent", {"action": "ADD"}, "field"),
    ],
)
def test_what_must_and_must_not_stand_together(kind: str, fields: dict[str, Any], rule: str) -> None:
    assert rule in [error[1] for error in errors_of(document(event(kind, **fields)))]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("AggregationEvent", {"action": "OBSERVE", "parentID": None}),
        ("AggregationEvent", {"action": "DELETE", "childEPCs": None}),
        ("AssociationEvent", {"action": "DELETE", "childEPCs": None}),
        ("TransactionEvent", {"action": "DELETE", "epcList": None}),
        ("TransformationEvent", {"inputQuantityList": None, "transformationID": "urn:example:batch:1"}),
        ("ObjectEvent", {"action": "ADD", "ilmd": {"thasos:grade": "A"}}),
        ("ObjectEvent", {"epcList": []}),
        ("ObjectEvent", {"bizStep": "https://thasos.example/steps/desalting", "thasos:tank": {"level": 3}}),
        (
            "ObjectEvent",
            {
                "epcList": None,
                "readPoint": {"id": FIELD},
                "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 4, "uom": "CEL"}]}],
            },
        ),
    ],
)
def test_what_may_be_left_out(kind: str, fields: dict[str, Any]) -> None:
    assert errors_of(document(event(kind, **fields))) == []


def test_an_event_of_another_standard_needs_a_uri_and_a_time() -> None:
    assert errors_of(document({**event(), "type": "thasos:PumpEvent", "pump": 7})) == []
    assert (f"{HERE}/type", "uri") in errors_of(document({**event(), "type": "PumpEvent"}))
    assert (f"{HERE}/type", "type") in errors_of(document({**event(), "type": 7}))
    assert errors_of(document(7, None)) == [(HERE, "type"), (HERE[:-1] + "1", "type")]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"\xff\xfe", "json"),
        (b'{"type": NaN}', "json"),
        (b'{"type": "ObjectEvent", "type": "AggregationEvent"}', "json"),
        (b"[" * 100_000, "depth"),
        (b"[" * 100 + b"]" * 100, "depth"),
        (b"[" + b"9" * 10_000 + b"]", "json"),
        (b'[{"type": "\\ud800"}]', "unicode"),
        (b'[{"type": 1e999}]', "number"),
        (b'[{"type": 1' + b"0" * 400 + b"}]", "number"),
        (b"7", "type"),
        (b"{}", "required"),
        (b'{"type": "EPCISDocument"}', "required"),
        (b'{"type": "EPCISDocument", "epcisBody": 7}', "type"),
        (b'{"type": "EPCISDocument", "epcisBody": {"eventList": null}}', "type"),
        (b'{"type": "EPCISQueryDocument", "epcisBody": {"queryResults": []}}', "type"),
    ],
)
def test_hostile_bytes_are_refused(text: bytes, rule: str) -> None:
    report = report_on(text)
    assert rule in [fault.rule for fault in report.errors]
    assert report.errors[0].message


def test_sizes_and_faults_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    many = report_on(data(document(*[event(action="?") for _ in range(MAX_FAULTS + 10)])))
    assert len(many.errors) == MAX_FAULTS
    monkeypatch.setattr(documents, "MAX_EVENTS", 2)
    assert errors_of(document(event(), event(), event())) == [("/epcisBody/eventList", "size")]
    monkeypatch.setattr(documents, "MAX_DOCUMENT_BYTES", 10)
    assert [fault.rule for fault in report_on(data(document(event()))).errors] == ["size"]


SENSOR = {
    "sensorMetadata": {"time": "2022-12-26T12:30:00Z", "deviceID": "https://devices.example/8004/4000001111"},
    "sensorReport": [
        {"type": "gs1:Temperature", "value": -0.0, "uom": "CEL", "percRank": 1e2},
        {"type": "thasos:Turbidity", "component": "cbv:Comp-x", "booleanValue": False, "exception": "ERROR_CONDITION"},
        {"type": "https://thasos.example/epcis/Smell", "stringValue": "", "hexBinaryValue": "0aF", "thasos:x": None},
    ],
    "thasos:calibrated": [{"thasos:by": "x"}],
}
UNUSUAL = {
    "ObjectEvent": [
        {"epcList": []},
        {"epcList": None, "readPoint": {"id": "geo:40.78,24.71"}, "sensorElementList": [SENSOR]},
        {"epcList": ["urn:example:7", "https://example.com/01/04012345111118/21/7", "urn:epc:id:gid:1.2.3"]},
        {"bizStep": "https://thasos.example/steps/gauging", "disposition": "thasos:waxy"},
        {"bizStep": "cbv:BizStep-shipping", "disposition": "https://ref.gs1.org/cbv/Disp-in_transit"},
        {"action": "ADD", "ilmd": {"cbvmda:lotNumber": "7", "thasos:lab": {"anything": [1, {"x": None}]}}},
        {"persistentDisposition": {"unset": ["damaged", "thasos:waxy"]}, "certificationInfo": []},
        {"bizTransactionList": [{"bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1152"}], "sourceList": []},
        {
            "errorDeclaration": {
                "declarationTime": "2022-12-27T00:00:00.123456-10:00",
                "reason": "thasos:typo",
                "correctiveEventIDs": ["urn:uuid:1"],
                "thasos:by": {"x": 1},
            }
        },
        {"rdfs:comment": "a remark", "thasos:list": [], "thasos:deep": [[["x"]]], "https://thasos.example/y": True},
        {"@context": {"own": {"@id": "https://own.example/", "@prefix": True}}, "own:x": "1"},
    ],
    "AggregationEvent": [
        {"action": "DELETE", "childEPCs": None},
        {"action": "OBSERVE", "parentID": None, "childEPCs": [EPC, EPC]},
        {"childEPCs": None, "childQuantityList": [{"epcClass": LOT}]},
        {"persistentDisposition": {"set": ["available"]}, "parentID": "https://example.com/pallets/7"},
    ],
    "TransactionEvent": [
        {"parentID": "urn:epc:id:sscc:4012345.0000000111", "epcList": []},
        {"action": "DELETE", "epcList": None},
        {
            "epcList": None,
            "quantityList": [
                {"epcClass": "urn:epc:idpat:sgtin:4012345.011111.*", "quantity": 0.5},
                {"epcClass": "urn:epc:idpat:sgtin:4012345.*.*"},
            ],
        },
        {"bizTransactionList": [{"type": "cbv:BTT-inv", "bizTransaction": "https://example.com/inv/7"}]},
    ],
    "TransformationEvent": [
        {"transformationID": "urn:epc:id:gdti:4012345.55555.98", "outputEPCList": None},
        {"transformationID": "urn:x:7", "inputQuantityList": None, "ilmd": {}},
        {"inputQuantityList": None, "inputEPCList": [EPC], "outputEPCList": [EPC]},
    ],
    "AssociationEvent": [
        {"action": "DELETE", "childEPCs": None},
        {"childEPCs": None, "childQuantityList": [{"epcClass": "urn:epc:idpat:grai:4012345.66666.*", "quantity": 2}]},
        {"parentID": "urn:epc:id:sgln:4012345.00011.987", "sensorElementList": [SENSOR]},
    ],
}


@pytest.mark.parametrize(("kind", "fields"), [(kind, fields) for kind, many in UNUSUAL.items() for fields in many])
def test_what_is_unusual_is_valid_all_the_same(kind: str, fields: dict[str, Any]) -> None:
    report = report_on_value(document(event(kind, **fields)))
    assert (report.errors, len(report.events)) == ([], 1)
    assert facts_of(report.events[0].event, {}), "and can be asked for"


def test_documents_of_every_shape() -> None:
    site = {
        "id": FIELD,
        "attributes": [{"id": "cbvmda:site", "attribute": "x"}, {"id": "urn:x:y"}],
        "children": [FIELD],
    }
    vocabulary = {"type": "urn:epcglobal:epcis:vtype:BusinessLocation", "vocabularyElementList": [site]}
    results = {"queryName": "q", "subscriptionID": "7", "resultsBody": {"eventList": []}, "thasos:x": 1}
    for value in (
        document(event(), epcisHeader={"epcisMasterData": {"vocabularyList": [vocabulary]}, "thasos:x": {}}),
        document(event(), id="https://x.example/1", sender="a", receiver="b", instanceIdentifier="7"),
        document(schemaVersion="2.0.1", creationDate="2022-12-27T08:00:00.000000+14:00", **{"thasos:x": [1]}),
        document(event(), **{"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"}),
        document(event(), **{"@context": {"thasos": "https://thasos.example/epcis/"}}),
        {"@context": [{}], "type": "EPCISQueryDocument", "epcisBody": {"queryResults": results}},
        [],
    ):
        assert errors_of(value) == []


def test_warnings_do_not_refuse() -> None:
    wrong_digit = event(
        epcList=["https://id.gs1.org/01/04012345111119/21/7", "urn:epc:class:lgtin:4012345.012345.9"],
        quantityList=[{"epcClass": LOT, "quantity": 0.5}, {"epcClass": LOT, "quantity": 2.0}],
    )
    report = report_on_value(document({**wrong_digit, "eventID": f"ni:///sha-256;{'0' * 64}?ver=CBV2.0"}))
    assert report.errors == []
    assert sorted(fault.rule for fault in report.warnings) == ["check-digit", "event-id", "instance", "uom"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = sorted(
    {*event("ObjectEvent"), *event("TransformationEvent"), "bizStep", "ilmd", "sensorElementList", "@context"}
)


@given(
    st.dictionaries(st.sampled_from([*names, "thasos:x", "sourceList", "quantityList"]), json_values, max_size=5),
    st.sampled_from(["ObjectEvent", "thasos:Gauging"]),
)
@settings(max_examples=300, deadline=None)
def test_no_values_make_the_check_or_what_follows_raise(fields: dict[str, Any], kind: str) -> None:
    report = report_on_value(document({**event(), "type": kind, **fields}))
    assert all(event.hash_id.startswith("ni:///sha-256;") for event in report.events)
    if not report.errors:
        for each in report.events:
            facts_of(each.event, {})
            movement_of(each.event, {})


@given(st.binary(max_size=64) | json_values.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    report_on(data)
