"""Joining, and keeping the ring whole (ToN 2003, figure 6: join, stabilize, notify, fix_fingers, check_predecessor).

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
from horoi.lookup.chord.messages import MAX_CLOSER, Hello, Leaving, Neighbours, Notify, Welcome
from horoi.lookup.chord.node import Node
from horoi.lookup.vocabulary import JOIN, UNREACHABLE, Address, Contact, Failed, Join, Joined, Left

STABILISE = "stabilise"
FIX_FINGER = "fix finger"
REJOIN = "rejoin"
REPUBLISH = "republish"

JITTER = 0.1  # of a period, so that peers that started together do not stay in step; a guess
SILENT_PERIODS = 2.5  # a predecessor that missed two notifications is pinged; a guess
REPUBLISH_S = 60.0  # how often copies are offered to the replicas again; a guess


# Join and leave


def join(core: Core, request: Join, now: float) -> None:
    """Enter the ring through any peer; with no bootstrap, be the ring. A peer with tables resumes."""
    if core.bootstrap is not None or core.leaving:
        core.tell(Failed(JOIN, "joined already; leave first"))
        return
    own = core.nodes[0].contact.address
    core.bootstrap = tuple(address for address in request.bootstrap if address != own)
    if core.nodes[0].successors:  # its tables are filled already (``converged``)
        _start(core, now)
        return
    core.joining = len(core.nodes)
    if not core.bootstrap:
        _begin_alone(core, now)
        return
    _knock(core, list(core.bootstrap), now)


def _begin_alone(core: Core, now: float) -> None:
    """Be the first peer: its virtual nodes are a ring."""
    ring = sorted((node.contact for node in core.nodes), key=lambda contact: contact.id)
    for node in core.nodes:
        others = [contact for contact in ring if contact.id != node.id]
        behind = sorted(others, key=lambda contact: (contact.id - node.id) & node.mask)
        node.set_successors(behind, core.config.successors)
        node.predecessor = behind[-1] if behind else None
        node.heard_s = now
    core.joining = 0
    _start(core, now)


def _knock(core: Core, addresses: list[Address], now: float) -> None:
    """Ask the addresses, one after the other, who they are, and begin the lookup through the first that answers."""
    if not addresses:
        _join_failed(core)
        return
    contact = Contact(0, addresses[0])

    def answered(reply: Any, at: float) -> None:
        if isinstance(reply, Welcome) and reply.contact.address == contact.address:
            for node in core.nodes:
                _find_place(core, node, reply.contact, addresses[1:], at)
        else:
            silent(at)

    def silent(at: float) -> None:
        _knock(core, addresses[1:], at)

    core.ask(contact, Hello, answered, silent, now)


def _join_failed(core: Core) -> None:
    core.bootstrap = None
    core.joining = 0
    core.tell(Failed(JOIN, UNREACHABLE))


def _find_place(core: Core, node: Node, through: Contact, others: list[Address], now: float) -> None:
    """n.join(n'): successor = n'.find_successor(n). The key is n + 1, so that a former life of n is not found."""

    def found(walk: Walk, at: float) -> None:
        places = [owner for owner in walk.owners if owner.id != node.id]
        if places:
            _greet(core, node, places, at)
        elif core.bootstrap is not None and core.joining:
            _give_up_place(core, others, at)

    walk = Walk(core, node, (node.id + 1) & node.mask, found)
    walk.begin_through(through, now)


def _give_up_place(core: Core, others: list[Address], now: float) -> None:
    if len(core.nodes) == 1 and others:
        _knock(core, others, now)
        return
    _join_failed(core)


def _greet(core: Core, node: Node, places: list[Contact], now: float) -> None:
    """Notify the successor that the lookup found, or the next one if it is gone."""
    if not places:
        _give_up_place(core, [], now)
        return

    def answered(reply: Any, at: float) -> None:
        if not core.joining or not isinstance(reply, Neighbours):
            return
        node.set_successors([places[0], *_believed(core, node, reply.successors, at)], core.config.successors)
        core.joining -= 1
        if core.joining == 0:
            _start(core, at)
        stabilise(core, node, at)

    core.ask_twice(
        places[0],
        lambda nonce: Notify(nonce, places[0].id, node.contact),
        answered,
        lambda at: _greet(core, node, places[1:], at),
        now,
    )


def _start(core: Core, now: float) -> None:
    core.tell(Joined(core.nodes[0].contact))
    if core.config.upkeep:
        _arm(core, STABILISE, core.config.stabilise_s)
        _arm(core, FIX_FINGER, min(core.config.fix_finger_s, 1.0))
        _arm(core, REPUBLISH, REPUBLISH_S)


def _arm(core: Core, timer: str, period_s: float) -> None:
    core.arm(timer, period_s * (1 + JITTER * (2 * core.dice.random() - 1)))


def leave(core: Core, now: float) -> None:
    """Hand over what is kept, tell the neighbours, and end."""
    if core.bootstrap is None or core.leaving:
        core.tell(Left())
        return
    core.leaving = True
    waiting = [0]

    def one_done(_at: float) -> None:
        waiting[0] -= 1
        if waiting[0] == 0:
            end(core)

    for node in core.nodes:
        neighbours = [contact for contact in (node.successor, node.predecessor) if contact and not core.is_own(contact)]
        for contact in dict.fromkeys(neighbours):
            waiting[0] += 1
            _say_goodbye(core, node, contact, one_done, now)
    if waiting[0] == 0:
        end(core)


def _say_goodbye(core: Core, node: Node, contact: Contact, done: Any, now: float) -> None:
    def make(nonce: int, permit: bytes) -> Leaving:
        successors = tuple(node.successors[: 2 * MAX_CLOSER])
        return Leaving(nonce, contact.id, node.contact, node.predecessor, successors, permit)

    def told(at: float) -> None:
        core.write(contact, make, lambda _reply, when: done(when), done, at)

    if contact == node.successor:
        keeping.hand_over(core, contact, keeping.everything(core, now), told, now)
    else:
        told(now)


def end(core: Core) -> None:
    """Forget the ring."""
    for timer in (STABILISE, FIX_FINGER, REPUBLISH, REJOIN):
        core.arm(timer, None)
    for node in core.nodes:
        node.predecessor = None
        node.set_successors([], core.config.successors)
    core.pending.clear()
    core.bootstrap = None
    core.joining = 0
    core.leaving = False
    core.tell(Left())


def serve_leaving(core: Core, node: Node, message: Leaving, now: float) -> None:
    """A neighbour leaves: its own neighbours are candidates for its place, to be asked like any other."""
    leaver = message.contact
    if leaver == node.predecessor:
        node.predecessor = None
        if message.predecessor is not None:
            admit(core, node, message.predecessor, now)
    was_successor = leaver == node.successor
    node.remove(leaver)
    if was_successor:
        if not node.successors:
            node.set_successors(_believed(core, node, message.successors, now), core.config.successors)
        stabilise(core, node, now)


# Stabilise and notify


def tick(core: Core, now: float) -> None:
    """The period is over: stabilise every node and look after its predecessor."""
    for node in core.nodes:
        stabilise(core, node, now)
        check_predecessor(core, node, now)
    _arm(core, STABILISE, core.config.stabilise_s)


def stabilise(core: Core, node: Node, now: float) -> None:
    """Ask the successor for its predecessor, and notify it."""
    successor = node.successor
    if successor is None:
        _reconnect(core, node, now)
        return

    def answered(reply: Any, at: float) -> None:
        if isinstance(reply, Neighbours):
            _learn(core, node, successor, reply, at)

    core.ask_twice(
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
    node.set_successors([contact, *_believed(core, node, reply.successors, now)], core.config.successors)
    if node.successors[: core.config.replicas - 1] != before:
        keeping.replicate_soon(core)
    between = reply.predecessor
    if between is not None and in_open(between.id, node.id, contact.id) and core.is_believed(between, now):
        _try_successor(core, node, between, now)


def _try_successor(core: Core, node: Node, contact: Contact, now: float) -> None:
    """Somebody may stand between this node and its successor: if it answers, it is the successor."""

    def answered(reply: Any, at: float) -> None:
        if isinstance(reply, Neighbours):
            _learn(core, node, contact, reply, at)

    core.ask(
        contact,
        lambda nonce: Notify(nonce, contact.id, node.contact),
        answered,
        lambda at: core.bury(contact, at),
        now,
    )


def _believed(core: Core, node: Node, contacts: tuple[Contact, ...], now: float) -> list[Contact]:
    return [contact for contact in contacts if contact.id != node.id and core.is_believed(contact, now)]


def _reconnect(core: Core, node: Node, now: float) -> None:
    """No successor is left: take the nearest finger or the predecessor, or come in again through the bootstrap."""
    known = [entry for entry in node.fingers.entries if entry is not None]
    if node.predecessor is not None:
        known.append(node.predecessor)
    if known:
        node.set_successors(known[:1], core.config.successors)
        stabilise(core, node, now)
    elif core.bootstrap and not core.joining:
        core.arm(REJOIN, core.config.stabilise_s)


def rejoin(core: Core, now: float) -> None:
    """Isolated: look for one's place again through the first bootstrap peer that answers."""
    if not core.bootstrap or core.leaving:
        return
    first, *rest = core.bootstrap
    core.bootstrap = (*rest, first)  # another one next time
    contact = Contact(0, first)

    def answered(reply: Any, at: float) -> None:
        if not isinstance(reply, Welcome):
            return
        for node in core.nodes:
            if not node.successors and not core.is_own(reply.contact):
                walk = Walk(core, node, (node.id + 1) & node.mask, partial(_back, core, node))
                walk.begin_through(reply.contact, at)

    core.ask(contact, Hello, answered, lambda _at: None, now)


def _back(core: Core, node: Node, walk: Walk, now: float) -> None:
    places = [owner for owner in walk.owners if owner.id != node.id]
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
    _arm(core, FIX_FINGER, min(1.0, core.config.fix_finger_s) if missing else core.config.fix_finger_s)


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
    i = missing if missing is not None else node.next_finger

    def found(walk: Walk, _at: float) -> None:
        if not walk.owners:
            return
        owner = walk.owners[0]
        distance = (owner.id - node.id) & node.mask
        fingers.set(i, owner if distance >= 1 << i else node.contact)

    Walk(core, node, fingers.start(i), found).begin(now, claim=fingers.get(i))
    return missing is not None
