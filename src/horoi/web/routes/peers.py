"""Who is linked, and whom to link to."""

from __future__ import annotations

from horoi.base.errors import UsageError
from horoi.node.events import ConnectTo
from horoi.node.peers.addresses import canonical
from horoi.web.access import NodeAccess
from horoi.web.model.base import NoQuery
from horoi.web.model.node import DialAnswer, DialForm, PeerList, PeerView


def peers(access: NodeAccess, _: NoQuery, __: None) -> PeerList:
    """The peers that this node is linked to."""
    links = {link.peer.hex(): link for link in access.host.peers()}
    rows = []
    for info in access.node.peers.peers():
        link = links.get(info.peer)
        rows.append(
            PeerView(
                peer=info.peer,
                address=info.address,
                outbound=info.outbound,
                ready=info.ready,
                height=info.height,
                agent=info.agent,
                latency_ms=info.latency_ms,
                points=info.points,
                since_ms=int(info.since_s * 1000),
                bytes_in=link.bytes_in if link else 0,
                bytes_out=link.bytes_out if link else 0,
            )
        )
    return PeerList(peers=rows, known_addresses=len(access.node.peers.book))


def dial(access: NodeAccess, _: NoQuery, form: DialForm) -> DialAnswer:
    """Stay linked to this address from now on."""
    address = canonical(form.address)
    if address is None:
        raise UsageError(
            f"{form.address[:100]!r} is no address: write host:port, or [host]:port for IPv6",
            code="peer-form",
            text=form.address[:100],
        )
    access.host.ask(ConnectTo(address))
    return DialAnswer(address=address)
