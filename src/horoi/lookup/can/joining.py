"""Joining (section 2.2): find a peer, find the occupant of a random point, get half of its zone, tell the neighbours.

The point is the hash of the newcomer's id: random for who is honest, and not to be chosen by who is not, where ids are bound
to addresses or keys. An occupant that holds several zones after a failure gives one of them whole instead of a half.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horoi.lookup.can import overloading, seek, upkeep
from horoi.lookup.can.core import REFRESH, Core
from horoi.lookup.can.landmarks import key_in_portion, order_by_round_trip
from horoi.lookup.can.messages import MAX_MATES, Claim, Elsewhere, Enter, Given, Hello, No, fitting
from horoi.lookup.can.partition import half_for
from horoi.lookup.can.realities import Mate, Reality
from horoi.lookup.can.seek import Owner
from horoi.lookup.can.zone import WHOLE, Place, Zone, overlap
from horoi.lookup.vocabulary import JOIN, MAX_BOOTSTRAPS, UNREACHABLE, Address, Contact, Failed, Join, Joined

UPDATE = "update"
REASSIGN = "reassign"
REUNION = "reunion"

JOIN_HASH = 64  # hash functions from this number on give points for joining, one per reality; below they are for values
MAX_SENT = 4  # how often a newcomer is sent elsewhere, a guess: uniform partitioning does it once
ROUNDS = 4  # how often each bootstrap peer is tried, a guess: zones may be changing hands
RETRY_S = 1.5  # a guess: as long as a takeover
FAR_S = 10.0  # the round trip of a landmark that does not answer


def join(core: Core, request: Join, now: float) -> None:
    """Enter through any peer; with no bootstrap, be the first. A peer that was settled resumes."""
    if core.bootstrap is not None or core.leaving:
        core.tell(Failed(JOIN, "joined already; leave first"))
        return
    own = core.contact.address
    core.bootstrap = tuple(address for address in request.bootstrap if address != own)
    if any(reality.zones for reality in core.realities):
        start(core)
        return
    if not core.bootstrap:
        for reality in core.realities:
            reality.set_zones((WHOLE,), now)
        start(core)
        return
    core.joining = len(core.realities)
    _measure_landmarks(core, now)


def start(core: Core) -> None:
    """Every reality has a zone: this peer is a part of the CAN."""
    core.tell(Joined(core.contact))
    wake(core)


def wake(core: Core) -> None:
    """Begin what is periodic."""
    core.is_ticking = True
    if core.config.upkeep:
        core.arm_period(UPDATE, core.config.update_s)
        core.arm_period(REASSIGN, core.config.reassign_s)
        core.arm_period(REUNION, core.config.reunion_s)
        core.arm_period(REFRESH, core.config.refresh_s)


# The newcomer's side


def _measure_landmarks(core: Core, now: float) -> None:
    """Topologically sensitive construction: the order of the landmarks' round trips says where to join (section 3.6)."""
    landmarks = core.config.landmarks
    round_trips_s = [FAR_S] * len(landmarks)
    waiting = [len(landmarks)]

    def one_done(at: float) -> None:
        waiting[0] -= 1
        if waiting[0] == 0:
            _enter_all(core, order_by_round_trip(round_trips_s), at)

    def measure(number: int, address: Address) -> None:
        def answered(_reply: Any, at: float) -> None:
            round_trips_s[number] = at - now
            one_done(at)

        core.ask(Contact(0, address), Hello, answered, one_done, now)

    for number, address in enumerate(landmarks):
        measure(number, address)
    if not landmarks:
        _enter_all(core, (), now)


def _enter_all(core: Core, order: tuple[int, ...], now: float) -> None:
    for reality in core.realities:
        if not reality.zones:
            enter(core, reality, order, 0, now)


def point_of(core: Core, contact: Contact, reality: int) -> Place:
    """The point at which a peer joins a reality, where nothing else (landmarks) is agreed on."""
    return core.space.place(core.space.hashed(contact.id, JOIN_HASH + reality))


