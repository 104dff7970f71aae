"""Two claims to one zone: who gives way.

The paper has one owner to a zone and does not say what happens when a TAKEOVER was lost, or a peer was taken for dead and is
not, or two halves of a partitioned network have each taken over the other. Then two peers claim one zone, and hear of it from
a common neighbour, or from each other. Three rules, in this order:

1. Both read the lists of their neighbours. Who is known there as the owner by more of them keeps the zone. Neighbours believe
   in who was there first as long as it answers, so a liar that claims a living peer's zone gains nothing.
2. Where they are even, a zone that was taken over goes to who holds less, as a TAKEOVER would have decided.
3. If both insist for long, two meshes overlap, each with neighbours of its own. Then each asks all neighbours of both, whom
   they know as the owner; most votes win, and the lower id where they are even. A liar needs more accomplices around the
   zone than it has honest neighbours.

Who has no zone left joins again, and what it keeps goes home.
"""

from __future__ import annotations

from typing import Any

from horoi.lookup.can import joining, upkeep
from horoi.lookup.can.core import Core
from horoi.lookup.can.messages import Claim, Claims, Nearer, Step, Update, Updated
from horoi.lookup.can.partition import volume, without
from horoi.lookup.can.realities import Reality
from horoi.lookup.can.takeover import UNSURE, gives_way
from horoi.lookup.can.zone import Zone, overlap
from horoi.lookup.vocabulary import Contact

LONG = 4  # times insisted until the other's neighbours are asked, a guess: their lists have been read again by then
MAX_DISPUTES = 16  # rivals whose insistence is counted, a guess
MAX_VOTERS = 8  # of each side's neighbours, a guess: 2d and some


def dispute(core: Core, reality: Reality, claim: Claim, zone: Zone, now: float) -> None:
    """Another peer claims what is ours: give way, or insist."""
    if not any(overlap(zone, mine) for mine in reality.zones):
        return
    if reality.handing is not None and reality.handing[1] == claim.contact:
        return  # it has what we are giving it; its answer is under way
    if must_give_way(core, reality, claim, zone):
        give_up(core, reality, claim, zone, now)
        return
    reality.unsure_until_s = now + UNSURE * core.config.takeover_s
    if _insisted(reality, claim.contact) > LONG:
        call_vote(core, reality, claim, zone, now)
    else:
        upkeep.probe(core, reality, claim.contact, now)


def must_give_way(core: Core, reality: Reality, claim: Claim, zone: Zone) -> bool:
    """Rules 1 and 2."""
    for_us, for_them = _support(core, reality, claim, zone)
    if for_us != for_them:
        return for_them > for_us
    if not for_us and not any(overlap(zone, inherited) for inherited in reality.inherited):
        return False
    disputed = core.space.volume(zone)
    ours = max(0.0, reality.volume() - disputed)
    theirs = max(0.0, volume(core.space, claim.zones) - disputed)
    return gives_way(ours, core.contact, theirs, claim.contact)


def _support(core: Core, reality: Reality, claim: Claim, zone: Zone) -> tuple[int, int]:
    """How many neighbours know us as the owner of a zone, and how many the other one."""
    for_us = for_them = 0
    for neighbour in reality.neighbours:
        if not any(core.space.abut(zone, other) for other in neighbour.zones):
            continue
        for other in neighbour.around:
            if any(overlap(zone, held) for held in other.zones):
                for_us += other.contact == core.contact
                for_them += other.contact == claim.contact
    return for_us, for_them


def give_up(core: Core, reality: Reality, claim: Claim, zone: Zone, now: float) -> None:
    """The zone is another's. A peer that has nothing left joins again."""
    known = [neighbour.contact.address for neighbour in reality.neighbours]
    reality.set_zones(tuple(piece for mine in reality.zones for piece in without(mine, zone)), now)
    if reality.disputes is not None:
        reality.disputes.pop(claim.contact.address, None)
    core.misplaced = True
    if reality.zones:
        upkeep.take(core, reality, claim, now)
        upkeep.announce(core, reality, now)
    else:
        joining.rejoin(core, reality, known, now)


def _insisted(reality: Reality, contact: Contact) -> int:
    """Count how often we insisted against a peer."""
    if reality.disputes is None:
        reality.disputes = {}
    count = reality.disputes.pop(contact.address, 0) + 1
    reality.disputes[contact.address] = count
    if len(reality.disputes) > MAX_DISPUTES:
        del reality.disputes[next(iter(reality.disputes))]
    return count


# Rule 3


def call_vote(core: Core, reality: Reality, claim: Claim, zone: Zone, now: float) -> None:
    """Learn the other's neighbours, then ask those and ours around the zone whom they know as its owner."""
    if core.config.max_peers > 1 and claim.zones == reality.zones:
        upkeep.probe(core, reality, claim.contact, now)  # it shares our zones, and should know it
        return
    if reality.disputes is not None:
        reality.disputes.pop(claim.contact.address, None)

    def make(nonce: int, permit: bytes) -> Update:
        grant = core.permits.make(claim.contact.address, now)
        return Update(nonce, reality.number, reality.claim, reality.stamp, 0, None, permit, grant)

    def answered(reply: Any, at: float) -> None:
        is_other = isinstance(reply, Updated) and reply.claim.contact == claim.contact
        if is_other and any(overlap(zone, held) for held in reply.claim.zones):
            _vote(core, reality, reply.claim, zone, reply.around or (), at)

    core.write(claim.contact, make, answered, lambda _at: None, now)


def _voters(core: Core, reality: Reality, claim: Claim, zone: Zone, theirs: Claims, now: float) -> list[Contact]:
    """Who abuts the disputed zone, as both sides know it."""
    abut = core.space.abut
    ours = [n.contact for n in reality.neighbours if any(abut(zone, other) for other in n.zones)]
    named = [
        other.contact
        for other in theirs
        if any(core.space.is_zone(z) and abut(zone, z) for z in other.zones) and core.is_believed(other.contact, now)
    ]
    voters = dict.fromkeys((*ours[:MAX_VOTERS], *named[:MAX_VOTERS]))
    return [contact for contact in voters if contact not in (core.contact, claim.contact)]


def _vote(core: Core, reality: Reality, claim: Claim, zone: Zone, theirs: Claims, now: float) -> None:
    key = core.space.key_in(zone)
    voters = _voters(core, reality, claim, zone, theirs, now)
    waiting = [len(voters) + 1]
    votes = [0, 0]  # for us, for them

    def one_done(at: float) -> None:
        waiting[0] -= 1
        if waiting[0] == 0:
            _judge(core, reality, claim, zone, votes[0], votes[1], at)

    def answered(reply: Any, at: float) -> None:
        if isinstance(reply, Nearer):
            holders = [n.contact for n in reply.neighbours if any(overlap(zone, held) for held in n.zones)]
            votes[0] += core.contact in holders
            votes[1] += claim.contact in holders
        one_done(at)

    for contact in voters:
        core.ask_twice(contact, lambda nonce: Step(nonce, reality.number, key, False), answered, one_done, now)
    one_done(now)


def _judge(core: Core, reality: Reality, claim: Claim, zone: Zone, for_us: int, for_them: int, now: float) -> None:
    if core.leaving or not any(overlap(zone, mine) for mine in reality.zones):
        return
    if (for_them, -claim.contact.id) > (for_us, -core.contact.id):
        give_up(core, reality, claim, zone, now)
