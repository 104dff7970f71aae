"""The shell in a browser: languages, colours, the keyboard, a phone, and what happens when the node goes away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.web.explorer.explorer_browser import PHONE, axe_findings, reading, settled, wider_than_the_screen
from tests.web.web_server import Serving, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A node with nothing on its board."""
    with serving(tmp_path_factory.mktemp("node")) as running:
        yield running


def test_it_is_read_in_two_languages_and_remembers(browser: Browser, node: Serving) -> None:
    with reading(browser, node.url) as reader:
        page = reader.page("/blocks")
        assert page.locator("h1").inner_text() == "Blocks"
        assert page.locator("html").get_attribute("lang") == "en"
        page.get_by_role("button", name="Ελληνικά").click()
        page.wait_for_function("document.querySelector('h1').innerText === 'Μπλοκ'")
        assert page.locator("html").get_attribute("lang") == "el"
        page.reload()
        settled(page)
        assert page.locator("h1").inner_text() == "Μπλοκ"
    with reading(browser, node.url, locale="el-GR") as greek:
        assert greek.page("/blocks").locator("h1").inner_text() == "Μπλοκ"


def test_colours_follow_the_system_until_they_are_chosen(browser: Browser, node: Serving) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    with reading(browser, node.url, color_scheme="dark") as reader:
        page = reader.page("/blocks")
        dark = page.evaluate(ground)
        page.get_by_role("button", name="Light colours").click()
        light = page.evaluate(ground)
        assert dark != light
        page.reload()
        settled(page)
        assert page.evaluate(ground) == light


def test_the_keyboard_reaches_everything(browser: Browser, node: Serving) -> None:
    with reading(browser, node.url) as reader:
        page = reader.page("/blocks")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.name") == "q"
        page.keyboard.type("a/b")
        assert page.evaluate("document.activeElement.value") == "a/b"
        page.keyboard.press("Shift+Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", "focus must be seen"


def test_a_phone_has_a_menu_and_no_sideways_scroll(browser: Browser, node: Serving) -> None:
    with reading(browser, node.url, viewport=PHONE) as reader:
        page = reader.page("/blocks")
        assert wider_than_the_screen(page) == []
        assert not page.locator("#nav").is_visible()
        page.get_by_role("button", name="Menu").click()
        page.get_by_role("link", name="Blocks", exact=True).click()
        page.wait_for_selector("#nav", state="hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_a_readers_way(browser: Browser, node: Serving, scheme: str) -> None:
    with reading(browser, node.url, color_scheme=scheme) as reader:
        assert axe_findings(reader.page("/blocks")) == []


def test_an_unknown_address_and_a_silent_node_are_said(browser: Browser, node: Serving) -> None:
    with reading(browser, node.url) as reader:
        reader.expected = ("404", "ERR_FAILED", "ERR_INTERNET_DISCONNECTED")
        page = reader.page("/blocks")
        page.wait_for_selector(".live.open")
        page.evaluate("history.pushState(null, '', '/nowhere'); dispatchEvent(new PopStateEvent('popstate'))")
        page.get_by_text("There is no page at this address.").wait_for()
        page.route("**/v1/**", lambda route: route.abort())
        page.get_by_role("link", name="Blocks", exact=True).click()
        page.get_by_text("The node does not answer.").wait_for()
        page.unroute("**/v1/**")
        page.get_by_role("button", name="Try again").click()
        settled(page)
        page.wait_for_selector(".problem", state="detached")
