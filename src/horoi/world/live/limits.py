"""The bounds of the live world. Every number that no paper gives is a guess, and says so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on links. Times in seconds, sizes in bytes."""

    dial_timeout_s: float = 10.0
    """To connect (name lookup, TCP, TLS). A guess: three lost SYNs with Linux's doubling from 1 s are 7 s."""
    handshake_timeout_s: float = 10.0
    """For TLS where this node listens, and on both sides again for the exchange inside it. A guess: ten round trips of a
    slow satellite."""
    ping_every_s: float = 15.0
    """Between pings. A guess: half of ``silence_timeout_s``, so that one lost turn is forgiven."""
    silence_timeout_s: float = 30.0
    """Without any byte from the peer. A guess, well under the 15 minutes after which Linux gives a connection up."""
    frame_timeout_s: float = 60.0
    """From the first byte of a frame to its last. A guess: 4 MB at 70 kB/s."""
    linger_s: float = 2.0
    """For what was written to leave when a link is closed. A guess."""
    max_inbound: int = 125
    """Links that others dialed. As Bitcoin Core's default number of connections (its ``-maxconnections``)."""
    max_outbound: int = 32
    """Links that this node dialed. A guess: discovery wants some beside those that relay."""
    max_dials: int = 32
    """Dials in progress. A guess."""
    max_half_open: int = 128
    """Inbound connections that have not proven who they are. A guess: at 10 s each, 13 a second."""
    max_half_open_per_ip: int = 32
    """The same from one address. A guess: a company's nodes behind one router may all come back at once."""
    max_queue_bytes: int = 8 * 1024 * 1024
    """Waiting to be sent to one peer. Above it for ``queue_grace_s`` the peer is dropped; a guess."""
    queue_grace_s: float = 10.0
    """A guess: long enough for a burst, short enough for memory."""
    hard_queue_factor: int = 4
    """At so many times ``max_queue_bytes`` a peer is dropped at once. A guess."""
    max_backlog_bytes: int = 1024 * 1024
    """Read from one peer and not yet handled by the machine; above it this peer is not read. A guess."""

    @property
    def tick_s(self) -> float:
        """How often timeouts are looked at: they are late by at most this."""
        shortest_s = min(self.ping_every_s, self.silence_timeout_s, self.frame_timeout_s, self.queue_grace_s)
        return min(1.0, shortest_s / 4)
