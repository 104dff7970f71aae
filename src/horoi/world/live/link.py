"""One TCP connection with TLS 1.3: handshake, frames, pings, a bounded queue. Who may be linked, the host decides.

A link is *half-open* until the other end has proven its key and the listener has accepted it; then it is *open*, once;
then it is *ended*, once. Outgoing frames wait in a queue of our own, not in the transport's: asyncio's TLS transport
hides most of what it has buffered, and a bound that cannot be measured is none. The queue goes out in joined writes of
about 256 KiB while the transport asks for no pause.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import Protocol, cast

from horoi.machine import Peer
from horoi.world.live.channel import (
    CHALLENGE_SIZE_BYTES,
    DialerHandshake,
    HandshakeError,
    ListenerHandshake,
    Refusal,
    key_of_certificate,
)
from horoi.world.live.frames import (
    CONTROL,
    ControlKind,
    FrameBuffer,
    FrameError,
    control_frame,
    open_control,
    reason_bytes,
    reason_text,
)
from horoi.world.live.limits import Limits
from horoi.world.live.node_key import NodeKey, node_id_of

WRITE_SIZE_BYTES = 256 * 1024  # asyncio's own read size; larger joins only copy more
READ_SIZE_BYTES = 256 * 1024  # the same
NONCE_SIZE_BYTES = 8


@dataclass(frozen=True)
class PeerInfo:
    """A link as an operator sees it. ``since`` is unix time; bytes are those inside TLS; ``rtt_ms``: None before a pong."""

    peer: bytes
    address: str
    outbound: bool
    since: float
    bytes_in: int
    bytes_out: int
    queue_bytes: int
    rtt_ms: float | None


class LinkOwner(Protocol):
    """What a link asks of the host."""

    key: NodeKey
    network_id: bytes
    limits: Limits
    max_frame_bytes: int
    read_buffer: memoryview
    """One for all links: asyncio fills it and calls ``buffer_updated`` in one breath."""

    def refusal_of(self, link: Link) -> Refusal | None:
        """Asked when ``link.peer`` is proven, on both sides: None if the link may open."""

    def link_opened(self, link: Link) -> None: ...

    def link_received(self, link: Link, payloads: list[bytes]) -> None: ...

    def link_ended(self, link: Link, category: str, reason: str) -> None:
        """Once per link, half-open or open. ``category`` is for counters, ``reason`` one phrase for people."""

    def link_disconnected(self, link: Link) -> None:
        """The socket is gone; at or after ``link_ended``."""


class Link(asyncio.BufferedProtocol):
    """See the module. ``expect`` is the node id that was dialed, or None."""

    def __init__(self, owner: LinkOwner, *, outbound: bool, address: str, expect: Peer = None) -> None:
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._handshake: ListenerHandshake | DialerHandshake | None = None
        self._answered = False
        self._frames = FrameBuffer(owner.max_frame_bytes)
        self._expect = expect
        self._chunks: deque[bytes] = deque()  # joined and ready to be written
        self._parts: list[bytes] = []  # the next chunk
        self._parts_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._ping_nonce = b""
        self._ping_sent_at = 0.0
        self._goodbye = ""
        self.outbound = outbound
        self.address = address
        self.dialed_as = (address, expect)
        self.peer: Peer = None
        self.is_open = False
        self.is_ended = False
        self.is_ended_by_peer = False
        self.is_paused = False
        self.write_is_paused = False
        self.since = 0.0
        self.bytes_in = 0
        self.bytes_out = 0
        self.queue_bytes = 0
        self.backlog_bytes = 0
        self.rtt_ms: float | None = None
        # Times for the host's tick, by ``time.monotonic``: uvloop's own clock stands still within a turn.
        self.heard_at = 0.0
        self.pinged_at = 0.0
        self.frame_began_at: float | None = None
        self.congested_since: float | None = None

    def info(self) -> PeerInfo:
        """What an operator sees, now."""
        return PeerInfo(
            peer=self.peer,
            address=self.address,
            outbound=self.outbound,
            since=self.since,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            queue_bytes=self.queue_bytes,
            rtt_ms=self.rtt_ms,
        )

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's transports are no subclasses
        self._transport = transport
        if self.is_ended:
            transport.abort()
            return
        self._deadline = self._loop.call_later(self._owner.limits.handshake_timeout_s, self._handshake_is_late)
        owner = self._owner
        if not self.outbound:
            self._handshake = ListenerHandshake(owner.key, owner.network_id, os.urandom(CHALLENGE_SIZE_BYTES))
            transport.write(self._handshake.challenge)
            return
        try:
            tls = transport.get_extra_info("ssl_object")
            listener_key = key_of_certificate(tls.getpeercert(binary_form=True))
            self._handshake = DialerHandshake(owner.key, owner.network_id, listener_key, self._expect)
        except HandshakeError as error:
            self.end("handshake", str(error))
            return
        self.peer = node_id_of(listener_key)
        self._may_stand()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._owner.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self.is_ended:
            return
        self.bytes_in += nbytes
        data = bytes(self._owner.read_buffer[:nbytes])
        try:
            if self.is_open or self._answered:
                self._receive_frames(data)
            else:
                self._receive_handshake(data)
        except FrameError as error:
            self.end("frame", str(error))
        except HandshakeError as error:
            self._refuse(Refusal.BAD_ANSWER)
            self.end("handshake", str(error))

    def pause_writing(self) -> None:
        self.write_is_paused = True

    def resume_writing(self) -> None:
        self.write_is_paused = False
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_ended_by_peer = not self.is_ended
        if self._goodbye:
            self.end("goodbye", f"the peer closed: {self._goodbye}")
        elif exc is not None:
            self.end("broken", f"the connection broke: {exc}")
        elif self.is_open:
            self.end("closed", "the peer closed")
        else:
            self.end("closed", "the other end closed during the handshake")
        self.disconnected()

    def disconnected(self) -> None:
        """There is no socket (any more, or it never came to one)."""
        self._transport = None
        self._forget_queue()
        self._owner.link_disconnected(self)

    # Handshake

    def _receive_handshake(self, data: bytes) -> None:
        result = self._handshake.receive(data) if self._handshake else None
        if result is None:
            return
        if self.outbound:
            self._answered = True
            self._write(result)
            return
        self.peer = node_id_of(result)
        refusal = Refusal.SELF if result == self._owner.key.public else self._owner.refusal_of(self)
        if refusal is not None:
            self._refuse(refusal)
            self.end(refusal.name.lower(), "refused")
            return
        assert isinstance(self._handshake, ListenerHandshake)
        self._write(self._handshake.accepted())
        self._open()

    def _refuse(self, why: Refusal) -> None:
        if isinstance(self._handshake, ListenerHandshake):
            self._write(self._handshake.refused(why))

    def _receive_verdict(self, payload: bytes) -> None:
        assert isinstance(self._handshake, DialerHandshake)
        self._handshake.check_verdict(payload)
        if self._may_stand():  # asked again: the other end may have dialed too, and its link opened meanwhile
            self._open()

    def _may_stand(self) -> bool:
        """On the dialer's side: ask the host, and end if it says no."""
        refusal = self._owner.refusal_of(self)
        if refusal is None:
            return True
        is_duplicate = refusal == Refusal.DUPLICATE
        reason = "already linked to this node" if is_duplicate else "this node has no room for another dialed link"
        self.end(refusal.name.lower(), reason)
        return False

    def _open(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self.is_open = True
        self.heard_at = monotonic()
        self._handshake = None
        self._owner.link_opened(self)
        self.ping()

    def _handshake_is_late(self) -> None:
        self.end("timeout", f"no handshake within {self._owner.limits.handshake_timeout_s:g} s")

    # Frames in

    def _receive_frames(self, data: bytes) -> None:
        self.heard_at = monotonic()
        payloads = self._frames.feed(data)
        if not self._frames.pending_bytes:
            self.frame_began_at = None
        elif payloads or self.frame_began_at is None:
            self.frame_began_at = self.heard_at
        messages = []
        for payload in payloads:
            if payload[0] != CONTROL and self.is_open:
                messages.append(payload)
                continue
            if self.is_open:
                self._receive_control(payload)
            else:
                self._receive_verdict(payload)
            if self.is_ended:
                return
        if messages:
            self._owner.link_received(self, messages)

    def _receive_control(self, payload: bytes) -> None:
        kind, body = open_control(payload)
        if kind == ControlKind.PING:
            if len(body) != NONCE_SIZE_BYTES:
                raise FrameError(f"a ping with {len(body)} bytes, it has {NONCE_SIZE_BYTES}")
            if self.queue_bytes < self._owner.limits.max_queue_bytes:
                self.send(control_frame(ControlKind.PONG, body))
                self.flush()
        elif kind == ControlKind.PONG and body == self._ping_nonce:
            self._ping_nonce = b""
            self.rtt_ms = (monotonic() - self._ping_sent_at) * 1000
        elif kind == ControlKind.BYE:
            self._goodbye = reason_text(body) or "no reason given"

    def pause(self, paused: bool) -> None:
        """Stop or go on reading. Time during which we did not read is not held against the peer."""
        if paused == self.is_paused or self._transport is None:
            return
        self.is_paused = paused
        if paused:
            self._transport.pause_reading()
            return
        self.heard_at = monotonic()
        if self.frame_began_at is not None:
            self.frame_began_at = self.heard_at
        self._transport.resume_reading()

    # Frames out

    def send(self, *framed: bytes) -> None:
        """Queue a whole frame, in one part or several; ``flush`` lets it go."""
        size = sum(map(len, framed))
        self._parts += framed
        self._parts_bytes += size
        self.queue_bytes += size
        if self._parts_bytes >= WRITE_SIZE_BYTES:
            self._join()

    def _join(self) -> None:
        self._chunks.append(b"".join(self._parts))
        self._parts.clear()
        self._parts_bytes = 0

    def flush(self) -> None:
        """Write what is queued, as long as the transport does not ask for a pause."""
        if self._parts and not self._chunks:
            self._join()
        while self._chunks and not self.write_is_paused and self._transport is not None:
            data = self._chunks.popleft()
            self.queue_bytes -= len(data)
            self._write(data)
            if self._parts and not self._chunks:
                self._join()
        if self.queue_bytes <= self._owner.limits.max_queue_bytes:
            self.congested_since = None
        elif self.congested_since is None:
            self.congested_since = monotonic()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self.bytes_out += len(data)
            self._transport.write(data)

    def ping(self) -> None:
        """Ask for a sign of life; the answer gives the round-trip time."""
        self.pinged_at = monotonic()
        if self.queue_bytes:
            return  # it would only measure our own queue
        self._ping_nonce = os.urandom(NONCE_SIZE_BYTES)
        self._ping_sent_at = self.pinged_at
        self.send(control_frame(ControlKind.PING, self._ping_nonce))
        self.flush()

    # The end

    def end(self, category: str, reason: str, *, say: str = "") -> None:
        """Close, once. ``say`` is told to the peer, if it still listens; what is queued is given up."""
        if self.is_ended:
            return
        self.is_ended = True
        if self._deadline:
            self._deadline.cancel()
        transport = self._transport
        if transport is not None:
            if say and self.is_open and not self.write_is_paused:
                transport.write(control_frame(ControlKind.BYE, reason_bytes(say)))
            transport.close()
            self._loop.call_later(self._owner.limits.linger_s, transport.abort)
        self._forget_queue()
        self._owner.link_ended(self, category, reason)

    def _forget_queue(self) -> None:
        self._chunks.clear()
        self._parts.clear()
        self._parts_bytes = self.queue_bytes = 0

    def abort(self) -> None:
        """Cut the connection at once."""
        if self._transport is not None:
            self._transport.abort()
