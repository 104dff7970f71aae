"""Keeping the ring whole (ToN 2003, figure 6: stabilize, notify, fix_fingers, check_predecessor).

    n.stabilize():  x = successor.predecessor; if x in (n, successor): successor = x; successor.notify(n)
    n.notify(n'):   if predecessor is nil or n' in (predecessor, n): predecessor = n'

Here ``Notify`` asks and notifies in one message, and its answer tells the successor's neighbours: the same step with half the
datagrams. Nobody enters a table by hearsay alone: a new successor must have answered a Notify, a new predecessor a Ping, a
finger a lookup; only the tail of the successor list is copied, and each of it is asked before it is relied on.

Liveness is learned from traffic: the predecessor's own Notify each period says that it lives, and it is pinged only when
that has not come for a while; successors and fingers are noticed dead when they do not answer.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from horoi.base.ids import in_open
from horoi.lookup.chord import keeping
from horoi.lookup.chord.core import Core
from horoi.lookup.chord.lookups import Walk
from horoi.lookup.chord.messages import MAX_CLOSER, Neighbours, Notify
from horoi.lookup.chord.node import Node
from horoi.lookup.vocabulary import Address, Contact

STABILISE = "stabilise"
FIX_FINGER = "fix finger"
REJOIN = "rejoin"
REPUBLISH = "republish"

JITTER = 0.1  # of a period, so that peers that started together do not stay in step; a guess
SILENT_PERIODS = 2.5  # a predecessor that missed two notifications is pinged; a guess
REPUBLISH_S = 60.0  # how often copies are offered to the replicas again; a guess


# Stabilise and notify


def arm(core: Core, timer: str, period_s: float) -> None:
    """Arm a periodic timer, somewhat earlier or later than its period."""
    core.arm(timer, period_s * (1 + JITTER * (2 * core.dice.random() - 1)))


def tick(core: Core, now: float) -> None:
    """The period is over: stabilise every node and look after its predecessor."""
    for node in core.nodes:
        stabilise(core, node, now)
        check_predecessor(core, node, now)
        if node.successor is not None and node.is_far((node.successor.id - node.id) & node.mask, core.config.doubt):
            check_ring(core, node, now)  # a liar may have told where its place is
    arm(core, STABILISE, core.config.stabilise_s)


def stabilise(core: Core, node: Node, now: float) -> None:
    """Ask the successor for its predecessor, and notify it."""
    successor = node.successor
    if successor is None:
        _reconnect(core, node, now)
        return

    def answered(reply: Any, at: float) -> None:
        _learn(core, node, successor, reply, at)

    core.ask_until_answered(
        successor,
        lambda nonce: Notify(nonce, successor.id, node.contact),
        answered,
        lambda at: _lose(core, node, successor, at),
        now,
    )


def _lose(core: Core, node: Node, contact: Contact, now: float) -> None:
    was_successor = contact == node.successor
    core.bury(contact, now)
    if was_successor and not core.leaving and core.bootstrap is not None:
        stabilise(core, node, now)
        keeping.replicate_soon(core)


def _learn(core: Core, node: Node, contact: Contact, reply: Neighbours, now: float) -> None:
    """``contact`` answered a Notify: it is the successor, unless somebody closer was found meanwhile."""
    core.exhume(contact)
    successor = node.successor
    if successor is not None and successor != contact and in_open(successor.id, node.id, contact.id):
        return
    before = node.successors[: core.config.replicas - 1]
    listed = [contact, *believed(core, node, reply.successors, now)]
    reach = (listed[-1].id - node.id) & node.mask
    listed += [
        known for known in node.successors if (known.id - node.id) & node.mask > reach
    ]  # a short answer shortens nothing
    node.set_successors(listed, core.config.successors)
    if node.successors[: core.config.replicas - 1] != before:
        keeping.replicate_soon(core)
    between = reply.predecessor
    if between is not None and in_open(between.id, node.id, contact.id) and core.is_believed(between, now):
        _try_successor(core, node, between, now)


def _try_successor(core: Core, node: Node, contact: Contact, now: float) -> None:
    """Somebody may stand between this node and its successor: if it answers, it is the successor."""

    def answered(reply: Any, at: float) -> None:
        _learn(core, node, contact, reply, at)

    core.ask_until_answered(
        contact,
        lambda nonce: Notify(nonce, contact.id, node.contact),
        answered,
        lambda at: core.bury(contact, at),
        now,
    )


def believed(core: Core, node: Node, contacts: tuple[Contact, ...], now: float) -> list[Contact]:
    return [contact for contact in contacts if contact.id != node.id and core.is_believed(contact, now)]


def _reconnect(core: Core, node: Node, now: float) -> None:
    """No successor is left: look for it through the fingers and the predecessor, or come in again through the bootstrap."""
    known = _others(node)
    if known:
        Walk(core, node, (node.id + 1) & node.mask, partial(back, core, node)).begin_through(known, now)
    elif core.bootstrap and not core.joining:
        core.arm(REJOIN, core.config.stabilise_s)


def _others(node: Node) -> list[Contact]:
    known = [entry for entry in dict.fromkeys(node.fingers.entries) if entry is not None and entry.id != node.id]
    return known if node.predecessor is None else [*known, node.predecessor]


def check_ring(core: Core, node: Node, now: float) -> None:
    """See whether the rest of the ring knows somebody between this node and its successor.

    Stabilisation alone cannot see that the ring has come apart in two rings, or goes around twice ("loopy"; SIGCOMM 2001,
    section 4.4); a lookup of one's own place, through fingers, can.
    """

    def found(walk: Walk, at: float) -> None:
        owner = walk.owners[0] if walk.owners else None
        successor = node.successor
        if owner is not None and successor is not None and in_open(owner.id, node.id, successor.id):
            _try_successor(core, node, owner, at)

    through = _others(node) or node.successors[1:]
    if through:
        through = [through[core.dice.randrange(len(through))]]
        Walk(core, node, (node.id + 1) & node.mask, found).begin_through(through, now)


def back(core: Core, node: Node, walk: Walk, now: float) -> None:
    """Take the place that was found. If everybody takes this node for its own successor, the ring is broken behind it: then the
    predecessor stands in, and its predecessor, and so on, until stabilisation has gone around to the true one."""
    places = [owner for owner in walk.owners if owner.id != node.id]
    if not places and node.predecessor is not None and not core.is_own(node.predecessor):
        places = [node.predecessor]
    if places and not node.successors:
        node.set_successors(places, core.config.successors)
        stabilise(core, node, now)


def serve_notify(core: Core, node: Node, message: Notify, source: Address, now: float) -> Neighbours:
    """notify(n'), and what n' asks in return. Only who is known to be where it says gets the whole list."""
    contact = message.contact
    answer_to = node.predecessor
    is_known = contact == node.predecessor
    if is_known:
        node.heard_s = now
    elif contact.address == source and node.admits(contact) and core.is_bound(contact):
        admit(core, node, contact, now)
    count = core.config.successors if is_known else MAX_CLOSER
    return Neighbours(message.nonce, answer_to, tuple(node.successors[:count]))


def admit(core: Core, node: Node, contact: Contact, now: float) -> None:
    """Make a contact the predecessor, once it has answered a ping."""
    if core.is_own(contact):
        _become_predecessor(core, node, contact, now)
        return
    core.ping(contact, lambda at: _become_predecessor(core, node, contact, at), lambda _at: None, now)


def _become_predecessor(core: Core, node: Node, contact: Contact, now: float) -> None:
    core.exhume(contact)
    if not node.admits(contact):
        return
    before = node.predecessor
    node.predecessor = contact
    node.heard_s = now
    if node.successor is None:  # a ring of one becomes a ring of two
        node.set_successors([contact], core.config.successors)
        stabilise(core, node, now)
    keeping.hand_over_range(core, node, before, contact, now)


def check_predecessor(core: Core, node: Node, now: float) -> None:
    """Ping the predecessor if it has been silent for too long; forget it if it stays silent."""
    predecessor = node.predecessor
    if predecessor is None or core.is_own(predecessor):
        return
    if now - node.heard_s < SILENT_PERIODS * core.config.stabilise_s:
        return

    def alive(at: float) -> None:
        if node.predecessor == predecessor:
            node.heard_s = at

    def dead(at: float) -> None:
        core.bury(predecessor, at)
        keeping.replicate_soon(core)

    core.ping(predecessor, alive, dead, now)


# Fingers


def fix_fingers(core: Core, now: float) -> None:
    """n.fix_fingers(): refresh one finger of each node; missing ones first, and quickly."""
    missing = False
    for node in core.nodes:
        missing = fix_finger(core, node, now) or missing
    arm(core, FIX_FINGER, min(1.0, core.config.fix_finger_s) if missing else core.config.fix_finger_s)


def fix_finger(core: Core, node: Node, now: float) -> bool:
    """Look up where the next finger begins. The finger of the last time is asked first: mostly it still is. True if missing."""
    fingers = node.fingers
    if not fingers.entries:
        return False
    missing = fingers.next_missing()
    if missing is None:
        node.next_finger = max(node.next_finger + 1, fingers.low)
        if node.next_finger >= fingers.bits:
            node.next_finger = fingers.low
            check_ring(core, node, now)
    i = missing if missing is not None else node.next_finger

    def found(walk: Walk, _at: float) -> None:
        if not walk.owners:
            return
        owner = walk.owners[0]
        distance = (owner.id - node.id) & node.mask
        fingers.set(i, owner if distance >= 1 << i else node.contact)

    known = fingers.get(i)
    claim = known if known is not None and known.id != node.id else None
    Walk(core, node, fingers.start(i), found).begin(now, claim=claim)
    return missing is not None
