"""The ledger in the simulator: many nodes with load, a partition, crashes and churn, and what must hold afterwards.

The same machines as on real sockets, in one universe per seed. What is asked of every run:

    converged        all nodes that are up hold the same tip and the same state
    conserved        of every asset, what exists is what was granted; of the coin, granted and paid as subsidy
    lost_confirmed   transactions that some node once had confirmed, that could still be in the history, and are nowhere: 0

A transaction whose inputs another one spent on the winning side of the partition is a conflict, not a loss: it is counted
and was reported to its wallet.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from horoi.base.keys import KeyPair
from horoi.ledger.conditions import Key
from horoi.ledger.consensus.nakamoto import puzzle
from horoi.ledger.genesis import Genesis, Nakamoto, RewardSchedule, network_id
from horoi.ledger.ledger import output_key
from horoi.ledger.transaction import (
    NATIVE,
    Body,
    Holding,
    Input,
    Signature,
    Transaction,
    Witness,
    transaction_id,
)
from horoi.node.events import ConflictFound, Submit, TipChanged
from horoi.node.node import Node, NodeConfig, boot_node
from horoi.node.wallet.pools import spendable_of_entry
from horoi.world.sim.network import Network
from horoi.world.sim.universe import Universe

ASSET = b"\x01" * 32
GRANT = 1_000_000
GRANTS_PER_NODE = 20
INTERVAL_S = 15.0
HASH_RATE = 0.4  # hashes per second and node: what the simulated puzzle is worth is its proportion, not its size
EPOCH_S = 1_700_000_000.0
NEIGHBOURS = 3


@dataclass
class Scenario:
    """What happens, in fractions of the whole time where not said otherwise."""

    nodes: int = 30
    minutes: float = 60.0
    seed: int = 7
    transactions_per_s: float = 0.5
    interval_s: float = INTERVAL_S
    partition_from: float = 0.3
    partition_to: float = 0.42
    crashes: int = 12
    leaves: int = 8
    double_spends: int = 10
    settle_minutes: float = 15.0
    """At most so long after the end of the load."""


@dataclass
class Record:
    """What the run notes as it goes."""

    reorgs: int = 0
    deepest_reorg: int = 0
    conflicts_reported: int = 0
    submitted: int = 0
    once_confirmed: dict[bytes, Transaction] = field(default_factory=dict)
    stale_candidates: dict[bytes, None] = field(default_factory=dict)


class LedgerLab:
    """One run."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.dice = random.Random(f"{scenario.seed}/lab/ledger")
        self.keys = [KeyPair(self.dice.randbytes(32)) for _ in range(scenario.nodes)]
        self.genesis = self._genesis()
        self.network = network_id(self.genesis)
        self.record = Record()
        self.nodes: dict[str, Node] = {}
        self.universe = Universe(
            scenario.seed,
            network=Network(),
            epoch_s=EPOCH_S,
            keep_notices=False,
            on_notice=self._hear,
        )
        self._token = 0

    def _genesis(self) -> Genesis:
        hashes = max(1, int(self.scenario.nodes * HASH_RATE * self.scenario.interval_s))
        target = puzzle.compact(puzzle.target_for(hashes))
        easiest = puzzle.compact(puzzle.target_for(max(1, hashes // 8)))
        interval_ms = int(self.scenario.interval_s * 1000)
        consensus = Nakamoto(
            interval_ms=interval_ms,
            half_life_ms=interval_ms * 40,
            future_limit=12,
            maturity=20,
            first_target=target,
            easiest_target=easiest,
            reward=RewardSchedule(50, 0),
        )
        grants = tuple(
            Holding(ASSET, GRANT, Key(key.public), None) for key in self.keys for _ in range(GRANTS_PER_NODE)
        )
        return Genesis("lab", int(EPOCH_S * 1000), consensus, 0, 1_000_000, (), grants)

    # ---- hosts ----------------------------------------------------------------------------------------

    def _name(self, number: int) -> str:
        return f"node{number:03d}"

    def _address(self, number: int) -> str:
        return f"10.{number // 250}.{number % 250}.1:7700"

    def start(self) -> None:
        """Add all nodes, each dialing a few earlier ones."""
        for number in range(self.scenario.nodes):
            earlier = self.dice.sample(range(number), min(number, NEIGHBOURS))
            config = NodeConfig(
                genesis=self.genesis,
                connect=tuple(self._address(other) for other in earlier),
                advertise=self._address(number),
                hash_rate=HASH_RATE,
                reward_to=Key(self.keys[number].public),
            )
            boot = boot_node(config, self._remember(self._name(number)))
            self.universe.add(
                self._name(number), boot, address=self._address(number), clock_skew_s=self.dice.uniform(-2, 2)
            )

    def _remember(self, name: str) -> Callable[[Node], None]:
        def remember(node: Node) -> None:
            self.nodes[name] = node

        return remember

    def up(self) -> list[str]:
        """Names of the nodes that run, in order."""
        return [name for name in self.universe.names if self.universe.is_up(name)]

    # ---- what happens ---------------------------------------------------------------------------------

    def schedule(self) -> None:
        """Put load and faults on the calendar."""
        end_s = self.scenario.minutes * 60
        at = 60.0
        while at < end_s:
            self.universe.at(at, self._submit_one)
            at += self.dice.expovariate(self.scenario.transactions_per_s)
        for _ in range(self.scenario.double_spends):
            self.universe.at(self.dice.uniform(120, end_s), self._double_spend)
        self.universe.at(end_s * self.scenario.partition_from, self._split)
        self.universe.at(end_s * self.scenario.partition_to, self.universe.heal)
        for _ in range(self.scenario.crashes):
            self._schedule_crash(self.dice.uniform(0.1, 0.9) * end_s)
        for _ in range(self.scenario.leaves):
            self._schedule_leave(self.dice.uniform(0.1, 0.9) * end_s)

    def _split(self) -> None:
        names = list(self.universe.names)
        self.dice.shuffle(names)
        cut = len(names) * 2 // 5
        self.universe.partition(names[:cut], names[cut:])

    def _schedule_crash(self, at_s: float) -> None:
        """A crash in the middle of a write, and a restart over what is left."""
        name = self._name(self.dice.randrange(self.scenario.nodes))
        operations = self.dice.randint(1, 6)
        self.universe.at(at_s, lambda: self._arm_crash(name, operations))
        self.universe.at(at_s + self.dice.uniform(90, 240), lambda: self._back(name))

    def _arm_crash(self, name: str, operations: int) -> None:
        if self.universe.is_up(name):
            self.universe.disk(name).arm_crash(operations)

    def _schedule_leave(self, at_s: float) -> None:
        name = self._name(self.dice.randrange(self.scenario.nodes))
        self.universe.at(at_s, lambda: self._leave(name))
        self.universe.at(at_s + self.dice.uniform(60, 600), lambda: self._back(name))

    def _leave(self, name: str) -> None:
        if self.universe.is_up(name):
            self.universe.stop(name)

    def _back(self, name: str) -> None:
        if not self.universe.is_up(name):
            self.universe.restart(name)

    def _hear(self, name: Any, notice: Any) -> None:
        if isinstance(notice, TipChanged):
            if notice.disconnected:
                self.record.reorgs += 1
                self.record.deepest_reorg = max(self.record.deepest_reorg, len(notice.disconnected))
            for block in notice.connected:
                self.record.stale_candidates[block.known.name] = None
                for item in block.prepared:
                    self.record.once_confirmed[item.id] = item.transaction
        elif isinstance(notice, ConflictFound):
            self.record.conflicts_reported += 1

    # ---- load -------------------------------------------------------------------------------------------

    def _submit_one(self) -> None:
        names = self.up()
        if not names:
            return
        name = self.dice.choice(names)
        transaction = self._make_transfer(name)
        if transaction is not None:
            self._submit(name, transaction)

    def _double_spend(self) -> None:
        """The same holding, given to two companies, shown to two nodes at once."""
        names = self.up()
        if len(names) < 2:
            return
        a, b = self.dice.sample(names, 2)
        pair = self._spend_twice(a)
        if pair is not None:
            self._submit(a, pair[0])
            self._submit(b, pair[1])

    def _submit(self, name: str, transaction: Transaction) -> None:
        self._token += 1
        self.record.submitted += 1
        self.universe.ask(name, Submit(self._token, (transaction,)))

    def _pick(self, name: str) -> Input | None:
        node = self.nodes[name]
        assert node.index is not None
        key = self.keys[int(name[4:])].public
        mine = [(source, index) for source, index, _ in node.index.outputs_of(key, most=200)]
        self.dice.shuffle(mine)
        for source, index in mine:
            state_key = output_key(source, index)
            value = node.chain.ledger.entries.get(state_key)
            if value is None or state_key in node.mempool.spends:
                continue
            spendable = spendable_of_entry(state_key, value)
            if isinstance(spendable.content, Holding) and spendable.content.asset == ASSET:
                return Input(source, index, spendable.content)
        return None

    def _make_transfer(self, name: str) -> Transaction | None:
        spent = self._pick(name)
        return None if spent is None else self._give(name, spent, self.dice.randrange(self.scenario.nodes))

    def _spend_twice(self, name: str) -> tuple[Transaction, Transaction] | None:
        spent = self._pick(name)
        if spent is None:
            return None
        first, second = self.dice.sample(range(self.scenario.nodes), 2)
        return self._give(name, spent, first), self._give(name, spent, second)

    def _give(self, name: str, spent: Input, to: int) -> Transaction:
        own = self.keys[int(name[4:])]
        content = spent.content
        assert isinstance(content, Holding)
        part = self.dice.randint(1, content.quantity)
        outputs = [Holding(ASSET, part, Key(self.keys[to].public), None)]
        if part < content.quantity:
            outputs.append(Holding(ASSET, content.quantity - part, Key(own.public), None))
        body = Body(inputs=(spent,), outputs=tuple(outputs))
        signature = own.sign(transaction_id(self.network, body))
        return Transaction(body, Witness((Signature(own.public, signature),)))

    # ---- what must hold ---------------------------------------------------------------------------------

    def converged(self) -> bool:
        """All nodes that are up have the same tip and state."""
        states = {(n.chain.tip.name, n.chain.ledger.bits.root()) for n in self._living()}
        return len(states) == 1

    def _living(self) -> list[Node]:
        return [self.nodes[name] for name in self.up()]

    def conserved(self) -> bool:
        """On every node that is up, nothing was made or lost."""
        return all(self._is_conserved(node) for node in self._living())

    def _is_conserved(self, node: Node) -> bool:
        sums = {ASSET: 0, NATIVE: 0}
        for key, value in node.chain.state.items(b"o", b"p"):
            content = spendable_of_entry(key, value).content
            assert isinstance(content, Holding)
            sums[content.asset] += content.quantity
        granted = GRANT * GRANTS_PER_NODE * self.scenario.nodes
        return sums == {ASSET: granted, NATIVE: 50 * node.chain.tip.height}

    def lost_confirmed(self) -> int:
        """Transactions that were confirmed somewhere, could be in the history, and are nowhere."""
        living = self._living()
        node = living[0]
        assert node.index is not None
        lost = 0
        for item, transaction in self.record.once_confirmed.items():
            if node.index.transaction_place(item) is not None or any(item in other.mempool for other in living):
                continue
            keys = [output_key(spent.source, spent.index) for spent in transaction.body.inputs]
            lost += all(node.chain.ledger.entries.get(key) is not None for key in keys)
        return lost

    def result(self, seconds: float, events: int) -> dict[str, Any]:
        """The figures."""
        node = self._living()[0]
        found = len(self.record.stale_candidates)
        return {
            "nodes": self.scenario.nodes,
            "minutes": self.scenario.minutes,
            "seed": self.scenario.seed,
            "converged": self.converged(),
            "conserved": self.conserved(),
            "lost_confirmed": self.lost_confirmed(),
            "reorgs": self.record.reorgs,
            "deepest_reorg": self.record.deepest_reorg,
            "stale_rate": round(1 - node.chain.tip.height / found, 5) if found else 0.0,
            "height": node.chain.tip.height,
            "submitted": self.record.submitted,
            "confirmed": node.index.marker.transactions if node.index else 0,
            "conflicts_reported": self.record.conflicts_reported,
            "simulated_s": round(self.universe.now, 3),
            "digest": self.universe.digest,
            "events": events,
            "events_per_s": round(events / seconds),
            "seconds": round(seconds, 2),
        }


def run(scenario: Scenario, progress: Callable[[float], None] = lambda fraction: None) -> dict[str, Any]:
    """Run a scenario and return its figures; ``progress`` hears the fraction done."""
    lab = LedgerLab(scenario)
    began = time.perf_counter()
    lab.start()
    lab.schedule()
    end_s = scenario.minutes * 60
    events = 0
    steps = 60
    for step in range(1, steps + 1):
        events += lab.universe.run(end_s * step / steps)
        progress(step / (steps + 2))
    for name in lab.universe.names:
        lab._back(name)
    limit_s = end_s + scenario.settle_minutes * 60
    while lab.universe.now < limit_s:
        events += lab.universe.run(lab.universe.now + scenario.interval_s)
        if lab.converged() and not any(len(node.mempool) for node in lab._living()):
            break
    progress(1.0)
    return lab.result(time.perf_counter() - began, events)
