"""The neighbour map: for each level n and digit d the nearest peers that share n digits and have d as the next one.

JSAC, section III-B: a slot has a primary neighbour and two backups, ordered by distance. Beside the map stand the backpointers:
who has this peer in its own map, to be told when this peer leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from horoi.base.ids import digit, shared_digits
from horoi.lookup.vocabulary import Address, Contact

SLOT_SIZE = 3  # JSAC, section III-B: a primary and two backups
MAX_BACKPOINTERS = 512  # a guess: five times the map of a peer; then who is left out finds out by asking

Slot = tuple[Contact, ...]


class NeighbourMap:
    """Levels come into being when somebody is known for them. Own digits are this peer itself, and not stored."""

    __slots__ = ("_rows", "bits", "digit_bits", "levels", "me")

    def __init__(self, me: int, bits: int, digit_bits: int) -> None:
        self.me = me
        self.bits = bits
        self.digit_bits = digit_bits
        self.levels = bits // digit_bits
        self._rows: list[list[Slot]] = []

    def __len__(self) -> int:
        return sum(1 for _ in self.members())

    def __contains__(self, contact: Contact) -> bool:
        return contact.id != self.me and contact in self.slot(*self.place(contact.id))

    @property
    def depth(self) -> int:
        """How many levels somebody is known for, counted to the deepest."""
        return len(self._rows)

    def place(self, number: int) -> tuple[int, int]:
        """(level, digit) of an id that is not this peer's own."""
        level = shared_digits(self.me, number, self.bits, self.digit_bits)
        return level, digit(number, level, self.bits, self.digit_bits)

    def slot(self, level: int, column: int) -> Slot:
        """The primary and its backups; nobody, perhaps."""
        return self._rows[level][column] if level < len(self._rows) else ()

    def add(self, contact: Contact, distance_of: Callable[[Contact], float]) -> bool:
        """Put a contact where it belongs, perhaps in place of a farther one. True if it is in the map now and was not."""
        level, column = self.place(contact.id)
        slot = self.slot(level, column)
        if any(other.id == contact.id for other in slot):
            return False
        nearest = tuple(sorted((*slot, contact), key=distance_of)[:SLOT_SIZE])
        if contact not in nearest:
            return False
        while len(self._rows) <= level:
            self._rows.append([()] * (1 << self.digit_bits))
        self._rows[level][column] = nearest
        return True

    def put(self, level: int, column: int, slot: Slot) -> None:
        """Set a slot as a whole: for networks that are made at once."""
        while len(self._rows) <= level:
            self._rows.append([()] * (1 << self.digit_bits))
        self._rows[level][column] = slot

    def remove(self, contact: Contact) -> tuple[int, int] | None:
        """Forget a contact. Returns its slot, None if it was in none."""
        if contact not in self:
            return None
        level, column = self.place(contact.id)
        self._rows[level][column] = tuple(other for other in self._rows[level][column] if other != contact)
        while self._rows and not any(self._rows[-1]):
            del self._rows[-1]
        return level, column

    def level(self, number: int) -> Iterator[Contact]:
        """Everybody of a level: all primaries first, then the backups."""
        if number < len(self._rows):
            for rank in range(SLOT_SIZE):
                for slot in self._rows[number]:
                    if rank < len(slot):
                        yield slot[rank]

    def members(self) -> Iterator[Contact]:
        """Everybody, level by level."""
        for row in self._rows:
            for slot in row:
                yield from slot

    def primaries(self) -> Iterator[Contact]:
        """The first of each slot."""
        for row in self._rows:
            for slot in row:
                yield from slot[:1]


class Backpointers:
    """Who has this peer in its map, as far as they said so."""

    __slots__ = ("_holders",)

    def __init__(self) -> None:
        self._holders: dict[Address, Contact] = {}

    def __len__(self) -> int:
        return len(self._holders)

    def __iter__(self) -> Iterator[Contact]:
        return iter(self._holders.values())

    def add(self, contact: Contact) -> None:
        """Somebody says so; the one who said it longest ago is forgotten for it."""
        self._holders.pop(contact.address, None)
        self._holders[contact.address] = contact
        if len(self._holders) > MAX_BACKPOINTERS:
            del self._holders[next(iter(self._holders))]

    def remove(self, contact: Contact) -> None:
        """It is gone."""
        self._holders.pop(contact.address, None)
