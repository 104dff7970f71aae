from __future__ import annotations

import time

import pytest
from tests.node.pool_chain import GRANT, KEYS, TestChain, make_genesis

from horoi.base.errors import DecodeError, RuleError, StorageError
from horoi.ledger.block import reward_id
from horoi.ledger.conditions import AfterHeight, AllOf, Key
from horoi.ledger.ledger import INPUTLESS_WINDOW, Prepared
from horoi.ledger.transaction import NATIVE, Body, Holding, Input, Transaction, Witness
from horoi.node.mempool import Limits, Mempool, load


def refused(pool: Mempool, prepared: Prepared, now: float = 0.0, source: object = None) -> str:
    before = (list(pool), pool.size_bytes, dict(pool.spends))
    with pytest.raises(RuleError) as caught:
        pool.add(prepared, now, source)
    assert (list(pool), pool.size_bytes, dict(pool.spends)) == before, "a refusal changes nothing"
    return caught.value.rule


def left(pool: Mempool) -> list[tuple[bytes, str, bytes | None]]:
    return [tuple(item) for item in pool.take_left()]


@pytest.fixture
def chain() -> TestChain:
    return TestChain()


@pytest.fixture
def pool(chain: TestChain) -> Mempool:
    return Mempool(chain)


def spend(chain: TestChain, number: int, **more: object) -> Prepared:
    return chain.prepare(chain.pay([chain.grant(number)], **more))  # type: ignore[arg-type]


def test_admits_once_and_knows_what_is_spent_and_made(chain: TestChain, pool: Mempool) -> None:
    item = spend(chain, 0, parts=2)
    pool.add(item, 0.0)
    assert item.id in pool
    assert pool.get(item.id) is item
    assert pool.spender(chain.grants_id, 0) == item.id
    assert pool.output(item.id, 1) == item.transaction.body.outputs[1]
    assert pool.output(item.id, 2) is None
    assert pool.size_bytes == item.size_bytes
    assert refused(pool, item) == "pool.known"


def test_first_seen_wins_without_fees(chain: TestChain, pool: Mempool) -> None:
    first, second = spend(chain, 0), spend(chain, 0, parts=2, fee=500_000)
    pool.add(first, 0.0)
    assert pool.rival(second) == first.id
    assert refused(pool, second) == "pool.conflict"


def test_screen_lets_one_rival_pass_and_then_none(chain: TestChain, pool: Mempool) -> None:
    first, second = spend(chain, 0), spend(chain, 0, parts=2)
    pool.add(first, 0.0)
    pool.screen(second, 0.0)
    assert pool.contest(second) == first.id
    with pytest.raises(RuleError, match=r"pool\.conflict"):
        pool.screen(second, 0.0)


def test_ledger_rules_hold_for_the_next_block(chain: TestChain, pool: Mempool) -> None:
    unknown = Input(bytes(32), 0, chain.genesis.grants[0])
    assert refused(pool, chain.prepare(chain.pay([unknown]))) == "spend.unknown"
    assert pool.missing(chain.prepare(chain.pay([unknown]))) == (bytes(32),)
    other = Input(chain.grants_id, 0, Holding(NATIVE, GRANT + 1, Key(KEYS[0].public), None))
    assert refused(pool, chain.prepare(chain.pay([other]))) == "spend.content"
    body = chain.pay([chain.grant(0)]).body
    assert refused(pool, chain.prepare(Transaction(body, Witness()))) == "authority.missing"


def test_content_of_a_waiting_parent_is_checked(chain: TestChain, pool: Mempool) -> None:
    parent = spend(chain, 0, parts=2)
    pool.add(parent, 0.0)
    lie = Input(parent.id, 0, Holding(NATIVE, GRANT, Key(KEYS[0].public), None))
    assert refused(pool, chain.prepare(chain.pay([lie]))) == "spend.content"
    nowhere = Input(parent.id, 7, parent.transaction.body.outputs[0])
    assert refused(pool, chain.prepare(chain.pay([nowhere]))) == "spend.content"


