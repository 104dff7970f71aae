"""Background zone reassignment (section 2.3 and Appendix A), and leaving: zones that change hands between the living.

A peer that holds several zones, after a failure or a leave, looks for somebody who can give up a zone without a loss: one of
two sibling leaves of the partition tree, because the other can then take their parent. If the sibling of its zone is a leaf,
that is the pair. Else there is a neighbour inside the sibling, with a smaller zone; the search goes on from there in the
same way, each time deeper, until it meets two leaves that are siblings.

Here the searcher takes the steps, so it learns if one comes to nothing. A zone passes by ``Handover``: the receiver owns it
when it says ``Taken``, the giver until then; at no time nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horoi.lookup.can import joining, keeping, upkeep
from horoi.lookup.can.core import REFRESH, Core
from horoi.lookup.can.joining import REASSIGN, REUNION, UPDATE
from horoi.lookup.can.messages import MAX_ZONES, Claim, FindSiblings, Handover, No, Siblings, Taken, fitting
from horoi.lookup.can.neighbours import Neighbour
from horoi.lookup.can.partition import volume
from horoi.lookup.can.realities import Mate, Reality
from horoi.lookup.can.zone import MAX_DEPTH, Zone, is_within, overlap
from horoi.lookup.common.peer import RPC
from horoi.lookup.vocabulary import Address, Contact, Left

Given = Callable[[bool, float], None]


# Reassignment


def reassign(core: Core, now: float) -> None:
    """In each reality where this peer holds several zones, find a better home for the smallest."""
    core.arm_period(REASSIGN, core.config.reassign_s)
    for reality in core.realities:
        if len(reality.zones) > 1 and not any(mate.id < core.contact.id for mate in reality.mate_contacts()):
            _find_home(core, reality, max(reality.zones), now)


def _find_home(core: Core, reality: Reality, zone: Zone, now: float) -> None:
    sibling = holder_of(reality, zone ^ 1)
    if sibling is not None:
        hand_over(core, reality, zone, sibling.contact, None, lambda _ok, _at: None, now)
        return
    pair = _step(core, reality, zone ^ 1)
    if pair is None:
        return
    is_pair, within, claim = pair
    if is_pair:  # we hold one of the siblings ourselves: give it to the other
        hand_over(core, reality, within, claim.contact, None, lambda _ok, _at: None, now)
    else:
        _search(core, reality, zone, within, claim, 0, now)


def holder_of(reality: Reality, zone: Zone) -> Neighbour | None:
    """The neighbour that holds exactly this zone."""
    return next((n for n in reality.neighbours if zone in n.zones), None)


def _step(core: Core, reality: Reality, within: Zone) -> tuple[bool, Zone, Claim] | None:
    """One step of the depth-first search, here: (pair found, our zone or the subtree to go on with, whose)."""
    mine = next((zone for zone in reality.zones if is_within(zone, within)), None)
    if mine is None:
        inside = next((n for n in reality.neighbours if any(is_within(z, within) for z in n.zones)), None)
        return (False, within, inside.claim) if inside is not None else None
    if mine == within:
        return None
    sibling = holder_of(reality, mine ^ 1)
    if sibling is not None:
        return True, mine, sibling.claim
    deeper = next((n for n in reality.neighbours if any(is_within(z, mine ^ 1) for z in n.zones)), None)
    return (False, mine ^ 1, deeper.claim) if deeper is not None else None


def _search(core: Core, reality: Reality, zone: Zone, within: Zone, claim: Claim, steps: int, now: float) -> None:
    """Go down the sibling's subtree until two leaves are siblings; one of their owners then takes our zone."""
    asked = claim.contact

    def answered(reply: Any, at: float) -> None:
        if not isinstance(reply, Siblings) or reply.claim is None or zone not in reality.zones or steps > MAX_DEPTH:
            return
        if reply.is_pair:
            hand_over(core, reality, zone, asked, reply.claim, lambda _ok, _at: None, at)
        elif is_within(reply.zone, within) and core.is_believed(reply.claim.contact, at):
            _search(core, reality, zone, reply.zone, reply.claim, steps + 1, at)

    core.ask_twice(
        asked, lambda nonce: FindSiblings(nonce, reality.number, within), answered, lambda _at: None, now
    )  # fmt: skip


def serve_find_siblings(core: Core, message: FindSiblings, source: Address) -> None:
    """Whether one of our zones and a neighbour's are sibling leaves in the subtree; else who is deeper in it."""
    if message.reality >= len(core.realities) or not core.space.is_zone(message.within):
        return
    pair = _step(core, core.realities[message.reality], message.within)
    if pair is None:
        core.send(source, Siblings(message.nonce, False, message.within, None))
    else:
        core.send(source, Siblings(message.nonce, *pair))


# Handing over


def hand_over(
    core: Core, reality: Reality, zone: Zone, heir: Contact, moves: Claim | None, done: Given, now: float
) -> None:
    """Give a zone of ours to a peer; ``done(taken, now)``. With ``moves``, the heir then gives its own to that one.

    One at a time, and never the last one, unless this peer leaves.
    """
    if not core.leaving and (reality.handing is not None or len(reality.zones) < 2):
        done(False, now)
        return
    reality.handing = zone, heir

    def make(nonce: int, permit: bytes) -> Handover:
        around = [c for c in reality.around() if any(core.space.abut(zone, z) for z in c.zones)]
        return Handover(
            nonce, reality.number, reality.claim, zone, fitting(around, 800), reality.mate_contacts(), moves, permit
        )  # fmt: skip

    def answered(reply: Any, at: float) -> None:
        reality.handing = None
        if not isinstance(reply, Taken) or reply.claim.contact != heir:
            done(False, at)
            return
        if zone in reality.zones:
            _part_with(core, reality, zone, reply.claim, at)
        done(True, at)

    def silent(at: float) -> None:
        reality.handing = None
        done(False, at)

    core.write(heir, make, answered, silent, now)


