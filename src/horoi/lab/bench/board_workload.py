"""A history to read: companies that make, move, sell and lose many assets, and say so in posts of natural shape.

Words of the posts are drawn by Zipf's law (G. K. Zipf, "Human Behavior and the Principle of Least Effort", 1949), as in any
language: the k-th most common word has a k-th of the first one's share. So a question finds common and rare words.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from horoi.base.keys import KeyPair
from horoi.lab.bench.workload import START_MS, Progress, add_block
from horoi.ledger.authority import required
from horoi.ledger.conditions import Condition, Key, keys_named
from horoi.ledger.consensus.nakamoto import puzzle
from horoi.ledger.genesis import Genesis, Nakamoto, RewardSchedule
from horoi.ledger.transaction import (
    Body,
    Definition,
    Holding,
    Input,
    Issue,
    Post,
    Retire,
    Right,
    Signature,
    Transaction,
    Witness,
    asset_id,
    first_right,
    transaction_id,
)
from horoi.node.chain import Chain

COMPANIES = 100
DEFINITIONS = 100  # in one transaction
TRANSACTIONS_PER_BLOCK = 2_000
QUANTITY = 10_000
VOCABULARY = 5_000
WORDS = (6, 14)  # of a post: fewest, most
NAMES = ("crude oil", "petrol 95", "diesel", "kerosene", "bitumen", "naphtha", "heating oil", "πετρέλαιο")
SYLLABLES = ("ba", "ke", "li", "mo", "nu", "pa", "ri", "so", "ta", "ve", "θα", "λά", "σο", "πό")


class Piece(NamedTuple):
    """An unspent holding of the bench."""

    spent: Input
    holding: Holding


def board_genesis() -> Genesis:
    """A network without rewards, whose puzzle is solved at the first try."""
    target = puzzle.compact(puzzle.target_for(1))
    consensus = Nakamoto(60_000, 60_000 * 30, 30, 100, target, target, RewardSchedule(0, 0))
    return Genesis("board bench", START_MS, consensus, 0, 16_000_000, ())


def companies() -> list[KeyPair]:
    """Who takes part."""
    return [KeyPair((number + 1).to_bytes(32, "big")) for number in range(COMPANIES)]


class Writer:
    """Writes the history into a fresh chain over ``board_genesis()``."""

    def __init__(self, chain: Chain, *, transactions: int, assets: int, seed: int = 1) -> None:
        self.chain = chain
        self.transactions = transactions
        self.assets = assets
        self._dice = random.Random(seed)
        self._keys = companies()
        self._by_public = {key.public: key for key in self._keys}
        self.words = _vocabulary(self._dice)
        self._weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
        self._rights: list[tuple[Input, Right]] = []
        self._pieces: list[Piece] = []

    def write(self, progress: Progress = lambda what, part: None) -> None:
        """All blocks."""
        waiting: list[Transaction] = []
        done = 0
        for body in self._bodies():
            waiting.append(self._signed(body))
            if len(waiting) == TRANSACTIONS_PER_BLOCK:
                done += len(waiting)
                add_block(self.chain, waiting)
                waiting = []
                progress("writing a history", done / self.transactions)
        if waiting:
            add_block(self.chain, waiting)

    def _bodies(self) -> Iterator[Body]:
        made = 0
        for start in range(0, self.assets, DEFINITIONS):
            made += 1
            yield self._define(min(DEFINITIONS, self.assets - start))
        for source, right in self._rights:
            made += 1
            yield self._issue(source, right)
        while made < self.transactions:
            made += 1
            yield self._move()

    def _define(self, count: int) -> Body:
        issuer = Key(self._dice.choice(self._keys).public)
        definitions = tuple(
            Definition(
                f"{self._dice.choice(NAMES)} {self._dice.randrange(10**6):06}", "bbl", 0, issuer, 10**9, True, None
            )
            for _ in range(count)
        )
        body = Body(definitions=definitions, posts=(self._post(issuer, None),), since=self.chain.tip.height)
        name = transaction_id(self.chain.network, body)
        for number, definition in enumerate(definitions):
            right = first_right(name, number, definition)
            self._rights.append((Input(name, number, right), right))
            assert right.asset == asset_id(name, number)
        return body

    def _issue(self, source: Input, right: Right) -> Body:
        rest = Right(right.asset, right.limit - QUANTITY, right.owner, right.custody, ())
        made = Holding(right.asset, QUANTITY, right.owner, right.owner)
        return self._keep(
            Body((source,), (rest, made), issues=(Issue(0, QUANTITY),), posts=(self._post(right.owner, made.asset),))
        )

    def _move(self) -> Body:
        """Hand over, sell with delivery, or lose a part of some holding."""
        dice = self._dice
        place = dice.randrange(len(self._pieces))
        piece = self._pieces[place]
        self._pieces[place] = self._pieces[-1]
        self._pieces.pop()
        asset, quantity, owner = piece.holding.asset, piece.holding.quantity, piece.holding.owner
        other = Key(dice.choice(self._keys).public)
        part = max(1, quantity // 2)
        retires: tuple[Retire, ...] = ()
        choice = dice.random()
        if choice < 0.5:
            outputs = [Holding(asset, part, owner, other)]
        elif choice < 0.95:
            outputs = [Holding(asset, part, other, other)]
        else:
            outputs = []
            retires = (Retire(asset, part, dice.choice(("loss", "consumption", "spillage"))),)
        if quantity > part:
            outputs.append(Holding(asset, quantity - part, owner, piece.holding.custodian))
        post = self._post(owner, asset)
        return self._keep(Body((piece.spent,), tuple(outputs), retires=retires, posts=(post,)))

    def _keep(self, body: Body) -> Body:
        name = transaction_id(self.chain.network, body)
        for index, made in enumerate(body.outputs):
            if isinstance(made, Holding):
                self._pieces.append(Piece(Input(name, index, made), made))
        return body

    def _post(self, author: Condition, about: bytes | None) -> Post:
        dice = self._dice
        words = dice.choices(self.words, cum_weights=self._weights, k=dice.randint(*WORDS))
        text = f"{dice.randrange(1, 20_000)} barrels {' '.join(words)}"
        document = dice.randbytes(32) if dice.random() < 0.05 else None
        return Post(author, text, about, document)

    def _signed(self, body: Body) -> Transaction:
        digest = transaction_id(self.chain.network, body)
        need = required(body)
        keys = sorted({key for condition in (*need.acting, *need.receiving) for key in keys_named(condition)})
        return Transaction(body, Witness(tuple(Signature(key, self._by_public[key].sign(digest)) for key in keys)))


def _vocabulary(dice: random.Random) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words["".join(dice.choices(SYLLABLES, k=dice.randint(2, 4)))] = None
    return list(words)
