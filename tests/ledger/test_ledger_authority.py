"""Who must agree: every case of the module's text, and the ways around it that were tried."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.histories import PAIRS, A, B, C, D, E, rule_of

from horoi.ledger.authority import check_agreement, check_witness_form, describe, missing, required
from horoi.ledger.conditions import AfterTime, AllOf, AnyOf, Condition, Key, Preimage, Threshold, hash_of_preimage
from horoi.ledger.transaction import (
    NATIVE,
    Body,
    Definition,
    Holding,
    Input,
    Issue,
    Post,
    Retire,
    Right,
    Signature,
    Witness,
)

OIL = b"\x0a" * 32
GAS = b"\x0b" * 32


def held(quantity: int, owner: Condition, custodian: Condition | None, asset: bytes = OIL) -> Holding:
    return Holding(asset, quantity, owner, custodian)


def moving(before: list[Holding | Right], after: list[Holding | Right], **verbs: object) -> Body:
    inputs = tuple(Input(b"\x01" * 32, index, content) for index, content in enumerate(before))
    return Body(inputs, tuple(after), **verbs)  # type: ignore[arg-type]


def who(
    before: list[Holding | Right], after: list[Holding | Right], **verbs: object
) -> tuple[set[Condition], set[Condition]]:
    need = required(moving(before, after, **verbs))
    assert len(set(need.acting)) == len(need.acting)
    assert len(set(need.receiving)) == len(need.receiving)
    return set(need.acting), set(need.receiving)


# ---- the plain cases ----------------------------------------------------------------------------------


def test_without_custody_the_owner_alone() -> None:
    coin = Holding(NATIVE, 5, A, None)
    assert who([coin], [Holding(NATIVE, 5, B, None)]) == ({A}, set())
    assert who([coin], [coin]) == ({A}, set())
    assert who([coin, Holding(NATIVE, 1, B, None)], [Holding(NATIVE, 6, C, None)]) == ({A, B}, set())
    assert who([held(5, A, None)], [held(5, B, None)]) == ({A}, set())


def test_a_right_needs_its_owner() -> None:
    assert who([Right(OIL, 9, A, True, ())], [Right(OIL, 9, B, True, ())]) == ({A}, set())


def test_definitions_and_posts_need_who_speaks() -> None:
    body = Body(definitions=(Definition("x", "", 0, A, 1, False, None),), posts=(Post(B, "hm", None, None),))
    assert required(body) == ((A, B), ())


def test_ownership_changes_while_custody_stays() -> None:
    """Sold in the tank: the tank's keeper is not asked."""
    assert who([held(9, A, C)], [held(9, B, C)]) == ({A}, set())
    assert who([held(9, A, C)], [held(4, B, C), held(5, A, C)]) == ({A}, set())


def test_custody_changes_while_ownership_stays() -> None:
    """Handed over: the one who leaves and the one who receives; the owner is not asked."""
    assert who([held(9, A, C)], [held(9, A, D)]) == ({C}, {D})
    assert who([held(9, A, C)], [held(4, A, C), held(5, A, D)]) == ({C}, {D})
    assert who([held(9, A, A)], [held(9, A, D)]) == ({A}, {D})


def test_both_change() -> None:
    assert who([held(9, A, C)], [held(9, B, D)]) == ({A, C}, {D})
    assert who([held(9, A, A)], [held(9, B, B)]) == ({A}, {B})


def test_a_pure_split_or_merge_needs_the_owner() -> None:
    assert who([held(9, A, C)], [held(4, A, C), held(5, A, C)]) == ({A}, set())
    assert who([held(4, A, C), held(5, A, C)], [held(9, A, C)]) == ({A}, set())
    assert who([held(9, A, C)], [held(9, A, C)]) == ({A}, set())


def test_a_split_beside_a_movement_of_others_needs_the_owner() -> None:
    acting, _ = who([held(9, A, C), held(5, B, C)], [held(4, A, C), held(5, A, C), held(5, E, C)])
    assert acting == {A, B}


def test_issued_goods_are_received() -> None:
    right = Right(OIL, 9, A, True, ())
    assert who([right], [held(9, B, D)], issues=(Issue(0, 9),)) == ({A}, {D})


def test_retiring_needs_owner_and_keeper() -> None:
    assert who([held(9, A, C)], [held(4, A, C)], retires=(Retire(OIL, 5, "leak"),)) == ({A, C}, set())
    assert who([held(9, A, C)], [], retires=(Retire(OIL, 9, "leak"),)) == ({A, C}, set())


