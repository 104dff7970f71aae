"""``/events``: the query language over everything that was captured here, and the documents that answer it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from horoi.epcis.gs1 import canonical
from horoi.epcis.query import DEFAULT_PER_PAGE, Query, QueryError, parse_query
from horoi.epcis.shapes import known_fields
from horoi.epcis.times import format_ms
from horoi.epcis.vocabulary import CONTEXT
from horoi.node.epcis.search import search
from horoi.node.epcis.store import EventStore, Stored
from horoi.web.epcis.binding import (
    ROOT,
    EpcisError,
    answer,
    as_links,
    extensions_of,
    invalid,
    json_body,
    no_such,
    written,
)
from horoi.web.epcis.capture import checked, refused
from horoi.web.epcis.paging import with_next
from horoi.web.epcis.service import EventService, now_ms

PAGING = ("perPage", "nextPageToken")
LINKED = ("parentID", "epcList", "childEPCs", "inputEPCList", "outputEPCList", "transformationID", "deviceID")
LINKED_LISTS = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")


class Events:
    """The handlers."""

    def __init__(self, service: EventService) -> None:
        self.service = service

    async def list(self, request: Request) -> Response:
        """The events that meet the parameters."""
        return await self.answer(request, parameters_of(request), "SimpleEventQuery")

    async def answer(self, request: Request, parameters: Mapping[str, Any], name: str) -> Response:
        """A page of the events of a query."""
        query = parse_query(parameters, extensions_of(request))
        links = as_links(request)

        def look(store: EventStore) -> tuple[bytes, str | None]:
            page = search(store, query)
            return written(query_document([event_of(one, links) for one in page.events], name)), page.next

        return with_next(request, *await self.service.run(look))

    async def get(self, request: Request) -> Response:
        """The events of one id: the event, and what was said of it later under the same id."""
        name, version = request.path_params["id"], request.query_params.get("ver")
        if name.startswith("ni:") and version is not None:  # a hash id whose question mark was not escaped
            name = f"{name}?ver={version}"
        found = await self.of_id(name)
        return answer(query_document([event_of(one, as_links(request)) for one in found], "SimpleEventQuery"))

    async def of_id(self, name: str) -> Sequence[Stored]:
        """By its id, or by its hash id; 404 if there is none."""
        query = parse_query({"EQ_eventID": [name]})
        found = (await self.service.run(lambda store: search(store, query._replace(per_page=DEFAULT_PER_PAGE)))).events
        if not found:
            raise no_such(f"no event {name[:120]!r} was captured here")
        return found

    async def post(self, request: Request) -> Response:
        """Keep one event."""
        report = await checked(await json_body(request))
        if report.errors:
            raise refused(report.errors)
        if report.kind != "event" or len(report.events) != 1:
            raise invalid(f"one event is expected, not {report.kind}; POST {ROOT}/capture takes documents")
        _, added = await self.service.keep(report, report.events)
        if not added:
            detail = f"event {report.events[0].hash_id} is kept already"
            raise EpcisError("ResourceAlreadyExistsException", 409, "Exists already", detail)
        await self.service.after(added)
        (stored,) = await self.service.run(lambda store: store.by_seq(added))
        return answer(event_of(stored, False), 201, {"Location": f"{ROOT}/events/{quote(stored.event_id, safe=':')}"})


def parameters_of(request: Request, fixed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The parameters of a URL, and those that its path fixes."""
    found: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name in found:
            raise QueryError(f"{name} is given twice; join its values by |")
        found[name] = value
    for name, value in (fixed or {}).items():
        if name in found:
            raise QueryError(f"{name} is what the path says; leave it out")
        found[name] = value
    return found


def stored_query(parameters: Mapping[str, Any]) -> Query:
    """A named query, checked before it is kept."""
    return parse_query({name: value for name, value in parameters.items() if name not in PAGING})


def query_document(events: Sequence[Any], name: str, subscription: str | None = None) -> dict[str, Any]:
    """An EPCISQueryDocument. Each event has the context of its own document."""
    results: dict[str, Any] = {"queryName": name, "resultsBody": {"eventList": list(events)}}
    if subscription is not None:
        results["subscriptionID"] = subscription
    return {
        "@context": [CONTEXT],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": format_ms(now_ms()),
        "epcisBody": {"queryResults": results},
    }


def event_of(stored: Stored, links: bool) -> dict[str, Any]:
    """An event as it was captured, with its id and the time at which this node recorded it."""
    event: dict[str, Any] = json.loads(stored.payload)
    event.setdefault("eventID", stored.event_id)
    event["recordTime"] = format_ms(stored.record_time_ms)
    return linked(event) if links else event


def linked(event: dict[str, Any]) -> dict[str, Any]:
    """An event whose GS1 keys are Digital Links. Its hash id stays the same."""
    changed = dict(known_fields(event))
    for name in LINKED:
        if name in changed:
            changed[name] = _link(changed[name])
    for name in LINKED_LISTS:
        if name in changed:
            changed[name] = [{**element, "epcClass": _link(element["epcClass"])} for element in changed[name]]
    for name in ("readPoint", "bizLocation"):
        if name in changed:
            changed[name] = {**changed[name], "id": _link(changed[name]["id"])}
    for name in ("sourceList", "destinationList"):
        if name in changed:
            field = name.removesuffix("List")
            changed[name] = [{**entry, field: _link(entry[field])} for entry in changed[name]]
    return {**event, **changed}


def _link(value: Any) -> Any:
    if isinstance(value, list):
        return [_link(entry) for entry in value]
    return canonical(value) or value
