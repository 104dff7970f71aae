"""What a wallet may spend, by owner and custodian.

A *pool* is all of an asset that one owner owns and one custodian holds: the ledger judges movements between these pairs
(ledger/authority.py), so a choice of inputs never reaches beyond the pair it was asked for. Rights are pooled by owner and
recipes. Rewards that are not mature are counted, so that a refusal can say so, but never chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import InsufficientError, UsageError
from horoi.ledger.authority import describe
from horoi.ledger.conditions import AnyOf, Condition
from horoi.ledger.ledger import read_entry
from horoi.ledger.transaction import (
    MAX_INPUTS,
    MAX_TRANSACTION_SIZE_BYTES,
    NATIVE,
    Amount,
    Holding,
    Input,
    Output,
    Recipe,
    Right,
)
from horoi.node.wallet.selection import select

_output_codec: Codec[Output] = Codec(Output, max_size_bytes=MAX_TRANSACTION_SIZE_BYTES)


class Spendable(Record, frozen=True):
    """An unspent output: where it is, what it is, and when it was made."""

    source: bytes
    index: int
    content: Output
    height: int
    is_reward: bool

    @property
    def quantity(self) -> int:
        """Of a holding its quantity, of a right its limit."""
        return self.content.quantity if isinstance(self.content, Holding) else self.content.limit


def spendable_of_entry(key: bytes, value: bytes) -> Spendable:
    """Read the ledger's state entry of an unspent output (ledger.output_key, ledger.entry_bytes)."""
    entry = read_entry(value)
    content = _output_codec.decode(entry.content)
    return Spendable(key[1:33], int.from_bytes(key[33:], "big"), content, entry.height, entry.is_reward)


def is_mature(spendable: Spendable, height: int, maturity: int) -> bool:
    """Whether a block of ``height`` may spend it: a reward waits ``maturity`` blocks (ledger.check_spend)."""
    return not spendable.is_reward or spendable.height == 0 or height >= spendable.height + maturity


class Pair(NamedTuple):
    """The name of a pool."""

    asset: bytes
    owner: Condition
    custodian: Condition | None


