"""The leaf set L: the L/2 peers with the numerically closest larger ids, and the L/2 with the closest smaller ones.

Section 2.1. "Larger" is clockwise and "smaller" counter-clockwise on the ring of ids, so a peer of a small network may be in
both sides. Inside the arc from the farthest smaller to the farthest larger leaf, this peer knows everybody: a key there is
one step from its owner (section 2.3, first line of table 1).
"""

from __future__ import annotations

from collections.abc import Callable

from horoi.lookup.vocabulary import Contact


def nearness(key: int, bits: int) -> Callable[[Contact], tuple[int, int]]:
    """The order in which peers are numerically close to a key: by the shorter way around, of two as close the smaller id.

    (``base.ids.around`` and the id; written out, since each message is compared with every leaf of its owner.)
    """
    mask = (1 << bits) - 1
    half = mask >> 1

    def rank(contact: Contact) -> tuple[int, int]:
        up = (contact.id - key) & mask
        return (up if up <= half else mask + 1 - up), contact.id

    return rank


class LeafSet:
    """Two lists, each nearest first, of at most ``size / 2`` contacts."""

    __slots__ = ("_half", "_mask", "_me", "bits", "larger", "smaller")

    def __init__(self, me: int, bits: int, size: int) -> None:
        self._me = me
        self._mask = (1 << bits) - 1
        self._half = size // 2
        self.bits = bits
        self.smaller: list[Contact] = []
        self.larger: list[Contact] = []

    def __len__(self) -> int:
        return len(self.members())

    def __contains__(self, contact: Contact) -> bool:
        return contact in self.larger or contact in self.smaller

    def members(self) -> list[Contact]:
        """Each leaf once: clockwise from the farthest smaller to the farthest larger."""
        larger, smaller = self.larger, self.smaller[::-1]
        if self.is_closed:  # else nobody is in both
            smaller = [contact for contact in smaller if contact not in larger]
        return smaller + larger

    def wants(self, contact: Contact) -> bool:
        """Whether ``add`` would change anything."""
        up = (contact.id - self._me) & self._mask
        if not up:
            return False
        return self._rank(self.larger, contact, up, 1) is not None or (
            self._rank(self.smaller, contact, -up & self._mask, -1) is not None
        )

    def add(self, contact: Contact) -> bool:
        """Put a contact where it belongs, perhaps in place of a farther one. True if the set changed."""
        up = (contact.id - self._me) & self._mask
        if not up:
            return False
        has_changed = False
        for side, away, sign in ((self.larger, up, 1), (self.smaller, -up & self._mask, -1)):
            rank = self._rank(side, contact, away, sign)
            if rank is not None:
                side.insert(rank, contact)
                del side[self._half :]
                has_changed = True
        return has_changed

    def remove(self, contact: Contact) -> bool:
        """Forget a contact. True if it was a leaf."""
        was_leaf = False
        for side in (self.larger, self.smaller):
            if contact in side:
                side.remove(contact)
                was_leaf = True
        return was_leaf

    def _rank(self, side: list[Contact], contact: Contact, away: int, sign: int) -> int | None:
        """Where in a side the contact would stand; None if too far, or if its id is there already."""
        if len(side) == self._half and sign * (side[-1].id - self._me) & self._mask <= away:
            return None
        for rank, other in enumerate(side):
            other_away = sign * (other.id - self._me) & self._mask
            if other_away == away:
                return None
            if other_away > away:
                return rank
        return len(side)

    @property
    def is_closed(self) -> bool:
        """True if the two sides meet on the far side of the ring: then everybody is known."""
        larger, smaller = self.larger, self.smaller
        if not larger or not smaller:
            return not larger and not smaller
        up = (larger[-1].id - self._me) & self._mask
        down = (self._me - smaller[-1].id) & self._mask
        return up + down > self._mask  # they overlap, or touch

    def covers(self, key: int) -> bool:
        """Whether the key lies between the farthest leaves, so that its owner is one of them, or this peer."""
        if self.is_closed:
            return True
        down = (self._me - self.smaller[-1].id) & self._mask if self.smaller else 0
        up = (self.larger[-1].id - self._me) & self._mask if self.larger else 0
        return (key - self._me + down) & self._mask <= up + down

    def nearest(self, key: int, count: int) -> list[Contact]:
        """The ``count`` leaves numerically closest to a key, the closest first."""
        return sorted(self.members(), key=nearness(key, self.bits))[:count]

    @property
    def spacing(self) -> float:
        """How far peers are apart here, on average; the whole ring if nobody else is known."""
        leaves = len(self)
        if self.is_closed:
            return (self._mask + 1) / (leaves + 1)
        up = (self.larger[-1].id - self._me) & self._mask if self.larger else 0
        down = (self._me - self.smaller[-1].id) & self._mask if self.smaller else 0
        return (up + down) / leaves
