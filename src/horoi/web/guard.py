"""Who may ask, how much, and for how long: the outermost layer, before any handler.

- *Host*: a page of a stranger can make a browser ask loopback under the stranger's name (DNS rebinding); so the name must
  be one of loopback's, or one that the operator configured.
- *Origin*: a browser says on whose behalf it writes; another site's pages may not. Nothing here reads cookies, and no other
  site is granted anything (no CORS headers), so a page can neither act with the token nor read an answer.
- *Size*: a body has at most ``max_body_size_bytes``, and all bodies together ``max_bodies_size_bytes``.
- *Time*: a body arrives within ``body_timeout_s``, an answer begins within ``answer_timeout_s``.
"""

from __future__ import annotations

import asyncio
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
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is not None:
            await respond(problem_of_status(*refused))(scope, receive, send)
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
            await respond(problem)(scope, receive, send)
        finally:
            self.bodies_size_bytes -= body.size_bytes

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason, or None if the request may pass."""
        host = origin = length = None
        for name, value in scope["headers"]:
            if name == b"host":
                if host is not None:
                    return 400, "two Host headers"
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"content-length":
                length = value
        if not self._is_ours(host):
            shown = (host or b"").decode("latin-1")[:100]
            return 421, f"this node is not called {shown!r}; use 127.0.0.1, or configure the name as a host of the API"
        if scope["method"] not in SAFE_METHODS and origin is not None and not self._is_own_page(origin):
            return 403, "a page of another site may not write here"
        if length is not None and not (length.isdigit() and int(length[:20]) <= self.limits.max_body_size_bytes):
            return 413, f"a body has at most {self.limits.max_body_size_bytes} bytes; send it in parts"
        return None

    def _is_ours(self, host: bytes | None) -> bool:
        return host is not None and _name_of(host.decode("latin-1")) in self.hosts

    def _is_own_page(self, origin: bytes) -> bool:
        try:
            return (urlsplit(origin.decode("latin-1")).hostname or "") in self.hosts
        except ValueError:
            return False


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


def _name_of(host: str) -> str:
    """The name in a Host header, without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host
