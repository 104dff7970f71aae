"""The state machines, event by event, without dice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.lab.attack.private_fork import Block, PrivateFork, Step
from horoi.lab.attack.selfish import Act, Chains, Found, SelfishPool

OWN, OTHERS, ON_POOLS = Found.BY_POOL, Found.BY_OTHERS, Found.BY_OTHERS_ON_POOLS


@pytest.mark.parametrize(
    ("events", "acts", "counted"),
    [
        ([OTHERS], [Act.ADOPT], (0, 1)),
        ([OWN, OTHERS, OWN], [Act.WITHHOLD, Act.PUBLISH_LAST, Act.PUBLISH_ALL], (2, 0)),
        ([OWN, OTHERS, ON_POOLS], [Act.WITHHOLD, Act.PUBLISH_LAST, Act.ADOPT], (1, 1)),
        ([OWN, OTHERS, OTHERS], [Act.WITHHOLD, Act.PUBLISH_LAST, Act.ADOPT], (0, 2)),
        ([OWN, OWN, OTHERS], [Act.WITHHOLD, Act.WITHHOLD, Act.PUBLISH_ALL], (2, 0)),
        (
            [OWN, OWN, OWN, OTHERS, OTHERS],
            [Act.WITHHOLD, Act.WITHHOLD, Act.WITHHOLD, Act.PUBLISH_FIRST, Act.PUBLISH_ALL],
            (3, 0),
        ),
    ],
)
def test_the_pool_follows_algorithm_1(events: list[Found], acts: list[Act], counted: tuple[int, int]) -> None:
    pool, chains = SelfishPool(), Chains()
    answers, settled = [], None
    for event in events:
        assert settled is None
        answers.append(pool.handle(event))
        settled = chains.apply(event, answers[-1])
    assert answers == acts
    assert settled == counted
    assert (pool.lead, pool.branch) == (0, 0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=200))
def test_the_pools_lead_is_always_the_difference_of_the_branches(drawn: list[tuple[bool, bool]]) -> None:
    pool, chains = SelfishPool(), Chains()
    counted = 0
    for found, (own, on_pools) in enumerate(drawn, start=1):
        event = OWN if own else ON_POOLS if on_pools and chains.tied else OTHERS
        settled = chains.apply(event, pool.handle(event))
        counted += sum(settled or ())
        assert pool.lead == chains.pool_branch - chains.others_branch
        assert pool.lead >= 0
        assert counted + chains.pool_branch <= found


def test_the_fork_is_published_only_after_delivery_and_only_when_strictly_longer() -> None:
    fork = PrivateFork(confirmations=2, premined=1, followed_deficit=9)
    blocks = [Block.ATTACKER, Block.ATTACKER, Block.HONEST, Block.HONEST]
    assert [fork.handle(block) for block in blocks] == [Step.HOLD, Step.HOLD, Step.HOLD, Step.PUBLISH]

    tied = PrivateFork(confirmations=1, premined=1, followed_deficit=9)
    assert tied.handle(Block.HONEST) is Step.HOLD
    assert tied.handle(Block.ATTACKER) is Step.PUBLISH


def test_the_walk_is_followed_to_its_limit_and_no_further() -> None:
    fork = PrivateFork(confirmations=1, premined=1, followed_deficit=3)
    steps = [fork.handle(Block.HONEST) for _ in range(3)]
    assert steps == [Step.HOLD, Step.HOLD, Step.LAST_DRAW]


def test_a_wait_at_once_equals_the_wait_block_by_block() -> None:
    at_once, by_block = (PrivateFork(3, 1, 50) for _ in range(2))
    step = at_once.pass_time(2)
    for block in (Block.HONEST, Block.ATTACKER, Block.HONEST, Block.ATTACKER, Block.HONEST):
        last = by_block.handle(block)
    assert (step, at_once.short, at_once.awaited) == (last, by_block.short, by_block.awaited)
