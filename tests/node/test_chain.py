"""The chain on disk: reorganisations, crashes, damage, and the rules that only a chain can break."""

from __future__ import annotations

import random

import pytest
from tests.node.chains import (
    ASSET,
    COMPANIES,
    INTERVAL_MS,
    LATER_MS,
    give,
    grow,
    mine,
    new_chain,
    small_genesis,
    solve,
    spend_grant,
    state_of,
    transfer,
)

from horoi.base.codec import encode
from horoi.base.errors import RuleError, StorageError
from horoi.ledger.block import Block, block_hash
from horoi.ledger.conditions import Key
from horoi.ledger.transaction import Holding, Input, transaction_id
from horoi.node.chain import Chain
from horoi.world.sim.disk import Crashed, SimDisk


def test_reorganisation_of_100_blocks_restores_what_a_fresh_node_computes() -> None:
    one, other = new_chain(), new_chain()
    for chain, offset in ((one, 0), (other, 1)):
        for number in range(100 + offset):
            transactions = (spend_grant(chain, number, COMPANIES[offset]),) if number < 40 else ()
            give(chain, mine(chain, transactions, owner=COMPANIES[offset]))
    for known, raw in list(other.blocks())[1:]:
        staged = one.stage(raw, LATER_MS)
        one.keep(staged)
        change = one.advance(staged)
        one.save(one.take_to_save())
        assert (change is None) == (known.height < 101)
    assert change is not None
    assert len(change.disconnected) == 100
    assert len(change.connected) == 101
    fresh = new_chain()
    for _, raw in list(other.blocks())[1:]:
        give(fresh, fresh.stage(raw, LATER_MS).block)
    assert state_of(one) == state_of(fresh) == state_of(other)
    assert one.tip.name == other.tip.name


def test_most_work_not_most_blocks() -> None:
    chain, many = new_chain(), new_chain()
    # Slow blocks make the target easier, fast ones harder: three fast blocks outweigh more slow ones.
    slow = []
    for _ in range(6):
        block = mine(many, time_ms=many.tip.header.time_ms + 200 * INTERVAL_MS)
        give(many, block)
        slow.append(block)
    fast_chain = new_chain()
    fast = []
    while fast_chain.tip.work <= many.tip.work:
        block = mine(fast_chain, time_ms=fast_chain.tip.header.time_ms + 1)
        give(fast_chain, block)
        fast.append(block)
    assert len(fast) < len(slow)
    for block in fast:
        give(chain, block)
    for block in slow:
        give(chain, block)
    assert chain.tip.name == fast_chain.tip.name


def test_first_seen_stays_on_ties() -> None:
    chain, other = new_chain(), new_chain()
    first = grow(chain, 3, owner=COMPANIES[0])
    rival = grow(other, 3, owner=COMPANIES[1])
    for block in rival:
        give(chain, block)
    assert chain.tip.name == block_hash(first[-1].header)


def test_double_spend_across_blocks_is_refused_and_avoided() -> None:
    chain = new_chain()
    give(chain, mine(chain, (spend_grant(chain, 0, COMPANIES[1]),)))
    again = spend_grant(chain, 0, COMPANIES[2])
    with pytest.raises(RuleError, match=r"spend\.unknown"):
        mine(chain, (again,))


def test_double_spend_in_a_block_that_was_mined_anyway_condemns_it() -> None:
    chain = new_chain()
    grow(chain, 2)
    honest = mine(chain)
    bad = Block(
        honest.header, honest.reward, (spend_grant(chain, 0, COMPANIES[1]), spend_grant(chain, 0, COMPANIES[2]))
    )
    prepared = [chain.ledger.prepare(transaction) for transaction in bad.transactions]
    header = honest.header
    root = chain.ledger.content_root(header.height, bad.reward, prepared)
    forged = solve(
        type(header)(header.height, header.parent, root, header.state_root, header.time_ms, header.target, b"\0" * 8)
    )
    before = state_of(chain)
    assert give(chain, Block(forged, bad.reward, bad.transactions)) is None
    assert state_of(chain) == before
    assert chain.tree.invalid[block_hash(forged)] == "spend.unknown"
    give(chain, honest)
    assert chain.tip.name == block_hash(honest.header)


def test_the_same_coin_spent_on_two_branches_exists_once_after_the_reorganisation() -> None:
    one, other = new_chain(), new_chain()
    on_one, on_other = spend_grant(one, 0, COMPANIES[1]), spend_grant(one, 0, COMPANIES[2])
    give(one, mine(one, (on_one,)))
    give(other, mine(other, (on_other,)))
    grow(other, 1)
    for _, raw in list(other.blocks())[1:]:
        give(one, one.stage(raw, LATER_MS).block)
    lost = transaction_id(one.network, on_one.body)
    won = transaction_id(one.network, on_other.body)
    assert one.ledger.entries.get(b"o" + lost + b"\0\0") is None
    assert one.ledger.entries.get(b"o" + won + b"\0\0") is not None
    assert state_of(one) == state_of(other)


def test_immature_reward_is_not_spent_and_mature_is() -> None:
    chain = new_chain()
    grow(chain, 1)
    reward = chain.block(chain.tip.name).reward
    from horoi.ledger.block import reward_id

    spent = Input(reward_id(chain.network, 1, reward), 0, reward[0])
    spend = transfer(
        chain.genesis, spent, COMPANIES[0], (Holding(reward[0].asset, 50, Key(COMPANIES[1].public), None),)
    )
    with pytest.raises(RuleError, match=r"spend\.immature"):
        mine(chain, (spend,))
    grow(chain, 8)
    with pytest.raises(RuleError, match=r"spend\.immature"):
        mine(chain, (spend,))
    grow(chain, 1)
    give(chain, mine(chain, (spend,)))
    assert chain.tip.height == 11


