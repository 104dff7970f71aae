"""The index finds what the conditions say, page after page, and keeps what it was given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.epcis.epcis_documents import EPC, FIELD, LOT, document, event

from horoi.base.errors import StorageError
from horoi.epcis.check import report_on_value
from horoi.epcis.conditions import holds
from horoi.epcis.query import QueryError, parse_query
from horoi.node.epcis import search as searches
from horoi.node.epcis import store as stores
from horoi.node.epcis.masters import master_data_of
from horoi.node.epcis.search import Page, search, values_of
from horoi.node.epcis.store import EventStore, FullError, New
from horoi.web.epcis.service import new_event

NAMES = {"thasos": "https://thasos.example/epcis/"}


def news(*events: dict[str, Any]) -> list[New]:
    report = report_on_value(document(*events))
    assert report.errors == []
    return [new_event(each, report.context) for each in report.events]


def keep(store: EventStore, *events: dict[str, Any]) -> list[int]:
    new = news(*events)
    return store.add(new, 1_700_000_000_000)[1]


@pytest.fixture
def store() -> EventStore:
    return EventStore(None)


SENSOR = {
    "sensorMetadata": {"startTime": "2022-01-01T00:00:00Z", "deviceID": "urn:epc:id:giai:4000001.111"},
    "sensorReport": [
        {"type": "Temperature", "value": 26.5, "sDev": 0.5, "uom": "CEL", "booleanValue": True, "thasos:x": "7"}
    ],
}
EVENTS = [
    event(bizStep="shipping", disposition="in_transit", readPoint={"id": FIELD}, **{"thasos:tank": "12"}),
    event(
        action="ADD",
        bizStep="commissioning",
        eventTime="2023-05-01T00:00:00Z",
        epcList=["urn:epc:id:sscc:4012345.0000000111"],
        quantityList=[{"epcClass": LOT, "quantity": 200, "uom": "KGM"}],
        ilmd={"thasos:grade": "A", "thasos:lab": {"thasos:density": 0.85}},
        eventID="urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
    ),
    event("AggregationEvent", bizLocation={"id": "urn:epc:id:sgln:4012345.00022.0"}, sensorElementList=[SENSOR]),
    event("TransactionEvent", persistentDisposition={"set": ["damaged"]}),
    event(
        "TransformationEvent",
        transformationID="urn:example:batch:7",
        sourceList=[{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00225"}],
        errorDeclaration={"declarationTime": "2023-01-01T00:00:00Z", "reason": "did_not_occur"},
    ),
    event("AssociationEvent", **{"thasos:opened": "2023-01-01T10:00:00+02:00"}),
]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"eventType": "ObjectEvent|AssociationEvent"}, [0, 1, 5]),
        ({"eventType": ["ObjectEvent"]}, [0, 1]),
        ({"GE_eventTime": "2023-01-01T00:00:00Z"}, [1]),
        ({"LT_eventTime": "2023-01-01T00:00:00Z"}, [0, 2, 3, 4, 5]),
        ({"GE_recordTime": "2030-01-01T00:00:00Z"}, []),
        ({"EQ_action": "ADD"}, [1, 2, 3, 5]),
        ({"EQ_bizStep": "shipping|commissioning"}, [0, 1]),
        ({"EQ_bizStep": "https://ref.gs1.org/cbv/BizStep-shipping"}, [0]),
        ({"EQ_disposition": "in_transit"}, [0]),
        ({"EQ_persistentDisposition_set": "damaged"}, [3]),
        ({"EQ_readPoint": FIELD}, [0]),
        ({"EQ_readPoint": "https://id.gs1.org/414/4012345000115"}, [0]),
        ({"EQ_transformationID": "urn:example:batch:7"}, [4]),
        ({"MATCH_epc": EPC}, [0, 2, 3, 5]),
        ({"MATCH_outputEPC": EPC}, [4]),
        ({"MATCH_anyEPC": "https://example.com/gtin/4012345111118/ser/9876"}, [0, 2, 3, 4, 5]),
        ({"MATCH_anyEPC": "urn:epc:idpat:sgtin:4012345.011111.*"}, [0, 2, 3, 4, 5]),
        ({"MATCH_epc": "urn:epc:idpat:sgtin:4012345.*.*"}, [0, 2, 3, 5]),
        ({"MATCH_anyEPC": "urn:epc:idpat:sscc:*.*|urn:epc:idpat:grai:4012345.*.*"}, [1, 2, 5]),
        ({"MATCH_epc": f"urn:epc:idpat:sscc:4012345.*|{EPC}"}, [0, 1, 2, 3, 5]),
        ({"MATCH_epc": "urn:epc:idpat:sgtin:4012346.*.*"}, []),
        ({"MATCH_epcClass": "urn:epc:idpat:sgtin:4012345.012345.*"}, [1]),
        ({"MATCH_parentID": "urn:epc:id:sscc:4012345.0000000111"}, [2]),
        ({"MATCH_epcClass": LOT}, [1]),
        ({"MATCH_anyEPCClass": LOT}, [1, 4]),
        ({"EQ_quantity": "200"}, [1]),
        ({"GT_quantity": 200}, [4]),
        ({"GE_quantity_KGM": 1}, [1]),
        ({"EQ_eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"}, [1]),
        ({"EXISTS_errorDeclaration": "true"}, [4]),
        ({"EXISTS_errorDeclaration": False}, [0, 1, 2, 3, 4, 5]),
        ({"EQ_errorReason": "did_not_occur"}, [4]),
        ({"LT_errorDeclarationTime": "2023-01-01T00:00:00Z"}, []),
        ({"EQ_bizTransaction_po": "urn:example:po:17"}, [3]),
        ({"EQ_source_owning_party": "https://id.gs1.org/417/4012345002256"}, [4]),
        ({"EQ_type": "Temperature"}, [2]),
        ({"EQ_deviceID": "urn:epc:id:giai:4000001.111"}, [2]),
        ({"GE_value_CEL": "26"}, [2]),
        ({"LT_value_CEL": "26"}, []),
        ({"EQ_value_KEL": 299.65}, [2]),
        ({"EQ_value_FAH": "79.7|80"}, [2]),
        ({"GT_value_FAH": 79.7}, []),
        ({"LE_value_KEL": 300}, [2]),
        ({"GE_value_GRM": 0}, []),
        ({"GE_sDev": 0.5}, [2]),
        ({"EQ_sDev_FAH": 0.9}, [2]),
        ({"EQ_value_CEL": [26.5, 1e400]}, [2]),
        ({"EXISTS_sensorElement": "true"}, [2]),
        ({"EQ_quantity_TNE": 0.2}, [1]),
        ({"EQ_booleanValue": "true"}, [2]),
        ({"GE_startTime": "2022-01-01T00:00:00Z"}, [2]),
        ({"EQ_SENSORREPORT_thasos:x": "7"}, [2]),
        ({"EQ_thasos:tank": "12"}, [0]),
        ({"EQ_thasos:tank": "12.0"}, [0]),
        ({"GT_https://thasos.example/epcis/tank": 11}, [0]),
        ({"EXISTS_thasos:tank": True}, [0]),
        ({"EQ_https://thasos.example/epcis/#tank": "12"}, [0]),
        ({"EXISTS_ILMD_https://thasos.example/epcis/#grade": True}, [1]),
        ({"GE_thasos:opened": "2023-01-01T08:00:00Z"}, [5]),
        ({"EQ_ILMD_thasos:grade": "A|B"}, [1]),
        ({"EQ_thasos:grade": "A"}, []),
        ({"EQ_INNER_ILMD_thasos:density": 0.85}, [1]),
        ({"EXISTS_ILMD_thasos:lab": True}, [1]),
        ({"EXISTS_INNER_ILMD_thasos:density": True}, [1]),
        ({"EXISTS_INNER_thasos:density": True}, []),
        ({"LE_INNER_ILMD_thasos:density": 0.8}, []),
        ({"EQ_bizStep": "shipping", "EQ_action": "ADD"}, []),
        ({"orderBy": "eventTime", "orderDirection": "DESC", "eventCountLimit": 1}, [1]),
        ({"orderBy": "thasos:tank", "orderDirection": "DESC", "eventCountLimit": "1"}, [0]),
        ({"orderBy": "https://thasos.example/epcis/#tank", "eventCountLimit": "1"}, [0]),
        ({"orderBy": "thasos:nobody has this", "eventCountLimit": "1"}, [0]),
    ],
)
def test_parameters_of_the_standard(store: EventStore, parameters: dict[str, Any], found: list[int]) -> None:
    numbers = keep(store, *EVENTS)
    query = parse_query(parameters, NAMES)
    assert sorted(numbers.index(each.seq) for each in search(store, query).events) == found
    if query.limit is None and "Time" not in "".join(parameters):  # times of events are columns, no facts
        met = [all(holds(condition, new.facts) for condition in query.conditions) for new in news(*EVENTS)]
        assert [place for place, is_met in enumerate(met) if is_met] == found


@pytest.mark.parametrize(
    ("parameters", "kind"),
    [
        ({"EQ_bizstep": "shipping"}, "QueryParameterException"),
        ({"colour": "red"}, "QueryParameterException"),
        ({"EQ_action": "SELL"}, "QueryParameterException"),
        ({"GE_eventTime": "yesterday"}, "QueryParameterException"),
        ({"EQ_quantity": "many"}, "QueryParameterException"),
        ({"EQ_quantity": 10**400}, "QueryParameterException"),
        ({"EQ_quantity": []}, "QueryParameterException"),
        ({"orderDirection": "UP"}, "QueryParameterException"),
        ({"eventCountLimit": 1}, "QueryParameterException"),
        ({"orderBy": "eventTime", "eventCountLimit": 1, "maxEventCount": 1}, "QueryParameterException"),
        ({"perPage": 0}, "QueryParameterException"),
        ({"perPage": True}, "QueryParameterException"),
        ({"nextPageToken": "1.2.3"}, "QueryParameterException"),
        ({"EQ_eventTime": "2022-01-01T00:00:00Z"}, "QueryParameterException"),
        ({"MATCH_epc": "urn:epc:idpat:sgtin:*.012345.*"}, "QueryParameterException"),
        ({"MATCH_epc": ["urn:epc:idpat:sscc:*.*"] * 51}, "QueryTooComplexException"),
        ({f"EQ_urn:x:{n}": ["1"] * 600 for n in range(9)}, "QueryTooComplexException"),
        ({f"EQ_urn:x:{n}": "1" for n in range(101)}, "QueryTooComplexException"),
        ({"maxEventCount": 5}, "QueryTooLargeException"),
        ({"EQ_bizStep": [{}]}, "QueryParameterException"),
        ({"HASATTR_colour": "x"}, "QueryParameterException"),
        ({"orderBy": "bizStep"}, "QueryParameterException"),
    ],
)
def test_what_cannot_be_meant_is_refused(store: EventStore, parameters: dict[str, Any], kind: str) -> None:
    keep(store, *EVENTS)
    with pytest.raises(QueryError) as refused:
        search(store, parse_query(parameters, NAMES))
    assert refused.value.kind == kind


def test_places_below_a_place_and_what_is_said_of_them(store: EventStore) -> None:
    site, tank = "urn:epc:id:sgln:4012345.00033.0", "urn:epc:id:sgln:4012345.00033.7"
    elements = [
        {"id": site, "children": [tank, site]},  # a circle must not run for ever
        {"id": tank, "attributes": [{"id": "cbvmda:kind", "attribute": "floating roof"}]},
    ]
    vocabulary = {"type": "urn:epcglobal:epcis:vtype:ReadPoint", "vocabularyElementList": elements}
    header = {"epcisMasterData": {"vocabularyList": [vocabulary]}}
    assert report_on_value(document(event(), epcisHeader=header)).errors == []
    store.add_master_data(*master_data_of(header, NAMES))
    (seq,) = keep(store, event(readPoint={"id": tank}))

    def found(parameters: dict[str, Any]) -> list[int]:
        return [each.seq for each in search(store, parse_query(parameters)).events]

    assert found({"WD_readPoint": site}) == [seq]
    assert found({"WD_readPoint": tank}) == [seq]
    assert found({"WD_readPoint": FIELD}) == []
    assert found({"HASATTR_readPoint": "urn:epcglobal:cbv:mda:kind"}) == [seq]
    assert found({"EQATTR_readPoint_cbvmda:kind": "floating roof"}) == [seq]
    assert found({"EQATTR_readPoint_cbvmda:kind": "fixed roof"}) == []


def test_pages_neither_overlap_nor_miss_while_events_arrive(store: EventStore) -> None:
    numbers = keep(store, *(event(**{"thasos:n": n}) for n in range(25)))
    seen: list[int] = []
    page = Page([], "")
    while page.next is not None:
        page = search(store, parse_query({"perPage": 10, "orderBy": "eventTime", "nextPageToken": page.next}))
        seen += [each.seq for each in page.events]
        keep(store, event(**{"thasos:n": 1000 + len(seen)}))
    assert sorted(seen) == numbers


values = st.sampled_from(["a", "b", "7", "7.5", "-1"]) | st.integers(-3, 3) | st.floats(-2, 2)
conditions = st.tuples(st.sampled_from(["EQ", "GT", "GE", "LT", "LE", "EXISTS"]), values)


@given(st.lists(st.lists(values, max_size=3), max_size=5), conditions)
@settings(max_examples=100, deadline=None)
def test_the_index_agrees_with_the_conditions(extensions: list[list[Any]], condition: tuple[str, Any]) -> None:
    store = EventStore(None)
    new = news(*(event(**{"thasos:x": given, "thasos:n": n}) for n, given in enumerate(extensions)))
    numbers = store.add(new, 0)[1]
    op, value = condition
    query = parse_query({f"{op}_thasos:x": value}, NAMES)
    expected = [n for n, each in zip(numbers, new, strict=True) if all(holds(c, each.facts) for c in query.conditions)]
    assert [each.seq for each in search(store, query).events] == expected
    store.close()


def test_what_is_kept_already_is_not_kept_twice(store: EventStore) -> None:
    new = news(event())
    assert store.add(new, 1)[1]
    assert store.add(new, 2) == (None, [])
    declared = news(event(errorDeclaration={"declarationTime": "2023-01-01T00:00:00Z"}))
    assert declared[0].digest == new[0].digest
    assert store.add(declared, 3)[1], "the same event with an error declaration is a payload of its own"
    assert len(store.by_digest(new[0].digest)) == 2
    assert store.count() == 2


def test_it_survives_a_restart_and_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = EventStore(tmp_path / "epcis")
    numbers = keep(first, *EVENTS)
    first.begin_job("under way", "rollback", 5)
    first.know("class", "https://id.gs1.org/01/04012345123456", "ab" * 32)
    first.close()
    store = EventStore(tmp_path / "epcis")
    assert [each.seq for each in search(store, parse_query({"EQ_bizStep": "shipping"})).events] == [numbers[0]]
    assert values_of(store, ("bizStep",), "", 10)[0].startswith("https://ref.gs1.org/cbv/BizStep-")
    assert store.known("class", "https://id.gs1.org/01/04012345123456") == "ab" * 32
    job = store.job("under way")
    assert job is not None
    assert job.finished_ms is not None
    assert not job.success
    monkeypatch.setattr(stores, "MAX_EVENTS", store.count())
    with pytest.raises(FullError):
        keep(store, event(action="DELETE"))
    store.close()
    (tmp_path / "epcis" / stores.FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError):
        EventStore(tmp_path / "epcis")


def test_a_store_of_an_older_version_gets_its_facts_anew(tmp_path: Path) -> None:
    """Its events had fewer of them, so questions would not find what is there."""
    older = EventStore(tmp_path)
    keep(older, *EVENTS)
    facts = older.base.execute("SELECT * FROM facts ORDER BY 1, 2, 3").fetchall()
    older.base.execute("DELETE FROM facts WHERE seq > 1")
    older.base.execute("PRAGMA user_version=1")
    older.close()
    store = EventStore(tmp_path)
    assert store.base.execute("SELECT * FROM facts ORDER BY 1, 2, 3").fetchall() == facts
    assert len(search(store, parse_query({"EXISTS_sensorElement": "true"})).events) == 1
    store.base.execute("DELETE FROM facts")
    store.close()
    again = EventStore(tmp_path)
    assert again.base.execute("SELECT count(*) FROM facts").fetchone() == (0,), "made anew once"
    again.base.execute("PRAGMA user_version=99")
    again.close()
    with pytest.raises(StorageError, match="version 99"):
        EventStore(tmp_path)


@pytest.mark.parametrize(
    "own",
    [{"own": "https://own.example/"}, [{"thasos": "https://other.example/"}], [{"own": "https://own.example/"}, NAMES]],
)
def test_a_kept_event_says_alone_what_it_said_in_its_document(own: Any) -> None:
    """A context of its own stands on top of the document's, and both are needed to derive its hash again."""
    report = report_on_value(document(event(**{"@context": own, "thasos:tank": "12", "own:x": "1"})))
    (hashed,) = report.events
    payload = json.loads(new_event(hashed, report.context).payload)
    (alone,) = report_on_value(payload).events
    assert alone.hash_id == hashed.hash_id


