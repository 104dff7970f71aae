"""Helpers: a small network's chain over a simulated disk, and miners of its blocks."""

from __future__ import annotations

import random

from horoi.base.codec import encode
from horoi.base.keys import KeyPair
from horoi.ledger.block import Block, Header
from horoi.ledger.conditions import Key
from horoi.ledger.consensus.nakamoto import puzzle
from horoi.ledger.consensus.nakamoto.tree import Known, expected_target
from horoi.ledger.genesis import Genesis, Nakamoto, RewardSchedule, network_id
from horoi.ledger.transaction import (
    NATIVE,
    Body,
    Holding,
    Input,
    Output,
    Signature,
    Transaction,
    Witness,
    transaction_id,
)
from horoi.node.chain import Chain
from horoi.node.events import TipChanged
from horoi.world.sim.disk import SimDisk

ASSET = b"\x01" * 32
COMPANIES = [KeyPair(bytes(31) + bytes([n])) for n in range(1, 6)]
START_MS = 1_700_000_000_000
INTERVAL_MS = 60_000
LATER_MS = START_MS * 2


def small_genesis(name: str = "test", hashes: int = 4, grants: int = 40, reward: int = 50) -> Genesis:
    """A network with ``grants`` holdings of 1000 for the companies in turn, and an easy puzzle."""
    target = puzzle.compact(puzzle.target_for(hashes))
    easiest = puzzle.compact(puzzle.MAX_TARGET)
    schedule = RewardSchedule(reward, 0)
    consensus = Nakamoto(INTERVAL_MS, INTERVAL_MS * 60, 12, 10, target, easiest, schedule)
    holdings = tuple(Holding(ASSET, 1000, Key(COMPANIES[n % 5].public), None) for n in range(grants))
    return Genesis(name, START_MS, consensus, 0, 1_000_000, (), holdings)


def new_chain(genesis: Genesis | None = None, disk: SimDisk | None = None) -> Chain:
    """A chain over a simulated disk."""
    chain = Chain(genesis or small_genesis(), disk or SimDisk(random.Random(1)))
    chain.recover()
    return chain


def mine(
    chain: Chain,
    transactions: tuple[Transaction, ...] = (),
    *,
    owner: KeyPair = COMPANIES[0],
    time_ms: int | None = None,
) -> Block:
    """A valid block on the chain's tip. It is not given to the chain."""
    tip: Known = chain.tip
    prepared = [chain.ledger.prepare(transaction) for transaction in transactions]
    reward = (Holding(NATIVE, 50 + sum(item.fee for item in prepared), Key(owner.public), None),)
    preview = chain.ledger.preview(tip.height + 1, reward, prepared, tip.median_time_ms)
    header = Header(
        height=tip.height + 1,
        parent=tip.name,
        content_root=preview.content_root,
        state_root=preview.state_root,
        time_ms=time_ms or tip.header.time_ms + INTERVAL_MS,
        target=expected_target(chain.genesis.consensus, tip),
        nonce=bytes(8),
    )
    return Block(solve(header), reward, transactions)


def solve(header: Header) -> Header:
    """The header with a nonce."""
    solved = puzzle.Search(header, 0, 1_000_000).run()
    assert solved is not None
    return solved


def give(chain: Chain, block: Block) -> TipChanged | None:
    """Hand a block to the chain as sync does, its signatures assumed verified."""
    staged = chain.stage(encode(block), LATER_MS)
    chain.keep(staged)
    change = chain.advance(staged)
    record = chain.take_to_save()
    if record is not None:
        chain.save(record)
    return change


def grow(chain: Chain, blocks: int, **how: object) -> list[Block]:
    """Mine and give so many blocks."""
    made = []
    for _ in range(blocks):
        block = mine(chain, **how)  # type: ignore[arg-type]
        give(chain, block)
        made.append(block)
    return made


def transfer(genesis: Genesis, spent: Input, giver: KeyPair, outputs: tuple[Output, ...]) -> Transaction:
    """A signed transfer."""
    body = Body(inputs=(spent,), outputs=outputs)
    signature = giver.sign(transaction_id(network_id(genesis), body))
    return Transaction(body, Witness((Signature(giver.public, signature),)))


def spend_grant(chain: Chain, number: int, to: KeyPair, part: int = 400) -> Transaction:
    """Company ``number % 5`` gives ``part`` of grant ``number`` to ``to`` and keeps the rest."""
    from horoi.ledger.block import reward_id

    grant = chain.genesis.grants[number]
    spent = Input(reward_id(chain.network, 0, chain.genesis.grants), number, grant)
    giver = COMPANIES[number % 5]
    outputs = (Holding(ASSET, part, Key(to.public), None), Holding(ASSET, 1000 - part, Key(giver.public), None))
    return transfer(chain.genesis, spent, giver, outputs)


def state_of(chain: Chain) -> dict[bytes, bytes]:
    """Every entry of the ledger's state."""
    state = {
        key: value for prefix in (b"o", b"i", b"w") for key, value in chain.state.items(prefix, bytes([prefix[0] + 1]))
    }
    state[b"bits"] = chain.ledger.bits.root()
    return state
