"""Transactions as bytes: one form, bounded, and an id that is what everybody signs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.byteforms import second_forms
from tests.ledger.histories import Universe

from horoi.base.codec import encode
from horoi.base.errors import DecodeError, RuleError
from horoi.ledger.conditions import AfterHeight, AfterTime, AllOf, AnyOf, Key, Preimage, Threshold
from horoi.ledger.rules import check_transaction
from horoi.ledger.transaction import (
    MAX_INPUTS,
    MAX_NAME_CHARACTERS,
    MAX_OUTPUTS,
    MAX_TEXT_CHARACTERS,
    MAX_TRANSACTION_SIZE_BYTES,
    MAX_VERBS,
    NATIVE,
    Amount,
    Body,
    Definition,
    Holding,
    Input,
    Issue,
    Post,
    Recipe,
    Retire,
    Right,
    Signature,
    Transaction,
    Transform,
    Witness,
    asset_id,
    body_codec,
    first_right,
    outpoint,
    outputs_made,
    transaction_codec,
    transaction_id,
)

X, Y = b"\x01" * 32, b"\x02" * 32
EVERY_CONDITION = AllOf(
    (AnyOf((Key(X), AfterHeight(7))), AfterTime(300), Preimage(Y), Threshold(1, (X, Y))),
)
RICH = Transaction(
    Body(
        inputs=(
            Input(X, 300, Holding(NATIVE, 2**64 - 1, Key(X), None)),
            Input(Y, 0, Right(Y, 70_000, EVERY_CONDITION, True, (Recipe((Amount(X, 3),), 200),))),
        ),
        outputs=(Holding(X, 1, Key(X), EVERY_CONDITION), Right(Y, 5, Key(X), False, ())),
        definitions=(
            Definition("crude", "l", 3, Key(X), 2**40, True, X),
            Definition("é", "", 0, Key(X), 1, False, None),
        ),
        issues=(Issue(1, 5),),
        transforms=(Transform(1, 0, (Amount(X, 3),), 200),),
        retires=(Retire(X, 100, "spilled"),),
        posts=(Post(Key(Y), "hello" * 60, None, Y), Post(Key(Y), "", X, Y)),
        since=128,
    ),
    Witness((Signature(X, bytes(64)),), (b"secret", bytes(64))),
)


def test_the_rich_one_comes_back() -> None:
    assert transaction_codec.decode(encode(RICH)) == RICH


def is_refused(data: bytes) -> bool:
    try:
        transaction_codec.decode(data)
    except DecodeError:
        return True
    return False


def test_no_second_form_of_any_part_of_any_value() -> None:
    data = encode(RICH)
    seen: dict[str, int] = {}
    for what, other in second_forms(data):
        assert other != data
        if what.startswith("one element"):  # of a list this may be another transaction, but never this one
            assert is_refused(other) or transaction_codec.decode(other) != RICH
        else:
            assert is_refused(other), what
        seen[what] = seen.get(what, 0) + 1
    assert len(seen) >= 9
    assert sum(seen.values()) > 400


def _grow(field: str, values: tuple[object, ...]) -> Body:
    return Body(**{field: values})  # type: ignore[arg-type]


COIN = Holding(NATIVE, 1, Key(X), None)


@pytest.mark.parametrize(
    ("field", "item", "most"),
    [
        ("inputs", Input(X, 0, COIN), MAX_INPUTS),
        ("outputs", COIN, MAX_OUTPUTS),
        ("definitions", Definition("x", "", 0, Key(X), 1, False, None), MAX_VERBS),
        ("issues", Issue(0, 1), MAX_VERBS),
        ("transforms", Transform(0, 0, (Amount(X, 1),), 1), MAX_VERBS),
        ("retires", Retire(X, 1, "gone"), MAX_VERBS),
        ("posts", Post(Key(X), "hm", None, None), MAX_VERBS),
    ],
)
def test_lists_are_bounded(field: str, item: object, most: int) -> None:
    decoder = msgspec.msgpack.Decoder(Body)
    assert len(getattr(decoder.decode(encode(_grow(field, (item,) * most))), field)) == most
    with pytest.raises(msgspec.ValidationError):
        decoder.decode(encode(_grow(field, (item,) * (most + 1))))


def test_every_output_has_an_index() -> None:
    assert MAX_OUTPUTS + MAX_VERBS <= 2**16


@pytest.mark.parametrize(
    "body",
    [
        Body(posts=(Post(Key(X), "x" * (MAX_TEXT_CHARACTERS + 1), None, None),)),
        Body(definitions=(Definition("", "", 0, Key(X), 1, False, None),)),
        Body(definitions=(Definition("x" * (MAX_NAME_CHARACTERS + 1), "", 0, Key(X), 1, False, None),)),
        Body(definitions=(Definition("x", "u" * 17, 0, Key(X), 1, False, None),)),
        Body(definitions=(Definition("x", "", 19, Key(X), 1, False, None),)),
        Body(retires=(Retire(X, 1, ""),)),
        Body(outputs=(Holding(X, -1, Key(X), None),)),
        Body(outputs=(Holding(X[:31], 1, Key(X), None),)),
        Body(inputs=(Input(X, 2**16, COIN),)),
        Body(issues=(Issue(0, -5),)),
        Body(issues=(Issue(2**16, 5),)),
        Body(retires=(Retire(X, -1, "gone"),)),
        Body(transforms=(Transform(0, 8, (Amount(X, 1),), 1),)),
        Body(transforms=(Transform(0, 0, (), 1),)),
        Body(outputs=(Right(X, 1, Key(X), False, (Recipe((), 1),)),)),
        Body(outputs=(Right(X, 1, Key(X), False, (Recipe((Amount(X, 1),) * 9, 1),)),)),
        Body(since=2**32),
    ],
    ids=lambda body: str(encode(body)[:0]) + next(f for f in body.__struct_fields__ if getattr(body, f)),
)
def test_values_are_bounded(body: Body) -> None:
    with pytest.raises(DecodeError):
        body_codec.decode(encode(body))


def test_quantities_are_64_bits() -> None:
    assert body_codec.decode(encode(Body(outputs=(Holding(X, 2**64 - 1, Key(X), None),))))
    with pytest.raises(OverflowError):
        encode(Holding(X, 2**64, Key(X), None))


def test_a_transaction_of_too_many_bytes_is_not_decoded() -> None:
    post = Post(Key(X), "x" * MAX_TEXT_CHARACTERS, None, None)
    data = encode(Transaction(Body(posts=(post,) * 60), Witness()))
    assert len(data) > MAX_TRANSACTION_SIZE_BYTES
    with pytest.raises(DecodeError, match="the limit is"):
        transaction_codec.decode(data)


def test_the_id_is_the_tagged_hash_of_network_and_body() -> None:
    label = hashlib.sha256(b"horoi/transaction").digest()
    expected = hashlib.sha256(label + label + X + encode(RICH.body)).digest()
    assert transaction_id(X, RICH.body) == expected
    assert transaction_id(Y, RICH.body) != expected


def test_definitions_make_rights_after_the_listed_outputs() -> None:
    made = outputs_made(X, RICH.body)
    assert made[:2] == RICH.body.outputs
    assert [right.asset for right in made[2:]] == [asset_id(X, 0), asset_id(X, 1)]
    assert made[2] == Right(asset_id(X, 0), 2**40, Key(X), True, ())
    assert made[2] == first_right(X, 0, RICH.body.definitions[0])
    assert len({asset_id(name, i) for name in (X, Y) for i in range(3)}) == 6
    assert outpoint(X, 258) == X + b"\x01\x02"


# ---- hostile bytes -----------------------------------------------------------------------------------

HOSTILE: list[Callable[[bytes], object]] = [transaction_codec.decode, body_codec.decode]


def judged(data: bytes) -> None:
    """Bytes from a stranger are an answer: a transaction, a DecodeError or a RuleError."""
    try:
        transaction = transaction_codec.decode(data)
    except DecodeError:
        return
    assert encode(transaction) == data
    try:
        check_transaction(transaction)
    except RuleError:
        return


@given(st.binary(max_size=400))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_an_answer(data: bytes) -> None:
    judged(data)
    for decode in HOSTILE:
        try:
            decode(data)
        except DecodeError:
            continue


SAMPLES = [encode(RICH)] + [
    encode(transaction) for seed in range(4) for transaction in Universe(seed=seed).random_block(8).transactions
]


@given(st.sampled_from(SAMPLES), st.data())
@settings(deadline=None, max_examples=500)
def test_valid_bytes_gone_wrong_are_an_answer(sample: bytes, data: st.DataObject) -> None:
    changed = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        kind = data.draw(st.sampled_from(["set", "cut", "put", "end"]))
        if kind == "set":
            changed[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x90, 0xC0, 0xCF, 0xDD, 0xFF, changed[place] ^ 1]))
        elif kind == "cut":
            del changed[place]
        elif kind == "put":
            changed.insert(place, data.draw(st.integers(0, 255)))
        else:
            del changed[place + 1 :]
        if not changed:
            break
    judged(bytes(changed))


@pytest.mark.parametrize("depth", [5, 100, 300, 400, 450, 480, 495, 5_000])
@pytest.mark.parametrize("place", ["input", "custodian", "output", "both", "author", "issuer"])
def test_deep_conditions_are_an_answer(place: str, depth: int) -> None:
    """Built as bytes: what an input claims to spend is not in the state, so only the rules can bound it."""
    deep = b"\x92\x06\x92" * depth + b"\x92\x02\x01" + b"\x92\x02\x01" * depth
    mark = Key(b"\xee" * 32)
    bodies = {
        "input": Body((Input(X, 0, Holding(X, 1, mark, None)),)),
        "custodian": Body((Input(X, 0, Holding(X, 1, Key(X), mark)),)),
        "output": Body((Input(X, 0, COIN),), (Holding(NATIVE, 1, mark, None),)),
        "both": Body((Input(X, 0, COIN),), (Holding(X, 1, mark, mark),)),
        "author": Body(posts=(Post(mark, "hm", None, None),)),
        "issuer": Body(definitions=(Definition("x", "", 0, mark, 1, False, None),)),
    }
    data = encode(Transaction(bodies[place], Witness())).replace(encode(mark), deep)
    with pytest.raises((DecodeError, RuleError)) as caught:
        check_transaction(transaction_codec.decode(data))
    if isinstance(caught.value, RuleError):
        assert caught.value.rule == "condition.depth"