def enter(core: Core, reality: Reality, order: tuple[int, ...], tries: int, now: float) -> None:
    """Find the occupant of our point through a bootstrap peer, and ask it for a part of its zone."""
    if not core.bootstrap or core.leaving or reality.zones:
        return  # given up meanwhile
    place = point_of(core, core.contact, reality.number)
    if order:
        key = key_in_portion(order, place.key, core.config.dimensions, core.config.bits)
        place = core.space.place(key)
    through = Contact(0, core.bootstrap[tries % len(core.bootstrap)])

    def failed(at: float) -> None:
        if reality.zones or not core.joining:
            return
        if tries + 1 >= ROUNDS * len(core.bootstrap or ()) and not core.is_ticking:
            _join_failed(core)  # who has been in before tries for ever
            return
        wait_s = 0.0 if (tries + 1) % len(core.bootstrap or ()) else RETRY_S
        core.later(f"enter {reality.number}", wait_s, lambda then: enter(core, reality, order, tries + 1, then))

    def found(owner: Owner, at: float) -> None:
        if owner.claim is None:
            failed(at)
        else:
            _knock(core, reality, owner.claim.contact, place, owner.permit, 0, failed, at)

    seek.find_owner(core, place, found, now, reality=reality.number, through=through)


def _join_failed(core: Core) -> None:
    core.bootstrap = None
    core.joining = 0
    core.tell(Failed(JOIN, UNREACHABLE))


def _knock(
    core: Core,
    reality: Reality,
    contact: Contact,
    place: Place,
    permit: bytes,
    sent: int,
    failed: Callable[[float], None],
    now: float,
) -> None:
    """Ask an occupant. It may give, or send us to a neighbour with a larger zone."""

    def answered(reply: Any, at: float) -> None:
        if reality.zones:
            return
        if isinstance(reply, Given) and reply.giver.contact.address == contact.address and _is_sound(core, reply):
            _settle_in(core, reality, reply, permit, at)
        elif isinstance(reply, Elsewhere) and sent < MAX_SENT and core.is_believed(reply.claim.contact, at):
            _knock(core, reality, reply.claim.contact, place, b"", sent + 1, failed, at)
        else:
            failed(at)

    def make(nonce: int, shown: bytes) -> Enter:
        return Enter(nonce, reality.number, core.contact, place.key, sent > 0, shown)

    core.write(contact, make, answered, failed, now, permit)


def _is_sound(core: Core, given: Given) -> bool:
    zones = given.zones
    is_apart = all(not overlap(a, b) for i, a in enumerate(zones) for b in zones[i + 1 :])
    return bool(zones) and all(map(core.space.is_zone, zones)) and is_apart


def _settle_in(core: Core, reality: Reality, given: Given, permit: bytes, now: float) -> None:
    """The zones are ours: learn the neighbours from the former occupant."""
    reality.inherited = ()
    reality.set_zones(given.zones, now)
    if core.config.max_peers > 1:
        mates = {m.contact.address: Mate(m, now) for m in given.mates if core.is_believed(m.contact, now)}
        reality.mates = dict(list(mates.items())[:MAX_MATES])
    core.joining -= 1
    if core.joining == 0:
        start(core)
    if reality.mates is None or given.giver.contact.address not in reality.mates:
        upkeep.take(core, reality, given.giver, now)
    giver = reality.neighbours.get(given.giver.contact.address)
    if giver is not None:
        giver.permit = permit
    upkeep.announce(core, reality, now)
    upkeep.discover(core, reality, given.around, now)
    core.misplaced = True


def rejoin(core: Core, reality: Reality, known: list[Address], now: float) -> None:
    """This peer's last zone went to another: come in again, through whom it knows."""
    if core.leaving or core.bootstrap is None:
        return
    met = [contact.address for contact in core.acquaintances()]
    core.bootstrap = tuple(dict.fromkeys((*known, *met)))[:MAX_BOOTSTRAPS]
    if core.bootstrap:
        core.joining += 1
        core.later(f"enter {reality.number}", RETRY_S, lambda at: enter(core, reality, (), 0, at))


