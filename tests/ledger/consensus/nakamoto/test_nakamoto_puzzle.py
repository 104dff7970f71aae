"""The hash puzzle and the search for its solution."""

from __future__ import annotations

import pytest

from horoi.base.errors import RuleError
from horoi.ledger.block import Header, block_hash
from horoi.ledger.consensus.nakamoto.puzzle import (
    MODELLED_HASHES_PER_S,
    Search,
    check_puzzle,
    compact,
    expand,
    target_for,
)


def header(target: int) -> Header:
    return Header(1, b"\x01" * 32, b"\x02" * 32, b"\x03" * 32, 1_000, target, bytes(8))


def test_the_first_nonce_that_solves_is_found() -> None:
    puzzle = header(compact(target_for(50)))
    found = Search(puzzle, 0, 5_000).run()
    assert found is not None
    check_puzzle(found, block_hash(found))
    nonce = int.from_bytes(found.nonce, "big")
    for earlier in range(nonce):
        other = Header(*[getattr(puzzle, f) for f in Header.__struct_fields__[:-1]], earlier.to_bytes(8, "big"))
        with pytest.raises(RuleError, match=r"puzzle\.unsolved"):
            check_puzzle(other, block_hash(other))
    assert Search(puzzle, 0, nonce).run() is None
    assert Search(puzzle, nonce, 1).run() == found


def test_a_search_changes_nothing_but_the_nonce() -> None:
    found = Search(header(0x207FFFFF), 7, 1_000).run()
    assert found is not None
    for field in Header.__struct_fields__[:-1]:
        assert getattr(found, field) == getattr(header(0x207FFFFF), field)


def test_nonces_wrap_around() -> None:
    found = Search(header(0x207FFFFF), 2**64 - 1, 100).run()
    assert found is not None


def test_the_border_is_a_solution() -> None:
    limit = expand(0x207FFFFF)
    check_puzzle(header(0x207FFFFF), limit.to_bytes(32, "big"))
    with pytest.raises(RuleError, match=r"puzzle\.unsolved"):
        check_puzzle(header(0x207FFFFF), (limit + 1).to_bytes(32, "big"))


def test_a_target_that_is_none_is_refused() -> None:
    with pytest.raises(RuleError, match=r"puzzle\.target"):
        check_puzzle(header(0), bytes(32))


def test_modelled_time() -> None:
    assert Search(header(0x207FFFFF), 0, MODELLED_HASHES_PER_S).modelled_s == 1.0
