"""Repair: takeover of failed peers' zones (section 2.3), zones that nobody seems to own, and zones that two claim.

The rules of the timer are in ``takeover``. What the paper leaves open is what happens when a TAKEOVER was lost, or a peer was taken
for dead and is not: two peers then claim one zone. Here whoever took the zone over gives it back to a peer that holds less (the
owner itself, who holds nothing else, always is one); a peer that got its zone by joining or by hand gives it up only when more
of its neighbours know the other as the owner than know it. So a liar would have to convince the neighbours first, and those
believe in who was there before as long as it answers.
"""

from __future__ import annotations

from typing import Any

from horoi.lookup.can import joining, rings, upkeep
from horoi.lookup.can.core import Core
from horoi.lookup.can.messages import MAX_ZONES, Claim, Takeover, Updated
from horoi.lookup.can.neighbours import Neighbour
from horoi.lookup.can.partition import gaps, volume, without
from horoi.lookup.can.realities import Reality
from horoi.lookup.can.takeover import Failure, Key, Takeovers, gives_way, timer_s
from horoi.lookup.can.zone import Zone, overlap
from horoi.lookup.vocabulary import Address, Contact

MAX_GAPS = 8  # gaps attended to at one tick, a guess
ORPHAN_TRIES = 2  # searches in vain after which a gap is taken for nobody's, a guess

# Takeover


def timer_of(reality: Reality, key: Key) -> str:
    """The name of the takeover timer of a failure."""
    return f"takeover {reality.number} {key!r}"


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
            failure.answered[claim.contact.address] = None
        else:
            upkeep.probe(core, reality, claim.contact, now)
    _arm(core, reality, failure, now)


def _arm(core: Core, reality: Reality, failure: Failure, now: float) -> None:
    wait_s = timer_s(reality.volume(), volume(core.space, failure.zones), core.config.takeover_s, core.dice)
    key = failure.key
    core.later(timer_of(reality, key), wait_s, lambda at: _due(core, reality, key, at))


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
    """Many around the failed peer are gone too: look for peers "residing beyond the failure region", then take over."""

    def found(claim: Claim, at: float) -> None:
        upkeep.probe(core, reality, claim.contact, at)
        _arm(core, reality, failure, at)

    def nobody(at: float) -> None:
        _arm(core, reality, failure, at)

    place = core.space.place(core.space.key_in(failure.zones[0]))
    rings.search(core, place, reality.number, found, nobody, now)


def take_over(core: Core, reality: Reality, failure: Failure, now: float) -> None:
    """Own the failed peer's zones from now on, and tell all of its neighbours."""
    assert reality.takeovers is not None
    reality.takeovers.drop(failure.key)
    core.cancel(timer_of(reality, failure.key))
    zones = _orphans(core, reality, failure.zones)[: MAX_ZONES - len(reality.zones)]
    if not zones or any(mate < core.contact for mate in reality.mate_contacts()):
        return  # of peers that share a zone, the one with the lowest id acts
    before = reality.volume()
    reality.inherited = (*reality.inherited, *zones)[-MAX_ZONES:]
    reality.set_zones((*reality.zones, *zones), now)
    told = {claim.contact.address: claim.contact for claim in failure.around}
    told.update({n.contact.address: n.contact for n in reality.neighbours})
    for contact in told.values():
        if core.is_believed(contact, now):
            _tell_takeover(core, reality, contact, failure.contact, before, now)
    for mate in reality.mate_contacts():
        upkeep.exchange(core, reality, mate, now)
    core.refresh_soon()


def _tell_takeover(
    core: Core, reality: Reality, contact: Contact, dead: Contact, own_volume: float, now: float
) -> None:
    claim, permit = reality.claim, core.permit_of(contact.address)

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
    elif message.dead not in (core.contact, claim.contact):
        _yield_or_insist(core, reality, message, now)
    if is_proven and all(map(core.space.is_zone, claim.zones)):
        core.exhume(claim.contact)
        upkeep.take(core, reality, claim, now)
    core.send(source, upkeep.updated(core, reality, message, source, now, with_list=is_proven))


def _yield_or_insist(core: Core, reality: Reality, message: Takeover, now: float) -> None:
    failure = reality.takeovers.get(message.dead.address) if reality.takeovers is not None else None
    if failure is None or reality.takeovers is None:
        if reality.neighbours.get(message.dead.address) is not None:
            upkeep.exchange(core, reality, message.dead, now)  # dead? we thought it was there
        return
    if gives_way(reality.volume(), core.contact, message.volume, message.claim.contact):
        reality.takeovers.drop(message.dead.address)
    else:
        take_over(core, reality, failure, now)


# Two claims to one zone


def dispute(core: Core, reality: Reality, claim: Claim, zone: Zone, now: float) -> None:
    """Another peer claims what is ours: give way, or insist."""
    if _must_give_way(core, reality, claim, zone):
        give_up(core, reality, zone, now)
        if reality.zones:
            upkeep.take(core, reality, claim, now)
            upkeep.announce(core, reality, now)
        return
    upkeep.probe(core, reality, claim.contact, now)


def _must_give_way(core: Core, reality: Reality, claim: Claim, zone: Zone) -> bool:
    space = core.space
    if any(overlap(zone, inherited) for inherited in reality.inherited):
        disputed = space.volume(zone)
        ours = max(0.0, reality.volume() - disputed)
        theirs = max(0.0, volume(space, claim.zones) - disputed)
        return gives_way(ours, core.contact, theirs, claim.contact)
    for_us = for_them = 0
    for neighbour in reality.neighbours:
        for other in neighbour.around:
            if other.contact == core.contact and other.zones:
                for_us += 1
            elif other.contact == claim.contact and any(overlap(zone, held) for held in other.zones):
                for_them += 1
    return for_them > for_us or (for_them == for_us > 0 and claim.contact.id < core.contact.id)


def give_up(core: Core, reality: Reality, zone: Zone, now: float) -> None:
    """The zone is another's. A peer that has nothing left joins again."""
    reality.set_zones(tuple(piece for mine in reality.zones for piece in without(mine, zone)), now)
    core.misplaced = True
    if not reality.zones:
        joining.rejoin(core, reality, now)


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
    place = core.space.place(core.space.key_in(gap))

    def found(claim: Claim, at: float) -> None:
        upkeep.probe(core, reality, claim.contact, at)

    rings.search(core, place, reality.number, found, lambda _at: None, now)


def _take_orphan(core: Core, reality: Reality, gap: Zone, now: float) -> None:
    """Nobody was found who owns this: attend to it like to a failed neighbour of whom only the zone is known."""
    failure = Failure(("gap", gap), core.contact, (gap,), ())
    if reality.takeovers is None:
        reality.takeovers = Takeovers()
    if reality.takeovers.add(failure):
        _arm(core, reality, failure, now)
