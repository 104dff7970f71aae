"""A live node: one machine, linked to others over TCP with TLS 1.3 and node keys (``channel``).

``LiveHost`` owns the links. It dials, lets one link per pair of nodes stand, reads no faster than the machine handles, drops
who is silent, slow, malformed or does not read what it is sent, and counts it all.

One link per pair: when two nodes dial each other at once, both keep the link that the node with the smaller id dialed.
Of two links dialed by the same node the later stands at the listener, because a dialer dials again only when it has lost
the first; and a dialer never proves itself to one node twice at once. What the machine is told of links runs through the
same queue as their messages, so it hears Linked, then that link's messages, then Lost, and what it sends before it has
heard of a replaced link is not sent on the new one.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from functools import partial
from time import monotonic
from typing import Any

from horoi.base.errors import DecodeError, UsageError
from horoi.machine import Asked, Dial, Event, Linked, Lost, Peer, Received, Unlinked
from horoi.machine.disk import Disk
from horoi.machine.host import Boot
from horoi.machine.wire import Wire
from horoi.world.live.addresses import phrase_of, split_address
from horoi.world.live.channel import Refusal, check_network_id, dialer_context, listener_context
from horoi.world.live.frames import CONTROL, CONTROL_MAX_SIZE_BYTES, LENGTH_SIZE_BYTES, frame
from horoi.world.live.limits import Limits
from horoi.world.live.link import READ_SIZE_BYTES, WRITE_SIZE_BYTES, Link, PeerInfo
from horoi.world.live.listener import Listener
from horoi.world.live.node_key import NodeKey
from horoi.world.live.runner import Runner

JOIN_BELOW_BYTES = 4096  # a guess: below it a copy costs less than a second part in the queue

_log = logging.getLogger("horoi.live")


class LiveHost(Runner):
    """Hosts the machine that ``boot`` makes, under the name ``node_key.node_id``.

    ``listen`` is "host:port" (port 0: any free one; see ``address`` after ``start``) or None to dial only. ``threads``
    run jobs (None: one per processor); with ``max_jobs`` of them waiting, no peer is read. ``dice`` is for tests.
    """

    def __init__(
        self,
        boot: Boot,
        *,
        node_key: NodeKey,
        network_id: bytes,
        disk: Disk,
        listen: str | None = None,
        dice: random.Random | None = None,
        threads: int | None = None,
        max_jobs: int = 1024,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(boot, disk=disk, dice=dice, threads=threads, max_jobs=max_jobs)
        self.key = node_key
        self.network_id = check_network_id(network_id)
        self.limits = limits or Limits()
        self.max_frame_bytes = CONTROL_MAX_SIZE_BYTES
        self.read_buffer = memoryview(bytearray(READ_SIZE_BYTES))
        self.address: str | None = None
        """Where this host listens, "host:port" with the real port; None if it does not."""
        self.sent: Counter[type] = Counter()
        self.received: Counter[type] = Counter()
        """Messages by type."""
        self.ended_bytes_in = 0
        self.ended_bytes_out = 0
        """Bytes of links that are no more; those of the others are in ``peers()``."""
        self._listen = listen
        self._listener: Listener | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._sockets: dict[Link, None] = {}  # every link that may have a socket
        self._no_sockets = asyncio.Event()
        self._dialing: dict[tuple[str, Peer], tuple[Link, asyncio.Task[None]]] = {}
        self._links: dict[Peer, Link] = {}  # the one open link of each peer
        self._known: dict[Peer, Link] = {}  # the same, as far as the machine has been told
        self._dirty: dict[Link, None] = {}
        self._last_message: Any = None
        self._last_frame: tuple[bytes, ...] = ()

    # Life and death

    async def start(self) -> None:
        """Bind, boot the machine and begin. Raises NetworkError (the port), or what the boot raises (the disk)."""
        if self._listen is not None:
            self._listener = Listener(self._listen, self.limits, partial(self._new_link, outbound=False))
            self.address = self._listener.address
        try:
            self._dialer_tls = dialer_context()
            listener_tls = listener_context(self.key)
            self._come_alive(self.key.node_id)
            if self._hosted.wire is None:
                raise ValueError("the boot gave no wire; a live host needs one to encode with")
        except BaseException:
            await self.stop()
            raise
        self._wire: Wire = self._hosted.wire
        self.max_frame_bytes = max(self._wire.max_size_bytes, CONTROL_MAX_SIZE_BYTES)
        self._ticker = self._loop.call_later(self.limits.tick_s, self._tick)
        if self._listener is not None:
            self._listener.start(listener_tls)

    async def stop(self) -> None:
        """Say goodbye, close every link, flush the machine's storage. Idempotent."""
        self._die(None)
        if self._ticker is not None:
            self._ticker.cancel()
        dials = [task for _, task in self._dialing.values()]
        for task in dials:
            task.cancel()
        await asyncio.gather(*dials, return_exceptions=True)
        if self._listener is not None:
            await self._listener.close()
        for link in list(self._sockets):
            link.end("stop", "this node stops", say="the node stops")
        await self._until_no_sockets()
        for link in list(self._sockets):
            link.abort()
        await self._until_no_sockets()

    async def _until_no_sockets(self) -> None:
        self._no_sockets.clear()
        if self._sockets:
            try:
                await asyncio.wait_for(self._no_sockets.wait(), self.limits.linger_s)
            except TimeoutError:
                return

    def _abort_transport(self) -> None:
        for link in list(self._sockets):
            link.end("failure", "this node failed")
            link.abort()
        self._stopping = self._loop.create_task(self.stop())

    # What an operator looks at

    def peers(self) -> list[PeerInfo]:
        """The open links, by node id."""
        return [link.info() for _, link in sorted(self._links.items())]

    @property
    def half_open(self) -> int:
        """Inbound connections that have not proven who they are."""
        return self._listener.half_open if self._listener else 0

    @property
    def turned_away(self) -> int:
        """Inbound connections closed at once because too many were half-open."""
        return self._listener.turned_away if self._listener else 0

    # Dialing

    def _dial(self, dial: Dial) -> None:
        name = (dial.address, dial.expect)
        if name in self._dialing:
            return  # the dial in progress answers for both
        try:
            host, port = split_address(dial.address)
        except UsageError as error:
            self._post(Asked(Unlinked(dial.address, str(error))))
            return
        refused = self._reason_not_to_dial(dial)
        if refused:
            self._post(Asked(Unlinked(dial.address, refused)))
            return
        link = self._new_link(dial.address, outbound=True, expect=dial.expect)
        self._dialing[name] = (link, self._loop.create_task(self._connect(link, host, port)))

    def _reason_not_to_dial(self, dial: Dial) -> str:
        if dial.expect in self._links:
            return "already linked to this node"
        if len(self._dialing) >= self.limits.max_dials:
            return f"{len(self._dialing)} dials are in progress, the limit is {self.limits.max_dials}"
        outbound = self._count(outbound=True)
        if outbound >= self.limits.max_outbound:
            return f"{outbound} dialed links are open, the limit is {self.limits.max_outbound}"
        return ""

    async def _connect(self, link: Link, host: str, port: int) -> None:
        """TCP and TLS; on success the link has its transport and goes on by itself."""
        timeout_s = self.limits.dial_timeout_s
        try:
            connecting = self._loop.create_connection(
                lambda: link,
                host,
                port,
                ssl=self._dialer_tls,
                server_hostname="",  # no name is sent: the node key is what is checked
                ssl_handshake_timeout=timeout_s,
                ssl_shutdown_timeout=self.limits.linger_s,
            )
            await asyncio.wait_for(connecting, timeout_s)
        except TimeoutError:
            link.end("dial", f"no connection within {timeout_s:g} s")
            link.disconnected()
        except (OSError, ValueError) as error:  # ValueError: a host name that IDNA cannot write
            link.end("dial", phrase_of(error))
            link.disconnected()
        except asyncio.CancelledError:
            link.end("stop", "this node stops")
            link.disconnected()
            raise

    def _new_link(self, address: str, *, outbound: bool, expect: Peer = None) -> Link:
        link = Link(self, outbound=outbound, address=address, expect=expect)
        self._sockets[link] = None
        return link

    # What links ask and say

    def refusal_of(self, link: Link) -> Refusal | None:
        old = self._links.get(link.peer)
        if old is not None and not self._replaces(link, old):
            return Refusal.DUPLICATE
        if link.outbound and any(
            other is not link and other.peer == link.peer and not other.is_ended for other, _ in self._dialing.values()
        ):
            return Refusal.DUPLICATE
        limit = self.limits.max_outbound if link.outbound else self.limits.max_inbound
        taken = self._count(outbound=link.outbound) - (old is not None and old.outbound == link.outbound)
        return Refusal.FULL if taken >= limit or not self._alive else None

    def _replaces(self, new: Link, old: Link) -> bool:
        if new.outbound == old.outbound:
            return not new.outbound
        dialer, other = (self.key.node_id, new.peer) if new.outbound else (new.peer, self.key.node_id)
        return bool(dialer < other)

    def _count(self, *, outbound: bool) -> int:
        return sum(link.outbound == outbound for link in self._links.values())

    def link_opened(self, link: Link) -> None:
        self._forget_half_open(link)
        old = self._links.get(link.peer)
        if old is not None:
            old.end("duplicate", "replaced by another link of the same pair", say="replaced by another link")
        link.since = self.now()
        self._links[link.peer] = link
        link.pause(self._jobs_full)
        self._post_arrivals([partial(self._introduce, link)])

    def link_received(self, link: Link, payloads: list[bytes]) -> None:
        link.backlog_bytes += sum(map(len, payloads))
        self._post_arrivals([partial(self._open_payload, link, payload) for payload in payloads])
        if link.backlog_bytes > self.limits.max_backlog_bytes:
            link.pause(True)

    def link_ended(self, link: Link, category: str, reason: str) -> None:
        self.counters["drop", category] += 1
        who = link.peer.hex()[:16] if link.peer else "?"
        _log.info("link %s %s %s ended: %s", "to" if link.outbound else "from", link.address, who, reason)
        self._dirty.pop(link, None)
        if link.is_open:
            if self._links.get(link.peer) is link:
                del self._links[link.peer]
            self._post_arrivals([partial(self._bury, link)])
        elif link.outbound:
            self._forget_half_open(link)
            self._post(Asked(Unlinked(link.address, reason)))

    def link_disconnected(self, link: Link) -> None:
        self._forget_half_open(link)
        if link not in self._sockets:
            return
        del self._sockets[link]
        self.ended_bytes_in += link.bytes_in
        self.ended_bytes_out += link.bytes_out
        if not self._sockets:
            self._no_sockets.set()

    def _forget_half_open(self, link: Link) -> None:
        if link.outbound:
            if self._dialing.get(link.dialed_as, (None,))[0] is link:
                del self._dialing[link.dialed_as]
        elif self._listener is not None:
            self._listener.release(link)

    # What the machine hears of links, in the order of its queue

    def _introduce(self, link: Link) -> Event:
        self._known[link.peer] = link
        return Asked(Linked(link.peer, link.address, link.outbound))

    def _bury(self, link: Link) -> Event:
        if self._known.get(link.peer) is link:
            del self._known[link.peer]
        return Lost(link.peer)

    def _open_payload(self, link: Link, payload: bytes) -> Event | None:
        link.backlog_bytes -= len(payload)
        if link.is_paused and not self._jobs_full and link.backlog_bytes <= self.limits.max_backlog_bytes // 2:
            link.pause(False)
        if link.is_ended and not link.is_ended_by_peer:
            return None
        try:
            message = self._wire.decode(payload)
        except DecodeError as error:
            link.end("decode", str(error), say="a message that is none of this wire")
            return None
        except Exception as error:  # a bug of the wire, which must not cost more than this link
            _log.exception("the wire failed on %d bytes; the peer is dropped", len(payload))
            self.counters["error", type(error).__name__] += 1
            link.end("error", "this node failed on a message")
            return None
        self.received[type(message)] += 1
        return Received(link.peer, message)

    # The runner's actions

    def _send(self, peer: Peer, message: Any) -> None:
        link = self._known.get(peer)
        if link is None or link.is_ended:
            return
        if message is not self._last_message:  # the same message to many peers is encoded once
            self._last_frame = self._framed(message)
            self._last_message = message
        link.send(*self._last_frame)
        self.sent[type(message)] += 1
        self._dirty[link] = None
        if link.queue_bytes < WRITE_SIZE_BYTES:
            return
        if not link.write_is_paused:
            link.flush()
        if link.queue_bytes > self.limits.hard_queue_factor * self.limits.max_queue_bytes:
            link.end("queue", f"{link.queue_bytes} bytes wait to be sent; the peer does not read")

    def _framed(self, message: Any) -> tuple[bytes, ...]:
        payload = self._wire.encode(message)
        if payload[0] == CONTROL:
            raise ValueError(f"{type(message).__name__} encodes to a control frame; it is not MessagePack")
        if len(payload) < JOIN_BELOW_BYTES:
            return (frame(payload),)
        return len(payload).to_bytes(LENGTH_SIZE_BYTES, "big"), payload

    def _drop(self, peer: Peer, category: str, reason: str) -> None:
        link = self._known.get(peer)
        if link is None:
            return
        link.flush()
        link.end(category, reason or "dropped by the machine", say=reason)

    def _flush(self) -> None:
        for link in self._dirty:
            link.flush()
        self._dirty.clear()

    def _jobs_fullness_changed(self) -> None:
        for link in self._links.values():
            link.pause(self._jobs_full or link.backlog_bytes > self.limits.max_backlog_bytes // 2)

    # Time

    def _tick(self) -> None:
        self._ticker = self._loop.call_later(self.limits.tick_s, self._tick)
        jump_s = self.clock.resync()
        if jump_s:
            _log.warning("the wall clock is %.1f s ahead (a sleep, or it was set); following it", jump_s)
        now = monotonic()
        for link in list(self._links.values()):
            self._look_after(link, now)

    def _look_after(self, link: Link, now: float) -> None:
        limits = self.limits
        if not link.is_paused:
            if now - link.heard_at > limits.silence_timeout_s:
                link.end("silence", f"not a byte for {limits.silence_timeout_s:g} s", say="silent for too long")
                return
            if link.frame_began_at is not None and now - link.frame_began_at > limits.frame_timeout_s:
                link.end("slow", f"a frame took over {limits.frame_timeout_s:g} s", say="a frame took too long")
                return
        if link.congested_since is not None and now - link.congested_since > limits.queue_grace_s:
            link.end(
                "queue",
                f"over {limits.max_queue_bytes} bytes waited for {limits.queue_grace_s:g} s; the peer does not read",
            )
            return
        if now - link.pinged_at >= limits.ping_every_s:
            link.ping()
