"""Events and the ledger: anchored under a signed root, turned into transactions and offers, found by Digital Link, exported."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from tests.epcis.epcis_documents import LOT, document, event
from tests.web.epcis.epcis_client import Epcis
from tests.web.test_web_offers import Two
from tests.web.web_api import Api, running_api
from tests.web.web_node import ALICE, BOB, CARRIER

from horoi.base.address import address_of
from horoi.epcis.check import report_on, report_on_value
from horoi.node.epcis.anchor import is_anchored

ME, THEM = "urn:epc:id:pgln:4012345.00001", "urn:epc:id:pgln:4012345.00002"
LINK = "/01/04012345123456/10/998877"


def quantity(amount: float, epc_class: str = LOT) -> list[dict[str, Any]]:
    return [{"epcClass": epc_class, "quantity": amount, "uom": "BLL"}]


@pytest.fixture
def epcis(api: Api) -> Epcis:
    return Epcis(api)


def digest_of(value: dict[str, Any]) -> str:
    return report_on_value(document(value)).events[0].hash_id.partition(";")[2].partition("?")[0]


def anchor_of(epcis: Epcis, value: dict[str, Any], *, movements: int = 0) -> dict[str, Any]:
    """How an event stands, once its batch was posted and it moved what it moves."""
    for _ in range(200):
        (anchor,) = epcis.api.get(f"/v1/epcis/anchors/{digest_of(value)}")
        if anchor["transaction"] is not None and len(anchor["movements"]) >= movements:
            return dict(anchor)
    pytest.fail(f"not anchored: {anchor}")


def define(api: Api, name: str, **fields: Any) -> str:
    made = api.post("/v1/wallet/define", {"name": name, "unit": "bbl", "decimals": 1, "limit": "100000", **fields})
    api.host.mine()
    return str(made["assets"][0])


def name(api: Api, kind: str, uri: str, what: str | None) -> Any:
    answer = api.ask("PUT", "/v1/epcis/names", json={"kind": kind, "uri": uri, "what": what})
    return answer.json()


def test_a_capture_is_one_post_and_every_event_has_its_path(epcis: Epcis) -> None:
    events = [event(**{"thasos:n": n}) for n in range(5)]
    epcis.capture(document(*events, events[0]))
    anchor = anchor_of(epcis, events[3])
    epcis.api.host.mine()
    anchor = anchor_of(epcis, events[3])
    assert anchor["height"] == 1
    assert anchor["size"] == 5, "what is given twice is kept once"
    path = [bytes.fromhex(step) for step in anchor["path"]]
    root, digest = bytes.fromhex(anchor["root"]), bytes.fromhex(anchor["event"])
    assert is_anchored(digest, anchor["payload"].encode(), anchor["place"], 5, path, root)
    assert not is_anchored(
        digest, anchor["payload"].replace("OBSERVE", "DELETE").encode(), anchor["place"], 5, path, root
    )
    (report,) = report_on(anchor["payload"].encode()).events
    assert report.hash_id == f"ni:///sha-256;{anchor['event']}?ver=CBV2.0", "the payload stands alone"
    (entry,) = epcis.api.get(f"/v1/documents/{anchor['root']}")["posts"]
    assert entry["post"]["text"] == "EPCIS: 5 events captured"
    assert entry["transaction"] == anchor["transaction"]
    assert epcis.api.get(f"/v1/epcis/anchors/{'00' * 32}", 404)


def test_events_move_what_the_ledger_knows(epcis: Epcis) -> None:
    api = epcis.api
    crude = define(api, "crude oil")
    assert name(api, "class", "urn:epc:idpat:sgtin:4012345.012345.*", "crude oil")["names"][0]["what"] == crude
    name(api, "party", THEM, address_of(BOB.public))
    made = event(action="ADD", bizStep="commissioning", quantityList=quantity(10432.5))
    epcis.capture(document(made))
    (movement,) = anchor_of(epcis, made, movements=1)["movements"]
    assert (movement["verb"], movement["state"]) == ("issue", "done"), movement
    api.host.mine()
    assert api.get(f"/v1/assets/{crude}")["asset"]["existing"] == "104325"

    shipped = event(
        bizStep="shipping",
        quantityList=quantity(6327),
        destinationList=[{"type": "possessing_party", "destination": THEM}],
    )
    lost = event(action="DELETE", bizStep="destroying", quantityList=quantity(100))
    epcis.capture(document(lost))
    anchor_of(epcis, lost, movements=1)
    api.host.mine()
    epcis.capture(document(shipped))
    (movement,) = anchor_of(epcis, shipped, movements=1)["movements"]
    assert (movement["verb"], movement["state"]) == ("ship", "offered"), movement
    offer = api.get(f"/v1/offers/{movement['reference']}")
    assert [signer["address"] for signer in offer["signers"] if signer["state"] == "missing"] == [
        address_of(BOB.public)
    ]
    (movement,) = anchor_of(epcis, lost, movements=1)["movements"]
    assert (movement["verb"], movement["state"]) == ("retire", "done"), movement


def test_a_receipt_accepts_the_offer_that_fits_it() -> None:
    with running_api() as alice, running_api(keys={"carrier": CARRIER}) as carrier:
        two = Two(alice, carrier)
        name(carrier, "class", LOT, two.crude)
        offered = two.offer("60")
        other, fits = (event(bizStep="receiving", quantityList=quantity(amount)) for amount in (59, 60))
        epcis = Epcis(carrier)
        epcis.capture(document(other, fits))
        (movement,) = anchor_of(epcis, other, movements=1)["movements"]
        assert (movement["verb"], movement["state"]) == ("receive", "refused")
        (movement,) = anchor_of(epcis, fits, movements=1)["movements"]
        assert (movement["state"], movement["reference"]) == ("accepted", offered["id"]), movement
        assert carrier.get(f"/v1/offers/{offered['id']}")["state"] == "complete"


def test_a_transformation_is_offered_to_who_holds_the_source_and_its_provenance_shows_it() -> None:
    with running_api() as alice, running_api(keys={"carrier": CARRIER}) as carrier:
        two = Two(alice, carrier)
        handed = two.offer("60")
        carrier.post(f"/v1/offers/{handed['id']}/accept", {})
        two.carry()
        petrol, diesel = define(alice, "petrol"), define(alice, "diesel")
        for product in (petrol, diesel):
            recipe = {"sources": [{"asset": two.crude, "amount": "2"}], "product": "1"}
            right = {"asset": product, "limit": "500", "to": address_of(ALICE.public), "recipes": [recipe]}
            alice.post("/v1/wallet/license", right)
        alice.host.mine()
        two.catch_up()
        petrols, diesels = "urn:epc:idpat:sgtin:4012345.095000.*", "urn:epc:class:lgtin:4012345.010000.7"
        for uri, asset in ((LOT, two.crude), (petrols, petrol), (diesels, diesel)):
            name(alice, "class", uri, asset)
        name(alice, "party", ME, address_of(ALICE.public))
        name(alice, "party", THEM, address_of(CARRIER.public))
        refined = event(
            "TransformationEvent",
            inputQuantityList=quantity(50),
            outputEPCList=None,
            outputQuantityList=[*quantity(15, petrols), *quantity(8.5, diesels)],
            sourceList=[{"type": "possessing_party", "source": THEM}, {"type": "owning_party", "source": ME}],
        )
        epcis = Epcis(alice)
        epcis.capture(document(refined))
        (movement,) = anchor_of(epcis, refined, movements=1)["movements"]
        assert (movement["verb"], movement["state"]) == ("transform", "offered"), movement
        offer = movement["reference"]
        two.carry()
        seen = carrier.get(f"/v1/offers/{offer}")
        assert (seen["awaits_me"], seen["state"]) == (True, "open")
        assert alice.get(f"/v1/assets/{petrol}")["asset"]["existing"] == "0", "nothing moves before both agree"
        carrier.post(f"/v1/offers/{offer}/accept", {})
        two.carry()
        alice.host.mine()
        done = alice.get(f"/v1/offers/{offer}")
        assert done["state"] == "confirmed"

        flow = alice.get(f"/v1/assets/{petrol}/provenance")
        (run,) = [node for node in flow["nodes"] if node["kind"] == "transform"]
        incoming = [link["quantity"] for link in flow["links"] if link["target"] == run["id"]]
        outgoing = [link["quantity"] for link in flow["links"] if link["source"] == run["id"]]
        assert (incoming, outgoing) == (["4700"], ["150", "85"]), "in the assets' smallest units"
        assert [node["quantity"] for node in flow["nodes"] if node["kind"] == "issued"] == ["10000"]
        books = alice.get(f"/v1/assets/{two.crude}/provenance")["reconciliation"]
        assert (books["consumed"], books["retired"], books["existing"]) == ("47", "3", "50")
        assert books["retired_by_reason"] == [{"reason": "lost in processing", "amount": "3"}]
        assert (books["complete"], books["balanced"]) == (True, True)


def test_a_transformation_of_a_strangers_goods_moves_nothing(epcis: Epcis) -> None:
    for uri, asset in ((LOT, "crude oil"), ("urn:epc:idpat:sgtin:4012345.095000.*", "petrol")):
        name(epcis.api, "class", uri, define(epcis.api, asset))
    refined = event(
        "TransformationEvent",
        outputQuantityList=quantity(15, "urn:epc:idpat:sgtin:4012345.095000.*"),
        sourceList=[{"type": "owning_party", "source": THEM}],
    )
    epcis.capture(document(refined))
    (movement,) = anchor_of(epcis, refined, movements=1)["movements"]
    assert (movement["state"], movement["words"]) == (
        "unknown",
        "one of its parties is nobody that this node knows by name",
    )


def test_a_receipt_accepts_nothing_that_asks_for_something_in_return() -> None:
    with running_api() as alice, running_api(keys={"carrier": CARRIER}) as carrier:
        two = Two(alice, carrier)
        alice.post("/v1/wallet/transfer", {"asset": two.crude, "amount": "5", "to": address_of(CARRIER.public)})
        alice.host.mine()
        two.catch_up()
        name(carrier, "class", LOT, two.crude)
        name(carrier, "party", ME, address_of(ALICE.public))
        name(carrier, "party", THEM, address_of(BOB.public))
        there = {"verb": "hand-over", "asset": two.crude, "amount": "60", "to": address_of(CARRIER.public)}
        in_their_name = {"verb": "post", "text": "I owe Alice a tanker", "author": address_of(CARRIER.public)}
        in_return = {"verb": "transfer", "asset": two.crude, "amount": "5", "owner": address_of(CARRIER.public)}
        epcis = Epcis(carrier)

        def received(number: int, source: str) -> str:
            fits = event(
                bizStep="receiving",
                quantityList=quantity(60),
                sourceList=[{"type": "possessing_party", "source": source}],
                **{"thasos:n": number},
            )
            epcis.capture(document(fits))
            (movement,) = anchor_of(epcis, fits, movements=1)["movements"]
            return str(movement["state"])

        for number, trick in enumerate((in_their_name, {**in_return, "to": address_of(ALICE.public)})):
            made = alice.post("/v1/offers", {"steps": [there, trick]})
            two.carry()
            assert received(number, ME) == "refused", trick
            assert carrier.get(f"/v1/offers/{made['id']}")["awaits_me"]
            alice.post(f"/v1/offers/{made['id']}/withdraw", {})
        two.carry()
        two.offer("60")
        assert received(7, THEM) == "refused", "it was not the sender who offered it"
        assert received(8, ME) == "accepted"


def test_what_cannot_be_moved_says_why(epcis: Epcis) -> None:
    api = epcis.api
    stranger = event(
        action="ADD", bizStep="commissioning", quantityList=quantity(1, "urn:epc:class:lgtin:4012345.099999.1")
    )
    define(api, "crude oil")
    name(api, "class", LOT, "crude oil")
    name(api, "party", ME, address_of(BOB.public))
    to_nobody = event(
        bizStep="shipping",
        quantityList=quantity(5),
        destinationList=[{"type": "possessing_party", "destination": THEM}],
    )
    not_mine = event(
        bizStep="shipping",
        quantityList=quantity(6),
        sourceList=[{"type": "possessing_party", "source": ME}],
        destinationList=[{"type": "possessing_party", "destination": ME}],
    )
    too_much = event(action="DELETE", bizStep="destroying", quantityList=quantity(7))
    not_offered = event(bizStep="receiving", quantityList=quantity(8))
    epcis.capture(document(stranger, to_nobody, not_mine, too_much, not_offered))
    states = {}
    for each, movements in ((to_nobody, 1), (not_mine, 1), (too_much, 1), (not_offered, 1), (stranger, 1)):
        (movement,) = anchor_of(epcis, each, movements=movements)["movements"]
        assert movement["words"]
        states[each["quantityList"][0]["quantity"]] = movement["state"]
    assert states == {5: "unknown", 6: "unknown", 7: "refused", 8: "refused", 1: "unknown"}


def test_a_digital_link_leads_to_the_asset(epcis: Epcis) -> None:
    api = epcis.api
    crude = define(api, "crude oil")
    name(api, "class", "https://id.gs1.org/01/04012345123456", crude)

    def ask(path: str) -> Any:
        return api.runner.run(api.client.get(path))

    assert ask(LINK).status_code == 307
    assert ask(LINK + "?17=261225").headers["location"] == f"/asset/{crude}"
    assert ask("/01/4012345123456").headers["location"] == f"/asset/{crude}"
    assert ask("/01/04012345999990").status_code == 404
    assert ask("/01/x").status_code == 400
    assert ask("/00/040123450000003338").status_code == 404
    assert name(api, "class", "https://id.gs1.org/01/04012345123456", None)["names"] == []
    assert ask(LINK).status_code == 404


def test_names_are_the_owners_to_give(epcis: Epcis) -> None:
    form = {"kind": "class", "uri": LOT, "what": "coin"}
    assert epcis.api.ask("PUT", "/v1/epcis/names", json=form, token=None).status_code == 401
    assert epcis.api.ask("PUT", "/v1/epcis/names", json={**form, "what": "gold"}).status_code == 404
    wrong = {"kind": "party", "uri": ME, "what": "horoi1nobody"}
    assert epcis.api.ask("PUT", "/v1/epcis/names", json=wrong).status_code == 400


@pytest.fixture
def life(epcis: Epcis) -> str:
    """An asset that was issued, transferred, spoken of, and partly lost; and an event about its class."""
    api = epcis.api
    crude = define(api, '=crude, "oil"', custody=False)
    api.post("/v1/wallet/issue", {"asset": crude, "amount": "1000"})
    api.host.mine()
    api.post("/v1/wallet/transfer", {"asset": crude, "amount": "250.5", "to": address_of(BOB.public)})
    api.post("/v1/wallet/post", {"text": "=HYPERLINK(1)", "about": crude})
    api.host.mine()
    api.post("/v1/wallet/retire", {"asset": crude, "amount": "1", "reason": "spilled"})
    api.host.mine()
    name(api, "class", LOT, crude)
    name(api, "party", ME, address_of(ALICE.public))
    epcis.capture(document(event(quantityList=quantity(3), bizStep="storing")))
    return crude


def export(api: Api, asset: str, form: str) -> Any:
    answer = api.ask("GET", f"/v1/assets/{asset}/export", params={"form": form})
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    return answer


def test_a_life_as_epcis(api: Api, life: str) -> None:
    told = export(api, life, "epcis").json()
    report = report_on_value(told)
    assert report.errors == []
    steps = [event.event["bizStep"] for event in report.events]
    assert steps == ["commissioning", "shipping", "other", "decommissioning", "storing"]
    shipped = told["epcisBody"]["eventList"][1]
    assert shipped["quantityList"] == [
        {"epcClass": "https://id.gs1.org/01/04012345123456/10/998877", "quantity": 250.5, "uom": "BLL"}
    ]
    assert shipped["sourceList"][0]["source"].startswith("https://id.gs1.org/417/")
    assert shipped["destinationList"][0]["destination"] == f"urn:horoi:key:{address_of(BOB.public)}"


def test_a_life_as_prov(api: Api, life: str) -> None:
    told = export(api, life, "prov").json()
    assert set(told["prefix"]) >= {"prov", "horoi"}
    entities, activities, agents = told["entity"], told["activity"], told["agent"]
    for relation in told["wasGeneratedBy"].values():
        assert relation["prov:entity"] in entities
        assert relation["prov:activity"] in activities
    for relation in told["wasDerivedFrom"].values():
        assert {relation["prov:generatedEntity"], relation["prov:usedEntity"]} <= set(entities)
    assert len(agents) == 2
    assert json.dumps(told)


def test_a_life_as_csv_is_no_formula(api: Api, life: str) -> None:
    rows = list(csv.DictReader(io.StringIO(export(api, life, "csv").text)))
    assert [(row["verb"], row["amount"]) for row in rows] == [
        ("issue", "1000"),
        ("transfer", "250.5"),
        ("post", ""),
        ("retire", "1"),
    ]
    assert rows[2]["text"] == "'=HYPERLINK(1)"
    assert rows[3]["text"] == "spilled"


def test_an_export_of_nothing(api: Api) -> None:
    assert api.ask("GET", f"/v1/assets/{'00' * 32}/export").status_code == 404
    assert api.ask("GET", f"/v1/assets/{'00' * 32}/export", params={"form": "pdf"}).status_code == 400
