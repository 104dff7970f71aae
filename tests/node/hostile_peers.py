"""Hostile peers for the simulator: puppets that pass the node's handshake and then do as a test says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.node.sim_nodes import Net
from tests.world.sim.sim_machines import Do, Puppet

from horoi.base.codec import encode
from horoi.ledger.block import Block, Header
from horoi.ledger.conditions import Key
from horoi.ledger.consensus.nakamoto import puzzle
from horoi.ledger.consensus.nakamoto.tree import expected_target
from horoi.ledger.transaction import NATIVE, Holding, Transaction
from horoi.machine import Action, Asked, Dial, Event, Linked, Received, Send, Tell
from horoi.machine.host import Boot, Hosted, Place, Started
from horoi.node.chain import Chain
from horoi.node.mempool.orphans import MAX_COUNT as MAX_ORPHANS
from horoi.node.node import Node
from horoi.node.peers.addressbook import NEW_BUCKETS, TRIED_BUCKETS
from horoi.node.peers.bans import MAX_BANS
from horoi.node.peers.buckets import BUCKET_SIZE
from horoi.node.peers.messages import MIN_PROTOCOL_VERSION, WIRE, Hello, Ping, Pong
from horoi.node.relay.intake import MAX_PENDING
from horoi.node.relay.links import KNOWN_IDS, MAX_TO_ANNOUNCE, MAX_WANTED
from horoi.node.relay.messages import relay_wire
from horoi.node.relay.requests import MAX_ANNOUNCED
from horoi.node.sync.fetching import WINDOW_BLOCKS
from horoi.node.sync.messages import MAX_BLOCKS_PER_REQUEST, GetHeaders, Headers, sync_wire
from horoi.node.sync.serving import MAX_WANTED_BLOCKS

React = Callable[[Event], list[Action]]
EVIL_ADDRESS = "66.6.0.1:7700"


class RawWire:
    """The node's wire, and bytes as they are."""

    def __init__(self, max_block_size_bytes: int) -> None:
        self._wire = sync_wire(max_block_size_bytes) + relay_wire() + WIRE
        self.max_size_bytes = 2**32
        self.types = self._wire.types

    def encode(self, message: Any) -> bytes:
        return message if isinstance(message, bytes) else encode(message)

    def decode(self, data: bytes) -> Any:
        return self._wire.decode(data)


def hostile(net: Net, victims: list[str], react: React, *, polite: bool = True, own: str = EVIL_ADDRESS) -> Boot:
    """A puppet that dials ``victims`` and says hello; ``polite``: it answers pings, and has no headers to offer, so that it is
    not dropped for silence. ``react`` is asked of all other events.
    """

    def behave(event: Event) -> list[Action]:
        if isinstance(event, Asked) and isinstance(event.request, Started):
            return [Tell(Dial(net.universe.host(name).address)) for name in victims]
        if isinstance(event, Asked) and isinstance(event.request, Linked):
            nonce = own.encode()[-8:].rjust(8, b"\0")
            return [Send(event.request.peer, Hello(MIN_PROTOCOL_VERSION, net.network, nonce, 7700, own, 0, "evil"))]
        if isinstance(event, Received) and isinstance(event.message, Hello):
            return react(event)
        if isinstance(event, Received) and isinstance(event.message, Ping):
            return [Send(event.peer, Pong(event.message.nonce))] if polite else []
        if isinstance(event, Received) and isinstance(event.message, GetHeaders):
            return [Send(event.peer, Headers(()))] if polite else []
        return react(event)

    def boot(place: Place) -> Hosted:
        wire: Any = RawWire(net.genesis.max_block_size_bytes)
        return Hosted(Puppet(place, behave), wire)

    return boot


def greeted(event: Event) -> Any:
    """The peer whose hello this is: from now on the node listens. None for other events."""
    return event.peer if isinstance(event, Received) and isinstance(event.message, Hello) else None


def after_hello(*messages: Any) -> React:
    """Send these to everybody once, as soon as he listens."""

    def react(event: Event) -> list[Action]:
        peer = greeted(event)
        return [] if peer is None else [Send(peer, message) for message in messages]

    return react


def send(net: Net, evil: str, *messages: Any) -> None:
    """Let the puppet send these to all that it is linked to."""
    actions = [Send(peer, message) for peer in net.universe.linked(evil) for message in messages]
    net.universe.ask(evil, Do(actions))


def is_dropped(net: Net, evil: str, names: list[str]) -> bool:
    return all(evil not in net.universe.linked(name) for name in names)


def check_bounds(node: Node) -> None:
    """Every table that a peer can grow is within its bound."""
    peers = len(node.peers.peers())
    assert len(node.relay.requests) <= MAX_ANNOUNCED * max(1, peers)
    assert len(node.relay.orphans) <= MAX_ORPHANS
    assert node.relay.intake.count <= MAX_PENDING
    for link in node.relay.links.values():
        assert len(link.known) <= 2 * KNOWN_IDS
        assert len(link.wanted) <= MAX_WANTED
        assert len(link.to_announce) <= MAX_TO_ANNOUNCE
    assert len(node.sync.fetching.in_flight) <= MAX_BLOCKS_PER_REQUEST * max(1, len(node.sync.peers))
    for state in node.sync.peers.values():
        assert len(state.source.lacking) <= WINDOW_BLOCKS
        assert len(state.serving.wanted) <= MAX_WANTED_BLOCKS
    assert len(node.peers.book) <= (NEW_BUCKETS + TRIED_BUCKETS) * BUCKET_SIZE
    assert len(node.peers.bans) <= MAX_BANS


def mine_block(
    chain: Chain, time_ms: int, transactions: tuple[Transaction, ...] = (), coins: int = 50, owner: bytes = b"\x05" * 32
) -> Block:
    """A block on the chain's tip with a solved puzzle, whatever else is wrong with it."""
    tip = chain.tip
    prepared = [chain.ledger.prepare(transaction) for transaction in transactions]
    reward = (Holding(NATIVE, coins, Key(owner), None),)
    preview = chain.ledger.preview(tip.height + 1, reward, prepared, tip.median_time_ms)
    target = expected_target(chain.genesis.consensus, tip)
    header = Header(tip.height + 1, tip.name, preview.content_root, preview.state_root, time_ms, target, bytes(8))
    return Block(solved(header), reward, transactions)


def solved(header: Header) -> Header:
    found = puzzle.Search(header, 0, 10_000_000).run()
    assert found is not None
    return found
