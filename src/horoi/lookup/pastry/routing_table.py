"""The routing table R: row n holds peers that share the first n digits, column d those whose next digit is d.

Section 2.1. Of about log_(2^b) N rows something is known; the column of the own digit stays empty, for it is the next row.
"""

from __future__ import annotations

from horoi.base.ids import digit, shared_digits
from horoi.lookup.vocabulary import Contact


class RoutingTable:
    """Rows come into being when something is known for them."""

    __slots__ = ("_bits", "_digit_bits", "_me", "_rows")

    def __init__(self, me: int, bits: int, digit_bits: int) -> None:
        self._me = me
        self._bits = bits
        self._digit_bits = digit_bits
        self._rows: list[list[Contact | None]] = []

    def __len__(self) -> int:
        return len(self.members())

    def __contains__(self, contact: Contact) -> bool:
        return contact.id != self._me and self.get(*self.slot(contact.id)) == contact

    def slot(self, number: int) -> tuple[int, int]:
        """(row, digit) of an id that is not this peer's own."""
        row = shared_digits(self._me, number, self._bits, self._digit_bits)
        return row, digit(number, row, self._bits, self._digit_bits)

    def get(self, row: int, column: int) -> Contact | None:
        """Who is there, if anyone."""
        return self._rows[row][column] if row < len(self._rows) else None

    def occupant(self, number: int) -> Contact | None:
        """Who has the slot of an id."""
        return self.get(*self.slot(number))

    def put(self, contact: Contact) -> None:
        """Put a contact into its slot, in place of whoever is there."""
        row, column = self.slot(contact.id)
        while len(self._rows) <= row:
            self._rows.append([None] * (1 << self._digit_bits))
        self._rows[row][column] = contact

    def remove(self, contact: Contact) -> tuple[int, int] | None:
        """Forget a contact. Returns the slot that is empty now, None if the contact had none."""
        if contact not in self:
            return None
        row, column = self.slot(contact.id)
        self._rows[row][column] = None
        while self._rows and not any(self._rows[-1]):
            del self._rows[-1]
        return row, column

    def row(self, number: int) -> list[Contact]:
        """The contacts of a row, by digit."""
        if number >= len(self._rows):
            return []
        return [contact for contact in self._rows[number] if contact is not None]

    @property
    def depth(self) -> int:
        """How many rows there are; the last one is not empty."""
        return len(self._rows)

    def members(self) -> list[Contact]:
        """All contacts, row by row."""
        return [contact for row in self._rows for contact in row if contact is not None]
