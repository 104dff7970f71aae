"""Random valid histories for the tests of the ledger, with a model beside them that shares no code with the rules.

A ``Universe`` has a few keys, a genesis with grants, a ledger over a plain dict, and the list of holdings and rights that
ought to be unspent. ``random_block`` makes a valid block out of them; ``advance`` connects it and moves the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import NamedTuple

import pytest

from horoi.base.codec import encode
from horoi.base.errors import RuleError
from horoi.base.keys import KeyPair
from horoi.ledger.authority import required
from horoi.ledger.bitfield import BitField
from horoi.ledger.block import Block, Header, block_hash, genesis_block, reward_id
from horoi.ledger.conditions import Condition, Key, keys_named
from horoi.ledger.consensus.nakamoto.reward import subsidy
from horoi.ledger.genesis import Genesis, Nakamoto, RewardSchedule, network_id
from horoi.ledger.ledger import Ledger, Prepared, Undo
from horoi.ledger.transaction import (
    NATIVE,
    Amount,
    Body,
    Definition,
    Holding,
    Input,
    Issue,
    Output,
    Post,
    Recipe,
    Retire,
    Right,
    Signature,
    Transaction,
    Transform,
    Witness,
    asset_id,
    outputs_made,
    transaction_id,
)

PAIRS = [KeyPair(bytes(31) + bytes([number])) for number in range(1, 9)]
BY_KEY = {pair.public: pair for pair in PAIRS}
OWNERS = [Key(pair.public) for pair in PAIRS]
A, B, C, D, E = OWNERS[:5]
"""Five parties for tests that tell a story."""

CREATED_MS = 1_700_000_000_000
INTERVAL_MS = 60_000
EASY = 0x207FFFFF
"""A target that every second hash meets."""


def consensus(
    *,
    future_limit: int = 10,
    maturity: int = 3,
    first_target: int = EASY,
    easiest_target: int = EASY,
    initial: int = 5_000,
    halving_blocks: int = 0,
    half_life_ms: int = 100 * INTERVAL_MS,
) -> Nakamoto:
    schedule = RewardSchedule(initial, halving_blocks)
    return Nakamoto(INTERVAL_MS, half_life_ms, future_limit, maturity, first_target, easiest_target, schedule)


def genesis(
    *,
    name: str = "test",
    grants: Sequence[Holding] | None = None,
    fee_floor: int = 0,
    issuers: tuple[Condition, ...] = (),
    rules: Nakamoto | None = None,
) -> Genesis:
    coins = [Holding(NATIVE, 1_000, owner, None) for owner in OWNERS] if grants is None else grants
    return Genesis(name, CREATED_MS, rules or consensus(), fee_floor, 1_000_000, issuers, tuple(coins))


def signed(
    network: bytes, body: Body, pairs: Iterable[KeyPair] | None = None, preimages: Sequence[bytes] = ()
) -> Transaction:
    """``body`` with the signatures of ``pairs`` (by default: of everybody known here whom the rules name)."""
    if pairs is None:
        need = required(body)
        names = {key for condition in (*need.acting, *need.receiving) for key in keys_named(condition)}
        pairs = [BY_KEY[key] for key in names if key in BY_KEY]
    digest = transaction_id(network, body)
    signatures = [Signature(pair.public, pair.sign(digest)) for pair in sorted(pairs, key=lambda p: p.public)]
    return Transaction(body, Witness(tuple(signatures), tuple(sorted(preimages))))


class Unspent(NamedTuple):
    """What the model holds to be unspent."""

    source: bytes
    index: int
    content: Output
    ripe: int
    """The height from which it may be spent."""

    @property
    def input(self) -> Input:
        return Input(self.source, self.index, self.content)


class Step(NamedTuple):
    """A block with what it takes to go back before it."""

    block: Block
    prepared: tuple[Prepared, ...]
    undo: Undo
    entries_before: dict[bytes, bytes]
    root_before: bytes
    unspent_before: list[Unspent]


class DictEntries(dict[bytes, bytes]):
    """The plainest store."""

    def put(self, key: bytes, value: bytes) -> None:
        self[key] = value

    def delete(self, key: bytes) -> None:
        self.pop(key, None)


class Universe:
    """A ledger and its model."""

    def __init__(self, start: Genesis | None = None, *, seed: int = 0) -> None:
        self.dice = Random(seed)
        self.genesis = start or genesis()
        self.network = network_id(self.genesis)
        self.entries = DictEntries()
        self.ledger = Ledger(self.genesis, self.entries, BitField())
        first = genesis_block(self.genesis)
        self.ledger.connect(first, [], CREATED_MS)
        self.tip: Header = first.header
        source = reward_id(self.network, 0, first.reward)
        self.unspent = [Unspent(source, i, grant, 0) for i, grant in enumerate(first.reward)]
        self.definitions: dict[bytes, Definition] = {}
        self.steps: list[Step] = []

    @property
    def height(self) -> int:
        return self.tip.height

    # ---- blocks ----------------------------------------------------------------------------------

    def block(self, transactions: Sequence[Transaction], reward: tuple[Holding, ...] | None = None) -> Block:
        """A block that follows the tip; its state root is what the ledger says. Raises RuleError as the ledger does."""
        height = self.height + 1
        prepared = [self.ledger.prepare(transaction) for transaction in transactions]
        if reward is None:
            fees = sum(item.fee for item in prepared)
            earned = subsidy(self.genesis.consensus, height) + fees
            reward = (Holding(NATIVE, earned, OWNERS[0], None),) if earned else ()
        seen = self.ledger.preview(height, reward, prepared, CREATED_MS)
        time_ms = self.tip.time_ms + INTERVAL_MS
        header = Header(height, block_hash(self.tip), seen.content_root, seen.state_root, time_ms, EASY, bytes(8))
        return Block(header, reward, tuple(transactions))

    def connect(self, block: Block, median_time_ms: int = CREATED_MS) -> Step:
        """Verify and connect a block; move the model."""
        entries_before, root_before, unspent_before = dict(self.entries), self.ledger.bits.root(), list(self.unspent)
        undo = self.ledger.connect_unverified(block, median_time_ms)
        prepared = tuple(self.ledger.prepare(transaction) for transaction in block.transactions)
        step = Step(block, prepared, undo, entries_before, root_before, unspent_before)
        self.steps.append(step)
        self.tip = block.header
        ripe = self.height + self.genesis.consensus.maturity
        source = reward_id(self.network, self.height, block.reward)
        self.unspent += [Unspent(source, i, made, ripe) for i, made in enumerate(block.reward)]
        for transaction in block.transactions:
            self._apply(transaction.body)
        return step

    def _apply(self, body: Body) -> None:
        gone = {(spent.source, spent.index) for spent in body.inputs}
        self.unspent = [held for held in self.unspent if (held.source, held.index) not in gone]
        name = transaction_id(self.network, body)
        self.unspent += [Unspent(name, i, made, 0) for i, made in enumerate(outputs_made(name, body))]
        for i, definition in enumerate(body.definitions):
            self.definitions[asset_id(name, i)] = definition

    def add(self, *transactions: Transaction) -> Step:
        """One more block with these transactions."""
        return self.connect(self.block(transactions))

    def disconnect(self) -> Step:
        """Take the last block back; the model too."""
        step = self.steps.pop()
        self.ledger.disconnect(step.block, step.prepared, step.undo)
        self.unspent = list(step.unspent_before)
        self.tip = self.steps[-1].block.header if self.steps else genesis_block(self.genesis).header
        return step

    # ---- shorthand for tests that tell a story -------------------------------------------------------

    def sign(self, body: Body, *pairs: KeyPair) -> Transaction:
        return signed(self.network, body, pairs or None)

    def coins_of(self, owner: Condition) -> Unspent:
        return next(h for h in self.spendable() if _is_coin(h.content) and h.content.owner == owner)

    def of(self, asset: bytes) -> list[Unspent]:
        """Unspent holdings of an asset."""
        return [held for held in self.unspent if isinstance(held.content, Holding) and held.content.asset == asset]

    def right_to(self, asset: bytes) -> Unspent:
        return next(h for h in self.unspent if isinstance(h.content, Right) and h.content.asset == asset)

    def define(
        self, *, limit: int = 10_000, custody: bool = False, issuer: Condition = A, name: str = "crude"
    ) -> bytes:
        """Connect a block that defines an asset; return its id."""
        definition = Definition(name, "l", 0, issuer, limit, custody, None)
        body = Body(definitions=(definition,), since=self.height)
        self.add(self.sign(body))
        return asset_id(transaction_id(self.network, body), 0)

    def issue(self, asset: bytes, *made: Holding) -> None:
        """Connect a block that issues these holdings and keeps the rest of the right."""
        right = self.right_to(asset)
        quantity = sum(holding.quantity for holding in made)
        content = right.content
        assert isinstance(content, Right)
        rest = Right(asset, content.limit - quantity, content.owner, content.custody, content.recipes)
        outputs: tuple[Output, ...] = (*made, rest) if rest.limit else made
        self.add(self.sign(Body((right.input,), outputs, issues=(Issue(0, quantity),))))

    def spendable(self) -> list[Unspent]:
        return [held for held in self.unspent if held.ripe <= self.height + 1]

    # ---- random valid history --------------------------------------------------------------------------

    def random_block(self, most: int = 5) -> Block:
        """A valid block of up to ``most`` transactions; later ones may spend what earlier ones made."""
        before = list(self.unspent), dict(self.definitions)
        transactions = []
        verbs = [self._pay, self._pay, self._define, self._issue, self._move, self._move, self._retire, self._transform]
        for _ in range(self.dice.randrange(most + 1)):
            body = self.dice.choice([*verbs, self._narrow, self._post])()
            if body is None:
                continue
            transactions.append(signed(self.network, body))
            self._apply(body)
        self.unspent, self.definitions = before
        return self.block(transactions)

    def advance(self, most: int = 5) -> Step:
        return self.connect(self.random_block(most))

    def _take(self, most: int, *, asset: bytes) -> list[Unspent]:
        held = [h for h in self.spendable() if isinstance(h.content, Holding) and h.content.asset == asset]
        return self.dice.sample(held, min(len(held), self.dice.randint(1, most)))

    def _split(self, asset: bytes, quantity: int, custody: bool) -> tuple[Holding, ...]:
        """Holdings of random owners that sum to ``quantity``."""
        cuts = sorted(self.dice.randint(0, quantity) for _ in range(self.dice.randrange(4)))
        parts = [high - low for low, high in zip([0, *cuts], [*cuts, quantity], strict=True)]
        return tuple(
            Holding(asset, part, self.dice.choice(OWNERS), self.dice.choice(OWNERS) if custody else None)
            for part in parts
            if part
        )

    def _pay(self) -> Body | None:
        taken = self._take(3, asset=NATIVE)
        total = sum(_quantity(held) for held in taken)
        fee = self.dice.randint(0, total)
        return Body(tuple(h.input for h in taken), self._split(NATIVE, total - fee, False)) if taken else None

    def _define(self) -> Body:
        dice = self.dice
        definition = Definition(
            f"asset {dice.randrange(10**6)}",
            "l",
            3,
            dice.choice(OWNERS),
            dice.randint(1, 1_000),
            dice.random() < 0.5,
            None,
        )
        return Body(definitions=(definition,), since=self.height)

    def _rights(self, *, narrow: bool) -> list[tuple[Unspent, Right]]:
        rights = [(held, held.content) for held in self.unspent if isinstance(held.content, Right)]
        return [(held, right) for held, right in rights if bool(right.recipes) == narrow]

    def _issue(self) -> Body | None:
        rights = self._rights(narrow=False)
        if not rights:
            return None
        held, right = self.dice.choice(rights)
        quantity = self.dice.randint(1, right.limit)
        outputs: tuple[Output, ...] = self._split(right.asset, quantity, right.custody)
        rest = self.dice.randint(0, right.limit - quantity)
        if rest:
            outputs = (*outputs, Right(right.asset, rest, self.dice.choice(OWNERS), right.custody, ()))
        return Body((held.input,), outputs, issues=(Issue(0, quantity),))

    def _narrow(self) -> Body | None:
        """License a right to transform some other asset into this one."""
        rights = self._rights(narrow=False)
        if not rights or len(self.definitions) < 2:
            return None
        held, right = self.dice.choice(rights)
        other = self.dice.choice([asset for asset in self.definitions if asset != right.asset])
        recipe = Recipe((Amount(other, self.dice.randint(1, 3)),), self.dice.randint(1, 3))
        return Body((held.input,), (Right(right.asset, right.limit, right.owner, right.custody, (recipe,)),))

    def _transform(self) -> Body | None:
        for held, right in self._rights(narrow=True):
            recipe = right.recipes[0]
            source = recipe.sources[0]
            taken = self._take(3, asset=source.asset)
            total = sum(_quantity(h) for h in taken)
            most = min(right.limit, total * recipe.product // source.quantity)
            if not most:
                continue
            produced = self.dice.randint(1, most)
            consumed = -(-produced * source.quantity // recipe.product)
            custody = self.definitions[source.asset].custody
            outputs = self._split(source.asset, total - consumed, custody) if total > consumed else ()
            verb = Transform(0, 0, (Amount(source.asset, consumed),), produced)
            made = self._split(right.asset, produced, right.custody)
            return Body((held.input, *(h.input for h in taken)), (*outputs, *made), transforms=(verb,))
        return None

    def _asset_held(self) -> bytes | None:
        held = [h.content.asset for h in self.unspent if isinstance(h.content, Holding) and h.content.asset != NATIVE]
        return self.dice.choice(held) if held else None

    def _move(self) -> Body | None:
        asset = self._asset_held()
        if asset is None:
            return None
        taken = self._take(4, asset=asset)
        outputs = self._split(asset, sum(_quantity(h) for h in taken), self.definitions[asset].custody)
        return Body(tuple(h.input for h in taken), outputs)

    def _retire(self) -> Body | None:
        asset = self._asset_held()
        if asset is None:
            return None
        taken = self._take(2, asset=asset)
        total = sum(_quantity(h) for h in taken)
        gone = self.dice.randint(1, total)
        outputs = self._split(asset, total - gone, self.definitions[asset].custody)
        return Body(tuple(h.input for h in taken), outputs, retires=(Retire(asset, gone, "spilled"),))

    def _post(self) -> Body:
        return Body(
            posts=(Post(self.dice.choice(OWNERS), f"seen {self.dice.random()}", None, None),), since=self.height
        )


def _is_coin(content: Output) -> bool:
    return isinstance(content, Holding) and content.asset == NATIVE


def _quantity(held: Unspent) -> int:
    assert isinstance(held.content, Holding)
    return held.content.quantity


def rule_of(action: Callable[[], object]) -> str:
    """The name of the rule that refuses ``action``."""
    with pytest.raises(RuleError) as caught:
        action()
    return caught.value.rule


def outputs_in(entries: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The encoded contents of the outputs that a store has, by outpoint."""
    return {key[1:]: value[10:] for key, value in entries.items() if key[:1] == b"o"}


def model_outputs(unspent: Iterable[Unspent]) -> dict[bytes, bytes]:
    """The same, as the model says."""
    return {held.source + held.index.to_bytes(2, "big"): encode(held.content) for held in unspent}
