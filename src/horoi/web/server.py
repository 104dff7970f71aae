"""The API's server: uvicorn inside the node's own event loop, so that a handler reads the node directly.

What uvicorn leaves open is closed here: a connection whose request head never comes, and one whose rest of an answer nobody
reads, are cut off after a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from horoi.base.errors import NetworkError
from horoi.web.access import NodeAccess
from horoi.web.app import create_app
from horoi.web.guard import ApiLimits
from horoi.web.token import read_or_make_token
from horoi.world.live.addresses import bind, bound_address, split_address

DEFAULT_LISTEN = "127.0.0.1:0"
MAX_SOCKET_MESSAGE_BYTES = 1_024  # nobody has anything to say there
SWEEP_S = 1.0  # how often connections are looked at
STOP_TIMEOUT_S = 3.0  # for answers under way when the node stops; a guess


class ApiServer:
    """Serves a node's API. ``folder`` is where the token is kept; ``address`` after ``start`` has the real port."""

    def __init__(
        self,
        access: NodeAccess,
        *,
        folder: Path,
        listen: str = DEFAULT_LISTEN,
        hosts: Sequence[str] = (),
        limits: ApiLimits | None = None,
    ) -> None:
        self.access = access
        self.limits = limits or ApiLimits()
        self.address: str | None = None
        self._listen = listen
        self._folder = folder
        self._hosts = tuple(hosts)
        self._sweeps: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://{self.address}"

    async def start(self) -> None:
        """Bind and serve. Raises NetworkError (the port), KeyFileError (the token)."""
        token = read_or_make_token(self._folder)
        host, _ = split_address(self._listen)
        app = create_app(self.access, token=token, hosts=(*self._hosts, host), limits=self.limits)
        bound = bind(self._listen, socket.SOCK_STREAM)
        self.address = bound_address(bound)
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            ws="websockets-sansio",
            ws_max_size=MAX_SOCKET_MESSAGE_BYTES,
            limit_concurrency=self.limits.max_connections,
            timeout_graceful_shutdown=int(STOP_TIMEOUT_S),
        )
        self._server = _Embedded(config)
        self._serving = asyncio.ensure_future(self._server.serve(sockets=[bound]))
        while not self._server.started:
            if self._serving.done():
                bound.close()
                self._serving.result()
                raise NetworkError(f"the API did not start on {self.address}; see the log")
            await asyncio.sleep(0.01)
        self._sweeps = asyncio.ensure_future(self._sweep())
        if self.access.events is not None:
            await self.access.events.start()

    async def stop(self) -> None:
        """End the streams, finish answers under way, close the port. Idempotent."""
        if self._sweeps is None:
            return
        self._sweeps.cancel()
        self._sweeps = None
        self.access.live.close()
        if self.access.events is not None:
            await self.access.events.stop()
        self._server.should_exit = True
        await self._serving
        self.access.close()

    async def _sweep(self) -> None:
        """Cut off connections that wait for a head, or for their answer to be read, for too long."""
        idle_since: dict[Any, float] = {}
        closing_since: dict[Any, float] = {}
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_S)
            now = loop.time()
            connections: list[Any] = list(self._server.server_state.connections)
            idle = {c: idle_since.get(c, now) for c in connections if _awaits_head(c)}
            closing = {c: closing_since.get(c, now) for c in connections if c.transport.is_closing()}
            for connection, since in (*idle.items(), *closing.items()):
                limit_s = self.limits.linger_s if connection in closing else self.limits.head_timeout_s
                if now - since > limit_s:
                    connection.transport.abort()
            idle_since, closing_since = idle, closing


def _awaits_head(connection: Any) -> bool:
    """True while no request is under way and uvicorn's own timer for kept connections does not run."""
    if not hasattr(connection, "cycle"):  # a WebSocket: it may be silent for as long as it likes
        return False
    cycle = connection.cycle
    return cycle is None or (cycle.response_complete and connection.timeout_keep_alive_task is None)


class _Embedded(uvicorn.Server):
    """A server that leaves signals to the program it lives in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
