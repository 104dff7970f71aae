"""Two verifiers, one judgement: the page's JavaScript and ``horoi proof verify`` agree, of every verb and kind of condition, on
what holds, and where something does not, on the link that they name broken and on the rule of the ledger."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import pytest
from tests.ledger.histories import CREATED_MS, EASY, INTERVAL_MS, PAIRS
from tests.ledger.histories import genesis as small_network
from tests.ledger.proof.proofs import story
from tests.web.explorer.explorer_browser import PHONE, axe_findings, reading, wider_than_the_screen
from tests.web.explorer.explorer_forgeries import Case, byte_form_cases, file_cases, note_cases, transaction_cases
from tests.web.explorer.explorer_scenes import BROKEN, scene_cases, scene_transaction
from tests.web.web_server import Serving, serving

from horoi.base.codec import encode
from horoi.ledger.block import Block, Header, block_hash, content_leaf, genesis_block, reward_id
from horoi.ledger.consensus.nakamoto.puzzle import Search
from horoi.ledger.genesis import Genesis, network_id, to_json
from horoi.ledger.merkle import root_of_leaf_hashes
from horoi.ledger.proof.form import ProofError, read, write
from horoi.ledger.proof.verify import verify
from horoi.ledger.transaction import transaction_id
from horoi.web.explorer.serving import BUILT

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from horoi.base.keys import KeyPair

HOLDS = "holds"
RULES = "rules of the ledger"
NAMES = {
    "form": "form",
    "network": "other network",
    "header": "header {n}",
    "puzzle": "puzzle of header {n}",
    "target": "target of header {n}",
    "time": "time of header {n}",
    "tip": "tip",
    "record": "header of the record",
    "transaction": "transaction",
    "reward": "reward",
    "merkle": "merkle path",
    "signature": "signature of {key}",
    "rules": RULES + ": {rule}",
    "claim": "claim",
    "holding": "holding",
    "state": "state root of header {n}",
    "stateheader": "header of the state",
    "bitpath": "path of the bits",
    "spent": "bit says spent",
    "checkpoint": "checkpoint",
    "rung": "path to the checkpoint",
    "cosignature": "cosignature of {who}",
}
"""The browser's names of links, as the terminal writes them."""

VERIFY = """async ([tools, genesis, files]) => {
  const { readGenesis, verifyProof } = await import(tools);
  const read = genesis && readGenesis(genesis);
  return files.map((file) => verifyProof(Uint8Array.from(atob(file), (c) => c.charCodeAt(0)), { genesis: read }).broken);
}"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Whoever serves the page; it is not asked anything."""
    with serving(tmp_path_factory.mktemp("node")) as running:
        yield running


def at_the_terminal(file: bytes, genesis: Genesis | None) -> str:
    """What ``horoi proof verify`` says: that it holds, or the broken link, and the ledger's rule."""
    try:
        verify(read(file), genesis)
    except ProofError as error:
        return f"{error.rule}: {error.detail.partition(':')[0]}" if error.rule == RULES else error.rule
    return HOLDS


def in_the_browser(page: Page, cases: list[Case], genesis: Genesis | None) -> list[str]:
    """What the page says of each."""
    chunks = msgspec.json.decode((BUILT / "manifest.json").read_bytes())["chunks"]
    tools = f"/static/{chunks['source/prove/tools.js'][0]}"
    text = to_json(genesis).decode() if genesis else None
    files = [base64.b64encode(case.file).decode() for case in cases]
    return [name_of(broken) for broken in page.evaluate(VERIFY, [tools, text, files])]


def name_of(broken: dict[str, Any] | None) -> str:
    if broken is None:
        return HOLDS
    name, values = broken["name"], broken["values"]
    return "header" if name == "header" and "n" not in values else NAMES[name].format(**values)


def judged(browser: Browser, url: str, cases: list[Case], genesis: Genesis | None = None) -> dict[str, list[str]]:
    """What was done to the cases, by the judgement that both verifiers made of them."""
    with reading(browser, url) as reader:
        seen = in_the_browser(reader.page("/prove"), cases, genesis)
    found: dict[str, list[str]] = {}
    differing = []
    for case, browsers in zip(cases, seen, strict=True):
        terminals = at_the_terminal(case.file, genesis)
        found.setdefault(terminals, []).append(case.what)
        if terminals != browsers:
            differing.append(f"{case.what}\n  at the terminal: {terminals}\n  in the browser: {browsers}")
    assert not differing, "\n".join(differing)
    return found


def test_who_had_to_sign_and_every_rule(browser: Browser, node: Serving) -> None:
    found = judged(browser, node.url, list(scene_cases()))
    for rule in BROKEN:
        assert rule in found[f"{RULES}: {rule}"]
    for what in (
        "sold and handed over, signed by acd",
        "reclaimed in time, signed by a",
        "by two of three, signed by bc",
    ):
        assert what in found[HOLDS]
    lacking = found[f"{RULES}: authority.missing"]
    for what in ("handed over, signed by c", "handed over, signed by d", "sold and handed over, signed by cd"):
        assert what in lacking
    assert "reclaimed too early, signed by a" in lacking
    assert "by key without the secret, signed by b" in lacking


