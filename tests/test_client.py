"""The Python client against a real port: every method, every family of error, waiting, the live stream."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.web.web_node import ALICE, BOB, CARRIER
from tests.web.web_server import Serving, serving

from horoi.base.address import address_of
from horoi.base.codec import encode
from horoi.base.errors import (
    ForbiddenError,
    HoroiError,
    InsufficientError,
    NetworkError,
    NotFoundError,
    RuleError,
    UsageError,
)
from horoi.client import Client
from horoi.ledger.block import block_codec
from horoi.ledger.conditions import Key
from horoi.ledger.genesis import from_json
from horoi.ledger.transaction import Body, Post, Signature, Transaction, Witness
from horoi.node.wallet import partial as partials
from horoi.web import client_http
from horoi.web.client_owner import _PATHS
from horoi.web.model.node import EVENT_KINDS
from horoi.web.model.refusals import error_of
from horoi.web.model.wallet import Define, HandOver, HandOverStep, Issue, Merge, Say, SayStep, Transfer, Verb
from horoi.web.token import read_token


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, Path]]:
    folder = tmp_path_factory.mktemp("node")
    with serving(folder) as server:
        yield server, folder


@pytest.fixture
def server(running: tuple[Serving, Path]) -> Serving:
    return running[0]


@pytest.fixture
def node(running: tuple[Serving, Path]) -> Iterator[Client]:
    server, folder = running
    with Client(server.url, read_token(folder), timeout_s=30) as client:
        yield client


def said(server: Serving, text: str) -> Transaction:
    chain = server.host.node.chain
    body = Body(posts=(Post(Key(ALICE.public), text, None, None),), since=chain.tip.height)
    return Transaction(body, Witness((Signature(ALICE.public, ALICE.sign(chain.ledger.id_of(body))),)))


def test_a_story_by_client(server: Serving, node: Client) -> None:
    defined = node.act(Define(name="crude oil", unit="bbl", decimals=2, limit="100000"))
    crude = defined.assets[0]
    server.call(server.host.mine)
    made = node.wait_confirmed(node.act(Issue(asset=crude, amount="10432")).id, depth=0)
    assert made.status == "waiting"
    server.call(server.host.mine)
    bob = address_of(BOB.public)
    sold = node.act(Transfer(asset="crude oil", amount="327.5", to=bob))
    waiter: list[int] = []
    thread = threading.Thread(
        target=lambda: waiter.append(node.wait_confirmed(sold.id, depth=2, timeout_s=20).confirmations)
    )
    thread.start()
    server.call(server.host.mine, 2)
    thread.join(30)
    assert waiter == [2]
    assert node.holdings(address=bob, asset=crude).sums[0].owned.amount == "327.5"
    assert node.asset(crude).asset.issued == "1043200"
    assert node.assets(name="crude oil").assets[0].id == crude
    assert [e.transaction for e in node.asset_history(crude).transactions] == [defined.id, made.id, sold.id]
    assert node.rights(address=address_of(ALICE.public)).outputs[0].output.amount.name == "crude oil"
    steps = [
        HandOverStep(asset=crude, amount="6327", to=address_of(CARRIER.public)),
        SayStep(text="handed over", about=crude),
    ]
    offer = node.draft(steps)
    assert offer.missing == [address_of(CARRIER.public)]
    signed = partials.sign(partials.from_json(_json_bytes(offer.partial)), CARRIER)
    done = node.sign(_json(partials.to_json(signed)))
    assert done.submitted
    server.call(server.host.mine)
    assert node.transaction(done.id).posts[0].about_name == "crude oil"


def _json_bytes(value: object) -> bytes:
    return json.dumps(value).encode()


def _json(data: bytes) -> dict[str, object]:
    value: dict[str, object] = json.loads(data)
    return value


def test_transactions_one_and_many(server: Serving, node: Client) -> None:
    one = said(server, "one")
    assert node.submit(one).accepted
    batch = node.submit_batch([said(server, "two"), encode(said(server, "three")), b"garbage"])
    assert [r.accepted for r in batch.results] == [True, True, False]
    assert node.waiting().count >= 3
    forged = Transaction(said(server, "four").body, Witness((Signature(ALICE.public, bytes(64)),)))
    with pytest.raises(RuleError) as caught:
        node.submit(encode(forged))
    assert caught.value.rule == "witness.signature"


def test_what_else_a_node_tells(server: Serving, node: Client) -> None:
    server.call(server.host.mine)
    status = node.status()
    assert status.height == server.host.node.chain.tip.height
    assert from_json(node.genesis()) == server.host.node.chain.genesis
    assert node.peers().peers == []
    assert node.dial("192.0.2.5:7000").address == "192.0.2.5:7000"
    assert node.set_mining(0).hash_rate == node.mining().hash_rate == 0
    assert node.is_healthy()
    assert "horoi_height" in node.metrics()
    assert node.openapi()["openapi"] == "3.1.0"
    assert node.wallet_keys().keys[0].name == "alice"
    block = node.block("tip")
    assert block_codec.decode(node.block_bytes(block.header.height)).header.height == status.height
    assert node.blocks(limit=1).blocks[0].header == node.headers(status.height, 1).headers[0] == block.header


def test_posts_page_by_page(server: Serving, node: Client) -> None:
    digest = hashlib.sha256(b"document").hexdigest()
    for number in range(3):
        node.act(Say(text=f"post {number}", document=digest))
    server.call(server.host.mine)
    assert {p.post.text for p in node.all_posts()} >= {"post 0", "post 1", "post 2"}
    assert len(node.document(digest).posts) == 3
    assert len(node.posts(limit=1).posts) == 1


def test_refusals_come_back_as_the_errors_they_are(server: Serving, node: Client) -> None:
    with pytest.raises(NotFoundError):
        node.transaction("00" * 32)
    with pytest.raises(UsageError):
        node.holdings()
    with pytest.raises(UsageError):
        node.asset("xyz")
    with pytest.raises(NotFoundError):
        node.asset("../status")
    with pytest.raises(InsufficientError):
        node.act(Transfer(asset="coin", amount="99999999999", to=address_of(BOB.public)))
    with Client(server.url) as nobody:
        with pytest.raises(ForbiddenError, match="token"):
            nobody.act(Say(text="x"))
        with pytest.raises(ForbiddenError):
            Client(server.url, "00" * 32).wallet_keys()
    with pytest.raises(NetworkError, match="after 0 s"):
        node.wait_confirmed("00" * 32, timeout_s=0)


def test_a_node_that_is_not_there_is_named() -> None:
    for url in ("http://127.0.0.1:9", "http://no such host", "nonsense"):
        with Client(url) as client, pytest.raises(NetworkError, match="is the node running there"):
            client.status()
        with Client(url) as client, pytest.raises(NetworkError):
            next(client.events())


def test_an_answer_of_somebody_else_is_not_taken_for_a_node() -> None:
    assert isinstance(error_of(502, b"<html>bad gateway</html>"), NetworkError)
    assert isinstance(
        error_of(500, b'{"type":"urn:horoi:problem:x","title":"T","status":500,"detail":"d"}'), HoroiError
    )


def test_events_as_they_happen(server: Serving, node: Client) -> None:
    seen: list[tuple[str, object]] = []
    begun = threading.Event()

    def listen() -> None:
        for event in node.events(["block", "post"]):
            seen.append((event.kind, event.data.get("height")))
            begun.set()
            if event.kind == "post":
                return

    thread = threading.Thread(target=listen)
    thread.start()
    while not begun.is_set() and thread.is_alive():
        server.call(server.host.mine)  # until the stream stands
        begun.wait(0.05)
    with Client(server.url, node._token) as other:
        other.act(Say(text="look"))
    server.call(server.host.mine)
    thread.join(30)
    assert not thread.is_alive()
    assert seen[-1][0] == "post"
    assert seen[0][0] == "block"
    with pytest.raises(UsageError):
        next(node.events(["nothing"]))
    assert {"movement", "waiting", "agreement"} < set(EVENT_KINDS)


def test_every_page_of_the_explorer_can_be_asked_for(server: Serving, node: Client) -> None:
    crude = node.act(Define(name="shown", unit="bbl", limit="100")).assets[0]
    server.call(server.host.mine)
    node.act(Issue(asset=crude, amount="40"))
    server.call(server.host.mine)
    alice = address_of(ALICE.public)
    assert [entry.name for entry in node.set_name(alice, "Alice").names if entry.source == "book"] == ["Alice"]
    assert node.names().names[0].name == "Alice"
    assert node.board(limit=1, waiting=False).lines[0].words == "Alice made 40 bbl of shown"
    assert "Alice made 40 bbl of shown" in [line.words for line in node.all_lines()]
    assert node.provenance(crude, related=False).reconciliation.existing == "40"
    assert node.key("alice").party.text == "Alice"
    assert node.tree("tip", leaf=0).leaves == 2
    assert node.network().nodes[0].kind == "self"
    assert node.diagnostics().checks
    assert node.charts(points=2).points == 2
    assert node.search("shown").hits[0].id == crude
    node.set_name(alice, "")


def test_every_verb_has_its_path() -> None:
    assert set(_PATHS) == set(Verb.__args__)
    assert _PATHS[HandOver] == "hand-over"
    assert _PATHS[Merge] == "merge"


def test_importing_the_client_loads_no_server() -> None:
    heavy = "httpx", "starlette", "uvicorn", "prometheus_client"
    code = f"import horoi.client, sys; print(*[m for m in {heavy} if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment()
    )
    assert loaded.stdout.strip() == ""


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": "src"}


@pytest.mark.parametrize(("bound", "said"), [("MAX_ANSWER_SIZE_BYTES", "over 1000 bytes"), ("MAX_ANSWER_S", "in -1 s")])
def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch, bound: str, said: str) -> None:
    monkeypatch.setattr(client_http, bound, 1000 if bound == "MAX_ANSWER_SIZE_BYTES" else -1)
    given = 0

    def endless() -> Iterator[bytes]:
        nonlocal given
        while True:
            given += 1
            yield bytes(100)

    client = Client("http://liar.example")
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=endless()))
    client._opened = httpx.Client(transport=transport, base_url=client.url)
    with pytest.raises(NetworkError, match=said):
        client.header_records(0, 5)
    assert given < 20
