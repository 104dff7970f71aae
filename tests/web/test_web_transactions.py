"""Transactions over HTTP: one, batches, refusals, the mempool."""

from __future__ import annotations

import msgspec
import pytest
from tests.web.web_api import Api
from tests.web.web_node import ALICE

from horoi.base.codec import encode
from horoi.base.keys import KeyPair
from horoi.ledger.conditions import Key
from horoi.ledger.transaction import Body, Post, Signature, Transaction, Witness

MSGPACK = {"Content-Type": "application/msgpack"}


def said(api: Api, text: str, pair: KeyPair = ALICE) -> Transaction:
    """A signed post."""
    chain = api.host.node.chain
    body = Body(posts=(Post(Key(pair.public), text, None, None),), since=chain.tip.height)
    digest = chain.ledger.id_of(body)
    return Transaction(body, Witness((Signature(pair.public, pair.sign(digest)),)))


def id_of(api: Api, transaction: Transaction) -> str:
    return api.host.node.chain.ledger.id_of(transaction.body).hex()


def test_one_transaction_as_json_or_as_text(api: Api) -> None:
    first, second = said(api, "first"), said(api, "second")
    answer = api.post("/v1/transactions", {"hex": encode(first).hex()})
    assert answer == {"id": id_of(api, first), "accepted": True, "rule": "", "detail": ""}
    text = api.ask(
        "POST", "/v1/transactions", content=encode(second).hex() + "\n", headers={"Content-Type": "text/plain"}
    )
    assert text.json()["id"] == id_of(api, second)
    waiting = api.get("/v1/transactions")
    assert [row["id"] for row in waiting["transactions"]] == [id_of(api, first), id_of(api, second)]
    assert waiting["count"] == 2
    assert api.get("/v1/transactions", offset=1, limit=1)["transactions"] == waiting["transactions"][1:]
    view = api.get(f"/v1/transactions/{id_of(api, first)}")
    assert (view["status"], view["confirmations"], view["block"]) == ("waiting", 0, None)
    api.host.mine(2)
    view = api.get(f"/v1/transactions/{id_of(api, first)}")
    assert (view["status"], view["confirmations"], view["height"]) == ("confirmed", 2, 1)
    assert view["hex"] == encode(first).hex()
    assert api.get("/v1/transactions")["count"] == 0
    api.get(f"/v1/transactions/{'00' * 32}", 404)


def test_no_token_is_needed_to_hand_in_what_is_signed(api: Api) -> None:
    answer = api.ask("POST", "/v1/transactions", json={"hex": encode(said(api, "x")).hex()}, token=None)
    assert answer.status_code == 200


def test_a_refusal_is_a_problem_that_names_the_rule(api: Api) -> None:
    good = said(api, "good")
    forged = Transaction(good.body, Witness((Signature(ALICE.public, bytes(64)),)))
    problem = api.post("/v1/transactions", {"hex": encode(forged).hex()}, 422)
    assert problem["rule"] == "witness.signature"
    assert problem["type"] == "urn:horoi:problem:rule"
    assert problem["status"] == 422
    unsigned = Transaction(good.body, Witness())
    assert api.post("/v1/transactions", {"hex": encode(unsigned).hex()}, 422)["rule"] == "authority.missing"
    api.post("/v1/transactions", {"hex": "zz"}, 400)
    api.post("/v1/transactions", {"hex": encode(good).hex()[:-2]}, 400)
    # A second byte form of the same transaction: msgpack's long form of the list's head.
    long_form = b"\xdc\x00\x02" + encode(good)[1:]
    assert "canonical" in api.post("/v1/transactions", {"hex": long_form.hex()}, 400)["detail"]


def test_a_batch_says_what_became_of_each(api: Api) -> None:
    batch = [said(api, f"line {n}") for n in range(20)]
    forged = Transaction(batch[3].body, Witness((Signature(ALICE.public, bytes(64)),)))
    raws = [encode(t) for t in [*batch[:3], forged, *batch[4:]]]
    raws[7] = b"garbage"
    answer = api.ask("POST", "/v1/transactions", content=msgspec.msgpack.encode(raws), headers=MSGPACK).json()
    assert answer["accepted"] == 18
    assert [r["accepted"] for r in answer["results"]] == [n not in (3, 7) for n in range(20)]
    assert answer["results"][3]["rule"] == "witness.signature"
    assert (answer["results"][7]["id"], answer["results"][7]["rule"]) == (None, "form.decode")
    assert answer["results"][19]["id"] == id_of(api, batch[19])
    as_json = api.post("/v1/transactions", [encode(said(api, "json")).hex(), "xyz", ""])
    assert [r["accepted"] for r in as_json["results"]] == [True, False, False]
    assert api.post("/v1/transactions", []) == {"accepted": 0, "results": []}


def test_bodies_of_another_shape_are_refused(api: Api) -> None:
    for content, media in (
        (b"\xc1", "application/msgpack"),
        (msgspec.msgpack.encode([b""] * 10_001), "application/msgpack"),
        (b"{", "application/json"),
        (b"[1]", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"", "text/plain"),
    ):
        answer = api.ask("POST", "/v1/transactions", content=content, headers={"Content-Type": media})
        assert answer.status_code == 400, answer.text
    for media in ("application/xml", ""):
        answer = api.ask("POST", "/v1/transactions", content=b"x", headers={"Content-Type": media})
        assert answer.status_code == 415


def test_more_than_the_node_keeps_is_refused_as_busy(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("horoi.web.access.MAX_IN_FLIGHT", 1)
    raws = [encode(said(api, text)).hex() for text in ("x", "y")]
    answer = api.ask("POST", "/v1/transactions", json=raws)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert api.ask("POST", "/v1/transactions", json=raws[:1]).status_code == 200
