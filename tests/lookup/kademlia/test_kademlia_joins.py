"""Real joins: what they converge to, and that it is what ``converged`` makes at once.

Which k peers of a large subtree a bucket holds is chance, so tables cannot be equal name by name. What is not chance is equal:
which buckets there are, that they are as full, and who is nearest.
"""

from __future__ import annotations

from random import Random

import pytest

from horoi.base.ids import ID_BITS
from horoi.lab.lookup.network import LookupNetwork
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.overlays.kademlia import KademliaOverlay
from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.kademlia.converged import settle
from horoi.lookup.kademlia.machine import Kademlia
from horoi.lookup.kademlia.messages import FindNode, Ping, Reply
from horoi.lookup.kademlia.table import NEAR_FACTOR, ContactBook
from horoi.lookup.kademlia.upkeep import MAX_DEPTH_BITS
from horoi.lookup.vocabulary import Contact, Join
from horoi.machine.contract import Asked, Received, Send

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


def test_peers_that_claim_ids_beside_the_own_one_cause_no_storm_of_lookups() -> None:
    """Where ids are taken on trust: a table that seems to be 160 buckets deep is refreshed like one of a great network."""
    own = Contact(1 << 159, 0)
    forged = [Contact(own.id ^ number, number) for number in range(1, 21)]
    config = KademliaConfig(bits=ID_BITS, verify=False, rate_per_s=None)
    machine = Kademlia(own, config, Random(1))
    actions = machine.handle(Asked(Join((1,))), 0.0)
    targets: dict[int, None] = {}
    while actions:
        action = actions.pop(0)
        if not isinstance(action, Send) or not isinstance(action.message, FindNode | Ping):
            continue
        query = action.message
        if isinstance(query, FindNode):
            targets[query.target] = None
        reply = Reply(query.tid, forged[action.peer - 1].id, tuple(forged))
        actions += machine.handle(Received(action.peer, reply), 1.0)
    assert machine.joined
    assert machine.table.depth > 150
    assert 1 < len(targets) <= MAX_DEPTH_BITS + 1


def test_lookups_that_end_at_once_are_refreshed_one_after_the_other_and_not_inside_each_other() -> None:
    """With wide digits there are many buckets; when no more requests may be under way, each lookup ends at once."""
    own = Contact(1 << 159, 0)
    config = KademliaConfig(bits=ID_BITS, k=4, alpha=3, digit_bits=8, verify=False, rate_per_s=None)
    machine = Kademlia(own, config, Random(1))
    actions = machine.handle(Asked(Join((1,))), 0.0)
    query = next(action.message for action in actions if isinstance(action, Send))
    while not machine.pending.full:
        machine.pending.open(Contact(5, 5), None, 0.0)
    machine.pending.open(Contact(5, 5), None, 0.0)  # for the answer that makes room
    machine.handle(Received(1, Reply(query.tid, own.id ^ 1, ())), 1.0)
    assert machine.joined
    assert machine.tasks == 0
