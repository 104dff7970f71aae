"""The live stream: server-sent events (WHATWG HTML, "Server-sent events"), one hub for all clients.

The hub listens to the node's notices once, writes each event down once, and puts it into a bounded queue of every client
that asked for its kind. A client that falls behind its queue is dropped: it can read what it missed from the API. Nothing
is done while nobody listens.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from horoi.base.errors import UsageError
from horoi.node.events import (
    ConflictFound,
    ConnectedBlock,
    OfferChanged,
    OfferSeen,
    TipChanged,
    TransactionAccepted,
    TransactionRemoved,
)
from horoi.node.index.rows import offset_of_first
from horoi.web.access import BusyError, NodeAccess
from horoi.web.agreement import agreement
from horoi.web.guard import ApiLimits
from horoi.web.lines import Liner, waiting_lines
from horoi.web.model.board import BoardLine
from horoi.web.model.node import (
    EVENT_KINDS,
    Agreement,
    BlockEvent,
    ConflictEvent,
    EventData,
    EventKind,
    PeerEvent,
    PostEvent,
    RemovedEvent,
    TransactionEvent,
)
from horoi.web.offer_view import event_of
from horoi.web.views import Viewer, difficulty

RETRY_MS = 500  # until a browser that was dropped comes back: its own choice is some seconds; a guess
PEERS_EVERY_S = 1.0  # how often the list of peers is compared; a guess
MAX_BLOCK_LINES = (
    200  # `movement` events for one block: 20 ms; a guess at what a screen can follow. And as many of `post`
)
MAX_WAITING_PER_TICK = 20  # `waiting` events between two looks at the peers: nobody reads more

NOTICES = (TipChanged, TransactionAccepted, TransactionRemoved, ConflictFound, OfferSeen, OfferChanged)

Happened = Iterator[tuple[EventKind, EventData]]


class Subscriber:
    """One client: what it wants and what it has not been sent."""

    def __init__(self, kinds: tuple[EventKind, ...], most: int) -> None:
        self.kinds = kinds
        self.most = most
        self.is_behind = False
        self.over = asyncio.Event()
        """Set when it is behind, or the hub closes."""
        self._pending: deque[bytes] = deque()
        self._arrived = asyncio.Event()

    def put(self, data: bytes) -> None:
        """Queue an event; if there is no room the client is behind, and gets no more."""
        if len(self._pending) >= self.most:
            self.is_behind = True
            self.over.set()
        else:
            self._pending.append(data)
        self._arrived.set()

    async def take(self) -> bytes:
        """All that waits, as one piece; waits for something."""
        while not self._pending:
            self._arrived.clear()
            await self._arrived.wait()
        data = b"".join(self._pending)
        self._pending.clear()
        return data


class Hub:
    """Notices in, events out. Listens while it has subscribers."""

    def __init__(self, access: NodeAccess, limits: ApiLimits) -> None:
        self.access = access
        self.limits = limits
        self.subscribers: dict[Subscriber, None] = {}
        self.dropped = 0
        """Clients that fell behind."""
        self._leave: Callable[[], None] | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._peers: dict[str, str] = {}
        self._agreement: Agreement | None = None
        self._waiting_left = MAX_WAITING_PER_TICK

    def subscribe(self, kinds: tuple[EventKind, ...]) -> Subscriber:
        """A new client; BusyError if there are too many."""
        if len(self.subscribers) >= self.limits.max_streams:
            raise BusyError(f"{self.limits.max_streams} event streams are open, the limit; close one")
        subscriber = Subscriber(kinds, self.limits.max_stream_events)
        self.subscribers[subscriber] = None
        if self._leave is None:
            self._leave = self.access.host.on_notice(self._hear, *NOTICES)
            self._peers = self._ready_peers()
            self._agreement = None
            self._tick()
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """A client left."""
        del self.subscribers[subscriber]
        self.dropped += subscriber.is_behind
        if not self.subscribers:
            self.close()

    def close(self) -> None:
        """Stop listening, and end the streams that are open."""
        for subscriber in self.subscribers:
            subscriber.over.set()
        if self._leave is not None:
            self._leave()
            self._leave = None
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    def _wants(self, kind: EventKind) -> bool:
        return any(kind in subscriber.kinds for subscriber in self.subscribers)

    def _hear(self, notice: Any) -> None:
        for kind, data in self._events_of(notice):
            self._publish(kind, data)

    def _publish(self, kind: EventKind, data: EventData) -> None:
        line = b""
        for subscriber in self.subscribers:
            if kind in subscriber.kinds:
                line = line or b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"
                subscriber.put(line)

    def _events_of(self, notice: Any) -> Happened:
        if isinstance(notice, TransactionAccepted):
            item = notice.prepared
            yield "transaction", TransactionEvent(id=item.id.hex(), fee=str(item.fee), size_bytes=item.size_bytes)
            yield from self._waiting(item.id)
        elif isinstance(notice, TransactionRemoved):
            yield "transaction-removed", RemovedEvent(id=notice.id.hex(), why=notice.why)
        elif isinstance(notice, ConflictFound):
            yield "conflict", ConflictEvent(id=notice.id.hex(), by=notice.by.hex())
        elif isinstance(notice, OfferSeen | OfferChanged):
            kept = self.access.node.offers.book.get(notice.id)
            if kept is not None:
                yield "offer" if isinstance(notice, OfferSeen) else "offer-changed", event_of(kept)
        elif isinstance(notice, TipChanged):
            for block in notice.disconnected:
                yield "block-removed", _block_event(block, 0, is_cut=False)
            for block in notice.connected:
                yield from self._connected(block)

    def _connected(self, block: ConnectedBlock) -> Happened:
        lines = self._lines(block) if self._wants("movement") else []
        shown = lines[:MAX_BLOCK_LINES]
        yield "block", _block_event(block, len(shown), is_cut=len(lines) > len(shown))
        view = Viewer(self.access)
        posts = ((item, post) for item in block.prepared for post in item.transaction.body.posts)
        for item, post in islice(posts, MAX_BLOCK_LINES):  # or who fills a block with posts cuts all listeners off
            yield "post", PostEvent(transaction=item.id.hex(), height=block.known.height, post=view.post(post))
        for line in shown:
            yield "movement", line

    def _lines(self, block: ConnectedBlock) -> list[BoardLine]:
        """Lines of a block, in its order; a few more than are shown if it has more."""
        liner = Liner(self.access)
        lines: list[BoardLine] = []
        for position, item in enumerate(block.prepared):
            lines += liner.confirmed(block.known, position, item.id, item.transaction.body)
            if len(lines) > MAX_BLOCK_LINES:
                break
        return lines

    def _waiting(self, item: bytes) -> Happened:
        entry = self.access.node.mempool.entries.get(item)
        if entry is None or self._waiting_left <= 0 or not self._wants("waiting"):
            return
        for line in waiting_lines(Liner(self.access), entry):
            self._waiting_left -= 1
            yield "waiting", line

    # ---- peers ------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._ticker = asyncio.get_running_loop().call_later(PEERS_EVERY_S, self._tick)
        before, self._peers = self._peers, self._ready_peers()
        for peer, address in self._peers.items():
            if peer not in before:
                self._publish("peer", PeerEvent(peer=peer, address=address))
        for peer, address in before.items():
            if peer not in self._peers:
                self._publish("peer-lost", PeerEvent(peer=peer, address=address))
        self._waiting_left = MAX_WAITING_PER_TICK
        if self._wants("agreement"):
            self._look_for_agreement()

    def _look_for_agreement(self) -> None:
        now = agreement(self.access)
        if now != self._agreement:
            self._agreement = now
            self._publish("agreement", now)

    def _ready_peers(self) -> dict[str, str]:
        return {peer.peer: peer.address for peer in self.access.node.peers.peers() if peer.ready}


def _block_event(block: ConnectedBlock, lines: int, *, is_cut: bool) -> BlockEvent:
    header = block.known.header
    frame_bytes = offset_of_first(header, block.block.reward, len(block.prepared))
    return BlockEvent(
        height=header.height,
        hash=block.known.name.hex(),
        time_ms=header.time_ms,
        transactions=len(block.block.transactions),
        difficulty=str(difficulty(header.target)),
        size_bytes=frame_bytes + sum(item.size_bytes for item in block.prepared),
        lines=lines,
        lines_omitted=is_cut,
    )


def read_kinds(text: str | None) -> tuple[EventKind, ...]:
    """The kinds of a filter; all for None. UsageError names one that is unknown."""
    if text is None:
        return EVENT_KINDS
    by_name: dict[str, EventKind] = {kind: kind for kind in EVENT_KINDS}
    wanted = [name.strip() for name in text.split(",")]
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise UsageError(f"no events are called {unknown[0]!r}; there are {', '.join(EVENT_KINDS)}")
    return tuple(by_name[name] for name in wanted)


class Streaming(Response):
    """An ASGI answer that lasts: it ends when the client leaves, falls behind, or the server stops."""

    def __init__(self, hub: Hub, subscriber: Subscriber) -> None:
        super().__init__(media_type="text/event-stream")
        self.hub = hub
        self.subscriber = subscriber

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tasks = [
            asyncio.ensure_future(self._send_events(send)),
            asyncio.ensure_future(_client_left(receive)),
            asyncio.ensure_future(self.subscriber.over.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.hub.unsubscribe(self.subscriber)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self.subscriber.over.is_set() and not self.subscriber.is_behind:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_events(self, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        begin = b"retry: %d\n: live\n\n" % RETRY_MS
        await send({"type": "http.response.body", "body": begin, "more_body": True})
        while True:
            try:
                data = await asyncio.wait_for(self.subscriber.take(), self.hub.limits.heartbeat_s)
            except TimeoutError:
                data = b": still here\n\n"
            await send({"type": "http.response.body", "body": data, "more_body": True})


async def _client_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
