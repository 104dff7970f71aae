"""The order in which transactions wait: classes of fee rate, best first, and first come first served within a class.

A class is a band of fee rates: exact up to 16 per 1000 bytes, above that 16 bands per doubling (as an HDR histogram has
them), so a class is at most 6 % wide. Who outbids by less gains nothing, which ends auctions by the penny, and the miner's
loss is bounded by the same 6 %. In exchange every operation is a dictionary's: nothing is sorted but a few hundred class
numbers.

A child's place is the lower of its own class and its parents' places. So parents always stand before their children (they
came earlier, or stand higher), taking from the front is a topological order, and taking from the back never takes a
parent before its child. The price: a child cannot pay for its parent.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

BANDS = 16  # per doubling of the rate: a guess, 6 % each
_BITS = BANDS.bit_length() - 1


def fee_class(fee: int, size_bytes: int) -> int:
    """The class of a fee rate. Monotone: a higher rate is never in a lower class.

    >>> [fee_class(fee, 1000) for fee in (0, 15, 16, 31, 32, 33, 34, 64)]
    [0, 15, 16, 31, 32, 32, 33, 48]
    """
    rate = fee * 1000 // size_bytes
    if rate < BANDS:
        return rate
    shift = rate.bit_length() - _BITS - 1
    return shift * BANDS + (rate >> shift)


def class_rate(number: int) -> int:
    """The lowest fee per 1000 bytes of a class: the reverse of ``fee_class``."""
    if number < 2 * BANDS:
        return max(number, 0)
    shift = number // BANDS - 1
    return (number - shift * BANDS) << shift


class WaitingLine(Generic[T]):
    """Values by id, in classes."""

    def __init__(self) -> None:
        self._classes: dict[int, dict[bytes, T]] = {}
        self._numbers: list[int] = []  # ascending, of the classes that hold something

    def add(self, number: int, item: bytes, value: T) -> None:
        """Put at the end of a class."""
        members = self._classes.get(number)
        if members is None:
            members = self._classes[number] = {}
            insort(self._numbers, number)
        members[item] = value

    def remove(self, number: int, item: bytes) -> None:
        """Take out of a class."""
        members = self._classes[number]
        del members[item]
        if not members:
            del self._classes[number]
            del self._numbers[bisect_left(self._numbers, number)]

    def best_first(self) -> Iterator[T]:
        """Highest class first, oldest first within it. Do not change the line meanwhile."""
        for number in reversed(self._numbers):
            yield from self._classes[number].values()

    def worst_first(self) -> Iterator[T]:
        """Lowest class first, youngest first within it: the exact reverse."""
        for number in self._numbers:
            yield from reversed(self._classes[number].values())
