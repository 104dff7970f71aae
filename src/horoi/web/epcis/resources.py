"""The resources that events speak of: their types, EPCs, business steps, places, dispositions, and the events of each."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from horoi.epcis.facts import canonical_value
from horoi.epcis.query import ANY_CLASS, ANY_EPC, QueryError
from horoi.epcis.vocabulary import BIZ_STEPS, CONTEXT, DISPOSITIONS, EVENT_TYPES, Vocabulary
from horoi.node.epcis.search import has_value, values_of
from horoi.web.epcis.binding import answer, extensions_of, no_such
from horoi.web.epcis.events import Events, parameters_of
from horoi.web.epcis.paging import per_page_of, with_next

TOP = ("queries", "capture", "events", "eventTypes", "epcs", "readPoints", "bizLocations", "dispositions", "bizSteps")


class Resource(NamedTuple):
    """One kind of resource: the facts that name it, and the parameter that asks for its events."""

    name: str
    facts: tuple[str, ...]
    parameter: str
    words: Vocabulary | None = None


RESOURCES = (
    Resource("eventTypes", ("eventType",), "eventType"),
    Resource("epcs", (*ANY_EPC, *ANY_CLASS), "MATCH_anyEPC"),
    Resource("bizSteps", ("bizStep",), "EQ_bizStep", BIZ_STEPS),
    Resource("bizLocations", ("bizLocation",), "EQ_bizLocation"),
    Resource("readPoints", ("readPoint",), "EQ_readPoint"),
    Resource("dispositions", ("disposition",), "EQ_disposition", DISPOSITIONS),
)


def collection(members: list[str]) -> dict[str, Any]:
    """GS1's Collection."""
    return {"@context": CONTEXT, "type": "Collection", "member": members}


async def top(request: Request) -> Response:
    """What there is."""
    return answer(collection(list(TOP)))


class ResourceRoutes:
    """The handlers of one kind of resource."""

    def __init__(self, events: Events, resource: Resource) -> None:
        self.events = events
        self.resource = resource

    async def list(self, request: Request) -> Response:
        """The values that events here have; for event types also those that they could have."""
        per_page = per_page_of(request)
        resource = self.resource
        after = bytes_of(request.query_params.get("nextPageToken", ""))
        run = self.events.service.run
        found = await run(lambda store: values_of(store, resource.facts, after, per_page + 1))
        shown = [self._short(value) for value in found[:per_page]]
        if resource.name == "eventTypes" and not after:
            shown = list(dict.fromkeys([*EVENT_TYPES, *shown]))
        token = found[per_page - 1].encode().hex() if len(found) > per_page else None
        return with_next(request, collection(shown), token)

    async def get(self, request: Request) -> Response:
        """What there is about one."""
        await self._known(request)
        return answer(collection(["events"]))

    async def get_events(self, request: Request) -> Response:
        """The events of one."""
        value = await self._known(request)
        parameters = parameters_of(request, {self.resource.parameter: [value]})
        if self.resource.name == "epcs" and "MATCH_anyEPCClass" not in parameters:
            run = self.events.service.run
            if not await run(lambda store: has_value(store, ANY_EPC, value)):  # a class, with quantities
                parameters["MATCH_anyEPCClass"] = parameters.pop(self.resource.parameter)
        return await self.events.answer(request, parameters, "SimpleEventQuery")

    async def _known(self, request: Request) -> str:
        """The value in its canonical form; 404 if no event has it."""
        text = request.path_params["value"]
        value = canonical_value(text, self.resource.words, extensions_of(request))
        resource = self.resource
        is_known = await self.events.service.run(lambda store: has_value(store, resource.facts, value))
        if not is_known and not (resource.name == "eventTypes" and value in EVENT_TYPES):
            raise no_such(f"no event here has {text[:120]!r} among its {self.resource.name}")
        return value

    def _short(self, value: str) -> str:
        """A word of the standard as JSON has it."""
        words = self.resource.words
        if words is not None and value.startswith(words.start) and value.removeprefix(words.start) in words.words:
            return value.removeprefix(words.start)
        return value


def bytes_of(token: str) -> str:
    """The value that a token of a page names."""
    try:
        return bytes.fromhex(token).decode()
    except ValueError:
        raise QueryError(f"{token[:40]!r} is no nextPageToken of this node") from None
