"""The event stream and the metrics."""

from __future__ import annotations

from starlette.responses import Response

from horoi.web.access import NodeAccess
from horoi.web.metrics import CONTENT_TYPE, exposition
from horoi.web.model.base import NoQuery
from horoi.web.model.node import EventsQuery
from horoi.web.stream import Streaming, read_kinds

EVENT_STREAM = "text/event-stream"


def events(access: NodeAccess, query: EventsQuery, _: None) -> Response:
    """The live stream, as server-sent events, each with a name and JSON data.

    `block`, `block-removed`: a block joined or left the connected chain. `transaction`, `transaction-removed`: the mempool.
    `conflict`: a transaction can never confirm. `post`: a post was confirmed. `peer`, `peer-lost`: who is linked.
    `offer`, `offer-changed`: an offer came, or something was stated about it. A comment
    comes every 15 s so that silence means trouble. A client that reads too slowly is dropped: what it missed is in the API.
    """
    kinds = read_kinds(query.types)
    hub = access.live.hub
    return Streaming(hub, hub.subscribe(kinds))


def metrics(access: NodeAccess, _: NoQuery, __: None) -> Response:
    """For Prometheus: chain, mempool, peers, traffic, verification, this process."""
    return Response(exposition(access.live.registry), headers={"Content-Type": CONTENT_TYPE})
