"""What a draft's quantities must be before anything is built of them."""

from __future__ import annotations

from horoi.base.codec import U64_MAX, encode
from horoi.base.errors import DecodeError, UsageError
from horoi.ledger.transaction import Amount, Body, Recipe, body_codec


def least_consumed(recipe: Recipe, produced: int) -> tuple[Amount, ...]:
    """The least that a recipe asks for to make ``produced``: of each source its share, rounded up."""
    return tuple(Amount(source.asset, -(-produced * source.quantity // recipe.product)) for source in recipe.sources)


def check_bounds(body: Body) -> None:
    """Lengths and ranges are rules of the byte form (transaction.py): what cannot be read back is not built."""
    try:
        body_codec.decode(encode(body))
    except DecodeError as error:
        raise UsageError(f"the ledger does not take this: {error}", code=error.code) from None


def checked_quantity(quantity: int) -> int:
    """The same, if the ledger counts so far."""
    if not 0 < quantity <= U64_MAX:
        raise UsageError(
            f"a quantity of {quantity}; it is from 1 to {U64_MAX} of the smallest unit",
            code="quantity",
            quantity=str(quantity),
            most=str(U64_MAX),
        )
    return quantity
