"""Somebody who reads Greek reads in Greek what they sign: the sentences of the whole story on an offer's page, the reasons of
every transaction, every finding of the node; names and texts of strangers stay as they are, as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, get_args

import pytest
from tests.web.explorer.explorer_browser import PHONE, Reader, axe_findings, reading, settled, wider_than_the_screen
from tests.web.explorer.explorer_story import CARRIER, COMPANIES, FIELD, Story, telling

from horoi.base.address import address_of
from horoi.base.keys import KeyPair
from horoi.node.wallet.sentences import SentenceKind

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

GREEK: dict[str, Any] = {"locale": "el-GR", "viewport": PHONE}
STRANGER = address_of(KeyPair(bytes([99]) * 32).public)
EVIL = "</li><img src=x onerror=alert(1)>\u202eevil"
LETTERS = re.compile("[α-ωά-ώ]")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A node on which the story was played."""
    with telling(tmp_path_factory.mktemp("node")) as told:
        told.play()
        yield told


@pytest.fixture(scope="module")
def offer(story: Story) -> dict[str, Any]:
    """An offer that says all that the story's transactions say."""
    field = story.address(FIELD)
    step = {
        "verb": "hand-over",
        "asset": story.assets["Thasos crude oil"],
        "amount": "60",
        "owner": field,
        "to": STRANGER,
    }
    made = story.client.post("/v1/offers", json={"steps": [step]})
    assert made.status_code == 200, made.text
    whole: dict[str, Any] = story.get(f"/v1/offers/{made.json()['id']}")
    for transaction in story.transactions.values():
        detail = story.get(f"/v1/transactions/{transaction}")
        assert len(detail["sentences"]) == len(detail["words"])
        whole["sentences"] += detail["sentences"]
        whole["words"] += detail["words"]
    return whole


def offered(reader: Reader, story: Story, offer: dict[str, Any]) -> Page:
    """The offer's page, the node answering ``offer``."""
    page = reader.page("/offers")
    page.get_by_label("Token").fill(story.token)
    page.locator("main form button").first.click()
    page.locator(".forget").wait_for()

    def answer(route: Route) -> None:
        route.fulfill(json=offer)

    page.route(f"**/v1/offers/{offer['id']}", answer)
    reader.go(page, f"/offers/{offer['id']}")
    page.locator(".agreed li").first.wait_for()
    return page


def test_the_offers_page_says_the_whole_story_in_greek(browser: Browser, story: Story, offer: dict[str, Any]) -> None:
    kinds = {sentence["kind"] for sentence in offer["sentences"]}
    assert {
        "defines",
        "issues",
        "makes",
        "gives",
        "hands-over",
        "uses-right",
        "leaves-books",
        "states",
        "agree",
    } <= kinds
    with reading(browser, story.url, **GREEK) as reader:
        page = offered(reader, story, offer)
        assert page.locator("main [lang=en]").count() == 0
        said = page.locator(".agreed li").all_inner_texts()
        assert len(said) == len(offer["words"])
        assert all(LETTERS.search(sentence) for sentence in said)
        crude = story.assets["Thasos crude oil"][:16]
        shipped = f"Thasos Field παραδίδει 6.327 bbl Thasos crude oil [{crude}], πάντα στην κυριότητα Thasos Field, σε "
        assert f"{shipped}Aegean Carriers." in said
        assert wider_than_the_screen(page) == []
        assert axe_findings(page) == []


def test_in_english_it_is_what_the_terminal_says(browser: Browser, story: Story, offer: dict[str, Any]) -> None:
    """But for how numbers, quotation marks and times are written, and for names where the terminal has addresses."""
    with reading(browser, story.url) as reader:
        page = offered(reader, story, offer)
        words = "\n".join(offer["words"])
        for company in COMPANIES:
            words = words.replace(story.address(company), company)
        shown = "\n".join(page.locator(".agreed li").all_inner_texts())
        assert re.sub("[“”]", "'", re.sub(r"(?<=\d),(?=\d{3})", "", shown)) == words


