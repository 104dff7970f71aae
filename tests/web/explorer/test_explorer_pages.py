"""The story of the lecture in the explorer: the board live, flows and books, who signed, blocks, search, pictures as tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.web.explorer.explorer_browser import PHONE, axe_findings, reading, settled, wider_than_the_screen
from tests.web.explorer.explorer_story import CARRIER, FIELD, REFINERY, RETAILER, Story, telling

from horoi.node.events import ConflictFound

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A node on which the story was played."""
    with telling(tmp_path_factory.mktemp("node")) as told:
        told.play()
        yield told


def pages(story: Story) -> dict[str, str]:
    """An address of every page that there is something to see on."""
    return {
        "board": "/",
        "assets": "/assets",
        "asset": f"/asset/{story.assets['Thasos crude oil']}",
        "key": f"/key/{story.address(FIELD)}",
        "transaction": f"/tx/{story.transactions['ship']}",
        "document": f"/document/{'ab' * 32}",
        "blocks": "/blocks",
        "block": "/block/6?leaf=1",
        "peers": "/peers",
        "charts": "/charts",
        "search": "/search?q=barrels",
        "prove": "/prove",
        "offers": "/offers",
        "act": "/act",
        "diagnostics": "/diagnostics",
    }


def test_the_board_is_live(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page("/")
        page.wait_for_selector(".live.open")
        stream = page.locator("#stream + *, .stream").first
        assert "6,327 bbl" in page.locator("main").inner_text()
        story.do(story.say(RETAILER, "1200 barrels of petrol in stock"), name="stock", mine=False)
        page.locator("section:has(#waiting)").get_by_text("1200 barrels of petrol in stock").wait_for()
        before = page.locator(".strip a.stone strong").first.inner_text()
        story.mine()
        page.locator("section:has(#stream)").get_by_text("1200 barrels of petrol in stock").wait_for()
        page.wait_for_function(
            "before => document.querySelector('.strip a.stone strong').innerText !== before", arg=before
        )
        page.locator("section:has(#waiting)").get_by_text("0 transactions in the mempool").wait_for()
        assert stream.is_visible()
        story.mine()
        page.get_by_text("2 deep").first.wait_for()


def test_a_burst_that_the_board_does_not_show_does_not_cut_it_off(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page("/")
        page.wait_for_selector(".live.open")
        live = story.node.server.access.live
        dropped = live.hub.dropped
        burst = [ConflictFound(bytes(32), bytes([1]) * 32)] * (live.hub.limits.max_stream_events + 1)
        story.node.call(lambda: [live.hub._hear(notice) for notice in burst])
        story.do(story.say(FIELD, "said after the burst"), name="burst")
        page.get_by_text("said after the burst").first.wait_for()
        assert live.hub.dropped == dropped


def test_after_a_lost_connection_nothing_is_missing(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        reader.expected = ("ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "ERR_NETWORK_CHANGED")
        page = reader.page("/")
        page.wait_for_selector(".live.open")
        story.node.call(story.node.server.access.live.hub.close)  # the node ends all streams
        story.do(story.say(FIELD, "said while nobody listened"), name="gap")
        page.get_by_text("said while nobody listened").first.wait_for()
        page.wait_for_selector(".live.open")


def test_an_asset_is_a_flow_and_its_books_meet(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page(pages(story)["asset"])
        assert page.locator("h1").inner_text() == "Thasos crude oil"
        page.wait_for_selector("svg.sankey path.flow")
        assert page.locator(".figure-big").inner_text() == "6,432 bbl"
        widths = sorted({round(float(w), 1) for w in page.locator("path.flow").evaluate_all(
            "paths => paths.map(p => p.getAttribute('stroke-width'))")}, reverse=True)  # fmt: skip
        assert len(widths) >= 4
        # Widths are in proportion to quantity: all barrels made, and those shipped.
        assert any(abs(widths[0] * 6327 / 10432 - width) < 1 for width in widths), widths
        books = page.locator("section:has(#books)").inner_text()
        for line in ("10,432 bbl", "lost in processing", "130 bbl", "3,870 bbl", "6,432 bbl", "they meet"):
            assert line in books
        owners = page.locator("section:has(#owners)").inner_text()
        assert re.search(r"Thasos Field\s+4,105 bbl", owners)
        assert re.search(r"ELPE Refinery\s+2,327 bbl", owners)
        page.locator("section:has(#flow)").get_by_role("button", name="Table").click()
        table = page.locator("section:has(#flow) table")
        assert table.get_by_role("row").filter(has_text="lost").count() + table.get_by_text("off the books").count() > 0
        page.locator("section:has(#flow)").get_by_role("button", name="Picture").click()
        page.locator("svg.sankey a rect").first.click()
        page.wait_for_url("**/tx/*")


def test_a_transaction_says_who_signed_and_for_what(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page(pages(story)["transaction"])
        main = page.locator("main").inner_text()
        assert "Thasos Field handed 6,327 bbl of Thasos crude oil to Aegean Carriers" in main
        assert "2 signatures" in main
        agreed = page.locator("section:has(#agreed)")
        assert agreed.get_by_role("row").filter(has_text=CARRIER).filter(has_text="receives").count() == 1
        assert agreed.locator(".signers li").count() == 2
        page.get_by_role("link", name=FIELD).first.click()
        page.wait_for_url("**/key/*")
        settled(page)
        assert page.locator("h1").inner_text() == FIELD


def test_a_block_shows_its_puzzle_and_tree(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page("/block/6")
        puzzle = page.locator("section:has(#puzzle)").inner_text()
        assert "solved" in puzzle
        page.locator("svg.tree a").last.click()
        page.wait_for_url("**/block/6?leaf=1")
        page.get_by_text("gives the root").wait_for()
        assert page.locator("svg.tree .branch.on").count() >= 1
        page.get_by_role("link", name="Block 5", exact=False).click()
        page.wait_for_url("**/block/5")
        page.locator("h1", has_text="Block 5").wait_for()


@pytest.mark.parametrize("path", ["/asset/{crude}", "/block/6", "/peers", "/charts"])
def test_every_picture_is_a_table_too(browser: Browser, story: Story, path: str) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page(path.format(crude=story.assets["Thasos crude oil"]))
        page.wait_for_selector("figure")
        for figure in page.locator("figure").all():
            figure.get_by_role("button", name="Table").click()
            assert figure.locator("tbody tr").count() >= 1
            assert figure.locator(".picture").count() == 0


def test_search_takes_anything(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page("/")
        for words, place in (
            (story.transactions["refine"], f"**/tx/{story.transactions['refine']}"),
            (story.address(CARRIER), "**/key/*"),
        ):
            page.keyboard.press("/")
            page.keyboard.insert_text(words)
            page.keyboard.press("Enter")
            page.wait_for_url(place)
            settled(page)
            page.locator("h1").click()
        page.keyboard.press("/")
        page.keyboard.insert_text("6")
        page.keyboard.press("Enter")
        page.locator(".hits").get_by_role("link", name="Block 6").wait_for()
        page.keyboard.press("/")
        page.keyboard.insert_text("transp barrels")
        page.keyboard.press("Enter")
        page.get_by_text("Nothing found").wait_for()
        page.keyboard.press("/")
        page.keyboard.insert_text("barrels transp")
        page.keyboard.press("Enter")
        page.locator("mark", has_text="transp").wait_for()
        reader.go(page, "/search?q=Thasos%20crude%20oil")
        page.locator(".hits").get_by_role("link", name="Thasos crude oil").click()
        page.wait_for_url("**/asset/*")


def test_every_page_says_where_its_data_is(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page("/")
        for name, path in pages(story).items():
            if name == "prove":
                continue  # it shows a file of the reader's
            reader.go(page, path)
            links = page.locator("header.heading .json")
            assert links.count() >= 1, name
            said = [text.partition("\n")[0] for text in links.all_inner_texts()]
            assert len(set(said)) == len(said), f"{name}: two links are both called {said}"
            for href in links.evaluate_all("links => links.map(link => link.getAttribute('href'))"):
                if name == "offers":
                    assert href is None, "it answers the owner alone"
                elif href != "/v1/events":
                    assert story.client.get(href).headers["content-type"].startswith("application/json"), href


def test_all_pages_in_greek_on_a_phone(browser: Browser, story: Story) -> None:
    with reading(browser, story.url, locale="el-GR", viewport=PHONE) as reader:
        page = reader.page("/")
        for name, path in pages(story).items():
            reader.go(page, path)
            assert wider_than_the_screen(page) == [], name
            assert page.locator("html").get_attribute("lang") == "el"
            heads = page.locator("h2").all_inner_texts()
            assert all(re.search(r"[α-ωά-ώΑ-ΩΆ-Ώ]|^Bytes$", head) for head in heads), (name, heads)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_a_readers_way_on_any_page(browser: Browser, story: Story, scheme: str) -> None:
    with reading(browser, story.url, color_scheme=scheme) as reader:
        page = reader.page("/")
        found = {}
        for name, path in pages(story).items():
            reader.go(page, path)
            if findings := axe_findings(page, only_colours=scheme == "dark"):
                found[name] = findings
        assert found == {}


def test_keys_without_names_are_far_enough_apart(browser: Browser, story: Story) -> None:
    """A node whose operator named nobody, and every other one until its names are read."""
    with reading(browser, story.url) as reader:
        page = reader.page("/")
        page.route("**/v1/names", lambda route: route.fulfill(json={"names": []}))
        found = {}
        for name in ("transaction", "asset"):
            reader.go(page, pages(story)[name])
            assert page.locator("main a.party.hash").count() >= 1, name
            if findings := axe_findings(page):
                found[name] = findings
        assert found == {}


def test_names_lead_to_the_refinery(browser: Browser, story: Story) -> None:
    with reading(browser, story.url) as reader:
        page = reader.page("/assets")
        page.get_by_role("link", name="Petrol 95").click()
        page.locator("section:has(#owners)").get_by_role("link", name=REFINERY).click()
        page.wait_for_url("**/key/*")
        page.get_by_text("880 bbl").first.wait_for()
