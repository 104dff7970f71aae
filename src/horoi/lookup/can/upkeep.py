"""Soft state (section 2.3): peers tell each neighbour their zones and neighbours again and again; who is silent has failed.

Here an update is answered by the other one's update, so one exchange a period serves both, measures the round trip (3.3), and
absence is noticed within a few round trips instead of several periods. The list is sent only to who has not got its latest
state. Whoever was heard for another reason (a message to forward) need not be asked.

Nobody enters a table by hearsay: a peer that others name is asked for its own update first.
"""

from __future__ import annotations

from typing import Any

from horoi.lookup.can.core import Core, Dispute, Loss
from horoi.lookup.can.messages import MAX_MATES, MAX_ZONES, Claim, Spares, SparesHere, Update, Updated, fitting
from horoi.lookup.can.neighbours import Neighbour
from horoi.lookup.can.realities import Mate, Reality
from horoi.lookup.can.takeover import timer_of
from horoi.lookup.can.zone import is_within, overlap
from horoi.lookup.common.pending import NONCE_BITS
from horoi.lookup.vocabulary import Address, Contact

EARLY = 0.8  # of a period: who was heard so long ago is asked at this tick, not at the next
UNDER_WAY_S = 10.0  # an update that is not answered is given up before: a few timeouts
TRIES = (
    3  # updates without an answer, after which a neighbour has failed, a guess: at 5 % loss one death in 1000 is false
)
MAX_PROBES = 8  # strangers asked for one message that named them, a guess: 2d

Told = Update | Updated


def exchange_all(core: Core, reality: Reality, now: float) -> None:
    """The period is over: exchange updates with whom has not been heard."""
    quiet_s = now - EARLY * core.config.update_s
    for peer in (*reality.neighbours, *(reality.mates or {}).values()):
        is_under_way = peer.asked_s >= 0 and now < peer.asked_s + UNDER_WAY_S
        if peer.heard_s <= quiet_s and not is_under_way:
            exchange(core, reality, peer.claim.contact, now)
    retry_rivals(core, reality, now)
    neighbours = list(reality.neighbours)
    if neighbours:  # one list a period is read again: whom it named may not have answered the last time
        discover(core, reality, neighbours[core.dice.randrange(len(neighbours))].around, now)
    look_for_nearer_spare(core, reality, now)


def exchange(core: Core, reality: Reality, contact: Contact, now: float) -> None:
    """Send our update to a peer; its own comes back, or it is lost."""
    peer = _known(reality, contact.address)
    if peer is not None:
        peer.asked_s = now

    def answered(reply: Any, at: float) -> None:
        known = _known(reality, contact.address)
        if known is not None:
            known.asked_s = -1.0
        if not isinstance(reply, Updated) or reply.reality != reality.number:
            lose(core, reality, contact, at)
            return
        hear(core, reality, reply, contact.address, at)
        neighbour = reality.neighbours.get(contact.address)
        if neighbour is not None:
            neighbour.measured(core.rtt_s)

    core.ask_often(
        TRIES,
        contact,
        lambda nonce: _update(core, reality, contact, nonce, now),
        answered,
        lambda at: lose(core, reality, contact, at),
        now,
    )


def _known(reality: Reality, address: Address) -> Neighbour | Mate | None:
    neighbour = reality.neighbours.get(address)
    return neighbour if neighbour is not None else (reality.mates or {}).get(address)


def _update(core: Core, reality: Reality, contact: Contact, nonce: int, now: float) -> Update:
    neighbour = reality.neighbours.get(contact.address)
    permit = core.permit_of(contact.address)
    grant = core.permits.make(contact.address, now)
    if neighbour is None:
        return Update(nonce, reality.number, reality.claim, reality.stamp, 0, None, permit, grant)
    around = fitting(reality.around()) if neighbour.told != reality.stamp else None
    return Update(
        nonce, reality.number, reality.claim, reality.stamp, neighbour.stamp, around, permit, grant
    )  # fmt: skip


def announce(core: Core, reality: Reality, now: float) -> None:
    """Our zones have changed: an update at once, not only at the next period (section 2.2)."""
    for peer in (*reality.neighbours, *(reality.mates or {}).values()):
        exchange(core, reality, peer.claim.contact, now)


def announce_except(core: Core, reality: Reality, address: Address, now: float) -> None:
    """As ``announce``, but not to a newcomer, who is being told anyway."""
    for peer in (*reality.neighbours, *(reality.mates or {}).values()):
        if peer.claim.contact.address != address:
            exchange(core, reality, peer.claim.contact, now)


