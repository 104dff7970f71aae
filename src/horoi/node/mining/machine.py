"""The miner: a template of the next block, and a capped search for its nonce.

The search goes in slices: every ``SLICE_S`` seconds a job of ``hash_rate * SLICE_S`` attempts (at least one). The cap keeps
several miners on one machine polite, and makes a simulated miner cost what it says. A new tip makes a new template at once;
new transactions enter at the next slice, at most every ``REFRESH_S`` and the less often the more wait.

An empty interval is not skipped: blocks without transactions still carry the clock and the work.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec

from horoi.base.errors import RuleError
from horoi.ledger.block import Block, Header
from horoi.ledger.conditions import Condition
from horoi.ledger.consensus.nakamoto.puzzle import Search
from horoi.ledger.consensus.nakamoto.reward import subsidy
from horoi.ledger.consensus.nakamoto.tree import expected_target
from horoi.ledger.ledger import Prepared
from horoi.ledger.transaction import NATIVE, Holding
from horoi.machine.contract import Action, Arm, Asked, Event, Finished, Fired, Run, Tell
from horoi.machine.host import Started
from horoi.node.chain import Chain
from horoi.node.events import SubmitBlock, TipChanged
from horoi.node.mempool import Mempool

SLICE_S = 0.1  # a guess: short against the shortest useful interval (1 s), long against a job's overhead (0.1 ms)
LONGEST_SLICE_S = 5.0  # a guess: for miners of less than ten hashes per second, as in simulations
REFRESH_S = 0.5  # a guess: a payment waits no longer than that to enter the search
REFRESH_S_PER_TRANSACTION = 100e-6  # a template costs 8 us per transaction, measured: so less than a tenth of a core
HEADER_RESERVE_SIZE_BYTES = 2_000  # header, reward and list heads, at their largest


class SetMining(msgspec.Struct, frozen=True, gc=False):
    """Request: mine at this many hashes per second (0 stops), paying the reward to ``owner``."""

    hash_rate: float
    owner: Condition


class Template(msgspec.Struct, frozen=True, gc=False):
    """A block that lacks only its nonce."""

    header: Header
    reward: tuple[Holding, ...]
    prepared: tuple[Prepared, ...]
    made_at: float

    @property
    def lasts_s(self) -> float:
        """Until it is worth making anew."""
        return REFRESH_S + REFRESH_S_PER_TRANSACTION * len(self.prepared)


class Miner:
    """The machine."""

    wire = None
    hears = (Started, TipChanged, SetMining)

    def __init__(
        self, chain: Chain, mempool: Mempool, dice: random.Random, *, hash_rate: float, owner: Condition | None
    ) -> None:
        self.chain = chain
        self.mempool = mempool
        self.hash_rate = hash_rate if owner is not None else 0.0
        self.owner = owner
        self.blocks_found = 0
        self.attempts = 0
        self._dice = dice
        self._template: Template | None = None
        self._next_nonce = 0
        self._searching = False
        self._owed_attempts = 0.0

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Fired):
            return self._slice(now)
        if isinstance(event, Finished):
            return self._finished(event.job, event.result, now)
        if isinstance(event, Asked):
            return self._asked(event.request)
        return []

    def _asked(self, request: Any) -> list[Action]:
        if isinstance(request, SetMining):
            self.hash_rate, self.owner = request.hash_rate, request.owner
        self._template = None
        if isinstance(request, TipChanged):
            return []
        return [Arm("slice", self._slice_s if self.hash_rate > 0 else None)]

    @property
    def _slice_s(self) -> float:
        return min(LONGEST_SLICE_S, max(SLICE_S, 1 / self.hash_rate))

    def _slice(self, now: float) -> list[Action]:
        if self.hash_rate <= 0:
            return []
        again: list[Action] = [Arm("slice", self._slice_s)]
        self._owed_attempts = min(self._owed_attempts + self.hash_rate * self._slice_s, max(1.0, self.hash_rate))
        attempts = int(self._owed_attempts)
        if self._searching or attempts < 1:
            return again
        template = self._fresh_template(now)
        if template is None:
            return again
        self._owed_attempts -= attempts
        self._searching = True
        job = Search(template.header, self._next_nonce, attempts)
        self._next_nonce += attempts
        self.attempts += attempts
        return [*again, Run(job)]

    def _fresh_template(self, now: float) -> Template | None:
        tip = self.chain.tip
        template = self._template
        if template is not None and template.header.parent == tip.name and now - template.made_at < template.lasts_s:
            return template
        self._template = self._make_template(now)
        self._next_nonce = self._dice.getrandbits(60)
        return self._template

    def _make_template(self, now: float) -> Template | None:
        tip = self.chain.tip
        assert self.owner is not None
        height = tip.height + 1
        prepared = tuple(self.mempool.select(self.chain.genesis.max_block_size_bytes - HEADER_RESERVE_SIZE_BYTES))
        coins = subsidy(self.chain.genesis.consensus, height) + sum(item.fee for item in prepared)
        reward = (Holding(NATIVE, coins, self.owner, None),) if coins else ()
        try:
            preview = self.chain.ledger.preview(height, reward, prepared, tip.median_time_ms)
        except RuleError:
            self.mempool.recheck(now)
            return (
                None  # the mempool held something that does not fit this tip: it is out now, the next slice tries again
            )
        header = Header(
            height=height,
            parent=tip.name,
            content_root=preview.content_root,
            state_root=preview.state_root,
            time_ms=max(int(now * 1000), tip.median_time_ms + 1),
            target=expected_target(self.chain.genesis.consensus, tip),
            nonce=bytes(8),
        )
        return Template(header, reward, prepared, now)

    def _finished(self, job: Search, result: Any, now: float) -> list[Action]:
        self._searching = False
        template = self._template
        if not isinstance(result, Header) or template is None or template.header.parent != result.parent:
            return []
        if template.header != job.header:
            return []
        self._template = None
        self.blocks_found += 1
        transactions = tuple(item.transaction for item in template.prepared)
        return [Tell(SubmitBlock(Block(result, template.reward, transactions)))]
