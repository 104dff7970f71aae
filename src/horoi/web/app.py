"""The ASGI application of a node's API and explorer."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

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
    explorer = Explorer()

    async def on_refusal(request: Request, error: Exception) -> Response:
        is_lost = isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND
        if is_lost and explorer.is_for_a_reader(request):
            return explorer.no_such_page()
        return await on_http_error(request, error)

    return Starlette(
        routes=[
            *(make_route(endpoint, access, token) for endpoint in ENDPOINTS),
            *epcis_routes(events, token),
            *link_routes(access),
            *explorer.routes(),
        ],
        exception_handlers={
            HoroiError: on_horoi_error,
            HTTPException: on_refusal,
            Exception: on_fault,
        },
        middleware=[Middleware(Guard, hosts=tuple(hosts), limits=limits)],
    )
