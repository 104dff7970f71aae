"""Offers from the command line: what is asked of the node, and what people read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.cli_fake_node import HEX_32, FakeNode, Runner

from horoi.web.model.offers import OfferChange, OfferList, OfferView, SignerView

ADDRESS = "horoi1qrwzv24nmzfjypx2a8m264ws9vht3uxp5vpypnluuzl67n4waq78s5qkq30"
OFFER = "3f0c" + "11" * 30
OTHER = "3f0d" + "22" * 30


def offer_view(offer_id: str = OFFER, **more: Any) -> OfferView:
    fields: dict[str, Any] = {
        "id": offer_id,
        "transaction": HEX_32,
        "state": "open",
        "direction": "incoming",
        "awaits_me": True,
        "by": ADDRESS,
        "note": "come \x1b[31m early",
        "received_ms": 1,
        "received": "1970-01-01T00:00:00Z",
        "expires_ms": 2,
        "expires": "1970-01-01T00:00:01Z",
        "ended_ms": None,
        "ended": None,
        "height": None,
        "problem": None,
        "problem_rule": None,
        "headline": "office hands over 60 bbl of crude to carrier.",
        "words": ["office owns as much as before.", "office hands over 60 bbl of crude to carrier."],
        "fee": "0",
        "signers": [SignerView(address=ADDRESS, key=HEX_32, state="signed", mine=False, reason=None)],
        "missing": [ADDRESS],
        "changes": [
            OfferChange(
                who={"threshold": 1, "keys": [ADDRESS]},
                mine=False,
                asset=HEX_32,
                name="crude",
                unit="bbl",
                owns_change="+0",
                holds_change="-60",
                owns_before=None,
                owns_after=None,
                holds_before=None,
                holds_after=None,
            )
        ],
        "partial": {"horoi_partial": 1},
    }
    return OfferView(**{**fields, **more})


@pytest.fixture
def desk(fake: FakeNode, monkeypatch: pytest.MonkeyPatch) -> FakeNode:
    """A node that knows two offers, and its token."""
    monkeypatch.setenv("HOROI_TOKEN", "ab" * 32)
    fake.offers = OfferList(offers=[offer_view(), offer_view(OTHER)], count=2, offset=0)
    return fake


def asked(node: FakeNode) -> tuple[str, str, Any]:
    """The last question: method, path, body."""
    request = node.asked[-1]
    return request.method, request.url.path, json.loads(request.content or b"null")


def test_a_hand_over_is_offered(horoi: Runner, desk: FakeNode) -> None:
    verb = ("offer", "make", "hand-over", "crude", "60", "--to", ADDRESS, "--note", "at the quay", "--expires")
    made = horoi(*verb, "2026-12-01T00:00:00Z", "--json")
    assert made.code == 0, made.err
    assert made.data["id"] == OFFER
    method, path, body = asked(desk)
    assert (method, path) == ("POST", "/v1/offers")
    assert (body["note"], body["expires"]) == ("at the quay", "2026-12-01T00:00:00Z")
    (step,) = body["steps"]
    assert (step["verb"], step["asset"], step["amount"], step["to"]) == ("hand-over", "crude", "60", ADDRESS)
    assert desk.asked[-1].headers["authorization"] == f"Bearer {'ab' * 32}"


def test_a_transfer_with_the_goods_for_a_while(horoi: Runner, desk: FakeNode) -> None:
    verb = ("offer", "make", "transfer", "crude", "60", "--to", ADDRESS, "--new-custodian", ADDRESS)
    assert horoi(*verb, "--expires", "12h").code == 0
    body = asked(desk)[2]
    assert body["steps"][0]["new_custodian"] == ADDRESS
    assert isinstance(body["expires"], int)


def test_files_are_offered(horoi: Runner, desk: FakeNode) -> None:
    Path("bill.json").write_text('{"horoi_partial": 1}')
    assert horoi("offer", "make", "file", "bill.json").code == 0
    assert asked(desk)[2]["partial"] == {"horoi_partial": 1}
    Path("steps.json").write_text('[{"verb": "post", "text": "both say so"}]')
    assert horoi("offer", "make", "steps", "steps.json").code == 0
    assert asked(desk)[2]["steps"][0]["text"] == "both say so"
    Path("broken.json").write_text('[{"verb": "steal"}]')
    for how in ("file", "steps"):
        Path("broken.json").write_text('[{"verb": "steal"}]' if how == "steps" else "{")
        refused = horoi("offer", "make", how, "broken.json", "--json")
        assert refused.code == 2
        assert "broken.json" in refused.error["message"]


def test_offers_are_listed_and_shown_without_steering_the_terminal(horoi: Runner, desk: FakeNode) -> None:
    listed = horoi("offer", "list", "--state", "awaiting")
    assert "open, awaits you" in listed.out
    assert "hands over 60 bbl" in listed.out
    assert desk.asked[-1].url.params["state"] == "awaiting"
    shown = horoi("offer", "show", "3f0c")
    assert "\x1b" not in shown.out
    assert "1 of" in shown.out
    assert "horoi offer accept 3f0c1111" in shown.out
    desk.offers = OfferList(offers=[], count=0, offset=0)
    assert horoi("offer", "list").out.strip() == "no offers"


def test_an_id_may_be_short_if_it_is_one(horoi: Runner, desk: FakeNode) -> None:
    both = horoi("offer", "show", "3f0", "--json")
    assert both.code == 2
    assert "2 offers begin so" in both.error["message"]
    assert "no offer" in horoi("offer", "show", "ff", "--json").error["message"]


def test_an_offer_is_answered(horoi: Runner, desk: FakeNode) -> None:
    assert horoi("offer", "accept", "3f0c").code == 0
    assert asked(desk) == ("POST", f"/v1/offers/{OFFER}/accept", {"preimages": []})
    assert horoi("offer", "refuse", "3f0c", "--reason", "full").code == 0
    assert asked(desk) == ("POST", f"/v1/offers/{OFFER}/refuse", {"reason": "full"})
    assert horoi("offer", "withdraw", OFFER, "--spend").code == 0
    assert asked(desk) == ("POST", f"/v1/offers/{OFFER}/withdraw", {"spend": True})


def test_without_the_token_nothing_is_asked(horoi: Runner, fake: FakeNode) -> None:
    assert horoi("offer", "list", "--json").code == 5
    assert fake.asked == []
