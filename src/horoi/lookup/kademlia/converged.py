"""The tables that a network converges to, built directly: for experiments with more peers than joins have time for.

In the end every bucket is full or holds its whole subtree, and every peer knows the k around itself (what the paper's section 3
assumes). Which k of a large subtree a peer knows is chance, so it is drawn: the peers are put in random order once, and a bucket
takes k that follow one another in the order of its subtree. A test compares it with what real joins end in.

The tree of ids is walked from the root down. On the way each peer draws where its buckets begin; at its leaf, when all of them
are known, its table is written in one piece. A million tables of twenty buckets, each growing twenty times, took three times as
long and, grown by doubling, more memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

from horoi.lookup.kademlia.machine import Kademlia
from horoi.lookup.kademlia.table import NEAR_FACTOR, ContactBook

_ITEM_BYTES = array("I").itemsize


class _Bucket(NamedTuple):
    """A bucket that all peers of one subtree have: ``take`` peers that follow one another in the ring of another subtree."""

    ring: bytes
    """The numbers of that subtree, as in an array('I'), the first of them again at the end."""
    size: int
    """How many there are, each once."""
    take: int


def settle(peers: Sequence[Kademlia], book: ContactBook, *, joined: bool = True) -> None:
    """Fill the tables of all peers as if all had joined long ago. With ``joined`` they serve at once, without upkeep;
    otherwise each resumes with its ``Join``. All peers have one configuration, and share ``book``."""
    if not peers:
        return
    order = list(peers)
    peers[0].dice.shuffle(order)
    _Settling(order, book).run()
    for peer in peers:
        peer.joined = peer.serves = joined


class _Settling:
    """The walk down the tree. A member is a place in the random order of peers."""

    def __init__(self, order: list[Kademlia], book: ContactBook) -> None:
        self._random = order[0].dice.random
        self._tables = [peer.table for peer in order]
        self._ids = [table.id for table in self._tables]
        self._numbers = [book.add(peer.contact) for peer in order]
        self._heads = array("Q", [book.heads[number] for number in self._numbers])
        self._head_shift = book.shift
        self._bits, self._digit_bits, self._k = self._tables[0].bits, self._tables[0].digit_bits, self._tables[0].k
        self._starts: list[array[int]] = []  # per bucket: where in its ring each member begins

    def run(self) -> None:
        waiting: list[tuple[list[int], int, list[_Bucket]]] = [(list(range(len(self._ids))), self._bits, [])]
        while waiting:
            members, shift, above = waiting.pop()
            width = min(self._digit_bits, shift)
            shift -= width
            groups = self._split(members, shift, width)
            for digit, group in enumerate(groups):
                if not group:
                    continue
                row = self._row(groups, digit)
                for place, bucket in enumerate(row, len(above)):
                    self._draw(group, place, bucket.size)
                if len(group) > 1 and shift:
                    waiting.append((group, shift, above + row))
                else:
                    self._write(group, above + row)

    def _split(self, members: list[int], shift: int, width: int) -> list[list[int]]:
        """The members of a subtree by their next digit."""
        groups: list[list[int]] = [[] for _ in range(1 << width)]
        mask = (1 << width) - 1
        ids: Sequence[int] = self._ids
        if shift >= self._head_shift:  # side by side in memory, which a million ids are not
            ids, shift = self._heads, shift - self._head_shift
        for member in members:
            groups[ids[member] >> shift & mask].append(member)
        return groups

    def _row(self, groups: list[list[int]], digit: int) -> list[_Bucket]:
        """The buckets of one level for those whose digit it is: one for each other digit, the most distant first."""
        nearer = sum(map(len, groups)) - 1
        row = []
        for distance in range(len(groups) - 1, 0, -1):
            subtree = groups[digit ^ distance]
            size = len(subtree)
            nearer -= size
            take = min(size, self._k if nearer >= self._k else NEAR_FACTOR * self._k)
            ring = array("I", [self._numbers[member] for member in subtree])
            ring.extend(ring[:take])
            row.append(_Bucket(ring.tobytes(), size, take))
        return row

    def _draw(self, members: list[int], place: int, size: int) -> None:
        """Where the bucket at this place begins, for each of these members."""
        if place == len(self._starts):
            self._starts.append(array("I", bytes(_ITEM_BYTES * len(self._ids))))
        starts, random = self._starts[place], self._random
        for member in members:
            starts[member] = int(random() * size)

    def _write(self, members: list[int], buckets: list[_Bucket]) -> None:
        """All buckets of these members are known: fill their tables."""
        counts = bytes([bucket.take for bucket in buckets])
        for member in members:
            parts = [
                ring[_ITEM_BYTES * starts[member] : _ITEM_BYTES * (starts[member] + take)]
                for starts, (ring, _, take) in zip(self._starts, buckets)  # noqa: B905  # others are deeper
            ]
            self._tables[member].fill(counts, array("I", b"".join(parts)))
