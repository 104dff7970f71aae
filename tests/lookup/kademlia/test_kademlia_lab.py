"""The paper's figures, and what else the lab holds this room to. Larger networks are in docs/lookup/kademlia.md."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.base.ids import id_of_address
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.overlays.kademlia import Colluders, KademliaOverlay
from horoi.lab.lookup.run import run
from horoi.lookup.kademlia.config import KademliaConfig
from horoi.lookup.kademlia.converged import settle
from horoi.lookup.kademlia.machine import Kademlia
from horoi.lookup.kademlia.table import NEAR_FACTOR, ContactBook, RoutingTable
from horoi.lookup.vocabulary import Contact


@pytest.mark.parametrize(("peers", "rpcs"), [(1000, 21.5), (10_000, 22.9)])
def test_requests_per_lookup_are_the_papers(peers: int, rpcs: float) -> None:
    result = run(overlay="kademlia", peers=peers, lookups=300, start="converged")
    assert result["rpcs_per_lookup"] == pytest.approx(rpcs, rel=0.1)
    assert result["correct"] == 1.0
    assert result["timeouts_per_lookup"] == 0


def test_half_of_the_peers_fail_at_once() -> None:
    result = run(overlay="kademlia", peers=10_000, lookups=300, fail=0.5)
    assert result["correct"] >= 0.99


def test_a_fifth_of_the_peers_lie() -> None:
    result = run(overlay="kademlia", peers=500, lookups=100, adversaries=0.2, start="converged")
    assert result["correct"] >= 0.95


def test_disjoint_paths_find_what_one_path_is_led_away_from() -> None:
    """S/Kademlia, section 4.4; where nearly all lie, so that 100 lookups tell."""
    correct = {
        paths: run(overlay="kademlia", peers=300, lookups=100, adversaries=0.8, disjoint=paths, fail=1e-9)["correct"]
        for paths in (1, 8)
    }
    assert correct[8] > correct[1] + 0.02


def test_ids_that_are_bound_to_nothing_give_every_key_to_liars() -> None:
    """S/Kademlia, section 4.1: whoever may choose its id sits beside any key."""
    result = run(overlay="kademlia", peers=300, lookups=50, adversaries=0.2, free_ids=True, fail=1e-9)
    assert result["completed"] == 1.0
    assert result["correct"] < 0.2


@given(st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=60, unique=True), st.integers(0, 2**16 - 1))
def test_liars_name_the_nearest_of_their_own(ids: list[int], target: int) -> None:
    liars = Colluders(16, forge=False)
    for number in ids:
        liars.add(Contact(number, number))
    nearest = sorted(ids, key=lambda number: number ^ target)[:5]
    assert [contact.id for contact in liars.nearest(target, 5)] == nearest


@pytest.mark.slow
def test_peers_come_and_go_within_84_seconds() -> None:
    result = run(overlay="kademlia", peers=250, lookups=200, median_session_s=84, minutes=3.5)
    assert result["correct"] >= 0.95
    assert result["maintenance_bytes_per_s_per_peer"] <= 900


def test_what_joins_end_in_is_the_converged_state() -> None:
    """Everybody knows the k around itself, every other bucket is full or whole: as many contacts, in the same buckets."""
    joined = run(overlay="kademlia", peers=150, lookups=50, k=8, start="joins")
    converged = run(overlay="kademlia", peers=150, lookups=50, k=8, start="converged")
    assert joined["correct"] == converged["correct"] == 1.0
    assert joined["state_entries_mean"] == pytest.approx(converged["state_entries_mean"], rel=0.1)
    assert joined["rpcs_per_lookup"] == pytest.approx(converged["rpcs_per_lookup"], rel=0.1)


@pytest.mark.parametrize("digit_bits", [1, 3])
def test_converged_buckets_are_what_the_paper_says(digit_bits: int) -> None:
    dice = Random(1)
    book = ContactBook(shared=True)
    config = KademliaConfig(k=5, digit_bits=digit_bits)
    peers = [Kademlia(Contact(id_of_address(i), i), config, dice, book=book) for i in range(300)]
    settle(peers, book)
    everybody = [peer.contact.id for peer in peers]
    for peer in peers[::20]:
        whole: dict[int, set[int]] = {}
        for other in everybody:
            if other != peer.table.id:
                whole.setdefault(peer.table.bucket_of(other), set()).add(other)
        for bucket, members in whole.items():
            known = {contact.id for contact in peer.table.bucket(bucket)}
            deeper = sum(len(ids) for index, ids in whole.items() if index > bucket)
            most = 5 if deeper >= 5 else NEAR_FACTOR * 5
            assert known <= members
            assert len(known) == min(len(members), most)
    grown = RoutingTable(peers[0].table.id, 160, 5, digit_bits=digit_bits)
    for other in everybody:
        grown.seen(Contact(other, 0))
    near = {contact.id for contact in peers[0].table.closest(grown.id, 5)}
    assert near == {contact.id for contact in grown.closest(grown.id, 5)}


def test_accelerated_lookups_take_fewer_steps() -> None:
    """Section 4.2: b bits a step."""
    hops = {}
    for digit_bits in (1, 4):
        dice = Random(2)
        book = ContactBook(shared=True)
        config = KademliaConfig(k=3, alpha=1, digit_bits=digit_bits, upkeep=False)
        peers = [Kademlia(Contact(id_of_address(i), i), config, dice, book=book) for i in range(4000)]
        settle(peers, book)
        hops[digit_bits] = sum(_steps(peers, dice) for _ in range(60)) / 60
    assert hops[4] < 0.8 * hops[1]


def _steps(peers: list[Kademlia], dice: Random) -> int:
    """Steps of a greedy walk by the tables alone."""
    target = dice.choice(peers).contact
    at = dice.choice(peers)
    steps = 0
    while at.contact != target:
        (nearest,) = at.table.closest(target.id, 1)
        at = peers[nearest.address]
        steps += 1
    return steps


def test_truth_is_the_nearest_by_exclusive_or() -> None:
    for count in (1, 2, 3, 50):
        overlay = KademliaOverlay(Settings(), Random(1))
        truth = overlay.truth(range(count))
        dice = Random(count)
        for _ in range(200):
            key = dice.getrandbits(160)
            assert truth.owner(key) == min(range(count), key=lambda address: overlay.contact(address).id ^ key)
