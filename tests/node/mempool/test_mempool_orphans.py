from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.node.pool_chain import TestChain

from horoi.ledger.transaction import Input
from horoi.node.mempool import Orphans

CHAIN = TestChain()
ITEMS = [
    CHAIN.prepare(CHAIN.pay([Input(bytes([i]) * 32, 0, CHAIN.genesis.grants[i])], parts=1 + i % 3, valid=False))
    for i in range(20)
]


def waits(i: int) -> list[bytes]:
    return [bytes([i]) * 32, b"common"]


def test_taken_out_when_one_of_its_parents_arrives_oldest_first() -> None:
    orphans = Orphans()
    for i in range(3):
        orphans.add(ITEMS[i], "p", waits(i), 0.0)
    assert [orphan.prepared for orphan in orphans.take_waiting(bytes([1]) * 32)] == [ITEMS[1]]
    assert [orphan.prepared for orphan in orphans.take_waiting(b"common")] == [ITEMS[0], ITEMS[2]]
    assert len(orphans) == 0
    assert orphans.size_bytes == 0


def test_who_brought_most_loses_the_oldest() -> None:
    orphans = Orphans(max_count=3)
    orphans.add(ITEMS[0], "quiet", waits(0), 0.0)
    gone = [orphans.add(ITEMS[i], "loud", waits(i), 0.0) for i in (1, 2, 3, 4)]
    assert gone == [[], [], [ITEMS[1].id], [ITEMS[2].id]]
    assert ITEMS[0].id in orphans


def test_age_counts_from_the_first_time() -> None:
    orphans = Orphans(max_age_s=60.0)
    orphans.add(ITEMS[0], "p", waits(0), 0.0)
    (orphan,) = orphans.take_waiting(b"common")
    orphans.add(orphan.prepared, "p", waits(0), 50.0, orphan.since_s)
    assert orphans.expire(59.0) == []
    assert orphans.expire(60.0) == [ITEMS[0].id]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("artdx"), st.integers(0, 19), st.integers(0, 3)), max_size=60))
def test_always_bounded_and_consistent(steps: list[tuple[str, int, int]]) -> None:
    orphans = Orphans(max_count=6, max_size_bytes=2_000, max_age_s=15.0)
    for now, (what, i, peer) in enumerate(steps):
        if what == "a":
            orphans.add(ITEMS[i], peer, waits(i), float(now))
        elif what == "r":
            orphans.remove(ITEMS[i].id)
        elif what == "t":
            orphans.take_waiting(bytes([i]) * 32)
        elif what == "d":
            assert not any(item in orphans for item in orphans.drop_peer(peer))
        else:
            orphans.expire(float(now))
        kept = [item for item in ITEMS if item.id in orphans]
        assert len(kept) == len(orphans) <= 6
        assert sum(item.size_bytes for item in kept) == orphans.size_bytes <= 2_000
    for i in range(20):
        orphans.take_waiting(bytes([i]) * 32)
    assert len(orphans) == 0
    assert orphans._by_source == {}
    assert orphans._by_wait == {}
