"""A history to measure with: 1-in 2-out transfers, every one signed by a key of its own, over a chosen number of holdings.

Making it is not measured. A fan-out turns the genesis's few grants into as many holdings as the run needs; ``cold`` ones
are never spent, they only have to be in the state.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from horoi.base.codec import encode
from horoi.base.keys import KeyPair
from horoi.ledger.block import Block, Header, reward_id
from horoi.ledger.conditions import Key
from horoi.ledger.consensus.nakamoto import puzzle
from horoi.ledger.consensus.nakamoto.tree import expected_target
from horoi.ledger.genesis import Genesis, Nakamoto, RewardSchedule
from horoi.ledger.transaction import (
    Body,
    Holding,
    Input,
    Signature,
    Transaction,
    Witness,
    transaction_id,
)
from horoi.node.chain import Chain

ASSET = b"\x01" * 32
START_MS = 1_700_000_000_000
LATER_MS = START_MS * 2
FAN = 500  # outputs per fan-out transaction
FANS_PER_BLOCK = 40
TRANSACTIONS_PER_BLOCK = 2_000

Progress = Callable[[str, float], None]


class Purse(NamedTuple):
    """A holding and the key that owns it."""

    key: KeyPair
    spent: Input


@dataclass
class Workload:
    """A genesis, the blocks that set the stage, and the blocks (or transactions) to be measured."""

    genesis: Genesis
    stage: list[bytes]
    blocks: list[bytes]
    transactions: list[Transaction]


def bench_genesis(fans: int, *, interval_ms: int = 60_000, hashes: int = 1, reward: int = 50) -> Genesis:
    """A network with one grant per fan-out transaction."""
    owner = Key(KeyPair(b"\x01" * 32).public)
    target = puzzle.compact(puzzle.target_for(hashes))
    consensus = Nakamoto(interval_ms, interval_ms * 30, 30, 100, target, target, RewardSchedule(reward, 0))
    grants = tuple(Holding(ASSET, FAN * 100, owner, None) for _ in range(fans))
    return Genesis("bench", START_MS, consensus, 0, 16_000_000, (), grants)


def make_workload(
    chain: Chain,
    transactions: int,
    *,
    cold: int = 0,
    seed: int = 1,
    connect: bool = True,
    progress: Progress = lambda what, part: None,
) -> Workload:
    """Fill ``chain`` (fresh, over ``bench_genesis(fans_for(...))``) and return what it was filled with.

    Without ``connect`` the transactions to be measured are only signed, not put into blocks.
    """
    dice = random.Random(seed)
    stage, purses = _fan_out(chain, transactions + cold, transactions, dice)
    made: list[Transaction] = []
    blocks: list[bytes] = []
    for number, purse in enumerate(purses):
        made.append(_transfer(chain, purse, dice))
        if connect and len(made) % TRANSACTIONS_PER_BLOCK == 0:
            blocks.append(add_block(chain, made[-TRANSACTIONS_PER_BLOCK:]))
            progress("signing", (number + 1) / len(purses))
    return Workload(chain.genesis, stage, blocks, made)


def fans_for(holdings: int) -> int:
    """Grants that so many holdings take."""
    return -(-holdings // FAN)


def _fan_out(chain: Chain, holdings: int, hot: int, dice: random.Random) -> tuple[list[bytes], list[Purse]]:
    """Turn the grants into holdings of 100; the first ``hot`` of them are given to keys that we have."""
    owner = KeyPair(b"\x01" * 32)
    source = reward_id(chain.network, 0, chain.genesis.grants)
    stage: list[bytes] = []
    purses: list[Purse] = []
    waiting: list[Transaction] = []
    made = 0
    for number, grant in enumerate(chain.genesis.grants):
        count = min(FAN, holdings - made)
        if count <= 0:
            break
        keys = [KeyPair(dice.randbytes(32)) if made + n < hot else None for n in range(count)]
        outputs = [Holding(ASSET, 100, Key(k.public if k else dice.randbytes(32)), None) for k in keys]
        if count < FAN:
            outputs.append(Holding(ASSET, (FAN - count) * 100, Key(owner.public), None))
        transaction = _signed(chain, Body(inputs=(Input(source, number, grant),), outputs=tuple(outputs)), owner)
        name = transaction_id(chain.network, transaction.body)
        purses += [Purse(k, Input(name, n, outputs[n])) for n, k in enumerate(keys) if k is not None]
        waiting.append(transaction)
        made += count
        if len(waiting) == FANS_PER_BLOCK:
            stage.append(add_block(chain, waiting))
            waiting = []
    if waiting:
        stage.append(add_block(chain, waiting))
    return stage, purses


def _transfer(chain: Chain, purse: Purse, dice: random.Random) -> Transaction:
    outputs = (
        Holding(ASSET, 60, Key(dice.randbytes(32)), None),
        Holding(ASSET, 40, Key(purse.key.public), None),
    )
    return _signed(chain, Body(inputs=(purse.spent,), outputs=outputs), purse.key)


def _signed(chain: Chain, body: Body, key: KeyPair) -> Transaction:
    signature = key.sign(transaction_id(chain.network, body))
    return Transaction(body, Witness((Signature(key.public, signature),)))


def add_block(chain: Chain, transactions: list[Transaction]) -> bytes:
    """Mine a block on the chain's tip, connect it, and return its bytes."""
    tip = chain.tip
    prepared = [chain.ledger.prepare(transaction) for transaction in transactions]
    preview = chain.ledger.preview(tip.height + 1, (), prepared, tip.median_time_ms)
    header = Header(
        height=tip.height + 1,
        parent=tip.name,
        content_root=preview.content_root,
        state_root=preview.state_root,
        time_ms=tip.header.time_ms + chain.genesis.consensus.interval_ms,
        target=expected_target(chain.genesis.consensus, tip),
        nonce=bytes(8),
    )
    solved = puzzle.Search(header, 0, 10_000_000).run()
    assert solved is not None
    raw = encode(Block(solved, (), tuple(transactions)))
    connect_trusted(chain, raw)
    return raw


def connect_trusted(chain: Chain, raw: bytes) -> None:
    """Connect a block without verifying its signatures: setting the stage is not what is measured."""
    staged = chain.stage(raw, LATER_MS)
    chain.keep(staged)
    chain.advance(staged)
    record = chain.take_to_save()
    if record is not None:
        chain.save(record)