def test_assets_are_judged_apart() -> None:
    """Oil that leaves a keeper is not balanced by gas that comes."""
    before = [held(9, A, C), held(9, B, D, GAS)]
    after = [held(9, B, D), held(9, A, C, GAS)]
    assert who(before, after) == ({A, C, B, D}, {C, D})


# ---- ways around it ------------------------------------------------------------------------------------


def test_swap_of_unequal_amounts_without_the_other_owner() -> None:
    """A gives 1001 at C to B and takes B's 1000 at D: B gains one unit, and must agree all the same."""
    acting, _ = who([held(1001, A, C), held(1000, B, D)], [held(1001, B, C), held(1000, A, D)])
    assert {A, B} <= acting
    acting, _ = who([held(1000, A, C), held(1001, B, D)], [held(1000, B, C), held(1001, A, D)])
    assert {A, B} <= acting


def test_swap_of_equal_amounts_is_two_hand_overs() -> None:
    """Nobody's total changes; so it is as if C and D handed over, and both do agree, in both roles."""
    assert who([held(9, A, C), held(9, B, D)], [held(9, B, C), held(9, A, D)]) == ({C, D}, {C, D})


def test_nobody_adds_to_anothers_holding() -> None:
    """B gives A a unit and, doing so, spends A's holding: everything that A had signed over it would be void."""
    acting, _ = who([held(1000, A, C), held(1, B, C)], [held(1001, A, C)])
    assert acting == {A, B}
    dust = [held(1, A, C) for _ in range(11)]
    assert who([held(10, A, C), held(1, B, C)], dust) == ({A, B}, set())
    right = Right(OIL, 9, B, True, ())
    acting, _ = who([right, held(10, A, C)], [held(19, A, C)], issues=(Issue(0, 9),))
    assert A in acting
    assert who([held(1, B, C)], [held(1, A, C)]) == ({B}, set())  # but a gift needs nobody's leave


def test_a_gift_elsewhere_does_not_open_what_is_here() -> None:
    """B gives A a unit at E so that A's total changes, and moves A's goods from C to D."""
    acting, receiving = who([held(10, A, C), held(1, B, E)], [held(10, A, D), held(1, A, E)])
    assert {A, B, C} <= acting
    assert D in receiving


def test_goods_that_come_do_not_hide_goods_that_go() -> None:
    """C's books balance because another's goods arrive; the one whose goods go away still agrees, and so does C."""
    acting, receiving = who([held(10, A, C), held(10, B, D)], [held(10, A, D), held(10, B, C)])
    assert acting == {C, D}
    assert receiving == {C, D}
    acting, receiving = who([held(10, A, C), held(10, B, D)], [held(10, E, D), held(10, B, C)])
    assert {A, C, D} <= acting
    assert {C} <= receiving


def test_an_owner_in_another_form_is_another_owner() -> None:
    one, other = AnyOf((A, B)), AnyOf((B, A))
    assert who([held(9, one, C)], [held(9, other, C)]) == ({one}, set())


quantities = st.integers(1, 4)
parties = st.sampled_from([A, B, C])
holdings = st.lists(st.builds(held, quantities, parties, parties), min_size=1, max_size=4)


@given(holdings, holdings)
@settings(deadline=None, max_examples=400)
def test_nobody_loses_or_keeps_anything_unasked(before: list[Holding], after: list[Holding]) -> None:
    """What must hold of every movement, said without pairs and pools."""
    acting, receiving = who(list(before), list(after))

    def total(side: list[Holding], *, owner: Condition | None = None, custodian: Condition | None = None) -> int:
        return sum(h.quantity for h in side if owner in (None, h.owner) and custodian in (None, h.custodian))

    for party in (A, B, C):
        owned = total(after, owner=party) - total(before, owner=party)
        kept = total(after, custodian=party) - total(before, custodian=party)
        if owned < 0:
            assert party in acting, "loses goods"
        if owned != 0 and any(h.owner == party for h in before):
            assert party in acting, "its holding is spent and it is not only handed over"
        if kept < 0:
            assert party in acting, "goods leave its custody"
        if kept > 0:
            assert party in receiving, "goods come into its custody"
        for keeper in (A, B, C):
            moved = total(after, owner=party, custodian=keeper) - total(before, owner=party, custodian=keeper)
            if owned == 0 and moved < 0:
                assert keeper in acting
            if owned == 0 and moved > 0:
                assert keeper in receiving
            if moved == 0 and any((h.owner, h.custodian) == (party, keeper) for h in before):
                assert party in acting, "split or merged"
    involved = {h.owner for h in before} | {h.custodian for h in before}
    assert acting <= involved
    assert receiving <= {h.custodian for h in after}


