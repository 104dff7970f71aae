"""Realities (section 3.2): several independent coordinate spaces at once.

In each of r realities a peer has another zone and other neighbours; what is kept under a key is kept in all of them, and a
message may change over to whichever reality is nearest at every step. ``Reality`` is what one peer is in one of them. The
others it shares its zones with (section 3.4) are its ``mates``.
"""

from __future__ import annotations

from horoi.lookup.can.messages import Claim
from horoi.lookup.can.neighbours import Neighbours
from horoi.lookup.can.partition import merged, volume
from horoi.lookup.can.takeover import Takeovers
from horoi.lookup.can.zone import Place, Space, Zone, overlap
from horoi.lookup.vocabulary import Address, Contact


class Mate:
    """Another peer of this zone, and when it was last heard."""

    __slots__ = ("asked_s", "claim", "heard_s", "permit")

    def __init__(self, claim: Claim, now: float) -> None:
        self.claim = claim
        self.heard_s = now
        self.asked_s = -1.0
        self.permit = b""


class Reality:
    """Zones, neighbours and repairs of one peer in one reality. ``claim`` is what it tells others."""

    __slots__ = (
        "checked",
        "claim",
        "disputes",
        "gap_tries",
        "handing",
        "inherited",
        "mates",
        "neighbours",
        "number",
        "space",
        "stamp",
        "takeovers",
        "unsure_until_s",
        "zones",
    )

    def __init__(self, number: int, space: Space, contact: Contact) -> None:
        self.number = number
        self.space = space
        self.zones: tuple[Zone, ...] = ()
        self.claim = Claim(contact, (), 0)
        self.neighbours = Neighbours(space)
        self.mates: dict[Address, Mate] | None = None
        self.inherited: tuple[Zone, ...] = ()  # zones that came by takeover: given up if their owner lives
        self.unsure_until_s = 0.0  # till then another heir may show up for what is inherited
        self.takeovers: Takeovers | None = None
        self.handing: tuple[Zone, Contact] | None = None  # a zone is being handed over, to whom
        self.disputes: dict[Address, int] | None = None  # how often we insisted against whom
        self.gap_tries: dict[Zone, int] | None = None
        self.stamp = 0  # of the list of neighbours that is told
        self.checked = False  # that neighbours cover every face

    def set_zones(self, zones: tuple[Zone, ...], now: float) -> None:
        """Own these zones from now on, and no others."""
        self.zones = merged(zones)
        version = max(self.claim.version + 1, int(now * 1000))  # also grows over a restart, which forgets the last one
        self.claim = Claim(self.claim.contact, self.zones, version)
        self.inherited = tuple(z for z in self.inherited if any(overlap(z, mine) for mine in self.zones))
        self.neighbours.retain(self.zones)
        self.changed(now)

    def changed(self, now: float) -> None:
        """The neighbours are others than before: what is told of them is out of date."""
        self.stamp = max(self.stamp + 1, int(now * 1000))
        self.checked = False

    def owns(self, place: Place) -> bool:
        """Whether the place is in one of this peer's zones."""
        contains = self.space.contains
        return any(contains(zone, place) for zone in self.zones)

    def unsure_s(self, place: Place, now: float) -> float:
        """How long to wait before answering for a place: it was taken over just now, or is in dispute. Mostly 0."""
        if now >= self.unsure_until_s or not any(self.space.contains(zone, place) for zone in self.inherited):
            return 0.0
        return self.unsure_until_s - now

    def distance(self, point: tuple[int, ...]) -> int:
        """Squared distance from the nearest of the zones; beyond every distance if there is none."""
        distance = self.space.distance
        return min((distance(zone, point) for zone in self.zones), default=1 << 2 * (self.space.width + 5))

    def volume(self) -> float:
        """Part of the whole space."""
        return volume(self.space, self.zones)

    def mate_contacts(self) -> tuple[Contact, ...]:
        return tuple(mate.claim.contact for mate in self.mates.values()) if self.mates else ()

    def around(self) -> list[Claim]:
        """What is told of the neighbours: the believed part of their claims."""
        return [
            n.claim if n.zones == n.claim.zones else Claim(n.claim.contact, n.zones, n.claim.version)
            for n in self.neighbours
        ]
