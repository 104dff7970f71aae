"""The first message of a link: what this node says of itself, and what it makes of the other's."""

from __future__ import annotations

from horoi.node.peers.addresses import canonical, host_of
from horoi.node.peers.config import PeersConfig
from horoi.node.peers.link import Link
from horoi.node.peers.messages import MAX_HEIGHT, MIN_PROTOCOL_VERSION, PROTOCOL_VERSION, Hello


def make(config: PeersConfig, nonce: bytes, own_address: str | None, height: int) -> Hello:
    """This node's greeting."""
    return Hello(
        PROTOCOL_VERSION,
        config.network_id,
        nonce,
        config.listen_port,
        own_address or "",
        min(max(height, 0), MAX_HEIGHT),
        config.agent,
    )


def objection(hello: Hello, network_id: bytes, nonce: bytes) -> str:
    """Why there can be no link with who says this; empty if there can."""
    if hello.network_id != network_id:
        return f"wrong network: this node is on {network_id.hex()[:16]}, the peer on {hello.network_id.hex()[:16]}"
    if hello.version < MIN_PROTOCOL_VERSION:
        return f"version {hello.version} is too old, this node speaks {MIN_PROTOCOL_VERSION} and up"
    if hello.nonce == nonce:
        return "linked to itself"
    return ""


def learn_address(link: Link, hello: Hello) -> str | None:
    """Where a peer that dialed takes links, by its own word or by where it is seen. Only what agrees with that is its name."""
    seen = canonical(f"{host_of(link.address)}:{hello.listen_port}")
    told = canonical(hello.own_address)
    link.listen_address = told if told is not None and host_of(told) == host_of(link.address) else seen
    return told or seen
