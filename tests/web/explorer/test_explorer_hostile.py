"""Names and posts of a stranger who means harm: markup, scripts, reversed text, piles of marks, mere length. All letters.

What the ledger itself refuses to record (form.text) is put into the node's answer on the way, as a node that lies would.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.web.explorer.explorer_browser import PHONE, reading, wider_than_the_screen
from tests.web.explorer.explorer_story import CARRIER, FIELD, Story, telling

from horoi.base.errors import RuleError
from horoi.ledger.rules import check_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

SCRIPT = "<img src=x onerror=alert(1)><script>alert(1)</script>"
NAME = '"><svg onload=alert(2)>'
REVERSED = "paid \u202e000,1\u202c to \u2066us\u2069"
PILE = "h" + "\u0335" * 200 + "i"
LONG = "a" * 1990
UNSEEN = "a\u200bb\u00adc\u0007d\ufeffe\U000e0041"
EMOJI = "👩‍👩‍👧‍👦🇬🇷🛢️"
ARABIC = "مرحبا"
TEMPLATE = "{{constructor.constructor('alert(3)')()}}"
NAUGHTY = (
    SCRIPT,
    REVERSED,
    PILE,
    LONG,
    UNSEEN,
    EMOJI,
    ARABIC,
    TEMPLATE,
    "javascript:alert(4)",
)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A node on whose board strangers wrote."""
    with telling(tmp_path_factory.mktemp("node")) as told:
        told.define(NAME, FIELD, unit="<b>b</b>")
        told.define("W" * 64, CARRIER)
        crude = told.assets[NAME]
        field = told.address(FIELD)
        made = {"verb": "issue", "asset": crude, "amount": "1000", "issuer": field, "to": field, "custodian": field}
        told.do(made, name="issue")
        lost = {"verb": "retire", "asset": crude, "amount": "1", "owner": field, "reason": "<i>gone"}
        told.do(lost, name="retire")
        for number, text in enumerate(NAUGHTY):
            told.do(told.say(FIELD, text if is_recorded(text) else f"lie {number}.", crude), name=text[:8], mine=False)
        told.mine()
        yield told


def is_recorded(text: str) -> bool:
    """Whether the ledger takes it."""
    try:
        check_text(text)
    except RuleError:
        return False
    return True


def lie(page: Page) -> None:
    """Put what the ledger refuses into what the node says."""

    def answer(route: Route) -> None:
        response = route.fetch()
        body = response.text()
        for number, text in enumerate(NAUGHTY):
            body = body.replace(f"lie {number}.", json.dumps(text)[1:-1])
        route.fulfill(response=response, body=body)

    page.route("**/v1/**", lambda route: route.continue_() if "events" in route.request.url else answer(route))


def places(story: Story) -> list[str]:
    """Where the naughty texts are shown."""
    field = story.address(FIELD)
    return [
        "/", "/assets", f"/asset/{story.assets[NAME]}", f"/key/{field}", f"/tx/{story.transactions['retire']}",
        f"/tx/{story.transactions[SCRIPT[:8]]}", "/search?q=alert", "/search?q=%22%3E%3Csvg%20onload%3Dalert(5)%3E",
    ]  # fmt: skip


@pytest.mark.parametrize("wide", [True, False], ids=["desktop", "phone"])
def test_nothing_runs_and_nothing_sticks_out(browser: Browser, story: Story, wide: bool) -> None:
    with reading(browser, story.url, **({} if wide else {"viewport": PHONE})) as reader:
        page = reader.page("/blocks")
        lie(page)
        page.on("dialog", lambda dialog: reader.objections.append(f"a script ran: {dialog.message}"))
        for place in places(story):
            reader.go(page, place)
            assert page.locator("main img, main script, main iframe, main b, main i").count() == 0, place
            assert wider_than_the_screen(page) == [], place


def test_markup_is_letters(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page("/")
        assert page.get_by_text(SCRIPT).first.is_visible()
        assert page.get_by_text(TEMPLATE).first.is_visible()
        reader.go(page, f"/asset/{story.assets[NAME]}")
        assert page.locator("h1").inner_text() == NAME
        assert NAME in page.title()


def test_direction_and_hidden_characters_are_shown_for_what_they_are(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page("/blocks")
        lie(page)
        reader.go(page, "/")
        text = page.locator(".post", has_text="paid").first
        text.wait_for()
        marks = text.locator(".odd").all_inner_texts()
        assert [mark.split("\n")[-1][-4:] for mark in marks] == ["202E", "202C", "2066", "2069"]
        assert "\u202e" not in page.locator("main").inner_text()
        hidden = page.locator(".post", has_text="200B").first.locator(".odd")
        assert hidden.count() == 5
        assert page.locator(".post", has_text="+197").count() == 1
        assert page.get_by_text(EMOJI).first.is_visible()
        assert page.get_by_text(ARABIC).first.evaluate("e => getComputedStyle(e).unicodeBidi") == "isolate"


def test_long_text_is_cut_and_shown_on_demand(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page("/")
        post = page.locator(".post", has_text="aaaaaaaa").first
        assert len(post.inner_text()) < 600
        post.get_by_role("button", name="show all (1,990 characters)").click()
        assert LONG in post.inner_text()
        post.get_by_role("button", name="show less").click()
        assert LONG not in post.inner_text()


def test_a_stranger_who_takes_a_name_is_not_believed(browser: Browser, story: Story) -> None:
    story.client.post("/v1/names", json={"name": "", "address": story.address(CARRIER)})
    story.do(story.say(CARRIER, "name: Thasos Field"), name="claim")
    with reading(browser, story.url) as reader:
        page = reader.page(f"/key/{story.address(CARRIER)}")
        assert page.locator(".claims").inner_text().count("says itself") == 1
        assert page.locator("h1").inner_text() != "Thasos Field"
