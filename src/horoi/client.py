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
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from horoi.base.codec import encode
from horoi.base.errors import DecodeError, NetworkError, NotFoundError
from horoi.base.hashing import sha256 as hash_of
from horoi.ledger.block import Header, headers_codec
from horoi.web.client_pages import Pages, segment
from horoi.web.model import books, documents, ledger, node, pages, proofs, wallet
from horoi.web.model import offers as offer_records
from horoi.web.model.lookup import LookupView, ProvidersView, ProvidingView
from horoi.web.model.refusals import error_of

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

TIMEOUT_S = 120.0  # above what the node itself waits before it answers
CONNECT_TIMEOUT_S = 5.0
SILENCE_S = 60.0  # of an event stream: the node says something every 15 s
POLL_S = 0.25

_PATHS: dict[type, str] = {
    wallet.Define: "define",
    wallet.Issue: "issue",
    wallet.Transfer: "transfer",
    wallet.HandOver: "hand-over",
    wallet.Reclaim: "reclaim",
    wallet.Transform: "transform",
    wallet.Refine: "refine",
    wallet.Retire: "retire",
    wallet.License: "license",
    wallet.Say: "post",
    wallet.Split: "split",
    wallet.Merge: "merge",
}


class Event(NamedTuple):
    """Something that happened at the node: ``kind`` is one of ``horoi.web.model.node.EVENT_KINDS``."""

    kind: str
    data: dict[str, Any]


