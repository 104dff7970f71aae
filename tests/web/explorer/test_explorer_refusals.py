"""Whoever reads Greek is refused in Greek: forms, the wallet, offers, the pool, pages of what is not there. What the page has no
sentence for stands in the node's English, marked as English; what a refusal quotes stays text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from tests.web.explorer.explorer_browser import PHONE, Reader, axe_findings, reading, settled, wider_than_the_screen
from tests.web.explorer.explorer_story import CARRIER, FIELD, REFINERY, Story, telling

from horoi.base.address import address_of
from horoi.base.keys import KeyPair

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

GREEK: dict[str, Any] = {"locale": "el-GR", "viewport": PHONE}
LETTERS = re.compile("[α-ωά-ώ]")
STATUSES = ("400", "403", "404", "409", "422")
STRANGER = address_of(KeyPair(bytes([98]) * 32).public)
EVIL = "</p><img src=x onerror=alert(1)>\u202eevil"
READ = "Ανάγνωση πριν την υπογραφή"
NEVER = "00" * 31 + "07"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A node of the field: 100 barrels, 40 of them with the carrier; and papers and notes, which nobody keeps for another."""
    with telling(tmp_path_factory.mktemp("node")) as told:
        field = told.address(FIELD)
        for name, custody in (("crude", True), ("papers", False), ("notes", False)):
            told.define(name, FIELD, decimals=1, custody=custody)
            made = {"verb": "issue", "asset": told.assets[name], "amount": "100", "issuer": field, "to": field}
            told.do({**made, "custodian": field if custody else None})
        shipped = {"verb": "hand-over", "asset": told.assets["crude"], "amount": "40", "owner": field}
        told.do({**shipped, "custodian": field, "to": told.address(CARRIER)})
        yield told


def owner(reader: Reader, story: Story, path: str) -> Page:
    """A tab of the owner's."""
    reader.expected = STATUSES
    page = reader.page(path)
    page.locator("#token").fill(story.token)
    page.locator("main form button").first.click()
    page.locator(".forget").wait_for()
    return page


def field(page: Page, name: str) -> Locator:
    return page.locator(f'[data-field="{name}"]')


def refused(page: Page) -> Locator:
    """The refusal that is shown."""
    page.locator(".problem").first.wait_for()
    return page.locator(".problem").first


def in_greek(problem: Locator, *said: str) -> None:
    """It is said in Greek, with these parts, and nothing in English."""
    text = problem.inner_text()
    assert LETTERS.search(problem.locator("p").first.inner_text())
    assert all(part in text for part in said), text
    assert problem.locator("[lang=en]").count() == 0, text
    assert "{" not in text


ACTS: list[tuple[str, dict[str, str], list[str]]] = [
    ("transfer", {"asset": "crude", "amount": "5", "to": "nobody at all"}, ["nobody at all δεν είναι διεύθυνση"]),
    ("transfer", {"asset": "crude", "amount": "5", "to": STRANGER[:-1] + "x"}, ["έχει λάθος", "αντιγράψτε την ξανά"]),
    ("transfer", {"asset": "crude", "amount": "5", "to": "ff" * 32}, ["Κανείς δεν μπορεί να υπογράψει"]),
    (
        "transfer",
        {"asset": "crude", "amount": "90.5", "to": STRANGER},
        ["Αγαθό crude", "υπάρχουν 60 και χρειάζονται 90,5", "χέρια: 40."],
    ),
    ("hand-over", {"asset": "papers", "amount": "5", "to": STRANGER}, ["δεν έχει θεματοφύλακες"]),
]


@pytest.mark.parametrize(("verb", "values", "said"), ACTS)
def test_what_the_wallet_refuses(
    browser: Browser, story: Story, verb: str, values: dict[str, str], said: list[str]
) -> None:
    with reading(browser, story.url, **GREEK) as reader:
        page = owner(reader, story, f"/act?verb={verb}")
        field(page, "asset").select_option(story.assets[values["asset"]])
        for name in ("amount", "to"):
            field(page, name).fill(values[name])
        page.get_by_role("button", name=READ).click()
        in_greek(refused(page), *said)
        assert wider_than_the_screen(page) == []
        assert axe_findings(page) == []


