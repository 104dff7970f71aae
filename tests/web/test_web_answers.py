"""Every endpoint answers what the OpenAPI document says (web_api.py holds each answer against it)."""

from __future__ import annotations

import jsonschema
import msgspec
import pytest
from tests.epcis.epcis_documents import CONTEXT, event
from tests.web.test_web_books import define, issue
from tests.web.test_web_transactions import said
from tests.web.web_api import DOCUMENT, Api, validate
from tests.web.web_node import ALICE, BOB, NODE_ID, TOKEN, make_access

from horoi.base.codec import encode
from horoi.base.errors import HoroiError, NetworkError, RuleError
from horoi.ledger.block import block_codec, block_hash
from horoi.ledger.genesis import from_json, network_id
from horoi.web.access import BusyError
from horoi.web.model.refusals import error_of
from horoi.web.model.wallet import Step
from horoi.web.problems import problem_of
from horoi.web.routes.table import ENDPOINTS


def single_event(api: Api) -> str:
    """An event that was captured, by the hash in its hash id."""
    told = {"@context": CONTEXT, **event("ObjectEvent")}
    answer = api.runner.run(
        api.client.post("/epcis/v2/events", json=told, headers={"Authorization": f"Bearer {TOKEN}"})
    )
    return str(answer.json()["eventID"]).partition(";")[2].partition("?")[0]


def test_every_endpoint_keeps_its_word(api: Api) -> None:
    crude = define(api)
    made = issue(api, crude, "5")
    captured = single_event(api)
    headers = {"Content-Type": "application/octet-stream"}
    document = api.ask("POST", "/v1/documents", content=b"a bill", headers=headers).json()["hash"]
    api.post("/v1/wallet/post", {"text": "hello", "document": document})
    api.host.mine()
    step = {"verb": "hand-over", "asset": crude, "amount": "1", "to": BOB.public.hex()}
    offer = api.post("/v1/offers", {"steps": [step]})["id"]
    places = {"{kind}": "asset", "{address}": ALICE.public.hex(), "{id}": crude, "{hash}": document, "{block}": "tip"}
    queries = {
        "/v1/search": {"q": "hello"},
        "/v1/holdings": {"asset": crude},
        "/v1/rights": {"key": ALICE.public.hex()},
    }
    for endpoint in ENDPOINTS:
        named = {
            "/v1/transactions/{id}": f"/v1/transactions/{made}",
            "/v1/offers/{id}": f"/v1/offers/{offer}",
            "/v1/epcis/anchors/{hash}": f"/v1/epcis/anchors/{captured}",
        }
        path = named.get(endpoint.path, endpoint.path)
        for name, value in places.items():
            path = path.replace(name, value)
        if path == "/v1/events":
            continue  # lasts for ever: test_web_stream.py
        answer = api.ask(endpoint.method, path, params=queries.get(endpoint.path), json={})
        if "/providers/" in path:
            assert answer.status_code == 404, (
                path
            )  # this node looks nothing up; one that does: tests/cli/test_cli_lookup.py
        elif endpoint.method == "GET":
            assert answer.status_code == 200, f"{path}: {answer.text}"
        elif "{hash}" in endpoint.path:
            assert answer.status_code == 200, path
        else:  # an empty form says too little, and crude is no offer
            assert answer.status_code in (400, 404, 415, 422), path
    answered = {path for _, path, _ in api.seen}
    assert answered == set(DOCUMENT["paths"]) - {"/v1/events"}


