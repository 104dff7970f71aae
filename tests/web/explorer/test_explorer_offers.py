"""Two companies, two nodes as processes, two explorers in two pages: a hand-over is offered in one and accepted in the other,
another is refused; both boards show what came of it. HOROI_SCREENSHOTS=FOLDER keeps pictures of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.node.live_nodes import wait_until
from tests.web.explorer.explorer_browser import PHONE, Reader, axe_findings, reading, settled, wider_than_the_screen

from horoi.base.address import address_of
from horoi.cli.troupe.processes import NodeProcess, Troupe
from horoi.cli.troupe.stage import Stage
from horoi.node.story.format import read_story
from horoi.web.model.wallet import HandOverStep

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.real

LIVE_MS = 40_000.0  # for what another node did to appear: a block of a second, on a busy machine

STORY = b"""
title = "Two at the quay"
[network]
interval_ms = 1000
hash_rate = 500
[[companies]]
id = "field"
name = "Thasos Field"
[[companies]]
id = "carrier"
name = "Aegean Carriers"
[[assets]]
id = "crude"
name = "Thasos crude oil"
unit = "bbl"
issuer = "field"
limit = "100000"
[[steps]]
by = "field"
post = "10432 barrels produced in Thasos"
about = "crude"
do = [{ verb = "issue", asset = "crude", quantity = "10432" }]
"""


class Desk:
    """A company at its explorer, its token shown."""

    def __init__(self, reader: Reader, node: NodeProcess) -> None:
        self.reader = reader
        self.node = node
        self.page = reader.page("/offers")
        self.page.get_by_label("Token").fill((node.folder / "api-token").read_text().strip())
        self.page.get_by_role("button", name="Go on").click()
        self.page.get_by_role("button", name="Forget the token").wait_for()

    def go(self, path: str) -> Page:
        self.reader.go(self.page, path)
        return self.page

    def go_to_offer(self, offer_id: str) -> Page:
        """Open an offer's page, once the offer has reached this node: before, its page is one of nothing."""

        def has_arrived() -> bool:
            return offer_id in [offer.id for offer in self.node.client.offers("all").offers]

        wait_until(has_arrived, LIVE_MS / 1000, f"offer {offer_id} at the other node")
        return self.go(f"/offers/{offer_id}")

    def sees(self, text: str, where: str = "main") -> None:
        """Wait until this is on the page, without loading it again."""
        self.page.locator(where).get_by_text(re.compile(text)).first.wait_for(timeout=LIVE_MS)


@pytest.fixture(scope="module")
def companies(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[NodeProcess]]:
    """Two nodes that run; the field has 10432 barrels. After ``browser``: without one nothing is started."""
    story = read_story(STORY, "the test's")
    with Troupe(story, tmp_path_factory.mktemp("quay")) as troupe:
        troupe.start()
        Stage(troupe).play()
        yield troupe.nodes


@pytest.fixture(scope="module")
def desks(browser: Browser, companies: list[NodeProcess]) -> Iterator[tuple[Desk, Desk]]:
    with ExitStack() as stack:
        readers = [stack.enter_context(reading(browser, node.api)) for node in companies]
        yield tuple(Desk(reader, node) for reader, node in zip(readers, companies, strict=True))  # type: ignore[misc]


def offer_in_the_page(desk: Desk, amount: str, note: str) -> str:
    """A hand-over to the carrier, filled in, read, and offered; the offer's id."""
    page = desk.go("/act?verb=hand-over")
    crude = page.locator("option", has_text="Thasos crude oil").get_attribute("value")
    page.get_by_label("Asset").select_option(crude)
    page.get_by_label("Amount").fill(amount)
    page.get_by_label("To", exact=True).fill("Aegean Carriers")
    page.locator("form.stack button.main").click()
    page.locator(".review").get_by_text(f"hands over {int(amount):,} bbl").wait_for()
    page.get_by_label("A word to them").fill(note)
    page.get_by_role("button", name="Sign and offer").click()
    page.get_by_role("link", name="See the offer").click()
    page.wait_for_url("**/offers/*")
    settled(page)
    return page.url.rpartition("/")[2]


