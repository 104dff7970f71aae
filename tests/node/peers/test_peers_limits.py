"""Token buckets, backoff, bans and eviction: bounded, and fair to the useful."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.hashing import tagged
from horoi.node.peers import eviction
from horoi.node.peers.bans import BANS_CODEC, BANS_FILE, MAX_BANS, Bans
from horoi.node.peers.limits import MAX_BACKOFFS, Backoff
from horoi.node.peers.link import Link, Purpose
from horoi.node.token_bucket import TokenBucket


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(0, 20), min_size=1, max_size=200))
def test_a_token_bucket_allows_its_burst_and_its_rate_and_no_more(waits: list[float]) -> None:
    bucket = TokenBucket(0.5, 5, 0.0)
    now, taken = 0.0, 0
    for wait in waits:
        now += wait
        taken += bucket.take(now)
        assert taken <= 5 + 0.5 * now + 1e-6


def test_a_grant_goes_above_the_burst_once() -> None:
    bucket = TokenBucket(1.0, 2, 0.0)
    bucket.grant(10)
    assert sum(bucket.take(0.0) for _ in range(50)) == 12
    assert sum(bucket.take(1e6) for _ in range(50)) == 2


def test_backoff_doubles_up_to_its_cap_with_jitter_and_forgets() -> None:
    backoff = Backoff(random.Random(1), base_s=2.0, cap_s=60.0)
    now = 0.0
    for failures in range(12):
        assert backoff.is_over("a:1", now)
        backoff.failed("a:1", now)
        full_s = min(60.0, 2.0 * 2**failures)
        assert not backoff.is_over("a:1", now + full_s * 0.499)
        now += full_s
    backoff.failed("a:1", now)
    backoff.forget("a:1")
    assert backoff.is_over("a:1", now)


def test_nodes_that_lost_the_same_peer_do_not_come_back_at_once() -> None:
    moments = []
    for seed in range(20):
        backoff = Backoff(random.Random(seed), base_s=100.0, cap_s=100.0)
        backoff.failed("a:1", 0.0)
        moments.append(next(t for t in range(101) if backoff.is_over("a:1", t)))
    assert max(moments) - min(moments) > 20


def test_backoff_and_bans_are_bounded() -> None:
    backoff, bans = Backoff(random.Random(1), base_s=2.0, cap_s=60.0), Bans()
    for number in range(3000):
        backoff.failed(f"a{number}:1", 0.0)
        bans.add(Link(number, f"20.{number // 250}.{number % 250}.1:9", Purpose.INBOUND, 0.0), 100.0 + number)
    assert len(backoff._table) == MAX_BACKOFFS
    assert len(bans) == MAX_BANS
    assert bans.refuse_address("20.11.249.1:1234", 0.0)  # the ban that ends last is kept
    assert not bans.refuse_address("20.0.0.1:1234", 0.0)


def test_a_ban_names_node_and_host_and_ends() -> None:
    bans = Bans()
    bans.add(Link("p", "20.1.2.3:50000", Purpose.INBOUND, 0.0), 100.0)
    assert bans.refuse(Link("p", "30.1.2.3:1", Purpose.INBOUND, 0.0), 99.0)
    assert bans.refuse(Link("q", "20.1.2.3:2", Purpose.OUTBOUND, 0.0), 99.0)
    assert not bans.refuse(Link("q", "20.1.2.4:2", Purpose.OUTBOUND, 0.0), 99.0)
    assert not bans.refuse(Link("p", "20.1.2.3:50000", Purpose.INBOUND, 0.0), 100.0)


def test_bans_are_saved_whole_and_none_grows_longer() -> None:
    bans = Bans()
    for number in range(2000):
        peer = number.to_bytes(32, "big")
        bans.add(Link(peer, f"20.{number // 250}.{number % 250}.1:9", Purpose.INBOUND, 0.0), 100.5 + number)
    name, data = bans.record().file()
    assert name == BANS_FILE
    again = Bans(BANS_CODEC.decode(data))
    assert again.record() == bans.record()
    again.settle(1900.0, 50.0)
    assert len(again) < MAX_BANS
    assert again.refuse_address("20.7.249.1:1", 1949.0)
    assert not again.refuse_address("20.7.249.1:1", 1950.0)  # as if it had been made after the restart
    assert not again.refuse_address("20.6.0.1:1", 1900.0)


def test_a_ban_on_a_local_host_does_not_ban_its_other_nodes() -> None:
    bans = Bans()
    link = Link("p", "127.0.0.1:50000", Purpose.INBOUND, 0.0)
    link.listen_address = "127.0.0.1:9001"
    bans.add(link, 100.0)
    assert bans.refuse_address("127.0.0.1:9001", 1.0)
    assert not bans.refuse_address("127.0.0.1:9002", 1.0)
    assert not bans.refuse(Link("q", "127.0.0.1:50001", Purpose.INBOUND, 0.0), 1.0)


SECRET = tagged("test", b"secret")


def inbound(peer: str, address: str, since_s: float) -> Link:
    return Link(peer, address, Purpose.INBOUND, since_s)


def test_a_flood_from_one_network_evicts_itself_and_not_the_useful() -> None:
    links = []
    for number in range(60):  # honest, old, from many networks
        link = inbound(f"h{number}", f"{20 + number}.1.1.1:9", float(number))
        link.nearest_ms = 20.0 + number
        links.append(link)
    for number in range(40):
        link = inbound(f"u{number}", f"{90 + number}.1.1.1:9", 500.0)
        if number < eviction.PROTECTED_USEFUL:
            link.useful_s = 900.0 + number
        links.append(link)
    for number in range(300):
        flood = inbound(f"a{number}", f"66.66.{number % 250}.1:9", 1000.0 + number)
        links.append(flood)
        victim = eviction.choose(links, SECRET)
        assert victim is not None
        links.remove(victim)
    left = [link.peer for link in links]
    assert all(f"u{number}" in left for number in range(eviction.PROTECTED_USEFUL))
    assert all(f"h{number}" in left for number in range(60))
    assert sum(peer.startswith("a") for peer in left) <= 8


def test_who_stayed_longest_is_safe_though_many_are_of_one_network() -> None:
    old = [inbound(f"h{number}", f"20.1.1.{number}:9", float(number)) for number in range(30)]
    young = [inbound(f"a{number}", f"{30 + number // 2}.1.1.{number}:9", 1000.0 + number) for number in range(70)]
    victim = eviction.choose([*old, *young], SECRET)
    assert victim in young


def test_a_few_peers_are_all_protected() -> None:
    links = [inbound(f"p{number}", f"{20 + number}.1.1.1:9", 0.0) for number in range(10)]
    assert eviction.choose(links, SECRET) is None
    assert eviction.choose([], SECRET) is None
