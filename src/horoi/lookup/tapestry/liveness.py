"""Who is alive, and who gets into the neighbour map.

Nobody gets in on hearsay: a contact that others name is pinged first, and only its own answer, from its own address, admits
it. So a liar can fill maps with peers that exist and have ids bound to their addresses, and with nothing else. The ping
also measures the round trip, by which primaries and backups are ordered.

How peers get out again is in ``repair``.
"""

from __future__ import annotations

from collections.abc import Callable

from horoi.lookup.tapestry.core import Core
from horoi.lookup.tapestry.messages import Hello, Ping, Pong
from horoi.lookup.tapestry.neighbour_map import SLOT_SIZE
from horoi.lookup.vocabulary import Address, Contact

MAX_PROBING = 128  # candidates pinged at once, a guess: a newcomer meets some hundred
MEASURED_S = 300.0  # a guess: how long a round trip that was measured is not measured again
MAX_MOVED = 256  # a guess: newcomers of one second


def wants(core: Core, contact: Contact, now: float, *, nearer: bool) -> bool:
    """Whether the contact could improve the map, as far as is known without asking it.

    Unless ``nearer``, only what is missing counts, and not that it might be nearer than who is there.
    """
    slot = core.neighbours.slot(*core.neighbours.place(contact.id))
    if any(other.id == contact.id for other in slot):
        return False
    if len(slot) < SLOT_SIZE:
        return True
    if not nearer or not core.config.proximity:
        return False
    found = core.acquainted.get(contact.address)
    if found is None or now - found.heard_s > MEASURED_S:
        return True
    return found.round_trip_s < core.round_trip_s(slot[-1])


def consider(
    core: Core, contact: Contact, now: float, done: Callable[[float], None] | None = None, *, nearer: bool = False
) -> None:
    """Ping a contact that somebody named, and admit it if it answers. ``done(now)`` is called when that is settled."""
    address = contact.address
    if address in core.probing or len(core.probing) >= MAX_PROBING or not _is_worth(core, contact, now, nearer):
        if done is not None:
            done(now)
        return
    core.probing[address] = None

    def alive(at: float) -> None:
        core.probing.pop(address, None)
        if core.acquaint(address).can_route:  # else it says hello when it is ready
            admit(core, contact, at)
        if done is not None:
            done(at)

    def dead(at: float) -> None:
        core.probing.pop(address, None)
        core.bury(contact, at)
        if done is not None:
            done(at)

    core.ping(contact, alive, dead, now)


def _is_worth(core: Core, contact: Contact, now: float, nearer: bool) -> bool:
    if contact.id == core.me.id or core.bootstrap is None or not core.is_believed(contact, now):
        return False
    return wants(core, contact, now, nearer=nearer)


def admit(core: Core, contact: Contact, now: float) -> None:
    """Put a peer that has just answered into the map, if it is an improvement, and tell it so."""
    core.exhume(contact)
    was_there = core.neighbours.slot(*core.neighbours.place(contact.id))
    if not core.neighbours.add(contact, core.round_trip_s):
        return
    if core.is_routing:  # a newcomer greets everybody at once, when it is ready
        core.send(contact.address, Hello(core.me.id))
    if not was_there and len(core.moved) < MAX_MOVED:
        core.moved[contact.id] = None
        core.copy_soon()


# Serving


def serve_ping(core: Core, message: Ping, source: Address, now: float) -> None:
    core.send(source, Pong(message.nonce, core.me.id, core.is_routing, core.permits.make(source, now)))
    contact = Contact(message.id, source)
    if message.is_routing and source not in core.probing and not core.knows(contact):
        core.exhume(contact)
        consider(core, contact, now)


def serve_hello(core: Core, message: Hello, source: Address, now: float) -> None:
    """Somebody has this peer in its map: perhaps it belongs into this one's."""
    contact = Contact(message.id, source)
    if contact.address == core.me.address or not core.is_bound(contact):
        return
    core.exhume(contact)
    core.backpointers.add(contact)
    consider(core, contact, now, nearer=True)
