"""A chain for tests of mempool and relay: the real ledger over a dictionary, blocks without puzzles."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from horoi.base.keys import KeyPair
from horoi.ledger.bitfield import BitField
from horoi.ledger.block import Block, Header, block_hash, genesis_block, reward_id
from horoi.ledger.conditions import Condition, Key
from horoi.ledger.consensus.nakamoto.reward import subsidy
from horoi.ledger.consensus.nakamoto.tree import Known
from horoi.ledger.genesis import Genesis, Nakamoto, RewardSchedule
from horoi.ledger.ledger import Ledger, Prepared
from horoi.ledger.transaction import (
    NATIVE,
    Body,
    Holding,
    Input,
    Output,
    Post,
    Signature,
    Transaction,
    Witness,
    transaction_id,
)
from horoi.node.events import ConnectedBlock, TipChanged

KEYS = [KeyPair(bytes(31) + bytes([i + 1])) for i in range(8)]
GRANT = 1_000_000
EASY = 0x207FFFFF


class Entries(dict[bytes, bytes]):
    put = dict.__setitem__

    def delete(self, key: bytes) -> None:
        self.pop(key, None)


def make_genesis(*, grants: int = 64, fee_floor: int = 0, maturity: int = 3) -> Genesis:
    """Grant number i belongs to KEYS[i % 8]."""
    consensus = Nakamoto(2_000, 60_000, 10, maturity, EASY, EASY, RewardSchedule(50, 0))
    holdings = tuple(Holding(NATIVE, GRANT, Key(KEYS[i % len(KEYS)].public), None) for i in range(grants))
    return Genesis("test", 1_000_000, consensus, fee_floor, 1_000_000, (), holdings)


class TestChain:
    """Only the tip moves as a test says; headers carry roots but no work."""

    __test__ = False

    def __init__(self, genesis: Genesis | None = None) -> None:
        self.genesis = genesis or make_genesis()
        self.ledger = Ledger(self.genesis, Entries(), BitField())
        first = genesis_block(self.genesis)
        self.ledger.connect(first, [], self.genesis.created_ms)
        self.tip = Known(first.header, block_hash(first.header), None, 0)
        self.blocks: list[ConnectedBlock] = []
        self.behind = 0
        self.grants_id = reward_id(self.ledger.network, 0, self.genesis.grants)

    @property
    def tree(self) -> Any:
        return SimpleNamespace(best=SimpleNamespace(height=self.tip.height + self.behind))

    def _mine(self, prepared: list[Prepared], miner: KeyPair | None, salt: int) -> ConnectedBlock:
        height = self.tip.height + 1
        reward: tuple[Holding, ...] = ()
        if miner is not None:
            coins = subsidy(self.genesis.consensus, height) + sum(item.fee for item in prepared)
            reward = (Holding(NATIVE, coins, Key(miner.public), None),)
        preview = self.ledger.preview(height, reward, prepared, self.tip.median_time_ms)
        time_ms = self.tip.header.time_ms + 2_000
        roots = (preview.content_root, preview.state_root)
        header = Header(height, self.tip.name, *roots, time_ms, EASY, salt.to_bytes(8, "big"))
        block = Block(header, reward, tuple(item.transaction for item in prepared))
        undo = self.ledger.connect(block, prepared, self.tip.median_time_ms)
        self.tip = Known(header, block_hash(header), self.tip, height)
        self.blocks.append(ConnectedBlock(self.tip, block, tuple(prepared), undo))
        return self.blocks[-1]

    def _take_back(self) -> ConnectedBlock:
        last = self.blocks.pop()
        self.ledger.disconnect(last.block, last.prepared, last.undo)
        assert self.tip.parent is not None
        self.tip = self.tip.parent
        return last

    def move(self, *blocks: list[Prepared], back: int = 0, miner: KeyPair | None = None, salt: int = 0) -> TipChanged:
        """Take ``back`` blocks back, then connect these."""
        gone = tuple(self._take_back() for _ in range(back))
        come = tuple(self._mine(block, miner, salt) for block in blocks)
        return TipChanged(self.tip, gone, come)

    def grant(self, number: int) -> Input:
        """The input that spends grant ``number``."""
        return Input(self.grants_id, number, self.genesis.grants[number])

    def pay(
        self,
        inputs: list[Input],
        *,
        fee: int = 0,
        parts: int = 1,
        to: Condition | None = None,
        valid: bool = True,
    ) -> Transaction:
        """Spend holdings of the coin that KEYS own; outputs in equal parts, the rest in the last."""
        total = sum(spent.content.quantity for spent in inputs) - fee  # type: ignore[union-attr]
        owner = to or Key(KEYS[0].public)
        shares = [total // parts] * (parts - 1)
        shares.append(total - sum(shares))
        outputs: tuple[Output, ...] = tuple(Holding(NATIVE, share, owner, None) for share in shares)
        body = Body(inputs=tuple(inputs), outputs=outputs)
        owners = {spent.content.owner.public for spent in inputs if isinstance(spent.content.owner, Key)}
        return self.sign(body, owners, valid=valid)

    def sign(self, body: Body, owners: set[bytes], *, valid: bool = True) -> Transaction:
        digest = transaction_id(self.ledger.network, body)
        signatures = tuple(
            Signature(pair.public, pair.sign(digest) if valid else bytes(64))
            for pair in sorted(KEYS, key=lambda pair: pair.public)
            if pair.public in owners
        )
        return Transaction(body, Witness(signatures))

    def post(self, text: str, *, since: int | None = None, author: KeyPair = KEYS[0]) -> Transaction:
        """A transaction without inputs."""
        since = self.tip.height if since is None else since
        body = Body(posts=(Post(Key(author.public), text, None, None),), since=since)
        return self.sign(body, {author.public})

    def prepare(self, transaction: Transaction) -> Prepared:
        return self.ledger.prepare(transaction)

    def output(self, prepared: Prepared, index: int = 0) -> Input:
        """The input that spends this output."""
        return Input(prepared.id, index, prepared.transaction.body.outputs[index])
