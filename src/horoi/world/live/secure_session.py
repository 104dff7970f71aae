"""One direction-aware session between two nodes over datagrams: keys, counters, and what was heard already.

Each datagram is sealed with ChaCha20-Poly1305 (RFC 8439) under a key of its direction, its counter being the nonce. The
receiver keeps a sliding window of counters (RFC 4303, section 3.4.3; RFC 6479), so a datagram counts once, however often
and in whatever order the network (or an enemy) delivers it.

    0x05 | session 8 | counter 8 | sealed bytes and their tag 16
"""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

DATA = 0x05
SESSION_ID_BYTES = 8
COUNTER_BYTES = 8
TAG_BYTES = 16
HEADER_BYTES = 1 + SESSION_ID_BYTES + COUNTER_BYTES
OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES
WINDOW = 1024  # counters; RFC 6479 suggests 1024 and more where networks reorder

Address = Any
"""(ip, port), as sockets say it."""


class ReplayWindow:
    """Which counters were heard: the highest, and a bit for each of the ``WINDOW`` below it."""

    __slots__ = ("_bits", "_highest")

    def __init__(self) -> None:
        self._highest = -1
        self._bits = 0

    def is_new(self, counter: int) -> bool:
        """False for a counter that was heard, or that is too old to tell."""
        behind = self._highest - counter
        return behind < 0 or (behind < WINDOW and not self._bits >> behind & 1)

    def add(self, counter: int) -> None:
        """Note a counter that ``is_new`` and came with a right tag."""
        ahead = counter - self._highest
        if ahead > 0:
            self._bits = (self._bits << ahead if ahead < WINDOW else 0) & ((1 << WINDOW) - 1) | 1
            self._highest = counter
        else:
            self._bits |= 1 << -ahead


class Session:
    """A session as one end has it. ``own_id`` names it in datagrams to this end, ``peer_id`` in those to the other."""

    __slots__ = (
        "_open",
        "_seal",
        "_sent",
        "_window",
        "accept",
        "address",
        "heard_s",
        "own_id",
        "peer_id",
        "public",
        "since_s",
    )

    def __init__(
        self,
        address: Address,
        public: bytes,
        *,
        own_id: bytes,
        peer_id: bytes,
        seal_key: bytes,
        open_key: bytes,
        now: float,
        accept: bytes = b"",
    ) -> None:
        self.address = address
        self.public = public
        """The other end's node key, which it proved to hold."""
        self.own_id = own_id
        self.peer_id = peer_id
        self.accept = accept
        """What this end answered the other's proof with; said again if it was lost."""
        self.since_s = now
        self.heard_s = now
        self._seal = ChaCha20Poly1305(seal_key)
        self._open = ChaCha20Poly1305(open_key)
        self._sent = 0
        self._window = ReplayWindow()

    def seal(self, payload: bytes) -> bytes:
        """The datagram that carries ``payload``."""
        counter = self._sent.to_bytes(COUNTER_BYTES, "big")
        self._sent += 1
        header = bytes([DATA]) + self.peer_id + counter
        return header + self._seal.encrypt(b"\0\0\0\0" + counter, payload, header)

    def open(self, datagram: bytes) -> bytes | None:
        """The payload of a datagram of this session; None if it is forged, damaged or was heard before."""
        counter = datagram[1 + SESSION_ID_BYTES : HEADER_BYTES]
        number = int.from_bytes(counter, "big")
        if len(datagram) < OVERHEAD_BYTES or not self._window.is_new(number):
            return None
        try:
            payload = self._open.decrypt(b"\0\0\0\0" + counter, datagram[HEADER_BYTES:], datagram[:HEADER_BYTES])
        except InvalidTag:
            return None
        self._window.add(number)
        return payload
