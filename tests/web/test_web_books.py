"""A story told over HTTP: assets, custody, transformation, loss, posts; and the books that it leaves."""

from __future__ import annotations

import hashlib

import pytest
from tests.web.web_api import Api, running_api
from tests.web.web_node import ALICE, BOB, CARRIER, GRANT, make_genesis

from horoi.base.address import address_of
from horoi.node.index.index import TransactionPlace

ALICE_ADDRESS, BOB_ADDRESS, CARRIER_ADDRESS = (address_of(pair.public) for pair in (ALICE, BOB, CARRIER))
COIN = "00" * 32


def define(api: Api, name: str = "crude oil", **fields: object) -> str:
    """Define an asset, confirmed; its id."""
    answer = api.post("/v1/wallet/define", {"name": name, "unit": "bbl", "decimals": 2, "limit": "100000", **fields})
    api.host.mine()
    return str(answer["assets"][0])


def issue(api: Api, asset: str, amount: str) -> str:
    """Issue so much, confirmed; the transaction."""
    answer = api.post("/v1/wallet/issue", {"asset": asset, "amount": amount})
    api.host.mine()
    return str(answer["id"])


def test_the_books_of_an_asset_follow_what_was_done(api: Api) -> None:
    crude = define(api)
    issue(api, "crude oil", "10432.5")
    api.post("/v1/wallet/retire", {"asset": crude, "amount": "432.25", "reason": "evaporation"})
    api.host.mine()
    view = api.get(f"/v1/assets/{crude}")
    asset = view["asset"]
    assert (asset["issued"], asset["retired"], asset["existing"]) == ("1043250", "43225", "1000025")
    assert asset["existing_amount"] == "10000.25"
    assert view["complete"]
    assert [(h["owner"], h["custodian"], h["amount"]["quantity"]) for h in view["holders"]] == [
        (ALICE_ADDRESS, ALICE_ADDRESS, "1000025")
    ]
    history = api.get(f"/v1/assets/{crude}/history")
    assert history["count"] == len(history["transactions"]) == 3
    assert "evaporation" in " ".join(history["transactions"][-1]["words"])
    page = api.get(f"/v1/assets/{crude}/history", offset=1, limit=1)
    assert page["transactions"] == history["transactions"][1:2]


def test_assets_are_found_by_name_and_paged_by_id(api: Api) -> None:
    ids = sorted(define(api, name) for name in ("crude oil", "petrol", "petrol"))
    first = api.get("/v1/assets", limit=2)
    rest = api.get("/v1/assets", limit=2, after=first["next"])
    assert [row["id"] for row in first["assets"] + rest["assets"]] == ids
    assert rest["next"] is None
    assert len(api.get("/v1/assets", name="petrol")["assets"]) == 2
    assert api.get("/v1/assets", name="gold") == {"assets": [], "next": None}
    problem = api.post("/v1/wallet/issue", {"asset": "petrol", "amount": "1"}, 400)
    assert "2 assets are called 'petrol'" in problem["detail"]
    api.post("/v1/wallet/issue", {"asset": "gold", "amount": "1"}, 404)


def test_holdings_say_all_that_a_wallet_needs(api: Api) -> None:
    crude = define(api)
    made = issue(api, crude, "100")
    view = api.get("/v1/holdings", key=ALICE.public.hex(), asset="crude oil")
    assert [(s["owned"]["amount"], s["held"]["amount"]) for s in view["sums"]] == [("100", "100")]
    (row,) = view["outputs"]
    assert (row["source"], row["index"], row["roles"]) == (made, 0, ["owner", "custodian"])
    assert (row["height"], row["is_reward"], row["mature"], row["spent_by"]) == (2, False, True, None)
    assert api.get("/v1/holdings", asset=crude)["sums"] == view["sums"]
    assert api.get("/v1/holdings", address=BOB_ADDRESS, asset=crude)["outputs"] == []
    sold = api.post("/v1/wallet/transfer", {"asset": crude, "amount": "40", "to": BOB_ADDRESS})
    assert sold["submitted"]
    (row,) = api.get("/v1/holdings", key=ALICE.public.hex(), asset=crude)["outputs"]
    assert row["spent_by"] == sold["id"]
    waiting = api.get("/v1/holdings", address=BOB_ADDRESS, asset=crude, unconfirmed="true")
    assert [(r["output"]["amount"]["amount"], r["height"], r["roles"]) for r in waiting["outputs"]] == [
        ("40", None, ["owner"])
    ]
    api.host.mine()
    bob = api.get("/v1/holdings", address=BOB_ADDRESS, asset=crude)["sums"][0]
    assert (bob["owned"]["amount"], bob["held"]["amount"]) == ("40", "0")  # Alice has it in custody still
    alice = api.get("/v1/holdings", address=ALICE_ADDRESS, asset=crude)["sums"][0]
    assert (alice["owned"]["amount"], alice["held"]["amount"]) == ("60", "100")