def test_a_text_that_cannot_be_shown_names_the_rule(browser: Browser, story: Story) -> None:
    with reading(browser, story.url, **GREEK) as reader:
        page = owner(reader, story, "/act?verb=post")
        field(page, "text").fill("left\u202eright")
        page.get_by_role("button", name=READ).click()
        problem = refused(page)
        assert "Ένα κείμενο έχει χαρακτήρα που δεν μπορεί να φανεί" in problem.inner_text()
        assert problem.locator("code").inner_text() == "form.text"
        assert "U+202E" in problem.locator("[lang=en]").inner_text()


def test_what_was_spent_meanwhile_is_refused_by_the_pools_rule(browser: Browser, story: Story) -> None:
    """Another tab moves the notes between reading and sending: the values stand in English under the Greek sentence."""
    with reading(browser, story.url, **GREEK) as reader:
        page = owner(reader, story, "/act?verb=transfer")
        field(page, "asset").select_option(story.assets["notes"])
        field(page, "amount").fill("100")
        field(page, "to").fill(REFINERY)
        page.get_by_role("button", name=READ).click()
        page.locator(".review").wait_for()
        moved = {"verb": "transfer", "asset": story.assets["notes"], "amount": "100", "owner": story.address(FIELD)}
        story.do({**moved, "to": story.address(CARRIER)}, name="meanwhile")
        page.locator(".review .main").click()
        problem = refused(page)
        assert "Ό,τι ξοδεύει δεν υπάρχει ή έχει ήδη ξοδευτεί." in problem.inner_text()
        assert problem.locator("code").inner_text() == "spend.unknown"
        assert "or are spent" in problem.locator("[lang=en]").inner_text()


def test_a_wrong_token(browser: Browser, story: Story) -> None:
    with reading(browser, story.url, **GREEK) as reader:
        reader.expected = STATUSES
        page = reader.page("/act")
        page.locator("#token").fill("cd" * 32)
        page.locator("main form button").first.click()
        in_greek(refused(page), "Δεν είναι το token του κόμβου")


PAGES = [
    (f"/tx/{NEVER}", "Τέτοια συναλλαγή δεν περιμένει"),
    ("/block/999999", "Δεν υπάρχει μπλοκ ύψους 999999"),
    (f"/block/{NEVER}", "Δεν είναι γνωστό εδώ τέτοιο μπλοκ"),
    (f"/asset/{NEVER}", "δεν έχει οριστεί σε αυτό το μητρώο"),
    (f"/document/{NEVER}", "Καμία ανάρτηση δεν ονομάζει αυτό το έγγραφο"),
    ("/key/nobody", "nobody δεν είναι διεύθυνση, ούτε κλειδί"),
    (f"/tx/{NEVER[2:]}", "Η διεύθυνση ζητά κάτι που ο κόμβος δεν καταλαβαίνει"),
]


def test_pages_of_what_is_not_there(browser: Browser, story: Story) -> None:
    with reading(browser, story.url, **GREEK) as reader:
        page = owner(reader, story, "/offers")
        for path, said in [*PAGES, (f"/offers/{NEVER}", "Η προσφορά δεν έφτασε ποτέ εδώ")]:
            reader.go(page, path)
            in_greek(refused(page), said)
            assert wider_than_the_screen(page) == [], path


def offered(story: Story) -> str:
    """An offer of the field's to a stranger, open; its id."""
    step = {"verb": "hand-over", "asset": story.assets["crude"], "amount": "1", "owner": story.address(FIELD)}
    made = story.client.post("/v1/offers", json={"steps": [{**step, "to": STRANGER}]})
    assert made.status_code == 200, made.text
    name: str = made.json()["id"]
    return name


