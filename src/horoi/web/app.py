"""The ASGI application of a node's API and explorer."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from horoi.base.errors import HoroiError
from horoi.web.access import NodeAccess
from horoi.web.endpoint import make_route
from horoi.web.epcis.service import EventService
from horoi.web.epcis.table import epcis_routes
from horoi.web.explorer.serving import Explorer
from horoi.web.guard import ApiLimits, Guard
from horoi.web.live import Live
from horoi.web.problems import on_fault, on_horoi_error, on_http_error
from horoi.web.routes.epcis import link_routes
from horoi.web.routes.table import ENDPOINTS


def create_app(
    access: NodeAccess, *, token: str, hosts: Sequence[str] = (), limits: ApiLimits | None = None
) -> Starlette:
    """The API of ``access``'s node. ``token``: what signers must show; ``hosts``: names that it is called by, beside loopback's.

    Call ``access.live.close()`` and ``access.close()`` when the node stops.
    """
    limits = limits or ApiLimits()
    access.live = Live(access, limits)
    events = access.events = EventService(access)
    return Starlette(
        routes=[
            *(make_route(endpoint, access, token) for endpoint in ENDPOINTS),
            *epcis_routes(events, token),
            *link_routes(access),
            *Explorer().routes(),
        ],
        exception_handlers={
            HoroiError: on_horoi_error,
            HTTPException: on_http_error,
            Exception: on_fault,
        },
        middleware=[Middleware(Guard, hosts=tuple(hosts), limits=limits)],
    )
