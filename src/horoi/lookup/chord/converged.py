"""The ring that joins and stabilisation converge to, built directly: for experiments with more peers than joins have time for.

ToN 2003, theorem IV.3: in time every node's successor is right, then by fix_fingers every finger. That fixed point is a
function of the set of ids alone, so it can be computed. A test proves it equal to what real joins end in.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from horoi.lookup.chord.machine import Chord
from horoi.lookup.chord.node import FingerTable
from horoi.lookup.vocabulary import Contact


def settle(peers: Sequence[Chord], *, joined: bool = True) -> None:
    """Fill the tables of all peers as if all had joined long ago. With ``joined`` they serve at once, without upkeep;
    otherwise each resumes with its ``Join``. All peers have one configuration."""
    if not peers:
        return
    config = peers[0].config
    nodes = sorted((node for peer in peers for node in peer.nodes), key=lambda node: node.id)
    ring = [node.contact for node in nodes]
    ids = [contact.id for contact in ring]
    count = len(ring)
    doubled = ring + ring[: config.successors + 1]
    listed = min(config.successors, count - 1)
    for i, node in enumerate(nodes):
        if count > 1:
            node.predecessor = ring[i - 1]
        node.successors = doubled[i + 1 : i + 1 + listed]
        node.fingers.follow(node.successor)
        _fill(node.fingers, node.contact, ids, ring)
    if joined:
        for peer in peers:
            peer.bootstrap = ()


def _fill(fingers: FingerTable, own: Contact, ids: list[int], ring: list[Contact]) -> None:
    count = len(ids)
    entries: list[Contact | None] = []
    for i in range(fingers.low, fingers.bits):
        place = bisect_left(ids, fingers.start(i))
        finger = ring[place] if place < count else ring[0]
        is_around = (finger.id - own.id) & fingers.mask < 1 << i
        entries.append(own if is_around else finger)
    fingers.entries = entries
