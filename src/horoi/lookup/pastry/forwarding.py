"""A message on its way: each step is acknowledged, and a step that is not goes to somebody else.

The paper leaves the transport open and lets a node route around a peer that does not respond (section 2.4). Here, as in its
successor (Castro, Costa, Rowstron 2004, "Performance and dependability of structured peer-to-peer overlays", section 4.2):

- an entry of the routing table that does not acknowledge is passed by at once, and pinged;
- the last step, to the owner, is tried three times before the owner is taken for dead: else one lost datagram would
  make the second closest peer answer for keys that are not its own.
"""

from __future__ import annotations

from typing import NamedTuple

from horoi.lookup.pastry import liveness, repair
from horoi.lookup.pastry.core import Core
from horoi.lookup.pastry.messages import JOIN, MAX_HOPS, MAX_REPLICAS, ROUTE, Ack, Answer, Forward
from horoi.lookup.pastry.routing import is_progress, next_hop, random_hop
from horoi.lookup.vocabulary import Address, Contact, Delivered

LAST_STEP_TRIES = 3  # a guess: with 5 % of datagrams lost, one owner in a thousand is passed over
MAX_DELIVERED = 1024  # a guess: payloads of the last minutes, so that one that comes twice is told once


class _Passing(NamedTuple):
    """A message that waits for its acknowledgement."""

    message: Forward
    hop: Contact
    avoid: dict[Address, None]
    tries: int


def pass_on(core: Core, message: Forward, now: float, avoid: dict[Address, None] | None = None) -> None:
    """Send a message one step further, or take it in as the owner."""
    if avoid is None:
        avoid = {message.origin.address: None} if message.purpose == JOIN else {}  # nobody joins through itself
    is_wide = message.is_wide or (core.config.randomise and core.dice.random() < core.config.randomise)
    hop = (random_hop if is_wide else next_hop)(core, message.key, avoid)
    if hop is None:
        _take_in(core, message, now)
    else:
        pass_to(core, hop, message, now, avoid)


def pass_to(
    core: Core, hop: Contact, message: Forward, now: float, avoid: dict[Address, None] | None = None, tries: int = 1
) -> None:
    """Send a message to this peer, as the next step."""
    if message.hops >= MAX_HOPS:
        return  # the origin's time runs out
    passing = _Passing(message, hop, avoid if avoid is not None else {}, tries)
    step = core.open(hop, lambda _reply, _at: None, lambda at: _unanswered(core, passing, at), now)
    if step is None:
        return  # too much under way: as if it were lost
    path = message.path if message.purpose == ROUTE else (*message.path, hop)
    core.send(
        hop.address,
        Forward(
            step,
            message.nonce,
            message.key,
            message.purpose,
            message.origin,
            core.me.id,
            message.hops + 1,
            message.timeouts,
            message.is_wide,
            path,
            message.payload,
        ),
    )


def _unanswered(core: Core, passing: _Passing, now: float) -> None:
    if core.bootstrap is None:
        return
    old, hop = passing.message, passing.hop
    message = _with_timeouts(old, min(old.timeouts + 1, 1000))
    is_entering = message.purpose == JOIN and message.origin == core.me
    is_last_step = hop in core.leaves and core.leaves.covers(message.key)
    if (is_last_step or is_entering) and passing.tries < LAST_STEP_TRIES:
        pass_to(core, hop, message, now, passing.avoid, passing.tries + 1)
        return
    if is_entering:
        return  # a newcomer has nobody else to ask; it begins anew through another
    if is_last_step:
        repair.fail(core, hop, now)
    else:
        repair.suspect(core, hop, now)
    passing.avoid[hop.address] = None
    pass_on(core, message, now, passing.avoid)


def _with_timeouts(message: Forward, timeouts: int) -> Forward:
    return Forward(
        message.step,
        message.nonce,
        message.key,
        message.purpose,
        message.origin,
        message.sender,
        message.hops,
        timeouts,
        message.is_wide,
        message.path,
        message.payload,
    )


def serve_forward(core: Core, message: Forward, source: Address, now: float) -> None:
    """A message from another peer: acknowledge it and send it on its way."""
    if not 0 <= message.key < 1 << core.config.bits or not core.is_routing:
        return  # the sender finds another way
    is_first_of_join = message.purpose == JOIN and message.origin.address == source
    if not is_first_of_join and not is_progress(core, message.sender, core.me.id, message.key):
        return  # whoever sends this way breaks the rule of routing
    core.send(source, Ack(message.step))
    if not is_first_of_join and source not in core.acquainted:
        sender = Contact(message.sender, source)
        core.exhume(sender)
        liveness.consider(core, sender, now)
    if message.origin.address != core.me.address:
        pass_on(core, message, now)


def _take_in(core: Core, message: Forward, now: float) -> None:
    """The message has reached its owner: this peer."""
    origin = message.origin
    if message.purpose == ROUTE:
        deliver(core, message)
    replicas = tuple(core.leaves.nearest(message.key, MAX_REPLICAS))
    permit = core.permits.make(origin.address, now)
    core.send(
        origin.address,
        Answer(message.nonce, core.me, replicas, message.hops, message.timeouts, message.path, permit),
    )


def deliver(core: Core, message: Forward) -> None:
    """Tell the application of a payload, once."""
    mark = (message.origin.address, message.nonce)
    if mark in core.delivered:
        return
    core.delivered[mark] = None
    if len(core.delivered) > MAX_DELIVERED:
        del core.delivered[next(iter(core.delivered))]
    core.tell(Delivered(message.key, message.payload, message.origin, message.hops))
