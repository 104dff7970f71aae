"""What browsers are given: the shell at every page's address, files for ever, a strict policy, little to fetch first."""

from __future__ import annotations

import asyncio
import gzip
import re
from pathlib import Path

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from tests.web.explorer.explorer_browser import missing
from tests.web.web_api import running_api

from horoi.web.explorer.serving import BUILT, POLICY, Explorer

FIRST_PAINT_BYTES = 100_000  # gzipped, what the issue allows


class Client:
    """Asks an app of nothing but the explorer of a folder."""

    def __init__(self, folder: Path) -> None:
        self.app = Starlette(routes=Explorer(folder).routes())

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """One answer."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def client() -> Client:
    """Of the packed explorer."""
    if not (BUILT / "manifest.json").exists():
        missing("the packed explorer: make explorer")
    return Client(BUILT)


def paths() -> list[str]:
    """An address of every page."""
    return [re.sub(r":\w+", "1", page) for page in Explorer().pages]


def test_every_page_is_the_shell(client: Client) -> None:
    assert {"/", "/board"} <= set(paths())
    for path in paths():
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert '<div id="app">' in answer.text
    assert client.get("/no/such/page").status_code == 404


def test_who_looks_for_a_page_that_is_not_there_is_told_so_on_a_page(client: Client) -> None:
    assert client.get("/").status_code == 200  # it was built
    with running_api() as api:

        def ask(path: str, accept: str) -> httpx.Response:
            return api.runner.run(api.client.get(path, headers={"Accept": accept}))

        page = ask("/no/such/page", "text/html,*/*;q=0.8")
        assert (page.status_code, page.headers["content-security-policy"]) == (404, POLICY)
        assert '<div id="app">' in page.text
        head = api.runner.run(api.client.head("/no/such/page", headers={"Accept": "text/html"}))
        assert (head.status_code, head.headers["content-type"]) == (404, page.headers["content-type"])
        for path, accept in (
            ("/no/such/page", "*/*"),
            ("/v1/nothing", "text/html"),
            ("/epcis/v2/nothing", "text/html"),
        ):
            answer = ask(path, accept)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_the_policy_allows_nothing_inline_and_no_other_host(client: Client) -> None:
    answer = client.get("/")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|https?://", answer.text)


def test_files_are_kept_for_ever_and_the_shell_is_asked_again(client: Client) -> None:
    shell = client.get("/")
    assert shell.headers["cache-control"] == "no-cache"
    assert client.get("/", headers={"If-None-Match": shell.headers["etag"]}).status_code == 304
    names = re.findall(r'(?:src|href)="(/static/[^"]+)"', shell.text)
    assert len(names) >= 3
    for name in names:
        zipped = client.get(name)
        assert zipped.headers["content-encoding"] == "gzip"
        assert "immutable" in zipped.headers["cache-control"]
        plain = client.get(name, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == zipped.content
        assert plain.headers["content-type"].startswith(("text/javascript", "text/css"))
    assert client.get("/static/main-00000000.js").status_code == 404
    assert client.get("/static/..%2fmanifest.json").status_code == 404


def test_the_first_paint_of_every_page_is_small() -> None:
    manifest = msgspec.json.decode((BUILT / "manifest.json").read_bytes())
    sizes = {file["name"]: file["gzip_bytes"] for file in manifest["files"]}
    shell = len(gzip.compress((BUILT / "index.html").read_bytes()))
    first = shell + sum(sizes[name] for name in manifest["first"])
    for source, names in manifest["chunks"].items():
        total = first + sum(sizes[name] for name in names if name not in manifest["first"])
        assert total < FIRST_PAINT_BYTES, f"{source}: {total} bytes before anything is seen"


def test_an_explorer_that_was_not_built_says_so(tmp_path: Path) -> None:
    answer = Client(tmp_path).get("/")
    assert answer.status_code == 503
    assert "make explorer" in answer.text
    assert "/api" in answer.text


def test_the_node_serves_it_with_the_safety_of_the_api() -> None:
    if not (BUILT / "manifest.json").exists():
        missing("the packed explorer: make explorer")
    with running_api() as api:
        page: httpx.Response = api.runner.run(api.client.get("/asset/1"))
        assert page.headers["content-security-policy"].count("default-src") == 1
        assert page.headers["x-content-type-options"] == "nosniff"
        data = api.runner.run(api.client.get("/v1/status"))
        assert data.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert data.headers["cache-control"] == "no-store"
        strange = api.runner.run(api.client.get("/board", headers={"Host": "evil.example"}))
        assert strange.status_code == 421