def say_farewell(core: Core, reality: Reality, contact: Contact, permit: bytes, now: float) -> None:
    """The last update: no zones. Nobody waits for the answer."""
    nonce = core.dice.getrandbits(NONCE_BITS)
    grant = core.permits.make(contact.address, now)
    core.send(contact.address, Update(nonce, reality.number, reality.claim, 0, 0, None, permit, grant))


def probe(core: Core, reality: Reality, contact: Contact, now: float) -> None:
    """Ask a peer that somebody named for its own update."""
    if core.is_believed(contact, now) and not core.was_probed(contact.address, reality.number, now):
        exchange(core, reality, contact, now)


def doubt(core: Core, contact: Contact, now: float) -> None:
    """A peer did not answer something: see whether it is there at all."""
    for reality in core.realities:
        if reality.neighbours.get(contact.address) is not None:
            exchange(core, reality, contact, now)


# Hearing


def serve_update(core: Core, message: Update, source: Address, now: float) -> None:
    """A neighbour, or somebody who might become one, tells its state and asks for ours."""
    if message.reality >= len(core.realities) or message.claim.contact.address != source:
        return
    reality = core.realities[message.reality]
    if not reality.zones or core.leaving or not core.is_bound(message.claim.contact):
        return  # silence: this peer is not there (yet, or any more)
    is_proven = core.permits.check(source, message.permit, now)
    known = _known(reality, source)
    if is_proven:
        hear(core, reality, message, source, now)
    elif known is not None and known.claim == message.claim:
        if not isinstance(known, Neighbour) or known.stamp == message.stamp:
            known.heard_s = now  # else there is news, which we ask for at the next tick
    else:
        probe(core, reality, message.claim.contact, now)
    core.send(source, updated(core, reality, message, source, now, with_list=is_proven))


def updated(core: Core, reality: Reality, message: Any, source: Address, now: float, *, with_list: bool) -> Updated:
    """Our own update, in answer to one."""
    knows = getattr(message, "knows", 0)
    neighbour = reality.neighbours.get(source)
    around = fitting(reality.around()) if with_list and knows != reality.stamp else None
    stamp = neighbour.stamp if neighbour is not None else 0
    return Updated(
        message.nonce, reality.number, reality.claim, reality.stamp, stamp, around, core.permits.make(source, now)
    )


def hear(core: Core, reality: Reality, told: Told, source: Address, now: float) -> None:
    """Take the state of a peer that has proved its address."""
    claim = told.claim
    if claim.contact.address != source or not core.is_bound(claim.contact) or not reality.zones:
        return
    if not all(map(core.space.is_zone, claim.zones)):
        return
    core.exhume(claim.contact)
    core.meet(claim.contact)
    if reality.takeovers is not None:
        reality.takeovers.heard(source, told.grant)
        if claim.zones and reality.takeovers.drop(source) is not None:
            core.cancel(timer_of(reality.number, source))
    if _hear_mate(core, reality, told, source, now):
        return
    take(core, reality, claim, now)
    neighbour = reality.neighbours.get(source)
    if neighbour is None:
        return
    neighbour.permit = told.grant
    neighbour.told = told.knows
    if told.around is not None and told.stamp >= neighbour.stamp:
        neighbour.around, neighbour.stamp = told.around, told.stamp
        discover(core, reality, told.around, now)


def take(core: Core, reality: Reality, claim: Claim, now: float) -> None:
    """Believe a claim as far as may be, and see to what it contradicts."""
    address = claim.contact.address
    before = reality.neighbours.get(address)
    zones_before = before.zones if before is not None else ()
    conflicts = reality.neighbours.take(claim, reality.zones, core.config.max_peers, now)
    after = reality.neighbours.get(address)
    zones = after.zones if after is not None else ()
    if zones != zones_before:
        reality.changed(now)
        core.misplaced = True
        if before is not None:
            retry_rivals(core, reality, now)
            for spare in before.spares:
                probe(core, reality, spare, now)
    for conflict in conflicts:
        if conflict.holder is not None:
            probe(core, reality, conflict.holder.contact, now)
        elif before is None or claim.version > before.gave_version:
            core.notice(Dispute(reality, claim, conflict.zone))


def retry_rivals(core: Core, reality: Reality, now: float) -> None:
    """A holder has gone or changed: whoever claimed its zone may be right."""
    for claim in reality.neighbours.rivals(now):
        if reality.neighbours.get(claim.contact.address) is None:
            probe(core, reality, claim.contact, now)


def discover(core: Core, reality: Reality, claims: tuple[Claim, ...], now: float) -> None:
    """Ask those who are named and should be our neighbours but are not known, or are said to own what is ours."""
    asked = 0
    for claim in claims:
        if asked < MAX_PROBES and _known(reality, claim.contact.address) is None and _concerns(core, reality, claim):
            asked += 1
            probe(core, reality, claim.contact, now)


