"""Offers over the API: proposed, read in words, accepted, refused, withdrawn; what is promised is not spent meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.web.test_web_books import define, issue
from tests.web.web_api import Api, running_api
from tests.web.web_node import ALICE, BOB, CARRIER, GRANT, make_genesis

from horoi.base.address import address_of
from horoi.base.codec import encode
from horoi.node.events import PutOffer

ALICE_ADDRESS, BOB_ADDRESS, CARRIER_ADDRESS = (address_of(pair.public) for pair in (ALICE, BOB, CARRIER))


class Two:
    """Alice's node and the carrier's, on one ledger. What travels between them is carried by hand."""

    def __init__(self, alice: Api, carrier: Api) -> None:
        self.alice, self.carrier = alice, carrier
        self.crude = define(alice)
        issue(alice, self.crude, "100")
        self.catch_up()

    def catch_up(self) -> None:
        """The carrier's node hears of Alice's blocks."""
        chain, other = self.alice.host.node.chain, self.carrier.host.node.chain
        node = self.carrier.host.node
        while other.tip.height < chain.tip.height:
            known = chain.at_height(other.tip.height + 1)
            assert known is not None
            staged = other.stage(encode(chain.block(known.name)), 10**14)
            other.keep(staged)
            change = other.advance(staged)
            record = other.take_to_save()
            assert change is not None and record is not None  # noqa: PT018
            node.save(record)
            self.carrier.host.ask(change)
        self.carrier.host.now_s = self.alice.host.now_s

    def carry(self) -> None:
        """Offers cross, both ways."""
        for source, target in ((self.alice, self.carrier), (self.carrier, self.alice)):
            for kept in source.host.node.offers.book:
                target.host.ask(PutOffer(-5, kept.known.offer))

    def offer(self, amount: str = "60", **more: Any) -> Any:
        step = {"verb": "hand-over", "asset": self.crude, "amount": amount, "to": CARRIER_ADDRESS}
        made = self.alice.post("/v1/offers", {"steps": [step], **more})
        self.carry()
        return made


@pytest.fixture
def two() -> Iterator[Two]:
    with ExitStack() as stack:
        alice = stack.enter_context(running_api())
        carrier = stack.enter_context(running_api(keys={"carrier": CARRIER}))
        yield Two(alice, carrier)


def test_a_hand_over_is_offered_read_in_words_and_accepted(two: Two) -> None:
    made = two.offer(note="6327 barrels at the quay")
    assert (made["state"], made["direction"], made["awaits_me"]) == ("open", "outgoing", False)
    (seen,) = two.carrier.get("/v1/offers", state="awaiting")["offers"]
    assert seen["id"] == made["id"]
    assert (seen["direction"], seen["by"], seen["note"]) == ("incoming", ALICE_ADDRESS, "6327 barrels at the quay")
    assert "hands over 60 bbl of crude oil" in " ".join(seen["words"])
    assert [(s["address"], s["state"], s["mine"]) for s in seen["signers"]] == [
        (ALICE_ADDRESS, "signed", False),
        (CARRIER_ADDRESS, "missing", True),
    ]
    assert seen["headlined"]["kind"] == "hands-over"
    assert seen["headlined"]["amount"]["amount"] == "60"
    assert seen["sentences"] == []  # the page of one offer has them
    whole = two.carrier.get(f"/v1/offers/{made['id']}")
    assert len(whole["sentences"]) == len(whole["words"])
    handed = next(sentence for sentence in whole["sentences"] if sentence["kind"] == "hands-over")
    assert [handed[part]["address"] for part in ("who", "to", "owner")] == [
        ALICE_ADDRESS,
        CARRIER_ADDRESS,
        ALICE_ADDRESS,
    ]
    assert whole["sentences"][-1]["signers"][-1]["address"] == CARRIER_ADDRESS
    mine = next(change for change in whole["changes"] if change["mine"])
    assert (mine["holds_before"], mine["holds_change"], mine["holds_after"]) == ("0", "+60", "60")
    assert (mine["owns_before"], mine["owns_after"]) == ("0", "0")
    hers = next(change for change in whole["changes"] if change["who"] == ALICE_ADDRESS)
    assert (hers["owns_change"], hers["holds_before"], hers["holds_after"]) == ("+0", "100", "40")
    accepted = two.carrier.post(f"/v1/offers/{made['id']}/accept", {})
    assert (accepted["state"], accepted["missing"]) == ("complete", [])
    two.carry()
    two.alice.host.mine()
    done = two.alice.get("/v1/offers", state="done")["offers"][0]
    assert (done["state"], done["height"]) == ("confirmed", two.alice.host.node.chain.tip.height)
    two.catch_up()
    assert two.carrier.get(f"/v1/offers/{made['id']}")["state"] == "confirmed"
    held = two.carrier.get("/v1/holdings", address=CARRIER_ADDRESS, asset=two.crude)["sums"][0]
    assert held["held"]["amount"] == "60"


def test_a_refusal_comes_back_with_its_reason(two: Two) -> None:
    made = two.offer()
    two.carrier.post(f"/v1/offers/{made['id']}/refuse", {"reason": "the ship is full"})
    two.carry()
    seen = two.alice.get(f"/v1/offers/{made['id']}")
    assert seen["state"] == "refused"
    assert [s["reason"] for s in seen["signers"]] == [None, "the ship is full"]
    assert two.alice.post(f"/v1/offers/{made['id']}/refuse", {}, 422)["rule"] == "offer.over"


def test_what_is_promised_is_not_spent_until_the_offer_is_withdrawn(two: Two) -> None:
    made = two.offer("60")
    rows = two.alice.get("/v1/holdings", address=ALICE_ADDRESS, asset=two.crude)["outputs"]
    assert [row["offered"] for row in rows] == [made["id"]]
    sale = {"asset": two.crude, "amount": "10", "to": BOB_ADDRESS}
    refused = two.alice.post("/v1/wallet/transfer", sale, 409)
    assert made["id"][:16] in refused["detail"]
    assert "withdraw" in refused["detail"]
    assert two.alice.post(f"/v1/offers/{made['id']}/withdraw", {})["state"] == "withdrawn"
    two.carry()
    assert two.carrier.get(f"/v1/offers/{made['id']}")["state"] == "withdrawn"
    assert two.carrier.post(f"/v1/offers/{made['id']}/accept", {}, 422)["rule"] == "offer.over"
    assert two.alice.post("/v1/wallet/transfer", sale)["submitted"]


def test_a_withdrawal_that_spends_leaves_nothing_to_complete(two: Two) -> None:
    made = two.offer("60")
    two.alice.post(f"/v1/offers/{made['id']}/withdraw", {"spend": True})
    two.alice.host.mine()
    assert two.alice.get(f"/v1/offers/{made['id']}")["state"] == "spent"
    held = two.alice.get("/v1/holdings", address=ALICE_ADDRESS, asset=two.crude)["sums"][0]
    assert (held["owned"]["amount"], held["held"]["amount"]) == ("100", "100")


def test_only_its_own_party_answers_an_offer(two: Two) -> None:
    made = two.offer()
    two.carrier.post(f"/v1/offers/{made['id']}/withdraw", {}, 403)
    assert "cannot be called back" in two.alice.post(f"/v1/offers/{made['id']}/refuse", {}, 400)["detail"]
    with running_api(keys={"bob": BOB}) as bob:
        two.carrier = bob
        two.catch_up()
        two.carry()
        assert bob.get("/v1/offers", state="incoming")["count"] == 0
        assert bob.get("/v1/offers")["offers"][0]["direction"] == "other"
        bob.post(f"/v1/offers/{made['id']}/accept", {}, 403)
        bob.post(f"/v1/offers/{made['id']}/refuse", {}, 403)


def test_a_partially_signed_file_is_offered_as_well(two: Two) -> None:
    form = {"asset": two.crude, "amount": "5", "to": CARRIER_ADDRESS}
    answer = two.alice.post("/v1/wallet/hand-over", form)
    made = two.alice.post("/v1/offers", {"partial": answer["partial"], "note": "by file"})
    assert made["transaction"] == answer["id"]
    assert made["partial"] == answer["partial"]
    two.alice.post("/v1/offers", {"partial": answer["partial"], "steps": []}, 400)
    two.alice.post("/v1/offers", {}, 400)
    broken = {**answer["partial"], "body": answer["partial"]["body"][:-2]}
    two.alice.post("/v1/offers", {"partial": broken}, 400)


def test_what_needs_nobody_else_is_not_an_offer(two: Two) -> None:
    step = {"verb": "transfer", "asset": two.crude, "amount": "5", "to": BOB_ADDRESS}
    assert "nobody else" in two.alice.post("/v1/offers", {"steps": [step]}, 400)["detail"]


def test_who_has_nothing_cannot_offer(two: Two) -> None:
    step = {"verb": "hand-over", "asset": two.crude, "amount": "5", "owner": ALICE_ADDRESS, "custodian": ALICE_ADDRESS}
    form = {"steps": [{**step, "to": CARRIER_ADDRESS}]}
    assert "owns and holds nothing" in two.carrier.post("/v1/offers", form, 403)["detail"]


def test_who_receives_may_ask_for_it(two: Two) -> None:
    """With something that stands for the offer: here a barrel that the carrier holds already."""
    first = two.offer("1")
    two.carrier.post(f"/v1/offers/{first['id']}/accept", {})
    two.carry()
    two.alice.host.mine()
    two.catch_up()
    step = {"verb": "hand-over", "asset": two.crude, "amount": "9", "owner": ALICE_ADDRESS, "custodian": ALICE_ADDRESS}
    asked = two.carrier.post("/v1/offers", {"steps": [{**step, "to": CARRIER_ADDRESS}], "note": "nine more?"})
    two.carry()
    assert [o["id"] for o in two.alice.get("/v1/offers", state="awaiting")["offers"]] == [asked["id"]]
    assert two.alice.post(f"/v1/offers/{asked['id']}/accept", {})["state"] == "complete"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"note": "x" * 201}, 400),
        ({"note": "up \u202e down"}, 422),
        ({"note": "<script>alert(1)</script>"}, 200),
        ({"expires": "tomorrow"}, 400),
        ({"expires": "2001-01-01T00:00:00Z"}, 422),
        ({"expires": 2**60}, 400),
        ({"unknown": 1}, 400),
    ],
)
def test_odd_words(two: Two, more: dict[str, Any], status: int) -> None:
    step = {"verb": "hand-over", "asset": two.crude, "amount": "60", "to": CARRIER_ADDRESS}
    two.alice.post("/v1/offers", {"steps": [step], **more}, status)


def test_a_list_is_paged_newest_first(two: Two) -> None:
    made = [two.offer("1")]
    issue(two.alice, two.crude, "7")
    issue(two.alice, two.crude, "8")
    made += [two.offer("7"), two.offer("8")]
    page = two.alice.get("/v1/offers", state="outgoing", limit=2)
    assert (page["count"], [o["id"] for o in page["offers"]]) == (3, [made[2]["id"], made[1]["id"]])
    rest = two.alice.get("/v1/offers", state="outgoing", limit=2, offset=2)
    assert [o["id"] for o in rest["offers"]] == [made[0]["id"]]
    two.alice.get(f"/v1/offers/{'ab' * 32}", 404)


def test_fees_are_paid_by_an_offer_too() -> None:
    with running_api(make_genesis(fee_floor=1_000, grants=2)) as alice:
        crude = define(alice)
        issue(alice, crude, "100")
        step = {"verb": "hand-over", "asset": crude, "amount": "60", "to": CARRIER_ADDRESS}
        made = alice.post("/v1/offers", {"steps": [step]})
        assert 0 < int(made["fee"]) < GRANT
        alice.post(f"/v1/offers/{made['id']}/withdraw", {"spend": True})
        alice.host.mine()
        assert alice.get(f"/v1/offers/{made['id']}")["state"] == "spent"