# The occupant's side


def serve_enter(core: Core, message: Enter, source: Address, now: float) -> None:
    """A newcomer asks for part of our zone."""
    refusal = _refusal(core, message, source, now)
    if refusal:
        core.send(source, No(message.nonce, refusal))
        return
    reality = core.realities[message.reality]
    newcomer, place = message.contact, core.space.place(message.key)
    again = reality.neighbours.get(source)
    if again is not None:  # our answer was lost, or it has lost its state: it gets what it had
        _give(core, reality, message, again.zones, ())
        return
    if not message.is_sent:
        larger = _largest_around(core, reality)
        if larger is not None:
            core.send(source, Elsewhere(message.nonce, larger))
            return
    if core.config.max_peers > 1 and overloading.share(core, reality, message, now):
        return
    given = _portion(core, reality, place)
    if given is None:
        core.send(source, No(message.nonce, "my zone cannot be split further"))
        return
    keep = tuple(z for zone in reality.zones for z in ((zone,) if not overlap(zone, given) else _rest(zone, given)))
    overloading.divide(core, reality, given, keep, newcomer, now)
    around = reality.around()
    reality.set_zones(keep, now)
    reality.neighbours.add(Claim(newcomer, (given,), 0), now)
    _give(core, reality, message, (given,), tuple(around))
    core.misplaced = True
    upkeep.announce_except(core, reality, source, now)


def _rest(zone: Zone, given: Zone) -> tuple[Zone, ...]:
    return () if zone == given else (given ^ 1,)


def _refusal(core: Core, message: Enter, source: Address, now: float) -> str:
    """Why a newcomer gets nothing here; empty if it does."""
    if message.reality >= len(core.realities) or core.leaving:
        return "I am not there"
    reality = core.realities[message.reality]
    if not core.permits.check(source, message.permit, now):
        return "no permit, or an old one; ask again"
    if message.contact.address != source or not core.is_bound(message.contact):
        return "this id is not yours"
    place = core.space.place(message.key)
    if not reality.zones or (not message.is_sent and not reality.owns(place)):
        return "another peer owns your point"
    is_free = core.config.is_bound is None or core.config.landmarks
    if not is_free and place.key != point_of(core, message.contact, message.reality).key:
        return "your point does not follow from your id"
    return ""


def _largest_around(core: Core, reality: Reality) -> Claim | None:
    """More uniform partitioning (section 3.7): a neighbour whose zone is larger than ours should be split instead."""
    reach = core.config.uniform_reach
    if not reach:
        return None
    claims = reality.around()
    if reach == 2:
        claims += [claim for neighbour in reality.neighbours for claim in neighbour.around]
    depth = min((zone.bit_length() for zone in reality.zones), default=0)
    larger = [
        (zone, claim)
        for claim in claims
        for zone in claim.zones
        if zone.bit_length() < depth and claim.contact != core.contact
    ]
    return min(larger, key=lambda pair: (pair[0].bit_length(), pair[0]))[1] if larger else None


def _portion(core: Core, reality: Reality, place: Place) -> Zone | None:
    """What to give: of several zones, all of the one with the point (or the smallest); of one zone, half of it."""
    if len(reality.zones) > 1:
        around = [zone for zone in reality.zones if core.space.contains(zone, place)]
        return around[0] if around else max(reality.zones)
    zone = reality.zones[0]
    return half_for(core.space, zone, place) if zone.bit_length() - 1 < core.space.max_depth else None


def _give(core: Core, reality: Reality, message: Enter, zones: tuple[Zone, ...], around: tuple[Claim, ...]) -> None:
    near = [claim for claim in around if any(core.space.abut(z, given) for z in claim.zones for given in zones)]
    core.send(message.contact.address, Given(message.nonce, zones, reality.claim, fitting(near), ()))
