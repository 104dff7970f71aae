"""Wallet actions: verbs, several of them at once, signatures of several parties, fees, keys."""

from __future__ import annotations

import json

from tests.web.test_web_books import define, issue
from tests.web.web_api import Api, running_api
from tests.web.web_node import ALICE, BOB, CARRIER, make_genesis

from horoi.base.address import address_of
from horoi.ledger.conditions import Key
from horoi.ledger.rules import check_signatures
from horoi.ledger.transaction import transaction_codec
from horoi.node.wallet import partial as partials

ALICE_ADDRESS, BOB_ADDRESS, CARRIER_ADDRESS = (address_of(pair.public) for pair in (ALICE, BOB, CARRIER))


def test_a_hand_over_waits_for_the_one_who_receives(api: Api) -> None:
    crude = define(api)
    issue(api, crude, "6327")
    offer = {"asset": crude, "amount": "6327", "to": CARRIER_ADDRESS, "reclaim_after": "2030-01-01T00:00:00Z"}
    answer = api.post("/v1/wallet/hand-over", offer)
    assert not answer["submitted"]
    assert answer["hex"] is None
    assert answer["missing"] == [
        {"any": [CARRIER_ADDRESS, {"all": [{"after_time": "2030-01-01T00:00:00Z"}, ALICE_ADDRESS]}]}
    ]
    # The file travels to the carrier, who signs it with its own wallet; it comes back complete.
    partial = partials.from_json(_file(answer))
    signed = partials.sign(partial, CARRIER)
    back = api.post("/v1/wallet/sign", {"partial": json.loads(partials.to_json(signed))})
    assert back["submitted"]
    assert back["missing"] == []
    transaction = transaction_codec.decode(bytes.fromhex(back["hex"]))
    check_signatures(bytes.fromhex(back["id"]), transaction.witness)
    api.host.mine()
    held = api.get("/v1/holdings", address=CARRIER_ADDRESS, asset=crude)["sums"][0]
    assert (held["owned"]["amount"], held["held"]["amount"]) == ("0", "6327")


def _file(answer: dict[str, object]) -> bytes:
    return json.dumps(answer["partial"]).encode()


def test_several_verbs_happen_together_with_all_keys_of_the_node() -> None:
    with running_api(keys={"alice": ALICE, "carrier": CARRIER}) as api:
        crude = define(api)
        issue(api, crude, "100")
        steps = [
            {"verb": "transfer", "asset": "crude oil", "amount": "30", "to": BOB_ADDRESS},
            {"verb": "hand-over", "asset": crude, "amount": "70", "to": CARRIER_ADDRESS},
            {"verb": "post", "text": "sold and shipped", "about": crude},
        ]
        answer = api.post("/v1/wallet/draft", {"steps": steps})
        assert answer["submitted"]
        api.host.mine()
        view = api.get(f"/v1/transactions/{answer['id']}")
        assert view["status"] == "confirmed"
        assert view["confirmations"] == 1
        assert [s["key"] for s in view["signatures"]] == sorted(p.public.hex() for p in (ALICE, CARRIER))
        assert view["posts"][0]["text"] == "sold and shipped"
        more = {"verb": "hand-over", "asset": crude, "amount": "71", "to": BOB_ADDRESS}
        assert "have 7000, need 7100" in api.post("/v1/wallet/draft", {"steps": [more]}, 409)["detail"]


def test_named_keys_sign_and_others_do_not() -> None:
    with running_api(keys={"alice": ALICE, "carrier": CARRIER}) as api:
        crude = define(api)
        issue(api, crude, "100")
        form = {"asset": crude, "amount": "1", "to": CARRIER_ADDRESS}
        assert api.post("/v1/wallet/hand-over", form, keys="alice")["missing"] == [CARRIER_ADDRESS]
        api.post("/v1/wallet/hand-over", form, 404, keys="alice,nobody")
        kept = api.post("/v1/wallet/hand-over", form, submit="false")
        assert kept["missing"] == []
        assert kept["hex"] is not None
        assert not kept["submitted"]
        assert api.get("/v1/transactions")["count"] == 0
        keys = api.get("/v1/wallet/keys")["keys"]
        assert [(k["name"], k["address"], k["default"]) for k in keys] == [
            ("alice", ALICE_ADDRESS, True),
            ("carrier", CARRIER_ADDRESS, False),
        ]


def test_transformation_with_its_loss(api: Api) -> None:
    crude, petrol, diesel = define(api), define(api, "petrol"), define(api, "diesel")
    issue(api, crude, "1000")
    for product in (petrol, diesel):
        recipe = {"sources": [{"asset": crude, "amount": "2"}], "product": "1"}
        api.post("/v1/wallet/license", {"asset": product, "limit": "5000", "to": ALICE_ADDRESS, "recipes": [recipe]})
    api.host.mine()
    refined = {
        "source": {"asset": "crude oil", "amount": "1000"},
        "products": [{"asset": "petrol", "amount": "300"}, {"asset": "diesel", "amount": "150"}],
        "loss_reason": "refining loss",
    }
    answer = api.post("/v1/wallet/refine", refined)
    api.host.mine()
    view = api.get(f"/v1/transactions/{answer['id']}")
    assert [
        (t["produced"]["name"], t["produced"]["amount"], t["consumed"][0]["amount"]) for t in view["transforms"]
    ] == [
        ("petrol", "300", "600"),
        ("diesel", "150", "300"),
    ]
    assert [(r["retired"]["amount"], r["reason"]) for r in view["retires"]] == [("100", "refining loss")]
    assert api.get(f"/v1/assets/{crude}")["asset"]["existing"] == "0"
    api.post("/v1/wallet/transform", {"asset": "petrol", "amount": "1"}, 409)


