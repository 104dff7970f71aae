"""Assets, holdings, rights, posts: what people ask of the ledger."""

from __future__ import annotations

from collections.abc import Iterable

from horoi.base.errors import NotFoundError, UsageError
from horoi.ledger.conditions import Condition
from horoi.ledger.transaction import Holding, Right
from horoi.node.index.index import CUSTODIAN, OWNER, AssetRecord, PostRecord
from horoi.node.wallet.explain import explain
from horoi.node.wallet.pools import is_mature
from horoi.node.wallet.text import condition_to_json
from horoi.web.access import NodeAccess
from horoi.web.lines import Liner
from horoi.web.model.books import (
    AssetDetail,
    AssetEvent,
    AssetHistory,
    AssetHistoryPath,
    AssetPage,
    AssetPath,
    AssetsQuery,
    Holder,
    HoldingsQuery,
    HoldingSum,
    HoldingsView,
    PostEntry,
    PostPage,
    PostsQuery,
    RightsQuery,
    UnspentView,
)
from horoi.web.reading import (
    Unspent,
    asset_of,
    assets_named,
    confirmed,
    key_of,
    role_names,
    unspent_of_asset,
    unspent_of_key,
    waiting_outputs,
)
from horoi.web.views import Viewer, time_text

# ---- assets -------------------------------------------------------------------------------------------------------------


def assets(access: NodeAccess, query: AssetsQuery, _: None) -> AssetPage:
    """Assets in order of id, or those of a name."""
    view = Viewer(access)
    after = bytes.fromhex(query.after) if query.after else b""
    if query.name is not None:
        named = [asset for asset in assets_named(access, query.name) if asset > after]
        rows = [(asset, _asset(access, asset)) for asset in named[: query.limit + 1]]
    else:
        rows = access.index.assets(after, query.limit + 1)
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return AssetPage(
        assets=[view.asset_view(asset, record) for asset, record in shown],
        next=shown[-1][0].hex() if more else None,
    )


def _asset(access: NodeAccess, asset: bytes) -> AssetRecord:
    record = access.index.asset(asset)
    if record is None:
        raise NotFoundError(
            f"no asset {asset.hex()} is defined in the connected chain", code="no-asset", asset=asset.hex()
        )
    return record


def asset(access: NodeAccess, path: AssetPath, _: None) -> AssetDetail:
    """An asset: its definition, its books, and who holds it."""
    name = bytes.fromhex(path.id)
    record = _asset(access, name)
    view = Viewer(access)
    found, complete = unspent_of_asset(access, name)
    totals: dict[tuple[Condition, Condition | None], list[int]] = {}
    for unspent in found:
        content = unspent.spendable.content
        assert isinstance(content, Holding)
        total = totals.setdefault((content.owner, content.custodian), [0, 0])
        total[0] += content.quantity
        total[1] += 1
    holders = [
        Holder(
            owner=condition_to_json(owner),
            custodian=condition_to_json(custodian) if custodian is not None else None,
            amount=view.amount(name, quantity),
            outputs=outputs,
        )
        for (owner, custodian), (quantity, outputs) in sorted(totals.items(), key=lambda row: -row[1][0])
    ]
    return AssetDetail(asset=view.asset_view(name, record), holders=holders, complete=complete)


def asset_history(access: NodeAccess, path: AssetHistoryPath, _: None) -> AssetHistory:
    """The transactions that touched an asset, oldest first, in words."""
    name = bytes.fromhex(path.id)
    record = _asset(access, name)
    view, liner = Viewer(access), Liner(access)
    ids = access.index.history_of_asset(name, path.offset + path.limit)[path.offset :]
    events = []
    for item in ids:
        found = confirmed(access, item)
        if found is None:
            continue
        prepared, known, position = found
        body = prepared.transaction.body
        events.append(
            AssetEvent(
                transaction=item.hex(),
                height=known.height,
                position=position,
                time_ms=known.header.time_ms,
                time=time_text(known.header.time_ms),
                words=explain(body, view.names(body)),
                lines=liner.confirmed(known, position, item, body),
            )
        )
    return AssetHistory(asset=path.id, count=record.transactions, offset=path.offset, transactions=events)


# ---- holdings and rights --------------------------------------------------------------------------------------------------


