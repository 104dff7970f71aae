"""The tables that a network converges to, built directly: for experiments with more peers than joins have time for.

In the end every bucket is full or holds its whole subtree (section 3: what the paper's proof assumes), and every peer knows the
k around itself. Which k of a large subtree a peer knows is chance, so it is drawn: the peers are put in random order once, and a
bucket takes k that follow one another in the order of its subtree. A test compares it with what real joins end in.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from horoi.lookup.kademlia.machine import Kademlia
from horoi.lookup.kademlia.table import ContactBook


def settle(peers: Sequence[Kademlia], book: ContactBook, *, joined: bool = True) -> None:
    """Fill the tables of all peers as if all had joined long ago. With ``joined`` they serve at once, without upkeep;
    otherwise each resumes with its ``Join``. All peers have one configuration, and share ``book``."""
    if not peers:
        return
    config = peers[0].config
    dice = peers[0].dice
    order = list(range(len(peers)))
    dice.shuffle(order)
    numbers = [book.add(peer.contact) for peer in peers]
    ids = [peer.contact.id for peer in peers]
    buckets: list[list[array[int]]] = [[] for _ in peers]
    _split(order, config.bits, config.k, config.digit_bits, ids, numbers, buckets, dice.random)
    for peer, own in zip(peers, buckets, strict=True):
        peer.table.fill(own)
        peer.joined = joined


def _split(
    members: list[int],
    shift: int,
    k: int,
    digit_bits: int,
    ids: list[int],
    numbers: list[int],
    buckets: list[list[array[int]]],
    random: Any,
) -> None:
    """Fill the buckets of ``members``, which share all but ``shift`` bits, from this level down."""
    waiting = [(members, shift)]
    digits = 1 << digit_bits
    while waiting:
        members, shift = waiting.pop()
        width = min(digit_bits, shift)
        shift -= width
        groups: list[list[int]] = [[] for _ in range(1 << width)]
        for member in members:
            groups[ids[member] >> shift & (1 << width) - 1].append(member)
        alone = [group for group in groups if group]
        ...