def test_a_question_that_takes_too_many_steps_is_refused(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, *(event(bizStep="shipping", **{"thasos:n": n}) for n in range(300)))
    last = store.last_seq()
    query = parse_query({"EQ_bizStep": "shipping", "orderBy": "recordTime"})
    monkeypatch.setattr(searches, "STEPS_BETWEEN_LOOKS", 100)
    monkeypatch.setattr(searches, "MAX_LOOKS", 20)
    with pytest.raises(QueryError) as refused:
        search(store, query)
    assert refused.value.kind == "QueryTooComplexException"
    assert [one.seq for one in search(store, query, after=last - 2).events] == [last - 1, last], (
        "what is new costs little"
    )
    assert store.count() == 300, "the store is as before"


def test_a_page_is_bounded_in_bytes_too(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, *(event(**{"thasos:text": f"{n}" * 500}) for n in range(5)))
    monkeypatch.setattr(searches, "MAX_PAGE_BYTES", 2_000)
    sizes, found, page = [], [], ""
    while page or not sizes:
        answer = search(store, parse_query({"perPage": "4", **({"nextPageToken": page} if page else {})}))
        sizes.append(len(answer.events))
        found += [one.seq for one in answer.events]
        page = answer.next or ""
    assert max(sizes) < 4
    assert found == [1, 2, 3, 4, 5]
    monkeypatch.setattr(searches, "MAX_PAGE_BYTES", 1)
    assert len(search(store, parse_query({})).events) == 1