def holdings(access: NodeAccess, query: HoldingsQuery, _: None) -> HoldingsView:
    """What a key owns and holds, or who holds an asset: per output and summed, with all that a wallet needs to spend it."""
    key = key_of(query.address, query.key)
    wanted = asset_of(access, query.asset) if query.asset is not None else None
    if key is None and wanted is None:
        raise UsageError("give a key, an address or an asset")
    if key is not None:
        found, truncated = unspent_of_key(access, key, unconfirmed=query.unconfirmed, most=query.limit)
    else:
        assert wanted is not None
        found, complete = unspent_of_asset(access, wanted)
        if query.unconfirmed:
            found += waiting_outputs(access, None)
        truncated = not complete or len(found) > query.limit
    rows = [row for row in found if isinstance(row.spendable.content, Holding)]
    rows = [row for row in rows if wanted is None or row.spendable.content.asset == wanted][: query.limit]
    view = Viewer(access)
    tip = access.node.chain.tip
    return HoldingsView(
        height=tip.height,
        tip=tip.name.hex(),
        sums=sums_of(view, rows, any_role=key is None),
        outputs=[_unspent(access, view, row) for row in rows],
        truncated=truncated,
    )


def rights(access: NodeAccess, query: RightsQuery, _: None) -> HoldingsView:
    """The rights to issue and to transform that name a key."""
    key = key_of(query.address, query.key)
    if key is None:
        raise UsageError("give a key or an address")
    found, truncated = unspent_of_key(access, key, unconfirmed=query.unconfirmed, most=10_000)
    rows = [row for row in found if isinstance(row.spendable.content, Right)]
    view = Viewer(access)
    tip = access.node.chain.tip
    return HoldingsView(
        height=tip.height,
        tip=tip.name.hex(),
        sums=[],
        outputs=[_unspent(access, view, row) for row in rows[: query.limit]],
        truncated=truncated or len(rows) > query.limit,
    )


def sums_of(view: Viewer, rows: Iterable[Unspent], *, any_role: bool) -> list[HoldingSum]:
    """Of every asset, what is owned and what is held."""
    owned: dict[bytes, int] = {}
    held: dict[bytes, int] = {}
    for row in rows:
        content = row.spendable.content
        assert isinstance(content, Holding)
        owned.setdefault(content.asset, 0)
        held.setdefault(content.asset, 0)
        if any_role or row.roles & OWNER:
            owned[content.asset] += content.quantity
        if any_role or row.roles & CUSTODIAN or content.custodian is None:
            held[content.asset] += content.quantity
    return [
        HoldingSum(owned=view.amount(asset, owned[asset]), held=view.amount(asset, held[asset]))
        for asset in sorted(owned)
    ]


def _unspent(access: NodeAccess, view: Viewer, row: Unspent) -> UnspentView:
    chain, spendable = access.node.chain, row.spendable
    spender = access.node.mempool.spender(spendable.source, spendable.index)
    offer = access.node.offers.book.reserved(spendable.source, spendable.index)
    return UnspentView(
        source=spendable.source.hex(),
        index=spendable.index,
        output=view.output(spendable.content),
        roles=role_names(row.roles),
        height=row.height,
        is_reward=spendable.is_reward,
        mature=is_mature(spendable, chain.tip.height + 1, chain.genesis.consensus.maturity),
        spent_by=spender.hex() if spender is not None else None,
        offered=offer.hex() if offer is not None else None,
    )


# ---- posts -------------------------------------------------------------------------------------------------------------


def posts(access: NodeAccess, query: PostsQuery, _: None) -> PostPage:
    """The bulletin board: the newest posts (newest first), or those from a height or cursor on (oldest first)."""
    view = Viewer(access)
    if query.after is None and query.from_height is None:
        newest = access.index.last_posts(query.limit)[::-1]
        return PostPage(posts=[post_entry(view, record) for record in newest], next=None)
    height, position, number = (int(part) for part in (query.after or "-1.0.0").split("."))
    if height >= (query.from_height or 0):
        place = (min(height, 2**32 - 1), min(position, 2**32 - 1), min(number, 2**16 - 1))
        rows = access.index.posts_after(place, query.limit + 1)
    else:
        rows = access.index.posts(query.from_height or 0, query.limit + 1)
    shown = rows[: query.limit]
    last = shown[-1] if len(rows) > query.limit else None
    cursor = f"{last.height}.{last.position}.{last.number}" if last else None
    return PostPage(posts=[post_entry(view, record) for record in shown], next=cursor)


def post_entry(view: Viewer, record: PostRecord) -> PostEntry:
    """A post and where it stands."""
    return PostEntry(
        transaction=record.transaction.hex(),
        height=record.height,
        position=record.position,
        number=record.number,
        time_ms=record.time_ms,
        time=time_text(record.time_ms),
        post=view.post(record.post),
    )
