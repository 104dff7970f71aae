"""Recursive lookup, and routing of payloads: each node passes the question on, and the owner answers the asker directly.

Half the datagrams of the iterative style and no round trip per hop, but the asker sees nothing of the way (ToN 2003, section
IV.B). Each hop is acknowledged, so that the node before a dead one tries another; a payload may thus arrive twice, never
silently not at all: the asker hears the owner, or after ``ROUTE_TIMEOUT_S`` that it did not.
"""

from __future__ import annotations

from collections.abc import Callable

from horoi.base.ids import in_half_open
from horoi.lookup.chord.core import Core
from horoi.lookup.chord.messages import MAX_CLOSER, MAX_HOPS, Ack, Arrived, Forward
from horoi.lookup.chord.node import Hop, Node
from horoi.lookup.vocabulary import Address, Delivered

ROUTE_TIMEOUT_S = 10.0  # a guess: a dozen hops, some of them dead
TRIES = 2 * MAX_CLOSER  # next hops tried by one node, a guess


def route(
    core: Core,
    node: Node,
    key: int,
    payload: bytes | None,
    on_arrival: Callable[[Arrived, float], None],
    on_failure: Callable[[float], None],
    now: float,
) -> None:
    """Send a payload (None: just the question) on its way. One of the two is called later."""
    if core.pending.full:
        on_failure(now)
        return
    ticket = core.expect(on_arrival, on_failure, now, ROUTE_TIMEOUT_S)
    pass_on(core, node, Forward(0, node.id, key, node.contact, ticket, 0, False, payload), now)


def serve_forward(core: Core, node: Node, message: Forward, source: Address, now: float) -> None:
    """Acknowledge, then pass on or deliver."""
    core.send(source, Ack(message.nonce))
    if message.hops < MAX_HOPS:
        pass_on(core, node, message, now)


def pass_on(core: Core, node: Node, message: Forward, now: float, tries: int = TRIES) -> None:
    """Deliver here if this node owns the key, else send it to the best next hop that answers."""
    hop = _next(core, node, message)
    if hop.is_owner:
        _deliver(core, node, message)
        return
    next_hop = next((contact for contact in (*hop.closer, *hop.behind) if core.is_believed(contact, now)), None)
    if next_hop is None or tries == 0:
        return  # the asker notices
    is_final = next_hop not in hop.closer

    def silent(at: float) -> None:
        core.bury(next_hop, at)
        pass_on(core, node, message, at, tries - 1)

    core.forward(next_hop, message, is_final, silent, now)


def _next(core: Core, node: Node, message: Forward) -> Hop:
    """As ``Node.next_hop``; but who is named as the owner is it, unless its predecessor stands between, and lives."""
    hop = node.next_hop(message.key, all_successors=core.config.successors_in_lookups)
    if not message.final or hop.is_owner:
        return hop
    predecessor = node.predecessor
    if predecessor is not None and in_half_open(predecessor.id, (message.key - 1) & node.mask, node.id):
        return Hop(False, (), (predecessor,))
    return Hop(True, (), ())


def _deliver(core: Core, node: Node, message: Forward) -> None:
    if message.payload is not None:
        core.tell(Delivered(message.key, message.payload, message.asker, message.hops))
    arrived = Arrived(message.ticket, node.contact, tuple(node.successors[:MAX_CLOSER]), message.hops)
    core.send(message.asker.address, arrived)