def _concerns(core: Core, reality: Reality, claim: Claim) -> bool:
    space = core.space
    zones = [zone for zone in claim.zones if space.is_zone(zone)]
    if claim.contact.address == core.contact.address:
        return False
    if any(overlap(zone, mine) for zone in zones for mine in reality.zones):
        return True
    if not any(space.abut(zone, mine) for zone in zones for mine in reality.zones):
        return False
    return all(reality.neighbours.holder(zone) is None for zone in zones)


def _hear_mate(core: Core, reality: Reality, told: Told, source: Address, now: float) -> bool:
    """Whether the update came from a peer that shares our zones (section 3.4)."""
    if core.config.max_peers == 1:
        return False
    mates = reality.mates or {}
    mate = mates.get(source)
    claim = told.claim
    if mate is not None and mate.claim.version < claim.version and claim.zones != reality.zones:
        _follow(reality, claim, now)
    if claim.zones != reality.zones:
        if mate is not None:
            del mates[source]
            reality.changed(now)
        return False
    if mate is None:
        if len(mates) >= MAX_MATES:
            return True
        mate = mates[source] = Mate(claim, now)
        reality.mates = mates
        reality.neighbours.remove(source)
        core.misplaced = True
    mate.claim, mate.heard_s, mate.permit = claim, now, told.grant
    return True


def _follow(reality: Reality, claim: Claim, now: float) -> None:
    """A peer of our zones took over another for all of us, or gave one up again."""
    more = tuple(zone for zone in claim.zones if zone not in reality.zones)
    less = tuple(zone for zone in reality.zones if zone not in claim.zones)
    if claim.zones and all(any(is_within(mine, zone) for zone in claim.zones) for mine in reality.zones):
        reality.inherited = (*reality.inherited, *more)[-MAX_ZONES:]
        reality.set_zones(claim.zones, now)
    elif claim.zones and not more and all(zone in reality.inherited for zone in less):
        reality.set_zones(claim.zones, now)


# Losing


def lose(core: Core, reality: Reality, contact: Contact, now: float) -> None:
    """A peer did not answer, again and again."""
    core.bury(contact, now)
    for r in core.realities:
        if r.mates is not None and r.mates.pop(contact.address, None) is not None:
            continue
        neighbour = r.neighbours.remove(contact.address)
        if neighbour is None or not r.zones or core.leaving:
            continue
        r.changed(now)
        retry_rivals(core, r, now)
        for spare in neighbour.spares:
            probe(core, r, spare, now)
        core.notice(Loss(r, neighbour))


# Overloaded zones: who of a neighbouring zone is nearest (section 3.4)


def look_for_nearer_spare(core: Core, reality: Reality, now: float) -> None:
    """Now and then ask a neighbour who else is in its zone, measure one of them, and keep the nearer."""
    if core.config.max_peers == 1 or not len(reality.neighbours):
        return
    neighbours = list(reality.neighbours)
    neighbour = neighbours[core.dice.randrange(len(neighbours))]

    def answered(reply: Any, at: float) -> None:
        if isinstance(reply, SparesHere):
            neighbour.spares = tuple(c for c in reply.mates if core.is_believed(c, at))
            if neighbour.spares:
                _measure(core, reality, neighbour, neighbour.spares[core.dice.randrange(len(neighbour.spares))], at)

    core.ask(neighbour.contact, lambda nonce: Spares(nonce, reality.number), answered, lambda _at: None, now)


def _measure(core: Core, reality: Reality, neighbour: Neighbour, spare: Contact, now: float) -> None:
    """If a spare answers sooner than the neighbour does, it takes its place."""

    def answered(reply: Any, at: float) -> None:
        if not isinstance(reply, Updated) or reply.claim.contact != spare:
            return
        if at - now >= neighbour.rtt_s or reality.neighbours.get(neighbour.contact.address) is not neighbour:
            return
        if reply.claim.zones != neighbour.zones:
            return
        reality.neighbours.remove(neighbour.contact.address)
        nearer = reality.neighbours.add(reply.claim, at)
        nearer.measured(at - now)
        nearer.permit = reply.grant
        nearer.spares = (neighbour.contact, *(c for c in neighbour.spares if c != spare))
        reality.changed(at)

    core.ask(spare, lambda nonce: _update(core, reality, spare, nonce, now), answered, lambda _at: None, now)


def serve_spares(core: Core, message: Spares, source: Address) -> None:
    """A neighbour asks who shares this zone. Only a neighbour: the answer is longer than the question."""
    if message.reality < len(core.realities):
        reality = core.realities[message.reality]
        if reality.neighbours.get(source) is not None:
            core.send(source, SparesHere(message.nonce, reality.mate_contacts()))
