"""A real node without sockets, for tests of the API: its actions are carried out at once, its time is moved by hand."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

from horoi.base.keys import KeyPair
from horoi.ledger.conditions import Condition, Key
from horoi.ledger.consensus.nakamoto.target import compact, target_for
from horoi.ledger.genesis import Genesis, Nakamoto, RewardSchedule
from horoi.ledger.transaction import NATIVE, Holding
from horoi.machine.contract import Action, Arm, Asked, Event, Finished, Fired, Lost, Received, Run, Save, Send, Tell
from horoi.machine.host import Place, Started
from horoi.machine.links import Dial, Linked
from horoi.node.mining.machine import SetMining
from horoi.node.node import Node, NodeConfig, boot_node
from horoi.node.peers.messages import PROTOCOL_VERSION, Hello
from horoi.web.access import NodeAccess
from horoi.world.sim.disk import SimDisk

TOKEN = "ab" * 32
CREATED_MS = 1_700_000_000_000
INTERVAL_MS = 1_000
MATURITY = 3
GRANT = 1_000_000
ALICE, BOB, CARRIER = (KeyPair(bytes([n]) * 32) for n in (1, 2, 3))
NODE_ID = bytes([7]) * 32


def make_genesis(*, fee_floor: int = 0, grants: int = 1, issuers: tuple[Condition, ...] = ()) -> Genesis:
    easy = compact(target_for(2))
    consensus = Nakamoto(INTERVAL_MS, 60_000, 30, MATURITY, easy, easy, RewardSchedule(50, 0))
    coins = tuple(Holding(NATIVE, GRANT, Key(pair.public), None) for pair in (ALICE, BOB) for _ in range(grants))
    return Genesis("test ledger", CREATED_MS, consensus, fee_floor, 8_000_000, issuers, coins)


class InlineHost:
    """Hosts the node of ``config``: a request is answered before ``ask`` returns."""

    def __init__(self, config: NodeConfig) -> None:
        self.address: str | None = "127.0.0.1:9000"
        self.counters: Counter[tuple[str, str]] = Counter({("drop", "silence"): 2, ("error", "ValueError"): 1})
        self.sent: Counter[type] = Counter()
        self.received: Counter[type] = Counter()
        self.ended_bytes_in = 11
        self.ended_bytes_out = 12
        self.now_s = CREATED_MS / 1000 + 1
        self.timers: dict[Any, float] = {}
        self.dialed: list[str] = []
        self.alive: list[Node] = []
        self._listeners: dict[int, tuple[Callable[[Any], None], tuple[type, ...]]] = {}
        self._listeners_made = 0
        self._events: deque[Event] = deque()
        self._is_turning = False
        boot = boot_node(config, self.alive.append)
        self.hosted = boot(Place(NODE_ID, random.Random(2), SimDisk(random.Random(1))))
        self.ask(Started())

    @property
    def node(self) -> Node:
        return self.alive[-1]

    def peers(self) -> Sequence[Any]:
        return []

    def now(self) -> float:
        return self.now_s

    def on_notice(self, callback: Callable[[Any], None], *kinds: type) -> Callable[[], None]:
        self._listeners_made += 1
        number = self._listeners_made
        self._listeners[number] = (callback, kinds)
        return lambda: self._listeners.__delitem__(number)

    def ask(self, request: Any) -> None:
        self.give(Asked(request))

    def give(self, event: Event) -> None:
        self._events.append(event)
        if self._is_turning:
            return
        self._is_turning = True
        try:
            while self._events:
                for action in self.hosted.machine.handle(self._events.popleft(), self.now_s):
                    self._carry_out(action)
        finally:
            self._is_turning = False

    def _carry_out(self, action: Action) -> None:
        if isinstance(action, Run):
            self._events.append(Finished(action.job, action.job.run()))
        elif isinstance(action, Save):
            self.hosted.save(action.record)
        elif isinstance(action, Arm):
            self.timers.pop(action.timer, None)
            if action.after_s is not None:
                self.timers[action.timer] = self.now_s + action.after_s
        elif isinstance(action, Send):
            self.sent[type(action.message)] += 1
        elif isinstance(action, Tell):
            if isinstance(action.notice, Dial):
                self.dialed.append(action.notice.address)
                return
            for callback, kinds in list(self._listeners.values()):
                if not kinds or isinstance(action.notice, kinds):
                    callback(action.notice)

    def tell(self, notice: Any) -> None:
        """As if the node had told this."""
        self._carry_out(Tell(notice))

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def lose(self, peer: bytes) -> None:
        """A peer is gone."""
        self.give(Lost(peer))

    def advance(self, seconds: float) -> None:
        """Move time, firing timers when they are due."""
        until = self.now_s + seconds
        while due := [(at, timer) for timer, at in self.timers.items() if at <= until]:
            at, timer = min(due, key=lambda pair: pair[0])
            del self.timers[timer]
            self.now_s = max(self.now_s, at)
            self.give(Fired(timer))
        self.now_s = until

    def mine(self, blocks: int = 1) -> None:
        """Mine so many blocks with what waits."""
        miner = self.node.miner
        before = (miner.hash_rate, miner.owner)
        owner = before[1] or Key(ALICE.public)
        for _ in range(blocks):
            height = self.node.chain.tip.height
            self.advance(INTERVAL_MS / 1000)
            self.ask(SetMining(1_000.0, owner))
            while self.node.chain.tip.height == height:
                self.advance(0.1)
            self.ask(SetMining(0.0, owner))
        miner.hash_rate, miner.owner = before

    def link(self, peer: bytes, address: str = "192.0.2.1:9000") -> None:
        """A peer dials, and passes the handshake."""
        self.give(Asked(Linked(peer, address, False)))
        hello = Hello(PROTOCOL_VERSION, self.node.chain.network, bytes(8), 9000, "", 5, "test/1")
        self.give(Received(peer, hello))


def make_access(
    genesis: Genesis | None = None, *, keys: dict[str, KeyPair] | None = None, index: bool = True
) -> tuple[NodeAccess, InlineHost]:
    """A node with Alice's keys unlocked, and its host."""
    host = InlineHost(NodeConfig(genesis or make_genesis(), index=index))
    unlocked = {"alice": ALICE} if keys is None else keys
    return NodeAccess(host.node, host, node_id=NODE_ID, keys=unlocked), host
