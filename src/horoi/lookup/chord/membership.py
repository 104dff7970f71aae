"""Coming and going: n.join(n') of figure 6, and the graceful leave of section IV.E.4 (ToN 2003).

A peer joins through any address: it asks who is there, looks up its own place through that peer, and notifies its successor,
which hands over the keys. Stabilisation does the rest. A peer that leaves hands its keys to its successor and tells both
neighbours, which then ask each other; a peer that just dies is noticed by stabilisation.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from horoi.lookup.chord import keeping
from horoi.lookup.chord.core import Core
from horoi.lookup.chord.lookups import Walk
from horoi.lookup.chord.messages import MAX_CLOSER, Hello, Leaving, Notify
from horoi.lookup.chord.node import Node
from horoi.lookup.chord.upkeep import (
    FIX_FINGER,
    REJOIN,
    REPUBLISH,
    REPUBLISH_S,
    STABILISE,
    admit,
    arm,
    back,
    believed,
    stabilise,
)
from horoi.lookup.vocabulary import JOIN, UNREACHABLE, Address, Contact, Failed, Join, Joined, Left

JOIN_ROUNDS = 3  # how often all bootstrap peers are tried, a guess


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
    core.rounds = JOIN_ROUNDS
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
        _try_later(core)
        return
    contact = Contact(0, addresses[0])

    def answered(reply: Any, at: float) -> None:
        if reply.contact.address == contact.address:
            for node in core.nodes:
                _find_place(core, node, reply.contact, addresses[1:], at)
        else:
            silent(at)

    def silent(at: float) -> None:
        _knock(core, addresses[1:], at)

    core.ask(contact, Hello, answered, silent, now)


def _try_later(core: Core) -> None:
    """Nobody answered, or the ring is in disorder where this peer belongs: knock again soon, or give up."""
    core.rounds -= 1
    if core.rounds > 0:
        core.arm(REJOIN, core.config.stabilise_s)
        return
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
    walk.begin_through([through], now)


def _give_up_place(core: Core, others: list[Address], now: float) -> None:
    if len(core.nodes) == 1 and others:
        _knock(core, others, now)
        return
    core.joining = len(core.nodes)
    _try_later(core)


def _greet(core: Core, node: Node, places: list[Contact], now: float) -> None:
    """Notify the successor that the lookup found, or the next one if it is gone."""
    if not places:
        _give_up_place(core, [], now)
        return

    def answered(reply: Any, at: float) -> None:
        if not core.joining:
            return
        node.set_successors([places[0], *believed(core, node, reply.successors, at)], core.config.successors)
        core.joining -= 1
        if core.joining == 0:
            _start(core, at)
        stabilise(core, node, at)

    core.ask_until_answered(
        places[0],
        lambda nonce: Notify(nonce, places[0].id, node.contact),
        answered,
        lambda at: _greet(core, node, places[1:], at),
        now,
    )


def _start(core: Core, now: float) -> None:
    core.tell(Joined(core.nodes[0].contact))
    if core.config.upkeep:
        arm(core, STABILISE, core.config.stabilise_s)
        arm(core, FIX_FINGER, min(core.config.fix_finger_s, 1.0))
        arm(core, REPUBLISH, REPUBLISH_S)


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
            node.set_successors(believed(core, node, message.successors, now), core.config.successors)
        stabilise(core, node, now)


def rejoin(core: Core, now: float) -> None:
    """Isolated: look for one's place again through the first bootstrap peer that answers."""
    if not core.bootstrap or core.leaving:
        return
    if core.joining:
        _knock(core, list(core.bootstrap), now)
        return
    first, *rest = core.bootstrap
    core.bootstrap = (*rest, first)  # another one next time
    contact = Contact(0, first)

    def answered(reply: Any, at: float) -> None:
        for node in core.nodes:
            if not node.successors and not core.is_own(reply.contact):
                walk = Walk(core, node, (node.id + 1) & node.mask, partial(back, core, node))
                walk.begin_through([reply.contact], at)

    core.ask(contact, Hello, answered, lambda _at: None, now)
