"""One box that takes anything."""

from __future__ import annotations

import pytest
from tests.web.test_web_books import define, issue
from tests.web.web_api import Api
from tests.web.web_node import ALICE, BOB, CREATED_MS

from horoi.base.address import address_of
from horoi.web.routes.search import highlights

ALICE_ADDRESS = address_of(ALICE.public)
DOCUMENT = "ab" * 32


@pytest.fixture
def story(api: Api) -> tuple[Api, str, str]:
    """An asset, the transaction that issued it, and posts."""
    crude = define(api, "Thasos crude oil")
    made = issue(api, crude, "100")
    api.post("/v1/wallet/post", {"text": "6327 barrels transported from Thasos", "about": crude, "document": DOCUMENT})
    api.host.mine()
    api.post("/v1/wallet/post", {"text": "Παρελήφθησαν 6327 βαρέλια στις 20:48"})
    api.host.mine()
    return api, crude, made


def kinds(api: Api, text: str) -> list[tuple[str, str]]:
    return [(hit["kind"], hit["id"]) for hit in api.get("/v1/search", q=text)["hits"]]


def test_everything_that_has_a_name_or_a_number_is_found(story: tuple[Api, str, str]) -> None:
    api, crude, made = story
    block = api.get("/v1/blocks/2")["header"]
    api.post("/v1/names", {"address": address_of(BOB.public), "name": "Aegean Carriers"})
    assert kinds(api, "2") == kinds(api, "#2") == [("block", "2")]
    assert kinds(api, block["hash"]) == kinds(api, block["hash"][:8]) == [("block", "2")]
    assert kinds(api, made) == kinds(api, made[:9].upper()) == [("transaction", made)]
    assert kinds(api, crude) == kinds(api, crude[:12]) == kinds(api, "OIL thas") == [("asset", crude)]
    assert kinds(api, DOCUMENT) == [("document", DOCUMENT)]
    assert (
        kinds(api, ALICE_ADDRESS) == kinds(api, ALICE.public.hex()) == kinds(api, "alice") == [("key", ALICE_ADDRESS)]
    )
    assert kinds(api, "carriers") == [("key", address_of(BOB.public))]
    assert kinds(api, f"{ALICE_ADDRESS[:-1]}q") == []
    waiting = api.post("/v1/wallet/post", {"text": "soon"})["id"]
    assert kinds(api, waiting) == [("waiting", waiting)]


def test_a_date_means_the_blocks_of_that_time(story: tuple[Api, str, str]) -> None:
    api, _, _ = story
    assert CREATED_MS == 1_700_000_000_000  # 2023-11-14T22:13:20Z
    everything = [("time", str(height)) for height in range(5)]
    assert kinds(api, "2023-11-14") == kinds(api, "2023-11") == kinds(api, "2023-11-14T22:13") == everything
    second = api.get("/v1/blocks/1")["header"]["time"][:19]
    assert ("time", "1") in kinds(api, second)
    assert kinds(api, "2024-01-01") == kinds(api, "2023-02-31") == []
    assert "date" in api.get("/v1/search", q="2023-02-31")["read_as"]
    for edge in ("9999-12", "9999-12-31", "0001-01", "0000-00", "9999-12-31T23:59:59Z"):
        assert api.get("/v1/search", q=edge)["hits"] == []


def test_posts_are_found_by_their_words_whatever_the_accents(story: tuple[Api, str, str]) -> None:
    api, _, _ = story

    def posts(text: str, **query: object) -> list[str]:
        return [entry["post"]["text"][:4] for entry in api.get("/v1/search", q=text, **query)["posts"]]

    assert posts("6327") == ["Παρε", "6327"]
    assert posts("ΒΑΡΕΛΙΑ") == posts("βαρέλ") == posts("στις παρεληφθησαν") == ["Παρε"]
    assert posts("thasos transp") == ["6327"]
    assert posts("transp thasos") == posts("gold") == posts("!!") == []
    first = api.get("/v1/search", q="6327", limit=1)
    assert [entry["post"]["text"][:4] for entry in first["posts"]] == ["Παρε"]
    assert posts("6327", before=first["next"]) == ["6327"]
    assert not first["truncated"]


def test_highlights_are_where_a_browser_counts() -> None:
    assert highlights("𝔸 6327 barrels", "barr") == [(8, 15)]
    assert highlights("Βαρέλια και ΒΑΡΕΛΙΑ", "βαρελια") == [(0, 7), (12, 19)]
    assert highlights("nothing", "…") == []
