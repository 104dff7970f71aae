"""An endpoint, declared once: from this record come the route, the checks, the OpenAPI document and the page at /api.

A handler takes the access, the parameters (path and query, as one record) and the body, and returns a record to be sent as
JSON, or a Response of its own.
"""

from __future__ import annotations

import hmac
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from horoi.base.errors import ForbiddenError, UsageError
from horoi.web.access import NodeAccess
from horoi.web.compression import packed
from horoi.web.model.base import NoQuery

JSON = "application/json"
MAX_JSON_SIZE_BYTES = 4_000_000  # of bodies that are decoded as one record: a partially signed transaction's limit


@dataclass(frozen=True)
class Endpoint:
    """``body`` is the record that a JSON body must be; with ``reads_raw`` the handler gets (media type, bytes) instead.

    ``answers`` maps a media type to the type of its content, a tuple of types if it is one of several, or None for anything;
    ``reads_raw`` likewise.
    """

    method: str
    path: str
    handler: Callable[[NodeAccess, Any, Any], Any]
    answers: dict[str, Any]
    query: type[msgspec.Struct] = NoQuery
    body: Any = None
    reads_raw: dict[str, Any] = field(default_factory=dict)
    needs_token: bool = False
    refusals: tuple[int, ...] = ()
    """Statuses of the problems that it answers with, beside those that every endpoint has."""
    section: str = "node"

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """First line of the handler's docstring."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[0]

    @property
    def description(self) -> str:
        return (inspect.getdoc(self.handler) or "").partition("\n")[2].strip()


def make_route(endpoint: Endpoint, access: NodeAccess, token: str) -> Route:
    """The route of an endpoint."""
    body_decoder = msgspec.json.Decoder(endpoint.body) if endpoint.body is not None else None

    async def call(request: Request) -> Response:
        if endpoint.needs_token:
            check_token(request, token)
        query = read_query(request, endpoint.query)
        body: Any = None
        if endpoint.reads_raw:
            body = await read_raw(request, tuple(endpoint.reads_raw))
        elif body_decoder is not None:
            body = await read_json(request, body_decoder)
        answer = endpoint.handler(access, query, body)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, Response):
            return answer
        data, headers = packed(request, msgspec.json.encode(answer), is_public=not endpoint.needs_token)
        return Response(data, headers=headers, media_type=JSON)

    return Route(endpoint.path, call, methods=[endpoint.method], name=endpoint.name)


def check_token(request: Request, token: str) -> None:
    """Raise 401 without a bearer token, 403 with a wrong one."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not shown:
        detail = "this needs the node's token: Authorization: Bearer, and what the file api-token in its folder says"
        raise HTTPException(401, detail, {"WWW-Authenticate": "Bearer"})
    if not hmac.compare_digest(shown.strip().encode("utf-8", "replace"), token.encode()):
        raise ForbiddenError(
            "this is not the node's token; the file api-token in its folder has it", code="wrong-token"
        )


def shows_token(request: Request, token: str) -> bool:
    """Whether it is the node's owner who asks, where anybody may."""
    try:
        check_token(request, token)
    except HTTPException:
        return False
    return True


def read_query(request: Request, kind: type[msgspec.Struct]) -> msgspec.Struct:
    """Path and query parameters as a record; UsageError says which one is wrong."""
    given = dict(request.query_params)
    if given.keys() & request.path_params.keys():
        raise UsageError("a part of the path is given again as a parameter; leave that out", code="parameters")
    try:
        return msgspec.convert({**given, **request.path_params}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"parameters: {error}", code="parameters") from None


async def read_raw(request: Request, types: tuple[str, ...]) -> tuple[str, bytes]:
    """The media type and the bytes of a body; 415 if it is none of ``types``."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in types:
        raise HTTPException(415, f"the body is {given or 'of no stated type'}; send one of {', '.join(types)}")
    return given, await request.body()


async def read_json(request: Request, decoder: msgspec.json.Decoder[Any]) -> Any:
    """A JSON body as a record; UsageError says what is wrong with it."""
    _, data = await read_raw(request, (JSON,))
    if len(data) > MAX_JSON_SIZE_BYTES:
        raise HTTPException(413, f"this body has at most {MAX_JSON_SIZE_BYTES} bytes")
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"body: {error}", code="body") from None
