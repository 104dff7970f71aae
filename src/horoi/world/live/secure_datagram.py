"""A machine on UDP whose peers are nodes of one network: every datagram is sealed in a session between two node keys.

What the machine sees is what it sees on plain UDP, addresses and messages; but an address is one at which somebody was
shown to receive, and a message is by the node that proved its key there, and comes once. See ``secure_sessions``.
"""

from __future__ import annotations

from typing import Any

from horoi.machine import Peer
from horoi.world.live.datagram import MAX_SIZE_BYTES, DatagramHost
from horoi.world.live.node_key import NodeKey
from horoi.world.live.secure_handshake import context_of
from horoi.world.live.secure_session import OVERHEAD_BYTES
from horoi.world.live.secure_sessions import Out, SecureSessions

MAX_PAYLOAD_BYTES = MAX_SIZE_BYTES - OVERHEAD_BYTES
TICK_S = 0.25  # half of the first retry


class SecureDatagramHost(DatagramHost):
    """``speech`` says what is spoken ("horoi/lookup/chord", say): ends that speak something else do not meet."""

    def __init__(self, boot: Any, *, node_key: NodeKey, network_id: bytes, speech: str, **options: Any) -> None:
        super().__init__(boot, **{"max_size_bytes": MAX_PAYLOAD_BYTES, **options})
        self.key = node_key
        self._context = context_of(network_id, speech)
        self.sessions = SecureSessions(node_key, self._context, self.clock.now())

    def take(self, data: bytes, peer: Peer) -> None:
        """One datagram, from the port."""
        self.bytes_in += len(data)
        payload, out = self.sessions.receive(data, peer, self.clock.now())
        self._send_all(out)
        if payload is not None:
            self._take_payload(payload, peer)

    def _put(self, data: bytes, peer: Peer) -> bool:
        self._send_all(self.sessions.send(data, peer, self.clock.now()))
        return True

    def _send_all(self, out: Out) -> None:
        for datagram, address in out:
            super()._put(datagram, address)

    def _tick(self) -> None:
        self.clock.resync()
        self._send_all(self.sessions.tick(self.clock.now()))
        self._ticker = self._loop.call_later(TICK_S, self._tick)
