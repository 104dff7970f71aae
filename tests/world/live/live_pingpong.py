"""A tiny machine and short ways to host it, for the tests of the live world."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from horoi.base.codec import Record
from horoi.machine import Action, Asked, Dial, Event, Linked, Lost, Received, Send, Tell
from horoi.machine.host import Hosted, Place
from horoi.machine.wire import Message, Wire
from horoi.world.live.host import LiveHost
from horoi.world.live.limits import Limits
from horoi.world.live.node_key import NodeKey
from horoi.world.live.run import loop_factory

NETWORK = bytes(range(32))
QUICK = Limits(linger_s=0.2)
TEST_TIMEOUT_S = 30


class Ball(Message, frozen=True, tag="ball"):
    count: int
    pad: bytes = b""


class Throw(Record, frozen=True):
    """Request: send a ball to every peer."""

    ball: Ball


class Do(Record, frozen=True):
    """Request: carry out these actions."""

    actions: Any


class PingPong:
    """Sends every ball back with its count lowered, until zero; keeps and tells everything it hears."""

    def __init__(self) -> None:
        self.peers: dict[bytes, bool] = {}
        self.events: list[Event] = []

    def handle(self, event: Event, now: float) -> list[Action]:
        self.events.append(event)
        if isinstance(event, Received):
            return self._on_ball(event.peer, event.message)
        if isinstance(event, Lost):
            del self.peers[event.peer]
        if not isinstance(event, Asked):
            return [Tell(event)]
        request = event.request
        if isinstance(request, Linked):
            self.peers[request.peer] = request.outbound
        elif isinstance(request, Throw):
            return [Send(peer, request.ball) for peer in self.peers]
        elif isinstance(request, Do):
            return list(request.actions)
        return [Tell(request)]  # a Dial among them goes on to the world

    def _on_ball(self, peer: bytes, ball: Ball) -> list[Action]:
        if ball.count <= 0:
            return [Tell(ball)]
        return [Tell(ball), Send(peer, Ball(ball.count - 1, ball.pad))]


def make_host(
    *, key: NodeKey | None = None, max_size_bytes: int = 100_000, save: Any = None, machine: Any = None, **options: Any
) -> LiveHost:
    def boot(place: Place) -> Hosted:
        extra = {"save": save} if save else {}
        return Hosted(machine or PingPong(), Wire([Ball], max_size_bytes=max_size_bytes), **extra)

    options = {"network_id": NETWORK, "listen": "127.0.0.1:0", "disk": None, "limits": QUICK} | options
    return LiveHost(boot, node_key=key or NodeKey.generate(), **options)


def keys_in_order() -> tuple[NodeKey, NodeKey]:
    """Two keys, the first with the smaller node id."""
    first, second = sorted((NodeKey.generate(), NodeKey.generate()), key=lambda key: key.node_id)
    return first, second


@asynccontextmanager
async def running(*hosts: Any) -> AsyncIterator[None]:
    """Start the hosts, and stop them at the end."""
    try:
        for host in hosts:
            await host.start()
        yield
    finally:
        for host in hosts:
            await host.stop()


async def until(condition: Callable[[], Any], timeout_s: float = 10.0) -> None:
    """Wait for a condition, never for a time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.002)


async def link(a: LiveHost, b: LiveHost) -> None:
    """Let ``a`` dial ``b``, and wait until both machines know."""
    a.ask(Dial(b.address or ""))
    await until(lambda: b.key.node_id in a.machine.peers and a.key.node_id in b.machine.peers)


def heard(host: Any, kind: type) -> list[Any]:
    """Events, requests and messages of this type that the machine heard, in order."""
    found = []
    for event in host.machine.events:
        inner = event.request if isinstance(event, Asked) else event.message if isinstance(event, Received) else None
        found += [x for x in (event, inner) if isinstance(x, kind)]
    return found


def in_loops(test: Callable[[], Awaitable[None]]) -> Any:
    """Run an asynchronous test on asyncio's loop, and on uvloop if it is there."""
    kinds = ["asyncio", "uvloop"] if loop_factory() else ["asyncio"]

    @pytest.mark.parametrize("loop_kind", kinds)
    def run(loop_kind: str) -> None:
        with asyncio.Runner(loop_factory=loop_factory() if loop_kind == "uvloop" else None) as runner:
            runner.run(asyncio.wait_for(test(), TEST_TIMEOUT_S))

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run
