"""All routes of the binding, with their OPTIONS."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from horoi.web.epcis.binding import CAPTURE_LIMITS, FORMATS, ROOT, Handler, nothing, speaks_epcis
from horoi.web.epcis.capture import Captures
from horoi.web.epcis.events import Events
from horoi.web.epcis.queries import Queries
from horoi.web.epcis.resources import RESOURCES, ResourceRoutes, top
from horoi.web.epcis.service import EventService
from horoi.web.epcis.sockets import Sockets
from horoi.web.epcis.subscriptions import Subscriptions

Methods = dict[str, Handler]
WRITING = ("POST", "DELETE")


def epcis_routes(service: EventService, token: str) -> list[BaseRoute]:
    """The binding over one event service. What writes needs the node's token."""
    events = Events(service)
    subscriptions = Subscriptions(Queries(events), token)
    routes = [
        route
        for path, methods in _handlers(service, events, subscriptions).items()
        for route in _routes(path, methods, token)
    ]
    return [*routes, WebSocketRoute(f"{ROOT}/queries/{{name}}/events", Sockets(subscriptions).serve)]


def _handlers(service: EventService, events: Events, subscriptions: Subscriptions) -> dict[str, Methods]:
    captures = Captures(service)
    queries = subscriptions.queries
    found: dict[str, Methods] = {
        "": {"GET": top},
        "/capture": {"GET": captures.list, "POST": captures.post},
        "/capture/{id}": {"GET": captures.get},
        "/events": {"GET": events.list, "POST": events.post},
        "/queries": {"GET": queries.list, "POST": queries.post},
        "/queries/{name}": {"GET": queries.get, "DELETE": queries.delete},
        "/queries/{name}/events": {"GET": queries.get_events},
        "/queries/{name}/subscriptions": {"GET": subscriptions.list, "POST": subscriptions.post},
        "/queries/{name}/subscriptions/{id}": {"GET": subscriptions.get, "DELETE": subscriptions.delete},
        "/nextPageToken/{token:path}": {"DELETE": forget_token},
    }
    for resource in RESOURCES:
        routes = ResourceRoutes(events, resource)
        found |= {
            f"/{resource.name}": {"GET": routes.list},
            f"/{resource.name}/{{value:path}}/events": {"GET": routes.get_events},
            f"/{resource.name}/{{value:path}}": {"GET": routes.get},
        }
    found["/events/{id:path}"] = {"GET": events.get}
    return found


def _routes(path: str, methods: Methods, token: str) -> list[Route]:
    allowed = ", ".join(["OPTIONS", *methods])
    headers = {"Allow": allowed, "GS1-EPC-Format": ", ".join(FORMATS), **(CAPTURE_LIMITS if path == "/capture" else {})}

    async def options(request: Request) -> Response:
        return nothing(204, headers)

    routes = [
        Route(ROOT + path, speaks_epcis(handler, token if method in WRITING else None), methods=[method])
        for method, handler in methods.items()
    ]
    return [*routes, Route(ROOT + path, speaks_epcis(options, None), methods=["OPTIONS"])]


async def forget_token(request: Request) -> Response:
    """Tokens say all that they mean, so there is nothing to forget."""
    return nothing()
