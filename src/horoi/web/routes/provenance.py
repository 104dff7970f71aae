"""An asset's flow as a graph, and its reconciliation."""

from __future__ import annotations

from horoi.base.errors import NotFoundError
from horoi.node.wallet.amounts import format_amount
from horoi.web.access import NodeAccess
from horoi.web.lines import Liner
from horoi.web.model.provenance import FlowLink, FlowNode, Provenance, ProvenanceQuery
from horoi.web.provenance.flow import Flow, Link, Node, Point
from horoi.web.provenance.reconcile import Books
from horoi.web.provenance.window import Window, read_window
from horoi.web.reading import unspent_at

MAX_NODES = 600
MAX_LINKS = 2_000


def provenance(access: NodeAccess, query: ProvenanceQuery, _: None) -> Provenance:
    """The flow of an asset: made, split, moved, transformed, lost, what remains; and where its books do not meet."""
    asset = bytes.fromhex(query.id)
    record = access.index.asset(asset)
    if record is None:
        raise NotFoundError(f"no asset {query.id} is defined in the connected chain", code="no-asset", asset=query.id)
    count = record.transactions
    offset = max(0, count - query.limit) if query.offset is None else query.offset
    window = read_window(access, asset, offset, query.limit, count, related=query.related)
    flow = _drawn(access, window)
    shown = flow.around(asset)
    liner = Liner(access)
    nodes, links = _shown(liner, flow, shown)
    books = Books(access, liner, asset, record)
    after = offset + len(window.own)
    return Provenance(
        asset=liner.view.asset_view(asset, record),
        offset=offset,
        limit=query.limit,
        transactions=count,
        previous=max(0, offset - query.limit) if offset > 0 else None,
        next=after if after < count and window.own else None,
        truncated=window.is_cut or offset > 0 or after < count or len(shown) > MAX_NODES,
        nodes=nodes,
        links=links,
        reconciliation=books.reconciliation(window.own, query.overdue_hours),
    )


def _drawn(access: NodeAccess, window: Window) -> Flow:
    flow = Flow(window.assets)
    for step in window.steps:
        flow.add(step)
    is_unspent: dict[Point, bool] = {}
    for node in flow.nodes:
        for source, index in node.outputs:
            is_unspent[source, index] = unspent_at(access, source, index) is not None
    flow.finish(is_unspent)
    return flow


def _shown(liner: Liner, flow: Flow, numbers: list[int]) -> tuple[list[FlowNode], list[FlowLink]]:
    chosen = dict.fromkeys(numbers[:MAX_NODES])
    nodes = [_node(liner, number, flow.nodes[number]) for number in chosen]
    links = [_link(liner, link) for link in flow.links if link.source in chosen and link.target in chosen]
    return nodes, links[:MAX_LINKS]


def _node(liner: Liner, number: int, node: Node) -> FlowNode:
    known = liner.view.asset(node.asset) if node.asset is not None else None
    owner, custodian = liner.people.party_if(node.owner), liner.people.party_if(node.custodian)
    held = f", held by {custodian.text}" if custodian is not None and node.custodian != node.owner else ""
    label = f"{owner.text}{held}" if owner is not None else node.reason or node.kind
    return FlowNode(
        id=f"n{number}",
        kind=node.kind,
        layer=node.layer,
        asset=node.asset.hex() if node.asset is not None else None,
        asset_name=known.name if known is not None else None,
        asset_alike=node.asset is not None and liner.view.is_alike(node.asset),
        unit=known.unit if known is not None else None,
        quantity=str(node.quantity),
        amount=format_amount(node.quantity, known.decimals) if known is not None else None,
        owner=owner,
        custodian=custodian,
        transaction=node.step.id.hex() if node.step is not None else None,
        height=node.step.height if node.step is not None else None,
        time_ms=node.step.time_ms if node.step is not None else None,
        reason=node.reason,
        remains=str(node.remains),
        remains_amount=format_amount(node.remains, known.decimals) if known is not None else None,
        label=label,
    )


def _link(liner: Liner, link: Link) -> FlowLink:
    known = liner.view.asset(link.asset)
    return FlowLink(
        source=f"n{link.source}",
        target=f"n{link.target}",
        asset=link.asset.hex(),
        quantity=str(link.quantity),
        amount=format_amount(link.quantity, known.decimals) if known is not None else None,
        value=link.quantity / 10 ** (known.decimals if known is not None else 0),
        transaction=link.step.id.hex(),
    )
