"""Accepts connections and counts those that have not proven who they are, in total and per remote address.

asyncio's own servers tell of a TLS connection only when its handshake is done, so a stranger who opens a thousand and says
nothing would not be seen. Here the count begins at ``accept``. Over the bound, a connection is closed at once: the half-open
that are already there each have a deadline, so room comes back.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable

from horoi.base.sources import source_of
from horoi.world.live.addresses import bind, bound_address, join_address, phrase_of
from horoi.world.live.limits import Limits
from horoi.world.live.link import Link

ACCEPT_RETRY_S = 1.0  # as asyncio's own servers when the process has no free file descriptor (ACCEPT_RETRY_DELAY)
BACKLOG = 100  # asyncio's default for servers

_log = logging.getLogger("horoi.live")


class Listener:
    """A bound port; it accepts from ``start`` to ``close``. ``make_link`` is called with the remote "host:port"."""

    def __init__(self, address: str, limits: Limits, make_link: Callable[[str], Link]) -> None:
        self._socket = bind(address, socket.SOCK_STREAM)
        self._limits = limits
        self._make_link = make_link
        self._half_open: dict[Link, str] = {}
        self._per_source: Counter[str] = Counter()
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._accepting: asyncio.Task[None] | None = None
        self.address = bound_address(self._socket)
        self.turned_away = 0
        """Connections closed at once because of the bounds."""

    @property
    def half_open(self) -> int:
        """Connections that have not proven who they are."""
        return len(self._half_open)

    def start(self, tls: ssl.SSLContext) -> None:
        """Begin to accept, in the running loop."""
        self._socket.listen(BACKLOG)
        self._accepting = asyncio.get_running_loop().create_task(self._accept(tls))

    async def close(self) -> None:
        """Stop accepting and free the port."""
        tasks = [*self._tasks, *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._socket.close()

    def release(self, link: Link) -> None:
        """``link`` is open, or its socket is gone: it is half-open no more. Idempotent."""
        source = self._half_open.pop(link, None)
        if source is None:
            return
        self._per_source[source] -= 1
        if not self._per_source[source]:
            del self._per_source[source]

    async def _accept(self, tls: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, remote = await loop.sock_accept(self._socket)
            except OSError as error:
                _log.warning("cannot accept on %s: %s; trying again", self.address, phrase_of(error))
                await asyncio.sleep(ACCEPT_RETRY_S)
                continue
            ip, port = remote[0], remote[1]
            source = source_of(remote).host
            if not self._has_room(source):
                self.turned_away += 1
                connection.close()
                continue
            link = self._make_link(join_address(ip, port))
            self._half_open[link] = source
            self._per_source[source] += 1
            task = loop.create_task(self._secure(connection, link, tls))
            self._tasks[task] = None
            task.add_done_callback(lambda done: self._tasks.pop(done, None))

    def _has_room(self, source: str) -> bool:
        limits = self._limits
        return len(self._half_open) < limits.max_half_open and self._per_source[source] < limits.max_half_open_per_ip

    async def _secure(self, connection: socket.socket, link: Link, tls: ssl.SSLContext) -> None:
        """TLS; on success the link has its transport and goes on by itself."""
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: link,
                connection,
                ssl=tls,
                ssl_handshake_timeout=self._limits.handshake_timeout_s,
                ssl_shutdown_timeout=self._limits.linger_s,
            )
        except OSError as error:  # ssl.SSLError, ConnectionError and TimeoutError are all of this family
            link.end("tls", f"TLS: {phrase_of(error)}")
            link.disconnected()
        except asyncio.CancelledError:
            link.end("stop", "this node stops")
            link.disconnected()
            raise
