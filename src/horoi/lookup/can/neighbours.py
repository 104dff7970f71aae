"""The coordinate routing table: address and zones of each immediate neighbour (section 2).

Who enters: a peer that has proved its address, with zones that it claims itself, that abut a zone of this peer, and that
overlap neither this peer's zones nor those of a neighbour who is still there. Whoever was there first and answers keeps its
zone; a rival is remembered for a while and tried again when the holder is gone or has changed its claim. So a liar cannot
claim what a neighbour is known to own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from horoi.lookup.can.messages import MAX_MATES, Claim
from horoi.lookup.can.zone import Space, Zone, overlap
from horoi.lookup.vocabulary import Address, Contact

MAX_NEIGHBOURS = 256  # a guess: a huge zone among tiny ones; 2d on average
MAX_RIVALS = 16  # a guess: claims that overlap a neighbour's, remembered at once
RIVAL_S = 30.0  # a guess: by then the claimant speaks again


class Neighbour:
    """One neighbour. ``zones`` are those of its claim that are believed; ``around`` its own neighbours, as it told."""

    __slots__ = (
        "around",
        "asked_s",
        "claim",
        "gave_version",
        "heard_s",
        "permit",
        "rtt_s",
        "spares",
        "stamp",
        "told",
        "zones",
    )

    def __init__(self, claim: Claim, zones: tuple[Zone, ...], now: float) -> None:
        self.claim = claim
        self.zones = zones
        self.around: tuple[Claim, ...] = ()
        self.stamp = 0  # of ``around``
        self.told = 0  # the stamp of our own list that it has
        self.heard_s = now
        self.gave_version = 0  # of its claim when it gave us a zone: this old claim is no claim to it
        self.asked_s = -1.0  # when it was last sent an update that it has not answered; -1: none
        self.rtt_s = 0.0  # smoothed; 0: not measured
        self.permit = b""
        self.spares: tuple[Contact, ...] = ()  # others in its zone (section 3.4)

    @property
    def contact(self) -> Contact:
        return self.claim.contact

    def measured(self, rtt_s: float) -> None:
        """Take a round trip into the smoothed one, by RFC 6298's eighth."""
        self.rtt_s = rtt_s if not self.rtt_s else self.rtt_s + (rtt_s - self.rtt_s) / 8


class Conflict(NamedTuple):
    """A zone was claimed that somebody holds: a neighbour, or None for this peer itself."""

    zone: Zone
    holder: Neighbour | None


class Neighbours:
    """The table of one reality, by address, in order of arrival."""

    __slots__ = ("_rivals", "_table", "space")

    def __init__(self, space: Space) -> None:
        self.space = space
        self._table: dict[Address, Neighbour] = {}
        self._rivals: dict[Address, tuple[Claim, float]] | None = None

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Neighbour]:
        return iter(self._table.values())

    def get(self, address: Address) -> Neighbour | None:
        return self._table.get(address)

    def zones(self) -> list[Zone]:
        """All zones that neighbours hold."""
        return [zone for neighbour in self._table.values() for zone in neighbour.zones]

    def holder(self, zone: Zone) -> Neighbour | None:
        """A neighbour with a zone that overlaps this one."""
        for neighbour in self._table.values():
            for held in neighbour.zones:
                if overlap(held, zone):
                    return neighbour
        return None

    def add(self, claim: Claim, now: float) -> Neighbour:
        """Put a neighbour in without asking whether its claim may be believed: from a state that is known to be true."""
        neighbour = self._table[claim.contact.address] = Neighbour(claim, claim.zones, now)
        return neighbour

    def take(self, claim: Claim, own: Sequence[Zone], max_peers: int, now: float) -> list[Conflict]:
        """Believe as much of a claim as may be; returns what may not. The table is as the claim says afterwards.

        The claimant has proved its address. An older version than the known one changes nothing.
        """
        address = claim.contact.address
        known = self._table.get(address)
        if known is not None and claim.version <= known.claim.version:
            known.heard_s = now
            if claim.version < known.claim.version or (claim == known.claim and known.zones == claim.zones):
                return []
        conflicts: list[Conflict] = []
        believed: list[Zone] = []
        for zone in claim.zones:
            if any(overlap(zone, other) for other in believed):
                continue  # it contradicts itself
            against = self._conflict(zone, own, address)
            if against is None:
                believed.append(zone)
            elif max_peers > 1 and against.holder is not None and zone in against.holder.zones:
                self._add_spare(against.holder, claim.contact, max_peers)
            else:
                conflicts.append(against)
        abut = self.space.abut
        if not any(abut(zone, mine) for zone in believed for mine in own):
            self._table.pop(address, None)
        elif known is not None:
            known.claim, known.zones, known.heard_s = claim, tuple(believed), now
        elif len(self._table) < MAX_NEIGHBOURS:
            self._table[address] = Neighbour(claim, tuple(believed), now)
        if conflicts:
            self._remember_rival(claim, now)
        elif self._rivals:
            self._rivals.pop(address, None)
        return conflicts

    def _conflict(self, zone: Zone, own: Sequence[Zone], claimant: Address) -> Conflict | None:
        for mine in own:
            if overlap(zone, mine):
                return Conflict(zone, None)
        for address, neighbour in self._table.items():
            if address == claimant:
                continue
            for held in neighbour.zones:
                if overlap(zone, held):
                    return Conflict(zone, neighbour)
        return None

    def _add_spare(self, holder: Neighbour, contact: Contact, max_peers: int) -> None:
        if contact not in holder.spares and contact.address != holder.contact.address:
            holder.spares = (*holder.spares, contact)[-min(max_peers - 1, MAX_MATES) :]

    def _remember_rival(self, claim: Claim, now: float) -> None:
        if self._rivals is None:
            self._rivals = {}
        self._rivals.pop(claim.contact.address, None)
        self._rivals[claim.contact.address] = (claim, now)
        if len(self._rivals) > MAX_RIVALS:
            del self._rivals[next(iter(self._rivals))]

    def rivals(self, now: float) -> list[Claim]:
        """Claims to be tried again, now that a holder has changed. Forgets those that are old."""
        if not self._rivals:
            return []
        self._rivals = {a: (claim, at) for a, (claim, at) in self._rivals.items() if at + RIVAL_S > now}
        return [claim for claim, _ in self._rivals.values()]

    def remove(self, address: Address) -> Neighbour | None:
        """Take a neighbour out."""
        return self._table.pop(address, None)

    def retain(self, own: Sequence[Zone]) -> None:
        """Our own zones have changed: forget who is no neighbour any more."""
        abut = self.space.abut
        gone = [a for a, n in self._table.items() if not any(abut(z, mine) for z in n.zones for mine in own)]
        for address in gone:
            del self._table[address]