class Pool:
    """One pair's holdings, and what a draft takes from them and gives to them."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.coins: list[Spendable] = []
        self.funds = 0
        """The sum of ``coins``."""
        self.immature = 0
        self.taken = 0
        """To be covered by ``coins``."""
        self.pieces: list[int] = []
        """Quantities that the draft gives to this pair, each an output of its own."""
        self.forced: list[Spendable] = []
        """Coins to be spent in any case."""

    @property
    def available(self) -> int:
        """What can be taken still."""
        return self.funds + sum(self.pieces) - self.taken

    def add(self, coin: Spendable) -> None:
        """Add a holding; the largest come first."""
        self.coins.append(coin)
        self.funds += coin.quantity

    def take(self, quantity: int, elsewhere: int = 0) -> None:
        """Take from what the draft itself gave to this pair, the latest first, then from the coins."""
        self.require(quantity, elsewhere)
        while quantity and self.pieces:
            used = min(quantity, self.pieces[-1])
            quantity -= used
            self.pieces[-1] -= used
            if not self.pieces[-1]:
                self.pieces.pop()
        self.taken += quantity

    def take_coins(self, quantity: int) -> None:
        """Take from the coins alone."""
        have = self.funds - self.taken
        if have < quantity:
            raise _lacking(self, have, quantity)
        self.taken += quantity

    def require(self, quantity: int, elsewhere: int) -> None:
        """Raise InsufficientError unless so much can be taken."""
        if self.available < quantity:
            raise _lacking(self, self.available, quantity, elsewhere)

    def choose(self, extra: int = 0) -> tuple[list[Spendable], int]:
        """The coins that cover what was taken and ``extra``, and the change that is left over."""
        target = self.taken + extra
        forced = sum(coin.quantity for coin in self.forced)
        free = [coin for coin in self.coins if coin not in self.forced]
        positions = select([coin.quantity for coin in free], target - forced, MAX_INPUTS - len(self.forced))
        if positions is None:
            if self.funds < target:
                raise _lacking(self, self.funds, target)
            raise UsageError(
                f"{_named(self.pair.asset)}: the holdings are too small to fit in one transaction: merge first",
                code="holdings-small",
                asset=self.pair.asset.hex(),
            )
        chosen = [*self.forced, *(free[position] for position in positions)]
        return chosen, sum(coin.quantity for coin in chosen) - target

    def made(self, quantity: int) -> Holding:
        """A holding of this pair."""
        return Holding(self.pair.asset, quantity, self.pair.owner, self.pair.custodian)


class RightPool:
    """The rights to one asset of one owner under the same recipes."""

    def __init__(self, asset: bytes, owner: Condition, recipes: tuple[Recipe, ...], custody: bool) -> None:
        self.asset = asset
        self.owner = owner
        self.recipes = recipes
        self.custody = custody
        self.rights: list[Spendable] = []
        self.taken = 0
        """Of the limit, to be covered by ``rights``."""

    def take(self, quantity: int) -> None:
        """Use up so much of the limit."""
        have = sum(right.quantity for right in self.rights) - self.taken
        if have < quantity:
            kind = "transform into" if self.recipes else "issue"
            raise InsufficientError(
                f"right to {kind} {_named(self.asset)}: {describe(self.owner)} may make {have}, needed are {quantity}",
                code="right-lacking",
                asset=self.asset.hex(),
                have=str(have),
                need=str(quantity),
            )
        self.taken += quantity

    def choose(self) -> tuple[list[Spendable], int]:
        """The rights that cover what was taken, and the limit that is left over."""
        positions = select([right.quantity for right in self.rights], self.taken, MAX_INPUTS)
        if positions is None:
            raise UsageError(
                f"rights to {_named(self.asset)}: too many small ones for one transaction",
                code="holdings-small",
                asset=self.asset.hex(),
            )
        chosen = [self.rights[position] for position in positions]
        return chosen, sum(right.quantity for right in chosen) - self.taken

    def made(self, limit: int, owner: Condition, recipes: tuple[Recipe, ...]) -> Right:
        """A right to the same asset."""
        return Right(self.asset, limit, owner, self.custody, recipes)


class Pools:
    """All pools of a draft for a block of ``height``, in the order in which they were first met."""

    def __init__(self, spendables: Iterable[Spendable], height: int, maturity: int) -> None:
        self.holdings: dict[Pair, Pool] = {}
        self.rights: dict[tuple[bytes, Condition, tuple[Recipe, ...]], RightPool] = {}
        self._custody: dict[bytes, bool] = {NATIVE: False}
        unique = {(spendable.source, spendable.index): spendable for spendable in spendables}
        for spendable in sorted(unique.values(), key=_largest_first):
            self._add(spendable, mature=is_mature(spendable, height, maturity))

    def _add(self, spendable: Spendable, *, mature: bool) -> None:
        content = spendable.content
        if isinstance(content, Right):
            self._custody[content.asset] = content.custody
            key = (content.asset, content.owner, content.recipes)
            pool = self.rights.setdefault(key, RightPool(*key, content.custody))
            pool.rights.append(spendable)
            return
        self._custody[content.asset] = content.custodian is not None
        holding = self.pool(Pair(content.asset, content.owner, content.custodian))
        if mature:
            holding.add(spendable)
        else:
            holding.immature += content.quantity

    def pool(self, pair: Pair) -> Pool:
        """The pool of this name, empty if there was none."""
        return self.holdings.setdefault(pair, Pool(pair))

    def has_custody(self, asset: bytes) -> bool:
        """Whether holdings of this asset have custodians; InsufficientError if nothing of it is known."""
        if asset not in self._custody:
            raise InsufficientError(
                f"{_named(asset)}: no holding of it and no right to it is at hand: have 0",
                code="nothing-there",
                asset=asset.hex(),
            )
        return self._custody[asset]

    def find(self, asset: bytes, owner: Condition, custodian: Condition | None) -> Pool:
        """The pool of ``owner`` that ``custodian`` holds.

        A custodian may be named plainly though it holds under a condition of reclaim (any of: it, or ...). Without one it
        is the owner itself if it holds any, else the only one who does.
        """
        if not self.has_custody(asset):
            if custodian is not None:
                raise UsageError(
                    f"{_named(asset)} has no custodians: leave the custodian out",
                    code="no-custodians",
                    asset=asset.hex(),
                )
            return self.pool(Pair(asset, owner, None))
        held = [pool for pair, pool in self.holdings.items() if pair[:2] == (asset, owner) and pool.available]
        for pool in held:
            if pool.pair.custodian == (custodian if custodian is not None else owner):
                return pool
        if custodian is not None:
            held = [pool for pool in held if _holds_under(pool.pair.custodian, custodian)]
        if len(held) > 1:
            names = "; ".join(f"{pool.available} with {describe(pool.pair.custodian or owner)}" for pool in held)
            raise UsageError(
                f"{_named(asset)} is in several hands, name one in full: {names}",
                code="several-hands",
                asset=asset.hex(),
                names=names,
            )
        return held[0] if held else self.pool(Pair(asset, owner, custodian if custodian is not None else owner))

    def right(self, asset: bytes, owner: Condition, recipes: tuple[Recipe, ...]) -> RightPool:
        """The right of ``owner`` under exactly these recipes (none: the free one); InsufficientError if it has none."""
        pool = self.rights.get((asset, owner, recipes))
        if pool is None:
            kind = "under these recipes" if recipes else "to issue freely"
            raise InsufficientError(
                f"asset {asset.hex()}: {describe(owner)} has no right {kind}: have 0",
                code="no-right",
                asset=asset.hex(),
            )
        return pool

    def recipe(
        self, product: bytes, produced: int, by: Condition, wanted: Recipe | None, consumed: Sequence[Amount] | None
    ) -> tuple[RightPool, int]:
        """The right of ``by`` and the number of its recipe that fits; UsageError if several differ."""
        sources = None if consumed is None else [amount.asset for amount in consumed]
        fitting: dict[bytes, tuple[RightPool, int]] = {}
        for pool in self.rights.values():
            if (pool.asset, pool.owner) != (product, by):
                continue
            enough = sum(right.quantity for right in pool.rights) - pool.taken >= produced
            for number, recipe in enumerate(pool.recipes):
                asked = wanted in (None, recipe) and sources in (None, [source.asset for source in recipe.sources])
                if asked and (enough or encode(recipe) not in fitting):
                    fitting[encode(recipe)] = (pool, number)
        if not fitting:
            raise InsufficientError(
                f"asset {product.hex()}: {describe(by)} has no right to transform into it so: have 0, need {produced}",
                code="no-right",
                asset=product.hex(),
            )
        if len(fitting) > 1:
            raise UsageError(
                f"asset {product.hex()}: {len(fitting)} recipes fit; say which one",
                code="several-recipes",
                asset=product.hex(),
            )
        return next(iter(fitting.values()))

    def elsewhere(self, pool: Pool) -> int:
        """What the same owner has of the same asset in other hands, for a refusal."""
        pair = pool.pair
        return sum(p.available for p in self.holdings.values() if p.pair[:2] == pair[:2] and p is not pool)


def input_of(spendable: Spendable) -> Input:
    """The input that spends it."""
    return Input(spendable.source, spendable.index, spendable.content)


def _largest_first(spendable: Spendable) -> tuple[int, bytes, int]:
    return -spendable.quantity, spendable.source, spendable.index


def _holds_under(custodian: Condition | None, plain: Condition) -> bool:
    return isinstance(custodian, AnyOf) and plain in custodian.parts


def _named(asset: bytes) -> str:
    return "the coin" if asset == NATIVE else f"asset {asset.hex()}"


def _lacking(pool: Pool, have: int, need: int, elsewhere: int = 0) -> InsufficientError:
    pair = pool.pair
    hands = f"; {elsewhere} more are in other hands" if elsewhere else ""
    held = "" if pair.custodian is None else f", held by {describe(pair.custodian)}"
    waiting = f"; {pool.immature} more are rewards that are not mature" if pool.immature else ""
    return InsufficientError(
        f"{_named(pair.asset)} of {describe(pair.owner)}{held}: have {have}, need {need}{hands}{waiting}",
        code="holding-lacking",
        asset=pair.asset.hex(),
        have=str(have),
        need=str(need),
        elsewhere=str(elsewhere),
        immature=str(pool.immature),
    )
