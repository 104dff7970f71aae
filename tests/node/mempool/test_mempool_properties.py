"""The pool's invariants under any history: admissions, blocks, reorganisations, evictions, expiry."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.node.pool_chain import KEYS, TestChain, make_genesis

from horoi.base.errors import RuleError
from horoi.ledger.ledger import Prepared, output_key
from horoi.ledger.transaction import Input
from horoi.node.mempool import Limits, Mempool

INDEX = st.integers(0, 10_000)


class PoolMachine(RuleBasedStateMachine):
    @initialize(
        fee_floor=st.sampled_from([0, 10]), max_count=st.integers(2, 12), max_size_bytes=st.integers(800, 6_000)
    )
    def begin(self, fee_floor: int, max_count: int, max_size_bytes: int) -> None:
        self.chain = TestChain(make_genesis(grants=6, fee_floor=fee_floor, maturity=2))
        limits = Limits(max_count=max_count, max_size_bytes=max_size_bytes, max_family=4, max_age_s=30.0)
        self.pool = Mempool(self.chain, limits)
        self.made: list[Prepared] = []
        self.now = 0.0
        self.was_behind_its_back = False

    def _inputs(self, picks: list[int], fresh: bool) -> list[Input]:
        """Outputs of grants and of everything ever made; ``fresh``: those that nothing waiting spends, and that exist."""
        all_outputs = [self.chain.grant(number) for number in range(6)] + [
            self.chain.output(item, index) for item in self.made for index in range(len(item.transaction.body.outputs))
        ]
        if fresh:
            all_outputs = [spends for spends in all_outputs if self._is_free(spends)] or all_outputs
        chosen = {pick % len(all_outputs): None for pick in picks}
        return [all_outputs[pick] for pick in chosen]

    def _is_free(self, spends: Input) -> bool:
        key = output_key(spends.source, spends.index)
        return key not in self.pool.spends and (spends.source in self.pool or key in self.chain.ledger.entries)

    @rule(
        picks=st.lists(INDEX, min_size=1, max_size=3),
        fee=st.sampled_from([5, 50, 5_000, 30_000]),
        parts=st.integers(1, 3),
        fresh=st.sampled_from([True, True, False]),
    )
    def add(self, picks: list[int], fee: int, parts: int, fresh: bool) -> None:
        inputs = self._inputs(picks, fresh)
        if sum(spent.content.quantity for spent in inputs) < fee + parts:  # type: ignore[union-attr]
            return
        try:
            item = self.chain.prepare(self.chain.pay(inputs, fee=fee, parts=parts, valid=False))
        except RuleError:
            return
        self.made.append(item)
        try:
            self.pool.add(item, self.now, source=fee % 3)
        except RuleError:
            return
        assert item.id in self.pool

    @rule(text=st.integers(0, 3), author=st.integers(0, 2))
    def post(self, text: int, author: int) -> None:
        try:
            item = self.chain.prepare(self.chain.post(str(text), author=KEYS[author]))
            self.pool.add(item, self.now)
        except RuleError:
            return

    @rule(size_bytes=st.integers(0, 3_000), mined=st.booleans(), back=st.integers(0, 3), blocks=st.integers(0, 3))
    def move(self, size_bytes: int, mined: bool, back: int, blocks: int) -> None:
        """Blocks of what waits, perhaps after a step back."""
        if back:
            back = min(back, len(self.chain.blocks))
            blocks += max(back - 1, 0)  # a shorter chain may have more work
        miner = KEYS[3] if mined else None
        if not back:
            change = self.chain.move(*([self.pool.select(size_bytes)] if blocks else []), miner=miner)
        else:
            change = self.chain.move(*([[]] * blocks), back=back, miner=miner, salt=1)
        self.pool.follow(change, self.now)

    @rule(pick=INDEX, back=st.integers(0, 2), reverse=st.booleans())
    def rival_block(self, pick: int, back: int, reverse: bool) -> None:
        """A block by somebody who saw other transactions."""
        back = min(back, len(self.chain.blocks))
        gone = self.chain.move(back=back)
        content = []
        for item in self.made[:: -1 if reverse else 1][pick % 3 :]:
            try:
                tip = self.chain.tip
                self.chain.ledger.preview(tip.height + 1, (), [*content, item], tip.median_time_ms)
            except RuleError:
                continue
            content.append(item)
        come = self.chain.move(content, *([[]] * back), salt=2)
        change = type(gone)(come.tip, gone.disconnected, come.connected)
        self.pool.follow(change, self.now)

    @rule(passed_s=st.floats(0, 20))
    def wait(self, passed_s: float) -> None:
        self.now += passed_s
        self.pool.expire(self.now)

    @invariant()
    def holds(self) -> None:
        pool = self.pool
        entries = pool.entries
        assert len(pool) <= pool.limits.max_count
        assert pool.size_bytes == sum(entry.prepared.size_bytes for entry in entries.values())
        assert pool.size_bytes <= pool.limits.max_size_bytes
        spent = {}
        for item, entry in entries.items():
            for spends in entry.prepared.transaction.body.inputs:
                key = output_key(spends.source, spends.index)
                assert key not in spent, "two transactions spend the same output"
                spent[key] = item
            for parent in entry.parents:
                assert item in (entries[parent].children or {})
                assert entries[parent].number < entry.number
            assert all(item in entries[child].parents for child in entry.children or ())
        assert spent == pool.spends
        order = list(pool)
        assert sorted(order) == sorted(entries)
        if pool._quotas is not None:
            counts = [bucket.waiting for bucket in pool._quotas._keys.values()]
            assert sum(counts) == sum(len(e.prepared.transaction.witness.signatures) for e in entries.values())

    @invariant()
    def any_template_can_be_a_block(self) -> None:
        tip = self.chain.tip
        for size_bytes in (900, 1_000_000):
            chosen = self.pool.select(size_bytes)
            assert sum(item.size_bytes for item in chosen) <= size_bytes
            self.chain.ledger.preview(tip.height + 1, (), chosen, tip.median_time_ms)
        assert len(chosen) == len(self.pool), "everything that waits is valid in the next block"


PoolMachine.TestCase.settings = settings(
    max_examples=120, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestPoolMachine = PoolMachine.TestCase
