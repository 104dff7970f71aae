"""The board: what people read of who did what, and whose names they read it by."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.web.test_web_books import define, issue
from tests.web.web_api import Api, running_api
from tests.web.web_node import ALICE, BOB, CARRIER, make_access

from horoi.base.address import address_of
from horoi.base.errors import UsageError
from horoi.ledger.conditions import AllOf, AnyOf, Key, Threshold
from horoi.node.names import NameBook, write_names
from horoi.web.people import People

ALICE_ADDRESS, BOB_ADDRESS, CARRIER_ADDRESS = (address_of(pair.public) for pair in (ALICE, BOB, CARRIER))


def lines(api: Api, **query: object) -> list[str]:
    return [line["words"] for line in api.get("/v1/board", **query)["lines"]]


def test_the_board_tells_in_words_what_was_done() -> None:
    with running_api(keys={"alice": ALICE, "carrier": CARRIER}) as api:
        api.post("/v1/names", {"address": ALICE_ADDRESS, "name": "Thasos Field"})
        api.post("/v1/names", {"address": CARRIER_ADDRESS, "name": "Aegean Carriers"})
        crude = define(api, "crude", decimals=0)
        issue(api, crude, "10432")
        api.post("/v1/wallet/hand-over", {"asset": crude, "amount": "6327", "to": CARRIER_ADDRESS})
        api.host.mine()
        api.post("/v1/wallet/retire", {"asset": crude, "amount": "5", "reason": "evaporation"})
        api.post("/v1/wallet/post", {"text": "all is well", "about": crude})
        api.host.mine()
        assert sorted(lines(api)[:2]) + lines(api)[2:] == [
            "Thasos Field took 5 bbl of crude off the books: evaporation",
            "Thasos Field: all is well",
            "Thasos Field handed 6327 bbl of crude to Aegean Carriers",
            "Thasos Field made 10432 bbl of crude",
            "Thasos Field defined the asset crude, at most 100000 bbl",
        ]
        (handed,) = [line for line in api.get("/v1/board")["lines"] if line["kind"] == "handed-over"]
        assert handed["actor"]["text"] == handed["owner"]["text"] == "Thasos Field"
        assert handed["counterpart"] == {
            "text": "Aegean Carriers",
            "name": "Aegean Carriers",
            "source": "book",
            "key": CARRIER.public.hex(),
            "address": CARRIER_ADDRESS,
            "condition": CARRIER_ADDRESS,
            "later": None,
        }
        assert handed["amount"]["amount"] == "6327"
        assert (handed["confirmations"], handed["height"]) == (2, 3)


def test_goods_that_come_home_are_received_and_a_sale_with_delivery_is_one_line() -> None:
    with running_api(keys={"alice": ALICE, "carrier": CARRIER}) as api:
        crude = define(api, "crude", decimals=0)
        issue(api, crude, "100")
        api.post("/v1/wallet/hand-over", {"asset": crude, "amount": "60", "to": CARRIER_ADDRESS})
        api.host.mine()
        back = {"asset": crude, "amount": "60", "to": ALICE_ADDRESS, "custodian": CARRIER_ADDRESS}
        api.post("/v1/wallet/hand-over", back)
        api.host.mine()
        sale = {"asset": crude, "amount": "40", "to": CARRIER_ADDRESS, "new_custodian": CARRIER_ADDRESS}
        api.post("/v1/wallet/transfer", sale)
        api.host.mine()
        assert lines(api, limit=2) == [
            "alice transferred 40 bbl of crude to carrier",
            "alice received 60 bbl of crude from carrier",
        ]


def test_what_waits_stands_above_and_has_no_confirmations(api: Api) -> None:
    api.post("/v1/wallet/post", {"text": "soon"})
    page = api.get("/v1/board")
    assert [(line["words"], line["confirmations"], line["height"]) for line in page["waiting"]] == [
        ("alice: soon", 0, None)
    ]
    assert (page["waiting_count"], page["lines"]) == (1, [])
    assert api.get("/v1/board", waiting="false")["waiting"] == []
    api.host.mine()
    page = api.get("/v1/board")
    assert (page["waiting"], [line["confirmations"] for line in page["lines"]]) == ([], [1])


def test_pages_follow_one_another_without_a_gap(api: Api) -> None:
    for number in range(7):
        api.post("/v1/wallet/post", {"text": f"number {number}"})
        if number % 3 == 2:
            api.host.mine(2)
    api.host.mine()
    read: list[str] = []
    cursor: str | None = None
    while True:
        page = api.get("/v1/board", limit=2, **({"before": cursor} if cursor else {}))
        read += [line["text"] for line in page["lines"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(read) == [f"number {number}" for number in range(7)]
    assert read[0] == "number 6"


def test_a_name_that_two_assets_have_is_told_apart(api: Api) -> None:
    first, _ = define(api, "crude", decimals=0), define(api, "crude", decimals=0)
    issue(api, first, "3")
    assert lines(api)[0] == f"alice made 3 bbl of crude [{first[:8]}]"
    assert lines(api)[1].startswith("alice defined the asset crude [")
    assert api.get("/v1/board")["lines"][0]["amount"]["alike"]
    assert all(asset["alike"] for asset in api.get("/v1/assets")["assets"])


@pytest.mark.parametrize(
    ("name", "alike"),
    [("crude", False), ("  ", True), ("Coin", True), ("\u03a4hasos crude", True), ("crude  oil", True)],
)
def test_a_name_that_reads_as_another_is_marked(api: Api, name: str, alike: bool) -> None:
    asset = define(api, name, decimals=0)
    api.post("/v1/wallet/post", {"text": "loaded", "about": asset})
    api.host.mine()
    line = api.get("/v1/board")["lines"][0]
    assert (line["about"], line["about_alike"]) == (asset, alike)
    assert api.get("/v1/assets")["assets"][0]["alike"] is alike
    assert (f"[{asset[:8]}]" in lines(api)[1]) is alike


def test_nobody_is_called_what_he_calls_himself() -> None:
    with running_api(keys={"alice": ALICE}) as api:
        api.post("/v1/wallet/post", {"text": "name: Thasos Field"})
        api.host.mine()
        api.access.keys.clear()
        party = api.get("/v1/board")["lines"][0]["actor"]
        assert (party["name"], party["source"]) == ("Thasos Field", "claim")
        assert party["text"] == f"{ALICE_ADDRESS[:12]}…{ALICE_ADDRESS[-6:]}"


def test_conditions_of_several_are_spelled_out() -> None:
    access, _ = make_access()
    access.book.set(BOB.public, "Bob & sons")
    people = People(access)
    both = tuple(sorted((ALICE.public, BOB.public)))
    names = " ".join(people.text(Key(key)) for key in both)
    assert set(names.split()) == {"alice", "Bob", "&", "sons"}
    assert people.text(Threshold(2, both)).startswith("2 of (")
    assert people.text(AnyOf((Key(ALICE.public), AllOf((Key(BOB.public), Key(CARRIER.public)))))) == (
        f"(alice or (Bob & sons and {people.text(Key(CARRIER.public))}))"
    )


def test_the_book_is_a_file_that_people_can_write(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    write_names(path, {ALICE.public: "Alice", BOB.public: "Bob"})
    book = NameBook(path)
    assert list(book) == [(ALICE.public, "Alice"), (BOB.public, "Bob")]
    book.set(BOB.public, "")
    book.set(ALICE.public, "Ἀλίκη")
    assert list(NameBook(path)) == [(ALICE.public, "Ἀλίκη")]
    assert book.keys_of("ἀΛΊΚΗ") == [ALICE.public]
    for bad in ("two\nlines", "\u202etxet", "x" * 65):
        with pytest.raises(UsageError):
            book.set(BOB.public, bad)
    for text in ("[]", '{"horoi1x": "A"}', "{", f'{{"{ALICE_ADDRESS}": ""}}'):
        path.write_text(text)
        with pytest.raises(UsageError, match=r"names\.json"):
            NameBook(path)