def test_an_offer_that_ended_meanwhile(browser: Browser, story: Story) -> None:
    """The tab shows it as it was; the node knows that it is over."""
    name = offered(story)
    stale = story.get(f"/v1/offers/{name}")
    with reading(browser, story.url, **GREEK) as reader:
        page = owner(reader, story, "/offers")
        page.route(f"**/v1/offers/{name}", lambda route: route.fulfill(json={**stale, "awaits_me": True}))
        reader.go(page, f"/offers/{name}")
        page.get_by_role("button", name="Ανάγνωση και υπογραφή").click()
        assert story.client.post(f"/v1/offers/{name}/withdraw", json={}).status_code == 200
        page.locator(".review .main").click()
        assert "Η προσφορά έχει τελειώσει" in refused(page).inner_text()
        assert refused(page).locator("code").inner_text() == "offer.over"


def test_why_the_pool_does_not_take_what_all_have_signed(browser: Browser, story: Story) -> None:
    name = offered(story)
    stuck = {"state": "complete", "problem": "pool.full: no room, pay more", "problem_rule": "pool.full"}
    shown = {**story.get(f"/v1/offers/{name}"), **stuck}
    with reading(browser, story.url, **GREEK) as reader:
        page = owner(reader, story, "/offers")
        page.route(f"**/v1/offers/{name}", lambda route: route.fulfill(json=shown))
        reader.go(page, f"/offers/{name}")
        said = page.locator("section:has(#answer)")
        assert "Δεν υπάρχει θέση σε όσα περιμένουν" in said.inner_text()
        assert said.locator("[lang=en]").inner_text() == "pool.full: no room, pay more"


def test_a_peers_address_and_a_name(browser: Browser, story: Story) -> None:
    with reading(browser, story.url, **GREEK) as reader:
        page = owner(reader, story, "/offers")
        reader.go(page, "/peers")
        page.locator('input[name="address"]').fill("no address")
        page.locator("section:has(#dial) form button").click()
        in_greek(refused(page), "no address δεν είναι διεύθυνση ομότιμου")
        reader.go(page, f"/key/{STRANGER}")
        page.locator("form.row input").fill("left\u202eright")
        page.locator("form.row button").click()
        in_greek(refused(page), "Το όνομα έχει χαρακτήρα που δεν μπορεί να φανεί")


def answering(problem: dict[str, Any]) -> Callable[[Route], None]:
    """A node that refuses so."""
    full = {"type": "urn:horoi:problem:usage", "title": "Refused", "status": 400, **problem}
    return lambda route: route.fulfill(status=400, json=full, content_type="application/problem+json")


def test_a_newer_nodes_refusal_is_in_english_and_marked(browser: Browser, story: Story) -> None:
    with reading(browser, story.url, **GREEK) as reader:
        page = owner(reader, story, "/offers")
        page.route(f"**/v1/transactions/{NEVER}", answering({"detail": "the moon is full", "code": "moon"}))
        reader.go(page, f"/tx/{NEVER}")
        assert refused(page).locator("[lang=en]").inner_text() == "the moon is full"


def test_what_a_refusal_quotes_stays_text(browser: Browser, story: Story) -> None:
    poisoned = {"detail": EVIL, "code": "no-party", "values": {"text": EVIL}}
    with reading(browser, story.url, **GREEK) as reader:
        page = owner(reader, story, "/offers")
        page.on("dialog", lambda dialog: reader.objections.append(f"a script ran: {dialog.message}"))
        for number, problem in enumerate((poisoned, {**poisoned, "code": "other"}, {**poisoned, "code": "form.text"})):
            page.route(f"**/v1/transactions/{number:064x}", answering(problem))
            reader.go(page, f"/tx/{number:064x}")
            said = refused(page)
            assert EVIL.partition("\u202e")[0] in said.inner_text()
            assert "\u202e" not in said.inner_text()
            assert page.locator("main img").count() == 0


def test_in_english_it_is_a_sentence_too(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        reader.expected = STATUSES
        page = reader.page("/block/999999")
        assert "There is no block of height 999999: the tip is at" in refused(page).inner_text()
        page.get_by_role("button", name="Ελληνικά").click()
        settled(page)
        assert "Δεν υπάρχει μπλοκ ύψους 999999" in refused(page).inner_text()