def test_every_kind_is_said_in_greek_with_all_its_parts(browser: Browser, story: Story, offer: dict[str, Any]) -> None:
    whole: dict[str, Any] = {}
    for sentence in offer["sentences"]:
        whole |= sentence
    locked = {"any": [story.address(CARRIER), {"all": [{"after_height": 40}, {"preimage": "ab" * 32}]}]}
    whole |= {"owner": whole["who"], "to": {**whole["who"], "condition": locked}, "document": "cd" * 32, "height": 1008}
    unknown = {**whole["amount"], "name": None, "unit": None, "amount": None, "quantity": "1234"}
    coin = {**whole["amount"], "asset": "00" * 32, "name": "coin", "unit": "", "amount": "1", "quantity": "1"}
    sentences = [{**whole, "kind": kind} for kind in get_args(SentenceKind)]
    sentences += [{**whole, "kind": "gives", "amount": unknown}, {**whole, "kind": "pays-fee", "amount": coin}]
    with reading(browser, story.url, **GREEK) as reader:
        page = offered(reader, story, {**offer, "sentences": sentences, "words": ["English"] * len(sentences)})
        assert page.locator("main [lang=en]").count() == 0
        said = page.locator(".agreed li").all_inner_texts()
        assert all(LETTERS.search(sentence) and "{" not in sentence for sentence in said)
        handed = said[get_args(SentenceKind).index("hands-over")]
        spoken = f"(Aegean Carriers ή (οποιοσδήποτε από το μπλοκ 40 και μετά και όποιος δείξει τα bytes με SHA-256 {'ab' * 32}))"
        assert handed.endswith(f" σε {spoken}.")
        assert "1.234 (ελάχιστες μονάδες) αγαθό [" in said[-2]
        assert said[-1] == "Καταβάλλεται τέλος συναλλαγής 1 νόμισμα σε όποιον φτιάξει το μπλοκ."
        assert wider_than_the_screen(page) == []


def test_whoever_has_no_name_stands_with_the_whole_address(
    browser: Browser, story: Story, offer: dict[str, Any]
) -> None:
    with reading(browser, story.url, **GREEK) as reader:
        said = offered(reader, story, offer).locator(".agreed").inner_text()
        assert STRANGER in said


def test_a_kind_that_the_page_does_not_know_is_said_in_english_and_marked(
    browser: Browser, story: Story, offer: dict[str, Any]
) -> None:
    newer = {**offer, "words": ["Somebody dances."], "sentences": [{"kind": "dances"}]}
    with reading(browser, story.url, **GREEK) as reader:
        page = offered(reader, story, newer)
        assert page.locator(".agreed [lang=en]").all_inner_texts() == ["Somebody dances."]


def test_what_strangers_typed_stays_text(browser: Browser, story: Story, offer: dict[str, Any]) -> None:
    """Names of assets and companies, units, reasons, posts; as a node that lies would send them."""

    def poisoned(value: Any) -> Any:
        if isinstance(value, dict):
            bad = {"name", "asset_name", "unit", "text"}
            return {key: EVIL if key in bad and part else poisoned(part) for key, part in value.items()}
        return [poisoned(part) for part in value] if isinstance(value, list) else value

    with reading(browser, story.url, **GREEK) as reader:
        lie = {**offer, "sentences": poisoned(offer["sentences"])}
        page = offered(reader, story, lie)
        page.on("dialog", lambda dialog: reader.objections.append(f"a script ran: {dialog.message}"))
        assert page.locator("main img").count() == 0
        said = page.locator(".agreed").inner_text()
        assert EVIL.partition("\u202e")[0] in said
        assert "\u202e" not in said
        assert page.locator(".agreed .odd").count() > 0
        assert json.dumps(EVIL) not in said
        assert wider_than_the_screen(page) == []


def test_why_somebody_had_to_agree_is_said_in_greek(browser: Browser, story: Story) -> None:
    with reading(browser, story.url, **GREEK) as reader:
        page = reader.page("/")
        for name, transaction in story.transactions.items():
            reader.go(page, f"/tx/{transaction}")
            page.locator("td ul.plain li").first.wait_for()
            assert page.locator("main [lang=en]").count() == 0, name
            whys = page.locator("td ul.plain li").all_inner_texts()
            assert all(LETTERS.search(why) or ": " in why for why in whys), whys  # what was posted stands as it was
            assert wider_than_the_screen(page) == [], name


def test_books_and_what_is_found_are_said_in_greek(browser: Browser, story: Story) -> None:
    crude = story.assets["Thasos crude oil"]
    false = story.do(story.say(FIELD, "we have 7777 bbl", crude), name="false")
    with reading(browser, story.url, **GREEK) as reader:
        page = reader.page(f"/asset/{crude}")
        page.locator(".gaps", has_text="δηλώνει 7777 bbl: καμία κίνηση και κανένα απόθεμα δεν είναι τόσο").wait_for()
        assert page.locator("main [lang=en]").count() == 0
        place = story.get(f"/v1/transactions/{false['id']}")["time"][:10]
        for query, word in ((place, "1 συναλλαγή"), ("Thasos", "bbl")):
            reader.go(page, f"/search?q={query}")
            page.locator("main").get_by_text(word).first.wait_for()
            assert page.locator("main [lang=en]").count() == 0


def test_what_the_node_finds_is_said_in_greek(browser: Browser, story: Story) -> None:
    with reading(browser, story.url, **GREEK) as reader:
        page = reader.page("/diagnostics")
        settled(page)
        assert page.locator("main tbody tr").count() > 8
        assert page.locator("main [lang=en]").count() == 0
        assert page.get_by_text("κανένας συνδεδεμένος").is_visible()
        assert wider_than_the_screen(page) == []
