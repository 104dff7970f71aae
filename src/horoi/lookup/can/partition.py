"""The partition tree (figure 4 of the paper's appendix): every split is a node, every zone of today a leaf.

No peer keeps the tree; a zone's number says where it hangs. These are the rules on numbers, and ``Partition``, the whole tree as
only a simulator or a test can see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from horoi.lookup.can.zone import WHOLE, Place, Space, Zone, is_within, overlap


def merged(zones: Iterable[Zone]) -> tuple[Zone, ...]:
    """The same space in as few zones as can be: siblings coalesce into their parent, again and again. Ascending.

    >>> merged([5, 4, 3])
    (1,)
    """
    kept: dict[Zone, None] = {}
    for zone in zones:
        whole = zone
        while whole ^ 1 in kept:
            del kept[whole ^ 1]
            whole >>= 1
        kept[whole] = None
    return tuple(sorted(kept))


def without(zone: Zone, part: Zone) -> tuple[Zone, ...]:
    """What is left of a zone when a part of it (or all, or nothing) goes to another.

    >>> without(1, 6), without(6, 1), without(2, 3)
    ((2, 7), (), (2,))
    """
    if not overlap(zone, part):
        return (zone,)
    left = []
    while part.bit_length() > zone.bit_length():
        left.append(part ^ 1)
        part >>= 1
    return tuple(sorted(left))


def volume(space: Space, zones: Iterable[Zone]) -> float:
    """Part of the whole space that the zones make up."""
    return sum(map(space.volume, zones))


def gaps(space: Space, own: Sequence[Zone], known: Sequence[Zone]) -> list[Zone]:
    """Zones beyond the faces of ``own`` that nobody known holds. Empty if the neighbours cover every face."""
    everything = (*own, *known)
    found: dict[Zone, None] = {}
    for zone in own:
        for dimension in range(space.dimensions):
            for step in (-1, 1):
                beyond = space.across(zone, dimension, step)
                for gap in _uncovered(space, beyond, dimension, step, everything):
                    found[gap] = None
    return list(found)


def _uncovered(space: Space, piece: Zone, dimension: int, step: int, known: Sequence[Zone]) -> Iterator[Zone]:
    inside = [zone for zone in known if overlap(zone, piece)]
    if not inside:
        yield piece
        return
    if any(is_within(piece, zone) for zone in inside):
        return
    for child in children_at_face(space, piece, dimension, step):
        yield from _uncovered(space, child, dimension, step, inside)


def children_at_face(space: Space, zone: Zone, dimension: int, step: int) -> tuple[Zone, ...]:
    """The halves of a zone that touch who came upon it going ``step`` along ``dimension``."""
    if (zone.bit_length() - 1) % space.dimensions != dimension:
        return 2 * zone, 2 * zone + 1
    return (2 * zone,) if step > 0 else (2 * zone + 1,)


class Partition:
    """The whole tree. ``owners`` maps each leaf to a number of the caller's."""

    def __init__(self, space: Space, owner: int = 0) -> None:
        self.space = space
        self.owners: dict[Zone, int] = {WHOLE: owner}
        self._inner: dict[Zone, None] = {}

    @classmethod
    def of(cls, space: Space, owners: Mapping[Zone, int]) -> Partition:
        """The tree with these leaves. Raises ValueError unless they tile the space: no gap, no overlap."""
        if sum(1 << (space.max_depth + 1 - zone.bit_length()) for zone in owners) != 1 << space.max_depth:
            raise ValueError("these zones do not add up to the whole space")
        tree = cls(space)
        tree.owners = dict(owners)
        for zone in owners:
            inner = zone >> 1
            while inner and inner not in tree._inner:
                tree._inner[inner] = None
                inner >>= 1
        for zone in owners:
            if zone in tree._inner:
                raise ValueError(f"zone {zone} overlaps another that lies inside it")
        return tree

    def zone_of(self, place: Place) -> Zone:
        """The leaf around a place."""
        zone = WHOLE
        depth = self.space.max_depth
        while zone in self._inner:
            depth -= 1
            zone = place.leaf >> depth
        return zone

    def split(self, zone: Zone, place: Place, owner: int) -> Zone:
        """Give the half of a leaf in which ``place`` is (or the upper one) to ``owner``. Returns that half."""
        keeper = self.owners.pop(zone)
        given = half_for(self.space, zone, place)
        self._inner[zone] = None
        self.owners[given] = owner
        self.owners[given ^ 1] = keeper
        return given

    def neighbours(self, zone: Zone) -> list[Zone]:
        """The leaves that abut a leaf."""
        found: dict[Zone, None] = {}
        for dimension in range(self.space.dimensions):
            for step in (-1, 1):
                self._collect(self.space.across(zone, dimension, step), dimension, step, found)
        found.pop(zone, None)  # a zone that goes all the way around meets itself
        return [other for other in found if self.space.abut(zone, other)]

    def _collect(self, piece: Zone, dimension: int, step: int, found: dict[Zone, None]) -> None:
        if piece in self._inner:
            for child in children_at_face(self.space, piece, dimension, step):
                self._collect(child, dimension, step, found)
            return
        while piece not in self.owners:
            piece >>= 1
        found[piece] = None


def half_for(space: Space, zone: Zone, place: Place) -> Zone:
    """The half of a zone that a newcomer gets: the one with its point; the upper one if the point is elsewhere."""
    return 2 * zone if space.contains(2 * zone, place) else 2 * zone + 1