def test_the_document_is_what_is_served_and_whole(api: Api) -> None:
    served = api.get("/openapi.json")
    assert served == DOCUMENT
    assert served["openapi"] == "3.1.0"
    names = [op["operationId"] for path in served["paths"].values() for op in path.values()]
    assert len(names) == len(set(names)) == len(ENDPOINTS)
    for schema in served["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for path, operations in served["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            in_path = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert in_path == {part[1:-1] for part in path.split("/") if part.startswith("{")}
    verbs = served["components"]["schemas"]["DraftForm"]["properties"]["steps"]["items"]["discriminator"]["mapping"]
    assert len(verbs) == len(Step.__args__)


def test_the_check_of_answers_can_fail() -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate({"ok": "yes"}, {"$ref": "#/components/schemas/Health"})


def test_status_is_the_node_at_a_glance(api: Api) -> None:
    api.host.mine(3)
    status = api.get("/v1/status")
    chain = api.host.node.chain
    assert (status["height"], status["tip"]) == (3, chain.tip.name.hex())
    assert status["work"] == str(chain.tip.work)
    assert status["node_id"] == NODE_ID.hex()
    assert status["network"]["id"] == chain.network.hex()
    assert status["synced"]
    assert status["outputs"] == "5"  # two grants, three rewards
    assert status["mining"]["blocks_found"] == 3
    assert status["tip_time"].startswith("2023-11-14T22:13:")


def test_the_state_digest_is_of_tip_and_state(api: Api) -> None:
    twin, twin_host = make_access()
    before = api.get("/v1/status")["state_digest"]
    twin_chain = twin_host.node.chain
    assert before == twin_chain.ledger.digest(twin_chain.tip.name).hex()
    api.host.mine()
    after = api.get("/v1/status")["state_digest"]
    assert after != before
    chain = api.host.node.chain
    chain.ledger.bits.spend([0])  # a state that is not what the tip says
    assert api.get("/v1/status")["state_digest"] != after
    chain.ledger.bits.restore([0])
    assert api.get("/v1/status")["state_digest"] == after
    twin.close()
    assert twin_host.node.chain.tip.height == 0


def test_the_genesis_is_the_file(api: Api) -> None:
    answer = api.ask("GET", "/v1/genesis")
    assert network_id(from_json(answer.content)) == api.host.node.chain.network


def test_blocks_by_height_hash_and_tip(api: Api) -> None:
    transactions = [said(api, f"line {n}") for n in range(3)]
    api.post("/v1/transactions", [encode(t).hex() for t in transactions])
    api.host.mine()
    tip = api.get("/v1/blocks/tip")
    assert tip["transaction_count"] == 3
    assert api.get("/v1/blocks/1") == tip
    assert api.get(f"/v1/blocks/{tip['header']['hash']}") == tip
    page = api.get("/v1/blocks/tip", offset=1, limit=1)
    assert page["transactions"] == tip["transactions"][1:2]
    raw = api.ask("GET", "/v1/blocks/tip", params={"format": "raw"})
    assert raw.headers["content-type"] == "application/octet-stream"
    block = block_codec.decode(raw.content)
    assert block_hash(block.header).hex() == tip["header"]["hash"]
    assert api.ask("GET", "/v1/blocks/1", params={"format": "hex"}).text == raw.content.hex()
    api.get("/v1/blocks/2", 404)
    api.get(f"/v1/blocks/{'ab' * 32}", 404)
    for text in ("-1", "last", "1e3", "٣", "0" * 12):
        api.get(f"/v1/blocks/{text}", 400)
    listed = api.get("/v1/blocks")["blocks"]
    assert [b["header"]["height"] for b in listed] == [1, 0]
    assert [b["transaction_count"] for b in listed] == [3, 0]
    assert api.get("/v1/blocks", before=1)["blocks"] == listed[1:]
    assert api.get("/v1/blocks", before=0) == {"blocks": []}


def test_headers_link(api: Api) -> None:
    api.host.mine(4)
    headers = api.get("/v1/headers", **{"from": 1}, count=3)["headers"]
    assert [h["height"] for h in headers] == [1, 2, 3]
    assert [h["confirmations"] for h in headers] == [4, 3, 2]
    assert headers[1]["parent"] == headers[0]["hash"]
    assert api.get("/v1/headers", **{"from": 2**32 - 1})["headers"] == []


def test_peers_come_with_their_links(api: Api) -> None:
    peer = bytes([9]) * 32
    api.host.link(peer)
    (row,) = api.get("/v1/peers")["peers"]
    assert (row["peer"], row["ready"], row["outbound"], row["agent"]) == (peer.hex(), True, False, "test/1")
    assert api.get("/v1/status")["peers"] == 1
    assert api.post("/v1/peers", {"address": "192.0.2.77:1234"}) == {"address": "192.0.2.77:1234"}
    assert "192.0.2.77:1234" in api.host.dialed
    api.post("/v1/peers", {"address": "no address"}, 400)


def test_mining_is_steered(api: Api) -> None:
    assert api.get("/v1/mining")["hash_rate"] == 0
    view = api.post("/v1/mining", {"hash_rate": 250})
    assert (view["hash_rate"], view["owner"]) == (250, api.get("/v1/status")["key"])
    assert api.get("/v1/mining")["hash_rate"] == 250
    view = api.post("/v1/mining", {"hash_rate": 0, "owner": {"threshold": 1, "keys": [ALICE.public.hex()]}})
    assert view["owner"]["threshold"] == 1
    api.post("/v1/mining", {"hash_rate": -1}, 400)
    api.post("/v1/mining", {"hash_rate": 1, "owner": "me"}, 400)


def test_metrics_are_read_when_scraped(api: Api) -> None:
    api.host.mine(2)
    api.host.link(bytes([9]) * 32)
    text = api.ask("GET", "/metrics").text
    for line in (
        "horoi_height 2.0",
        "horoi_blocks_connected_total 2.0",
        'horoi_peers{direction="inbound"} 1.0',
        'horoi_bytes_total{direction="in"} 11.0',
        'horoi_drops_total{reason="silence"} 2.0',
        'horoi_errors_total{kind="ValueError"} 1.0',
        'horoi_messages_total{direction="out",type="Hello"} 1.0',
    ):
        assert line in text, line
    assert "process_resident_memory_bytes" in text


def test_the_page_of_the_api_lists_all_endpoints(api: Api) -> None:
    page = api.ask("GET", "/api").text
    assert all(endpoint.path in page for endpoint in ENDPOINTS)
    assert TOKEN not in page


def test_requests_are_decoded_strictly(api: Api) -> None:
    api.get("/v1/headers", 400, count="many")
    api.get("/v1/headers", 400, count=0)
    api.get("/v1/headers", 400, counts=1)
    api.get("/v1/blocks/tip", 400, block="0")
    api.get("/v1/assets/xyz", 400)
    api.get("/v2/status", 404)
    assert api.ask("DELETE", "/v1/status").status_code == 405
    assert api.ask("POST", "/v1/mining", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    answer = api.ask("POST", "/v1/mining", content=msgspec.json.encode({"hash_rate": 1})[:-1], json=None)
    assert answer.status_code in (400, 415)


def test_every_family_of_error_has_its_status_and_comes_back() -> None:
    # The command line has families of its own, which no answer carries.
    for family in (f for f in HoroiError.__subclasses__() if not f.__module__.startswith("horoi.cli")):
        error = RuleError("spend.unknown", "x") if family is RuleError else family("x")
        problem = problem_of(error)
        assert 400 <= problem.status < 504
        back = error_of(problem.status, msgspec.json.encode(problem))
        assert isinstance(back, NetworkError if family is BusyError else family), family
        assert getattr(back, "rule", None) == getattr(error, "rule", None)
