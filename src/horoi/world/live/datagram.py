"""A machine on UDP. A peer is an address, ``(ip, port)``; nothing is linked, so nothing is dialed, and anything may be lost.

The codec is given as two functions, because the wires spoken over datagrams are mostly foreign (BEP 5, say): ``decode``
takes the bytes of one datagram and returns a message or raises DecodeError, ``encode`` is its inverse. Rates per source are
the machine's business, which alone knows what a message costs; the host bounds what waits, and counts what it throws away.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections import Counter
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, cast

from horoi.base.errors import DecodeError
from horoi.machine import Asked, Dial, Event, Lost, Peer, Received, Unlinked
from horoi.machine.disk import Disk
from horoi.machine.host import Boot
from horoi.world.live.addresses import bind, bound_address
from horoi.world.live.runner import Runner

MAX_SIZE_BYTES = 1472  # Ethernet's 1500 less the headers of IPv4 (20) and UDP (8): larger ones would be fragmented
MAX_WAITING = 4096  # a guess: six megabytes at most, and a tenth of a second of work

_log = logging.getLogger("horoi.live")


class DatagramHost(Runner):
    """Hosts the machine that ``boot`` makes on one UDP port. Its wire may be None: ``decode`` and ``encode`` are used.

    ``listen`` is "host:port" (port 0: any free one). ``name`` is the machine's own name; None: the bound (ip, port).
    Datagrams over ``max_size_bytes`` are neither sent nor taken, except that of a foreign wire up to ``max_size_in_bytes``
    may be taken. At most ``max_waiting`` wait for the machine. A port of ``[::]`` serves IPv4 too, and peers there have their
    IPv4 address, not the form of RFC 4291, section 2.5.5.2, in which such a port sees them.
    """

    def __init__(
        self,
        boot: Boot,
        *,
        listen: str,
        decode: Callable[[bytes], Any],
        encode: Callable[[Any], bytes],
        disk: Disk,
        name: Peer = None,
        dice: random.Random | None = None,
        threads: int | None = None,
        max_jobs: int = 1024,
        max_size_bytes: int = MAX_SIZE_BYTES,
        max_size_in_bytes: int | None = None,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        super().__init__(boot, disk=disk, dice=dice, threads=threads, max_jobs=max_jobs)
        self.address: str | None = None
        """Where this host is, "host:port" with the real port; None before ``start``."""
        self.sent: Counter[type] = Counter()
        self.received: Counter[type] = Counter()
        """Messages by type."""
        self.bytes_in = 0
        self.bytes_out = 0
        self._listen = listen
        self._decode = decode
        self._encode = encode
        self._name = name
        self._max_size_bytes = max_size_bytes
        self._max_size_in_bytes = max_size_in_bytes or max_size_bytes
        self._max_waiting = max_waiting
        self._waiting = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._port = _Port(self)

    async def start(self) -> None:
        """Bind, boot the machine and begin. Raises NetworkError (the port), or what the boot raises (the disk)."""
        bound = bind(self._listen, socket.SOCK_DGRAM)
        self.address = bound_address(bound)
        self._families = _families(bound)
        self._is_dual = len(self._families) > 1
        try:
            self._come_alive(self._name if self._name is not None else bound.getsockname()[:2])
        except BaseException:
            bound.close()
            raise
        await self._loop.create_datagram_endpoint(lambda: self._port, sock=bound)
        self._tick()

    async def stop(self) -> None:
        """Close the port and flush the machine's storage. Idempotent."""
        self._die(None)
        if self._ticker is not None:
            self._ticker.cancel()
        if self._transport is not None:
            self._transport.close()
            await self._port.closed.wait()

    def _abort_transport(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _tick(self) -> None:
        self.clock.resync()
        self._ticker = self._loop.call_later(1.0, self._tick)

    # In

    def ask(self, request: Any) -> None:
        """Hand ``Asked(request)`` to the machine: now if nothing waits, as with a datagram; in the next turn otherwise, and where
        a listener asks in the middle of another event's effects."""
        if self._inbox or self._is_handling or not self._alive:
            super().ask(request)
            return
        self._handle(Asked(request))
        self._flush()

    def take(self, data: bytes, peer: Peer) -> None:
        """One datagram, from the port."""
        self.bytes_in += len(data)
        self._take_payload(data, peer)

    def _take_payload(self, data: bytes, peer: Peer) -> None:
        """One encoded message; what is too long, or too much, is thrown away."""
        if len(data) > self._max_size_in_bytes:
            self.counters["drop", "oversize in"] += 1
        elif self._waiting >= self._max_waiting or self._jobs_full:
            self.counters["drop", "behind"] += 1
        elif self._inbox or not self._alive:
            self._waiting += 1
            self._post_arrivals([partial(self._open_next, data, peer)])
        else:  # nothing waits: its turn is now, and the loop is spared a round
            event = self._open(data, peer)
            if event is not None:
                self._handle(event)
                self._flush()

    def _open_next(self, data: bytes, peer: Peer) -> Event | None:
        self._waiting -= 1
        return self._open(data, peer)

    def _open(self, data: bytes, peer: Peer) -> Event | None:
        try:
            message = self._decode(data)
        except DecodeError as error:
            self.counters["drop", "decode"] += 1
            _log.debug("datagram from %s: %s", peer, error)
            return None
        except Exception as error:  # a bug of the codec, which must not cost more than this datagram
            _log.exception("the codec failed on %d bytes from %s", len(data), peer)
            self.counters["error", type(error).__name__] += 1
            return None
        self.received[type(message)] += 1
        return Received(peer, message)

    # Out

    def _send(self, peer: Peer, message: Any) -> None:
        data = self._encode(message)
        if len(data) > self._max_size_bytes:
            _log.warning("%s takes %d bytes, a datagram %d", type(message).__name__, len(data), self._max_size_bytes)
            self.counters["drop", "oversize out"] += 1
            return
        if not self._is_address(peer):
            self.counters["drop", "address"] += 1
            return
        if self._put(data, peer):
            self.sent[type(message)] += 1

    def _put(self, data: bytes, peer: Peer) -> bool:
        """One encoded message on its way; False if it was thrown away."""
        if self._port.is_paused or self._transport is None:
            self.counters["drop", "queue"] += 1  # as a full router would
            return False
        self.bytes_out += len(data)
        self._transport.sendto(data, _mapped(peer) if self._is_dual else peer)
        return True

    def _is_address(self, peer: Peer) -> bool:
        """True for a numeric address of this port's families. A name would be looked up, which blocks the whole loop."""
        try:
            ip, port = peer
            return type(port) is int and 0 < port < 65536 and _is_numeric(self._families, ip)
        except (TypeError, ValueError):
            return False

    def _drop(self, peer: Peer, category: str, reason: str) -> None:
        self.counters["drop", category] += 1
        self._post(Lost(peer))

    def _dial(self, dial: Dial) -> None:
        self._post(Asked(Unlinked(dial.address, "datagrams have no links; send to the address")))

    def _flush(self) -> None:
        return

    def _jobs_fullness_changed(self) -> None:
        return  # datagrams that come meanwhile are thrown away in ``take``


@lru_cache(maxsize=16_384)
def _is_numeric(families: tuple[int, ...], ip: str) -> bool:
    for family in families:
        try:
            socket.inet_pton(family, ip)
        except OSError:
            continue
        return True
    return False


MAPPED = "::ffff:"  # RFC 4291, section 2.5.5.2: how a port of IPv6 writes an address of IPv4


def _families(bound: socket.socket) -> tuple[int, ...]:
    """The address families that can reach a port: both, if it is of all addresses of IPv6 and not told otherwise."""
    if bound.family != socket.AF_INET6 or bound.getsockname()[0] != "::":
        return (bound.family,)
    if bound.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
        return (socket.AF_INET6,)
    return (socket.AF_INET6, socket.AF_INET)


def _mapped(peer: Peer) -> Peer:
    ip, port = peer
    return peer if ":" in ip else (MAPPED + ip, port)


def _unmapped(peer: Peer) -> Peer:
    ip, port = peer
    return (ip[len(MAPPED) :], port) if ip.startswith(MAPPED) and "." in ip else peer


class _Port(asyncio.DatagramProtocol):
    """asyncio's side of the host."""

    def __init__(self, host: DatagramHost) -> None:
        self._host = host
        self.is_paused = False
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._host._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        peer = addr[:2]
        self._host.take(data, _unmapped(peer) if self._host._is_dual else peer)

    def error_received(self, exc: Exception) -> None:
        self._host.counters["drop", "unreachable"] += 1  # ICMP says that some peer is not there; it may also be forged

    def pause_writing(self) -> None:
        self.is_paused = True

    def resume_writing(self) -> None:
        self.is_paused = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()
