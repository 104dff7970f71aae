"""A node's API on a real port of loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.web.web_node import ALICE, InlineHost, make_access

from horoi.base.keys import KeyPair
from horoi.ledger.genesis import Genesis
from horoi.web.guard import ApiLimits
from horoi.web.server import ApiServer

T = TypeVar("T")


class Serving:
    """The server and its node; ``call`` runs something in their thread."""

    def __init__(self, server: ApiServer, host: InlineHost, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self.host = host
        self.loop = loop

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Run in the node's thread, as everything that touches a node must."""

        async def run() -> T:
            return function(*args)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(30)


@contextmanager
def serving(
    folder: Path,
    genesis: Genesis | None = None,
    *,
    keys: dict[str, KeyPair] | None = None,
    limits: ApiLimits | None = None,
) -> Iterator[Serving]:
    """A node that is asked over real sockets."""
    ready: list[Serving] = []
    is_ready = threading.Event()
    failed: list[BaseException] = []

    async def run() -> None:
        access, host = make_access(genesis, keys={"alice": ALICE} if keys is None else keys)
        access.folder = folder
        server = ApiServer(access, folder=folder, limits=limits)
        await server.start()
        ready.append(Serving(server, host, asyncio.get_running_loop()))
        stop.append(asyncio.Event())
        is_ready.set()
        await stop[0].wait()
        await server.stop()

    def in_thread() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            failed.append(error)
            is_ready.set()

    stop: list[asyncio.Event] = []
    thread = threading.Thread(target=in_thread)
    thread.start()
    is_ready.wait(30)
    if failed:
        raise failed[0]
    try:
        yield ready[0]
    finally:
        ready[0].loop.call_soon_threadsafe(stop[0].set)
        thread.join(30)
    assert not thread.is_alive()
    if failed:
        raise failed[0]
