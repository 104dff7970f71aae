"""What every answer of the binding has: versions, the standard's names of exceptions, problem documents (RFC 7807)."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from horoi.base.errors import ForbiddenError, HoroiError, StorageError
from horoi.epcis.context import Namespaces
from horoi.epcis.query import QueryError
from horoi.web.endpoint import JSON, check_token
from horoi.web.problems import MEDIA_TYPE

ROOT = "/epcis/v2"
VERSION = "2.0.0"
JSON_LD = "application/ld+json"
JSON_TYPES = (JSON, JSON_LD)
CONTEXT_HEADER = "GS1-Extensions"
MAX_CAPTURE_EVENTS = 20_000  # of one call: about what fits into the size limit; a guess
MAX_CAPTURE_BYTES = 16_000_000  # the API's own limit of a body (guard.py)
MAX_QUERY_LENGTH = 8_000  # characters of a URL's parameters, as common servers have it

VERSIONS = {
    "GS1-EPCIS-Version": VERSION,
    "GS1-EPCIS-Min": VERSION,
    "GS1-EPCIS-Max": VERSION,
    "GS1-CBV-Version": VERSION,
    "GS1-CBV-Min": VERSION,
    "GS1-CBV-Max": VERSION,
    "GS1-Vendor-Version": "horoi/1",
}
CAPTURE_LIMITS = {
    "GS1-EPCIS-Capture-Limit": str(MAX_CAPTURE_EVENTS),
    "GS1-EPCIS-Capture-File-Size-Limit": str(MAX_CAPTURE_BYTES),
    "GS1-Capture-Error-Behaviour": "all",
}
FORMAT_HEADER = "GS1-EPC-Format"
LINKS = "Always_GS1_Digital_Link"
FORMATS = ("No_Preference", "Never_Translates", LINKS)

Handler = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger("horoi.web.epcis")


class EpcisError(Exception):
    """A refusal by the standard's name. ``more`` goes into the problem document."""

    def __init__(self, kind: str, status: int, title: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status = status
        self.title = title
        self.more = more


def no_such(detail: str) -> EpcisError:
    """404."""
    return EpcisError("NoSuchNameException", 404, "Resource not found", detail)


def invalid(detail: str, **more: Any) -> EpcisError:
    """400 for a document or a body."""
    return EpcisError("ValidationException", 400, "Not valid", detail, **more)


def written(value: Any) -> bytes:
    """JSON as it travels."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON with the versions."""
    content = value if isinstance(value, bytes) else written(value)
    return Response(content, status, {**VERSIONS, **(headers or {})}, media_type=JSON)


def nothing(status: int = 204, headers: dict[str, str] | None = None) -> Response:
    """An answer without content."""
    return Response(b"", status, {**VERSIONS, **(headers or {})})


def problem(error: EpcisError) -> Response:
    """A refusal as the standard has it."""
    document = {
        "type": f"epcisException:{error.kind}",
        "title": error.title,
        "status": error.status,
        "detail": str(error),
        **error.more,
    }
    headers = {**VERSIONS, **(CAPTURE_LIMITS if error.status == 413 else {})}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(json.dumps(document, ensure_ascii=False).encode(), error.status, headers, media_type=MEDIA_TYPE)


def speaks_epcis(handler: Handler, token: str | None) -> Handler:
    """The handler, its requests checked and its errors in the standard's words. ``token``: what the caller must show, if any."""

    async def call(request: Request) -> Response:
        try:
            _check_head(request)
            if token is not None:
                check_token(request, token)
            return await handler(request)
        except EpcisError as error:
            return problem(error)
        except QueryError as error:
            status = 413 if error.kind in ("QueryTooLargeException", "QueryTooComplexException") else 400
            return problem(EpcisError(error.kind, status, "Query refused", str(error)))
        except HTTPException as error:
            return problem(_of_http(error))
        except ClientDisconnect:
            raise
        except ForbiddenError as error:
            return problem(EpcisError("SecurityException", 403, "Not allowed", str(error)))
        except StorageError as error:
            return problem(EpcisError("ImplementationException", 503, "The event store does not take it", str(error)))
        except HoroiError as error:
            return problem(invalid(str(error)))
        except Exception:
            _log.exception("%s %s failed", request.method, request.url.path)
            return problem(
                EpcisError("ImplementationException", 500, "A server-side error occurred", "the log says more")
            )

    return call


def _of_http(error: HTTPException) -> EpcisError:
    if error.status_code in (401, 403):
        return EpcisError("SecurityException", error.status_code, "Not allowed", error.detail)
    if error.status_code == 413:
        return EpcisError("CaptureLimitExceededException", 413, "Payload too large", error.detail)
    return EpcisError("ValidationException", error.status_code, "Refused", error.detail)


def _check_head(request: Request) -> None:
    if len(request.url.query) > MAX_QUERY_LENGTH:
        raise EpcisError(
            "URITooLongException", 414, "URI Too Long", f"at most {MAX_QUERY_LENGTH} characters of parameters"
        )
    accepted = request.headers.get("accept", "*/*").lower()
    if not any(kind in accepted for kind in (*JSON_TYPES, "*/*", "application/*", "text/html", "+json")):
        raise _not_acceptable(f"this node answers in {JSON}, not {accepted[:80]!r}")
    for name in ("GS1-EPCIS-Version", "GS1-CBV-Version", "GS1-EPCIS-Min", "GS1-CBV-Min"):
        asked = request.headers.get(name, VERSION)
        if _numbers(asked) > _numbers(VERSION)[: len(_numbers(asked))] or not _numbers(asked):
            raise _not_acceptable(f"{name} {asked[:20]!r}: this node speaks {VERSION}")
    form = request.headers.get(FORMAT_HEADER, FORMATS[0])
    if form not in FORMATS:
        raise _not_acceptable(f"{FORMAT_HEADER} {form[:40]!r}: this node gives {', '.join(FORMATS)}")


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(int(part[:9]) for part in parts) if all(part.isascii() and part.isdigit() for part in parts) else ()


def _not_acceptable(detail: str) -> EpcisError:
    return EpcisError("NotAcceptableException", 406, "Not acceptable", detail)


def as_links(request: Request) -> bool:
    """Whether the client wants every GS1 key as a Digital Link."""
    return request.headers.get(FORMAT_HEADER) == LINKS


def extensions_of(request: Request) -> Namespaces:
    """Prefixes that the client declares: ``GS1-Extensions: thasos=https://thasos.example/epcis/``."""
    found = {}
    for part in ",".join(request.headers.getlist(CONTEXT_HEADER)).split(","):
        prefix, equals, name = part.strip().partition("=")
        if equals:
            found[prefix] = name
    return found


async def json_body(request: Request) -> bytes:
    """The bytes of a JSON body; 415 or 413 if it is none or too large."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in JSON_TYPES:
        detail = f"the body is {given or 'of no stated type'}; send {' or '.join(JSON_TYPES)}"
        raise EpcisError("UnsupportedMediaTypeException", 415, "Unsupported Media Type", detail)
    data = await request.body()
    if len(data) > MAX_CAPTURE_BYTES:
        detail = f"{len(data)} bytes; at most {MAX_CAPTURE_BYTES} in one call"
        raise EpcisError("CaptureLimitExceededException", 413, "Payload too large", detail)
    return data
