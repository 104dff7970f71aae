"""Greedy routing (section 2.1): pass the message to the neighbour nearest to the point.

Nearest is measured from the neighbour's zone, not from its centre: whoever does not own the point then always has a neighbour
that is strictly nearer, so greedy routing cannot fail while the zones tile the space. With realities (3.2) the neighbours of
all of them compete. With ``rtt_weighted`` (3.3) the neighbour with the most progress per round-trip time wins.

When neighbours have failed, greedy routing may fail for a while: then ``rings`` looks farther around, and if nobody is nearer,
the message waits here a moment for the takeover.
"""

from __future__ import annotations

from math import sqrt

from horoi.lookup.can import rings
from horoi.lookup.can.core import Core, Doubt
from horoi.lookup.can.messages import ANY_REALITY, MAX_HOPS, Ack, Arrived, Claim, Forward
from horoi.lookup.can.neighbours import Neighbour
from horoi.lookup.can.realities import Reality
from horoi.lookup.can.zone import Place
from horoi.lookup.vocabulary import Address, Contact, Delivered

MAX_HELD = 64  # messages that wait for a way on, a guess
HOLD_S = 1.5  # a guess: a failure is noticed and taken over in a few of these
HOLDS = 4  # how often a message waits, a guess
UNKNOWN_RTT_S = 0.16  # the median of the King data set (Dabek et al. 2004), until a neighbour is measured


def realities_for(core: Core, reality: int) -> tuple[Reality, ...]:
    """The reality of this number, or all of them."""
    return core.realities if reality == ANY_REALITY else core.realities[reality : reality + 1]


def next_hop(core: Core, place: Place, reality: int, avoid: tuple[Address, ...] = ()) -> Neighbour | None:
    """The neighbour to which greedy routing goes: strictly nearer to the place than this peer is; None if there is none."""
    if core.config.rtt_weighted:
        return _best_by_ratio(core, place, reality, avoid)
    point = place.point
    distance = core.space.distance
    best: Neighbour | None = None
    candidates = realities_for(core, reality)
    least = min([r.distance(point) for r in candidates], default=0)
    for r in candidates:
        for neighbour in r.neighbours:
            for zone in neighbour.zones:
                away = distance(zone, point)
                if away < least and not (avoid and neighbour.contact.address in avoid):
                    least, best = away, neighbour
    return best


def _best_by_ratio(core: Core, place: Place, reality: int, avoid: tuple[Address, ...]) -> Neighbour | None:
    """The neighbour with the most progress for its round-trip time (section 3.3)."""
    point, distance = place.point, core.space.distance
    best: Neighbour | None = None
    best_ratio = 0.0
    candidates = realities_for(core, reality)
    own = sqrt(min([r.distance(point) for r in candidates], default=0))
    for r in candidates:
        for neighbour in r.neighbours:
            if neighbour.contact.address in avoid or not neighbour.zones:
                continue
            away = sqrt(min([distance(zone, point) for zone in neighbour.zones]))
            ratio = (own - away) / (neighbour.rtt_s or UNKNOWN_RTT_S)
            if ratio > best_ratio:
                best_ratio, best = ratio, neighbour
    return best


def nearest_neighbours(core: Core, place: Place, reality: Reality, count: int) -> list[Claim]:
    """The neighbours nearest to a place, nearest first, nearer than this peer or not."""
    point, distance = place.point, core.space.distance
    ranked = sorted(
        (min(distance(zone, point) for zone in n.zones), index, n)
        for index, n in enumerate(reality.neighbours)
        if n.zones
    )
    return [n.claim for _, _, n in ranked[:count]]


def owning(core: Core, place: Place, reality: int) -> Reality | None:
    """The reality in which this peer owns the place."""
    for r in realities_for(core, reality):
        if r.owns(place):
            return r
    return None


# Forwarding


def serve_forward(core: Core, message: Forward, source: Address, now: float) -> None:
    """A message on its way came by."""
    if message.reality != ANY_REALITY and message.reality >= len(core.realities):
        return
    if not any(r.zones for r in core.realities) or core.leaving:
        return  # silence: whoever sent it here has to try another
    core.send(source, Ack(message.nonce))
    for reality in core.realities:
        neighbour = reality.neighbours.get(source)
        if neighbour is not None:
            neighbour.heard_s = now
    carry(core, message, now)


