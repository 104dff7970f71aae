"""``/queries``: questions with a name, and their answers whenever they are asked."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from horoi.epcis.query import QueryError
from horoi.node.epcis.standing import StandingQueries
from horoi.web.epcis.binding import ROOT, EpcisError, answer, invalid, json_body, no_such, nothing
from horoi.web.epcis.events import PAGING, Events, stored_query
from horoi.web.epcis.paging import page_of, with_next

MAX_NAME_CHARACTERS = 100  # a guess


class Queries:
    """The handlers."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self.service = events.service

    async def list(self, request: Request) -> Response:
        """All named queries."""
        per_page, offset = page_of(request)
        found = await self.service.run(lambda store: StandingQueries(store).queries(offset, per_page + 1))
        shown = [{"name": name, "query": query} for name, query in found[:per_page]]
        return with_next(request, shown, str(offset + per_page) if len(found) > per_page else None)

    async def post(self, request: Request) -> Response:
        """Give a query a name."""
        form = await read_form(request)
        name, query = form.get("name"), form.get("query")
        if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME_CHARACTERS or "/" in name:
            raise invalid(f"name is a text of 1 to {MAX_NAME_CHARACTERS} characters without a slash")
        if not isinstance(query, dict):
            raise QueryError(
                "query is an object of parameters, as {'EQ_bizStep': ['shipping']}", "QueryValidationException"
            )
        if any(key in query for key in PAGING):
            raise QueryError(
                "a named query has no page of its own; give perPage when you ask", "QueryValidationException"
            )
        stored_query(query)
        if not await self.service.run(lambda store: StandingQueries(store).add(name, query)):
            detail = f"there is a query {name!r}; delete it first, or choose another name"
            raise EpcisError("ResourceAlreadyExistsException", 409, "Exists already", detail)
        return nothing(201, {"Location": f"{ROOT}/queries/{name}/events"})

    async def get(self, request: Request) -> Response:
        """A named query."""
        name = request.path_params["name"]
        return answer({"name": name, "query": await self.of(name)})

    async def delete(self, request: Request) -> Response:
        """Forget a query, and who subscribed to it."""
        name = request.path_params["name"]
        await self.of(name)
        await self.service.run(lambda store: StandingQueries(store).remove(name))
        return nothing()

    async def get_events(self, request: Request) -> Response:
        """What a named query answers now."""
        name = request.path_params["name"]
        query = await self.of(name)
        given = dict(request.query_params)
        wrong = [key for key in given if key not in PAGING]
        if wrong:
            raise QueryError(
                f"{wrong[0]!r}: a named query takes only {' and '.join(PAGING)}; stream, a schedule, reportIfEmpty and "
                "initialRecordTime are for a WebSocket on this address, or a subscription"
            )
        return await self.events.answer(request, {**query, **given}, name)

    async def of(self, name: str) -> dict[str, Any]:
        """The parameters of a named query; 404 if there is none."""
        query = await self.service.run(lambda store: StandingQueries(store).query(name))
        if query is None:
            raise no_such(f"no query {name[:MAX_NAME_CHARACTERS]!r}; GET {ROOT}/queries lists them")
        return query


async def read_form(request: Request) -> dict[str, Any]:
    """A JSON object; 400 if the body is another thing."""
    try:
        form = json.loads(await json_body(request))
    except (ValueError, RecursionError) as error:
        raise invalid(f"the body is not JSON: {str(error)[:100]}") from None
    if not isinstance(form, dict):
        raise invalid("the body is not a JSON object")
    return form
