"""Repair: takeover of failed peers' zones (section 2.3), and zones that nobody seems to own.

The rules of the timer are in ``takeover``. What the paper leaves open is what happens when a TAKEOVER was lost, or a peer was
taken for dead and is not: two peers then claim one zone. That is for ``disputes``.
"""

from __future__ import annotations

from typing import Any

from horoi.lookup.can import rings, upkeep
from horoi.lookup.can.core import Core
from horoi.lookup.can.messages import MAX_ZONES, Claim, Takeover, Updated
from horoi.lookup.can.neighbours import Neighbour
from horoi.lookup.can.partition import gaps, volume
from horoi.lookup.can.realities import Reality
from horoi.lookup.can.takeover import UNSURE, Failure, Key, Takeovers, timer_of, timer_s
from horoi.lookup.can.zone import Zone, overlap
from horoi.lookup.vocabulary import Address, Contact

MAX_GAPS = 8  # gaps attended to at one tick, a guess
ORPHAN_TRIES = 2  # searches in vain after which a gap is taken for nobody's, a guess

# Takeover


def begin_takeover(core: Core, reality: Reality, neighbour: Neighbour, now: float) -> None:
    """A neighbour has failed: start the timer, and see meanwhile who of its neighbours is there."""
    own = core.contact.address
    around = tuple(c for c in neighbour.around if c.contact.address not in (own, neighbour.contact.address))
    failure = Failure(neighbour.contact.address, neighbour.contact, neighbour.zones, around)
    if reality.takeovers is None:
        reality.takeovers = Takeovers()
    if not reality.takeovers.add(failure):
        return
    for claim in around:
        if reality.neighbours.get(claim.contact.address) is not None:
            failure.answered[claim.contact.address] = b""
        else:
            upkeep.probe(core, reality, claim.contact, now)
    _arm(core, reality, failure, now)


def _arm(core: Core, reality: Reality, failure: Failure, now: float) -> None:
    wait_s = timer_s(reality.volume(), volume(core.space, failure.zones), core.config.takeover_s, core.dice)
    key = failure.key
    core.later(timer_of(reality.number, key), wait_s, lambda at: _due(core, reality, key, at))


def _due(core: Core, reality: Reality, key: Key, now: float) -> None:
    """The takeover timer ran out and no TAKEOVER of a better heir came."""
    failure = reality.takeovers.get(key) if reality.takeovers is not None else None
    if failure is None or reality.takeovers is None or core.leaving:
        return
    if not _orphans(core, reality, failure.zones):
        reality.takeovers.drop(key)
        return
    if failure.is_risky():
        failure.is_searched = True
        _search_beyond(core, reality, failure, now)
        return
    take_over(core, reality, failure, now)


def _orphans(core: Core, reality: Reality, zones: tuple[Zone, ...]) -> list[Zone]:
    """Those of a failed peer's zones that abut ours and that nobody is known to hold."""
    return [
        zone
        for zone in zones
        if reality.neighbours.holder(zone) is None
        and not any(overlap(zone, mine) for mine in reality.zones)
        and any(core.space.abut(zone, mine) for mine in reality.zones)
    ]


def _search_beyond(core: Core, reality: Reality, failure: Failure, now: float) -> None:
    """Many around the failed peer are gone too: see beyond them whether somebody has its zone already, then take over."""

    def found(claim: Claim, at: float) -> None:
        upkeep.probe(core, reality, claim.contact, at)
        _arm(core, reality, failure, at)

    def nobody(at: float) -> None:
        _arm(core, reality, failure, at)

    rings.search_owner(core, failure.zones[0], reality.number, found, nobody, now)


def take_over(core: Core, reality: Reality, failure: Failure, now: float) -> None:
    """Own the failed peer's zones from now on, and tell all of its neighbours."""
    assert reality.takeovers is not None
    reality.takeovers.drop(failure.key)
    core.cancel(timer_of(reality.number, failure.key))
    zones = _orphans(core, reality, failure.zones)[: MAX_ZONES - len(reality.zones)]
    if not zones or any(mate.id < core.contact.id for mate in reality.mate_contacts()):
        return  # of peers that share a zone, the one with the lowest id acts
    before = reality.volume()
    reality.inherited = (*reality.inherited, *zones)[-MAX_ZONES:]
    reality.set_zones((*reality.zones, *zones), now)
    reality.unsure_until_s = now + UNSURE * core.config.takeover_s
    told = {claim.contact.address: claim.contact for claim in failure.around}
    told.update({n.contact.address: n.contact for n in reality.neighbours})
    for contact in told.values():
        if core.is_believed(contact, now):
            permit = core.permit_of(contact.address) or failure.answered.get(contact.address, b"")
            _tell_takeover(core, reality, contact, failure.contact, before, permit, now)
    for mate in reality.mate_contacts():
        upkeep.exchange(core, reality, mate, now)
    core.refresh_soon()


