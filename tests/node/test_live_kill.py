"""kill -9 of real node processes under load: what a node's API had reported is on its disk, and all agree in the end.

``HOROI_KILLS=100`` kills so many times; by default few enough for every run of the tests.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from pathlib import Path

import pytest
from tests.node.live_nodes import NodeProcess, network, spend, wait_until

from horoi.base.codec import encode
from horoi.base.errors import NetworkError, NotFoundError, RuleError
from horoi.ledger.genesis import Genesis
from horoi.ledger.transaction import Transaction
from horoi.node.audit import audit
from horoi.node.chain import Chain
from horoi.world.live.disk import LiveDisk

KILLS = int(os.environ.get("HOROI_KILLS", "12"))
GRANTS = 400
DEEP = 3  # confirmations that a test network of one block a second does not take back


class Reported:
    """What a node's API said before it was killed."""

    def __init__(self) -> None:
        self.blocks: dict[str, None] = {}
        self.work = 0
        self.confirmed: dict[str, int] = {}
        """Transactions by id, with the most confirmations that were reported."""


class Run:
    """Load on the nodes, and what they said."""

    def __init__(self, genesis: Genesis, nodes: list[NodeProcess], dice: random.Random) -> None:
        self.genesis = genesis
        self.nodes = nodes
        self.dice = dice
        self.reported = {node.folder.name: Reported() for node in nodes}
        self.sent: dict[str, Transaction] = {}
        self._next = 0

    def up(self) -> list[NodeProcess]:
        return [node for node in self.nodes if node.client is not None]

    def work_for(self, seconds: float) -> None:
        """Hand in transactions and ask questions for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.submit(self.dice.choice(self.up()))
            self.look(self.dice.choice(self.up()))

    def submit(self, node: NodeProcess) -> None:
        if self._next == len(self.genesis.grants):
            return
        transaction = spend(self.genesis, self._next)
        self._next += 1
        answer = node.api.submit(encode(transaction))
        self.sent[answer.id] = transaction

    def look(self, node: NodeProcess) -> None:
        """Note what the node says is its history. Two answers may stand before and after a reorganisation: both count."""
        seen = self.reported[node.folder.name]
        status = node.api.status()
        seen.work = max(seen.work, int(status.work))
        first = max(0, status.height - 5)
        seen.blocks.update((header.hash, None) for header in node.api.headers(first, 10).headers)
        for item in self.dice.sample(list(self.sent), min(3, len(self.sent))):
            with contextlib.suppress(NotFoundError):
                confirmations = node.api.transaction(item).confirmations
                if confirmations:
                    seen.confirmed[item] = max(confirmations, seen.confirmed.get(item, 0))

    def check_folder(self, node: NodeProcess) -> None:
        """With the process dead and no peer to help: the folder passes its audit and has all that was reported."""
        seen = self.reported[node.folder.name]
        if not (node.folder / "genesis.json").exists():
            assert not seen.blocks
            return
        report = audit(node.folder)
        assert report.ok or [finding.rule for finding in report.findings] == ["log.missing"], report.findings
        disk = LiveDisk(node.folder)
        try:
            chain = Chain(self.genesis, disk)
            chain.recover()
            gone = [name for name in seen.blocks if not chain.has(bytes.fromhex(name))]
            assert not gone, f"{node.folder.name} lost {len(gone)} of {len(seen.blocks)} reported blocks"
            assert chain.tip.work >= seen.work, (
                f"it opened at height {chain.tip.height} with less work than it reported"
            )
            chain.close()
        finally:
            disk.close()


@pytest.mark.real
@pytest.mark.slow
def test_killed_at_any_moment_it_opens_with_all_that_it_reported(tmp_path: Path) -> None:
    dice = random.Random(os.urandom(8))
    with network(tmp_path, 3, GRANTS) as (genesis, nodes):
        run = Run(genesis, nodes, dice)
        for node in nodes:
            node.spawn()
        for node in nodes:
            node.await_ready()
        run.work_for(2.0)
        for number in range(KILLS):
            victim = dice.choice(nodes)
            victim.kill()
            run.check_folder(victim)
            run.work_for(dice.uniform(0.0, 0.4))
            if number % 3 == 2:  # and again while it opens
                victim.spawn()
                run.work_for(dice.uniform(0.1, 1.2))
                victim.kill()
                run.check_folder(victim)
            victim.start()
            run.work_for(dice.uniform(0.0, 0.8))
        _settle(run)
        for node in nodes:
            assert node.stop() == 0
            report = audit(node.folder)
            assert report.ok, report.findings


def _settle(run: Run) -> None:
    """Everything that was handed in is confirmed everywhere, under one tip and one state."""
    nodes = run.nodes
    for node in nodes[1:]:
        node.api.set_mining(0)  # one miner: no ties
    confirmed = {item: most for seen in run.reported.values() for item, most in seen.confirmed.items()}
    assert confirmed, "nothing was confirmed while the nodes were killed"
    wait_until(lambda: all(node.api.status().peers >= 1 for node in nodes), 30, "links")
    wait_until(lambda: len({node.api.status().height for node in nodes}) == 1, 30, "one height")
    for item, transaction in run.sent.items():  # a pool may die with its node: its owner hands in again
        with contextlib.suppress(NetworkError):
            _hand_in_again(nodes[0], item, transaction, was_deep=confirmed.get(item, 0) >= DEEP)
    wait_until(
        lambda: all(node.api.transaction(item).confirmations > 0 for node in nodes for item in run.sent),
        40,
        "confirmation",
    )
    nodes[0].api.set_mining(0)
    wait_until(lambda: len({node.api.status().tip for node in nodes}) == 1, 30, "one tip")
    assert len({node.api.status().state_digest for node in nodes}) == 1
    assert len(run.up()) == len(nodes)


def _hand_in_again(node: NodeProcess, item: str, transaction: Transaction, *, was_deep: bool) -> None:
    try:
        node.api.transaction(item)
    except NotFoundError:
        assert not was_deep, f"transaction {item} was reported with {DEEP} confirmations and is gone"
        try:
            node.api.submit(encode(transaction))
        except RuleError as error:
            raise AssertionError(f"transaction {item} is neither known nor admitted: {error}") from None
