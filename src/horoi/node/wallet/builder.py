"""Drafts: the verbs of the ledger, composed into one transaction body.

A story's step is often several verbs that must happen together or not at all: the refinery sells, hands the barrels to the
carrier and posts the bill of lading's hash. A ``Draft`` collects them and ``build`` makes one body:

    Draft(holdings, height=next_height).transfer(crude, 6327, owner=field, to=refinery)
        .hand_over(crude, 6327, owner=refinery, to=carrier, reclaim_after_ms=...)
        .post(field, "bill of lading 17", about=crude, document=digest)
        .build()

Each verb moves quantities between pools (pools.py), and may move what an earlier verb of the same draft brought. ``build``
chooses inputs for what is left to be covered, gives change back to the same owner and custodian, and finds the fee.
Pure: the same holdings and verbs give the same body. What it returns has passed ``ledger.rules.check_body``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from horoi.base.errors import InsufficientError, UsageError
from horoi.ledger.authority import describe
from horoi.ledger.conditions import AfterHeight, AfterTime, AllOf, AnyOf, Condition, hashes_named, keys_named, satisfied
from horoi.ledger.rules import check_body
from horoi.ledger.transaction import (
    MAX_TRANSACTION_SIZE_BYTES,
    NATIVE,
    Amount,
    Body,
    Definition,
    Input,
    Issue,
    Output,
    Post,
    Recipe,
    Retire,
    Transform,
)
from horoi.node.wallet.fee import needed_fee, signed_size_bytes
from horoi.node.wallet.pools import Pair, Pool, Pools, RightPool, Spendable, input_of
from horoi.node.wallet.quantities import check_bounds, checked_quantity, least_consumed

MAX_MERGED = 200  # inputs of one merge, a guess: at most 30 kB, so that there is room for other verbs and signatures
PLAIN_FEE_ROUNDS = 8  # after these the fee doubles: each round raises it, and choosing other inputs changes the size


class _Making(NamedTuple):
    """An issue or a transform whose right is not chosen yet."""

    pool: RightPool
    quantity: int
    recipe: int
    consumed: tuple[Amount, ...]


class Draft:
    """A transaction in the making, for a block of ``height`` or later.

    ``spendables``: unspent outputs of all who take part. ``maturity`` and ``fee_floor`` are the genesis's; ``payer`` owns
    the coin that pays the fee. Every verb returns the draft, and raises InsufficientError or UsageError at once.
    """

    def __init__(
        self,
        spendables: Iterable[Spendable],
        *,
        height: int,
        maturity: int = 0,
        fee_floor: int = 0,
        payer: Condition | None = None,
    ) -> None:
        self._pools = Pools(spendables, height, maturity)
        self._height = height
        self._fee_floor = fee_floor
        self._payer = payer
        self._fee: int | None = None
        self._definitions: list[Definition] = []
        self._makings: list[_Making] = []
        self._rights_made: list[Output] = []
        self._retires: list[Retire] = []
        self._posts: list[Post] = []

    # ---- making assets ------------------------------------------------------------------------------------------

    def define(
        self,
        name: str,
        *,
        issuer: Condition,
        limit: int,
        unit: str = "",
        decimals: int = 0,
        custody: bool = True,
        terms: bytes | None = None,
    ) -> Draft:
        """Define an asset. Its right exists once the transaction is in a block; issue in a later one."""
        self._definitions.append(Definition(name, unit, decimals, issuer, checked_quantity(limit), custody, terms))
        return self

    def issue(
        self,
        asset: bytes,
        quantity: int,
        *,
        issuer: Condition,
        to: Condition | None = None,
        custodian: Condition | None = None,
    ) -> Draft:
        """Make ``quantity`` under the issuer's free right, owned by ``to`` and held by ``custodian`` (default: the issuer)."""
        pool = self._pools.right(asset, issuer, ())
        pool.take(checked_quantity(quantity))
        self._makings.append(_Making(pool, quantity, 0, ()))
        self._give(asset, quantity, to or issuer, custodian, issuer)
        return self

    def transform(
        self,
        product: bytes,
        produced: int,
        *,
        by: Condition,
        consumed: Sequence[Amount] | None = None,
        recipe: Recipe | None = None,
        held_by: Condition | None = None,
        to: Condition | None = None,
        custodian: Condition | None = None,
    ) -> Draft:
        """Make ``produced`` of ``product`` out of what ``by`` owns and ``held_by`` holds, under a recipe that ``by`` has.

        ``consumed`` defaults to the least that the recipe asks for. The product belongs to ``to`` and is held by
        ``custodian`` (default for both: ``by``). Call it again for further products, and ``retire`` for what was lost.
        """
        if consumed is not None:
            consumed = sorted(consumed, key=lambda amount: amount.asset)
        pool, number = self._pools.recipe(product, checked_quantity(produced), by, recipe, consumed)
        if consumed is None:
            consumed = least_consumed(pool.recipes[number], produced)
        for amount in consumed:
            self._take(amount.asset, amount.quantity, by, held_by)
        pool.take(produced)
        self._makings.append(_Making(pool, produced, number, tuple(consumed)))
        self._give(product, produced, to or by, custodian, by)
        return self

    def refine(
        self,
        source: Amount,
        products: Sequence[Amount],
        *,
        by: Condition,
        loss_reason: str,
        held_by: Condition | None = None,
    ) -> Draft:
        """Use up all of ``source`` for several products; what their recipes do not account for is retired as a loss."""
        rest = source.quantity
        for product in products:
            pool, number = self._pools.recipe(product.asset, checked_quantity(product.quantity), by, None, None)
            consumed = least_consumed(pool.recipes[number], product.quantity)
            rest -= sum(amount.quantity for amount in consumed if amount.asset == source.asset)
            if rest < 0:
                raise InsufficientError(
                    f"asset {source.asset.hex()}: have {source.quantity} to refine, need {source.quantity - rest}"
                )
            self.transform(
                product.asset, product.quantity, by=by, consumed=consumed, recipe=pool.recipes[number], held_by=held_by
            )
        if rest:
            self.retire(source.asset, rest, owner=by, reason=loss_reason, custodian=held_by)
        return self

    def license(self, asset: bytes, limit: int, *, owner: Condition, to: Condition, recipes: Sequence[Recipe]) -> Draft:
        """Narrow part of a free right into one to transform under ``recipes``, for ``to``."""
        if not recipes:
            raise UsageError("a license names at least one recipe; pass_right gives a free right away")
        ordered = tuple(
            Recipe(tuple(sorted(recipe.sources, key=lambda source: source.asset)), recipe.product) for recipe in recipes
        )
        return self._move_right(self._pools.right(asset, owner, ()), limit, to, ordered)

    def pass_right(
        self, asset: bytes, limit: int, *, owner: Condition, to: Condition, recipes: tuple[Recipe, ...] = ()
    ) -> Draft:
        """Give ``to`` a right to make up to ``limit``, out of the owner's right under the same recipes."""
        return self._move_right(self._pools.right(asset, owner, recipes), limit, to, recipes)

    # ---- moving -------------------------------------------------------------------------------------------------

    def transfer(
        self,
        asset: bytes,
        quantity: int,
        *,
        owner: Condition,
        to: Condition,
        custodian: Condition | None = None,
        new_custodian: Condition | None = None,
    ) -> Draft:
        """Change the owner. Custody stays with whoever holds it, unless ``new_custodian`` receives it too.

        It stays under the same condition: if that lets the *old* owner reclaim, the buyer should ask for another.
        """
        pool = self._take(asset, quantity, owner, custodian)
        held = pool.pair.custodian if new_custodian is None else new_custodian
        self._give(asset, quantity, to, held, to)
        return self

    def hand_over(
        self,
        asset: bytes,
        quantity: int,
        *,
        owner: Condition,
        to: Condition,
        custodian: Condition | None = None,
        reclaim_after_ms: int | None = None,
        reclaim_at_height: int | None = None,
    ) -> Draft:
        """Change the custodian. With a time (ms since 1970) or a height, the owner may take the goods back from then on."""
        if reclaim_after_ms is not None and reclaim_at_height is not None:
            raise UsageError("reclaim after a time or at a height, not both")
        holder = to
        if reclaim_after_ms is not None:
            holder = AnyOf((to, AllOf((AfterTime(reclaim_after_ms), owner))))
        if reclaim_at_height is not None:
            holder = AnyOf((to, AllOf((AfterHeight(reclaim_at_height), owner))))
        pool = self._take(asset, quantity, owner, custodian)
        if pool.pair.custodian is None:
            raise UsageError(
                f"asset {asset.hex()} has no custodians, so nothing can be handed over",
                code="no-custodians",
                asset=asset.hex(),
            )
        self._give(asset, quantity, owner, holder, holder)
        return self

    def reclaim(self, asset: bytes, *, owner: Condition, held_by: Condition, quantity: int | None = None) -> Draft:
        """Take goods back from a custodian under the condition of the hand-over; all of them unless ``quantity`` is less.

        The ledger accepts it once the time or height has come.
        """
        pool = self._pools.find(asset, owner, held_by)
        holder = pool.pair.custodian
        if holder == owner:
            raise UsageError(f"asset {asset.hex()} is with its owner already: nothing to reclaim")
        if holder is None or not satisfied(holder, keys_named(owner), hashes_named(owner), 2**32, 2**53):
            raise UsageError(
                f"{describe(holder or held_by)} did not agree that the owner may reclaim: it must hand the goods over itself"
            )
        amount = pool.available if quantity is None else quantity
        if not amount:
            raise InsufficientError(f"asset {asset.hex()}: have 0 with {describe(held_by)}, need more than 0")
        return self.hand_over(asset, amount, owner=owner, to=owner, custodian=holder)

    def split(
        self, asset: bytes, quantities: Sequence[int], *, owner: Condition, custodian: Condition | None = None
    ) -> Draft:
        """Make holdings of these quantities out of the owner's; owner and custodian stay. Name it after other verbs."""
        pool = self._pools.find(asset, owner, custodian)
        pool.take_coins(checked_quantity(sum(map(checked_quantity, quantities))))
        pool.pieces.extend(quantities)
        return self

    def merge(self, asset: bytes, *, owner: Condition, custodian: Condition | None = None) -> Draft:
        """Make one holding out of the smallest 200 of the owner's; owner and custodian stay."""
        pool = self._pools.find(asset, owner, custodian)
        coins = pool.coins[-MAX_MERGED:]
        if len(coins) < 2 or pool.taken:
            raise UsageError(f"asset {asset.hex()}: {len(coins)} holding(s), {pool.taken} in use: nothing to merge")
        pool.forced = coins
        total = sum(coin.quantity for coin in coins)
        pool.take_coins(total)
        pool.pieces.append(total)
        return self

    def retire(
        self, asset: bytes, quantity: int, *, owner: Condition, reason: str, custodian: Condition | None = None
    ) -> Draft:
        """Take a quantity out of the books, with the reason."""
        self._take(asset, quantity, owner, custodian)
        self._retires.append(Retire(asset, quantity, reason))
        return self

    # ---- saying and paying --------------------------------------------------------------------------------------

    def post(
        self, author: Condition, text: str = "", *, about: bytes | None = None, document: bytes | None = None
    ) -> Draft:
        """A signed statement, a document's SHA-256, or both, about an asset or on its own."""
        self._posts.append(Post(author, text, about, document))
        return self

    def pay_fee(self, payer: Condition, quantity: int | None = None) -> Draft:
        """Who pays the fee, and how much if it is not to be the least."""
        self._payer = payer
        self._fee = quantity
        return self

    # ---- building -----------------------------------------------------------------------------------------------

    def build(self) -> Body:
        """The body, its fee paid and its change given back. Raises InsufficientError, UsageError or RuleError."""
        fee = self._fee or 0
        rounds = 0
        while True:
            body = self._assemble(fee)
            check_body(body)
            size_bytes = signed_size_bytes(body)
            if size_bytes > MAX_TRANSACTION_SIZE_BYTES:
                raise UsageError(
                    f"{size_bytes} bytes with signatures, the limit is {MAX_TRANSACTION_SIZE_BYTES}: "
                    "merge small holdings first, or split it into several transactions",
                    code="too-large",
                    size=size_bytes,
                    most=MAX_TRANSACTION_SIZE_BYTES,
                )
            least = needed_fee(size_bytes, self._fee_floor)
            if fee >= least:
                body = self._cheaper(body, least, fee)
                check_bounds(body)
                return body
            self._check_payer(least)
            rounds += 1
            fee = least if rounds <= PLAIN_FEE_ROUNDS else 2 * least

    def _cheaper(self, body: Body, least: int, fee: int) -> Body:
        """A higher fee may have chosen fewer inputs than a lower one did, and then be more than they ask for."""
        if self._fee is not None:
            return body
        for _ in range(PLAIN_FEE_ROUNDS):
            if least >= fee:
                return body
            cheaper = self._assemble(least)
            needed = needed_fee(signed_size_bytes(cheaper), self._fee_floor)
            if needed <= least:
                check_body(cheaper)
                return cheaper
            least = needed
        return body

    def _check_payer(self, least: int) -> None:
        if self._fee is not None:
            raise UsageError(
                f"a fee of {self._fee}; this network asks for at least {least}",
                code="fee-low",
                fee=str(self._fee),
                least=str(least),
            )
        if self._payer is None:
            raise UsageError(
                f"this network asks for a fee of {least}: name who pays it", code="fee-nobody", least=str(least)
            )

    def _assemble(self, fee: int) -> Body:
        inputs: list[Input] = []
        outputs: list[Output] = []
        change: list[Output] = []
        fee_pool = self._pools.pool(Pair(NATIVE, self._payer, None)) if fee and self._payer else None
        for pool in self._pools.holdings.values():
            coins, rest = pool.choose(fee if pool is fee_pool else 0)
            inputs += map(input_of, coins)
            outputs += [pool.made(piece) for piece in pool.pieces]
            change += [pool.made(rest)] if rest else []
        first: dict[int, int] = {}
        for rights in self._pools.rights.values():
            if rights.taken:
                first[id(rights)] = len(inputs)
                coins, rest = rights.choose()
                inputs += map(input_of, coins)
                change += [rights.made(rest, rights.owner, rights.recipes)] if rest else []
        issues = [Issue(first[id(m.pool)], m.quantity) for m in self._makings if not m.pool.recipes]
        transforms = [
            Transform(first[id(m.pool)], m.recipe, m.consumed, m.quantity) for m in self._makings if m.pool.recipes
        ]
        return Body(
            tuple(inputs),
            (*outputs, *self._rights_made, *change),
            tuple(self._definitions),
            tuple(issues),
            tuple(transforms),
            tuple(self._retires),
            tuple(self._posts),
            0 if inputs else self._height - 1,
        )

    # ---- pools --------------------------------------------------------------------------------------------------

    def _take(self, asset: bytes, quantity: int, owner: Condition, custodian: Condition | None) -> Pool:
        pool = self._pools.find(asset, owner, custodian)
        pool.take(checked_quantity(quantity), self._pools.elsewhere(pool))
        return pool

    def _give(
        self, asset: bytes, quantity: int, owner: Condition, custodian: Condition | None, default: Condition
    ) -> None:
        if self._pools.has_custody(asset):
            custodian = default if custodian is None else custodian
        elif custodian is not None:
            raise UsageError(
                f"asset {asset.hex()} has no custodians: leave the custodian out",
                code="no-custodians",
                asset=asset.hex(),
            )
        self._pools.pool(Pair(asset, owner, custodian)).pieces.append(quantity)

    def _move_right(self, pool: RightPool, limit: int, to: Condition, recipes: tuple[Recipe, ...]) -> Draft:
        pool.take(checked_quantity(limit))
        self._rights_made.append(pool.made(limit, to, recipes))
        return self
