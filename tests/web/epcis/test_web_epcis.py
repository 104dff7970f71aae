"""GS1's REST binding: capture, query, resources, named queries; and what a stranger may send."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.base.vectors import vectors
from tests.epcis.epcis_documents import EPC, FIELD, LOT, document, event
from tests.web.epcis.epcis_client import ROOT, Epcis
from tests.web.web_api import Api

from horoi.epcis.check import report_on_value
from horoi.epcis.vocabulary import EVENT_TYPES
from horoi.web.epcis import binding, capture

SHIPPED = event(bizStep="shipping", readPoint={"id": FIELD}, eventID="urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8")


@pytest.fixture
def epcis(api: Api) -> Epcis:
    return Epcis(api)


def hash_of(value: dict[str, Any]) -> str:
    return report_on_value([value]).events[0].hash_id


# ---- capture ------------------------------------------------------------------------------------------------------------


def test_capture_is_a_job_and_its_events_are_found(epcis: Epcis) -> None:
    job = epcis.capture(document(SHIPPED, *(event(kind) for kind in EVENT_TYPES)))
    assert (job["success"], job["errors"], job["captureErrorBehaviour"]) == (True, [], "rollback")
    assert job["createdAt"] <= job["finishedAt"]
    assert epcis.get("/capture")[0] == job
    assert len(epcis.events()) == 6
    (found,) = epcis.events(EQ_bizStep="shipping")
    assert found["recordTime"]
    assert {name: found[name] for name in SHIPPED} == SHIPPED
    assert hash_of(found) == hash_of(SHIPPED)
    for name in (SHIPPED["eventID"], hash_of(SHIPPED)):
        assert epcis.events(f"/events/{quote(name, safe='')}")[0]["eventID"] == SHIPPED["eventID"]


def test_an_event_without_id_gets_its_hash_id(epcis: Epcis) -> None:
    epcis.capture(document(event()))
    (found,) = epcis.events()
    assert found["eventID"] == hash_of(event())
    assert found == epcis.events(f"/events/{found['eventID']}")[0]


def test_every_answer_is_a_valid_query_document(epcis: Epcis) -> None:
    epcis.capture(document(*(event(kind) for kind in EVENT_TYPES)))
    assert report_on_value(epcis.get("/events")).errors == []


@pytest.mark.parametrize("stem", ["JSON_Example_9.6.1-ObjectEvent", "JSON_EPCISQueryDocument"])
def test_examples_of_the_standard_are_captured(epcis: Epcis, stem: str) -> None:
    data = (vectors("epcis/examples") / f"{stem}.jsonld").read_bytes()
    answer = epcis.ask("POST", "/capture", data, headers={"Content-Type": "application/ld+json"})
    assert answer.status_code == 202
    assert answer.headers["GS1-EPCIS-Capture-Limit"] == str(binding.MAX_CAPTURE_EVENTS)
    assert epcis.capture(json.loads(data))["success"], "captured again: nothing new, nothing wrong"
    assert len(epcis.events()) == 2


def test_a_bad_event_refuses_the_document_whole(epcis: Epcis) -> None:
    answer = epcis.ask("POST", "/capture", document(event(), event(action="SELL"), event(eventTime="today")))
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["type"] == "epcisException:ValidationException"
    assert [error["pointer"] for error in problem["errors"]] == [
        "/epcisBody/eventList/1/action",
        "/epcisBody/eventList/2/eventTime",
    ]
    assert epcis.events() == []
    assert epcis.get("/capture") == []


def test_greedy_capture_keeps_the_good_ones(epcis: Epcis) -> None:
    job = epcis.capture(document(event(), event(action="SELL")), **{"GS1-Capture-Error-Behaviour": "proceed"})
    assert (job["success"], len(job["errors"])) == (False, 1)
    assert job["errors"][0]["pointer"] == "/epcisBody/eventList/1/action"
    assert len(epcis.events()) == 1
    broken = {**document(event()), "schemaVersion": "two"}
    answer = epcis.ask("POST", "/capture", broken, headers={"GS1-Capture-Error-Behaviour": "proceed"})
    assert answer.status_code == 400, "an error outside of the events spoils them all"


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"Content-Type": "application/xml"}, 415, "UnsupportedMediaTypeException"),
        ({"GS1-Capture-Error-Behaviour": "hope"}, 400, "ValidationException"),
        ({"Accept": "application/xml"}, 406, "NotAcceptableException"),
        ({"GS1-EPCIS-Version": "3.0.0"}, 406, "NotAcceptableException"),
        ({"GS1-EPCIS-Min": "two"}, 406, "NotAcceptableException"),
        ({"Authorization": "Bearer wrong"}, 403, "SecurityException"),
    ],
)
def test_headers_that_cannot_be_met(epcis: Epcis, headers: dict[str, str], status: int, kind: str) -> None:
    answer = epcis.ask("POST", "/capture", document(event()), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"epcisException:{kind}")
    assert epcis.events() == []


def test_writing_needs_the_token(epcis: Epcis) -> None:
    for method, path in (("POST", "/capture"), ("POST", "/events"), ("POST", "/queries"), ("DELETE", "/queries/x")):
        answer = epcis.ask(method, path, document(event()), token=None)
        assert (answer.status_code, answer.json()["type"]) == (401, "epcisException:SecurityException")


def test_captures_are_bounded(epcis: Epcis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "MAX_CAPTURE_EVENTS", 1)
    answer = epcis.ask("POST", "/capture", document(event(), event("TransactionEvent")))
    assert (answer.status_code, answer.json()["type"]) == (413, "epcisException:CaptureLimitExceededException")
    assert answer.headers["GS1-EPCIS-Capture-File-Size-Limit"]
    monkeypatch.setattr(binding, "MAX_CAPTURE_BYTES", 10)
    assert epcis.ask("POST", "/capture", document(event())).status_code == 413


def test_one_event(epcis: Epcis) -> None:
    single = {"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", **SHIPPED}
    made = epcis.ask("POST", "/events", single)
    assert made.status_code == 201
    assert made.headers["Location"] == f"{ROOT}/events/{SHIPPED['eventID']}"
    again = epcis.ask("POST", "/events", single)
    assert (again.status_code, again.json()["type"]) == (409, "epcisException:ResourceAlreadyExistsException")
    assert epcis.ask("POST", "/events", document(event())).status_code == 400
    assert epcis.ask("POST", "/events", {**single, "action": "?"}).json()["errors"][0]["pointer"] == "/action"
    assert epcis.get("/events/urn:uuid:1", 404)["type"] == "epcisException:NoSuchNameException"


# ---- query --------------------------------------------------------------------------------------------------------------


def test_pages_are_linked(epcis: Epcis) -> None:
    epcis.capture(document(*(event(**{"thasos:n": n}) for n in range(7))))
    path, seen = "/events?perPage=3&orderBy=eventTime", []
    while path:
        answer = epcis.ask("GET", path, token=None)
        seen += answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        link = answer.headers.get("Link", "")
        assert 'rel="next"' in link or not link
        path = link.partition(">")[0].removeprefix("<" + ROOT)
    assert sorted(each["thasos:n"] for each in seen) == list(range(7))
    assert epcis.ask("DELETE", "/nextPageToken/1.2").status_code == 204


def test_extensions_are_asked_by_a_declared_prefix(epcis: Epcis) -> None:
    epcis.capture(document(event(**{"thasos:tank": "12"}), event()))
    declared = {"GS1-Extensions": "t=https://thasos.example/epcis/"}
    answer = epcis.ask("GET", "/events", params={"EQ_t:tank": "12"}, headers=declared, token=None)
    assert len(answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == 1
    assert len(epcis.events(**{"EQ_https://thasos.example/epcis/tank": "12"})) == 1


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ("EQ_color=red", 400, "QueryParameterException"),
        ("EQ_action=ADD&EQ_action=DELETE", 400, "QueryParameterException"),
        ("perPage=0", 400, "QueryParameterException"),
        ("perPage=x", 400, "QueryParameterException"),
        ("nextPageToken=x", 400, "QueryParameterException"),
        ("maxEventCount=1", 413, "QueryTooLargeException"),
        ("EQ_bizStep=" + "x" * 9000, 414, "URITooLongException"),
    ],
)
def test_queries_that_are_refused(epcis: Epcis, query: str, status: int, kind: str) -> None:
    epcis.capture(document(event(), event("TransactionEvent")))
    answer = epcis.ask("GET", f"/events?{query}", token=None)
    assert (answer.status_code, answer.json()["type"]) == (status, f"epcisException:{kind}")


def test_keys_are_links_if_the_client_wants_so(epcis: Epcis) -> None:
    epcis.capture(document(SHIPPED, event("TransformationEvent")))
    answer = epcis.ask("GET", "/events", headers={"GS1-EPC-Format": "Always_GS1_Digital_Link"}, token=None)
    first, second = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert first["epcList"] == ["https://id.gs1.org/01/04012345111118/21/9876"]
    assert second["inputQuantityList"][0]["epcClass"] == "https://id.gs1.org/01/04012345123456/10/998877"
    assert (hash_of(first), hash_of(second)) == (hash_of(SHIPPED), hash_of(event("TransformationEvent")))
    refused = epcis.ask("GET", "/events", headers={"GS1-EPC-Format": "Always_EPC_URN"}, token=None)
    assert refused.status_code == 406


# ---- resources ----------------------------------------------------------------------------------------------------------


def test_an_event_of_another_standard_is_kept_whatever_its_fields_mean(epcis: Epcis) -> None:
    other = event(**{"thasos:n": 1}, parentID=7, childQuantityList=["much"], readPoint="here", sensorElementList=[1])
    job = epcis.capture(document({**other, "type": "thasos:Gauging"}))
    assert (job["success"], job["errors"]) == (True, [])
    answer = epcis.ask("GET", "/events", headers={"GS1-EPC-Format": "Always_GS1_Digital_Link"})
    (found,) = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert {name: found[name] for name in ("parentID", "childQuantityList", "readPoint")} == {
        "parentID": 7,
        "childQuantityList": ["much"],
        "readPoint": "here",
    }


def test_resources_and_their_events(epcis: Epcis) -> None:
    epcis.capture(document(SHIPPED, event("TransformationEvent", bizLocation={"id": FIELD}, disposition="active")))
    assert "eventTypes" in epcis.get("")["member"]
    assert set(epcis.get("/eventTypes")["member"]) >= set(EVENT_TYPES)
    assert epcis.get("/bizSteps")["member"] == ["shipping"]
    assert epcis.get("/dispositions")["member"] == ["active"]
    place = "https://id.gs1.org/414/4012345000115"
    assert epcis.get("/readPoints")["member"] == epcis.get("/bizLocations")["member"] == [place]
    assert len(epcis.get("/epcs")["member"]) == 2
    for path, count in {
        "/eventTypes/TransformationEvent": 1,
        "/eventTypes/AssociationEvent": 0,
        "/bizSteps/shipping": 1,
        "/bizSteps/https:%2F%2Fref.gs1.org%2Fcbv%2FBizStep-shipping": 1,
        f"/readPoints/{quote(FIELD)}": 1,
        f"/bizLocations/{quote(place, safe='')}": 1,
        f"/epcs/{quote(EPC)}": 2,
        f"/epcs/{quote(LOT)}": 1,
        "/dispositions/active": 1,
    }.items():
        assert epcis.get(path)["member"] == ["events"]
        assert len(epcis.events(f"{path}/events")) == count, path
    assert epcis.get("/bizSteps/receiving", 404)["type"] == "epcisException:NoSuchNameException"
    assert epcis.get("/eventTypes/PumpEvent/events", 404)
    assert epcis.get("/bizSteps/shipping/events", 400, EQ_bizStep="shipping")
    first = epcis.ask("GET", "/epcs?perPage=1", token=None)
    following = first.headers["Link"].partition(">")[0].removeprefix("<" + ROOT)
    assert [*first.json()["member"], *epcis.get(following)["member"]] == epcis.get("/epcs")["member"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("", "GET"),
        ("/capture", "GET, POST"),
        ("/events", "GET, POST"),
        ("/queries/x", "GET, DELETE"),
        ("/epcs/urn:x:1", "GET"),
    ],
)
def test_options_say_what_is_allowed(epcis: Epcis, path: str, allowed: str) -> None:
    answer = epcis.ask("OPTIONS", path, token=None)
    assert (answer.status_code, answer.headers["Allow"]) == (204, f"OPTIONS, {allowed}")
    assert answer.headers["GS1-EPCIS-Min"] == answer.headers["GS1-CBV-Max"] == "2.0.0"


# ---- named queries ------------------------------------------------------------------------------------------------------


def test_named_queries(epcis: Epcis) -> None:
    epcis.capture(document(SHIPPED, event()))
    query = {"name": "shipped", "query": {"EQ_bizStep": ["shipping"]}}
    made = epcis.ask("POST", "/queries", query)
    assert (made.status_code, made.headers["Location"]) == (201, f"{ROOT}/queries/shipped/events")
    assert epcis.ask("POST", "/queries", query).status_code == 409
    assert epcis.get("/queries") == [query]
    assert epcis.get("/queries/shipped") == query
    assert [each["bizStep"] for each in epcis.events("/queries/shipped/events")] == ["shipping"]
    assert epcis.get("/queries/shipped/events", 400, EQ_action="ADD")
    assert epcis.ask("DELETE", "/queries/shipped").status_code == 204
    assert epcis.get("/queries/shipped/events", 404)


@pytest.mark.parametrize(
    "form",
    [
        [],
        {},
        {"name": "x"},
        {"name": "", "query": {}},
        {"name": "a/b", "query": {}},
        {"name": "x", "query": {"a": 1}},
        b"{",
        b"\xff",
    ],
)
def test_queries_that_cannot_be_kept(epcis: Epcis, form: Any) -> None:
    assert epcis.ask("POST", "/queries", form).status_code == 400
    assert epcis.get("/queries") == []


# ---- strangers ----------------------------------------------------------------------------------------------------------

paths = st.sampled_from(
    ["/events", "/capture", "/queries", "/epcs", "/bizSteps", "/events/", "/epcs/", "/eventTypes/", "/queries/"]
)
texts = st.text(max_size=20)
parameters = st.dictionaries(
    st.sampled_from(["EQ_action", "MATCH_epc", "GE_eventTime", "perPage", "nextPageToken", "orderBy", "EQ_quantity"])
    | texts,
    texts,
    max_size=3,
)


@given(st.sampled_from(["GET", "POST", "DELETE", "OPTIONS"]), paths, texts, parameters, st.binary(max_size=40))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_is_sent_is_a_fault(
    epcis: Epcis, method: str, path: str, rest: str, query: dict[str, str], body: bytes
) -> None:
    url = path + (quote(rest, safe="") if path.endswith("/") else "")
    answer = epcis.api.runner.run(
        epcis.api.client.request(
            method,
            ROOT + url,
            params=query,
            content=body,
            headers={"Content-Type": "application/json", "Authorization": "Bearer " + "ab" * 32},
        )
    )
    assert answer.status_code < 500, answer.text
