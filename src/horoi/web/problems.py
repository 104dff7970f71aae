"""Errors as problem documents (RFC 9457): the family of the error is the type, the status follows from the family.

Every refusal on purpose is a HoroiError or an HTTPException; anything else is a fault of this program, is logged with its
trace, and says nothing of the inside.
"""

from __future__ import annotations

import http
import logging

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from horoi.base.errors import (
    DecodeError,
    ForbiddenError,
    HoroiError,
    InsufficientError,
    KeyFileError,
    NetworkError,
    NotFoundError,
    RuleError,
    StorageError,
    UsageError,
)
from horoi.web.access import BusyError
from horoi.web.model.base import Problem

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:horoi:problem:"
RETRY_AFTER_S = 1

_log = logging.getLogger("horoi.web")

_FAMILIES: tuple[tuple[type[HoroiError], str, int, str], ...] = (
    (UsageError, "usage", 400, "The request cannot be meant"),
    (DecodeError, "decode", 400, "The bytes are not what they claim to be"),
    (RuleError, "rule", 422, "A rule of the ledger or the pool is broken"),
    (NotFoundError, "not-found", 404, "Not known here"),
    (ForbiddenError, "forbidden", 403, "Not allowed"),
    (InsufficientError, "insufficient", 409, "The keys at hand do not hold what this needs"),
    (KeyFileError, "key-file", 409, "A key cannot be used"),
    (BusyError, "busy", 503, "The node is busy"),
    (StorageError, "storage", 503, "The disk does not give it"),
    (NetworkError, "network", 503, "The node or a peer cannot be reached"),
)
_BY_STATUS = {400: "usage", 401: "unauthorized", 403: "forbidden", 404: "not-found", 503: "busy"}


def problem_of(error: HoroiError) -> Problem:
    """The document of an error of the house."""
    for kind, name, status, title in _FAMILIES:
        if isinstance(error, kind):
            detail = error.detail if isinstance(error, RuleError) else str(error)
            rule = error.rule if isinstance(error, RuleError) else None
            return Problem(
                type=TYPE_PREFIX + name,
                title=title,
                status=status,
                detail=detail,
                rule=rule,
                code=error.code or None,
                values=error.values,
            )
    return Problem(type=TYPE_PREFIX + "error", title="Refused", status=400, detail=str(error), code=error.code or None)


def problem_of_status(status: int, detail: str) -> Problem:
    """The document of an error of HTTP itself."""
    title = http.HTTPStatus(status).phrase
    name = _BY_STATUS.get(status) or title.lower().replace(" ", "-")
    return Problem(type=TYPE_PREFIX + name, title=title, status=status, detail=detail, code=f"http-{status}")


def respond(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """The response that carries a problem."""
    headers = dict(headers or {})
    if problem.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return Response(msgspec.json.encode(problem), problem.status, headers, media_type=MEDIA_TYPE)


async def on_horoi_error(_: Request, error: Exception) -> Response:
    """Handler of the errors of the house."""
    assert isinstance(error, HoroiError)
    return respond(problem_of(error))


async def on_http_error(_: Request, error: Exception) -> Response:
    """Handler of the framework's errors: no such path, no such method."""
    assert isinstance(error, HTTPException)
    detail = error.detail
    if error.status_code == http.HTTPStatus.NOT_FOUND:
        detail = "no such address; GET / lists what there is"
    return respond(problem_of_status(error.status_code, detail), dict(error.headers or {}))


async def on_fault(request: Request, error: Exception) -> Response:
    """Handler of everything else: a fault of this program."""
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return respond(problem_of_status(500, "this program failed on the request; its log says how"))
