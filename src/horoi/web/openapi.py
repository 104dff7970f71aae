"""The OpenAPI 3.1 document, generated from the table of endpoints and the records that go over the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from horoi import __version__
from horoi.web.endpoint import JSON, Endpoint
from horoi.web.model import board, node, offers
from horoi.web.model.base import NoQuery, Problem
from horoi.web.problems import MEDIA_TYPE

EVENTS = (
    node.BlockEvent,
    node.TransactionEvent,
    node.RemovedEvent,
    node.ConflictEvent,
    node.PostEvent,
    board.BoardLine,
    node.Agreement,
    node.PeerEvent,
    offers.OfferEvent,
)
"""Data of the live stream: in the document for whoever reads it, though no JSON answer refers to them."""

_DESCRIPTION = """\
A node of a ledger of ownership. Hashes, ids and keys are lowercase hexadecimal. Quantities and other numbers that may pass
2**53 are strings of digits; an amount is decimal text in the asset's unit. Times are milliseconds since 1970 and RFC 3339.
Errors are problem documents (RFC 9457); `rule` names the rule that broke. What signs or steers the node needs its token as
`Authorization: Bearer`; it is in the file `api-token` of the node's folder."""


def build(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The document, as data."""
    types = _types(endpoints)
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    by_type = dict(zip(map(_name_of, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Horoi", "version": __version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _types(endpoints: Sequence[Endpoint]) -> list[Any]:
    """Every type that goes over the wire as JSON, each once."""
    found: dict[str, Any] = {_name_of(Problem): Problem}
    for event in EVENTS:
        found[_name_of(event)] = event
    for endpoint in endpoints:
        for kind in (endpoint.body, *endpoint.answers.values(), *endpoint.reads_raw.values()):
            for alternative in _alternatives(kind):
                found.setdefault(_name_of(alternative), alternative)
    return list(found.values())


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """A content is None (anything), one type, or one of several (a tuple)."""
    if kind is None:
        return ()
    return kind if isinstance(kind, tuple) else (kind,)


def _name_of(kind: Any) -> str:
    return str(kind)


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.section],
        "summary": endpoint.summary,
        "responses": {
            "200": {"description": "As asked.", "content": _content(endpoint.answers, schemas)},
            "default": _problem("Refused.", schemas),
            **{str(status): _problem(_MEANING[status], schemas) for status in endpoint.refusals},
        },
    }
    if endpoint.description:
        operation["description"] = endpoint.description
    parameters = _parameters(endpoint)
    if parameters:
        operation["parameters"] = parameters
    bodies = endpoint.reads_raw or ({JSON: endpoint.body} if endpoint.body is not None else {})
    if bodies:
        operation["requestBody"] = {"required": True, "content": _content(bodies, schemas)}
    if endpoint.needs_token:
        operation["security"] = [{"token": []}]
    return operation


_MEANING = {
    400: "The request cannot be meant.",
    401: "The node's token is missing.",
    403: "The token is wrong, or the key is not here.",
    404: "Not known here.",
    409: "The keys at hand do not hold what this needs.",
    415: "The body is of another type.",
    422: "A rule of the ledger or the pool is broken; `rule` says which.",
    503: "The node is busy.",
}


def _problem(meaning: str, schemas: dict[str, Any]) -> dict[str, Any]:
    return {"description": meaning, "content": {MEDIA_TYPE: {"schema": schemas[_name_of(Problem)]}}}


def _content(types: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    return {media: _media(_alternatives(kind), schemas) for media, kind in types.items()}


def _media(kinds: tuple[Any, ...], schemas: dict[str, Any]) -> dict[str, Any]:
    forms = [schemas[_name_of(kind)] for kind in kinds]
    if not forms:
        return {}
    return {"schema": forms[0] if len(forms) == 1 else {"anyOf": forms}}


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    """Path and query parameters, from the fields of the endpoint's query record."""
    if endpoint.query is NoQuery:
        return []
    _, components = msgspec.json.schema_components([endpoint.query])
    schema = components[endpoint.query.__name__]
    required = schema.get("required", [])
    parameters = []
    for name, form in schema["properties"].items():
        place = "path" if f"{{{name}}}" in endpoint.path else "query"
        parameter = {"name": name, "in": place, "required": name in required, "schema": form}
        if "description" in form:
            parameter["description"] = form["description"]
        parameters.append(parameter)
    return parameters
