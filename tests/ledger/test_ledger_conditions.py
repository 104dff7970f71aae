"""Conditions: what satisfies each, and their bounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.histories import rule_of

from horoi.base.codec import Codec, encode
from horoi.base.errors import DecodeError, RuleError
from horoi.base.hashing import sha256
from horoi.ledger.conditions import (
    MAX_DEPTH,
    MAX_MEMBERS,
    MAX_SIZE_BYTES,
    AfterHeight,
    AfterTime,
    AllOf,
    AnyOf,
    Condition,
    Key,
    Preimage,
    Threshold,
    check,
    hash_of_preimage,
    hashes_named,
    keys_named,
    satisfied,
)

K = [bytes([n]) * 32 for n in range(1, 40)]
CODEC: Codec[Condition] = Codec(Condition, max_size_bytes=100_000)


def holds(
    condition: Condition, signers: tuple[bytes, ...] = (), shown: tuple[bytes, ...] = (), at: int = 0, time: int = 0
) -> bool:
    return satisfied(condition, signers, shown, at, time)


def test_a_key_signs_for_itself_alone() -> None:
    assert holds(Key(K[0]), (K[0],))
    assert not holds(Key(K[0]), (K[1],))
    assert not holds(Key(K[0]))


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_a_threshold_counts_its_own_keys(needed: int) -> None:
    condition = Threshold(needed, (K[0], K[1], K[2]))
    for mask in range(8):
        signers = tuple(K[i] for i in range(3) if mask >> i & 1)
        assert holds(condition, signers) is (len(signers) >= needed)
        assert holds(condition, (*signers, K[9], K[10], K[11])) is (len(signers) >= needed)


def test_locks_open_at_their_height_and_time() -> None:
    assert [holds(AfterHeight(5), at=h) for h in (4, 5, 6)] == [False, True, True]
    assert [holds(AfterTime(5), time=t) for t in (4, 5, 6)] == [False, True, True]
    assert not holds(AfterHeight(5), time=10**9)
    assert not holds(AfterTime(5), at=10**9)


def test_receiving_opens_no_lock() -> None:
    """The smallest locks that there are stay shut at -1."""
    assert not satisfied(AfterHeight(1), (), (), -1, -1)
    assert not satisfied(AfterTime(1), (), (), -1, -1)
    for bad in (b"\x92\x02\x00", b"\x92\x03\x00"):  # a lock at 0 is no lock
        with pytest.raises(DecodeError):
            CODEC.decode(bad)


def test_a_preimage_is_plain_sha256() -> None:
    secret = b"open sesame"
    assert hash_of_preimage(secret) == sha256(secret)
    assert holds(Preimage(sha256(secret)), shown=(sha256(secret),))
    assert not holds(Preimage(sha256(secret)), shown=(sha256(b"other"),))
    assert not holds(Preimage(sha256(secret)), signers=(sha256(secret),))


def test_all_of_and_any_of() -> None:
    both, either = AllOf((Key(K[0]), AfterHeight(9))), AnyOf((Key(K[0]), AfterHeight(9)))
    truth = [(signed, at) for signed in (False, True) for at in (0, 9)]
    assert [holds(both, (K[0],) if s else (), at=h) for s, h in truth] == [False, False, False, True]
    assert [holds(either, (K[0],) if s else (), at=h) for s, h in truth] == [False, True, True, True]


def test_the_carrier_that_vanished() -> None:
    """Any of: the carrier, or the owner after next month (the example of the module)."""
    custody = AnyOf((Key(K[0]), AllOf((AfterTime(1_000), Key(K[1])))))
    assert holds(custody, (K[0],), time=0)
    assert not holds(custody, (K[1],), time=999)
    assert holds(custody, (K[1],), time=1_000)
    assert not holds(custody, (), time=10**9)


def test_an_atomic_exchange() -> None:
    lock = sha256(b"secret")
    here = AnyOf((AllOf((Key(K[0]), Preimage(lock))), AllOf((AfterHeight(50), Key(K[1])))))
    assert not holds(here, (K[0],), at=49)
    assert holds(here, (K[0],), (lock,), at=1)
    assert not holds(here, (K[1],), (lock,), at=49)
    assert holds(here, (K[1],), at=50)


def nested(depth: int) -> Condition:
    condition: Condition = Key(K[0])
    for _ in range(depth - 1):
        condition = AnyOf((condition, AfterHeight(1)))
    return condition


def test_depth_is_bounded() -> None:
    check(nested(MAX_DEPTH))
    assert rule_of(lambda: check(nested(MAX_DEPTH + 1))) == "condition.depth"
    assert rule_of(lambda: check(nested(900))) == "condition.depth"


def test_size_is_bounded() -> None:
    def wide(parts: int) -> Condition:
        keys = tuple(K[:MAX_MEMBERS])
        return AllOf((Threshold(1, keys), *(Key(K[i]) for i in range(parts))))

    fits = max(parts for parts in range(1, MAX_MEMBERS) if len(encode(wide(parts))) <= MAX_SIZE_BYTES)
    check(wide(fits))
    assert rule_of(lambda: check(wide(fits + 1))) == "condition.size"


def test_a_threshold_is_in_order_and_can_be_met() -> None:
    check(Threshold(2, (K[0], K[1])))
    assert rule_of(lambda: check(Threshold(3, (K[0], K[1])))) == "condition.threshold"
    assert rule_of(lambda: check(Threshold(1, (K[1], K[0])))) == "condition.order"
    assert rule_of(lambda: check(Threshold(2, (K[0], K[0])))) == "condition.order"
    assert (
        rule_of(lambda: check(AllOf((Key(K[3]), AnyOf((Threshold(1, (K[1], K[0])), Key(K[2]))))))) == "condition.order"
    )


@pytest.mark.parametrize(
    "condition",
    [
        Threshold(0, (K[0],)),
        Threshold(1, ()),
        Threshold(17, tuple(sorted(K[:17]))),
        AllOf((Key(K[0]),)),
        AnyOf(()),
        AnyOf(tuple(Key(k) for k in K[:17])),
        Key(K[0][:31]),
        Preimage(K[0] + b"\x00"),
        AfterHeight(2**32),
        AfterTime(2**53 + 1),
    ],
    ids=repr,
)
def test_bounds_of_the_byte_form(condition: Condition) -> None:
    with pytest.raises(DecodeError):
        CODEC.decode(encode(condition))


leaves = st.one_of(
    st.builds(Key, st.sampled_from(K)),
    st.builds(AfterHeight, st.integers(1, 9)),
    st.builds(AfterTime, st.integers(1, 9)),
    st.builds(Preimage, st.sampled_from(K)),
    st.lists(st.sampled_from(K[:6]), min_size=1, max_size=4, unique=True).flatmap(
        lambda keys: st.builds(Threshold, st.integers(1, len(keys)), st.just(tuple(sorted(keys))))
    ),
)
trees = st.recursive(
    leaves,
    lambda parts: st.builds(
        lambda kind, members: kind(tuple(members)),
        st.sampled_from([AllOf, AnyOf]),
        st.lists(parts, min_size=2, max_size=3),
    ),
    max_leaves=8,
)


@given(trees)
@settings(deadline=None, max_examples=150)
def test_a_condition_comes_back_from_its_bytes(condition: Condition) -> None:
    assert CODEC.decode(encode(condition)) == condition


@given(trees, st.lists(st.sampled_from(K), unique=True), st.integers(-1, 10), st.integers(-1, 10))
@settings(deadline=None, max_examples=150)
def test_more_agreement_never_hurts(condition: Condition, signers: list[bytes], height: int, time_ms: int) -> None:
    """Monotone: so who may receive may act, and a transaction that is ready stays ready."""
    if satisfied(condition, signers, signers, height, time_ms):
        assert satisfied(condition, [*signers, K[0]], [*signers, K[1]], height + 1, time_ms + 1)


@given(trees)
@settings(deadline=None, max_examples=150)
def test_all_that_is_named_and_all_time_satisfy(condition: Condition) -> None:
    assert satisfied(condition, keys_named(condition), hashes_named(condition), 10, 10)
    if isinstance(condition, Key | Threshold | Preimage):
        assert not satisfied(condition, (), (), 10**9, 10**9)


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_an_answer(data: bytes) -> None:
    try:
        condition = CODEC.decode(data)
    except DecodeError:
        return
    assert encode(condition) == data
    try:
        check(condition)
    except RuleError:
        return
    satisfied(condition, keys_named(condition), hashes_named(condition), 1, 1)