def test_time_locks_open_with_the_chain(chain: TestChain, pool: Mempool) -> None:
    locked = AllOf((Key(KEYS[0].public), AfterHeight(3)))
    first = spend(chain, 0, to=locked)
    pool.add(first, 0.0)
    body = Body(inputs=(chain.output(first),), outputs=(Holding(NATIVE, GRANT, Key(KEYS[1].public), None),))
    second = chain.prepare(chain.sign(body, {KEYS[0].public}))
    assert refused(pool, second) == "authority.missing"
    pool.follow(chain.move([first], []), 0.0)
    pool.add(second, 0.0)
    pool.follow(chain.move([], back=2), 0.0)  # to height 1, so the next block is 2
    assert second.id not in pool
    assert first.id in pool


def test_rewards_ripen(chain: TestChain, pool: Mempool) -> None:
    change = chain.move([], miner=KEYS[2])
    pool.follow(change, 0.0)
    reward = change.connected[0].block.reward
    young = chain.prepare(chain.pay([Input(reward_id(chain.ledger.network, 1, reward), 0, reward[0])]))
    assert refused(pool, young) == "spend.immature"
    pool.follow(chain.move([], []), 0.0)
    pool.add(young, 0.0)
    pool.follow(chain.move([], back=2), 0.0)
    assert young.id not in pool, "a step back made it immature again"


def test_inputless_has_a_window(chain: TestChain, pool: Mempool) -> None:
    item = chain.prepare(chain.post("hello"))
    pool.add(item, 0.0)
    pool.follow(chain.move(*([[]] * INPUTLESS_WINDOW)), 0.0)
    assert item.id not in pool
    assert left(pool) == [(item.id, "expired", None)]
    assert pool.last_heights == {}
    assert refused(pool, item) == "inputless.window"
    early = chain.prepare(chain.post("hello", since=chain.tip.height + 1))
    assert refused(pool, early) == "inputless.window"


def test_family_is_bounded_both_ways(chain: TestChain, pool: Mempool) -> None:
    at = spend(chain, 0)
    pool.add(at, 0.0)
    for _ in range(24):
        at = chain.prepare(chain.pay([chain.output(at)]))
        pool.add(at, 0.0)
    assert refused(pool, chain.prepare(chain.pay([chain.output(at)]))) == "pool.family"
    root = spend(chain, 1, parts=30)
    pool.add(root, 0.0)
    for index in range(24):
        pool.add(chain.prepare(chain.pay([chain.output(root, index)])), 0.0)
    assert refused(pool, chain.prepare(chain.pay([chain.output(root, 24)]))) == "pool.family"


def test_eviction_takes_the_lowest_rate_and_the_least_rate_rises_and_falls() -> None:
    chain = TestChain(make_genesis(fee_floor=10))
    size = spend(chain, 0, fee=100).size_bytes
    pool = Mempool(chain, Limits(max_size_bytes=size * 3 + 2, minimum_half_life_s=100.0))
    low, middle, high = (spend(chain, n, fee=fee) for n, fee in enumerate((1_000, 2_000, 4_000)))
    for item in (middle, low, high):
        pool.add(item, 0.0)
    assert list(pool) == [high.id, middle.id, low.id]
    assert refused(pool, spend(chain, 3, fee=500)) == "pool.full"
    better = spend(chain, 4, fee=8_000)
    pool.add(better, 0.0)
    assert left(pool) == [(low.id, "evicted", None)]
    asked = pool.minimum_rate(0.0)
    assert 1_000 * 1000 / size < asked < 2_000 * 1000 / size
    pool.remove(high.id, "expired")
    assert refused(pool, spend(chain, 3, fee=1_000)) == "pool.fee"
    assert asked * 0.45 < pool.minimum_rate(100.0) < asked * 0.55
    assert pool.minimum_rate(100_000.0) == 0
    pool.add(spend(chain, 3, fee=1_000), 100_000.0)


def test_a_child_leaves_before_its_parent() -> None:
    chain = TestChain(make_genesis(fee_floor=10))
    parent = spend(chain, 0, fee=1_000)
    child = chain.prepare(chain.pay([chain.output(parent)], fee=50_000))
    pool = Mempool(chain, Limits(max_count=2))
    pool.add(parent, 0.0)
    pool.add(child, 0.0)
    assert list(pool) == [parent.id, child.id]
    pool.add(spend(chain, 1, fee=2_000), 0.0)
    assert parent.id in pool
    assert child.id not in pool


