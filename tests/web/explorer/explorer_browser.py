"""A real browser (Debian's chromium, driven by playwright) that looks at an explorer, and objects to what people would not see.

Every page is watched: an error or a warning on the console, an exception, a breach of the content-security policy, or a request
to another host fails the test that opened it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from horoi.web.explorer.serving import BUILT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[3]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = 30_000.0  # of every condition; a guess for a busy machine
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}


def missing(what: str) -> None:
    """Skip loudly where the browser is not installed; fail where it must be (CI)."""
    message = f"browser tests need {what}"
    if os.environ.get("CI"):
        pytest.fail(message)
    warnings.warn(f"SKIPPED, the explorer is not tested in a browser: {message}", stacklevel=2)
    pytest.skip(message)


def find_chromium() -> str:
    """The browser's path; skips or fails without."""
    if importlib.util.find_spec("playwright") is None:
        missing("playwright: pip install playwright")
    if not (BUILT / "manifest.json").exists():
        missing("the packed explorer: make explorer")
    if not AXE.exists():
        missing("axe-core: npm ci")
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        missing("chromium: apt-get install chromium")
    return str(found)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A browser of one's own. No event loop may run in this thread meanwhile: playwright has one here."""
    program = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Reader:
    """Somebody who looks at pages, in a context (cookies, storage, preferences) of their own."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.objections: list[str] = []
        self.expected: tuple[str, ...] = ()
        """Parts of console lines that belong to the test (an answer of 404, say)."""

    def page(self, path: str = "/") -> Page:
        """A new tab, opened at a path, once its content is there."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.objections.append(f"exception: {error}"))
        page.on("request", self._request)
        self.go(page, path)
        return page

    def go(self, page: Page, path: str) -> None:
        """Open a path in a tab."""
        page.goto(self.url + path)
        settled(page)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and not any(part in message.text for part in self.expected):
            self.objections.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.objections.append(f"another host was asked: {request.url}")

    def check(self) -> None:
        """Fail with what was wrong."""
        assert not self.objections, "\n".join(self.objections)


def settled(page: Page) -> None:
    """Wait until a page shows its heading and nothing is being read."""
    # A frame first: a link within the explorer changes the address at once, and draws the new page after it.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    page.wait_for_selector("main h1, main .problem")
    page.wait_for_function("() => !document.querySelector('main [aria-busy=true]')")


@contextmanager
def reading(browser: Browser, url: str, **preferences: Any) -> Iterator[Reader]:
    """A reader of the node at ``url``; checked at the end. ``preferences`` are playwright's: viewport, locale, color_scheme."""
    context = browser.new_context(**{"viewport": DESKTOP, "locale": "en-GB", "reduced_motion": "reduce", **preferences})
    try:
        reader = Reader(context, url)
        yield reader
        reader.check()
    finally:
        for page in context.pages:
            page.unroute_all(behavior="ignoreErrors")  # an answer that is being made up is of no use to a closed page
        context.close()


STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe_findings(page: Page, *, only_colours: bool = False) -> list[str]:
    """What axe-core finds serious or critical, in a line each (WCAG 2.2 A and AA); or only of the contrast of colours."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    rules = ["color-contrast"] if only_colours else STANDARDS
    result = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules)
    return [
        f"{finding['id']}: {finding['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for finding in result["violations"]
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"]
    ]


def wider_than_the_screen(page: Page) -> list[str]:
    """Elements that stick out of the page to the right, unless inside a frame that scrolls."""
    return list(
        page.evaluate(
            """() => {
              const wide = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= wide) return [];
              return [...document.querySelectorAll('body *')]
                .filter(e => e.getBoundingClientRect().right > wide + 1 && !e.closest('.table'))
                .map(e => e.outerHTML.slice(0, 120)).slice(0, 8);
            }"""
        )
    )