class Client(Pages):
    """A node at ``url``. ``token`` (of the file ``api-token`` in the node's folder) is for what signs or steers.

    Keeps connections open: close it, or use it as ``with``. May be shared between threads.
    """

    def __init__(self, url: str, token: str | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._timeout_s = timeout_s
        self._opened: httpx.Client | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

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
        return self._ask("GET", "/metrics").text

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
        return _decode(answer.content, ledger.BatchResult)

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
        return _decode(answer.content, documents.DocumentKeptView)

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
        return _decode(answer.content, documents.FetchAnswer)

    # ---- who has a document -----------------------------------------------------------------------------------

    def lookup(self) -> LookupView:
        """How the node looks things up, and whether it has joined."""
        return self._get("/v1/lookup", LookupView)

    def providers(self, sha256: str) -> ProvidersView:
        """Which nodes say to have a document."""
        return self._get(f"/v1/providers/{segment(sha256)}", ProvidersView)

    def provide(self, sha256: str) -> ProvidingView:
        """Say from now on that the node has a document. Needs the token."""
        return _decode(self._ask("POST", f"/v1/providers/{segment(sha256)}").content, ProvidingView)

    def stop_providing(self, sha256: str) -> ProvidingView:
        """Say so no longer. Needs the token."""
        return _decode(self._ask("DELETE", f"/v1/providers/{segment(sha256)}").content, ProvidingView)

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

    # ---- the wallet: everything here needs the token ------------------------------------------------------------

    def wallet_keys(self) -> wallet.KeyList:
        """The keys that the node can sign with."""
        return self._get("/v1/wallet/keys", wallet.KeyList)

    def act(
        self,
        verb: wallet.Verb,
        *,
        submit: bool = True,
        fee: int | None = None,
        payer: str | None = None,
        keys: Sequence[str] | None = None,
    ) -> wallet.WalletAnswer:
        """Say one verb (``Define``, ``Issue``, ``Transfer``, ...) with the node's keys, and hand it to the mempool."""
        return self._wallet(_PATHS[type(verb)], verb, submit, fee, payer, keys)

    def draft(
        self,
        steps: Sequence[wallet.Step],
        *,
        submit: bool = True,
        fee: int | None = None,
        payer: str | None = None,
        keys: Sequence[str] | None = None,
    ) -> wallet.WalletAnswer:
        """Say several verbs (``TransferStep``, ``SayStep``, ...) in one transaction."""
        return self._wallet("draft", wallet.DraftForm(steps=list(steps)), submit, fee, payer, keys)

    def sign(
        self,
        partial: dict[str, Any],
        *,
        preimages: Sequence[bytes] = (),
        submit: bool = True,
        keys: Sequence[str] | None = None,
    ) -> wallet.WalletAnswer:
        """Add the node's signatures to a partially signed transaction (its file's content)."""
        form = wallet.SignForm(partial=partial, preimages=[preimage.hex() for preimage in preimages])
        return self._wallet("sign", form, submit, None, None, keys)

    def _wallet(
        self,
        path: str,
        form: msgspec.Struct,
        submit: bool,
        fee: int | None,
        payer: str | None,
        keys: Sequence[str] | None,
    ) -> wallet.WalletAnswer:
        query = {"submit": "true" if submit else "false", "fee": fee, "payer": payer, "keys": _names(keys)}
        return self._post(f"/v1/wallet/{path}", form, wallet.WalletAnswer, **query)

    # ---- offers: everything here needs the token ----------------------------------------------------------------

    def make_offer(
        self,
        steps: Sequence[wallet.Step],
        *,
        note: str = "",
        expires: str | int | None = None,
        fee: int | None = None,
        payer: str | None = None,
        keys: Sequence[str] | None = None,
    ) -> offer_records.OfferView:
        """Propose steps in one transaction, signed with the node's keys, to those who must sign too."""
        form = offer_records.OfferForm(steps=list(steps), note=note, expires=expires)
        return self._post("/v1/offers", form, offer_records.OfferView, fee=fee, payer=payer, keys=_names(keys))

    def offer_partial(
        self,
        partial: dict[str, Any],
        *,
        note: str = "",
        expires: str | int | None = None,
        keys: Sequence[str] | None = None,
    ) -> offer_records.OfferView:
        """Offer a partially signed transaction (its file's content)."""
        form = offer_records.OfferForm(partial=partial, note=note, expires=expires)
        return self._post("/v1/offers", form, offer_records.OfferView, keys=_names(keys))

    def offers(self, state: str = "open", *, limit: int = 50, offset: int = 0) -> offer_records.OfferList:
        """Offers, newest first: ``incoming``, ``awaiting``, ``outgoing``, ``done``, ``open`` or ``all``."""
        return self._get("/v1/offers", offer_records.OfferList, state=state, limit=limit, offset=offset)

    def offer(self, offer_id: str) -> offer_records.OfferView:
        """An offer, with what every party has before and after."""
        return self._get(f"/v1/offers/{segment(offer_id)}", offer_records.OfferView)

    def accept_offer(
        self, offer_id: str, *, preimages: Sequence[bytes] = (), keys: Sequence[str] | None = None
    ) -> offer_records.OfferView:
        """Agree with an offer."""
        form = offer_records.AcceptForm(preimages=[preimage.hex() for preimage in preimages])
        return self._post(f"/v1/offers/{segment(offer_id)}/accept", form, offer_records.OfferView, keys=_names(keys))

    def refuse_offer(
        self, offer_id: str, reason: str = "", *, keys: Sequence[str] | None = None
    ) -> offer_records.OfferView:
        """Say no to an offer."""
        form = offer_records.RefuseForm(reason=reason)
        return self._post(f"/v1/offers/{segment(offer_id)}/refuse", form, offer_records.OfferView, keys=_names(keys))

    def withdraw_offer(self, offer_id: str, *, spend: bool = False) -> offer_records.OfferView:
        """Take an own offer back; with ``spend``, so that it can never come about."""
        form = offer_records.WithdrawForm(spend=spend)
        return self._post(f"/v1/offers/{segment(offer_id)}/withdraw", form, offer_records.OfferView)

    # ---- the live stream ----------------------------------------------------------------------------------------

    def events(self, types: Sequence[str] | None = None) -> Iterator[Event]:
        """What happens at the node, as it happens. NetworkError when the stream breaks: it is up to you to go on."""
        import httpx

        query = {"types": ",".join(types)} if types is not None else {}
        timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_TIMEOUT_S)
        try:
            with self._http.stream("GET", "/v1/events", params=query, timeout=timeout) as answer:
                if answer.status_code != 200:
                    raise error_of(answer.status_code, answer.read())
                yield from _read_events(answer.iter_lines())
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        raise NetworkError(f"{self.url} ended the stream of events; ask again")

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

    # ---- HTTP -----------------------------------------------------------------------------------------------------

    @property
    def _http(self) -> httpx.Client:
        if self._opened is None:
            import httpx

            headers = {"Authorization": f"Bearer {self._token}"} if self._token is not None else {}
            self._opened = httpx.Client(
                base_url=self.url,
                headers=headers,
                timeout=httpx.Timeout(self._timeout_s, connect=CONNECT_TIMEOUT_S),
                trust_env=False,  # a proxy of the environment must not see the token
            )
        return self._opened

    def _get(self, path: str, kind: type[T], **query: Any) -> T:
        return _decode(self._ask("GET", path, **query).content, kind)

    def _post(self, path: str, form: msgspec.Struct, kind: type[T], **query: Any) -> T:
        return _decode(self._ask("POST", path, content=msgspec.json.encode(form), **query).content, kind)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        media_type: str = "application/json",
        **query: Any,
    ) -> httpx.Response:
        import httpx

        headers = {"Content-Type": media_type} if content is not None else {}
        given = {name: value for name, value in query.items() if value is not None}
        try:
            answer = self._http.request(method, path, params=given, content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from None
        if not answer.is_success:
            raise error_of(answer.status_code, answer.content)
        return answer

    def _unreachable(self, error: Exception) -> NetworkError:
        return NetworkError(f"{self.url} does not answer ({error or type(error).__name__}); is the node running there?")


def _decode(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NetworkError(f"the answer is not what this version understands: {error}") from None


def _bytes_of(transaction: bytes | msgspec.Struct) -> bytes:
    return transaction if isinstance(transaction, bytes) else encode(transaction)


def _names(keys: Sequence[str] | None) -> str | None:
    return ",".join(keys) if keys is not None else None


def _read_events(lines: Iterator[str]) -> Iterator[Event]:
    """Server-sent events from their lines: those that have a name and JSON data."""
    kind = data = ""
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data += value
        elif not line and kind and data:
            yield Event(kind, msgspec.json.decode(data, type=dict[str, Any]))
            kind = data = ""
