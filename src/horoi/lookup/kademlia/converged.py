"""The tables that a network converges to, built directly: for experiments with more peers than joins have time for.

In the end every bucket is full or holds its whole subtree, and every peer knows the k around itself (what the paper's section 3
assumes). Which k of a large subtree a peer knows is chance, so it is drawn: the peers are put in random order once, and a bucket
takes k that follow one another in the order of its subtree. A test compares it with what real joins end in.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from random import Random

from horoi.lookup.kademlia.machine import Kademlia
from horoi.lookup.kademlia.table import NEAR_FACTOR, ContactBook, RoutingTable


def settle(peers: Sequence[Kademlia], book: ContactBook, *, joined: bool = True) -> None:
    """Fill the tables of all peers as if all had joined long ago. With ``joined`` they serve at once, without upkeep;
    otherwise each resumes with its ``Join``. All peers have one configuration, and share ``book``."""
    if not peers:
        return
    dice = peers[0].dice
    order = list(peers)
    dice.shuffle(order)
    tables = [peer.table for peer in order]
    numbers = array("I", [book.add(peer.contact) for peer in order])
    members = list(range(len(order)))
    waiting = [(members, tables[0].bits)]
    while waiting:
        members, shift = waiting.pop()
        width = min(tables[0].digit_bits, shift)
        groups: list[list[int]] = [[] for _ in range(1 << width)]
        shift -= width
        mask = (1 << width) - 1
        for member in members:
            groups[tables[member].id >> shift & mask].append(member)
        for digit in range(1 << width):
            if groups[digit]:
                _fill_row(groups, digit, tables, numbers, dice)
        waiting += [(group, shift) for group in groups if len(group) > 1 and shift]
    for peer in peers:
        peer.joined = peer.serves = joined


def _fill_row(
    groups: list[list[int]], digit: int, tables: list[RoutingTable], numbers: array[int], dice: Random
) -> None:
    """The buckets of one level for those whose digit it is: one for each other digit, the most distant first."""
    members = groups[digit]
    k = tables[members[0]].k
    nearer = len(members) - 1 + sum(len(groups[digit ^ other]) for other in range(1, len(groups)))
    for distance in range(len(groups) - 1, 0, -1):
        subtree = groups[digit ^ distance]
        size = len(subtree)
        nearer -= size
        take = min(size, k if nearer >= k else NEAR_FACTOR * k)
        around = array("I", [numbers[member] for member in subtree])
        around.extend(around[:take])
        random = dice.random
        for member in members:
            first = int(random() * size)
            tables[member].grow(around[first : first + take])
