"""The genesis: as a file for people and as bytes for machines, and which ones no network can run from."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.histories import INTERVAL_MS, OWNERS, A, B, consensus, genesis, rule_of

from horoi.base.codec import encode
from horoi.base.errors import DecodeError, HoroiError, RuleError, UsageError
from horoi.ledger.conditions import AfterHeight, AnyOf, Threshold
from horoi.ledger.genesis import (
    MAX_GRANTS,
    Genesis,
    check_genesis,
    from_json,
    genesis_codec,
    network_id,
    to_json,
)
from horoi.ledger.transaction import NATIVE, Holding

OIL = b"\x0a" * 32

holdings = st.one_of(
    st.builds(Holding, st.just(NATIVE), st.integers(1, 2**50), st.sampled_from(OWNERS), st.none()),
    st.builds(Holding, st.just(OIL), st.integers(1, 2**50), st.sampled_from(OWNERS), st.sampled_from(OWNERS)),
)
geneses = st.builds(
    lambda name, grants, floor, issuers, initial: genesis(
        name=name, grants=grants, fee_floor=floor, issuers=tuple(issuers), rules=consensus(initial=initial)
    ),
    st.text("abc Ωé-", min_size=1, max_size=20),
    st.lists(holdings, max_size=5),
    st.integers(0, 2**64 - 1),
    st.lists(st.sampled_from([*OWNERS, AnyOf((A, AfterHeight(3)))]), max_size=3),
    st.integers(0, 2**64 - 1),
)


@given(geneses)
@settings(deadline=None, max_examples=60)
def test_a_genesis_comes_back_from_its_file_and_its_bytes(start: Genesis) -> None:
    check_genesis(start)
    again = from_json(to_json(start))
    assert again == start
    assert network_id(again) == network_id(start)
    assert genesis_codec.decode(encode(start)) == start


def test_the_file_is_for_people() -> None:
    start = genesis(grants=[Holding(NATIVE, 5, A, None)], issuers=(B,))
    text = to_json(start).decode()
    form = json.loads(text)
    assert form["horoi_genesis"] == 1
    assert form["consensus"]["interval_ms"] == INTERVAL_MS
    assert form["grants"] == [[0, "00" * 32, 5, [0, A.public.hex()], None]]
    assert form["issuers"] == [[0, B.public.hex()]]
    assert text.endswith("}\n")
    assert '\n  "name": "test"' in text


def test_every_field_is_in_the_networks_id() -> None:
    form = json.loads(to_json(genesis(grants=[Holding(NATIVE, 5, A, None)])))
    names = {network_id(from_json(json.dumps(form).encode()))}
    changes: list[tuple[str, object]] = [
        ("name", "other"),
        ("created_ms", form["created_ms"] + 1),
        ("fee_floor", 1),
        ("max_block_size_bytes", form["max_block_size_bytes"] + 1),
        ("issuers", [[0, A.public.hex()]]),
        ("grants", []),
    ]
    for field, value in changes:
        names.add(network_id(from_json(json.dumps({**form, field: value}).encode())))
    rules = form["consensus"]
    for field, value in [
        ("interval_ms", rules["interval_ms"] - 1),
        ("half_life_ms", rules["half_life_ms"] + 1),
        ("future_limit", rules["future_limit"] - 1),
        ("maturity", rules["maturity"] + 1),
        ("first_target", 0x1F00FFFF),
        ("easiest_target", 0x2100FFFF),
        ("reward", {"initial": 1, "halving_blocks": 7}),
    ]:
        changed = {**form, "consensus": {**rules, field: value}}
        names.add(network_id(from_json(json.dumps(changed).encode())))
    assert len(names) == 1 + 6 + 7


def _form(**changes: object) -> bytes:
    return json.dumps({**json.loads(to_json(genesis())), **changes}).encode()


def _rules(**changes: object) -> bytes:
    rules = json.loads(to_json(genesis()))["consensus"]
    return _form(consensus={**rules, **changes})


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a genesis file"),
        (b"[]", "not a genesis file"),
        (b"{}", "horoi_genesis"),
        (_form(horoi_genesis=2), "format 2"),
        (_form(name=""), "length"),
        (_form(name=7), "name"),
        (_form(extra=1), "extra"),
        (_form(created_ms=-1), ">= 1"),
        (_form(created_ms="today"), "created_ms"),
        (_form(fee_floor=2**64), "not a genesis file"),
        (_form(fee_floor=-1), ">= 0"),
        (_form(max_block_size_bytes=1), ">= 200000"),
        (_form(max_block_size_bytes=10**9), "<= 32000000"),
        (_form(issuers=[["00"]]), "not a genesis file"),
        (_form(issuers=["zz"]), "hexadecimal"),
        (_form(grants=[[0, "00" * 32, 2**70, [0, "01" * 32], None]]), "not a genesis file"),
        (_form(grants=[[1, "00" * 32, 5, [0, "01" * 32], False, []]]), "not a genesis file"),
        (_form(consensus={}), "lacking fields"),
        (_rules(kind="hotstuff"), "not a genesis file"),
        (_rules(speed=9), "unknown fields"),
        (_rules(interval_ms=0), ">= 1"),
        (_rules(maturity=0), ">= 1"),
        (_rules(future_limit=0), ">= 1"),
        (_rules(reward=5), "initial and halving_blocks"),
        (_rules(reward={"initial": 1}), "initial and halving_blocks"),
        (_rules(reward={"initial": -1, "halving_blocks": 0}), ">= 0"),
        (b'{"horoi_genesis": 1, "issuers": ' + b"[" * 100_000, "recursion"),
        (_form(issuers=[]).replace(b'"issuers": []', b'"issuers": ' + b"[" * 700 + b"]" * 700), "recursion"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_wrong_says_where(data: bytes, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        from_json(data)


def test_no_network_runs_from_these() -> None:
    lies = consensus(future_limit=10, half_life_ms=10 * INTERVAL_MS - 1)
    for start, rule in [
        (genesis(rules=lies), "genesis.half_life"),
        (genesis(rules=consensus(first_target=0x2100FFFF)), "genesis.target"),
        (genesis(rules=consensus(first_target=0x20000080)), "genesis.target"),
        (genesis(rules=consensus(easiest_target=0x21000080)), "genesis.target"),
        (genesis(rules=consensus(first_target=0)), "puzzle.target"),
        (genesis(rules=consensus(first_target=0x1DFFFFFF)), "puzzle.target"),
        (genesis(rules=consensus(easiest_target=0x22FFFF00)), "puzzle.target"),
        (genesis(name="bell\x07"), "form.text"),
        (genesis(issuers=(Threshold(2, (OIL,)),)), "condition.threshold"),
        (genesis(grants=[Holding(NATIVE, 0, A, None)]), "form.zero"),
        (genesis(grants=[Holding(NATIVE, 1, A, B)]), "custody.coin"),
        (genesis(grants=[Holding(NATIVE, 2**64 - 1, A, None), Holding(NATIVE, 1, A, None)]), "genesis.grants"),
        (genesis(grants=[Holding(OIL, 1, A, None), Holding(OIL, 1, A, B)]), "genesis.grants"),
    ]:
        assert rule_of(lambda start=start: check_genesis(start)) == rule
    check_genesis(genesis(rules=consensus(future_limit=10, half_life_ms=10 * INTERVAL_MS)))
    with pytest.raises(RuleError, match=r"genesis\.half_life"):
        from_json(_rules(half_life_ms=INTERVAL_MS))


def test_every_grant_has_an_outpoint() -> None:
    assert MAX_GRANTS - 1 <= 2**16 - 1
    start = genesis(grants=[Holding(NATIVE, 1, A, None)] * (MAX_GRANTS + 1))
    with pytest.raises(DecodeError):
        genesis_codec.decode(encode(start))


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=200)
def test_any_bytes_are_an_answer(data: bytes) -> None:
    with pytest.raises(HoroiError):
        from_json(data)
    with pytest.raises(DecodeError):
        genesis_codec.decode(data)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@given(st.sampled_from(sorted(json.loads(to_json(genesis())))), json_values)
@settings(deadline=None, max_examples=200)
def test_any_value_in_any_field_is_an_answer(field: str, value: object) -> None:
    try:
        start = from_json(_form(**{field: value}))
    except (UsageError, RuleError):
        return
    assert from_json(to_json(start)) == start


@given(st.sampled_from(sorted(json.loads(to_json(genesis()))["consensus"])), json_values)
@settings(deadline=None, max_examples=200)
def test_any_value_in_any_rule_is_an_answer(field: str, value: object) -> None:
    try:
        start = from_json(_rules(**{field: value}))
    except (UsageError, RuleError):
        return
    assert from_json(to_json(start)) == start
