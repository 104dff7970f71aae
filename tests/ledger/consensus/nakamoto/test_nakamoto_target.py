"""Targets in compact form, and how much work they are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.base.errors import RuleError
from horoi.ledger.consensus.nakamoto.target import LARGEST_COMPACT, MAX_TARGET, compact, expand, target_for, work

# Bitcoin's developer documentation ("Target nBits"), and the genesis and regtest targets of Bitcoin.
FORMS = [
    (0x01120000, 0x12),
    (0x02123400, 0x1234),
    (0x03123456, 0x123456),
    (0x04123456, 0x12345600),
    (0x05009234, 0x92340000),
    (0x1D00FFFF, 0xFFFF << 208),
    (0x207FFFFF, 0x7FFFFF << 232),
]


@pytest.mark.parametrize(("form", "target"), FORMS)
def test_known_forms(form: int, target: int) -> None:
    assert expand(form) == target
    assert compact(target) == form


@pytest.mark.parametrize(
    "form", [0, 0x01003456, 0x01000000, 0x04923456, 0x01FEDCBA, 0x23000001, 0x22010000, 0xFF123456]
)
def test_forms_that_are_no_target(form: int) -> None:
    with pytest.raises(RuleError, match=r"puzzle\.target"):
        expand(form)


@given(st.integers(1, MAX_TARGET))
@settings(deadline=None, max_examples=200)
def test_a_compact_form_rounds_down_by_less_than_a_part_in_32768(target: int) -> None:
    rounded = expand(compact(target))
    assert rounded <= target
    assert target - rounded <= target >> 15
    assert compact(rounded) == compact(target)


@given(st.integers(1, MAX_TARGET), st.integers(1, MAX_TARGET))
@settings(deadline=None, max_examples=200)
def test_a_harder_target_is_more_work(one: int, two: int) -> None:
    low, high = sorted((one, two))
    assert work(low) >= work(high) >= 1
    assert expand(compact(low)) <= expand(compact(high))


def test_work_is_the_expected_number_of_hashes() -> None:
    assert work(MAX_TARGET) == 1
    assert work(2**255 - 1) == 2
    assert work(1) == 2**255  # of 2**256 hashes two are at most 1
    assert work(0xFFFF << 208) == 0x100010001  # of Bitcoin's genesis block
    assert expand(LARGEST_COMPACT) <= MAX_TARGET


@given(st.integers(1, 2**60))
@settings(deadline=None, max_examples=100)
def test_target_for_is_the_reverse_of_work(hashes: int) -> None:
    assert work(target_for(hashes)) == hashes
