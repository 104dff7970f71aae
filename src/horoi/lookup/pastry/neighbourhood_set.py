"""The neighbourhood set M: the peers that are nearest by the network, whatever their ids.

Section 2.1. It is no help in routing; it keeps the routing table near (section 2.5), and tells a newcomer whom to begin with.
"""

from __future__ import annotations

from horoi.lookup.vocabulary import Contact


class NeighbourhoodSet:
    """At most ``size`` contacts with their round trips in seconds."""

    __slots__ = ("_members", "_ordered", "_size", "reach_s")

    def __init__(self, size: int) -> None:
        self._size = size
        self._members: dict[int, tuple[float, Contact]] = {}  # by id
        self._ordered: list[Contact] | None = []  # nearest first; None: not since the last change
        self.reach_s = 0.0
        """The round trip of the farthest member; 0 if there is none."""

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, contact: Contact) -> bool:
        found = self._members.get(contact.id)
        return found is not None and found[1] == contact

    @property
    def is_full(self) -> bool:
        return len(self._members) >= self._size

    def members(self) -> list[Contact]:
        """Nearest first."""
        if self._ordered is None:
            ordered = sorted(self._members.values(), key=lambda member: (member[0], member[1].id))
            self._ordered = [contact for _, contact in ordered]
        return self._ordered

    def add(self, contact: Contact, round_trip_s: float) -> bool:
        """Take a contact in, or its new round trip, if it is near enough. True if it is a member now."""
        members = self._members
        if contact.id not in members and self.is_full and round_trip_s >= self.reach_s:
            return False
        members[contact.id] = (round_trip_s, contact)
        if len(members) > self._size:
            del members[max(members, key=lambda number: (members[number][0], number))]
        self._measure()
        return contact.id in members

    def remove(self, contact: Contact) -> bool:
        """Forget a contact. True if it was a member."""
        if contact not in self:
            return False
        del self._members[contact.id]
        self._measure()
        return True

    def _measure(self) -> None:
        self._ordered = None
        self.reach_s = max((round_trip_s for round_trip_s, _ in self._members.values()), default=0.0)
