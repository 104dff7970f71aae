"""The rules that need nothing but the transaction: each with one that keeps it and one that breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.histories import PAIRS, A, B, C, rule_of, signed

from horoi.ledger.conditions import AnyOf, Condition, Threshold
from horoi.ledger.rules import check_body, check_signatures, check_text, check_transaction
from horoi.ledger.transaction import (
    NATIVE,
    Amount,
    Body,
    Definition,
    Holding,
    Input,
    Issue,
    Output,
    Post,
    Recipe,
    Retire,
    Right,
    Signature,
    Transaction,
    Transform,
    Witness,
    transaction_id,
)

OIL, GAS, TAR = b"\x0a" * 32, b"\x0b" * 32, b"\x0c" * 32
MOST = 2**64 - 1


def spending(*contents: Output) -> tuple[Input, ...]:
    return tuple(Input(b"\x01" * 32, index, content) for index, content in enumerate(contents))


def coin(quantity: int, owner: Condition = A) -> Holding:
    return Holding(NATIVE, quantity, owner, None)


def oil(quantity: int, owner: Condition = A, custodian: Condition | None = None) -> Holding:
    return Holding(OIL, quantity, owner, custodian)


def right(limit: int, *recipes: Recipe, asset: bytes = OIL, custody: bool = False) -> Right:
    return Right(asset, limit, A, custody, recipes)


def breaks(body: Body) -> str:
    return rule_of(lambda: check_body(body))


# ---- form ----------------------------------------------------------------------------------------------


def test_something_is_said() -> None:
    assert breaks(Body()) == "form.empty"
    assert breaks(Body(outputs=(coin(1),))) == "form.empty"
    assert breaks(Body(retires=(Retire(OIL, 1, "gone"),))) == "form.empty"
    assert breaks(Body(posts=(Post(A, "", OIL, None),))) == "form.empty"
    check_body(Body(posts=(Post(A, "", None, OIL),)))
    check_body(Body(posts=(Post(A, "hm", None, None),)))


def test_since_is_for_the_inputless() -> None:
    assert breaks(Body(spending(coin(1)), (coin(1),), since=1)) == "form.since"
    check_body(Body(posts=(Post(A, "hm", None, None),), since=9))


def test_no_output_is_spent_twice() -> None:
    spent = Input(b"\x01" * 32, 0, coin(5))
    assert breaks(Body((spent, spent), (coin(10),))) == "form.double_spend"
    assert breaks(Body((spent, Input(b"\x01" * 32, 0, coin(6))), (coin(11),))) == "form.double_spend"
    check_body(Body((spent, Input(b"\x02" * 32, 0, coin(5))), (coin(10),)))


def test_nothing_is_zero() -> None:
    assert breaks(Body(spending(coin(1)), (coin(1), coin(0)))) == "form.zero"
    assert breaks(Body(spending(right(5)), (right(0),))) == "form.zero"
    assert breaks(Body(definitions=(Definition("x", "", 0, A, 0, False, None),))) == "form.zero"
    assert breaks(Body(spending(right(5)), (right(5),), issues=(Issue(0, 0),))) == "form.zero"
    assert breaks(Body(spending(oil(5)), (oil(5),), retires=(Retire(OIL, 0, "gone"),))) == "form.retire"


def test_the_coin_is_not_retired() -> None:
    assert breaks(Body(spending(coin(5)), (coin(4),), retires=(Retire(NATIVE, 1, "burnt"),))) == "form.retire"


@pytest.mark.parametrize(
    "text",
    [
        "bell\x07",
        "\x1b[2J",
        "nul\x00",
        "\x7f",
        "\x85",
        "left\u202eright",
        "\u200b",
        "\ufeff",
        "\u2028",
        "\ud800",
        "\u2066",
    ],
)
def test_text_can_be_shown(text: str) -> None:
    assert rule_of(lambda: check_text(text)) == "form.text"
    for body in [
        Body(posts=(Post(A, f"a{text}b", None, None),)),
        Body(definitions=(Definition(text, "", 0, A, 1, False, None),)),
        Body(definitions=(Definition("x", text, 0, A, 1, False, None),)),
        Body(spending(oil(5)), (oil(4),), retires=(Retire(OIL, 1, text),)),
    ]:
        assert breaks(body) == "form.text"


def test_text_of_every_language_can_be_shown() -> None:
    for text in ["Ὅροι", "Θάσος, 10432 βαρέλια", "می\u200cخواهم", "石油", "naïve 🛢️", "a b"]:
        check_text(text)
    check_body(Body(posts=(Post(A, "line\nline\tcolumn", None, None),)))
    assert breaks(Body(definitions=(Definition("a\nb", "", 0, A, 1, False, None),))) == "form.text"


BAD = Threshold(2, (b"\x01" * 32,))


def test_every_condition_is_checked() -> None:
    for body in [
        Body(spending(coin(1)), (coin(1, BAD),)),
        Body(spending(oil(1, A, A)), (oil(1, A, BAD),)),
        Body(spending(oil(1, A, A)), (oil(1, BAD, BAD),)),
        Body(spending(right(1)), (Right(OIL, 1, BAD, False, ()),)),
        Body(posts=(Post(BAD, "hm", None, None),)),
        Body(definitions=(Definition("x", "", 0, BAD, 1, False, None),)),
        Body(spending(coin(1, BAD)), (coin(1),)),
        Body(spending(oil(1, A, BAD)), (oil(1, A, A),)),
    ]:
        assert breaks(body) == "condition.threshold"


# ---- conservation --------------------------------------------------------------------------------------


def test_the_coin_is_conserved_and_the_rest_is_the_fee() -> None:
    assert check_body(Body(spending(coin(10)), (coin(7),))) == 3
    assert check_body(Body(spending(coin(10)), ())) == 10
    assert check_body(Body(spending(coin(10)), (coin(10),))) == 0
    assert breaks(Body(spending(coin(10)), (coin(11),))) == "conservation"
    assert breaks(Body(spending(oil(1)), (oil(1), coin(1)))) == "conservation"


def test_an_asset_is_conserved_to_the_unit() -> None:
    check_body(Body(spending(oil(5), oil(6)), (oil(11),)))
    for made in (10, 12):
        assert breaks(Body(spending(oil(5), oil(6)), (oil(made),))) == "conservation"
    assert breaks(Body(spending(oil(5)), ())) == "conservation"
    assert breaks(Body(spending(oil(5)), (Holding(GAS, 5, A, None),))) == "conservation"
    assert (
        breaks(Body(spending(oil(5), Holding(GAS, 5, A, None)), (oil(6), Holding(GAS, 4, A, None)))) == "conservation"
    )


def test_spending_nothing_at_all_is_judged_and_not_fallen_over() -> None:
    """What an input says it spends may say anything: that it does not exist is for the history to find."""
    assert check_body(Body(spending(oil(0)), ())) == 0
    empty = right(5, Recipe((Amount(GAS, 0),), 1))
    consumed = Transform(0, 0, (Amount(GAS, 0),), 5)
    assert check_body(Body(spending(empty), (oil(5),), transforms=(consumed,))) == 0
    assert breaks(Body(spending(oil(0)), (oil(1),))) == "conservation"


def test_what_retires_is_no_more_and_no_less_than_what_is_missing() -> None:
    check_body(Body(spending(oil(5)), (oil(3),), retires=(Retire(OIL, 2, "spilled"),)))
    check_body(Body(spending(oil(5)), (), retires=(Retire(OIL, 2, "spilled"), Retire(OIL, 3, "burnt"))))
    for gone in (1, 3):
        assert breaks(Body(spending(oil(5)), (oil(3),), retires=(Retire(OIL, gone, "spilled"),))) == "conservation"


def test_sums_stay_within_64_bits() -> None:
    """2**64 - 1 and 2 must not make 1."""
    check_body(Body(spending(coin(MOST)), (coin(MOST - 1), coin(1))))
    assert breaks(Body(spending(coin(1)), (coin(MOST), coin(2)))) == "conservation.overflow"
    assert breaks(Body(spending(coin(MOST), coin(1)), (coin(MOST), coin(1)))) == "conservation.overflow"
    assert breaks(Body(spending(oil(1)), (oil(MOST), oil(2)))) == "conservation.overflow"
    body = Body(spending(oil(MOST), right(5)), (oil(MOST), oil(5)), issues=(Issue(1, 5),))
    assert breaks(body) == "conservation.overflow"
    body = Body(spending(oil(1)), (oil(MOST),), retires=(Retire(OIL, 2, "gone"),))
    assert breaks(body) == "conservation.overflow"


# ---- rights -----------------------------------------------------------------------------------------------


def test_an_issue_is_covered_by_its_right() -> None:
    check_body(Body(spending(right(10)), (oil(10),), issues=(Issue(0, 10),)))
    check_body(Body(spending(right(10)), (oil(4), right(6)), issues=(Issue(0, 4),)))
    assert breaks(Body(spending(right(10)), (oil(11),), issues=(Issue(0, 11),))) == "rights.exceeded"
    assert breaks(Body(spending(right(10)), (oil(4), right(7)), issues=(Issue(0, 4),))) == "rights.exceeded"
    assert breaks(Body(spending(right(10)), (oil(12),), issues=(Issue(0, 6), Issue(0, 6)))) == "rights.exceeded"
    assert breaks(Body(spending(right(10)), (oil(4),))) == "conservation"


def test_rights_only_shrink() -> None:
    check_body(Body(spending(right(10)), (right(4), right(6))))
    check_body(Body(spending(right(4), right(6)), (right(10),)))
    check_body(Body(spending(right(10)), ()))  # given up
    assert breaks(Body(spending(right(10)), (right(11),))) == "rights.exceeded"
    assert breaks(Body(spending(right(10)), (right(10), right(1)))) == "rights.exceeded"
    assert breaks(Body(spending(coin(1)), (coin(1), right(1)))) == "rights.nowhere"
    assert breaks(Body(spending(oil(1)), (oil(1), right(1)))) == "rights.nowhere"
    assert breaks(Body(spending(right(10)), (right(1, asset=GAS),))) == "rights.nowhere"


CRACK = Recipe((Amount(TAR, 3),), 2)
BLEND = Recipe((Amount(GAS, 1), Amount(TAR, 1)), 1)


def test_rights_only_narrow() -> None:
    check_body(Body(spending(right(10)), (right(10, CRACK),)))
    check_body(Body(spending(right(10)), (right(6, CRACK), right(4, BLEND))))
    check_body(Body(spending(right(10), right(3, CRACK)), (right(8, CRACK), right(5))))
    assert breaks(Body(spending(right(10, CRACK)), (right(10),))) == "rights.exceeded"
    assert breaks(Body(spending(right(10, CRACK)), (right(10, BLEND),))) == "rights.exceeded"
    assert breaks(Body(spending(right(10, CRACK)), (right(10, CRACK, BLEND),))) == "rights.exceeded"
    assert breaks(Body(spending(right(10, CRACK, BLEND)), (right(10, CRACK),))) == "rights.exceeded"
    assert breaks(Body(spending(right(2), right(10, CRACK)), (right(3, BLEND),))) == "rights.exceeded"
    assert breaks(Body(spending(right(5), right(10, CRACK)), (right(11, CRACK), right(5)))) == "rights.exceeded"


def test_a_right_to_transform_does_not_issue() -> None:
    assert breaks(Body(spending(right(10, CRACK)), (oil(1),), issues=(Issue(0, 1),))) == "rights.narrow"
    assert breaks(Body(spending(right(1), right(10, CRACK)), (oil(5),), issues=(Issue(0, 5),))) == "rights.exceeded"


def test_a_verb_names_a_right_among_the_inputs() -> None:
    assert breaks(Body(spending(right(10)), (oil(1),), issues=(Issue(1, 1),))) == "rights.index"
    assert breaks(Body(spending(right(10), coin(1)), (oil(1),), issues=(Issue(1, 1),))) == "rights.index"
    transform = Transform(1, 0, (Amount(TAR, 3),), 2)
    assert breaks(Body(spending(right(10, CRACK)), (oil(2),), transforms=(transform,))) == "rights.index"


def tar(quantity: int) -> Holding:
    return Holding(TAR, quantity, A, None)


def cracking(used: int, produced: int, **changes: object) -> Body:
    verb = {"right": 0, "recipe": 0, "consumed": (Amount(TAR, used),), "produced": produced, **changes}
    outputs = (tar(30 - used), oil(produced)) if produced else (tar(30 - used),)
    return Body(spending(right(10, CRACK), tar(30)), outputs, transforms=(Transform(**verb),))  # type: ignore[arg-type]


def test_a_transformation_keeps_to_its_recipe() -> None:
    check_body(cracking(3, 2))
    check_body(cracking(15, 10))
    check_body(cracking(4, 2))  # losses are allowed, gains are not
    assert breaks(cracking(2, 2)) == "rights.yield"
    assert breaks(cracking(14, 10)) == "rights.yield"
    assert breaks(cracking(0, 1)) == "rights.yield"
    assert breaks(cracking(18, 12)) == "rights.exceeded"
    assert breaks(cracking(3, 0)) == "form.zero"
    assert breaks(cracking(3, 2, recipe=1)) == "rights.recipe"
    assert breaks(cracking(3, 2, consumed=(Amount(GAS, 3),))) == "rights.recipe"
    assert breaks(cracking(3, 2, consumed=(Amount(GAS, 3), Amount(TAR, 3)))) == "rights.recipe"


def test_what_is_consumed_is_gone() -> None:
    verb = Transform(0, 0, (Amount(TAR, 3),), 2)
    assert breaks(Body(spending(right(10, CRACK), tar(3)), (tar(3), oil(2)), transforms=(verb,))) == "conservation"
    assert breaks(Body(spending(right(10, CRACK), tar(3)), (oil(4),), transforms=(verb, verb))) == "conservation"
    assert breaks(Body(spending(right(10, CRACK)), (oil(2),), transforms=(verb,))) == "conservation"


def test_a_free_right_has_no_recipes_to_transform_by() -> None:
    verb = Transform(0, 0, (Amount(TAR, 3),), 2)
    assert breaks(Body(spending(right(10), tar(3)), (oil(2),), transforms=(verb,))) == "rights.recipe"


def test_two_sources() -> None:
    verb = Transform(0, 0, (Amount(GAS, 2), Amount(TAR, 2)), 2)
    inputs = spending(right(10, BLEND), Holding(GAS, 2, A, None), tar(2))
    check_body(Body(inputs, (oil(2),), transforms=(verb,)))
    short = Transform(0, 0, (Amount(GAS, 2), Amount(TAR, 1)), 2)
    assert breaks(Body(inputs, (oil(2), tar(1)), transforms=(short,))) == "rights.yield"
    turned = Transform(0, 0, (Amount(TAR, 2), Amount(GAS, 2)), 2)
    assert breaks(Body(inputs, (oil(2),), transforms=(turned,))) == "rights.recipe"


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe((Amount(TAR, 1), Amount(GAS, 1)), 1),
        Recipe((Amount(GAS, 1), Amount(GAS, 2)), 1),
        Recipe((Amount(OIL, 1),), 1),
        Recipe((Amount(NATIVE, 1),), 1),
        Recipe((Amount(GAS, 0),), 1),
        Recipe((Amount(GAS, 1),), 0),
    ],
    ids=["order", "twice", "itself", "coin", "of nothing", "no product"],
)
def test_a_recipe_is_well_formed(recipe: Recipe) -> None:
    assert breaks(Body(spending(right(10)), (right(10, recipe),))) == "rights.recipe"


def test_yields_do_not_overflow() -> None:
    recipe = Recipe((Amount(TAR, MOST),), MOST)
    body = Body(
        spending(right(MOST, recipe), tar(MOST)),
        (oil(MOST),),
        transforms=(Transform(0, 0, (Amount(TAR, MOST),), MOST),),
    )
    check_body(body)
    one_more = Transform(0, 0, (Amount(TAR, MOST - 1),), MOST)
    body = Body(spending(right(MOST, recipe), tar(MOST)), (oil(MOST), tar(1)), transforms=(one_more,))
    assert breaks(body) == "rights.yield"


# ---- custody ------------------------------------------------------------------------------------------------


def test_custodians_everywhere_or_nowhere() -> None:
    assert breaks(Body(spending(oil(5, A, B)), (oil(5, A),))) == "custody.mixed"
    assert breaks(Body(spending(oil(5, A)), (oil(5, A, B),))) == "custody.mixed"
    assert breaks(Body(spending(oil(5, A, B)), (oil(2, A, B), oil(3, C)))) == "custody.mixed"
    assert breaks(Body(spending(right(5, custody=True)), (oil(5),), issues=(Issue(0, 5),))) == "custody.mixed"
    assert breaks(Body(spending(right(5)), (oil(5, A, A),), issues=(Issue(0, 5),))) == "custody.mixed"
    assert breaks(Body(spending(right(5, custody=True)), (right(5),))) == "custody.mixed"
    check_body(Body(spending(right(5, custody=True)), (oil(5, A, B),), issues=(Issue(0, 5),)))


def test_the_coin_has_no_custodian() -> None:
    assert breaks(Body(spending(coin(5)), (Holding(NATIVE, 5, A, B),))) == "custody.coin"
    assert breaks(Body(spending(coin(5)), (Holding(NATIVE, 5, A, A),))) == "custody.coin"


# ---- the whole transaction ---------------------------------------------------------------------------------------


def test_check_transaction_tells_who_must_agree_and_the_fee() -> None:
    body = Body(spending(coin(10)), (coin(7, B),))
    checked = check_transaction(signed(bytes(32), body))
    assert (checked.fee, checked.need.acting) == (3, (A,))
    assert rule_of(lambda: check_transaction(signed(bytes(32), body, PAIRS[:2]))) == "witness.stranger"
    posts = tuple(Post(A, "x" * 2_000, None, None) for _ in range(60))
    assert rule_of(lambda: check_transaction(Transaction(Body(posts=posts), Witness()))) == "form.size"


def test_check_signatures() -> None:
    body = Body(spending(coin(10), coin(1, B)), (coin(11, C),))
    name = transaction_id(bytes(32), body)
    good = signed(bytes(32), body).witness
    check_signatures(name, good)
    bad = Witness((good.signatures[0], Signature(good.signatures[1].key, good.signatures[0].signature)))
    assert rule_of(lambda: check_signatures(name, bad)) == "witness.signature"
    assert rule_of(lambda: check_signatures(bytes(32), good)) == "witness.signature"


@given(st.lists(st.integers(1, MOST), min_size=1, max_size=5), st.lists(st.integers(1, MOST), max_size=5))
@settings(deadline=None, max_examples=200)
def test_a_transfer_is_valid_exactly_when_the_sums_are_equal(came: list[int], went: list[int]) -> None:
    body = Body(spending(*(oil(q) for q in came)), tuple(oil(q, AnyOf((A, B))) for q in went))
    if max(sum(came), sum(went)) > MOST:
        assert breaks(body) == "conservation.overflow"
    elif sum(came) != sum(went):
        assert breaks(body) == "conservation"
    else:
        assert check_body(body) == 0
