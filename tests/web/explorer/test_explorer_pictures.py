"""The pictures of docs/explorer.md: written when HOROI_PICTURES is set, of the story as a reader sees it; small in any case."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.web.explorer.explorer_browser import PHONE, ROOT, missing, reading
from tests.web.explorer.explorer_story import FIELD, REFINERY, telling
from tests.web.web_node import CREATED_MS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = ROOT / "docs" / "images"
MOST_BYTES = 200_000
LATER = datetime.fromtimestamp(CREATED_MS / 1000 + 45, UTC)  # in the node's own world
DARK: dict[str, Any] = {"color_scheme": "dark"}
GREEK_PHONE: dict[str, Any] = {"viewport": PHONE, "locale": "el-GR"}


def test_the_pictures_of_the_docs(browser: Browser, tmp_path: Path) -> None:
    folder = FOLDER if os.environ.get("HOROI_PICTURES") else tmp_path
    with telling(tmp_path / "node") as story:
        story.play()
        crude = story.assets["Thasos crude oil"]
        looks = {
            "board": ("/", {}),
            "board-dark": ("/", DARK),
            "asset": (f"/asset/{crude}", {}),
            "transaction": (f"/tx/{story.transactions['ship']}", {}),
            "block": ("/block/6?leaf=1", DARK),
            "search": ("/search?q=barrels", {}),
            "key": (f"/key/{story.address(REFINERY)}", {}),
            "board-phone-greek": ("/", GREEK_PHONE),
            "asset-phone-greek": (f"/asset/{crude}", {**GREEK_PHONE, **DARK}),
        }
        if folder == tmp_path:
            looks = {"board": looks["board"]}  # that pictures can be taken and are small is seen from one
        folder.mkdir(parents=True, exist_ok=True)
        for name, (path, preferences) in looks.items():
            with reading(browser, story.url, **preferences) as reader:
                reader.context.clock.set_fixed_time(LATER)
                page = reader.page(path)
                page.wait_for_selector(".live.open")
                if path.startswith("/asset/"):
                    page.wait_for_selector("svg.sankey path.flow")
                page.screenshot(path=folder / f"explorer-{name}.png")
                assert FIELD in page.locator("main").inner_text() or path.startswith("/block/")
    pictures = sorted(folder.glob("explorer-*.png"))
    assert len(pictures) == len(looks)
    assert all(picture.stat().st_size < MOST_BYTES for picture in pictures)


def test_the_page_shows_pictures_that_are_there() -> None:
    page = (ROOT / "docs" / "explorer.md").read_text()
    shown = {part.partition(")")[0] for part in page.split("](images/")[1:]}
    assert shown
    if not FOLDER.is_dir():
        missing("docs/images: HOROI_PICTURES=1 and this file of tests make them")
    for name in sorted(shown):
        size = (FOLDER / name).stat().st_size
        assert size < MOST_BYTES, f"{name} has {size} bytes"
