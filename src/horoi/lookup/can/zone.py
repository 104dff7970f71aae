"""Zones of the torus, and points in it (section 2).

The paper splits zones along the dimensions in a fixed order, so that they can be merged again (section 2.2): dimension 0
first, then 1, and so on, around again. So each zone that can ever exist is a node of one fixed binary tree, and has a number
as in a binary heap: the whole space is 1, the halves of z are 2z and 2z+1, its sibling is z^1, its parent z>>1. One integer
is the whole zone; which contains which, which merge, and how large they are is arithmetic on it.

Coordinates are whole numbers: each dimension has ``side`` = 2**width points. Opposite edges of the space are glued.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from horoi.base.ids import ID_BITS, check_bits, key_of, torus_point

Zone: TypeAlias = int
"""The number of a zone in the tree of splits."""

Box: TypeAlias = tuple[int, ...]
"""first and last coordinate in each dimension: (low, high, low, high, ...)."""

WHOLE: Final[Zone] = 1
MAX_DEPTH: Final = 62  # a zone's number fits a signed 64-bit integer; random joins of N peers reach about 2 log2 N
MAX_DIMENSIONS: Final = 16  # a guess: the paper plays with 2 to 10
MAX_CACHED: Final = 1 << 18  # boxes and points remembered per space, a guess: 60 MB in a simulation of 10**6 peers


class Place(NamedTuple):
    """Where a key is: its point, and the smallest possible zone around it."""

    key: int
    point: tuple[int, ...]
    leaf: Zone


class Space:
    """The coordinate space of all peers that agree on ``dimensions`` and ``bits``."""

    __slots__ = ("_boxes", "_places", "_spread", "bits", "dimensions", "max_depth", "side", "width")

    def __init__(self, dimensions: int = 2, bits: int = ID_BITS) -> None:
        check_bits(bits)
        if not 1 <= dimensions <= min(MAX_DIMENSIONS, bits):
            raise ValueError(f"a space has 1 to {min(MAX_DIMENSIONS, bits)} dimensions, not {dimensions}")
        self.dimensions = dimensions
        self.bits = bits
        self.width = min(bits, MAX_DEPTH) // dimensions
        self.side = 1 << self.width
        self.max_depth = self.width * dimensions
        self._spread = [sum((byte >> i & 1) << i * dimensions for i in range(8)) for byte in range(256)]
        self._boxes: dict[Zone, Box] = {}
        self._places: dict[int, Place] = {}

    # Points

    def place(self, key: int) -> Place:
        """The place of a key: its point, by a uniform hash (section 2)."""
        place = self._places.get(key)
        if place is None:
            spare = self.bits // self.dimensions - self.width
            point = tuple(x >> spare for x in torus_point(key, self.dimensions, self.bits))
            place = Place(key, point, self.zone_at(point, self.max_depth))
            if len(self._places) >= MAX_CACHED:
                self._places.clear()
            self._places[key] = place
        return place

    def key_in(self, zone: Zone) -> int:
        """A key whose point is the lowest corner of the zone: by it the zone can be looked up."""
        run = self.bits // self.dimensions
        key = 0
        for low in self.box(zone)[::2]:
            key = key << run | low << (run - self.width)
        return key << (self.bits - run * self.dimensions)

    def hashed(self, key: int, number: int) -> int:
        """The key under hash function ``number`` (section 3.5); function 0 leaves it as it is."""
        if number == 0:
            return key
        return key_of(b"can hash function %d of " % number + key.to_bytes(self.bits // 8, "big"), self.bits)

    def zone_at(self, point: tuple[int, ...], depth: int) -> Zone:
        """The zone of this depth around a point: the bits of the coordinates, dealt out in turn, behind a leading 1."""
        spread, dimensions = self._spread, self.dimensions
        bits = 0
        for x in point:
            bits <<= 1
            for at in range(0, self.width, 8):
                bits |= spread[x >> at & 255] << at * dimensions
        return (1 << self.max_depth | bits) >> (self.max_depth - depth)

    # Zones

    def is_zone(self, zone: int) -> bool:
        """Whether the number names a zone that can exist here."""
        return zone >= 1 and zone.bit_length() - 1 <= self.max_depth

    def box(self, zone: Zone) -> Box:
        """The zone's first and last coordinate in each dimension."""
        box = self._boxes.get(zone)
        if box is None:
            box = self._make_box(zone)
            if len(self._boxes) >= MAX_CACHED:
                self._boxes.clear()
            self._boxes[zone] = box
        return box

    def _make_box(self, zone: Zone) -> Box:
        lows, sizes = [0] * self.dimensions, [self.side] * self.dimensions
        for level in range(zone.bit_length() - 1):
            dimension = level % self.dimensions
            sizes[dimension] >>= 1
            if zone >> (zone.bit_length() - 2 - level) & 1:
                lows[dimension] += sizes[dimension]
        return tuple(x for low, size in zip(lows, sizes, strict=True) for x in (low, low + size - 1))

    def contains(self, zone: Zone, place: Place) -> bool:
        """Whether a place is in the zone."""
        return place.leaf >> (self.max_depth + 1 - zone.bit_length()) == zone

    def distance(self, zone: Zone, point: tuple[int, ...]) -> int:
        """Squared distance on the torus from a point to the nearest point of the zone; 0 inside."""
        box = self._boxes.get(zone) or self.box(zone)
        side = self.side
        total = at = 0
        for x in point:
            low, high = box[at], box[at + 1]
            at += 2
            if x < low:
                gap, round_it = low - x, x + side - high
            elif x > high:
                gap, round_it = x - high, low + side - x
            else:
                continue
            if round_it < gap:  # noqa: PLR1730  # min() is a call, and this is done for every neighbour at every step
                gap = round_it
            total += gap * gap
        return total

    def abut(self, a: Zone, b: Zone) -> bool:
        """Whether two zones are neighbours: they overlap in all dimensions but one, and abut in that one (section 2)."""
        box_a, box_b, last = self.box(a), self.box(b), self.side - 1
        touching = 0
        for at in range(0, 2 * self.dimensions, 2):
            low_a, high_a, low_b, high_b = box_a[at], box_a[at + 1], box_b[at], box_b[at + 1]
            if low_a <= high_b and low_b <= high_a:
                continue
            touching += 1
            if touching > 1 or not ((high_a + 1) & last == low_b or (high_b + 1) & last == low_a):
                return False
        return touching == 1

    def across(self, zone: Zone, dimension: int, step: int) -> Zone:
        """The zone of the same shape on the other side of a face: ``step`` is 1 upwards, -1 downwards."""
        box = self.box(zone)
        lows = list(box[::2])
        size = box[2 * dimension + 1] - box[2 * dimension] + 1
        lows[dimension] = (lows[dimension] + step * size) % self.side
        return self.zone_at(tuple(lows), zone.bit_length() - 1)

    def volume(self, zone: Zone) -> float:
        """Part of the whole space."""
        return 2.0 ** (1 - zone.bit_length())


def overlap(a: Zone, b: Zone) -> bool:
    """Whether one zone contains the other: zones of the tree overlap in no other way.

    >>> overlap(2, 5), overlap(5, 2), overlap(2, 6)
    (True, True, False)
    """
    deeper = a.bit_length() - b.bit_length()
    return a >> deeper == b if deeper >= 0 else b >> -deeper == a


def is_within(zone: Zone, other: Zone) -> bool:
    """Whether ``zone`` is ``other`` or inside it."""
    deeper = zone.bit_length() - other.bit_length()
    return deeper >= 0 and zone >> deeper == other
