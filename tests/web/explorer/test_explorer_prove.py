"""Proofs in a browser: dropped ones hold or name the broken link, and the audit finds a node out that shows another thing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.ledger.proof.proofs import WITNESSES, story
from tests.web.explorer.explorer_browser import PHONE, axe_findings, reading, wider_than_the_screen
from tests.web.web_server import Serving, serving

from horoi.client import Client
from horoi.ledger.checkpoint import witness_key
from horoi.ledger.genesis import to_json
from horoi.ledger.proof.form import write
from horoi.web.model.wallet import Define, Say

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TOKEN_FILE = "api-token"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A node with an asset and a post, twelve blocks deep."""
    folder = tmp_path_factory.mktemp("node")
    with serving(folder) as running:
        with Client(running.url, (folder / TOKEN_FILE).read_text().strip()) as client:
            asset = client.act(Define(name="crude", unit="bbl", limit="1000"))
            running.call(running.host.mine)
            post = client.act(Say(text="<b>produced</b> at Thasos", about=asset.assets[0]))
            running.call(running.host.mine, 12)
            running.told = {"transaction": asset.id, "post": post.id, "asset": asset.assets[0]}  # type: ignore[attr-defined]
        yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Proofs of every kind, and their genesis."""
    folder = tmp_path_factory.mktemp("proofs")
    for kind, proof in story().proofs().items():
        (folder / f"{kind}.json").write_bytes(write(proof))
    (folder / "genesis.json").write_bytes(to_json(story().chain.genesis))
    return folder


def drop(page: Page, file: Path) -> None:
    """Choose a file; return when the verdict is there."""
    page.locator(".drop input").set_input_files(file)
    page.wait_for_function("name => document.querySelector('.verdict p')?.innerText.includes(name)", arg=file.name)


def verdict(page: Page) -> str:
    return page.locator("#verdict").inner_text()


def test_proofs_of_every_kind_hold(browser: Browser, node: Serving, files: Path) -> None:
    with reading(browser, node.url) as reader:
        page = reader.page("/prove")
        for kind in story().proofs():
            drop(page, files / f"{kind}.json")
            assert "The proof holds" in verdict(page), kind
        page.locator("summary").click()
        page.locator(".options input").set_input_files(files / "genesis.json")
        drop(page, files / "whole.json")
        assert "no other chain from this genesis" in page.locator("main").inner_text()
        page.locator("textarea").fill("\n".join(str(witness_key(pair.public)) for pair in WITNESSES))
        drop(page, files / "document.json")
        assert "one of the witnesses you chose" in page.locator("main").inner_text()
        drop(page, files / "post.json")
        assert "cosignature of a witness" in page.get_by_role("alert").inner_text()
        assert axe_findings(page) == []


def set_at(*way: Any) -> Callable[[Any], None]:
    *steps, last, value = way

    def edit(form: Any) -> None:
        inner = form
        for step in steps:
            inner = inner[step]
        inner[last] = value(inner[last])

    return edit


def flip(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def spent(form: Any) -> None:
    form["claim"]["number"] = 1
    form["unspent"]["outputs"][0]["index"] = 1


FORGERIES: list[tuple[str, Callable[[Any], Any], str]] = [
    ("transaction", set_at("records", 0, "path", 0, flip), "Merkle path"),
    ("transaction", set_at("records", 0, "first_output", lambda n: n + 1), "Merkle path"),
    ("transaction", set_at("claim", "id", flip), "claim"),
    ("transaction", set_at("tip", flip), "tip"),
    ("transaction", lambda form: form["headers"][0].pop(3), "link of a header"),
    ("transaction", set_at("headers", 0, 0, lambda text: text[:-2] + "ff"), "of a header"),
    ("transaction", set_at("records", 0, "transaction", flip), ""),
    ("transaction", set_at("network", flip), ""),
    ("holding", spent, "the bit says spent"),
    ("holding", set_at("unspent", "chunks", 0, "bits", flip), "path of the bits"),
    ("holding", set_at("unspent", "count", lambda n: n + 1), "root of the state"),
    ("document", set_at("checkpoint", "rungs", 0, "path", 0, flip), "path to the checkpoint"),
    ("document", set_at("checkpoint", "note", lambda text: text.replace("\n24\n", "\n25\n")), "cosignature"),
    ("post", set_at("horoi_proof", lambda _: 2), "form"),
]


def test_forged_proofs_name_the_broken_link(browser: Browser, node: Serving, files: Path) -> None:
    with reading(browser, node.url) as reader:
        page = reader.page("/prove")
        for number, (kind, forge, link) in enumerate(FORGERIES):
            form = json.loads((files / f"{kind}.json").read_bytes())
            forge(form)
            forged = files / f"forged-{number}.json"
            forged.write_text(json.dumps(form, indent=2, ensure_ascii=False) + "\n", "utf-8")
            drop(page, forged)
            assert "does not hold" in verdict(page), (number, kind, link)
            assert link in page.get_by_role("alert").inner_text()
        plain = files / "notes.json"
        plain.write_text("no proof at all")
        drop(page, plain)
        assert "form" in page.get_by_role("alert").inner_text()


def test_a_proof_is_dropped_in_greek_on_a_phone(browser: Browser, node: Serving, files: Path) -> None:
    with reading(browser, node.url, viewport=PHONE, locale="el-GR", color_scheme="dark") as reader:
        page = reader.page("/prove")
        transfer = page.evaluate_handle(
            "text => { const t = new DataTransfer(); t.items.add(new File([text], 'proof.json')); return t; }",
            (files / "asset.json").read_text("utf-8"),
        )
        page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
        page.wait_for_selector("#verdict")
        assert "Η απόδειξη ισχύει" in verdict(page)
        assert wider_than_the_screen(page) == []
        assert axe_findings(page) == []


def audited(page: Page) -> str:
    page.get_by_role("button", name="Audit").click()
    page.wait_for_selector("p.verdict, .audit [role=alert]")
    return page.locator(".audit").inner_text()


@pytest.mark.parametrize("kind", ["transaction", "post", "asset", "block"])
def test_the_audit_finds_what_the_node_shows_to_be_so(browser: Browser, node: Serving, kind: str) -> None:
    told: dict[str, str] = node.told  # type: ignore[attr-defined]
    with reading(browser, node.url) as reader:
        page = reader.page(f"/prove?kind={kind}&id={told.get(kind, '2')}")
        assert "as the bytes say" in audited(page)
        assert page.locator(".audit tbody tr").count() >= 6
        assert page.locator(".audit .tag.bad").count() == 0
        assert axe_findings(page) == []


@pytest.mark.parametrize(("kind", "path"), [("transaction", "/tx/{}"), ("block", "/block/{}"), ("asset", "/asset/{}")])
def test_the_audit_stands_on_the_pages_themselves(browser: Browser, node: Serving, kind: str, path: str) -> None:
    told: dict[str, str] = node.told  # type: ignore[attr-defined]
    with reading(browser, node.url) as reader:
        page = reader.page(path.format(told.get(kind, "2")))
        assert "as the bytes say" in audited(page)
        assert page.locator(".audit .tag.bad").count() == 0


LIES: list[tuple[str, str, Callable[[Any], Any], str]] = [
    ("transaction", "/v1/transactions/", set_at("time_ms", lambda n: n + 1), "what the page shows"),
    ("transaction", "/v1/transactions/", set_at("signatures", 0, "key", flip), "what the page shows"),
    ("transaction", "/v1/transactions/", set_at("outputs", 0, "content", flip), "what the page shows"),
    ("block", "/v1/blocks/", lambda form: form["transactions"].pop(), "what the page shows"),
    ("block", "/v1/blocks/", set_at("header", "hash", lambda _: "TIP"), ""),
    ("block", "/v1/headers", set_at("headers", 1, "hex", lambda text: text[:-2] + "ff"), "header"),
    ("block", "/v1/headers", lambda form: form["headers"].pop(2), "link of a header"),
]


@pytest.mark.parametrize("number", range(len(LIES)))
def test_the_audit_finds_a_lying_node_out(browser: Browser, node: Serving, number: int) -> None:
    """Something between the node and the reader changes what is shown: the bytes do not change with it."""
    kind, path, lie, link = LIES[number]
    told: dict[str, str] = node.told  # type: ignore[attr-defined]
    name = told.get(kind, "2")

    def change(route: Any) -> None:
        if "format=raw" in route.request.url:
            route.continue_()
            return
        answer = route.fetch()
        form = answer.json()
        lie(form)
        text = json.dumps(form).replace("TIP", node.host.node.chain.tip.name.hex())
        route.fulfill(response=answer, body=text)

    with reading(browser, node.url) as reader:
        page = reader.page(f"/prove?kind={kind}&id={name}")
        page.route(re.compile(path), change)
        said = audited(page)
        assert "something that is not so" in said
        assert link in page.locator(".audit tr:has(.tag.bad)").inner_text()