def test_split_merge_and_spending_what_waits(api: Api) -> None:
    crude = define(api)
    issue(api, crude, "100")
    api.post("/v1/wallet/split", {"asset": crude, "amounts": ["10", "20", "30"]})
    # The split waits in the mempool: a transfer finds nothing confirmed that is free, and builds on it.
    sold = api.post("/v1/wallet/transfer", {"asset": crude, "amount": "10", "to": BOB_ADDRESS})
    assert sold["submitted"]
    api.host.mine()
    assert len(api.get("/v1/holdings", address=ALICE_ADDRESS, asset=crude)["outputs"]) == 4
    api.post("/v1/wallet/merge", {"asset": crude})
    api.host.mine()
    mine = [r for r in api.get("/v1/holdings", address=ALICE_ADDRESS, asset=crude)["outputs"] if "owner" in r["roles"]]
    assert [r["output"]["amount"]["amount"] for r in mine] == ["90"]


def test_what_is_reclaimed_comes_back() -> None:
    with running_api(keys={"alice": ALICE, "carrier": CARRIER}) as api:
        crude = define(api)
        issue(api, crude, "100")
        form = {"asset": crude, "amount": "100", "to": CARRIER_ADDRESS, "reclaim_at_height": 5}
        assert api.post("/v1/wallet/hand-over", form)["submitted"]
        api.host.mine(2)
        back = api.post("/v1/wallet/reclaim", {"asset": crude, "held_by": CARRIER_ADDRESS}, keys="alice")
        assert back["submitted"]
        api.host.mine()
        held = api.get("/v1/holdings", address=ALICE_ADDRESS, asset=crude)["sums"][0]
        assert held["held"]["amount"] == "100"


def test_the_fee_is_found_and_paid() -> None:
    with running_api(make_genesis(fee_floor=100)) as api:
        answer = api.post("/v1/wallet/post", {"text": "hello"})
        assert int(answer["fee"]) > 0
        assert answer["submitted"]
        generous = api.post("/v1/wallet/post", {"text": "again"}, fee="5000")
        assert generous["fee"] == "5000"
        api.post("/v1/wallet/post", {"text": "too little"}, 400, fee="1")
        poor = api.post("/v1/wallet/post", {"text": "poor"}, 409, payer=CARRIER_ADDRESS)
        assert poor["type"] == "urn:horoi:problem:insufficient"


def test_a_node_without_keys_says_so() -> None:
    with running_api(keys={}) as api:
        problem = api.post("/v1/wallet/post", {"text": "hello"}, 403)
        assert "no unlocked key" in problem["detail"]
        assert api.get("/v1/status")["key"] is None
        api.post("/v1/mining", {"hash_rate": 10}, 403)


def test_foreign_files_are_refused(api: Api) -> None:
    with running_api(make_genesis(fee_floor=1)) as other:
        elsewhere = other.post("/v1/wallet/post", {"text": "hello"}, submit="false")["partial"]
    problem = api.post("/v1/wallet/sign", {"partial": elsewhere}, 400)
    assert "network" in problem["detail"]
    api.post("/v1/wallet/sign", {"partial": {"horoi_partial": 1}}, 400)
    mine = api.post("/v1/wallet/post", {"text": "hello"}, submit="false")["partial"]
    api.post("/v1/wallet/sign", {"partial": {**mine, "body": mine["body"][:-2] + "05"}}, 400)
    with running_api(keys={"bob": BOB}) as stranger:
        stranger.post("/v1/wallet/sign", {"partial": mine}, 403)


def test_a_rule_that_breaks_is_named(api: Api) -> None:
    with running_api(make_genesis(issuers=(Key(BOB.public),))) as closed:
        problem = closed.post("/v1/wallet/define", {"name": "gold", "limit": "10"}, 422)
        assert problem["rule"] == "define.issuer"
    problem = api.post("/v1/wallet/post", {"text": ""}, 422)
    assert problem["rule"] == "form.empty"


def test_words_of_another_kind_are_refused(api: Api) -> None:
    crude = define(api)
    for form in (
        {"asset": crude, "amount": "1,5", "to": BOB_ADDRESS},
        {"asset": crude, "amount": "1.123", "to": BOB_ADDRESS},
        {"asset": crude, "amount": "1", "to": "nobody"},
        {"asset": crude, "amount": "1", "to": {"any": [BOB_ADDRESS]}},
        {"asset": crude, "amount": "0", "to": BOB_ADDRESS},
        {"asset": crude, "amount": "1", "to": BOB_ADDRESS, "unknown": 1},
        {"asset": crude, "amount": 1, "to": BOB_ADDRESS},
    ):
        api.post("/v1/wallet/transfer", form, 400)
    api.post("/v1/wallet/hand-over", {"asset": crude, "amount": "1", "to": BOB_ADDRESS, "reclaim_after": -5}, 400)
    api.post("/v1/wallet/transfer", {"asset": "ab" * 32, "amount": "1", "to": BOB_ADDRESS}, 404)
