"""Who may ask, how much, and for how long: the outermost layer, before any handler.

- *Host*: a page of a stranger can make a browser ask loopback under the stranger's name (DNS rebinding); so the name must
  be one of loopback's, or one that the operator configured.
- *Origin*: a browser says on whose behalf it asks (Origin, and Fetch Metadata where it knows that); another site's page may
  link here and do nothing else, nor may a page of another port of this machine. Nothing here reads cookies, and no other site
  is granted anything (no CORS headers), so a page can neither act with the token nor read an answer.
- *Size*: a body has at most ``max_body_size_bytes``, and all bodies together ``max_bodies_size_bytes``.
- *Time*: a body arrives within ``body_timeout_s``, an answer begins within ``answer_timeout_s``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from horoi.web.problems import problem_of_status, respond

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class ApiLimits:
    """The bounds of the API. Sizes in bytes, times in seconds. Every number is a guess."""

    max_body_size_bytes: int = 16_000_000
    """A batch of 10,000 transactions of 1.6 kB."""
    max_bodies_size_bytes: int = 64_000_000
    """Held at any moment."""
    body_timeout_s: float = 30.0
    answer_timeout_s: float = 90.0
    """Above what a submission waits for the node."""
    max_connections: int = 256
    max_streams: int = 64
    """Open event streams."""
    max_stream_events: int = 1_000
    """Waiting for one stream; a client that is further behind is dropped."""
    heartbeat_s: float = 15.0
    """Under the minute after which proxies close a silent stream."""
    head_timeout_s: float = 15.0
    """For the head of a request to arrive, on a new connection."""
    linger_s: float = 5.0
    """For the rest of an answer to leave after this side closed."""


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, *, hosts: tuple[str, ...], limits: ApiLimits) -> None:
        self.app = app
        self.hosts = (*LOOPBACK_HOSTS, *(host.lower().strip("[]") for host in hosts))
        self.limits = limits
        self.bodies_size_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if scope["type"] == "websocket":  # which no cross-origin rule of the browser covers (RFC 6455, section 10.2)
            await (
                self.app(scope, receive, send) if refused is None else send({"type": "websocket.close", "code": 1008})
            )
            return
        if refused is not None:
            await respond(problem_of_status(*refused), _SAFE)(scope, receive, send)
            return
        body = _Body(self, receive)
        answer = _Answer(send)
        try:
            async with asyncio.timeout(self.limits.answer_timeout_s) as deadline:
                answer.deadline = deadline
                await self.app(scope, body, answer)
        except TimeoutError:
            if answer.begun or not deadline.expired():
                raise
            problem = problem_of_status(503, f"no answer within {self.limits.answer_timeout_s:g} s; ask again later")
            await respond(problem, _SAFE)(scope, receive, send)
        finally:
            self.bodies_size_bytes -= body.size_bytes

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason, or None if the request may pass."""
        headers: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            if name in _READ:
                if name in headers:
                    return 400, f"two {name.decode().title()} headers"
                headers[name] = value.decode("latin-1")
        host, length = headers.get(b"host"), headers.get(b"content-length")
        if host is None or _name_of(host) not in self.hosts:
            shown = (host or "")[:100]
            return 421, f"this node is not called {shown!r}; use 127.0.0.1, or configure the name as a host of the API"
        if not self._is_own_page(headers, host, scope.get("method", "")):
            return 403, "a page of another site may link here, and do nothing else"
        if length is not None and not (length.isdigit() and int(length[:20]) <= self.limits.max_body_size_bytes):
            return 413, f"a body has at most {self.limits.max_body_size_bytes} bytes; send it in parts"
        return None

    def _is_own_page(self, headers: Mapping[bytes, str], host: str, method: str) -> bool:
        """False if a browser asks on behalf of a page that is not this node's. A program sends none of these headers."""
        origin = headers.get(b"origin")
        if origin is not None and not self._is_own_origin(origin, host):
            return False
        if headers.get(b"sec-fetch-site", "none") in ("none", "same-origin"):
            return True
        return headers.get(b"sec-fetch-mode") == "navigate" and method in SAFE_METHODS

    def _is_own_origin(self, origin: str, host: str) -> bool:
        """The origin is where this request went, port and all; or a name that the operator configured, as a proxy has it."""
        try:
            parts = urlsplit(origin)
            name, port = parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)
            asked = urlsplit(f"//{host.strip()}")
            asked_port = asked.port or _DEFAULT_PORTS.get(parts.scheme)
        except ValueError:
            return False
        if name in self.hosts and name not in LOOPBACK_HOSTS:
            return True
        return name == asked.hostname and port == asked_port


_READ = (b"host", b"origin", b"content-length", b"sec-fetch-site", b"sec-fetch-mode")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class _Body:
    """``receive`` with a limit on size and time. It keeps count of what it let in until the answer is complete."""

    def __init__(self, guard: Guard, receive: Receive) -> None:
        self._guard = guard
        self._receive = receive
        self._complete = False
        self._until_s = asyncio.get_running_loop().time() + guard.limits.body_timeout_s
        self.size_bytes = 0

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()  # waits for the client to leave
        limits = self._guard.limits
        try:
            async with asyncio.timeout_at(self._until_s):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, f"the body did not arrive within {limits.body_timeout_s:g} s") from None
        if message["type"] != "http.request":
            return message
        size_bytes = len(message.get("body", b""))
        self.size_bytes += size_bytes
        self._guard.bodies_size_bytes += size_bytes
        self._complete = not message.get("more_body", False)
        if self.size_bytes > limits.max_body_size_bytes:
            raise HTTPException(413, f"a body has at most {limits.max_body_size_bytes} bytes; send it in parts")
        if self._guard.bodies_size_bytes > limits.max_bodies_size_bytes:
            raise HTTPException(503, "too many bodies are being read at once; send it again in a moment")
        return message


class _Answer:
    """``send`` that knows whether an answer began; then the time that it takes is the client's business."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self.deadline: asyncio.Timeout | None = None

    async def __call__(self, message: Message) -> None:
        if not self.begun:
            self.begun = True
            assert self.deadline is not None
            self.deadline.reschedule(None)
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                given = [name.lower() for name, _ in headers]
                headers += [(name, value) for name, value in _SAFETY if name not in given]
                message = {**message, "headers": headers}
        await self._send(message)


_SAFETY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""What every answer says unless it says it itself, as the explorer's pages do."""

_SAFE = {name.decode(): value.decode() for name, value in _SAFETY}


def _name_of(host: str) -> str:
    """The name in a Host header, without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host
