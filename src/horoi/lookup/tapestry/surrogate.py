"""Surrogate routing: where a message goes next, and which peer is a key's root (JSAC, section III-B; TR).

At level n the n-th digit of the key is wanted. If nobody known has it, the next higher digit that somebody has is taken, and
after the highest comes 0. This peer itself stands in the column of its own digit: to choose that is to resolve a digit
without a step. Who is left when all digits are resolved is the root.

So the root of a key is the peer whose digits, less those of the key (each modulo the base), read as one number, are
least: ``distance``. That number orders claims to be a root: an honest one can be less than a lie, never more.
"""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache

from horoi.base.ids import digit, shared_digits
from horoi.lookup.tapestry.neighbour_map import NeighbourMap
from horoi.lookup.vocabulary import Address, Contact


@lru_cache(maxsize=8)
def _masks(bits: int, digit_bits: int) -> tuple[int, int]:
    """(the highest bit of each digit, all other bits)."""
    high = sum(1 << (place + digit_bits - 1) for place in range(0, bits, digit_bits))
    return high, ((1 << bits) - 1) ^ high


def distance(number: int, key: int, bits: int, digit_bits: int) -> int:
    """Digit by digit, number less key, modulo the base: all digits at once, without borrowing from one another.

    >>> hex(distance(0x1F3, 0x213, 16, 4))
    '0xfe0'
    """
    high, low = _masks(bits, digit_bits)
    return ((number | high) - (key & low)) ^ (~(number ^ key) & high)


def nearest(neighbours: NeighbourMap, count: int) -> list[int]:
    """How far (``distance``) the ``count`` known peers that are nearest to this one are from it, ascending; fewer if so few are
    known.

    From the deepest level up, and in each from the next digit on: everyone in a slot is nearer than everyone after it.
    """
    me, bits, digit_bits = neighbours.me, neighbours.bits, neighbours.digit_bits
    base = 1 << digit_bits
    found: list[int] = []
    for level in reversed(range(neighbours.depth)):
        own = digit(me, level, bits, digit_bits)
        for offset in range(1, base):
            slot = neighbours.slot(level, (own + offset) % base)
            found += sorted(distance(contact.id, me, bits, digit_bits) for contact in slot)
            if len(found) >= count:
                return found[:count]
    return found


class Step:
    """What comes next: a peer (``hop``), or an empty slot that is being repaired (``hole``), or nothing: this is the root.

    ``level`` is how many digits are resolved after the step.
    """

    __slots__ = ("hole", "hop", "level", "surrogates")

    def __init__(
        self, hop: Contact | None, level: int, hole: tuple[int, int] | None = None, surrogates: int = 0
    ) -> None:
        self.hop = hop
        self.level = level
        self.hole = hole
        self.surrogates = surrogates  # digits, resolved here or by this step, that were not the wanted ones


def next_step(
    neighbours: NeighbourMap,
    key: int,
    level: int,
    *,
    avoid: Container[Address] = (),
    suspects: Container[Address] = (),
    holes: Container[tuple[int, int]] = (),
    never: Address = None,
) -> Step:
    """The next step for a key of which ``level`` digits are resolved.

    Those in ``avoid`` and ``suspects`` did not answer: they are passed by if the slot has another. ``holes`` are slots under
    repair. ``never`` is an address that is not in the network yet.
    """
    bits, digit_bits = neighbours.bits, neighbours.digit_bits
    base = 1 << digit_bits
    surrogates = 0
    shared = shared_digits(neighbours.me, key, bits, digit_bits)  # up to there this peer itself is what is wanted
    for row in range(max(level, shared), neighbours.depth):
        wanted = digit(key, row, bits, digit_bits)
        own = digit(neighbours.me, row, bits, digit_bits)
        for offset in range(base):
            column = (wanted + offset) % base
            if column == own:
                surrogates += offset > 0
                break
            hop = _usable(neighbours.slot(row, column), avoid, suspects, never)
            if hop is not None:
                return Step(hop, row + 1, surrogates=surrogates + (offset > 0))
            if (row, column) in holes:
                return Step(None, row, (row, column))
    return Step(None, neighbours.levels, surrogates=surrogates)


def _usable(
    slot: tuple[Contact, ...], avoid: Container[Address], suspects: Container[Address], never: Address
) -> Contact | None:
    """The primary, or the first backup that is not in doubt; one that is, only if there is nobody else."""
    second_best = None
    for contact in slot:
        if contact.address == never:
            continue
        if contact.address not in suspects and contact.address not in avoid:
            return contact
        second_best = second_best or contact
    return second_best
