"""The sync machine and what goes wrong: our own failures blame nobody, greed is bounded, nothing known is forgotten."""

from __future__ import annotations

import random

from tests.node.chains import COMPANIES, LATER_MS, give, grow, mine, new_chain, small_genesis, solve, spend_grant
from tests.node.sync.test_sync_machine import Driver, deliver_all, headers_of

from horoi.base.codec import encode
from horoi.ledger.block import Header, block_hash
from horoi.ledger.transaction import transaction_id
from horoi.machine import Arm, Asked, Finished, Fired, Received, Run
from horoi.machine.host import Started
from horoi.node.chain import Chain
from horoi.node.events import Misbehaved, PeerReady, WaitAgain
from horoi.node.sync.fetching import IN_FLIGHT_SIZE_BYTES
from horoi.node.sync.messages import BlockData, GetBlocks, Headers, NoBlocks
from horoi.node.sync.serving import MAX_WANTED_BLOCKS, SERVE_BURST_BYTES
from horoi.world.sim.disk import SimDisk


def test_a_job_that_failed_blames_nobody_and_the_block_is_fetched_again() -> None:
    source = new_chain()
    block = mine(source, (spend_grant(source, 0, COMPANIES[1]),))
    driver = Driver()
    driver.ready("a")
    driver.give(Received("a", headers_of([block])))
    actions = driver.sync.handle(Received("a", BlockData(block_hash(block.header), encode(block))), driver.now)
    [job] = [action.job for action in actions if isinstance(action, Run)]
    driver.give(Finished(job, RuntimeError("no thread was free")))
    assert driver.misbehaved() == 0
    assert not driver.sync.verifying
    driver.sent.clear()
    driver.give(Fired("tick"))
    deliver_all(driver, [block])
    assert driver.chain.tip.height == 1


def test_a_peer_may_wait_for_so_many_blocks_and_no_more() -> None:
    chain = new_chain()
    block = grow(chain, 1)[0]
    driver = Driver(chain)
    driver.ready("a")
    driver.sent.clear()
    driver.sync.peers["a"].serving.share.tokens = -1.0
    dice = random.Random(1)
    name = block_hash(block.header)
    driver.give(Received("a", GetBlocks((name,))))
    for _ in range(10):
        actions = driver.give(Received("a", GetBlocks(tuple(dice.randbytes(32) for _ in range(16)))))
    assert len(driver.sync.peers["a"].serving.wanted) == MAX_WANTED_BLOCKS
    assert driver.misbehaved() > 0
    assert not any(isinstance(message, BlockData) for _, message in driver.sent)
    assert any(isinstance(action, Arm) and action.timer == ("serve", "a") for action in actions)
    driver.now += 1
    driver.give(Fired(("serve", "a")))
    assert ("a", BlockData(name, encode(block))) in driver.sent
    assert not driver.sync.peers["a"].serving.wanted


def test_what_a_peer_gets_per_second_is_bounded() -> None:
    chain = new_chain()
    blocks = grow(chain, 8)
    driver = Driver(chain)
    driver.ready("a")
    names = tuple(block_hash(block.header) for block in blocks)
    size = len(encode(blocks[0]))
    driver.sync.peers["a"].serving.share.tokens = 3.5 * size
    driver.sent.clear()
    driver.give(Received("a", GetBlocks(names)))
    assert sum(isinstance(message, BlockData) for _, message in driver.sent) == 4
    driver.now += 10
    driver.give(Fired(("serve", "a")))
    assert sum(isinstance(message, BlockData) for _, message in driver.sent) == 8
    assert driver.sync.peers["a"].serving.share.tokens <= SERVE_BURST_BYTES


def test_of_big_blocks_fewer_are_asked_at_once() -> None:
    source = new_chain()
    blocks = grow(source, 30)
    driver = Driver()
    driver.sync.fetching.mean_block_size_bytes = IN_FLIGHT_SIZE_BYTES / 3
    driver.ready("a")
    driver.give(Received("a", headers_of(blocks)))
    assert [len(request.names) for _, request in driver.requests()] == [3]


def test_a_header_from_the_future_does_not_hide_those_before_it() -> None:
    source = new_chain()
    good = grow(source, 2)
    template = mine(source).header
    future = solve(
        Header(*(getattr(template, f) for f in Header.__struct_fields__[:4]), LATER_MS, template.target, bytes(8))
    )
    driver = Driver()
    driver.ready("a")
    driver.give(Received("a", Headers((*(block.header for block in good), future))))
    deliver_all(driver, good)
    assert driver.chain.tip.height == 2
    assert driver.misbehaved() == 0


def test_withheld_blocks_do_not_hold_up_another_chain_that_is_heavier_than_ours() -> None:
    withheld, source = new_chain(), new_chain()
    secret = grow(withheld, 3, owner=COMPANIES[3])
    blocks = grow(source, 2)
    driver = Driver()
    driver.ready("miser", "good")
    driver.give(Received("miser", headers_of(secret)))
    driver.give(Received("miser", NoBlocks(tuple(block_hash(block.header) for block in secret))))
    driver.sent.clear()
    driver.give(Received("good", headers_of(blocks)))
    assert {peer for peer, _ in driver.requests()} == {"good"}
    deliver_all(driver, blocks)
    assert driver.chain.tip.name == source.tip.name


def test_a_new_link_to_the_same_peer_begins_with_a_clean_slate() -> None:
    source = new_chain()
    blocks = grow(source, 3)
    driver = Driver()
    driver.ready("a")
    driver.give(Received("a", headers_of(blocks)))
    assert len(driver.sync.fetching.in_flight) == 3
    driver.give(Asked(PeerReady("a", False, 0)))
    assert not driver.sync.fetching.in_flight
    driver.give(Received("a", headers_of(blocks)))
    deliver_all(driver, blocks)
    assert driver.chain.tip.height == 3
    assert driver.sync.peers["a"].source.in_flight == 0


def test_transactions_of_stale_blocks_wait_again_after_a_restart() -> None:
    """They waited in the pool, and a pool dies with its process."""
    genesis = small_genesis()
    disk = SimDisk(random.Random(5))
    chain, rival = new_chain(genesis, disk), new_chain(genesis)
    lost = spend_grant(chain, 0, COMPANIES[1])
    give(chain, mine(chain, (lost,)))
    for block in grow(rival, 2, owner=COMPANIES[2]):
        give(chain, block)
    assert chain.tip.name == rival.tip.name
    disk.crash()
    driver = Driver(Chain(genesis, disk))
    driver.give(Asked(Started()))
    [again] = [notice for notice in driver.told if isinstance(notice, WaitAgain)]
    assert [transaction_id(chain.network, item.body) for item in again.transactions] == [
        transaction_id(chain.network, lost.body)
    ]
    assert not [notice for notice in driver.told if isinstance(notice, Misbehaved)]