def test_a_reward_is_shown_as_not_mature_until_it_is(api: Api) -> None:
    api.host.mine()
    rewards = [r for r in api.get("/v1/holdings", key=ALICE.public.hex())["outputs"] if r["is_reward"] and r["height"]]
    assert [r["mature"] for r in rewards] == [False]
    api.host.mine(2)
    rewards = [r for r in api.get("/v1/holdings", key=ALICE.public.hex())["outputs"] if r["height"] == 1]
    assert [r["mature"] for r in rewards] == [True]


def test_holdings_need_a_key_or_an_asset(api: Api) -> None:
    api.get("/v1/holdings", 400)
    assert api.get("/v1/holdings", asset="coin")["truncated"] is False
    api.get("/v1/holdings", 400, address="horoi1nonsense")
    api.get("/v1/holdings", 400, key=ALICE.public.hex(), address=ALICE_ADDRESS)
    api.get("/v1/rights", 400)
    coins = api.get("/v1/holdings", key=BOB.public.hex(), asset="coin")
    assert [s["owned"]["quantity"] for s in coins["sums"]] == [str(GRANT)]


def test_a_truncated_answer_says_so() -> None:
    with running_api(make_genesis(grants=5)) as api:
        view = api.get("/v1/holdings", key=ALICE.public.hex(), limit=3)
        assert view["truncated"]
        assert len(view["outputs"]) == 3
        assert not api.get("/v1/holdings", key=ALICE.public.hex(), limit=5)["truncated"]


def test_rights_show_what_may_be_made(api: Api) -> None:
    crude, petrol = define(api), define(api, "petrol")
    recipe = {"sources": [{"asset": crude, "amount": "2"}], "product": "1"}
    api.post("/v1/wallet/license", {"asset": petrol, "limit": "500", "to": ALICE_ADDRESS, "recipes": [recipe]})
    api.host.mine()
    view = api.get("/v1/rights", address=ALICE_ADDRESS)
    shown = {(r["output"]["amount"]["name"], r["output"]["amount"]["amount"]): r for r in view["outputs"]}
    assert sorted(shown) == [("crude oil", "100000"), ("petrol", "500"), ("petrol", "99500")]
    licensed = shown["petrol", "500"]["output"]["recipes"][0]
    assert licensed["sources"][0]["quantity"] == "200"
    assert licensed["product"]["quantity"] == "100"


def test_posts_are_newest_first_or_paged_in_order(api: Api) -> None:
    crude = define(api)
    digest = hashlib.sha256(b"bill of lading 17").hexdigest()
    for number in range(5):
        api.post(
            "/v1/wallet/post", {"text": f"line {number}", "about": crude, "document": digest if number == 3 else None}
        )
        if number % 2:
            api.host.mine()
    api.host.mine()
    newest = api.get("/v1/posts", limit=2)
    assert [p["post"]["text"] for p in newest["posts"]] == ["line 4", "line 3"] or newest["posts"][0]["height"] == 4
    first = api.get("/v1/posts", from_height=0, limit=3)
    rest = api.get("/v1/posts", after=first["next"], limit=3)
    texts = [p["post"]["text"] for p in first["posts"] + rest["posts"]]
    assert sorted(texts) == [f"line {number}" for number in range(5)]
    assert rest["next"] is None
    assert first["posts"][0]["post"]["about_name"] == "crude oil"
    (entry,) = api.get(f"/v1/documents/{digest}")["posts"]
    assert entry["post"]["text"] == "line 3"
    api.get(f"/v1/documents/{'00' * 32}", 404)


def test_a_node_without_an_index_says_so() -> None:
    with running_api(index=False) as api:
        problem = api.get("/v1/posts", 404)
        assert "index" in problem["detail"]
        assert api.get("/v1/status")["transactions"] is None
        assert api.get("/v1/blocks/0")["reward"][0]["amount"]["name"] == "coin"


def test_while_the_index_is_behind_a_chain_that_turned_nothing_else_is_shown(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = "ab" * 32
    crude = define(api)
    post = api.post("/v1/wallet/post", {"text": "terms", "about": crude, "document": terms})["id"]
    api.host.mine(2)
    index = api.access.index
    place_of = index.transaction_place

    def rest(place: TransactionPlace) -> tuple[int, int, int]:
        return place.position, place.offset, place.size_bytes

    def stale(item: bytes) -> TransactionPlace | None:
        """The place is in another block now: an empty one, and one with other transactions."""
        place = place_of(item)
        return place and TransactionPlace(1 if item.hex() == post else 3, *rest(place))

    assert api.get(f"/v1/assets/{crude}/history")["transactions"]
    monkeypatch.setattr(index, "transaction_place", stale)
    assert api.get(f"/v1/assets/{crude}/history")["transactions"] == []
    assert api.get(f"/v1/assets/{crude}/provenance")["nodes"] == []
    assert api.ask("GET", f"/v1/assets/{crude}/export", params={"form": "csv"}).status_code == 200
    api.get(f"/v1/documents/{terms}", 404)
    api.get(f"/v1/transactions/{post}", 404)
