"""Overloaded zones (section 3.4): up to ``max_peers`` peers share one zone, and what is kept in it.

A newcomer joins the zone without a split while there is room. When it is full, the zone is halved, and its peers and the
newcomer divide themselves evenly between the halves by a rule that all can compute: here, the order of their ids. A zone
needs a takeover only when all of its peers have failed.
"""

from __future__ import annotations

from horoi.lookup.can import upkeep
from horoi.lookup.can.core import Core
from horoi.lookup.can.messages import Claim, Enter, Given, Halve, Kept, fitting
from horoi.lookup.can.realities import Mate, Reality
from horoi.lookup.can.zone import Zone, is_within
from horoi.lookup.vocabulary import Address, Contact


def share(core: Core, reality: Reality, message: Enter, now: float) -> bool:
    """Let a newcomer share our zone. False if it is full and must be split; then ``divide`` does."""
    mates = reality.mates if reality.mates is not None else {}
    newcomer = message.contact
    if newcomer.address not in mates and len(mates) + 1 >= core.config.max_peers:
        return False if len(reality.zones) > 1 or not _can_halve(core, reality) else _halve(core, reality, message, now)
    others = tuple(mate.claim for address, mate in mates.items() if address != newcomer.address)
    reality.mates = mates
    mates[newcomer.address] = Mate(Claim(newcomer, reality.zones, 0), now)
    _welcome(core, reality, message, (reality.claim, *others))
    core.misplaced = True
    return True


def _welcome(core: Core, reality: Reality, message: Enter, mates: tuple[Claim, ...]) -> None:
    around = fitting(reality.around(), 800)
    core.send(message.contact.address, Given(message.nonce, reality.zones, reality.claim, around, mates))


def _can_halve(core: Core, reality: Reality) -> bool:
    return reality.zones[0].bit_length() - 1 < core.space.max_depth


def _halve(core: Core, reality: Reality, message: Enter, now: float) -> bool:
    """The zone is full: split it, and divide its peers and the newcomer between the halves."""
    zone = reality.zones[0]
    assert reality.mates is not None
    newcomer = Claim(message.contact, (zone,), 0)
    peers = sorted((reality.claim, newcomer, *(m.claim for m in reality.mates.values())), key=lambda c: c.contact.id)
    for mate in reality.mates.values():
        _tell_halve(core, reality.number, mate.claim.contact, zone, tuple(peers), now)
    around = reality.around()
    low, high = halves(tuple(peers))
    half, others = (2 * zone, low) if newcomer in low else (2 * zone + 1, high)
    in_half = tuple(Claim(c.contact, (half,), c.version) for c in others if c is not newcomer)
    take_half(core, reality, zone, tuple(peers), now)
    near = [c for c in (reality.claim, *around) if any(core.space.abut(z, half) for z in c.zones)]
    core.send(message.contact.address, Given(message.nonce, (half,), reality.claim, fitting(near, 800), in_half))
    return True


def halves(peers: tuple[Claim, ...]) -> tuple[tuple[Claim, ...], tuple[Claim, ...]]:
    """The rule: in the order of their ids, the first half of the peers gets the lower half of the zone."""
    ordered = tuple(sorted(peers, key=lambda claim: claim.contact.id))
    middle = (len(ordered) + 1) // 2
    return ordered[:middle], ordered[middle:]


def _tell_halve(core: Core, number: int, contact: Contact, zone: Zone, peers: tuple[Claim, ...], now: float) -> None:
    def make(nonce: int, permit: bytes) -> Halve:
        return Halve(nonce, number, zone, peers, permit)

    core.write(contact, make, lambda _reply, _at: None, lambda _at: None, now)


def take_half(core: Core, reality: Reality, zone: Zone, peers: tuple[Claim, ...], now: float) -> None:
    """Keep our half of the zone, with those who have the same one; the others are neighbours now."""
    low, high = halves(peers)
    is_low = any(claim.contact == core.contact for claim in low)
    half, ours, theirs = (2 * zone, low, high) if is_low else (2 * zone + 1, high, low)
    reality.set_zones(tuple(half if z == zone else z for z in reality.zones), now)
    mates = reality.mates or {}
    reality.mates = {}
    for claim in ours:
        if claim.contact != core.contact:
            mate = reality.mates[claim.contact.address] = Mate(Claim(claim.contact, reality.zones, claim.version), now)
            mate.permit = mates[claim.contact.address].permit if claim.contact.address in mates else b""
    for claim in theirs:
        upkeep.probe(core, reality, claim.contact, now)
    core.misplaced = True
    upkeep.announce(core, reality, now)


def serve_halve(core: Core, message: Halve, source: Address, now: float) -> None:
    """A peer of our zone split it."""
    if message.reality >= len(core.realities) or not core.permits.check(source, message.permit, now):
        return
    reality = core.realities[message.reality]
    is_ours = message.zone in reality.zones and source in (reality.mates or {})
    is_named = any(claim.contact == core.contact for claim in message.peers)
    if is_ours and is_named and _can_halve(core, reality):
        take_half(core, reality, message.zone, message.peers, now)
        core.send(source, Kept(message.nonce, ""))
        return
    is_done = any(is_within(zone, message.zone) for zone in reality.zones)
    core.send(source, Kept(message.nonce, "" if is_done else "that is not my zone"))


def divide(core: Core, reality: Reality, given: Zone, keep: tuple[Zone, ...], newcomer: Contact, now: float) -> None:
    """One of several zones goes to a newcomer: the peers that share them hear it at once."""
    for mate in reality.mate_contacts():
        if mate != newcomer:
            upkeep.exchange(core, reality, mate, now)