def carry(core: Core, message: Forward, now: float, avoid: tuple[Address, ...] = (), holds: int = 0) -> None:
    """Answer the message, or bring it one step on."""
    place = core.space.place(message.key)
    reality = owning(core, place, message.reality)
    if reality is not None:
        wait_s = reality.unsure_s(place, now)
        if wait_s and holds < HOLDS and core.held < MAX_HELD:
            _hold(core, message, wait_s, holds)
        else:
            _arrive(core, message, reality, now, is_cached=False)
        return
    if message.is_get and core.has_cache and core.hotspots.has_routed(message.key, now):
        _arrive(core, message, core.realities[0], now, is_cached=True)
        return
    if message.hops >= MAX_HOPS or message.tries >= MAX_HOPS:
        return
    neighbour = next_hop(core, place, message.reality, avoid)
    if neighbour is None:
        _look_around(core, message, place, now, avoid, holds)
        return
    pass_on(core, neighbour.contact, message, now, avoid)


def pass_on(core: Core, contact: Contact, message: Forward, now: float, avoid: tuple[Address, ...]) -> None:
    """Send the message to the next hop; without an Ack, try another."""
    hops, tries = message.hops + 1, message.tries + 1

    def make(nonce: int) -> Forward:
        return Forward(
            nonce, message.reality, message.key, message.asker, message.ticket, hops, tries,
            message.timeouts, message.is_get, message.payload,
        )  # fmt: skip

    def taken(_reply: object, _at: float) -> None:
        if core.config.rtt_weighted:
            for reality in core.realities:
                neighbour = reality.neighbours.get(contact.address)
                if neighbour is not None:
                    neighbour.measured(core.rtt_s)

    def silent(at: float) -> None:
        core.notice(Doubt(contact))
        carry(core, counted(message, tries), at, (*avoid, contact.address)[-16:])

    core.ask(contact, make, taken, silent, now, core.timeout_s(contact.address))


def counted(message: Forward, tries: int) -> Forward:
    """The message after one more step was tried in vain."""
    return Forward(
        0, message.reality, message.key, message.asker, message.ticket, message.hops, tries,
        min(message.timeouts + 1, MAX_HOPS), message.is_get, message.payload,
    )  # fmt: skip


def _look_around(
    core: Core, message: Forward, place: Place, now: float, avoid: tuple[Address, ...], holds: int
) -> None:
    """Greedy forwarding has failed here: search the rings around, or wait for the repair."""
    if core.held >= MAX_HELD:
        return
    core.held += 1

    def found(claim: Claim, at: float) -> None:
        core.held -= 1
        pass_on(core, claim.contact, message, at, avoid)

    def nobody(_at: float) -> None:
        core.held -= 1
        if holds < HOLDS:
            _hold(core, message, HOLD_S, holds)

    rings.search(core, place, message.reality, found, nobody, now, avoid)


def _hold(core: Core, message: Forward, wait_s: float, holds: int) -> None:
    """Let a message wait here, then carry it on."""

    def again(at: float) -> None:
        core.held -= 1
        carry(core, message, at, (), holds + 1)

    core.held += 1
    core.later(f"held {message.ticket}", wait_s, again)


def _arrive(core: Core, message: Forward, reality: Reality, now: float, *, is_cached: bool) -> None:
    if message.payload is not None:
        core.tell(Delivered(message.key, message.payload, message.asker, message.hops))
    asker = message.asker.address
    if asker == core.contact.address:
        seek = core.asking.get(message.ticket) if core.asking is not None else None
        if seek is not None:
            seek.on_own(now)
        return
    core.send(
        asker,
        Arrived(
            message.ticket, reality.number, reality.claim, reality.mate_contacts(), message.hops,
            message.tries, message.timeouts, is_cached, core.permits.make(asker, now),
        ),
    )  # fmt: skip
