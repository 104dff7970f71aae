"""Who is alive, and who gets into the tables.

Nobody gets in on hearsay: a contact that others name is pinged first, and only its own answer, from its own address, admits
it. So a liar can fill tables with peers that exist and have ids bound to their addresses, and with nothing else. The ping
also measures the round trip, by which near peers are preferred (section 2.5).

How peers get out again is in ``repair``.
"""

from __future__ import annotations

from collections.abc import Callable

from horoi.lookup.pastry.core import Core
from horoi.lookup.pastry.messages import Ping, Pong
from horoi.lookup.vocabulary import Address, Contact

MAX_PROBING = 128  # candidates pinged at once, a guess: a newcomer meets some hundred
MEASURED_S = 300.0  # a guess: how long a round trip that was measured is not measured again


def wants(core: Core, contact: Contact, now: float, *, nearer: bool) -> bool:
    """Whether the contact could improve a table, as far as is known without asking it.

    Unless ``nearer``, only what is missing counts, and not that it might be nearer than who is there.
    """
    if core.leaves.wants(contact):
        return True
    occupant = core.table.occupant(contact.id)
    if occupant is None:
        return True
    if not nearer or not core.config.proximity or occupant == contact:
        return False
    found = core.acquainted.get(contact.address)
    if found is None or now - found.heard_s > MEASURED_S:
        return True
    if found.round_trip_s < core.round_trip_s(occupant):
        return True
    neighbours = core.neighbours
    return contact not in neighbours and (not neighbours.is_full or found.round_trip_s < neighbours.reach_s)


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
    if contact.id == core.me.id or core.bootstrap is None or not wants(core, contact, now, nearer=nearer):
        return False
    return core.is_believed(contact, now)


def admit(core: Core, contact: Contact, now: float) -> None:
    """Put a peer that has just answered into the tables where it is an improvement."""
    core.exhume(contact)
    if core.leaves.add(contact):
        core.copy_soon()
    round_trip_s = core.round_trip_s(contact)
    occupant = core.table.occupant(contact.id)
    if occupant is None or (core.config.proximity and round_trip_s < core.round_trip_s(occupant)):
        core.table.put(contact)
    if core.config.proximity and core.config.neighbourhood:
        core.neighbours.add(contact, round_trip_s)


# Serving


def serve_ping(core: Core, message: Ping, source: Address, now: float) -> None:
    core.send(source, Pong(message.nonce, core.me.id, core.is_routing, core.permits.make(source, now)))
    contact = Contact(message.id, source)
    if message.is_routing and source not in core.probing and not core.knows(contact):
        core.exhume(contact)
        consider(core, contact, now)