def test_content_swapped_under_a_header_blames_the_sender_not_the_block() -> None:
    chain = new_chain()
    honest = mine(chain, (spend_grant(chain, 0, COMPANIES[1]),))
    swapped = Block(honest.header, honest.reward, (spend_grant(chain, 0, COMPANIES[2]),))
    with pytest.raises(RuleError, match=r"block\.content"):
        chain.stage(encode(swapped), LATER_MS)
    give(chain, honest)
    assert chain.tip.name == block_hash(honest.header)


def test_blocks_in_any_order() -> None:
    source, chain = new_chain(), new_chain()
    blocks = grow(source, 12)
    for block in blocks:
        chain.tree.add(block.header, LATER_MS)
    random.Random(5).shuffle(blocks)
    for block in blocks:
        give(chain, block)
    assert chain.tip.name == source.tip.name
    assert state_of(chain) == state_of(source)


def test_block_of_another_network_is_refused() -> None:
    chain, foreign = new_chain(), new_chain(small_genesis("elsewhere"))
    block = mine(foreign)
    with pytest.raises(RuleError, match=r"header\.orphan"):
        chain.stage(encode(block), LATER_MS)


def test_reopens_where_it_was() -> None:
    disk = SimDisk(random.Random(2))
    chain = new_chain(disk=disk)
    for number in range(20):
        give(chain, mine(chain, (spend_grant(chain, number, COMPANIES[1]),)))
    tip, state = chain.tip.name, state_of(chain)
    chain.close()
    again = new_chain(disk=disk)
    assert again.tip.name == tip
    assert state_of(again) == state


def test_a_state_store_that_was_removed_is_rebuilt_from_the_log() -> None:
    disk = SimDisk(random.Random(3))
    chain = new_chain(disk=disk)
    for number in range(20):
        give(chain, mine(chain, (spend_grant(chain, number, COMPANIES[1]),)))
    state = state_of(chain)
    chain.close()
    disk.remove("state")
    assert state_of(new_chain(disk=disk)) == state


def test_a_damaged_block_is_not_served_and_is_repaired_by_a_good_copy() -> None:
    disk = SimDisk(random.Random(4))
    chain = new_chain(disk=disk)
    blocks = grow(chain, 5)
    name = block_hash(blocks[2].header)
    place = chain.kept.places[name].block
    disk.flip("blocks-000000.log", place.offset + place.size_bytes // 2, 3)
    with pytest.raises(StorageError):
        chain.read_block(name)
    assert [known.name for known in chain.missing(10, 10)] == [name]
    give(chain, blocks[2])
    assert chain.read_block(name) == encode(blocks[2])
    assert chain.missing(10, 10) == []


def run_with_crashes(seed: int, crashes: int) -> int:
    """Grow a chain over a disk that dies at arbitrary operations; what was saved must be there after each restart.

    Returns how often it died.
    """
    dice = random.Random(seed)
    disk = SimDisk(random.Random(seed + 1))
    source = new_chain()
    rival = new_chain()
    blocks = [mine_and_give(source, number) for number in range(30)]
    side = [mine_and_give(rival, number + 100) for number in range(12)]
    deliveries = sorted([*blocks, *side], key=lambda block: (block.header.height, dice.random()))
    saved: dict[bytes, None] = {}
    chain: Chain | None = None
    position = died = 0
    while position < len(deliveries):
        try:
            if chain is None:
                if crashes and dice.random() < 0.3:
                    disk.arm_crash(dice.randint(1, 8))  # dies while opening
                    crashes -= 1
                chain = Chain(source.genesis, disk, cache_changes=dice.choice((5, 50, 5000)))
                chain.recover()
                record = chain.take_to_save()
                if record is not None:
                    chain.save(record)
                assert all(chain.has(name) for name in saved), f"seed {seed}: a saved block is gone"
                assert chain.tip.name in {block_hash(b.header) for b in deliveries} | {chain.tree.root.name}
            while position < len(deliveries):
                if crashes and dice.random() < 0.3:
                    disk.arm_crash(dice.randint(1, 8))
                    crashes -= 1
                block = deliveries[position]
                if block.header.parent in chain.tree:
                    give(chain, block)
                    if dice.random() < 0.2:
                        chain.flush()
                saved[block_hash(block.header)] = None
                position += 1
        except Crashed:
            disk.crash()
            chain = None
            died += 1
            position = max(0, position - 1)
    disk.arm_crash(10**9)
    if chain is not None:
        del chain
        disk.crash()
    final = new_chain(source.genesis, disk)
    for block in deliveries:
        give(final, block)
    assert state_of(final) == state_of(source), f"seed {seed}: another state"
    return died


def mine_and_give(chain: Chain, number: int) -> Block:
    transactions = (spend_grant(chain, number, COMPANIES[2]),) if number < 40 else ()
    block = mine(chain, transactions)
    give(chain, block)
    return block


@pytest.mark.parametrize("batch", range(8))
def test_crashes_at_any_operation_lose_nothing_that_was_saved(batch: int) -> None:
    died = sum(run_with_crashes(seed, crashes=20) for seed in range(batch * 25, batch * 25 + 25))
    assert died > 200, "the crashes did not happen"


def test_quantities_are_conserved_over_the_whole_history() -> None:
    chain = new_chain()
    for number in range(15):
        give(chain, mine(chain, (spend_grant(chain, number, COMPANIES[3], part=number + 1),)))
    from horoi.node.wallet.pools import spendable_of_entry

    total = 0
    for key, value in chain.state.items(b"o", b"p"):
        content = spendable_of_entry(key, value).content
        if isinstance(content, Holding) and content.asset == ASSET:
            total += content.quantity
    assert total == 40 * 1000
