"""One name for an event: however it is written down, and no other for one that says something else."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.epcis.epcis_documents import EPC, FIELD, LOT, document, event

from horoi.epcis.canonical import digest_of, hash_id
from horoi.epcis.check import report_on_value


def prehash_of(value: dict[str, Any], **fields: Any) -> str:
    (found,) = report_on_value(document(value, **fields)).events
    return found.prehash


def shuffled(value: Any, dice: random.Random) -> Any:
    """The same event, its fields and lists in another order."""
    if isinstance(value, dict):
        items = [(name, shuffled(inner, dice)) for name, inner in value.items()]
        dice.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        inner = [shuffled(entry, dice) for entry in value]
        dice.shuffle(inner)
        return inner
    return value


FULL = event(
    action="ADD",
    epcList=[EPC, "urn:epc:id:sscc:4012345.0000000111"],
    quantityList=[{"epcClass": LOT, "quantity": 200, "uom": "KGM"}, {"epcClass": LOT, "quantity": 3}],
    bizStep="receiving",
    persistentDisposition={"set": ["damaged", "expired"]},
    readPoint={"id": FIELD, "thasos:gate": "7"},
    bizTransactionList=[
        {"type": "po", "bizTransaction": "urn:example:1"},
        {"bizTransaction": "urn:example:2"},
    ],
    sourceList=[{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00225"}],
    sensorElementList=[{"sensorReport": [{"type": "Temperature", "value": 4}, {"type": "Pressure", "value": 1.5}]}],
    ilmd={"thasos:grade": "A", "thasos:samples": ["1", "2"]},
    **{"thasos:tank": {"thasos:level": ["3", "1"], "thasos:heights": [1, 2]}},
)


@given(st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_order_does_not_matter(dice: random.Random) -> None:
    assert prehash_of(shuffled(FULL, dice)) == prehash_of(FULL)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"eventTime": "2022-12-26T14:30:00+02:00"}, {"eventTime": "2022-12-26T12:30:00.000Z"}),
        ({"bizStep": "shipping"}, {"bizStep": "https://ref.gs1.org/cbv/BizStep-shipping"}),
        ({"bizStep": "shipping"}, {"bizStep": "cbv:BizStep-shipping"}),
        ({"bizStep": "shipping"}, {"bizStep": "urn:epcglobal:cbv:bizstep:shipping"}),
        ({"epcList": [EPC]}, {"epcList": ["https://id.gs1.org/01/04012345111118/21/9876"]}),
        ({"epcList": [EPC]}, {"epcList": ["http://example.com/x/gtin/4012345111118/lot/A/ser/9876?17=201225"]}),
        ({"quantityList": [{"epcClass": LOT, "quantity": 3.0}]}, {"quantityList": [{"epcClass": LOT, "quantity": 3}]}),
        ({"thasos:x": "  7.50 "}, {"thasos:x": 7.5}),
        ({"thasos:x": None}, {}),
        ({"thasos:x": [None, "1", {"thasos:y": None}]}, {"thasos:x": ["1", {}]}),
        ({"thasos:xList": [None, "1"]}, {"thasos:xList": ["1"]}),
        ({"recordTime": "2022-12-27T00:00:00Z"}, {}),
        ({"eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"}, {}),
        ({"errorDeclaration": {"declarationTime": "2022-12-28T00:00:00Z"}}, {}),
        ({"rdfs:comment": "a remark"}, {}),
        ({"epcList": []}, {"epcList": None}),
    ],
)
def test_other_ways_to_say_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert prehash_of(event(**one)) == prehash_of(event(**other))


@pytest.mark.parametrize(
    "fields",
    [
        {"eventTime": "2022-12-26T14:30:00.001+02:00"},
        {"eventTimeZoneOffset": "+03:00"},
        {"action": "DELETE"},
        {"epcList": [EPC + "0"]},
        {"disposition": "in_transit"},
        {"thasos:x": ""},
        {"thasos:x": {"thasos:y": "1"}},
        {"certificationInfo": "https://cert.example/1"},
        {"sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 4}]}]},
        {"sensorElementList": [{"sensorReport": [{"type": "Temperature", "bizRules": "https://rules.example/"}]}]},
    ],
)
def test_whatever_happened_is_in_the_name(fields: dict[str, Any]) -> None:
    assert prehash_of(event(**fields)) != prehash_of(event())


def test_the_prefix_is_only_a_spelling() -> None:
    other = [{"t": "https://thasos.example/epcis/"}]
    assert prehash_of(event(**{"t:x": "1"}), **{"@context": other}) == prehash_of(event(**{"thasos:x": "1"}))
    assert "{https://thasos.example/epcis/}x=1" in prehash_of(event(**{"thasos:x": "1"}))
    own = event(**{"@context": {"mine": "https://mine.example/"}, "mine:x": "1"})
    assert prehash_of(own).endswith("{https://mine.example/}x=1")


HEAD = "eventTime=2022-12-26T12:30:00.000ZeventTimeZoneOffset=+02:00"
WHOLE = [
    (
        "ObjectEvent",
        {
            "certificationInfo": ["https://cert.example/2", "https://cert.example/1"],
            "quantityList": [{"uom": "KGM", "epcClass": LOT, "quantity": 12.50}, {"epcClass": LOT, "quantity": 1e3}],
            "bizStep": "storing",
            "disposition": "thasos:waxy",
            "persistentDisposition": {"unset": ["damaged"], "set": ["available", "cbv:Disp-active"]},
            "readPoint": {"thasos:gate": "7", "id": FIELD},
            "bizLocation": {"id": "urn:epc:id:sgln:4012345.00022.9"},
            "sourceList": [{"source": "urn:epc:id:pgln:4012345.00225", "type": "owning_party"}],
            "destinationList": [{"type": "possessing_party", "destination": "https://x.example/417/4012345002256?a=1"}],
            "bizTransactionList": [{"bizTransaction": "urn:x:2"}, {"type": "po", "bizTransaction": "urn:x:3"}],
            "thasos:tank": {"thasos:level": [" 3 ", 1.0], "thasos:empty": [], "thasos:is": True},
        },
        f"eventType=ObjectEvent{HEAD}certificationInfo=https://cert.example/1certificationInfo=https://cert.example/2"
        "epcListepc=https://id.gs1.org/01/04012345111118/21/9876"
        "quantityListquantityElementepcClass=https://id.gs1.org/01/04012345123456/10/998877quantity=1000"
        "quantityElementepcClass=https://id.gs1.org/01/04012345123456/10/998877quantity=12.5uom=KGM"
        "action=OBSERVEbizStep=https://ref.gs1.org/cbv/BizStep-storingdisposition=https://thasos.example/epcis/waxy"
        "persistentDispositionset=https://ref.gs1.org/cbv/Disp-activeset=https://ref.gs1.org/cbv/Disp-available"
        "unset=https://ref.gs1.org/cbv/Disp-damaged"
        "readPointid=https://id.gs1.org/414/4012345000115{https://thasos.example/epcis/}gate=7"
        "bizLocationid=https://id.gs1.org/414/4012345000221/254/9"
        "bizTransactionListbizTransaction=urn:x:2type=https://ref.gs1.org/cbv/BTT-pobizTransaction=urn:x:3"
        "destinationListtype=https://ref.gs1.org/cbv/SDT-possessing_partydestination=https://id.gs1.org/417/4012345002256"
        "sourceListtype=https://ref.gs1.org/cbv/SDT-owning_partysource=https://id.gs1.org/417/4012345002256"
        "{https://thasos.example/epcis/}tank{https://thasos.example/epcis/}is=true"
        "{https://thasos.example/epcis/}level=1{https://thasos.example/epcis/}level=3",
    ),
    (
        "TransformationEvent",
        {
            "transformationID": "urn:epc:id:gdti:4012345.55555.98",
            "inputEPCList": [EPC],
            "outputQuantityList": [{"epcClass": "urn:epc:idpat:sgtin:4012345.011111.*", "quantity": 2080}],
            "ilmd": {"thasos:grade": "95", "cbvmda:lotNumber": "7"},
        },
        f"eventType=TransformationEvent{HEAD}inputEPCListepc=https://id.gs1.org/01/04012345111118/21/9876"
        "inputQuantityListquantityElementepcClass=https://id.gs1.org/01/04012345123456/10/998877quantity=4000uom=BLL"
        "outputEPCListepc=https://id.gs1.org/01/04012345111118/21/9876"
        "outputQuantityListquantityElementepcClass=https://id.gs1.org/01/04012345111118quantity=2080"
        "transformationID=https://id.gs1.org/253/401234555555498"
        "ilmdcbvmda:lotNumber=7{https://thasos.example/epcis/}grade=95",
    ),
    (
        "AggregationEvent",
        {"childQuantityList": [{"epcClass": LOT}], "eventID": "urn:x:1", "recordTime": "2022-12-27T00:00:00Z"},
        f"eventType=AggregationEvent{HEAD}parentID=https://id.gs1.org/00/040123450000001112"
        "childEPCsepc=https://id.gs1.org/01/04012345111118/21/9876"
        "childQuantityListquantityElementepcClass=https://id.gs1.org/01/04012345123456/10/998877action=ADD",
    ),
]


@pytest.mark.parametrize(("kind", "fields", "expected"), WHOLE)
def test_whole_events_by_hand(kind: str, fields: dict[str, Any], expected: str) -> None:
    assert prehash_of(event(kind, **fields)) == expected


def test_an_event_type_of_another_standard_is_spelled_out() -> None:
    spelled = prehash_of({**event(), "type": "https://thasos.example/epcis/Gauging"})
    assert prehash_of({**event(), "type": "thasos:Gauging"}) == spelled
    assert spelled.startswith(f"eventType=https://thasos.example/epcis/Gauging{HEAD}")


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2022-12-31T23:59:59.9995Z", "2023-01-01T00:00:00.000Z"),
        ("2020-02-29T00:30:00+01:00", "2020-02-28T23:30:00.000Z"),
        ("2022-01-01T00:00:00.1425Z", "2022-01-01T00:00:00.143Z"),
        ("2022-01-01T00:00:00.1424999Z", "2022-01-01T00:00:00.142Z"),
        ("0001-01-01T00:00:00-14:00", "0001-01-01T14:00:00.000Z"),
    ],
)
def test_times_are_utc_milliseconds(time: str, expected: str) -> None:
    assert f"eventTime={expected}" in prehash_of(event(eventTime=time))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("007", "7"), ("+3.50", "3.5"), ("1e3", "1000"), (".5", "0.5"), ("nan", "nan"), ("1e999", "1e999"), ("-0", "0")],
)
def test_numbers_have_no_needless_zeros(text: str, expected: str) -> None:
    assert prehash_of(event(**{"thasos:x": text})).endswith(f"x={expected}")


def test_extensions_that_a_document_leaves_out_are_in_no_name() -> None:
    fields = {"thasos:ignoreFields": ["thasos:captureID", "bizStep", 7]}
    report = report_on_value(document(event(bizStep="shipping", **{"thasos:captureID": "1"}), **fields))
    assert report.errors == []
    assert report.ignored == ("{https://thasos.example/epcis/}captureID",)
    assert report.events[0].prehash == prehash_of(event(bizStep="shipping"))


def test_a_hash_id_is_read_back() -> None:
    name = hash_id("eventType=ObjectEvent")
    digest = digest_of(name)
    assert digest is not None
    assert name == f"ni:///sha-256;{digest.hex()}?ver=CBV2.0"
    assert digest_of(name.upper()) is None
    assert digest_of(name + "x") is None
