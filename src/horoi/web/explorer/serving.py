"""The packed explorer over HTTP: one shell for every page's address, and files whose names carry the hash of their content.

What is here is read once, at start. The policy follows W3C's Content Security Policy Level 3 and Trusted Types: scripts and
styles come from this node's files only, nothing inline, nothing evaluated, no other host, no frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from horoi.web.compression import takes_gzip

BUILT = Path(__file__).parent / "built"
YEAR_S = 31_536_000  # the longest that RFC 9111's caches are asked to keep anything

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
SHELL_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
}
FILE_HEADERS = {
    "Cache-Control": f"public, max-age={YEAR_S}, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}
PROGRAMS = ("/v1/", "/epcis/", "/static/")
"""Where programs ask: what is not there is said in JSON."""
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Horoi: the explorer was not built</title></head>
<body><h1>The explorer was not built</h1>
<p>This node runs, and its API answers at <a href="/api">/api</a>; but the pages that belong here are packed when Horoi is
installed, and were not. In a copy of the repository, <code>make install</code> (or <code>make explorer</code>) packs them with
Node, from the machine or from PyPI. Then start the node again.</p></body></html>
"""


class File(msgspec.Struct, frozen=True):
    """A packed file, as it is and compressed."""

    media_type: str
    plain: bytes
    zipped: bytes


class Explorer:
    """What ``build.mjs`` left in a folder; nothing if it never ran."""

    def __init__(self, folder: Path = BUILT) -> None:
        self.pages: list[str] = []
        """Addresses, with ``:name`` for a part that varies."""
        self.shell: bytes | None = None
        self.files: dict[str, File] = {}
        path = folder / "manifest.json"
        if not path.exists():
            return
        manifest: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        self.pages = manifest["pages"]
        self.shell = (folder / "index.html").read_bytes()
        self.etag = f'"{hashlib.sha256(self.shell).hexdigest()[:32]}"'
        for entry in manifest["files"]:
            name = entry["name"]
            file = folder / "files" / name
            media_type = MEDIA_TYPES[file.suffix]
            self.files[name] = File(media_type, file.read_bytes(), file.with_name(f"{name}.gz").read_bytes())

    def routes(self, taken: Sequence[str] = ()) -> list[Route]:
        """Routes of the pages and their files; ``taken``: paths that are somebody else's."""
        pages = [_pattern(page) for page in self.pages] or ["/"]
        found = [Route(path, self.page, methods=["GET"]) for path in dict.fromkeys(pages) if path not in taken]
        return [*found, Route("/static/{name}", self.file, methods=["GET"])]

    async def page(self, request: Request) -> Response:
        """The shell, or what to do where it was not built."""
        if self.shell is None:
            return HTMLResponse(NOT_BUILT, 503)
        headers = {**SHELL_HEADERS, "ETag": self.etag}
        if request.headers.get("if-none-match") == self.etag:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(self.shell, headers=headers)

    def is_for_a_reader(self, request: Request) -> bool:
        """Whether somebody at a browser asks for what is no address of the API: then a page says that it is not there."""
        is_page = not request.url.path.startswith(PROGRAMS)
        wants_html = "text/html" in request.headers.get("accept", "")
        return self.shell is not None and request.method in ("GET", "HEAD") and is_page and wants_html

    def no_such_page(self) -> Response:
        """The shell, which finds no page of this address, and says so in the reader's language."""
        assert self.shell is not None
        return HTMLResponse(self.shell, 404, headers=SHELL_HEADERS)

    async def file(self, request: Request) -> Response:
        """A packed file. Its name changes with its content, so a browser never asks again."""
        found = self.files.get(request.path_params["name"])
        if found is None:
            return Response("no such file: load the page again", 404, media_type="text/plain")
        if takes_gzip(request):
            return Response(
                found.zipped, headers={**FILE_HEADERS, "Content-Encoding": "gzip"}, media_type=found.media_type
            )
        return Response(found.plain, headers=FILE_HEADERS, media_type=found.media_type)


def _pattern(page: str) -> str:
    """``/asset/:id`` as Starlette writes it."""
    parts = (f"{{{part[1:]}}}" if part.startswith(":") else part for part in page.split("/"))
    return "/".join(parts)
