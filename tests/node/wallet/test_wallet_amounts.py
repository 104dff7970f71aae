from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.base.codec import U64_MAX
from horoi.base.errors import UsageError
from horoi.node.wallet.amounts import format_amount, parse_amount


@pytest.mark.parametrize(
    ("text", "decimals", "quantity"),
    [
        ("6327", 0, 6327),
        ("10.5", 2, 1050),
        ("10.50", 1, 105),
        (" 0.001 ", 3, 1),
        ("007", 0, 7),
        ("18446744073709551615", 0, U64_MAX),
        ("18.446744073709551615", 18, U64_MAX),
    ],
)
def test_parse(text: str, decimals: int, quantity: int) -> None:
    assert parse_amount(text, decimals) == quantity


@pytest.mark.parametrize(
    ("text", "decimals", "why"),
    [
        ("", 2, "not an amount"),
        ("-1", 2, "not an amount"),
        ("+1", 2, "not an amount"),
        ("1e3", 2, "not an amount"),
        ("1,000", 2, "not an amount"),
        ("1_000", 2, "not an amount"),
        (".5", 2, "not an amount"),
        ("5.", 2, "not an amount"),
        ("٣", 2, "not an amount"),  # an Arabic digit, which int() would take
        ("nan", 2, "not an amount"),
        ("10.555", 2, "has 3 decimals; this asset has 2"),
        ("18446744073709551616", 0, "more than the ledger can count"),
        ("1" * 65, 0, "65 characters"),
    ],
)
def test_refusals(text: str, decimals: int, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_amount(text, decimals)


@given(st.integers(0, U64_MAX), st.integers(0, 18))
def test_format_and_parse_are_exact(quantity: int, decimals: int) -> None:
    text = format_amount(quantity, decimals)
    assert parse_amount(text, decimals) == quantity
    assert Decimal(text) == Decimal(quantity).scaleb(-decimals)
