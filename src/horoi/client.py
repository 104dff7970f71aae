"""A node's HTTP API from Python: one method per endpoint, records in and out, errors of the house.

    from horoi.client import Client
    from horoi.web.model.wallet import Transfer

    with Client("http://127.0.0.1:8700", token=open("node/api-token").read().strip()) as node:
        print(node.status().height)
        sold = node.act(Transfer(asset="crude oil", amount="6327", to="horoi1..."))
        node.wait_confirmed(sold.id, depth=2, timeout_s=30)
        for event in node.events(["block", "post"]):
            print(event.kind, event.data)

What the API refuses is raised as the error that the node itself would raise: RuleError with its ``rule``, NotFoundError,
ForbiddenError, InsufficientError, and NetworkError if the node does not answer. The records are those of
``horoi.web.model``; quantities are strings of digits there, as on the wire.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic, sleep
from typing import Any

import msgspec

from horoi.base.codec import encode
from horoi.base.errors import DecodeError, NetworkError, NotFoundError
from horoi.base.hashing import sha256 as hash_of
from horoi.ledger.block import Header, headers_codec
from horoi.web.client_http import Event, Http, decode
from horoi.web.client_owner import Owner
from horoi.web.client_pages import Pages, segment
from horoi.web.model import books, documents, ledger, node, pages, proofs
from horoi.web.model.lookup import LookupView, ProvidersView, ProvidingView

POLL_S = 0.25

__all__ = ["Client", "Event"]


class Client(Http, Owner, Pages):
    """A node at ``url``. ``token`` (of the file ``api-token`` in the node's folder) is for what signs or steers.

    Keeps connections open: close it, or use it as ``with``. May be shared between threads.
    """

    # ---- the node ---------------------------------------------------------------------------------------------

    def status(self) -> node.StatusView:
        """The node at a glance."""
        return self._get("/v1/status", node.StatusView)

    def genesis(self) -> bytes:
        """The genesis file, byte for byte."""
        return self._ask("GET", "/v1/genesis").content

    def peers(self) -> node.PeerList:
        """Who is linked."""
        return self._get("/v1/peers", node.PeerList)

    def dial(self, address: str) -> node.DialAnswer:
        """Stay linked to this address from now on. Needs the token."""
        return self._post("/v1/peers", node.DialForm(address=address), node.DialAnswer)

    def mining(self) -> node.MiningView:
        """What the node's own miner does."""
        return self._get("/v1/mining", node.MiningView)

    def set_mining(self, hash_rate: float, owner: str | dict[str, Any] | None = None) -> node.MiningView:
        """Mine at this rate (hashes per second; 0 stops). Needs the token."""
        return self._post("/v1/mining", node.MiningForm(hash_rate=hash_rate, owner=owner), node.MiningView)

    def is_healthy(self) -> bool:
        """Whether the node answers."""
        return self._get("/healthz", node.Health).ok

    def metrics(self) -> str:
        """What Prometheus scrapes."""
        return self._ask("GET", "/metrics").content.decode("utf-8", "replace")

    def openapi(self) -> dict[str, Any]:
        """The document of the API."""
        return self._get("/openapi.json", dict[str, Any])

    # ---- transactions -----------------------------------------------------------------------------------------

    def submit(self, transaction: bytes | msgspec.Struct) -> ledger.SubmitResultView:
        """Hand one transaction (a record, or its bytes) to the mempool; RuleError if it is refused."""
        form = ledger.SubmitForm(hex=_bytes_of(transaction).hex())
        return self._post("/v1/transactions", form, ledger.SubmitResultView)

    def submit_batch(self, transactions: Sequence[bytes | msgspec.Struct]) -> ledger.BatchResult:
        """Hand up to 10,000 transactions to the mempool at once; the answer says what became of each."""
        body = msgspec.msgpack.encode([_bytes_of(transaction) for transaction in transactions])
        answer = self._ask("POST", "/v1/transactions", content=body, media_type="application/msgpack")
        return decode(answer.content, ledger.BatchResult)

    def transaction(self, transaction_id: str) -> pages.TransactionDetail:
        """A transaction, waiting or confirmed."""
        return self._get(f"/v1/transactions/{segment(transaction_id)}", pages.TransactionDetail)

    def waiting(self, *, offset: int = 0, limit: int = 100) -> ledger.WaitingPage:
        """The mempool."""
        return self._get("/v1/transactions", ledger.WaitingPage, offset=offset, limit=limit)

    def wait_confirmed(self, transaction_id: str, depth: int = 1, timeout_s: float = 60.0) -> pages.TransactionDetail:
        """Return when the transaction has ``depth`` confirmations; NetworkError after ``timeout_s`` seconds."""
        until = monotonic() + timeout_s
        seen = "is not known to the node"
        while True:
            try:
                found = self.transaction(transaction_id)
                if found.confirmations >= depth:
                    return found
                seen = f"has {found.confirmations} of {depth} confirmations" if found.confirmations else "waits"
            except NotFoundError:
                seen = "is not known to the node: perhaps another one spent the same"
            left_s = until - monotonic()
            if left_s <= 0:
                raise NetworkError(f"transaction {transaction_id} {seen} after {timeout_s:g} s; wait longer, or look")
            sleep(min(POLL_S, left_s))

    # ---- the books --------------------------------------------------------------------------------------------

    def assets(self, *, name: str | None = None, after: str | None = None, limit: int = 100) -> books.AssetPage:
        """Assets in order of id, or those of a name."""
        return self._get("/v1/assets", books.AssetPage, name=name, after=after, limit=limit)

    def asset(self, asset_id: str) -> books.AssetDetail:
        """An asset, its books, its holders."""
        return self._get(f"/v1/assets/{segment(asset_id)}", books.AssetDetail)

    def asset_history(self, asset_id: str, *, offset: int = 0, limit: int = 100) -> books.AssetHistory:
        """The transactions that touched an asset, oldest first."""
        path = f"/v1/assets/{segment(asset_id)}/history"
        return self._get(path, books.AssetHistory, offset=offset, limit=limit)

    def holdings(
        self,
        *,
        address: str | None = None,
        key: str | None = None,
        asset: str | None = None,
        unconfirmed: bool = False,
        limit: int = 1_000,
    ) -> books.HoldingsView:
        """What a key owns and holds, or who holds an asset (its id, its name, or ``coin``)."""
        flag = "true" if unconfirmed else None
        return self._get(
            "/v1/holdings", books.HoldingsView, address=address, key=key, asset=asset, unconfirmed=flag, limit=limit
        )

    def rights(
        self, *, address: str | None = None, key: str | None = None, unconfirmed: bool = False
    ) -> books.HoldingsView:
        """The rights to issue and to transform that name a key."""
        flag = "true" if unconfirmed else None
        return self._get("/v1/rights", books.HoldingsView, address=address, key=key, unconfirmed=flag)

    def posts(self, *, from_height: int | None = None, after: str | None = None, limit: int = 50) -> books.PostPage:
        """The newest posts (newest first), or those from a height or cursor on (oldest first)."""
        return self._get("/v1/posts", books.PostPage, from_height=from_height, after=after, limit=limit)

    def all_posts(self, from_height: int = 0) -> Iterator[books.PostEntry]:
        """Every post from a height on, oldest first, page by page."""
        page = self.posts(from_height=from_height, limit=1_000)
        yield from page.posts
        while page.next is not None:
            page = self.posts(after=page.next, limit=1_000)
            yield from page.posts

    def document(self, sha256: str) -> documents.DocumentView:
        """Who posted a document's hash, and whether the node keeps the document."""
        return self._get(f"/v1/documents/{segment(sha256)}", documents.DocumentView)

    def keep_document(self, data: bytes) -> documents.DocumentKeptView:
        """Have the node keep these bytes and give them to peers. Needs the token."""
        answer = self._ask("POST", "/v1/documents", content=data, media_type="application/octet-stream")
        return decode(answer.content, documents.DocumentKeptView)

    def fetch_document(self, sha256: str) -> documents.FetchAnswer:
        """Have the node fetch a document from its peers; ``document`` says how far it is. Needs the token."""
        path = f"/v1/documents/{segment(sha256)}/fetch"
        return self._post(path, documents.FetchForm(), documents.FetchAnswer)

    def document_content(self, sha256: str) -> bytes:
        """The bytes of a document that the node keeps, checked here against their hash; DecodeError if they differ."""
        data = self._ask("GET", f"/v1/documents/{segment(sha256)}/content").content
        if hash_of(data).hex() != sha256:
            raise DecodeError(f"{self.url} gave bytes of SHA-256 {hash_of(data).hex()} for document {sha256}")
        return data

    def remove_document(self, sha256: str) -> documents.FetchAnswer:
        """Have the node keep a document no longer. Needs the token."""
        answer = self._ask("DELETE", f"/v1/documents/{segment(sha256)}/content")
        return decode(answer.content, documents.FetchAnswer)

    # ---- who has a document -----------------------------------------------------------------------------------

    def lookup(self) -> LookupView:
        """How the node looks things up, and whether it has joined."""
        return self._get("/v1/lookup", LookupView)

    def providers(self, sha256: str) -> ProvidersView:
        """Which nodes say to have a document."""
        return self._get(f"/v1/providers/{segment(sha256)}", ProvidersView)

    def provide(self, sha256: str) -> ProvidingView:
        """Say from now on that the node has a document. Needs the token."""
        return decode(self._ask("POST", f"/v1/providers/{segment(sha256)}").content, ProvidingView)

    def stop_providing(self, sha256: str) -> ProvidingView:
        """Say so no longer. Needs the token."""
        return decode(self._ask("DELETE", f"/v1/providers/{segment(sha256)}").content, ProvidingView)

    # ---- blocks -----------------------------------------------------------------------------------------------

    def blocks(self, *, before: int | None = None, limit: int = 10) -> ledger.BlockList:
        """Blocks of the connected chain, newest first."""
        return self._get("/v1/blocks", ledger.BlockList, before=before, limit=limit)

    def block(self, block: int | str = "tip", *, offset: int = 0, limit: int = 1_000) -> pages.BlockDetail:
        """A block by height, hash or ``tip``."""
        return self._get(f"/v1/blocks/{segment(str(block))}", pages.BlockDetail, offset=offset, limit=limit)

    def block_bytes(self, block: int | str = "tip") -> bytes:
        """The canonical bytes of a block."""
        return self._ask("GET", f"/v1/blocks/{segment(str(block))}", format="raw").content

    def headers(self, start: int = 0, count: int = 100) -> ledger.HeaderList:
        """Headers of the connected chain from a height on."""
        return self._get("/v1/headers", ledger.HeaderList, **{"from": start}, count=count)

    def header_records(self, start: int = 0, count: int = 2_000) -> tuple[Header, ...]:
        """The same as records, believed in nothing: DecodeError if they are not headers in their one form."""
        query: dict[str, Any] = {"from": start, "count": count, "format": "raw"}
        return headers_codec.decode(self._ask("GET", "/v1/headers", **query).content)

    # ---- proofs -------------------------------------------------------------------------------------------------

    def proof(
        self,
        kind: str,
        identifier: str,
        *,
        number: int = 0,
        owner: str | None = None,
        depth: int = 100,
        whole: bool = False,
    ) -> bytes:
        """The file of a proof that something was recorded; ``kind``: transaction, post, document, asset, holding."""
        flag = "true" if whole else None
        query: dict[str, Any] = {"number": number, "owner": owner, "depth": depth, "whole": flag}
        return self._ask("GET", f"/v1/proofs/{segment(kind)}/{segment(identifier)}", **query).content

    def checkpoint(self) -> proofs.CheckpointView:
        """The newest checkpoint of the node's chain, and who signed it."""
        return self._get("/v1/checkpoint", proofs.CheckpointView)

    # ---- EPCIS ----------------------------------------------------------------------------------------------------

    def capture_events(self, document: bytes) -> str:
        """Hand over an EPCIS document (JSON); the id of its capture. DecodeError if it is not valid. Needs the token."""
        answer = self._ask("POST", "/epcis/v2/capture", content=document)
        return answer.headers["Location"].rpartition("/")[2]

    def capture_job(self, capture: str) -> dict[str, Any]:
        """How a capture stands (GS1's CaptureJob)."""
        return self._get(f"/epcis/v2/capture/{capture}", dict[str, Any])

    def captured_events(self, **parameters: str) -> dict[str, Any]:
        """Events that were captured, by the parameters of EPCIS 2.0 section 8.2.7.1, as an EPCISQueryDocument."""
        return self._get("/epcis/v2/events", dict[str, Any], **parameters)

    def export_asset(self, asset: str, form: str = "epcis") -> bytes:
        """An asset's whole life, as ``epcis``, ``prov`` or ``csv``."""
        return self._ask("GET", f"/v1/assets/{asset}/export", form=form).content


def _bytes_of(transaction: bytes | msgspec.Struct) -> bytes:
    return transaction if isinstance(transaction, bytes) else encode(transaction)