# ---- agreement in time ------------------------------------------------------------------------------------

DEADLINE_MS = 5_000
CARRIER = AnyOf((C, AllOf((AfterTime(DEADLINE_MS), A))))
"""The carrier, or the owner after the deadline."""


def by(*numbers: int) -> Witness:
    return Witness(tuple(Signature(PAIRS[n].public, bytes(64)) for n in sorted(numbers, key=lambda n: PAIRS[n].public)))


def test_goods_are_reclaimed_after_the_time() -> None:
    need = required(moving([held(9, A, CARRIER)], [held(9, A, A)]))
    assert need == ((CARRIER,), (A,))
    assert missing(need, by(0), 1, DEADLINE_MS - 1) == [CARRIER]
    assert missing(need, by(0), 1, DEADLINE_MS) == []
    assert rule_of(lambda: check_agreement(need, by(0), 1, DEADLINE_MS - 1)) == "authority.missing"
    assert missing(need, by(0, 2), 1, 0) == []  # the carrier brings them back in time


def test_receiving_is_by_who_may_act_now() -> None:
    """A cannot put goods into the carrier's hands by its own right to reclaim them."""
    need = required(moving([held(9, A, A)], [held(9, A, CARRIER)]))
    assert missing(need, by(0), 10**6, 10**12) == [CARRIER]
    assert missing(need, by(0, 2), 1, 0) == []


def test_the_same_condition_leaves_and_receives() -> None:
    """Both roles are asked, each in its way: after the deadline A may leave for the carrier but not receive for it."""
    need = required(moving([held(9, A, CARRIER), held(9, B, D)], [held(9, A, D), held(9, B, CARRIER)]))
    assert CARRIER in need.acting
    assert CARRIER in need.receiving
    assert missing(need, by(0, 3), 1, DEADLINE_MS) == [CARRIER]
    assert missing(need, by(2, 3), 1, 0) == []
    check_witness_form(need, by(0, 2, 3))


def test_what_lacks_is_named() -> None:
    need = required(moving([held(9, A, Threshold(2, tuple(sorted(p.public for p in PAIRS[:3]))))], [held(9, B, B)]))
    assert len(missing(need, Witness(), 1, 1)) == 3
    assert rule_of(lambda: check_agreement(need, Witness(), 1, 1)) == "authority.missing"
    assert PAIRS[0].public.hex() in describe(A)
    assert "Threshold of 3" in describe(need.acting[1])


# ---- the witness's one form ---------------------------------------------------------------------------------

SECRETS = sorted([b"one", b"two", b"three"])
LOCKED = AnyOf((B, *(Preimage(hash_of_preimage(secret)) for secret in SECRETS)))


def test_witness_order_duplicates_and_strangers() -> None:
    need = required(moving([Holding(NATIVE, 1, A, None), Holding(NATIVE, 1, LOCKED, None)], []))
    ordered = by(0, 1).signatures
    check_witness_form(need, Witness(ordered, tuple(SECRETS)))
    check_witness_form(need, Witness())
    for bad, rule in [
        (Witness(ordered[::-1]), "witness.order"),
        (Witness((ordered[0], ordered[0])), "witness.order"),
        (Witness(by(0, 3).signatures), "witness.stranger"),
        (Witness(ordered, tuple(SECRETS[::-1])), "witness.order"),
        (Witness(ordered, (SECRETS[0], SECRETS[0])), "witness.order"),
        (Witness(ordered, (b"four",)), "witness.stranger"),
    ]:
        assert rule_of(lambda bad=bad: check_witness_form(need, bad)) == rule


def test_a_key_of_zeros_is_a_stranger_like_any_other() -> None:
    need = required(moving([Holding(NATIVE, 1, A, None)], []))
    assert rule_of(lambda: check_witness_form(need, Witness((Signature(bytes(32), bytes(64)),)))) == "witness.stranger"


def test_a_preimage_counts_where_it_is_asked_for() -> None:
    need = required(moving([Holding(NATIVE, 1, LOCKED, None)], []))
    assert missing(need, Witness((), (SECRETS[1],)), 1, 1) == []
    assert missing(need, Witness(), 1, 1) == [LOCKED]
    assert isinstance(E, Key)
