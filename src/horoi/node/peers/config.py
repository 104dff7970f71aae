"""What an operator decides about peers, and the times of the protocol."""

from __future__ import annotations

from dataclasses import dataclass

from horoi.node.peers.addresses import canonical
from horoi.node.peers.dialing import MAX_KEPT, MAX_PER_GROUP
from horoi.node.peers.messages import MAX_AGENT_LENGTH, NETWORK_ID_SIZE_BYTES


@dataclass(frozen=True)
class PeersConfig:
    """What an operator decides about peers. Times in seconds.

    ``own_address`` is where others may dial this node, if the operator knows; else ``listen_port`` (0: it takes no links)
    tells them the port at the host that they see.
    """

    network_id: bytes
    connect: tuple[str, ...] = ()
    """Addresses to stay linked to."""
    own_address: str | None = None
    listen_port: int = 0
    agent: str = "horoi"
    want_outbound: int = 8
    """Bitcoin Core; the paper's section 2.1."""
    max_inbound: int = 117
    """Bitcoin Core; the paper's section 2.1."""
    max_outbound_per_group: int = MAX_PER_GROUP
    hello_timeout_s: float = 15.0
    """A guess: the world's own handshake has 10, and one message must cross."""
    ping_every_s: float = 30.0
    """A guess: Bitcoin Core has 120, for many more links."""
    pong_timeout_s: float = 30.0
    """A guess: long enough for a machine that connects a large block."""
    dial_every_s: float = 5.0
    """While links are missing; a guess."""
    feeler_every_s: float = 120.0
    """Bitcoin Core; the paper's countermeasure 4."""
    advertise_every_s: float = 86_400.0
    """Bitcoin Core."""
    save_every_s: float = 900.0
    """Bitcoin Core."""
    first_save_s: float = 30.0
    """After the first change of a life; a guess."""
    ban_s: float = 86_400.0
    """Bitcoin Core's default for bans."""

    def __post_init__(self) -> None:
        if len(self.network_id) != NETWORK_ID_SIZE_BYTES:
            raise ValueError(f"a network id has {NETWORK_ID_SIZE_BYTES} bytes, this one {len(self.network_id)}")
        if len(self.agent) > MAX_AGENT_LENGTH or not (self.agent.isascii() and self.agent.isprintable()):
            raise ValueError(f"agent {self.agent[:100]!r}: use up to {MAX_AGENT_LENGTH} printable ASCII letters")
        if not 0 <= self.listen_port <= 65535:
            raise ValueError(f"listen port {self.listen_port}: use 0 (none) to 65535")
        if len(self.connect) > MAX_KEPT:
            raise ValueError(f"{len(self.connect)} addresses to stay linked to, the limit is {MAX_KEPT}")
        for address in (*self.connect, *([] if self.own_address is None else [self.own_address])):
            if canonical(address) is None:
                raise ValueError(f"address {address[:100]!r}: write host:port, or [host]:port for IPv6")