def test_replacement_pays_for_what_goes() -> None:
    chain = TestChain(make_genesis(fee_floor=1_000))
    pool = Mempool(chain)
    first = spend(chain, 0, fee=1_000)
    child = chain.prepare(chain.pay([chain.output(first)], fee=5_000))
    pool.add(first, 0.0)
    pool.add(child, 0.0)
    assert refused(pool, spend(chain, 0, fee=1_001)) == "pool.replacement"
    assert refused(pool, spend(chain, 0, fee=6_000)) == "pool.replacement", "not its own relay"
    assert refused(pool, chain.prepare(chain.pay([chain.output(child), chain.grant(0)], fee=90_000))) == (
        "pool.replacement"
    )
    better = spend(chain, 0, fee=7_000)
    pool.add(better, 0.0)
    assert left(pool) == [(child.id, "conflict", better.id), (first.id, "conflict", better.id)]
    assert list(pool) == [better.id]


def test_quotas_where_fees_are_zero(chain: TestChain) -> None:
    limits = Limits(max_count=8, max_per_key=2, key_rate_per_s=1.0, max_share_of_peer=0.25, max_share_inputless=0.25)
    pool = Mempool(chain, limits)
    pool.add(spend(chain, 0), 0.0, "p")
    pool.add(spend(chain, 8), 0.0, "p")
    assert refused(pool, spend(chain, 16)) == "pool.key"
    assert refused(pool, spend(chain, 1), source="p") == "pool.peer"
    pool.add(spend(chain, 1), 0.0, "q")
    pool.add(chain.prepare(chain.post("a", author=KEYS[2])), 0.0)
    pool.add(chain.prepare(chain.post("b", author=KEYS[3])), 0.0)
    assert refused(pool, chain.prepare(chain.post("c", author=KEYS[4]))) == "pool.inputless"
    block = [spend(chain, 0), spend(chain, 8)]
    pool.follow(chain.move(block), 0.0)
    assert refused(pool, spend(chain, 16)) == "pool.key", "the rate holds after the block"
    pool.add(spend(chain, 16), 1.0, "p")
    assert refused(pool, spend(chain, 24), now=1.0) == "pool.key"


def test_quotas_do_not_stop_a_busy_company(chain: TestChain) -> None:
    pool = Mempool(chain)
    root = spend(chain, 0, parts=900)
    pool.follow(chain.move([root]), 0.0)
    for index in range(900):
        pool.add(chain.prepare(chain.pay([chain.output(root, index)])), index / 8_000, "p")
    assert len(pool) == 900


def test_selection_fits_and_looks_past_the_large(chain: TestChain, pool: Mempool) -> None:
    large, small = spend(chain, 0, parts=100), spend(chain, 1)
    child = chain.prepare(chain.pay([chain.output(large)]))
    for item in (large, child, small):
        pool.add(item, 0.0)
    assert pool.select(large.size_bytes - 1) == [small], "not the child of what was skipped"
    assert pool.select(1_000_000) == [large, child, small]
    assert pool.select(10) == []


def test_confirmed_rivals_and_their_children_leave(chain: TestChain, pool: Mempool) -> None:
    loser, winner, same = spend(chain, 0), spend(chain, 0, parts=2), spend(chain, 1)
    child = chain.prepare(chain.pay([chain.output(loser)]))
    for item in (loser, child, same):
        pool.add(item, 0.0)
    pool.follow(chain.move([winner, same]), 0.0)
    assert left(pool) == [
        (child.id, "conflict", winner.id),
        (loser.id, "conflict", winner.id),
        (same.id, "confirmed", None),
    ]
    assert len(pool) == 0
    assert pool.size_bytes == 0
    assert pool.spends == {}


def test_a_child_rises_when_its_parent_is_confirmed() -> None:
    chain = TestChain(make_genesis(fee_floor=10))
    pool = Mempool(chain)
    parent, other = spend(chain, 0, fee=1_000), spend(chain, 1, fee=3_000)
    child = chain.prepare(chain.pay([chain.output(parent)], fee=9_000))
    for item in (parent, child, other):
        pool.add(item, 0.0)
    assert list(pool) == [other.id, parent.id, child.id]
    pool.follow(chain.move([parent]), 0.0)
    assert list(pool) == [child.id, other.id]


