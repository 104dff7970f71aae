"""An asset's flow is a graph without cycles in which every quantity is kept, and its books are held against it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.web.test_web_books import define, issue
from tests.web.web_api import Api, running_api
from tests.web.web_node import ALICE, BOB, CARRIER

from horoi.base.address import address_of
from horoi.web.provenance.statements import stated_quantities

ALICE_ADDRESS, BOB_ADDRESS, CARRIER_ADDRESS = (address_of(pair.public) for pair in (ALICE, BOB, CARRIER))


def check_graph(answer: dict[str, Any]) -> None:
    """No cycles, and what comes into a holding is what it is, and is there or went on."""
    nodes = {node["id"]: node for node in answer["nodes"]}
    into: dict[str, int] = defaultdict(int)
    out: dict[str, int] = defaultdict(int)
    for link in answer["links"]:
        assert nodes[link["source"]]["layer"] < nodes[link["target"]]["layer"]
        assert int(link["quantity"]) > 0
        assert link["value"] == pytest.approx(float(link["amount"]))
        out[link["source"]] += int(link["quantity"])
        into[link["target"]] += int(link["quantity"])
    for name, node in nodes.items():
        quantity = int(node["quantity"])
        if node["kind"] in ("holding", "other"):
            assert into[name] == quantity
        if node["asset"] != answer["asset"]["id"]:
            assert out[name] + int(node["remains"]) <= quantity  # of other assets only what has to do with this one
        elif node["kind"] in ("holding", "other"):
            assert out[name] + int(node["remains"]) == quantity
        elif node["kind"] in ("issued", "earlier"):
            assert out[name] == quantity
        elif node["kind"] in ("retired", "later"):
            assert into[name] == quantity


@pytest.fixture
def story() -> Any:
    """The story of the lecture: 10432 made, 6327 carried and received, 4000 refined into products and a loss."""
    with running_api(keys={"field": ALICE, "carrier": CARRIER, "refinery": BOB}) as api:
        crude = define(api, "crude", decimals=0)
        petrol = define(api, "petrol", decimals=0, issuer=BOB_ADDRESS)
        diesel = define(api, "diesel", decimals=0, issuer=BOB_ADDRESS)
        issue(api, crude, "10432")
        api.post(
            "/v1/wallet/hand-over", {"asset": crude, "amount": "6327", "to": CARRIER_ADDRESS, "reclaim_at_height": 99}
        )
        api.host.mine()
        holder = {"any": [CARRIER_ADDRESS, {"all": [{"after_height": 99}, ALICE_ADDRESS]}]}
        sale = {"asset": crude, "amount": "6327", "to": BOB_ADDRESS, "custodian": holder, "new_custodian": BOB_ADDRESS}
        api.post("/v1/wallet/transfer", sale)
        api.host.mine()
        for product in (petrol, diesel):
            recipe = {"sources": [{"asset": crude, "amount": "1"}], "product": "1"}
            licence = {"asset": product, "limit": "9000", "owner": BOB_ADDRESS, "to": BOB_ADDRESS, "recipes": [recipe]}
            api.post("/v1/wallet/license", licence)
        api.host.mine()
        run = {
            "source": {"asset": crude, "amount": "4000"},
            "products": [{"asset": petrol, "amount": "2080"}, {"asset": diesel, "amount": "1790"}],
            "by": BOB_ADDRESS,
            "loss_reason": "lost in processing",
        }
        api.post("/v1/wallet/refine", run)
        api.host.mine()
        yield api, crude, petrol


def by_kind(answer: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [node for node in answer["nodes"] if node["kind"] == kind]


def test_the_story_flows_from_the_field_to_products_and_loss(story: tuple[Api, str, str]) -> None:
    api, crude, _ = story
    answer = api.get(f"/v1/assets/{crude}/provenance")
    check_graph(answer)
    assert not answer["truncated"]
    (made,) = by_kind(answer, "issued")
    assert made["quantity"] == "10432"
    sizes = {link["quantity"] for link in answer["links"]}
    assert {"10432", "6327", "4105", "2080", "1790", "130"} <= sizes
    carried = next(node for node in by_kind(answer, "holding") if (node["custodian"] or {}).get("text") == "carrier")
    assert (carried["owner"]["text"], carried["quantity"], carried["remains"]) == ("field", "6327", "0")
    assert carried["custodian"]["later"] is not None
    (run,) = by_kind(answer, "transform")
    outgoing = [link["quantity"] for link in answer["links"] if link["source"] == run["id"]]
    assert sorted(outgoing) == ["1790", "2080"]
    assert [node["reason"] for node in by_kind(answer, "retired")] == ["lost in processing"]
    books = answer["reconciliation"]
    assert (books["issued"], books["consumed"], books["retired"], books["existing"]) == ("10432", "3870", "130", "6432")
    assert books["retired_by_reason"] == [{"reason": "lost in processing", "amount": "130"}]
    assert {row["party"]["text"]: row["amount"] for row in books["by_owner"]} == {"field": "4105", "refinery": "2327"}
    assert (books["complete"], books["balanced"]) == (True, True)
    lines = [line["words"] for line in api.get("/v1/board")["lines"]]
    assert "refinery received 6327 bbl of crude from carrier" in lines
    assert "field handed 6327 bbl of crude to carrier" in lines


def test_a_product_is_followed_up_to_where_its_source_came_from(story: tuple[Api, str, str]) -> None:
    api, crude, petrol = story
    answer = api.get(f"/v1/assets/{petrol}/provenance")
    check_graph(answer)
    assert {node["asset"] for node in by_kind(answer, "issued")} == {crude}
    alone = api.get(f"/v1/assets/{petrol}/provenance", related="false")
    assert by_kind(alone, "issued") == []


def test_what_is_outside_the_window_is_said_to_be(story: tuple[Api, str, str]) -> None:
    api, crude, _ = story
    first = api.get(f"/v1/assets/{crude}/provenance", offset=0, limit=3)
    check_graph(first)
    assert (first["previous"], first["next"], first["truncated"]) == (None, 3, True)
    assert [node["quantity"] for node in by_kind(first, "later")] == ["6327"]
    last = api.get(f"/v1/assets/{crude}/provenance", limit=1)
    check_graph(last)
    assert last["next"] is None
    assert by_kind(last, "earlier")
    assert api.get(f"/v1/assets/{crude}/provenance", offset=10**9)["nodes"] == []


def test_gaps_are_found(api: Api) -> None:
    crude = define(api, "crude", decimals=0)
    issue(api, crude, "100")
    for text in ("100 barrels produced", "90 barrels in stock", "we are 4 people", "1,000 bbl expected"):
        api.post("/v1/wallet/post", {"text": text, "about": crude})
        api.host.mine()
    steps = [
        {"verb": "retire", "asset": crude, "amount": "10", "reason": "loss"},
        {"verb": "post", "text": "12 barrels lost", "about": crude},
    ]
    api.post("/v1/wallet/draft", {"steps": steps})
    api.host.mine()
    api.post("/v1/wallet/post", {"text": "soon", "about": crude})
    api.post("/v1/wallet/retire", {"asset": crude, "amount": "1", "reason": "loss"})
    gaps = api.get(f"/v1/assets/{crude}/provenance", overdue_hours=0)["reconciliation"]["gaps"]
    stated = [gap["stated"] for gap in gaps if gap["kind"] == "statement"]
    assert stated == ["1,000 bbl", "12 barrels"]
    assert [gap["words"] for gap in gaps if gap["kind"] == "waiting"] == [
        "alice took 1 bbl of crude off the books: loss: it is in no block yet"
    ]


def test_goods_that_nobody_received_are_in_transit() -> None:
    with running_api(keys={"alice": ALICE, "carrier": CARRIER}) as api:
        crude = define(api, "crude", decimals=0)
        issue(api, crude, "100")
        api.post("/v1/wallet/hand-over", {"asset": crude, "amount": "60", "to": CARRIER_ADDRESS})
        api.host.mine()
        (gap,) = api.get(f"/v1/assets/{crude}/provenance")["reconciliation"]["gaps"]
        assert (gap["kind"], gap["party"]["text"], gap["amount"]["amount"]) == ("in-transit", "carrier", "60")
        assert gap["hours"] > 1000  # the test's chain is of 2023
        assert api.get(f"/v1/assets/{crude}/provenance", overdue_hours=1e6)["reconciliation"]["gaps"] == []


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("thr"), st.integers(1, 40)), max_size=8), st.integers(1, 6))
def test_any_history_gives_a_graph_that_keeps_every_quantity(moves: list[tuple[str, int]], limit: int) -> None:
    with running_api(keys={"alice": ALICE, "carrier": CARRIER}) as api:
        crude = define(api, "crude", decimals=0)
        issue(api, crude, "1000")
        for verb, amount in moves:
            form: dict[str, Any] = {"asset": crude, "amount": str(amount)}
            if verb == "t":
                api.post("/v1/wallet/transfer", {**form, "to": CARRIER_ADDRESS, "new_custodian": CARRIER_ADDRESS})
            elif verb == "h":
                api.post("/v1/wallet/hand-over", {**form, "to": CARRIER_ADDRESS})
            else:
                api.post("/v1/wallet/retire", {**form, "reason": "loss"})
            api.host.mine()
        whole = api.get(f"/v1/assets/{crude}/provenance")
        check_graph(whole)
        assert sum(int(node["remains"]) for node in whole["nodes"]) == int(whole["reconciliation"]["existing"])
        for offset in range(0, whole["transactions"], limit):
            check_graph(api.get(f"/v1/assets/{crude}/provenance", offset=offset, limit=limit))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("6327 barrels transported", [("6327 barrels", 632700)]),
        ("Παρελήφθησαν 6 327 βαρέλια, 10.5 bbl λιγότερα", [("6 327 βαρέλια", 632700), ("10.5 bbl", 1050)]),
        ("10,432 BARRELS", [("10,432 BARRELS", 1043200)]),
        ("0.001 bbl", [("0.001 bbl", None)]),
        ("on Dec 26, 2022 at 2:30 pm with 4 people", []),
        ("v1.5 barrels", []),
    ],
)
def test_statements_are_numbers_before_the_unit(text: str, found: list[tuple[str, int | None]]) -> None:
    assert stated_quantities(text, "bbl", 2) == found


@given(st.text(max_size=300), st.text(max_size=16))
def test_no_text_breaks_the_reading_of_statements(text: str, unit: str) -> None:
    stated_quantities(text, unit, 2)
