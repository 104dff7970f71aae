"""Whole nodes and their faults: torn writes, partitions, frozen peers, wrong clocks, full disks. One seed is one run."""

from __future__ import annotations

import random

from tests.node.sim_nodes import BLOCK_S, Net

from horoi.ledger.conditions import Key
from horoi.ledger.transaction import Transaction, transaction_id
from horoi.node.events import TipChanged
from horoi.node.mining.machine import SetMining
from horoi.world.sim.hunt import hunt

CRASHES = 120


def crash_again_and_again(seed: int) -> None:
    """Any node, at any of its disk's operations, also while it opens; what it told was in its chain is never gone."""
    dice = random.Random(seed)
    died = died_opening = 0
    with Net(seed, nodes=4) as net:
        universe = net.universe
        net.load(60)
        while died < CRASHES:
            name = dice.choice(net.names)
            if universe.is_up(name):
                universe.disk(name).arm_crash(dice.randint(1, 9))
            universe.run_while(lambda name=name: universe.is_up(name), 120)  # type: ignore[misc]
            if universe.is_up(name):
                universe.crash(name)
            died += 1
            net.load(dice.uniform(0, 20), every_s=5)
            while not universe.is_up(name):
                if dice.random() < 0.5:
                    universe.disk(name).arm_crash(dice.randint(1, 6))
                universe.restart(name)  # dies at once if the crash comes while it opens
                net.run(0)
                if not universe.is_up(name):
                    died += 1
                    died_opening += 1
                elif dice.random() < 0.5:
                    universe.disk(name).arm_crash(10**9)
        for name in net.names:
            if universe.is_up(name):
                universe.disk(name).arm_crash(10**9)
        net.run(BLOCK_S)
        for name in net.names:
            if not universe.is_up(name):
                universe.restart(name)
        net.settle()
        assert died_opening > 0
        assert min(net.lives.values()) > 10
        assert net.nodes[net.names[0]].chain.tip.height > 10
        net.check()


def test_crashes_at_arbitrary_disk_operations_lose_nothing_that_was_told() -> None:
    hunt(4, crash_again_and_again)


def split_in_two(seed: int) -> None:
    """Both halves confirm, some of it against each other; afterwards there is one history, and everybody was told."""
    with Net(seed, nodes=6) as net:
        universe = net.universe
        net.load(5 * BLOCK_S)
        net.settle()
        left, right = net.names[:3], net.names[3:]
        rivals: list[tuple[bytes, bytes]] = []
        spends = {name: _spends_of_different_grants(net, name, 5) for name in net.names}
        universe.partition(left, right)
        for number, (one, other) in enumerate(pair for pairs in spends.values() for pair in pairs[:2]):
            rivals.append((net.submit(left[number % 3], one), net.submit(right[number % 3], other)))
        peaceful = [net.submit(name, one) for name, pairs in spends.items() for one, _ in pairs[2:]]
        net.run(20 * BLOCK_S)
        tips = [{net.nodes[name].chain.tip.name for name in half} for half in (left, right)]
        assert not tips[0] & tips[1], "each half has a history of its own"
        assert any(net.is_confirmed(left[0], one) and net.is_confirmed(right[0], other) for one, other in rivals)
        universe.heal()
        net.settle(25 * BLOCK_S)
        lost_sides = {name for name, _ in net.reorganisations}
        for number, (one, other) in enumerate(rivals):
            assert net.is_confirmed(left[0], one) != net.is_confirmed(left[0], other)
            winner, loser, home = (one, other, right) if net.is_confirmed(left[0], one) else (other, one, left)
            assert net.conflicts[home[number % 3]].get(loser) == winner, "its wallet's node was told"
        for item in peaceful:
            assert all(net.is_confirmed(name, item) for name in net.names), (
                "what conflicts with nothing is confirmed again"
            )
        assert lost_sides & set(left) or lost_sides & set(right)
        assert not net.bans
        net.check()


def _spends_of_different_grants(net: Net, name: str, count: int) -> list[tuple[Transaction, Transaction]]:
    """Pairs of spends of one holding, no two pairs of the same one."""
    pairs: dict[bytes, tuple[Transaction, Transaction]] = {}
    while len(pairs) < count:
        pair = net._spend_twice(name)
        assert pair is not None
        spent = pair[0].body.inputs[0]
        pairs[spent.source + bytes([spent.index])] = pair
    return list(pairs.values())


def test_a_partition_heals_to_one_history_and_conflicts_are_told() -> None:
    hunt(4, split_in_two)


