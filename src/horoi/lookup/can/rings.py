"""Expanding ring search (sections 2.1 and 2.3): find somebody nearer to a point when all nearer neighbours have failed, or
who owns a zone that nobody around is known to own.

Ring 1 are the neighbours, ring 2 are theirs, which the updates have told; farther rings are asked for. The searcher asks them
itself, nearest to the point first and a few at a time, so that nobody can make the search multiply: a flood would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horoi.lookup.can.core import Core
from horoi.lookup.can.messages import ANY_REALITY, Claim, Nearer, Step
from horoi.lookup.can.zone import Place, Zone, overlap
from horoi.lookup.vocabulary import Address

MAX_ASKED = 24  # peers asked in one search, a guess: three rings in two dimensions
AT_ONCE = 3  # as Kademlia's alpha

OnFound = Callable[[Claim, float], None]
OnNobody = Callable[[float], None]


class RingSearch:
    """One search. Ends with one call of ``found`` or ``nobody``."""

    __slots__ = (
        "_asked",
        "_core",
        "_done",
        "_found",
        "_limit",
        "_nobody",
        "_place",
        "_reality",
        "_seen",
        "_under_way",
        "_zone",
    )

    def __init__(
        self, core: Core, place: Place, reality: int, found: OnFound, nobody: OnNobody, zone: Zone | None
    ) -> None:
        self._core = core
        self._place = place
        self._zone = zone
        self._reality = reality
        self._found = found
        self._nobody = nobody
        realities = core.realities if reality == ANY_REALITY else core.realities[reality : reality + 1]
        self._limit = min((r.distance(place.point) for r in realities), default=0)
        self._asked: dict[Address, None] = {}
        self._seen: dict[Address, tuple[int, Claim]] = {}
        self._under_way = 0
        self._done = False
        for r in realities:
            for neighbour in r.neighbours:
                self._see(neighbour.claim)
                for claim in neighbour.around:
                    self._see(claim)

    def _see(self, claim: Claim) -> None:
        if claim.contact.address not in self._seen and claim.contact.address != self._core.contact.address:
            self._seen[claim.contact.address] = (self._distance(claim), claim)

    def _distance(self, claim: Claim) -> int:
        space = self._core.space
        return min(
            (space.distance(zone, self._place.point) for zone in claim.zones if space.is_zone(zone)),
            default=1 << 2 * space.width + 8,
        )

    def _is_wanted(self, claim: Claim) -> bool:
        if self._zone is not None:
            return any(overlap(zone, self._zone) for zone in claim.zones)
        return self._distance(claim) < self._limit

    def begin(self, now: float, avoid: tuple[Address, ...]) -> None:
        """Ask the first ones. Who did not answer a moment ago (``avoid``) is not asked."""
        self._asked.update(dict.fromkeys(avoid))
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        while not self._done and self._under_way < AT_ONCE and len(self._asked) < MAX_ASKED:
            waiting = [
                (distance, index)
                for index, (address, (distance, claim)) in enumerate(self._seen.items())
                if address not in self._asked and self._core.is_believed(claim.contact, now)
            ]
            if not waiting:
                break
            self._ask(list(self._seen.values())[min(waiting)[1]][1], now)
        if not self._done and not self._under_way:
            self._done = True
            self._nobody(now)

    def _ask(self, claim: Claim, now: float) -> None:
        self._asked[claim.contact.address] = None
        self._under_way += 1

        def answered(reply: Any, at: float) -> None:
            self._under_way -= 1
            if self._done:
                return
            if isinstance(reply, Nearer) and reply.claim.contact.address == claim.contact.address:
                if self._is_wanted(reply.claim):
                    self._done = True
                    self._found(reply.claim, at)
                    return
                for neighbour in reply.neighbours:
                    self._see(neighbour)
            self._go_on(at)

        def silent(at: float) -> None:
            self._under_way -= 1
            self._core.bury(claim.contact, at)
            if not self._done:
                self._go_on(at)

        step = self._reality
        key = self._place.key
        self._core.ask(claim.contact, lambda nonce: Step(nonce, step, key, False), answered, silent, now)


def search(
    core: Core,
    place: Place,
    reality: int,
    found: OnFound,
    nobody: OnNobody,
    now: float,
    avoid: tuple[Address, ...] = (),
) -> None:
    """Look for a peer strictly nearer to the place than this one; ``found(claim, now)`` or ``nobody(now)``."""
    RingSearch(core, place, reality, found, nobody, None).begin(now, avoid)


def search_owner(core: Core, zone: Zone, reality: int, found: OnFound, nobody: OnNobody, now: float) -> None:
    """Look for a peer that owns this zone or a part of it; ``found(claim, now)`` or ``nobody(now)``."""
    place = core.space.place(core.space.key_in(zone))
    RingSearch(core, place, reality, found, nobody, zone).begin(now, ())
