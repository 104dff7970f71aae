"""A few relays and the links between them, run by hand: messages cross the wire as bytes and are counted."""

from __future__ import annotations

import random
from collections import Counter, deque
from typing import Any

from tests.node.pool_chain import TestChain

from horoi.machine.contract import Arm, Asked, Finished, Fired, Lost, Received, Run, Send, Tell
from horoi.node.events import PeerReady, Submit, SubmitResult, Submitted
from horoi.node.mempool import Limits, Mempool
from horoi.node.relay import Deliver, Relay


class Net:
    """Nodes 0..n-1, each with a chain of its own from the same genesis."""

    def __init__(self, count: int, links: list[tuple[int, int]], limits: Limits | None = None) -> None:
        self.chains = [TestChain() for _ in range(count)]
        self.pools = [Mempool(chain, limits) for chain in self.chains]
        self.relays = [
            Relay(chain, pool, random.Random(number))
            for number, (chain, pool) in enumerate(zip(self.chains, self.pools, strict=True))
        ]
        self.now = 0.0
        self.notices: list[list[Any]] = [[] for _ in range(count)]
        self.delivered: Counter[tuple[int, int]] = Counter()
        """Transactions by (from, to)."""
        self.silent: dict[int, type] = {}
        """Nodes whose messages of this type are lost."""
        self._mail: deque[tuple[int, int, bytes]] = deque()
        self._jobs: deque[tuple[int, Any]] = deque()
        self._timers: dict[tuple[int, Any], float] = {}
        for a, b in links:
            self.link(a, b)

    def link(self, a: int, b: int) -> None:
        self.hand(a, Asked(PeerReady(b, True, 0)))
        self.hand(b, Asked(PeerReady(a, False, 0)))

    def unlink(self, a: int, b: int) -> None:
        self._mail = deque(mail for mail in self._mail if {mail[0], mail[1]} != {a, b})
        self.hand(a, Lost(b))
        self.hand(b, Lost(a))

    def hand(self, node: int, event: Any) -> None:
        for action in self.relays[node].handle(event, self.now):
            if isinstance(action, Send):
                if self.silent.get(node) is not type(action.message):
                    self._mail.append((node, action.peer, self.relays[node].wire.encode(action.message)))
            elif isinstance(action, Arm):
                self._timers.pop((node, action.timer), None)
                if action.after_s is not None:
                    self._timers[node, action.timer] = self.now + action.after_s
            elif isinstance(action, Run):
                self._jobs.append((node, action.job))
            else:
                assert isinstance(action, Tell)
                self.notices[node].append(action.notice)

    def step(self) -> bool:
        """Deliver a message or do a job."""
        if self._mail:
            source, target, data = self._mail.popleft()
            message = self.relays[target].wire.decode(data)
            if isinstance(message, Deliver):
                self.delivered[source, target] += len(message.transactions)
            self.hand(target, Received(source, message))
            return True
        if self._jobs:
            node, job = self._jobs.popleft()
            self.hand(node, Finished(job, job.run()))
            return True
        return False

    def run(self, seconds: float = 1.0) -> None:
        """Let everything happen for so long."""
        until = self.now + seconds
        while True:
            while self.step():
                pass
            due = min(self._timers.items(), key=lambda item: item[1], default=None)
            if due is None or due[1] > until:
                break
            del self._timers[due[0]]
            self.now = max(self.now, due[1])
            self.hand(due[0][0], Fired(due[0][1]))
        self.now = until

    def submit(self, node: int, *transactions: Any, token: int = 0) -> None:
        self.hand(node, Asked(Submit(token, transactions)))

    def answer(self, node: int, token: int = 0) -> tuple[SubmitResult, ...]:
        (answer,) = [n for n in self.told(node, Submitted) if n.token == token]
        return answer.results  # type: ignore[no-any-return]

    def told(self, node: int, kind: type) -> list[Any]:
        return [notice for notice in self.notices[node] if isinstance(notice, kind)]

    def move(self, *args: Any, **more: Any) -> None:
        """The same blocks on every chain."""
        for node, chain in enumerate(self.chains):
            self.hand(node, Asked(chain.move(*args, **more)))
