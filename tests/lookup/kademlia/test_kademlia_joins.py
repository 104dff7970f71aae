"""Real joins: what they converge to, and that it is what ``converged`` makes at once.

Which k peers of a large subtree a bucket holds is chance, so tables cannot be equal name by name. What is not chance is equal:
which buckets there are, that they are as full, and who is nearest.
"""

from __future__ import annotations

from random import Random

import pytest

from horoi.lab.lookup.network import LookupNetwork
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.overlays.kademlia import KademliaOverlay
from horoi.lookup.kademlia.converged import settle
from horoi.lookup.kademlia.machine import Kademlia
from horoi.lookup.kademlia.table import NEAR_FACTOR, ContactBook

REFRESHES_S = 2 * 3600.0  # every bucket is refreshed once an hour


def around(machine: Kademlia, k: int) -> list[int]:
    """The ids of the k nearest that it knows."""
    return sorted(contact.id for contact in machine.table.closest(machine.table.id, k))


@pytest.mark.parametrize(("peers", "k"), [(2, 4), (60, 4), (90, 8)])
def test_joins_end_in_the_converged_state(peers: int, k: int) -> None:
    settings = Settings("kademlia", peers, k=k)
    overlay = KademliaOverlay(settings, Random(1))
    network = LookupNetwork(settings, overlay, upkeep=True, count_bytes=False)
    network.join(peers)
    network.universe.run_for(REFRESHES_S)
    joined = network.machines
    book = ContactBook(shared=True)
    made = [Kademlia(machine.contact, machine.config, Random(1), book=book) for machine in joined]
    settle(made, book)
    surplus = buckets = 0
    for one, other in zip(joined, made, strict=True):
        assert around(one, k) == around(other, k)
        for bucket in range(one.table.bits):
            held, built = len(list(one.table.bucket(bucket))), len(list(other.table.bucket(bucket)))
            assert built <= held <= NEAR_FACTOR * k
            buckets += built > 0
            surplus += held > built
    # buckets near a peer may hold more than k; those that were near while the network was small have kept what they held
    assert surplus <= 0.1 * buckets
