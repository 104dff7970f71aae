"""What the API says of itself: the OpenAPI document and a page that lists every endpoint."""

from __future__ import annotations

import base64
import hashlib
import html
from functools import lru_cache

import msgspec
from starlette.responses import HTMLResponse, Response

from horoi.web.access import NodeAccess
from horoi.web.endpoint import JSON
from horoi.web.model.base import NoQuery
from horoi.web.openapi import build


def openapi(_: NodeAccess, __: NoQuery, ___: None) -> Response:
    """The OpenAPI 3.1 document of this API."""
    return Response(_document(), media_type=JSON)


@lru_cache(maxsize=1)
def _document() -> bytes:
    from horoi.web.routes.table import ENDPOINTS

    return msgspec.json.format(msgspec.json.encode(build(ENDPOINTS)), indent=2)


def first_page(access: NodeAccess, _: NoQuery, __: None) -> HTMLResponse:
    """A page for people: which node this is, and every endpoint in a line."""
    from horoi.web.routes.table import ENDPOINTS

    chain = access.node.chain
    rows = "\n".join(
        f"<tr><td>{e.method}</td><td><code>{_link(e.method, e.path)}</code></td><td>{html.escape(e.summary)}"
        f"{' (token)' if e.needs_token else ''}</td></tr>"
        for e in ENDPOINTS
    )
    return HTMLResponse(
        _PAGE.format(
            network=html.escape(chain.genesis.name),
            node=access.node_id.hex()[:16],
            height=chain.tip.height,
            rows=rows,
            style=_STYLE,
        ),
        headers={"Content-Security-Policy": _POLICY},
    )


def _link(method: str, path: str) -> str:
    shown = html.escape(path)
    return f'<a href="{shown}">{shown}</a>' if method == "GET" and "{" not in path else shown


_STYLE = (
    "body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem } "
    "td { padding: .1rem 1rem .1rem 0; vertical-align: top }"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Horoi: {network}</title>
<style>{style}</style></head>
<body><h1>Horoi: {network}</h1>
<p>Node {node}, at height {height}. This is its HTTP API; <a href="/openapi.json">openapi.json</a> describes it whole.
<a href="/">The explorer</a> shows what it says.</p>
<table>
{rows}
</table>
</body></html>
"""
