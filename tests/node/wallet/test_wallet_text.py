import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wallet_ledger import CARRIER, FIELD, PAIRS, REFINERY

from horoi.base.address import address_of
from horoi.base.errors import RuleError, UsageError
from horoi.ledger import conditions
from horoi.ledger.conditions import AfterHeight, AfterTime, AllOf, AnyOf, Condition, Preimage, Threshold
from horoi.node.wallet.text import condition_from_text, condition_to_text, format_time, parse_time

FIELD_ADDRESS = address_of(FIELD.public)
CARRIER_ADDRESS = address_of(CARRIER.public)


def test_a_key_by_address_or_letters() -> None:
    for text in (FIELD_ADDRESS, FIELD_ADDRESS.upper(), FIELD.public.hex(), f"  {FIELD.public.hex().upper()}\n"):
        assert condition_from_text(text) == FIELD


def test_compound_conditions() -> None:
    text = json.dumps({"any": [CARRIER_ADDRESS, {"all": [{"after_time": "2026-12-01T00:00:00Z"}, FIELD.public.hex()]}]})
    assert condition_from_text(text) == AnyOf((CARRIER, AllOf((AfterTime(1_796_083_200_000), FIELD))))
    assert condition_from_text('{"after_height": 7}') == AfterHeight(7)
    assert condition_from_text('{"after_time": 7}') == AfterTime(7)
    assert condition_from_text('{"preimage": "%s"}' % ("ab" * 32)) == Preimage(b"\xab" * 32)
    keys = sorted([FIELD.public, CARRIER.public], reverse=True)
    board = condition_from_text(json.dumps({"threshold": 1, "keys": [key.hex() for key in keys]}))
    assert board == Threshold(1, tuple(sorted(keys)))  # whatever the order in which they were written


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "neither an address"),
        ("alice", "neither an address"),
        (FIELD_ADDRESS[:-1] + "q", "checksum"),
        ("ff" * 32, "is not a key"),  # above the field's prime
        (address_of(bytes(32)), "is not a key"),
        ("{", "not JSON"),
        ('{"any": ' + "[" * 4000, "not JSON"),
        ('{"after_height": 1, "after_height": 2}', "stands twice"),
        ('{"after_height": 1, "after_time": 2}', "with the fields"),
        ('{"or": []}', "with the fields"),
        ('{"after_height": 0}', "from 1 to"),
        ('{"after_height": true}', "whole number"),
        ('{"after_height": 1.0}', "whole number"),
        ('{"after_height": 4294967296}', "from 1 to"),
        ('{"after_time": "2026-12-01T00:00:00"}', "in which zone"),
        ('{"after_time": "soon"}', "not a time"),
        ('{"after_time": 1.5}', "not a time"),
        ('{"after_time": "1960-01-01T00:00:00Z"}', "from 1 to"),
        ('{"after_time": "2026-12-01T00:00:00.0001Z"}', "finer than a millisecond"),
        ('{"preimage": "secret"}', "SHA-256"),
        ('{"any": []}', "list of 2 to 16"),
        ('{"any": "x"}', "list of 2 to 16"),
        ('{"any": [3, 4]}', "not a condition"),
        ('{"threshold": 1, "keys": []}', "list of 1 to 16"),
        ('{"threshold": 1, "keys": [7]}', "not a key"),
        ("[" * 9000, "9000 characters"),
    ],
)
def test_refusals(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        condition_from_text(text)


def test_thresholds_that_cannot_be_meant() -> None:
    key = FIELD.public.hex()
    with pytest.raises(UsageError, match="twice"):
        condition_from_text(json.dumps({"threshold": 1, "keys": [key, FIELD_ADDRESS]}))
    with pytest.raises(UsageError, match="from 1 to 1"):
        condition_from_text(json.dumps({"threshold": 2, "keys": [key]}))


def test_nesting_and_size_are_bounded() -> None:
    value: object = FIELD_ADDRESS
    for _ in range(5):
        value = {"any": [value, CARRIER_ADDRESS]}
    with pytest.raises(UsageError, match="nested deeper than 4"):
        condition_from_text(json.dumps(value))
    many = {"any": [{"all": [FIELD.public.hex()] * 16}] * 3}
    with pytest.raises(UsageError, match=r"condition\.size"):
        condition_from_text(json.dumps(many))


def test_times() -> None:
    assert parse_time("1970-01-01T00:00:01+00:00") == 1_000
    assert parse_time("1970-01-01T02:00:00.005+02:00") == 5
    assert format_time(5) == "1970-01-01T00:00:00.005Z"
    assert format_time(2**53) == 2**53  # the year 287396 has no ISO form


keys = st.sampled_from([FIELD, CARRIER, REFINERY])
leaves: st.SearchStrategy[Condition] = st.one_of(
    keys,
    st.builds(AfterHeight, st.integers(1, 2**32 - 1)),
    st.builds(AfterTime, st.integers(1, 2**53)),
    st.builds(Preimage, st.binary(min_size=32, max_size=32)),
    st.integers(1, len(PAIRS)).map(lambda n: Threshold(n, tuple(sorted(p.public for p in PAIRS.values())))),
)


def _combine(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=2, max_size=4).map(tuple)
    return st.one_of(st.builds(AllOf, several), st.builds(AnyOf, several))


@settings(deadline=None)
@given(st.recursive(leaves, _combine, max_leaves=12))
def test_what_is_written_is_read_back(condition: Condition) -> None:
    try:
        conditions.check(condition)
    except RuleError:
        with pytest.raises(UsageError):
            condition_from_text(condition_to_text(condition))
        return
    assert condition_from_text(condition_to_text(condition)) == condition