@pytest.mark.parametrize("seed", range(2))
def test_histories_of_every_verb_as_they_were_and_changed(browser: Browser, node: Serving, seed: int) -> None:
    found = judged(browser, node.url, transaction_cases(seed, 150) + byte_form_cases(seed, 20))
    assert len(found[HOLDS]) > 20
    assert len(found[f"{RULES}: authority.missing"]) > 2
    assert len(found) > 8


def test_files_with_something_changed(browser: Browser, node: Serving) -> None:
    dice = Random(6)
    cases = [case for kind, proof in story().proofs().items() for case in file_cases(kind, write(proof), dice, 25)]
    cases += note_cases(write(story().proofs()["document"]))
    cases += [Case(kind, write(proof)) for kind, proof in story().proofs().items()]
    for genesis in (None, story().chain.genesis):
        found = judged(browser, node.url, cases, genesis)
        assert found[HOLDS] == list(story().proofs())
        assert len(found) > 10


def test_every_link_has_its_words() -> None:
    """That they are in both languages is the dictionary's own test. Of a rule, the rule's words are said."""
    said = (BUILT.parent / "source" / "words" / "prove.js").read_text()
    for link in (*NAMES, "genesis", "shown"):
        assert f'"prove.link.{link}"' in said
        assert f'"prove.broken.{link}"' in said or link == "rules"


def test_a_proof_that_lacks_a_signature_names_the_rule_in_both_languages(
    browser: Browser, node: Serving, tmp_path: Path
) -> None:
    file = tmp_path / "bill.json"
    file.write_bytes(next(case.file for case in scene_cases() if case.what == "handed over, signed by c"))
    said = {
        "en-GB": ("rules of the ledger", "Somebody who has to agree has not."),
        "el-GR": ("κανόνες του μητρώου", "Κάποιος που πρέπει να συμφωνήσει δεν έχει συμφωνήσει."),
    }
    for locale, words in said.items():
        with reading(browser, node.url, viewport=PHONE, locale=locale) as reader:
            page = reader.page("/prove")
            page.locator(".drop input").set_input_files(file)
            page.get_by_role("alert").wait_for()
            assert all(word in page.get_by_role("alert").inner_text() for word in words)
            broken = page.locator("tr:has(.tag.bad)")
            assert "authority.missing" in broken.inner_text()
            assert "agreement(s) missing" in broken.locator("[lang=en]").inner_text()
            assert wider_than_the_screen(page) == []
            assert page.locator(".verdict .table").evaluate("e => e.scrollWidth <= e.clientWidth"), "long hashes break"
            assert axe_findings(page) == []


def forged_block(signers: list[KeyPair]) -> dict[str, Any]:
    """What a node answers that mined a block with a hand-over in it, agreed to by these: by its address."""
    start = small_network()
    network, first = network_id(start), genesis_block(start).header
    item = scene_transaction("handed over", signers, network)
    name = transaction_id(network, item.body)
    root = root_of_leaf_hashes(
        [content_leaf(0, reward_id(network, 1, ()), b""), content_leaf(0, name, encode(item.witness))]
    )
    unsolved = Header(1, block_hash(first), root, bytes(32), CREATED_MS + INTERVAL_MS, EASY, bytes(8))
    header = Search(unsolved, 0, 10_000).run()
    assert header is not None
    shown = {"hash": block_hash(header).hex(), "hex": encode(header).hex()}
    return {
        "/v1/genesis": to_json(start),
        "/v1/headers": {"headers": [{"hex": encode(one).hex()} for one in (first, header)]},
        f"/v1/blocks/{shown['hash']}": encode(Block(header, (), (item,))),
        "/v1/blocks/1": {"header": shown, "transaction_count": 1, "transactions": [name.hex()]},
    }


@pytest.mark.parametrize(("signers", "verdict"), [("cd", "good"), ("c", "bad")])
def test_the_audit_of_a_block_asks_who_had_to_sign(browser: Browser, node: Serving, signers: str, verdict: str) -> None:
    answers = forged_block([PAIRS["abcd".index(letter)] for letter in signers])

    def answer(route: Any) -> None:
        made = answers[urlsplit(route.request.url).path]
        route.fulfill(body=made) if isinstance(made, bytes) else route.fulfill(json=made)

    with reading(browser, node.url) as reader:
        page = reader.page("/prove?kind=block&id=1")
        page.route(re.compile("/v1/(genesis|headers|blocks)"), answer)
        page.get_by_role("button", name="Audit").click()
        page.locator(f".audit p.verdict.{verdict}").wait_for()
        rules = page.locator(".audit tr", has_text=RULES)
        assert ("authority.missing" in rules.inner_text()) == (verdict == "bad")