def _tell_takeover(
    core: Core, reality: Reality, contact: Contact, dead: Contact, own_volume: float, permit: bytes, now: float
) -> None:
    claim = reality.claim

    def answered(reply: Any, at: float) -> None:
        if isinstance(reply, Updated) and reply.reality == reality.number:
            upkeep.hear(core, reality, reply, contact.address, at)

    core.ask_twice(
        contact,
        lambda nonce: Takeover(nonce, reality.number, claim, dead, own_volume, permit),
        answered,
        lambda at: upkeep.lose(core, reality, contact, at),
        now,
    )


def serve_takeover(core: Core, message: Takeover, source: Address, now: float) -> None:
    """Somebody took over a peer's zones. If we are about to, the smaller of us should have them."""
    claim = message.claim
    if message.reality >= len(core.realities) or claim.contact.address != source or not core.is_bound(claim.contact):
        return
    reality = core.realities[message.reality]
    if not reality.zones or core.leaving:
        return
    is_proven = core.permits.check(source, message.permit, now)
    if not is_proven:
        upkeep.probe(core, reality, claim.contact, now)
        _put_off(core, reality, message, now)
    elif message.dead not in (core.contact, claim.contact):
        _yield_or_insist(core, reality, message, now)
    if is_proven and all(map(core.space.is_zone, claim.zones)):
        core.exhume(claim.contact)
        upkeep.take(core, reality, claim, now)
    core.send(source, upkeep.updated(core, reality, message, source, now, with_list=is_proven))


def _put_off(core: Core, reality: Reality, message: Takeover, now: float) -> None:
    """A stranger says to have taken what we are about to take: see whether it is true before we do. Once: it may lie."""
    failure = reality.takeovers.get(message.dead.address) if reality.takeovers is not None else None
    if failure is not None and not failure.was_put_off:
        failure.was_put_off = True
        _arm(core, reality, failure, now)


def _yield_or_insist(core: Core, reality: Reality, message: Takeover, now: float) -> None:
    failure = reality.takeovers.get(message.dead.address) if reality.takeovers is not None else None
    if failure is None or reality.takeovers is None:
        if reality.neighbours.get(message.dead.address) is not None:
            upkeep.exchange(core, reality, message.dead, now)  # dead? we thought it was there
        return
    if message.volume <= reality.volume():  # of equals, the first: the paper leaves it open
        reality.takeovers.drop(message.dead.address)
        core.cancel(timer_of(reality.number, message.dead.address))
    else:
        take_over(core, reality, failure, now)


# Gaps


def check_gaps(core: Core, reality: Reality, now: float) -> None:
    """Every face of ours must be covered by neighbours: where it is not, find out who is there, or take it."""
    if reality.checked:
        return
    found = gaps(core.space, reality.zones, reality.neighbours.zones())
    if not found:
        reality.checked = True
        reality.gap_tries = None
        return
    tries = reality.gap_tries or {}
    reality.gap_tries = {gap: tries.get(gap, 0) + 1 for gap in found[:MAX_GAPS]}
    for gap, count in reality.gap_tries.items():
        if reality.takeovers is not None and reality.takeovers.attends(gap):
            continue
        candidates = _named_for(core, reality, gap, now)
        for contact in candidates:
            upkeep.probe(core, reality, contact, now)
        if count > ORPHAN_TRIES:
            _take_orphan(core, reality, gap, now)
        elif not candidates:
            _search_owner(core, reality, gap, now)


def _named_for(core: Core, reality: Reality, gap: Zone, now: float) -> list[Contact]:
    """Whom the neighbours name as owner of what lies in a gap."""
    named: dict[Address, Contact] = {}
    for neighbour in reality.neighbours:
        for claim in neighbour.around:
            if any(overlap(gap, zone) for zone in claim.zones) and core.is_believed(claim.contact, now):
                named[claim.contact.address] = claim.contact
    return list(named.values())[:MAX_GAPS]


def _search_owner(core: Core, reality: Reality, gap: Zone, now: float) -> None:
    def found(claim: Claim, at: float) -> None:
        upkeep.probe(core, reality, claim.contact, at)

    rings.search_owner(core, gap, reality.number, found, lambda _at: None, now)


def _take_orphan(core: Core, reality: Reality, gap: Zone, now: float) -> None:
    """Nobody was found who owns this: attend to it like to a failed neighbour of whom only the zone is known."""
    failure = Failure(("gap", gap), core.contact, (gap,), ())
    if reality.takeovers is None:
        reality.takeovers = Takeovers()
    if reality.takeovers.add(failure):
        _arm(core, reality, failure, now)
