"""All endpoints. Routes, the OpenAPI document and the page at /api are made from this table, so none can drift from it."""

from __future__ import annotations

from horoi.ledger.proof.form import Proof
from horoi.web.endpoint import JSON, Endpoint
from horoi.web.metrics import CONTENT_TYPE
from horoi.web.model import books, ledger, lookup, node, pages, proofs, wallet
from horoi.web.routes import about, blocks, live, peers, providers, status, transactions
from horoi.web.routes import books as books_routes
from horoi.web.routes import proofs as proofs_routes
from horoi.web.routes import wallet as wallet_routes
from horoi.web.routes.board_table import BOARD_ENDPOINTS
from horoi.web.routes.offers_table import OFFER_ENDPOINTS

WALLET_REFUSALS = (400, 401, 403, 404, 409, 415, 422)


def _wallet(path: str, handler: object, body: type) -> Endpoint:
    return Endpoint(
        "POST",
        f"/v1/wallet/{path}",
        handler,  # type: ignore[arg-type]
        {JSON: wallet.WalletAnswer},
        wallet.WalletQuery,
        body,
        needs_token=True,
        refusals=WALLET_REFUSALS,
        section="wallet",
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    *BOARD_ENDPOINTS,
    *OFFER_ENDPOINTS,
    Endpoint("GET", "/v1/status", status.status, {JSON: node.StatusView}),
    Endpoint("GET", "/v1/genesis", status.genesis, {JSON: node.GenesisFile}),
    Endpoint(
        "POST",
        "/v1/transactions",
        transactions.submit_transactions,
        {JSON: (ledger.SubmitResultView, ledger.BatchResult)},
        reads_raw={
            JSON: (ledger.SubmitForm, list[str]),
            transactions.MSGPACK: None,
            transactions.PLAIN: str,
        },
        refusals=(400, 415, 422),
        section="transactions",
    ),
    Endpoint(
        "GET",
        "/v1/transactions",
        transactions.waiting_transactions,
        {JSON: ledger.WaitingPage},
        ledger.PageQuery,
        section="transactions",
    ),
    Endpoint(
        "GET",
        "/v1/transactions/{id}",
        transactions.transaction,
        {JSON: pages.TransactionDetail},
        ledger.TransactionPath,
        refusals=(404,),
        section="transactions",
    ),
    Endpoint("GET", "/v1/assets", books_routes.assets, {JSON: books.AssetPage}, books.AssetsQuery, section="books"),
    Endpoint(
        "GET",
        "/v1/assets/{id}",
        books_routes.asset,
        {JSON: books.AssetDetail},
        books.AssetPath,
        refusals=(404,),
        section="books",
    ),
    Endpoint(
        "GET",
        "/v1/assets/{id}/history",
        books_routes.asset_history,
        {JSON: books.AssetHistory},
        books.AssetHistoryPath,
        refusals=(404,),
        section="books",
    ),
    Endpoint(
        "GET",
        "/v1/holdings",
        books_routes.holdings,
        {JSON: books.HoldingsView},
        books.HoldingsQuery,
        refusals=(404,),
        section="books",
    ),
    Endpoint("GET", "/v1/rights", books_routes.rights, {JSON: books.HoldingsView}, books.RightsQuery, section="books"),
    Endpoint("GET", "/v1/posts", books_routes.posts, {JSON: books.PostPage}, books.PostsQuery, section="books"),
    Endpoint(
        "GET",
        "/v1/documents/{hash}",
        books_routes.document,
        {JSON: books.DocumentView},
        books.DocumentPath,
        refusals=(404,),
        section="books",
    ),
    Endpoint(
        "GET",
        "/v1/proofs/{kind}/{id}",
        proofs_routes.proof,
        {JSON: Proof},
        proofs.ProofPath,
        refusals=(400, 404),
        section="proofs",
    ),
    Endpoint("GET", "/v1/checkpoint", proofs_routes.checkpoint, {JSON: proofs.CheckpointView}, section="proofs"),
    Endpoint("GET", "/v1/blocks", blocks.blocks, {JSON: ledger.BlockList}, ledger.BlocksQuery, section="blocks"),
    Endpoint(
        "GET",
        "/v1/blocks/{block}",
        blocks.block,
        {JSON: pages.BlockDetail, blocks.PLAIN: None, blocks.RAW: None},
        ledger.BlockPath,
        refusals=(404,),
        section="blocks",
    ),
    Endpoint("GET", "/v1/headers", blocks.headers, {JSON: ledger.HeaderList}, ledger.HeadersQuery, section="blocks"),
    Endpoint("GET", "/v1/peers", peers.peers, {JSON: node.PeerList}),
    Endpoint(
        "POST",
        "/v1/peers",
        peers.dial,
        {JSON: node.DialAnswer},
        body=node.DialForm,
        needs_token=True,
        refusals=(400, 401, 403, 415),
    ),
    Endpoint("GET", "/v1/lookup", providers.lookup, {JSON: lookup.LookupView}, section="lookup"),
    Endpoint(
        "GET",
        "/v1/providers/{hash}",
        providers.providers,
        {JSON: lookup.ProvidersView},
        lookup.ProvidersPath,
        refusals=(404, 503),
        section="lookup",
    ),
    Endpoint(
        "POST",
        "/v1/providers/{hash}",
        providers.provide,
        {JSON: lookup.ProvidingView},
        lookup.ProvidersPath,
        needs_token=True,
        refusals=(401, 403, 404, 503),
        section="lookup",
    ),
    Endpoint(
        "DELETE",
        "/v1/providers/{hash}",
        providers.stop_providing,
        {JSON: lookup.ProvidingView},
        lookup.ProvidersPath,
        needs_token=True,
        refusals=(401, 403, 404),
        section="lookup",
    ),
    Endpoint("GET", "/v1/mining", status.mining, {JSON: node.MiningView}),
    Endpoint(
        "POST",
        "/v1/mining",
        status.set_mining,
        {JSON: node.MiningView},
        body=node.MiningForm,
        needs_token=True,
        refusals=(400, 401, 403, 415),
    ),
    Endpoint("GET", "/v1/events", live.events, {live.EVENT_STREAM: None}, node.EventsQuery, refusals=(400, 503)),
    Endpoint(
        "GET",
        "/v1/wallet/keys",
        wallet_routes.wallet_keys,
        {JSON: wallet.KeyList},
        needs_token=True,
        refusals=(401, 403),
        section="wallet",
    ),
    _wallet("draft", wallet_routes.draft, wallet.DraftForm),
    _wallet("sign", wallet_routes.sign, wallet.SignForm),
    _wallet("define", wallet_routes.define, wallet.Define),
    _wallet("issue", wallet_routes.issue, wallet.Issue),
    _wallet("transfer", wallet_routes.transfer, wallet.Transfer),
    _wallet("hand-over", wallet_routes.hand_over, wallet.HandOver),
    _wallet("reclaim", wallet_routes.reclaim, wallet.Reclaim),
    _wallet("transform", wallet_routes.transform, wallet.Transform),
    _wallet("refine", wallet_routes.refine, wallet.Refine),
    _wallet("retire", wallet_routes.retire, wallet.Retire),
    _wallet("license", wallet_routes.license_right, wallet.License),
    _wallet("post", wallet_routes.post, wallet.Say),
    _wallet("split", wallet_routes.split, wallet.Split),
    _wallet("merge", wallet_routes.merge, wallet.Merge),
    Endpoint("GET", "/metrics", live.metrics, {CONTENT_TYPE.partition(";")[0]: None}),
    Endpoint("GET", "/healthz", status.health, {JSON: node.Health}),
    Endpoint("GET", "/openapi.json", about.openapi, {JSON: node.GenesisFile}),
    Endpoint("GET", "/api", about.first_page, {"text/html": None}),
)
