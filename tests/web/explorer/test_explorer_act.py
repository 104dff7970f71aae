"""The owner's actions: nothing without the token, numbers checked in the form, words read before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.web.explorer.explorer_browser import axe_findings, reading, settled
from tests.web.explorer.explorer_story import CARRIER, FIELD, Story, telling

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route
    from tests.web.explorer.explorer_browser import Reader


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A node of the field, with barrels to part with."""
    with telling(tmp_path_factory.mktemp("node")) as told:
        told.define("crude", FIELD, decimals=1)
        field = told.address(FIELD)
        made = {"verb": "issue", "asset": told.assets["crude"], "amount": "100.5", "issuer": field, "to": field}
        told.do({**made, "custodian": field})
        yield told


def owner(reader: Reader, story: Story, verb: str) -> Page:
    """A tab of the owner's, at a form."""
    page = reader.page(f"/act?verb={verb}")
    page.get_by_label("Token").fill(story.token)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Read before signing").wait_for()
    return page


def test_without_the_token_there_is_nothing_to_press(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        reader.expected = ("403",)
        page = reader.page("/act")
        assert page.get_by_role("button", name="Read before signing").count() == 0
        page.get_by_label("Token").fill("not a token")
        page.get_by_role("button", name="Go on").click()
        page.get_by_text("A token is 64 letters and digits").wait_for()
        page.get_by_label("Token").fill("cd" * 32)
        page.get_by_role("button", name="Go on").click()
        page.get_by_text("The node refused.").wait_for()
        assert page.evaluate("sessionStorage.length") == 0


def test_the_token_stays_in_the_tab(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = owner(reader, story, "post")
        assert page.evaluate("sessionStorage.getItem('horoi.token')") == story.token
        assert story.token not in page.evaluate("JSON.stringify({...localStorage}) + document.cookie")
        other = reader.page("/act")
        assert other.get_by_label("Token").is_visible()
        assert axe_findings(page) == []
        page.get_by_role("button", name="Forget the token").click()
        page.get_by_label("Token").wait_for()
        assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("", "Fill this in."),
        ("ten", "Write digits only"),
        ("1,5", "Write digits only"),
        ("-1", "Write digits only"),
        ("1e3", "Write digits only"),
        ("0.0", "More than zero."),
        ("1.25", "At most 1 decimal."),
        ("100.6", "There is no more than 100.5"),
        ("99999999999999999999", "Larger than the ledger’s numbers."),
    ],
)
def test_wrong_numbers_are_said_beside_the_field(browser: Browser, story: Story, amount: str, said: str) -> None:
    with reading(browser, story.url) as reader:
        page = owner(reader, story, "transfer")
        page.get_by_label("Asset").select_option(story.assets["crude"])
        page.get_by_text("available: 100.5").wait_for()
        page.get_by_label("To", exact=True).fill(story.address(CARRIER))
        page.get_by_label("Amount").fill(amount)
        page.get_by_role("button", name="Read before signing").click()
        page.get_by_role("alert").get_by_text(said).wait_for()
        assert page.evaluate("document.activeElement.dataset.field") == "amount"
        assert story.get("/v1/transactions")["count"] == 0


def test_an_amount_is_not_judged_before_its_decimals_are_known(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = owner(reader, story, "transfer")
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route(f"**/v1/assets/{story.assets['crude']}", hold)
        page.get_by_label("Asset").select_option(story.assets["crude"])
        page.get_by_label("To", exact=True).fill(story.address(CARRIER))
        page.get_by_label("Amount").fill(" 0.5 ")  # as it comes from a spreadsheet
        review = page.get_by_role("button", name="Read before signing")
        page.locator("form.stack button.main:disabled").wait_for()
        while not held:
            page.wait_for_timeout(10)  # playwright hears of the request meanwhile
        held[0].continue_()
        review.click()
        page.get_by_text("This is what you would sign").wait_for()


def test_words_are_read_and_then_sent(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = owner(reader, story, "post")
        page.get_by_role("button", name="Read before signing").click()
        page.get_by_text("Write a text or attach a document.").wait_for()
        page.get_by_label("Text").fill("Gauged twice, <b>no</b> difference")
        page.get_by_label("About").select_option(story.assets["crude"])
        page.get_by_role("button", name="Read before signing").click()
        page.get_by_text("This is what you would sign").wait_for()
        assert "Gauged twice, <b>no</b> difference" in page.locator(".agreed").inner_text()
        assert story.get("/v1/transactions")["count"] == 0, "nothing leaves before the second press"
        page.get_by_role("button", name="Change it").click()
        assert page.get_by_label("Text").input_value() == "Gauged twice, <b>no</b> difference"
        page.get_by_role("button", name="Read before signing").click()
        page.get_by_role("button", name="Sign and send").click()
        page.get_by_text("Sent. It waits for a block.").wait_for()
        assert story.get("/v1/transactions")["count"] == 1
        story.mine()
        page.get_by_role("link", name="Board").click()
        settled(page)
        page.locator("section:has(#stream)").get_by_text("Gauged twice, <b>no</b> difference").wait_for()


def test_goods_are_transferred_to_a_name(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = owner(reader, story, "transfer")
        page.get_by_label("Asset").select_option(story.assets["crude"])
        page.get_by_label("Amount").fill("0.5")
        page.get_by_label("To", exact=True).fill(CARRIER)
        page.get_by_label("The goods go along").check()
        page.get_by_role("button", name="Read before signing").click()
        page.get_by_text("This is what you would sign").wait_for()
        page.get_by_role("button", name="Sign and send").click()
        page.get_by_text("Sent. It waits for a block.").wait_for()
        story.mine()
        sums = story.get(f"/v1/holdings?address={story.address(CARRIER)}&asset={story.assets['crude']}")["sums"]
        assert sums[0]["owned"]["amount"] == sums[0]["held"]["amount"] == "0.5"


def test_a_document_is_attached(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = owner(reader, story, "post")
        file = {"name": "bill.txt", "mimeType": "text/plain", "buffer": b"Bill of lading 7731"}
        page.get_by_label("Attach a document").set_input_files(file)  # type: ignore[arg-type]
        page.get_by_role("button", name="Read before signing").click()
        page.get_by_text("This is what you would sign").wait_for()
        page.get_by_role("button", name="Sign and send").click()
        page.get_by_text("Sent. It waits for a block.").wait_for()
        story.mine()
        page.get_by_role("link", name="Board").click()
        page.get_by_role("link", name="document").first.click()
        page.get_by_text("kept here").wait_for()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        assert download.value.path().read_bytes() == b"Bill of lading 7731"
