"""How live the board is: four nodes that mine, four listeners to their event streams, posts that go in at any of them."""

from __future__ import annotations

import random
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from horoi.base.errors import NetworkError
from horoi.base.keys import KeyPair
from horoi.lab.bench.nodes import BenchNode
from horoi.lab.bench.workload import Progress, bench_genesis
from horoi.ledger.conditions import Key
from horoi.ledger.genesis import Genesis, network_id
from horoi.ledger.transaction import Body, Post, Signature, Transaction, Witness, transaction_id

NODES = 4
INTERVAL_MS = 2_000
HASH_RATE = 2_000
POSTS = 24
EVERY_S = 1.0
TIMEOUT_S = 180.0


class Listener(threading.Thread):
    """Notes when a node told of blocks and of lines. ``seen``: by height or by transaction, in seconds of one clock."""

    def __init__(self, node: BenchNode) -> None:
        super().__init__(daemon=True)
        self._node = node
        self.blocks: dict[int, float] = {}
        self.lines: dict[str, tuple[float, int]] = {}

    def run(self) -> None:
        try:
            for event in self._node.client.events(["block", "movement"]):
                now = time.perf_counter()
                if event.kind == "block":
                    self.blocks.setdefault(event.data["height"], now)
                else:
                    self.lines.setdefault(event.data["transaction"], (now, event.data["height"]))
        except NetworkError:
            return  # the node stopped


def measure_live(folder: Path, progress: Progress) -> dict[str, Any]:
    """The slowest line on any board, and the typical one, after the first node told of its block."""
    genesis = bench_genesis(1, interval_ms=INTERVAL_MS, hashes=NODES * HASH_RATE * INTERVAL_MS // 1000)
    with ExitStack() as stack:
        nodes: list[BenchNode] = []
        for number in range(NODES):
            peers = tuple(node.listen for node in nodes)
            nodes.append(
                stack.enter_context(BenchNode(folder / str(number), genesis, peers=peers, hash_rate=HASH_RATE))
            )
        listeners = [Listener(node) for node in nodes]
        for listener in listeners:
            listener.start()
        sent = _post(nodes, genesis, progress)
        _await_all(listeners, sent)
        late = sorted(_lateness(listeners, item) for item in sent)
    return {"board_live_s": round(late[-1], 3), "board_live_median_s": round(late[len(late) // 2], 3)}


def _post(nodes: list[BenchNode], genesis: Genesis, progress: Progress) -> list[str]:
    """Posts, one a second, each at some node."""
    key, dice, network = KeyPair(b"\x01" * 32), random.Random(3), network_id(genesis)
    sent = []
    for number in range(POSTS):
        node = dice.choice(nodes)
        post = Post(Key(key.public), f"{number} barrels counted", None, None)
        body = Body(posts=(post,), since=node.client.status().height)
        name = transaction_id(network, body)
        node.client.submit(Transaction(body, Witness((Signature(key.public, key.sign(name)),))))
        sent.append(name.hex())
        progress("four boards", number / POSTS)
        time.sleep(EVERY_S)
    return sent


def _await_all(listeners: list[Listener], sent: list[str]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while any(item not in listener.lines for listener in listeners for item in sent):
        if time.monotonic() > deadline:
            raise NetworkError(f"not every board showed every post within {TIMEOUT_S:g} s")
        time.sleep(0.05)


def _lateness(listeners: list[Listener], item: str) -> float:
    """Seconds from the first word of the block that has it to the last board that shows it."""
    rows = [listener.lines[item] for listener in listeners]
    told = [listener.blocks[height] for listener in listeners for height in [rows[0][1]] if height in listener.blocks]
    return max(at for at, _ in rows) - min(told)
