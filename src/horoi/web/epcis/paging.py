"""Pages: ``perPage``, ``nextPageToken``, and the ``Link`` header of the next one.

A token says how far the client came; nothing is kept for it here, so it does not expire.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from horoi.epcis.query import DEFAULT_PER_PAGE, MAX_PER_PAGE, QueryError
from horoi.web.epcis.binding import answer

MAX_OFFSET = 10**12


def per_page_of(request: Request) -> int:
    """How many the client wants at once."""
    text = request.query_params.get("perPage", str(DEFAULT_PER_PAGE))
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1):
        raise QueryError(f"perPage is a whole number from 1 up, not {text[:40]!r}")
    return min(int(text[:9]), MAX_PER_PAGE)


def page_of(request: Request) -> tuple[int, int]:
    """perPage, and how many were shown before."""
    token = request.query_params.get("nextPageToken", "0")
    if not (token.isascii() and token.isdigit() and len(token) <= 12):
        raise QueryError(f"{token[:40]!r} is no nextPageToken of this node")
    return per_page_of(request), int(token)


def with_next(request: Request, value: Any, token: str | None) -> Response:
    """An answer, and where its next page is."""
    if token is None:
        return answer(value)
    kept = [(name, text) for name, text in request.query_params.multi_items() if name != "nextPageToken"]
    url = f"{request.url.path}?{urlencode([*kept, ('nextPageToken', token)])}"
    return answer(value, headers={"Link": f'<{url}>; rel="next"'})