def _part_with(core: Core, reality: Reality, zone: Zone, heir: Claim, now: float) -> None:
    known = [neighbour.contact.address for neighbour in reality.neighbours]
    reality.set_zones(tuple(z for z in reality.zones if z != zone), now)
    core.misplaced = True
    upkeep.take(core, reality, heir, now)
    if reality.zones:
        upkeep.announce(core, reality, now)
    elif not core.leaving:  # the other zones were lost meanwhile
        joining.rejoin(core, reality, known, now)


def serve_handover(core: Core, message: Handover, source: Address, now: float) -> None:
    """Somebody gives us a zone of its own."""
    refusal = _refusal(core, message, source, now)
    if refusal:
        core.send(source, No(message.nonce, refusal))
        return
    reality = core.realities[message.reality]
    before = reality.zones
    is_news = not any(is_within(message.zone, mine) for mine in before)
    if is_news:
        giver = reality.neighbours.get(source)
        if giver is not None:
            giver.zones = tuple(zone for zone in giver.zones if zone != message.zone)
            giver.gave_version = message.claim.version
        reality.set_zones((*before, message.zone), now)
    core.send(source, Taken(message.nonce, reality.claim))
    if is_news:
        upkeep.discover(core, reality, message.around, now)
        upkeep.announce(core, reality, now)
        if message.moves is not None and core.is_believed(message.moves.contact, now):
            _move_out(core, reality, before, message.moves, now)


def _refusal(core: Core, message: Handover, source: Address, now: float) -> str:
    if message.reality >= len(core.realities) or core.leaving:
        return "I am not there"
    reality = core.realities[message.reality]
    if not core.permits.check(source, message.permit, now):
        return "no permit, or an old one; ask again"
    if message.claim.contact.address != source or message.zone not in message.claim.zones:
        return "a zone is given by its owner"
    if not reality.zones or not core.space.is_zone(message.zone) or len(reality.zones) >= MAX_ZONES:
        return "I have no use for it"
    if any(overlap(message.zone, mine) and not is_within(message.zone, mine) for mine in reality.zones):
        return "it overlaps mine"
    holders = (n for n in reality.neighbours if n.contact.address != source)
    if any(overlap(message.zone, zone) for n in holders for zone in n.zones):
        return "somebody else is known to own it"
    return ""


def _move_out(core: Core, reality: Reality, before: tuple[Zone, ...], sibling: Claim, now: float) -> None:
    """We took a zone so that ours can be merged by who holds its sibling."""
    ours = next((zone for zone in before if zone ^ 1 in sibling.zones), None)
    if ours is not None and ours in reality.zones:
        hand_over(core, reality, ours, sibling.contact, None, lambda _ok, _at: None, now)


# Leaving


def leave(core: Core, now: float) -> None:
    """Hand zones and what is kept to neighbours (section 2.3), say goodbye, and be silent."""
    if core.bootstrap is None or core.leaving:
        core.tell(Left())
        return
    jobs = [(r, zone) for r in core.realities if not r.mates for zone in r.zones]
    farewells = [(r, peer) for r in core.realities for peer in (*r.neighbours, *(r.mates or {}).values())]
    heirs: list[tuple[Zone, Contact]] = []
    waiting = [len(jobs) + 1]

    def one_done(at: float) -> None:
        waiting[0] -= 1
        if waiting[0] == 0:
            keeping.bequeath(core, heirs, lambda then: _goodbye(core, farewells, then), at)

    core.leaving = True
    for reality, zone in jobs:
        _bequeath_zone(core, reality, zone, heirs, one_done, now)
    one_done(now)


def _bequeath_zone(
    core: Core,
    reality: Reality,
    zone: Zone,
    heirs: list[tuple[Zone, Contact]],
    done: Callable[[float], None],
    now: float,
) -> None:
    heir = heir_of(core, reality, zone)
    if heir is None:
        done(now)
        return
    contact = heir.contact

    def handed(is_taken: bool, at: float) -> None:
        if is_taken:
            heirs.append((zone, contact))
        done(at)

    hand_over(core, reality, zone, contact, None, handed, now)


def heir_of(core: Core, reality: Reality, zone: Zone) -> Neighbour | None:
    """Who should have a zone: the neighbour that can merge it; else the one that holds least (section 2.3)."""
    sibling = holder_of(reality, zone ^ 1)
    if sibling is not None:
        return sibling
    near = [
        n for n in reality.neighbours if any(core.space.abut(zone, z) for z in n.zones) and len(n.zones) < MAX_ZONES
    ]
    return min(near, key=lambda n: (volume(core.space, n.zones), n.contact.id), default=None)


def _goodbye(core: Core, farewells: list[tuple[Reality, Neighbour | Mate]], now: float) -> None:
    """Tell everybody around that nothing here is ours any more, and end."""
    for reality in core.realities:
        reality.set_zones((), now)
        reality.mates = None
        reality.takeovers = None
    for reality, peer in farewells:
        upkeep.say_farewell(core, reality, peer.claim.contact, peer.permit, now)
    end(core)


def end(core: Core) -> None:
    """Forget the CAN."""
    for timer in (UPDATE, REASSIGN, REUNION, REFRESH, RPC, *(core.timers or ())):
        core.arm(timer, None)
    core.timers = None
    core.pending.clear()
    core.asking = None
    core.bootstrap = None
    core.joining = 0
    core.leaving = False
    core.is_ticking = False
    core.lookups = 0
    core.held = 0
    core.forget_kept()
    core.tell(Left())
