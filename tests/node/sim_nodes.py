"""Whole nodes in one simulated universe, for the tests of faults: the lab's network, with everything that was told noted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horoi.lab.ledger import EPOCH_S, LedgerLab, Scenario
from horoi.ledger.transaction import Transaction, transaction_id
from horoi.node.audit import audit_disk
from horoi.node.events import ConflictFound, PeerBanned, TipChanged
from horoi.node.node import Node

BLOCK_S = 15.0


class Net(LedgerLab):
    """Nodes n0, n1, ... that mine; ``told`` keeps which blocks each node said to be part of its chain."""

    def __init__(self, seed: int, nodes: int = 5) -> None:
        super().__init__(Scenario(nodes=nodes, seed=seed, interval_s=BLOCK_S))
        self.told: dict[str, dict[bytes, None]] = {self._name(n): {} for n in range(nodes)}
        self.conflicts: dict[str, dict[bytes, bytes]] = {self._name(n): {} for n in range(nodes)}
        """By node: the id of a transaction that can never confirm, and why: the id of the one that spent the same."""
        self.bans: list[tuple[str, PeerBanned]] = []
        self.reorganisations: list[tuple[str, TipChanged]] = []
        self.lives = dict.fromkeys(self.told, 0)
        self.start()

    def __enter__(self) -> Net:
        self.universe.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.universe.__exit__(*error)

    @property
    def names(self) -> list[str]:
        return list(self.told)

    def up(self) -> list[str]:
        """The honest nodes that run; a test may have added strangers."""
        return [name for name in self.names if self.universe.is_up(name)]

    def _remember(self, name: str) -> Callable[[Node], None]:
        def remember(node: Node) -> None:
            self.nodes[name] = node
            self.lives[name] += 1
            gone = [block for block in self.told[name] if not node.chain.has(block)]
            assert not gone, f"{name} opened without {len(gone)} of {len(self.told[name])} blocks that it had told"

        return remember

    def _hear(self, name: Any, notice: Any) -> None:
        super()._hear(name, notice)
        if isinstance(notice, TipChanged):
            self.told[name].update((block.known.name, None) for block in notice.connected)
            if notice.disconnected:
                self.reorganisations.append((name, notice))
        elif isinstance(notice, ConflictFound):
            self.conflicts[name][notice.id] = notice.by
        elif isinstance(notice, PeerBanned):
            self.bans.append((name, notice))

    # ---- what happens

    def run(self, seconds: float) -> None:
        self.universe.run_for(seconds)

    def submit(self, name: str, transaction: Transaction) -> bytes:
        """Hand a transaction to a node; return its id."""
        self._submit(name, transaction)
        return transaction_id(self.network, transaction.body)

    def transfer(self, name: str) -> bytes | None:
        """A transfer of the node's company, submitted; None if all that it owns waits to be spent."""
        made = self._make_transfer(name)
        if made is None:
            return None
        item = self.submit(name, made)
        self.run(0.5)  # it waits in the pool now: the next one will not spend the same
        return item

    def load(self, seconds: float, every_s: float = 4.0, names: list[str] | None = None) -> None:
        """Let so much time pass with transfers of the nodes that are up, in turn."""
        until = self.universe.now + seconds
        number = 0
        while self.universe.now < until:
            self.run(min(every_s, until - self.universe.now))
            candidates = [name for name in (names or self.names) if self.universe.is_up(name)]
            if candidates:
                self.transfer(candidates[number % len(candidates)])
                number += 1

    def settle(self, limit_s: float = 40 * BLOCK_S, names: list[str] | None = None) -> None:
        """Wait until these nodes (default: all) agree and nothing waits; fail after so long."""
        among = names or self.names

        def settled() -> bool:
            nodes = [self.nodes[name] for name in among]
            states = {(node.chain.tip.name, node.chain.ledger.bits.root()) for node in nodes}
            return len(states) == 1 and not any(len(node.mempool) for node in nodes)

        assert self.universe.run_until(settled, limit_s), (
            f"not settled after {limit_s:g} s: heights {[self.nodes[n].chain.tip.height for n in among]}, "
            f"waiting {[len(self.nodes[n].mempool) for n in among]}"
        )

    def is_confirmed(self, name: str, transaction: bytes) -> bool:
        index = self.nodes[name].index
        assert index is not None
        return index.transaction_place(transaction) is not None

    def clock_of(self, name: str, skew_s: float) -> None:
        self.universe.set_clock(name, skew_s)

    # ---- what must hold

    def check(self) -> None:
        """One history, nothing made or lost, nothing confirmed is gone; stopped, every folder passes its audit."""
        assert self.converged()
        assert self.conserved()
        assert self.lost_confirmed() == 0
        for name in self.names:
            if self.universe.is_up(name):
                self.universe.stop(name)
            report = audit_disk(self.genesis, self.universe.disk(name))
            assert report.ok, (name, report.findings)


__all__ = ["BLOCK_S", "EPOCH_S", "Net"]