def leave_the_chain(seed: int) -> None:
    """What was only in the losing half's blocks waits again the moment they are taken back, and is then confirmed."""
    with Net(seed, nodes=5) as net:
        net.load(3 * BLOCK_S)
        net.settle()
        few, many = net.names[:2], net.names[2:]
        net.universe.partition(few, many)
        net.run(60)  # until the links are given up: what waits in them would be news to the others at once
        mine = [net.transfer(few[0]) for _ in range(4)]
        assert net.universe.run_until(
            lambda: all(net.is_confirmed(few[0], item) for item in mine if item), 60 * BLOCK_S
        )
        for name in few:
            net.universe.ask(name, SetMining(0, Key(net.keys[0].public)))
        assert net.universe.run_until(
            lambda: net.nodes[many[0]].chain.tip.work > net.nodes[few[0]].chain.tip.work, 60 * BLOCK_S
        )
        returned: dict[bytes, None] = {}
        hear = net.universe.on_notice
        assert hear is not None

        def watch(name: object, notice: object) -> None:
            hear(name, notice)
            if name == few[0] and isinstance(notice, TipChanged) and notice.disconnected:
                returned.update((item, None) for item in mine if item and item in net.nodes[few[0]].mempool)

        net.universe.on_notice = watch
        net.universe.heal()
        net.settle()
        assert set(returned) == set(mine), "all of them waited again"
        assert all(net.is_confirmed(name, item) for item in mine if item for name in net.names)
        net.check()


def test_a_transaction_that_leaves_the_chain_returns_to_the_mempool() -> None:
    hunt(3, leave_the_chain)


def freeze_one(seed: int) -> None:
    """A peer that neither speaks nor closes is given up; the others go on, and it catches up when it wakes."""
    with Net(seed, nodes=4) as net:
        universe = net.universe
        net.load(3 * BLOCK_S)
        frozen, others = net.names[0], net.names[1:]
        universe.freeze(frozen)
        assert universe.run_until(lambda: all(frozen not in universe.linked(name) for name in others), 120)
        height = net.nodes[frozen].chain.tip.height
        net.load(8 * BLOCK_S, names=others)
        net.settle(names=others)
        assert net.nodes[frozen].chain.tip.height == height
        assert net.nodes[others[0]].chain.tip.height > height
        universe.thaw(frozen)
        net.settle()
        assert not net.bans
        net.check()


def test_a_frozen_peer_is_given_up_and_catches_up_when_it_wakes() -> None:
    hunt(2, freeze_one)


def clock_within_the_limit(seed: int) -> None:
    with Net(seed, nodes=4) as net:
        net.clock_of(net.names[0], 10 * BLOCK_S)
        net.clock_of(net.names[1], -BLOCK_S)
        net.load(20 * BLOCK_S)
        net.settle()
        assert not net.bans
        net.check()


def test_a_clock_within_the_future_limit_is_no_trouble() -> None:
    hunt(2, clock_within_the_limit)


def clock_beyond_the_limit(seed: int) -> None:
    """Blocks from too far in the future are not taken, nobody is banned for his clock, and who sets it right is back."""
    with Net(seed, nodes=5) as net:
        fast, slow, good = net.names[0], net.names[1], net.names[2:]
        net.load(3 * BLOCK_S)
        net.clock_of(fast, 40 * BLOCK_S)
        net.clock_of(slow, -40 * BLOCK_S)
        net.load(20 * BLOCK_S, names=good)
        net.settle(names=good)
        limit_s = net.genesis.consensus.future_limit * BLOCK_S
        newest_s = max(known.header.time_ms for known in net.nodes[good[0]].chain.active) / 1000
        assert newest_s <= net.universe.now + 1_700_000_000 + limit_s + 3  # the lab's clocks are 2 s off at most
        net.clock_of(fast, 0)
        net.clock_of(slow, 0)
        net.settle(60 * BLOCK_S)
        assert not net.bans
        net.check()


def test_a_clock_beyond_the_future_limit_hurts_its_owner_only_and_can_be_set_right() -> None:
    hunt(2, clock_beyond_the_limit)


def fill_a_disk(seed: int) -> None:
    with Net(seed, nodes=4) as net:
        universe = net.universe
        net.load(4 * BLOCK_S)
        full, others = net.names[1], net.names[0]
        disk = universe.disk(full)
        disk.fill(disk.used_bytes + random.Random(seed).randint(0, 3_000))
        assert universe.run_until(lambda: not universe.is_up(full), 60 * BLOCK_S), "it goes on over a full disk"
        [(_, who, why)] = universe.failures
        assert who == full
        assert "the disk is full" in why
        height = net.nodes[full].chain.tip.height
        assert universe.run_until(lambda: net.nodes[others].chain.tip.height > height, 60 * BLOCK_S)
        net.load(BLOCK_S)
        disk.fill(None)
        universe.restart(full)  # checks that all that it told is there
        net.settle()
        assert len(universe.failures) == 1
        net.check()


def test_a_full_disk_stops_a_node_with_one_error_and_loses_nothing() -> None:
    hunt(6, fill_a_disk)


def test_ids_of_rivals_differ() -> None:
    """The pairs of the partition test are what they claim: two transactions, one input."""
    net = Net(1, nodes=3)
    net.run(1)
    for one, other in _spends_of_different_grants(net, net.names[0], 2):
        assert one.body.inputs == other.body.inputs
        assert transaction_id(net.network, one.body) != transaction_id(net.network, other.body)