def keep_picture(page: Page, name: str) -> None:
    folder = os.environ.get("HOROI_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


def state_of(node: NodeProcess, offer_id: str) -> Any:
    return node.client.offer(offer_id).state


def test_a_hand_over_is_offered_in_one_page_and_accepted_in_the_other(desks: tuple[Desk, Desk]) -> None:
    field, carrier = desks
    carrier.go("/offers")
    offer_id = offer_in_the_page(field, "6327", "6327 barrels, ready at the quay")
    field.sees("It waits for the others")
    carrier.sees("6327 barrels, ready at the quay")  # by itself, over the stream of events
    carrier.sees("waits for you")
    keep_picture(carrier.page, "offers-incoming")
    carrier.page.get_by_role("link", name=re.compile("Thasos Field hands over 6,327 bbl")).click()
    carrier.page.wait_for_url(f"**/offers/{offer_id}")
    carrier.sees("This node's signature is asked for")
    changes = carrier.page.locator("section[aria-labelledby=changes] tbody tr")
    assert re.search(r"0\s*→\s*then\s*6,327 bbl \(\+6,327\)", changes.filter(has_text="this node").inner_text())
    assert axe_findings(carrier.page) == []
    keep_picture(carrier.page, "offer-to-sign")
    with carrier.page.expect_download() as saved:
        carrier.page.get_by_role("button", name="JSON data of this page").click()
    assert json.loads(saved.value.path().read_bytes())["id"] == offer_id
    carrier.page.get_by_role("button", name="Read and sign").click()
    carrier.page.wait_for_function("() => document.activeElement.innerText === 'This is what you sign'")
    assert state_of(carrier.node, offer_id) == "open", "reading signs nothing"
    carrier.page.get_by_role("button", name="Sign", exact=True).click()
    for desk in desks:
        desk.sees("It is in the ledger")
        assert state_of(desk.node, offer_id) == "confirmed"
    keep_picture(field.page, "offer-confirmed")
    for desk in desks:
        desk.go("/board")
        desk.sees("6,327 bbl")
    keep_picture(carrier.page, "board-after-the-offer")


def test_what_one_says_in_its_page_stands_on_the_others_board(desks: tuple[Desk, Desk]) -> None:
    """The lecture's board: produced, transported, received."""
    field, carrier = desks
    entries = (
        (carrier, field, "6327 barrels transported from Thasos to the ELPE refinery at 2:30 pm"),
        (field, carrier, "Received 6327 barrels at 8:48 pm"),
    )
    for desk, other, text in entries:
        other.go("/board")
        page = desk.go("/act?verb=post")
        page.locator("[data-field=text]").fill(text)
        page.locator("form.stack button.main").click()
        page.get_by_role("button", name="Sign and send").click()
        page.get_by_text("Sent. It waits for a block.").wait_for()
        other.sees(text)
    for desk in desks:
        desk.go("/board")
        for text in ("10432 barrels produced in Thasos", *(text for _, _, text in entries)):
            desk.sees(text)


def test_another_is_refused_with_a_reason_and_then_ruled_out(desks: tuple[Desk, Desk]) -> None:
    field, carrier = desks
    offer_id = offer_in_the_page(field, "4000", "<img src=x onerror=alert(1)> and 4000 more?")
    page = carrier.go_to_offer(offer_id)
    carrier.sees("and 4000 more")
    page.get_by_role("button", name="Refuse").click()
    page.get_by_label("Why").fill("the ship is full")
    page.get_by_role("button", name="Refuse the offer").click()
    carrier.sees("Somebody whose signature is needed refused")
    field.sees("the ship is full")
    field.page.get_by_role("button", name="Make sure that nobody completes it").click()
    field.page.get_by_role("button", name="Sign and send").click()
    field.sees("it can never come about")
    assert state_of(field.node, offer_id) == "spent"


def test_an_own_offer_is_withdrawn_and_the_other_sees_it(desks: tuple[Desk, Desk]) -> None:
    field, carrier = desks
    offer_id = offer_in_the_page(field, "5", "a mistake")
    carrier.go_to_offer(offer_id)
    carrier.sees("a mistake")
    field.page.get_by_role("button", name="Withdraw").click()
    field.page.get_by_role("button", name="Withdraw the offer").click()
    field.sees("Its proposer took it back")
    carrier.sees("Its proposer took it back")
    assert not carrier.page.get_by_role("button", name="Read and sign").is_visible()
    page = carrier.go("/offers?state=done")
    for state in ("withdrawn", "overtaken", "confirmed"):
        carrier.sees(f"^{state}$")
    assert axe_findings(page) == []


def test_the_pages_of_offers_in_greek_on_a_phone(browser: Browser, companies: list[NodeProcess]) -> None:
    field, carrier = companies
    step = HandOverStep(asset="Thasos crude oil", amount="1077", to=address_of(carrier.key.public))
    offer_id = field.client.make_offer([step]).id
    preferences: dict[str, Any] = {"viewport": PHONE, "locale": "el-GR", "color_scheme": "dark"}
    token = (carrier.folder / "api-token").read_text().strip()
    with reading(browser, carrier.api, **preferences) as reader:
        page = reader.page("/offers")
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Συνέχεια").click()
        headline = page.locator(f".offer-words a[href='/offers/{offer_id}']")
        headline.wait_for(timeout=LIVE_MS)
        assert page.locator("h1").inner_text() == "Προσφορές"
        assert wider_than_the_screen(page) == []
        assert axe_findings(page) == []
        assert re.fullmatch(
            r"Thasos Field παραδίδει 1\.077 bbl Thasos crude oil \[[0-9a-f]{16}\], πάντα στην κυριότητα Thasos Field, "
            r"σε .*Aegean Carriers.*\.",
            headline.inner_text(),
        )
        headline.click()
        page.get_by_text("Τι συμφωνείται").wait_for()
        settled(page)
        assert page.locator("main [lang=en]").count() == 0
        assert page.locator(".agreed li").last.inner_text().startswith("Πρέπει να συμφωνήσουν: ")
        page.get_by_role("button", name="Ανάγνωση και υπογραφή").click()
        assert (
            page.locator(".review .agreed li").all_inner_texts()
            == page.locator("section[aria-labelledby=says] .agreed li").all_inner_texts()
        )
        assert wider_than_the_screen(page) == []
        assert axe_findings(page) == []


def test_another_sites_page_cannot_sign_here(desks: tuple[Desk, Desk], browser: Browser) -> None:
    """A hostile page in the same browser: a form, fetches of both kinds, an event stream. Nothing is read, nothing is changed."""
    node = desks[1].node
    token = (node.folder / "api-token").read_text().strip()
    context = browser.new_context()
    page = context.new_page()
    page.route("http://evil.example/**", lambda route: route.fulfill(body="<h1>evil</h1>", content_type="text/html"))
    page.goto("http://evil.example/")
    before = node.client.offers("all").count
    outcome = page.evaluate(
        """async ([url, token]) => {
          const tried = {};
          const attempt = async (name, f) => { try { tried[name] = await f(); } catch (error) { tried[name] = "refused"; } };
          const body = JSON.stringify({steps: [{verb: "post", text: "evil"}]});
          await attempt("cors", async () => (await fetch(url + "/v1/offers", {method: "POST", body, headers:
              {"Content-Type": "application/json", "Authorization": "Bearer " + token}})).status);
          await attempt("no-cors", async () =>
              (await fetch(url + "/v1/wallet/post", {method: "POST", body, mode: "no-cors"})).type);
          await attempt("read", async () => (await fetch(url + "/v1/status")).status);
          await attempt("stream", () => new Promise((done) => {
            const source = new EventSource(url + "/v1/events");
            source.onopen = () => done("open");
            source.onerror = () => done("refused");
          }));
          return tried;
        }""",
        [node.api, token],
    )
    blind = outcome.pop("no-cors")  # sent, and answered 403 to nobody; or kept from loopback by the browser itself
    assert blind in ("opaque", "refused")
    assert outcome == {"cors": "refused", "read": "refused", "stream": "refused"}
    page.set_content(
        f"""<form action="{node.api}/v1/wallet/post" method="post" enctype="text/plain">
        <input name='{{"text":"evil","x":"' value='"}}'><button>go</button></form>"""
    )
    page.get_by_role("button").click()
    page.wait_for_url(lambda url: "evil" not in url)  # the refusal, or the browser's own page of an error
    assert "another site" in page.content() or page.url.startswith("chrome-error:")
    assert node.client.offers("all").count == before
    assert "evil" not in [entry.post.text for entry in node.client.all_posts()]
    context.close()
