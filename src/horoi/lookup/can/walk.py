"""Iterative lookup: the asker takes every step itself, and believes nothing that the space contradicts.

Greedy routing by asking: each peer on the way tells its neighbours nearest to the key. Beyond the paper, which trusts whoever
forwards, each answer is held against what is known:

- A next hop must make progress: its zone is nearer to the key than the zone of the peer that named it. Who is not is asked
  only when nobody who is remains: a way around peers that are silent or lie, as an expanding ring search finds it.
- It must abut the zone of the peer that named it, and overlap nothing that others named before: zones tile the space.
- An owner's zone must contain the key, and somebody other than the owner must have named it with that zone. One that only
  claims it itself is kept as a last resort.
- A zone more than ``DOUBT`` times larger than the asker's own is not believed: splits at random points differ less.

A peer that is silent or lies costs a step; the walk goes on from the next best peer that it was told of.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from horoi.lookup.can.core import Core
from horoi.lookup.can.messages import ANY_REALITY, MAX_HOPS, Nearer, Step
from horoi.lookup.can.realities import Reality
from horoi.lookup.can.routing import nearest_neighbours, realities_for
from horoi.lookup.can.zone import Place, Zone, overlap
from horoi.lookup.vocabulary import EXHAUSTED, UNREACHABLE, Address, Contact

DOUBT = 8  # levels of the tree: volumes of zones from random splits stay within 2**8 of each other (docs/lookup/can.md)
MAX_WAITING = 512  # candidates remembered, a guess: many times what a walk needs

Done = Callable[["Walk", float], None]


class Candidate:
    """A peer to be asked. ``zones`` are those that somebody else named; empty: nobody vouches for it."""

    __slots__ = ("contact", "hops", "reality", "zones")

    def __init__(self, contact: Contact, zones: tuple[Zone, ...], reality: int, hops: int) -> None:
        self.contact = contact
        self.zones = zones
        self.reality = reality
        self.hops = hops


class Walk:
    """One iterative lookup. ``answer`` is the owner's (or a cache's) when it is done, None if it has failed (``why``)."""

    __slots__ = (
        "_aside",
        "_core",
        "_done",
        "_is_get",
        "_known",
        "_last_resort",
        "_named",
        "_pushed",
        "_reality",
        "_waiting",
        "answer",
        "hops",
        "path",
        "place",
        "replies",
        "rpcs",
        "timeouts",
        "why",
    )

    def __init__(self, core: Core, place: Place, reality: int, done: Done, *, is_get: bool = False) -> None:
        self._core = core
        self._done = done
        self._is_get = is_get
        self._reality = reality
        self._waiting: list[tuple[int, int, Candidate]] = []  # heap, nearest first
        self._aside: list[tuple[int, int, Candidate]] = []  # the same, who would be a step back
        self._pushed = 0
        self._known: dict[tuple[int, Address], None] = {}
        self._named: dict[tuple[int, Zone], Contact] = {}
        self._last_resort: tuple[int, Nearer] | None = None
        self.place = place
        self.answer: Nearer | None = None
        self.hops = 0
        self.rpcs = 0
        self.replies = 0
        self.timeouts = 0
        self.path: list[Contact] = []
        self.why = ""

    def begin(self, now: float) -> None:
        """Take the first step from the asker's own neighbours."""
        for reality in realities_for(self._core, self._reality):
            for claim in nearest_neighbours(self._core, self.place, reality, MAX_WAITING):
                neighbour = reality.neighbours.get(claim.contact.address)
                assert neighbour is not None
                self._push(Candidate(claim.contact, neighbour.zones, reality.number, 1))
        self.step(now)

    def begin_through(self, contact: Contact, now: float) -> None:
        """Take the first step through one contact: that is how a newcomer begins."""
        self._push(Candidate(contact, (), 0 if self._reality == ANY_REALITY else self._reality, 1))
        self.step(now)

    def step(self, now: float) -> None:
        """Ask the nearest that was not asked, or end."""
        if self.rpcs >= MAX_HOPS:
            self._give_up(EXHAUSTED, now)
            return
        heap = self._waiting or self._aside
        if not heap:
            self._give_up(UNREACHABLE, now)
            return
        _, _, candidate = heappop(heap)
        self.rpcs += 1
        reality, key, is_get = self._reality, self.place.key, self._is_get
        self._core.ask(
            candidate.contact,
            lambda nonce: Step(nonce, reality, key, is_get),
            lambda reply, at: self.on_reply(candidate, reply, at),
            lambda at: self.on_failure(candidate, at),
            now,
        )

    def on_failure(self, candidate: Candidate, now: float) -> None:
        """A peer is silent: do without it."""
        self.timeouts += 1
        self._core.bury(candidate.contact, now)
        self.step(now)

    def on_reply(self, candidate: Candidate, reply: Any, now: float) -> None:
        """A peer has told its zones and its nearest neighbours."""
        self.replies += 1
        if not isinstance(reply, Nearer) or reply.claim.contact.address != candidate.contact.address:
            self.step(now)
            return
        self.path.append(reply.claim.contact)
        if reply.is_cached and self._is_get:
            self._end(candidate.hops, reply, now)
            return
        contains = self._core.space.contains
        if any(contains(zone, self.place) for zone in reply.claim.zones):
            if any(contains(zone, self.place) for zone in candidate.zones):
                self._end(candidate.hops, reply, now)
                return
            if self._last_resort is None:
                self._last_resort = candidate.hops, reply
        self._take(candidate, reply, now)
        self.step(now)

    def _take(self, candidate: Candidate, reply: Nearer, now: float) -> None:
        """Note whom a peer named, as far as the space does not contradict it."""
        if reply.reality >= len(self._core.realities) or (candidate.zones and reply.reality != candidate.reality):
            return
        space = self._core.space
        vouched = candidate.zones or tuple(zone for zone in reply.claim.zones if space.is_zone(zone))
        reached = min((space.distance(zone, self.place.point) for zone in vouched), default=0)
        for claim in reply.neighbours:
            zones = tuple(
                zone for zone in claim.zones if self._is_plausible(zone, vouched, claim.contact, reply.reality)
            )
            if not zones or not self._core.is_believed(claim.contact, now):
                continue
            is_nearer = min(space.distance(zone, self.place.point) for zone in zones) < reached
            self._push(Candidate(claim.contact, zones, reply.reality, candidate.hops + 1), is_nearer=is_nearer)

    def _is_plausible(self, zone: Zone, vouched: tuple[Zone, ...], contact: Contact, reality: int) -> bool:
        space = self._core.space
        if not space.is_zone(zone) or not any(space.abut(zone, other) for other in vouched):
            return False
        ours = self._core.realities[reality]
        if ours.zones and max(mine.bit_length() for mine in ours.zones) - zone.bit_length() > DOUBT:
            return False
        return not self._contradicts(zone, contact, ours)

    def _contradicts(self, zone: Zone, contact: Contact, ours: Reality) -> bool:
        if self._core.config.max_peers == 1 and any(overlap(zone, mine) for mine in ours.zones):
            return True
        holder = ours.neighbours.holder(zone)
        if holder is not None and holder.contact != contact and zone not in holder.zones:
            return True
        up = zone
        while up:
            named = self._named.get((ours.number, up))
            if named is not None and named != contact and not (up == zone and self._core.config.max_peers > 1):
                return True
            up >>= 1
        return False

    def _push(self, candidate: Candidate, *, is_nearer: bool = True) -> None:
        known = (candidate.reality, candidate.contact.address)
        heap = self._waiting if is_nearer else self._aside
        if known in self._known or len(heap) >= MAX_WAITING:
            return
        self._known[known] = None
        distance = min((self._core.space.distance(zone, self.place.point) for zone in candidate.zones), default=0)
        for zone in candidate.zones:
            self._named[candidate.reality, zone] = candidate.contact
        self._pushed += 1
        heappush(heap, (distance, self._pushed, candidate))

    def _end(self, hops: int, reply: Nearer, now: float) -> None:
        self.hops = hops
        self.answer = reply
        self._done(self, now)

    def _give_up(self, why: str, now: float) -> None:
        if self._last_resort is not None:
            self._end(*self._last_resort, now)
            return
        self.hops = len(self.path)
        self.why = why
        self._done(self, now)


def serve_step(core: Core, message: Step, source: Address, now: float) -> None:
    """Tell what this peer owns nearest to the key, and its neighbours nearest to it."""
    if message.reality != ANY_REALITY and message.reality >= len(core.realities):
        return
    place = core.space.place(message.key)
    realities = [r for r in realities_for(core, message.reality) if r.zones]
    if not realities or core.leaving:
        return
    reality = min(realities, key=lambda r: r.distance(place.point))
    is_cached = message.is_get and core.has_cache and core.hotspots.has_routed(message.key, now)
    core.send(
        source,
        Nearer(
            message.nonce, reality.number, reality.claim, reality.mate_contacts(),
            tuple(nearest_neighbours(core, place, reality, 4)), is_cached, core.permits.make(source, now),
        ),
    )  # fmt: skip
