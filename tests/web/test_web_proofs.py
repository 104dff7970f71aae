"""Proofs over HTTP are the files that verify without a node; the checkpoint is served with its cosignatures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.web.test_web_books import define, issue
from tests.web.web_api import Api, running_api
from tests.web.web_node import ALICE, BOB

from horoi.base.address import address_of
from horoi.base.hashing import sha256
from horoi.ledger.checkpoint import is_valid, read_note, read_verifier_key
from horoi.ledger.proof.form import read
from horoi.ledger.proof.verify import Verdict, verify
from horoi.node.witness.machine import DEPTH, EVERY, Witness
from horoi.node.witness.promise import Promise, begin
from horoi.world.live.node_key import NodeKey

DOCUMENT = sha256(b"certificate").hex()


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Api, dict[str, str]]]:
    """A node with a story that lies deep, and what may be proven of it."""
    with running_api() as api:
        asset = define(api)
        issued = issue(api, asset, "10432.5")
        post = api.post("/v1/wallet/post", {"text": "produced", "about": asset, "document": DOCUMENT})["id"]
        api.host.mine(EVERY + DEPTH + 2)
        yield api, {"asset": asset, "holding": issued, "transaction": issued, "post": post, "document": DOCUMENT}


def proven(api: Api, kind: str, name: str, **query: object) -> Verdict:
    answer = api.ask("GET", f"/v1/proofs/{kind}/{name}", params=query)
    assert answer.status_code == 200, answer.text
    return verify(read(answer.content), api.access.node.chain.genesis)


@pytest.mark.parametrize("kind", ["asset", "holding", "transaction", "post", "document"])
def test_every_kind_is_served_and_verifies(told: tuple[Api, dict[str, str]], kind: str) -> None:
    api, names = told
    verdict = proven(api, kind, names[kind])
    assert verdict.claim.kind == kind
    assert verdict.work_on_top > 0
    assert proven(api, kind, names[kind], whole="true").is_whole


def test_an_assets_proof_is_of_whom_it_is_asked_for(told: tuple[Api, dict[str, str]]) -> None:
    api, names = told
    mine = proven(api, "asset", names["asset"], owner=address_of(ALICE.public))
    assert len(mine.unspent) == 2  # what was issued, and the right to issue more
    nobody = proven(api, "asset", names["asset"], owner=address_of(bytes([0x77]) * 32))
    assert nobody.unspent == ()


def test_many_holdings_of_one_block_cost_one_reading_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_api() as api:
        asset = define(api)
        issue(api, asset, "100")
        for _ in range(6):
            api.post("/v1/wallet/transfer", {"asset": asset, "amount": "1", "to": address_of(BOB.public)})
        api.host.mine(8)
        chain = api.access.node.chain
        counts = {"block": 0, "id": 0}

        def counting(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
            def counted(*given: Any) -> Any:
                counts[name] += 1
                return call(*given)

            return counted

        monkeypatch.setattr(chain, "block", counting("block", chain.block))
        monkeypatch.setattr(chain.ledger, "id_of", counting("id", chain.ledger.id_of))
        assert len(proven(api, "asset", asset, owner=address_of(BOB.public)).unspent) == 6
        assert counts == {"block": 2, "id": 7}, "of the block with the definition, and of that with six transfers"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/v1/proofs/transaction/{'ab' * 32}", 404),
        (f"/v1/proofs/document/{'ab' * 32}", 404),
        (f"/v1/proofs/asset/{'ab' * 32}", 404),
        (f"/v1/proofs/holding/{'ab' * 32}", 404),
        (f"/v1/proofs/theorem/{'ab' * 32}", 400),
        ("/v1/proofs/post/xyz", 400),
    ],
)
def test_what_is_not_there_is_a_problem(told: tuple[Api, dict[str, str]], path: str, status: int) -> None:
    told[0].get(path, status)


def test_the_checkpoint_and_a_proof_that_carries_it() -> None:
    with running_api() as api:
        assert api.get("/v1/checkpoint")["note"] is None
        node = api.host.node
        key = NodeKey(bytes([4]) * 32)
        begin(node.disk, key.public)
        node.witness = signing = Witness(node.chain, Promise(node.disk), key)
        node.stack.machines["witness"] = signing
        asset = define(api)
        api.host.mine(EVERY + DEPTH)
        view = api.get("/v1/checkpoint")
        note = read_note(view["note"])
        (cosigner,) = view["cosigners"]
        witness = read_verifier_key(cosigner["key"])
        made = note.by(witness)
        assert made is not None
        assert is_valid(note.checkpoint, made)
        assert view["own_key"] == cosigner["key"]
        answer = api.ask("GET", f"/v1/proofs/asset/{asset}")
        verdict = verify(read(answer.content), node.chain.genesis, [witness])
        assert verdict.anchored is not None
        assert [chosen.key for chosen in verdict.anchored.chosen] == [witness]
        bare = read(api.ask("GET", f"/v1/proofs/asset/{asset}", params={"witnessed": "false"}).content)
        assert bare.checkpoint is None
        assert json.loads(answer.content)["checkpoint"] is not None
