"""A node behind ``httpx.MockTransport``: a handful of unspent outputs, confirmed the moment a transaction is handed in.

It checks what a real node would: every signature, and that everybody who must agree did.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import msgspec
import pytest

from horoi.base.codec import encode
from horoi.base.errors import RuleError
from horoi.cli.main import main
from horoi.ledger import authority
from horoi.ledger.conditions import keys_named
from horoi.ledger.rules import check_body, check_signatures
from horoi.ledger.transaction import Definition, Holding, Output, Transaction, asset_id, outputs_made, transaction_codec
from horoi.ledger.transaction import transaction_id as id_of
from horoi.node.wallet.amounts import format_amount
from horoi.node.wallet.text import condition_to_json
from horoi.web.model import books, ledger, node, pages, wallet
from horoi.web.model.base import Problem
from horoi.web.model.offers import OfferList

NETWORK = bytes([7]) * 32
HEX_32 = "ab" * 32


class FakeNode:
    """Its state, and what it was asked. ``refusals`` maps a path to the problem that it answers with."""

    def __init__(self) -> None:
        self.height = 20
        self.unspent: dict[tuple[bytes, int], Output] = {}
        self.definitions: dict[str, Definition] = {}
        self.submitted: list[Transaction] = []
        self.asked: list[httpx.Request] = []
        self.refusals: dict[str, Problem] = {}
        self.wallet_answer: wallet.WalletAnswer | None = None
        self.offers = OfferList(offers=[], count=0, offset=0)

    # ---- what it answers ----------------------------------------------------------------------------------------

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path = request.url.path
        if path in self.refusals:
            problem = self.refusals[path]
            return httpx.Response(problem.status, content=msgspec.json.encode(problem))
        answer = self._answer(request.method, path, dict(request.url.params), request.content)
        if answer is None:
            problem = Problem(type="urn:horoi:problem:not-found", title="Not known", status=404, detail=f"no {path}")
            return httpx.Response(404, content=msgspec.json.encode(problem))
        return httpx.Response(200, content=msgspec.json.encode(answer))

    def _answer(self, method: str, path: str, query: dict[str, str], content: bytes) -> Any:
        parts = path.strip("/").split("/")
        if path == "/v1/status":
            return self.status()
        if path == "/v1/transactions" and method == "POST":
            return self._submit(bytes.fromhex(json.loads(content)["hex"]))
        if parts[:2] == ["v1", "transactions"] and len(parts) == 3:
            return self._transaction(parts[2])
        if path == "/v1/assets":
            found = [self._asset(a) for a, d in self.definitions.items() if d.name == query.get("name", d.name)]
            return books.AssetPage(assets=found, next=None)
        if parts[:2] == ["v1", "assets"] and parts[2] in self.definitions:
            return books.AssetDetail(asset=self._asset(parts[2]), holders=[], complete=True)
        if path in ("/v1/holdings", "/v1/rights"):
            return self._holdings(bytes.fromhex(query["key"]), rights=path.endswith("rights"))
        if path.startswith("/v1/wallet/"):
            return self.wallet_answer
        if path == "/v1/offers" and method == "GET":
            return self.offers
        if path.startswith("/v1/offers"):
            return next((offer for offer in self.offers.offers if offer.id in path), self.offers.offers[0])
        return None

    def status(self) -> node.StatusView:
        network = node.NetworkView(
            id=NETWORK.hex(),
            name="fake",
            created_ms=1,
            consensus="nakamoto",
            interval_ms=1000,
            half_life_ms=60_000,
            future_limit=12,
            maturity=2,
            reward_initial="50",
            reward_halving_blocks=0,
            fee_floor="0",
            max_block_size_bytes=1_000_000,
            open_issuing=True,
        )
        return node.StatusView(
            version="0",
            network=network,
            height=self.height,
            tip=HEX_32,
            tip_time_ms=1_000,
            tip_time="1970-01-01T00:00:01Z",
            work="1",
            target="1d00ffff",
            difficulty="1",
            median_time_ms=1_000,
            synced=True,
            headers_height=self.height,
            peers=0,
            mempool=node.PoolView(count=0, size_bytes=0),
            state_digest=HEX_32,
            outputs="1",
            transactions=1,
            posts=0,
            mining=node.MiningView(hash_rate=0, owner=None, attempts="0", blocks_found=0),
            node_id=HEX_32,
            listen=None,
            key=None,
            started_ms=1,
            uptime_s=1.0,
        )

    def _submit(self, raw: bytes) -> ledger.SubmitResultView:
        transaction = transaction_codec.decode(raw)
        item = id_of(NETWORK, transaction.body)
        check_body(transaction.body)
        check_signatures(item, transaction.witness)
        need = authority.required(transaction.body)
        authority.check_agreement(need, transaction.witness, self.height + 1, 1_000)
        for spent in transaction.body.inputs:
            if self.unspent.pop((spent.source, spent.index), None) != spent.content:
                raise RuleError("spend.unknown", "a fake node was asked to spend what it has not")
        for index, made in enumerate(outputs_made(item, transaction.body)):
            self.unspent[item, index] = made
        for number, definition in enumerate(transaction.body.definitions):
            self.definitions[asset_id(item, number).hex()] = definition
        self.submitted.append(transaction)
        self.height += 1
        return ledger.SubmitResultView(id=item.hex(), accepted=True)

    def _transaction(self, item: str) -> pages.TransactionDetail | None:
        for transaction in self.submitted:
            if id_of(NETWORK, transaction.body).hex() == item:
                return pages.TransactionDetail(
                    id=item,
                    status="confirmed",
                    block=HEX_32,
                    height=self.height,
                    position=0,
                    confirmations=1,
                    time_ms=1,
                    time="1970-01-01T00:00:00Z",
                    size_bytes=1,
                    fee="0",
                    words=["said \x1b[31m red"],
                    inputs=[],
                    outputs=[],
                    definitions=[],
                    issues=[],
                    transforms=[],
                    retires=[],
                    posts=[],
                    since=0,
                    signatures=[],
                    preimages=[],
                    hex=encode(transaction).hex(),
                    sentences=[],
                    lines=[],
                    digest=item,
                    agreements=[],
                    signers=[],
                    output_states=[],
                )
        return None

    def _asset(self, asset: str) -> books.AssetView:
        definition = self.definitions[asset]
        return books.AssetView(
            id=asset,
            name=definition.name,
            unit=definition.unit,
            decimals=definition.decimals,
            issuer=condition_to_json(definition.issuer),
            limit=str(definition.limit),
            custody=definition.custody,
            terms=None,
            transaction=HEX_32,
            height=1,
            issued="0",
            produced="0",
            consumed="0",
            retired="0",
            existing="0",
            existing_amount="0",
            transactions=1,
        )

    def _holdings(self, key: bytes, *, rights: bool) -> books.HoldingsView:
        rows = []
        for (source, index), content in self.unspent.items():
            named = [*keys_named(content.owner)]
            if isinstance(content, Holding) and content.custodian is not None:
                named += keys_named(content.custodian)
            if key in named and isinstance(content, Holding) != rights:
                rows.append(self._unspent(source, index, content))
        return books.HoldingsView(height=self.height, tip=HEX_32, sums=[], outputs=rows, truncated=False)

    def _unspent(self, source: bytes, index: int, content: Output) -> books.UnspentView:
        is_holding = isinstance(content, Holding)
        quantity = content.quantity if isinstance(content, Holding) else content.limit
        known = self.definitions.get(content.asset.hex())
        custodian = content.custodian if isinstance(content, Holding) else None
        view = ledger.OutputView(
            kind="holding" if is_holding else "right",
            amount=ledger.AmountView(
                asset=content.asset.hex(),
                name=known.name if known else None,
                unit=known.unit if known else None,
                quantity=str(quantity),
                amount=format_amount(quantity, known.decimals) if known else None,
            ),
            owner=condition_to_json(content.owner),
            custodian=condition_to_json(custodian) if custodian is not None else None,
            custody=custodian is not None,
            content=encode(content).hex(),
        )
        return books.UnspentView(
            source=source.hex(),
            index=index,
            output=view,
            roles=["owner"],
            height=1,
            is_reward=False,
            mature=True,
            spent_by=None,
        )


class Outcome:
    """What a run of the program said, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def data(self) -> Any:
        """Its JSON object on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """Its JSON object on stderr."""
        return json.loads(self.err)["error"]


class Runner:
    """Runs the program in this process, as ``main`` would be called."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Outcome:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = self._capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Outcome(code, said.out, said.err)
