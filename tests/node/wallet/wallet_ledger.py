"""A real ledger over a dict, for the wallet's tests: blocks are connected without a puzzle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from horoi.base.hashing import sha256
from horoi.base.keys import KeyPair
from horoi.ledger.bitfield import BitField
from horoi.ledger.block import Block, Header, genesis_block
from horoi.ledger.conditions import Condition, Key
from horoi.ledger.genesis import Genesis, Nakamoto, RewardSchedule
from horoi.ledger.ledger import Ledger
from horoi.ledger.transaction import NATIVE, Body, Holding, Transaction, asset_id, transaction_id
from horoi.node.wallet import partial as partials
from horoi.node.wallet.builder import Draft
from horoi.node.wallet.partial import PartialTransaction
from horoi.node.wallet.pools import Spendable, spendable_of_entry

MATURITY = 3


def pair(name: str) -> KeyPair:
    return KeyPair(sha256(b"wallet test " + name.encode()))


PAIRS = {name: pair(name) for name in ("field", "refinery", "carrier", "station", "auditor", "miner")}
FIELD, REFINERY, CARRIER, STATION, AUDITOR, MINER = (Key(p.public) for p in PAIRS.values())


class Entries(dict[bytes, bytes]):
    def put(self, key: bytes, value: bytes) -> None:
        self[key] = value

    def delete(self, key: bytes) -> None:
        self.pop(key, None)


class World:
    """A network of one process. ``time_ms`` is the median time past that blocks are judged by."""

    def __init__(self, fee_floor: int = 0, coins: Iterable[tuple[Condition, int]] = (), reward: int = 50) -> None:
        consensus = Nakamoto(1000, 10_000, 10, MATURITY, 0, 0, RewardSchedule(reward, 0))
        grants = tuple(Holding(NATIVE, quantity, owner, None) for owner, quantity in coins)
        self.genesis = Genesis("test", 1, consensus, fee_floor, 2_000_000, (), grants)
        self.entries = Entries()
        self.ledger = Ledger(self.genesis, self.entries, BitField())
        self.height = 0
        self.time_ms = 1_000
        self.ledger.connect(genesis_block(self.genesis), [], 0)

    @property
    def network(self) -> bytes:
        return self.ledger.network

    def spendables(self) -> list[Spendable]:
        return [spendable_of_entry(key, value) for key, value in self.entries.items() if key[:1] == b"o"]

    def draft(self, payer: Condition | None = None) -> Draft:
        return Draft(
            self.spendables(),
            height=self.height + 1,
            maturity=MATURITY,
            fee_floor=self.genesis.fee_floor,
            payer=payer,
        )

    def signed(self, body: Body, *signers: str) -> Transaction:
        partial = PartialTransaction(self.network, body)
        for name in signers:
            partial = partials.sign(partial, PAIRS[name])
        return partials.finalize(partial, self.height + 1, self.time_ms)

    def connect(self, transactions: Sequence[Transaction] = (), reward: tuple[Holding, ...] = ()) -> None:
        prepared = [self.ledger.prepare(transaction) for transaction in transactions]
        preview = self.ledger.preview(self.height + 1, reward, prepared, self.time_ms)
        header = Header(self.height + 1, bytes(32), preview.content_root, preview.state_root, 1, 0, bytes(8))
        self.ledger.connect_unverified(Block(header, reward, tuple(transactions)), self.time_ms)
        self.height += 1

    def play(self, body: Body, *signers: str) -> bytes:
        """Sign by exactly these and connect a block with it; the transaction's id."""
        self.connect([self.signed(body, *signers)])
        return transaction_id(self.network, body)

    def defined(self, name: str, limit: int = 1_000_000, *, custody: bool = True, issuer: str = "field") -> bytes:
        key = Key(PAIRS[issuer].public)
        body = self.draft(key).define(name, issuer=key, limit=limit, custody=custody).build()
        return asset_id(self.play(body, issuer), 0)

    def books(self, asset: bytes) -> dict[tuple[Condition, Condition | None], int]:
        """Who owns and holds how much."""
        books: dict[tuple[Condition, Condition | None], int] = {}
        for spendable in self.spendables():
            content = spendable.content
            if isinstance(content, Holding) and content.asset == asset:
                pair_ = (content.owner, content.custodian)
                books[pair_] = books.get(pair_, 0) + content.quantity
        return books
