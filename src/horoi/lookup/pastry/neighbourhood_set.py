"""The neighbourhood set M: the peers that are nearest by the network, whatever their ids.

Section 2.1. It is no help in routing; it keeps the routing table near (section 2.5), and tells a newcomer whom to begin with.
"""

from __future__ import annotations

from collections.abc import Iterator

from horoi.lookup.vocabulary import Contact


class NeighbourhoodSet:
    """At most ``size`` contacts with their round trips in seconds, nearest first."""

    __slots__ = ("_members", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._members: list[tuple[float, int, Contact]] = []  # round trip, id (so that contacts are never compared)

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, contact: Contact) -> bool:
        return any(member == contact for _, _, member in self._members)

    @property
    def is_full(self) -> bool:
        return len(self._members) >= self._size

    @property
    def reach_s(self) -> float:
        """The round trip of the farthest member; 0 if there is none."""
        return self._members[-1][0] if self._members else 0.0

    def members(self) -> Iterator[Contact]:
        """Nearest first."""
        return (contact for _, _, contact in self._members)

    def add(self, contact: Contact, round_trip_s: float) -> bool:
        """Take a contact in, or its new round trip, if it is near enough. True if it is a member now."""
        self.remove(contact)
        self._members.append((round_trip_s, contact.id, contact))
        self._members.sort(key=lambda member: member[:2])
        del self._members[self._size :]
        return contact in self

    def remove(self, contact: Contact) -> bool:
        """Forget a contact. True if it was a member."""
        before = len(self._members)
        self._members = [member for member in self._members if member[2] != contact]
        return len(self._members) < before
