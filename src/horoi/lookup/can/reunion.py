"""Meshes that have come apart find each other again: after a partition, each side has taken over the other.

Nothing in the paper does this, and nobody inside a mesh can notice, for it covers the whole space. So each peer remembers some
that it has met, silent ones too, and now and then asks one of them, and on from there, who owns this peer's own zone. If it is
somebody else, the neighbours of both vote (``disputes``), zone by zone, and the losers join the winners.
"""

from __future__ import annotations

from typing import Any

from horoi.lookup.can import disputes
from horoi.lookup.can.core import Core
from horoi.lookup.can.messages import Claim, Nearer, Step
from horoi.lookup.can.realities import Reality
from horoi.lookup.can.zone import Zone, overlap
from horoi.lookup.vocabulary import Address, Contact

MAX_STEPS = 16  # a guess: those whom a peer has met were mostly its neighbours


def look_for_others(core: Core, now: float) -> None:
    """Ask one acquaintance about our zone in each reality."""
    acquaintances = core.acquaintances()
    if not acquaintances:
        return
    contact = acquaintances[core.dice.randrange(len(acquaintances))]
    for reality in core.realities:
        if reality.zones:
            _ask(core, reality, contact, reality.zones[0], {}, now)


def _ask(core: Core, reality: Reality, contact: Contact, zone: Zone, asked: dict[Address, None], now: float) -> None:
    key = core.space.key_in(zone)
    asked[contact.address] = None

    def answered(reply: Any, at: float) -> None:
        if not isinstance(reply, Nearer) or reply.claim.contact.address != contact.address:
            return
        claims = [c for c in (reply.claim, *reply.neighbours) if c.contact.address != core.contact.address]
        others = [
            (c, other)
            for c in claims
            for other in c.zones
            if core.space.is_zone(other) and any(overlap(other, mine) for mine in reality.zones)
        ]
        for claim, other in others:
            disputes.call_vote(core, reality, claim, other, at)
        if others or len(asked) >= MAX_STEPS:
            return
        nearest = _nearest(core, key, [c for c in claims if c.contact.address not in asked])
        if nearest is not None and core.is_bound(nearest.contact):
            _ask(core, reality, nearest.contact, zone, asked, at)

    core.ask(contact, lambda nonce: Step(nonce, reality.number, key, False), answered, lambda _at: None, now)


def _nearest(core: Core, key: int, claims: list[Claim]) -> Claim | None:
    space, point = core.space, core.space.place(key).point
    ranked = [
        (min(space.distance(zone, point) for zone in claim.zones), index)
        for index, claim in enumerate(claims)
        if claim.zones and all(map(space.is_zone, claim.zones))
    ]
    return claims[min(ranked)[1]] if ranked else None