def test_what_leaves_the_chain_waits_again_before_its_children(chain: TestChain, pool: Mempool) -> None:
    parent, gone = spend(chain, 0), spend(chain, 1)
    pool.follow(chain.move([parent, gone]), 0.0)
    child = chain.prepare(chain.pay([chain.output(parent)]))
    heir = chain.prepare(chain.pay([chain.output(gone)]))
    pool.add(child, 0.0)
    pool.add(heir, 0.0)
    winner = spend(chain, 1, parts=2)
    returned = pool.follow(chain.move([winner], [], back=1), 0.0)
    assert returned == [parent]
    assert list(pool) == [parent.id, child.id]
    assert left(pool) == [(gone.id, "conflict", winner.id), (heir.id, "conflict", winner.id)]
    chain.move(pool.select(100_000))


def test_the_same_transaction_in_both_branches_is_confirmed_once(chain: TestChain, pool: Mempool) -> None:
    item = spend(chain, 0)
    pool.follow(chain.move([item]), 0.0)
    child = chain.prepare(chain.pay([chain.output(item)]))
    pool.add(child, 0.0)
    assert pool.follow(chain.move([], [item], back=1, salt=1), 0.0) == []
    assert list(pool) == [child.id]


def test_spenders_of_a_lost_reward_leave(pool: Mempool, chain: TestChain) -> None:
    change = chain.move([], [], [], miner=KEYS[2])
    pool.follow(change, 0.0)
    reward = change.connected[0].block.reward
    spender = chain.prepare(chain.pay([Input(reward_id(chain.ledger.network, 1, reward), 0, reward[0])]))
    pool.add(spender, 0.0)
    pool.follow(chain.move([], [], [], [], back=3, miner=KEYS[3]), 0.0)
    assert left(pool) == [(spender.id, "conflict", None)]


def test_recheck_removes_what_no_longer_fits(chain: TestChain, pool: Mempool) -> None:
    item, child = spend(chain, 0), None
    pool.add(item, 0.0)
    child = chain.prepare(chain.pay([chain.output(item)]))
    pool.add(child, 0.0)
    chain.move([spend(chain, 0, parts=3)])  # behind the pool's back
    pool.recheck(0.0)
    assert len(pool) == 0


def test_old_entries_expire_with_their_children(chain: TestChain) -> None:
    pool = Mempool(chain, Limits(max_age_s=10.0))
    item = spend(chain, 0)
    pool.add(item, 0.0)
    pool.add(chain.prepare(chain.pay([chain.output(item)])), 9.0)
    pool.add(spend(chain, 1), 9.0)
    pool.expire(9.9)
    assert len(pool) == 3
    pool.expire(10.0)
    assert len(pool) == 1


def test_survives_a_restart(chain: TestChain, pool: Mempool) -> None:
    items = [spend(chain, 0)]
    items.append(chain.prepare(chain.pay([chain.output(items[0])])))
    for item in items:
        pool.add(item, 0.0)
    data = pool.dump()
    again = Mempool(chain)
    for transaction in load(data, chain.ledger.network):
        again.add(chain.prepare(transaction), 0.0)
    assert list(again) == list(pool)
    with pytest.raises(StorageError, match="remove the file"):
        load(data, bytes(32))
    with pytest.raises(DecodeError):
        load(data[:-1], chain.ledger.network)


def test_a_template_of_5000_takes_little_time() -> None:
    chain = TestChain(make_genesis(grants=1))
    pool = Mempool(chain, Limits(max_family=10_000))
    at: Prepared | None = None
    root = chain.grant(0)
    fan = chain.prepare(chain.pay([root], parts=900))
    pool.follow(chain.move([fan]), 0.0)
    fans = [chain.prepare(chain.pay([chain.output(fan, index)], parts=6)) for index in range(900)]
    pool.follow(chain.move(fans), 0.0)
    for above in fans:
        for index in range(6):
            at = chain.prepare(chain.pay([chain.output(above, index)], valid=False))
            pool.add(at, 0.0)
    took_s = []
    for _ in range(3):
        start_s = time.perf_counter()
        chosen = pool.select(10_000_000)
        took_s.append(time.perf_counter() - start_s)
    assert len(chosen) == 5_400
    assert min(took_s) < 0.02


def test_keys_are_named_in_refusals(chain: TestChain) -> None:
    pool = Mempool(chain, Limits(max_per_key=1))
    pool.add(spend(chain, 0), 0.0)
    with pytest.raises(RuleError, match=KEYS[0].public.hex()):
        pool.add(spend(chain, 8), 0.0)
