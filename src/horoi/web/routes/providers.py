"""Who has a document, found through the node's overlay or the DHT."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, TypeVar

from horoi.base.errors import NetworkError, NotFoundError
from horoi.node.lookup.machine import ANSWER_S
from horoi.node.lookup.requests import (
    NO_LOOKUP,
    FindProviders,
    LookupFailed,
    ProvidersFound,
    ProvidingStarted,
    StartProviding,
    StopProviding,
)
from horoi.web.access import NodeAccess
from horoi.web.model.base import NoQuery
from horoi.web.model.lookup import DhtView, LookupView, ProvidersPath, ProvidersView, ProviderView, ProvidingView

TIMEOUT_S = 2 * ANSWER_S + 5  # both sides in turn, and a margin

T = TypeVar("T")


async def providers(access: NodeAccess, path: ProvidersPath, _: None) -> ProvidersView:
    """Which nodes say to have the document of this SHA-256."""
    name = _looked_up(access, path)
    found = await _ask(access, FindProviders(_token(), name), ProvidersFound)
    return ProvidersView(
        hash=path.hash,
        providing=name in access.node.lookup.providing,
        providers=[
            ProviderView(address=at.address, node=at.node_id.hex() if at.node_id else None, via=at.via)
            for at in found.providers
        ],
    )


async def provide(access: NodeAccess, path: ProvidersPath, _: None) -> ProvidingView:
    """Say from now on, over restarts too, that this node has the document."""
    started = await _ask(access, StartProviding(_token(), _looked_up(access, path)), ProvidingStarted)
    return ProvidingView(hash=path.hash, providing=True, copies=started.copies)


def stop_providing(access: NodeAccess, path: ProvidersPath, _: None) -> ProvidingView:
    """Say so no longer; what others were told expires within half an hour."""
    access.host.ask(StopProviding(_looked_up(access, path)))
    return ProvidingView(hash=path.hash, providing=False, copies=0)


def lookup(access: NodeAccess, _: NoQuery, __: None) -> LookupView:
    """How this node looks things up, and whether it has joined."""
    status = access.node.lookup.status()
    discovery = access.node.discovery
    dht = None
    if discovery is not None:
        dht = DhtView(listen=status.dht_listen, joined=status.dht_joined, found=discovery.found)
    return LookupView(
        overlay=status.overlay or None,
        listen=status.listen,
        address=status.address,
        joined=status.address is not None,
        bootstraps=status.doors,
        providing=status.providing,
        dht=dht,
    )


def _looked_up(access: NodeAccess, path: ProvidersPath) -> bytes:
    if not access.node.lookup.is_on:
        raise NotFoundError(NO_LOOKUP, code="no-lookup")
    return bytes.fromhex(path.hash)


def _token() -> tuple[str, int]:
    return "api", secrets.randbits(60)


async def _ask(access: NodeAccess, request: Any, kind: type[T]) -> T:
    """The answer to a request; NetworkError if it came to nothing."""
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def take(notice: Any) -> None:
        if notice.token == request.token and not answer.done():
            answer.set_result(notice)

    stop = access.host.on_notice(take, kind, LookupFailed)
    try:
        access.host.ask(request)
        notice = await asyncio.wait_for(answer, TIMEOUT_S)
    except TimeoutError:
        raise NetworkError(f"no answer within {TIMEOUT_S:g} s; ask again", code="no-answer") from None
    finally:
        stop()
    if isinstance(notice, LookupFailed):
        raise NetworkError(notice.why, code="lookup-failed")
    assert isinstance(notice, kind)
    return notice
