"""Every verb, built by a draft, signed by those the ledger asks, and connected to a real ledger."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wallet_ledger import AUDITOR, CARRIER, FIELD, MATURITY, MINER, PAIRS, REFINERY, STATION, World

from horoi.base.codec import encode
from horoi.base.errors import InsufficientError, RuleError, UsageError
from horoi.base.hashing import sha256
from horoi.ledger.authority import required
from horoi.ledger.conditions import AfterHeight, AfterTime, AllOf, AnyOf, Key, Threshold
from horoi.ledger.rules import check_body
from horoi.ledger.transaction import NATIVE, Amount, Holding, Recipe, Right
from horoi.node.wallet import partial as partials
from horoi.node.wallet.builder import Draft
from horoi.node.wallet.fee import needed_fee
from horoi.node.wallet.partial import PartialTransaction
from horoi.node.wallet.pools import Spendable
from horoi.node.wallet.quantities import least_consumed

OIL = b"\x07" * 32


def with_oil(quantity: int = 1000) -> tuple[World, bytes]:
    world = World()
    oil = world.defined("crude oil")
    world.play(world.draft().issue(oil, quantity, issuer=FIELD).build(), "field")
    return world, oil


# ---- verb by verb -----------------------------------------------------------------------------------------------


def test_issue_leaves_the_rest_of_the_right_with_the_issuer() -> None:
    world, oil = with_oil(1000)
    assert world.books(oil) == {(FIELD, FIELD): 1000}
    rights = [s.content for s in world.spendables() if isinstance(s.content, Right)]
    assert rights == [Right(oil, 999_000, FIELD, True, ())]


def test_issue_beyond_the_right_says_what_is_there_and_what_is_needed() -> None:
    world = World()
    oil = world.defined("crude oil", limit=10)
    with pytest.raises(InsufficientError, match="may make 10, needed are 11"):
        world.draft().issue(oil, 11, issuer=FIELD)


def test_issue_to_another_who_holds_it_needs_both() -> None:
    world = World()
    oil = world.defined("crude oil")
    body = world.draft().issue(oil, 5, issuer=FIELD, to=REFINERY, custodian=REFINERY).build()
    world.play(body, "field", "refinery")
    assert world.books(oil) == {(REFINERY, REFINERY): 5}


def test_transfer_gives_change_back_and_custody_stays() -> None:
    world, oil = with_oil(1000)
    world.play(world.draft().transfer(oil, 400, owner=FIELD, to=REFINERY).build(), "field")
    assert world.books(oil) == {(FIELD, FIELD): 600, (REFINERY, FIELD): 400}


def test_transfer_with_custody_needs_the_receiver() -> None:
    world, oil = with_oil(10)
    body = world.draft().transfer(oil, 10, owner=FIELD, to=REFINERY, new_custodian=REFINERY).build()
    with pytest.raises(RuleError, match=r"authority\.missing"):
        world.signed(body, "field")
    world.play(body, "field", "refinery")
    assert world.books(oil) == {(REFINERY, REFINERY): 10}


def test_papers_without_custody() -> None:
    world = World()
    share = world.defined("share", custody=False)
    world.play(world.draft().issue(share, 10, issuer=FIELD).build(), "field")
    world.play(world.draft().transfer(share, 4, owner=FIELD, to=STATION).build(), "field")
    assert world.books(share) == {(FIELD, None): 6, (STATION, None): 4}
    with pytest.raises(UsageError, match="no custodians"):
        world.draft().hand_over(share, 4, owner=STATION, to=CARRIER)
    with pytest.raises(UsageError, match="no custodians"):
        world.draft().transfer(share, 4, owner=STATION, to=FIELD, custodian=STATION)
    with pytest.raises(UsageError, match="no custodians"):
        world.draft().issue(share, 4, issuer=FIELD, custodian=FIELD)


def test_hand_over_and_delivery() -> None:
    world, oil = with_oil(10)
    world.play(world.draft().hand_over(oil, 10, owner=FIELD, to=CARRIER).build(), "field", "carrier")
    assert world.books(oil) == {(FIELD, CARRIER): 10}
    body = world.draft().hand_over(oil, 10, owner=FIELD, custodian=CARRIER, to=STATION).build()
    world.play(body, "carrier", "station")
    assert world.books(oil) == {(FIELD, STATION): 10}


def test_reclaim_after_a_time_and_not_before() -> None:
    world, oil = with_oil(10)
    draft = world.draft().hand_over(oil, 10, owner=FIELD, to=CARRIER, reclaim_after_ms=5_000)
    world.play(draft.build(), "field", "carrier")
    holder = AnyOf((CARRIER, AllOf((AfterTime(5_000), FIELD))))
    assert world.books(oil) == {(FIELD, holder): 10}
    body = world.draft().reclaim(oil, owner=FIELD, held_by=CARRIER).build()
    with pytest.raises(RuleError, match=r"authority\.missing"):
        world.signed(body, "field")
    world.time_ms = 5_000
    world.play(body, "field")
    assert world.books(oil) == {(FIELD, FIELD): 10}


def test_reclaim_at_a_height_of_a_part() -> None:
    world, oil = with_oil(10)
    draft = world.draft().hand_over(oil, 10, owner=FIELD, to=CARRIER, reclaim_at_height=5)
    world.play(draft.build(), "field", "carrier")
    while world.height < 4:
        world.connect()
    world.play(world.draft().reclaim(oil, owner=FIELD, held_by=CARRIER, quantity=3).build(), "field")
    assert world.books(oil) == {
        (FIELD, AnyOf((CARRIER, AllOf((AfterHeight(5), FIELD))))): 7,
        (FIELD, FIELD): 3,
    }


def test_a_carrier_under_reclaim_is_found_by_its_plain_key() -> None:
    world, oil = with_oil(10)
    draft = world.draft().hand_over(oil, 10, owner=FIELD, to=CARRIER, reclaim_after_ms=9_000)
    world.play(draft.build(), "field", "carrier")
    body = world.draft().hand_over(oil, 10, owner=FIELD, custodian=CARRIER, to=STATION).build()
    world.play(body, "carrier", "station")
    assert world.books(oil) == {(FIELD, STATION): 10}


def test_reclaim_is_refused_where_it_was_not_agreed() -> None:
    world, oil = with_oil(10)
    with pytest.raises(UsageError, match="with its owner already"):
        world.draft().reclaim(oil, owner=FIELD, held_by=FIELD)
    world.play(world.draft().hand_over(oil, 10, owner=FIELD, to=CARRIER).build(), "field", "carrier")
    with pytest.raises(UsageError, match="did not agree that the owner may reclaim"):
        world.draft().reclaim(oil, owner=FIELD, held_by=CARRIER)
    with pytest.raises(UsageError, match="not both"):
        world.draft().hand_over(oil, 1, owner=FIELD, to=CARRIER, reclaim_after_ms=1, reclaim_at_height=1)


def test_split_and_merge() -> None:
    world, oil = with_oil(10)
    world.play(world.draft().split(oil, [3, 3, 1], owner=FIELD).build(), "field")
    quantities = sorted(s.quantity for s in world.spendables() if isinstance(s.content, Holding))
    assert quantities == [1, 3, 3, 3]
    world.play(world.draft().merge(oil, owner=FIELD).build(), "field")
    assert [s.quantity for s in world.spendables() if isinstance(s.content, Holding)] == [10]
    with pytest.raises(UsageError, match="nothing to merge"):
        world.draft().merge(oil, owner=FIELD)


def test_retire() -> None:
    world, oil = with_oil(10)
    world.play(world.draft().retire(oil, 4, owner=FIELD, reason="spilled").build(), "field")
    assert world.books(oil) == {(FIELD, FIELD): 6}


def test_post_alone_and_again_later() -> None:
    world, _ = with_oil()
    body = world.draft().post(AUDITOR, "seals unbroken", document=sha256(b"report")).build()
    assert body.since == world.height
    assert not body.inputs
    world.play(body, "auditor")
    with pytest.raises(RuleError, match=r"inputless\.replay"):
        world.play(body, "auditor")
    world.play(world.draft().post(AUDITOR, "seals unbroken").build(), "auditor")


def refining() -> tuple[World, bytes, bytes, bytes]:
    """Crude with the refinery, and the refinery licensed for petrol and diesel."""
    world, oil = with_oil(1000)
    petrol, diesel = world.defined("petrol"), world.defined("diesel")
    draft = world.draft().transfer(oil, 1000, owner=FIELD, to=REFINERY, new_custodian=REFINERY)
    draft.license(petrol, 5_000, owner=FIELD, to=REFINERY, recipes=[Recipe((Amount(oil, 10),), 4)])
    draft.license(diesel, 5_000, owner=FIELD, to=REFINERY, recipes=[Recipe((Amount(oil, 2),), 1)])
    world.play(draft.build(), "field", "refinery")
    return world, oil, petrol, diesel


def test_license_then_refine_into_several_products_with_a_loss() -> None:
    world, oil, petrol, diesel = refining()
    products = [Amount(petrol, 201), Amount(diesel, 200)]
    draft = world.draft().refine(Amount(oil, 1000), products, by=REFINERY, loss_reason="flared")
    body = draft.build()
    assert [(t.consumed, t.produced) for t in body.transforms] == [
        ((Amount(oil, 503),), 201),  # 502.5 rounded up
        ((Amount(oil, 400),), 200),
    ]
    assert [(r.asset, r.quantity, r.reason) for r in body.retires] == [(oil, 97, "flared")]
    world.play(body, "refinery")
    assert world.books(oil) == {}
    assert world.books(petrol) == {(REFINERY, REFINERY): 201}
    assert world.books(diesel) == {(REFINERY, REFINERY): 200}
    rights = [s.content for s in world.spendables() if isinstance(s.content, Right)]
    left = {right.asset: right.limit for right in rights if right.owner == REFINERY}
    assert left == {petrol: 4_799, diesel: 4_800}


def test_transform_for_a_customer_with_more_consumed_than_the_recipe_asks() -> None:
    world, oil, petrol, _ = refining()
    draft = world.draft().transform(
        petrol, 40, by=REFINERY, consumed=[Amount(oil, 120)], to=STATION, custodian=REFINERY
    )
    world.play(draft.build(), "refinery")
    assert world.books(petrol) == {(STATION, REFINERY): 40}
    assert world.books(oil) == {(REFINERY, REFINERY): 880}


def test_transform_refusals() -> None:
    world, oil, petrol, _ = refining()
    with pytest.raises(InsufficientError, match="no right to transform"):
        world.draft().transform(petrol, 1, by=FIELD)
    with pytest.raises(InsufficientError, match="have 1000, need 2500"):
        world.draft().transform(petrol, 1000, by=REFINERY)
    with pytest.raises(InsufficientError, match="have 10 to refine, need 25"):
        world.draft().refine(Amount(oil, 10), [Amount(petrol, 10)], by=REFINERY, loss_reason="x")
    with pytest.raises(RuleError, match=r"rights\.yield"):
        world.draft().transform(petrol, 40, by=REFINERY, consumed=[Amount(oil, 99)]).build()
    with pytest.raises(UsageError, match="at least one recipe"):
        world.draft().license(petrol, 1, owner=FIELD, to=REFINERY, recipes=[])


def test_two_recipes_must_be_told_apart() -> None:
    world, oil = with_oil(100)
    petrol, naphtha = world.defined("petrol"), world.defined("naphtha")
    recipes = [Recipe((Amount(oil, 2),), 1), Recipe((Amount(naphtha, 1), Amount(oil, 1)), 3)]
    world.play(world.draft().license(petrol, 500, owner=FIELD, to=FIELD, recipes=recipes).build(), "field")
    world.play(world.draft().issue(naphtha, 100, issuer=FIELD).build(), "field")
    with pytest.raises(UsageError, match="2 recipes fit"):
        world.draft().transform(petrol, 6, by=FIELD)
    # Whatever the order in which both sources are named.
    consumed = [Amount(oil, 2), Amount(naphtha, 2)]
    for order in (consumed, consumed[::-1]):
        assert check_body(world.draft().transform(petrol, 6, by=FIELD, consumed=order).build()) == 0
    world.play(world.draft().transform(petrol, 6, by=FIELD, recipe=recipes[0]).build(), "field")
    assert world.books(oil) == {(FIELD, FIELD): 88}


def test_a_right_is_passed_on_and_used() -> None:
    world, oil = with_oil(1)
    world.play(world.draft().pass_right(oil, 50, owner=FIELD, to=STATION).build(), "field")
    world.play(world.draft().issue(oil, 50, issuer=STATION).build(), "station")
    assert world.books(oil) == {(FIELD, FIELD): 1, (STATION, STATION): 50}
    with pytest.raises(InsufficientError, match="no right to issue freely"):
        world.draft().issue(oil, 1, issuer=STATION)


def test_joint_owner() -> None:
    world, oil = with_oil(10)
    board = Threshold(2, tuple(sorted(PAIRS[name].public for name in ("field", "refinery", "auditor"))))
    body = world.draft().transfer(oil, 10, owner=FIELD, to=board, new_custodian=STATION).build()
    world.play(body, "field", "station")
    world.play(
        world.draft().transfer(oil, 5, owner=board, custodian=STATION, to=CARRIER).build(), "refinery", "auditor"
    )
    assert world.books(oil) == {(board, STATION): 5, (CARRIER, STATION): 5}


# ---- composition ------------------------------------------------------------------------------------------------


def test_a_step_of_a_story_is_one_transaction() -> None:
    world, oil = with_oil(100)
    bill = sha256(b"bill of lading")
    body = (
        world.draft()
        .transfer(oil, 60, owner=FIELD, to=REFINERY)
        .hand_over(oil, 60, owner=REFINERY, custodian=FIELD, to=CARRIER, reclaim_after_ms=9_000)
        .post(FIELD, "60 barrels, sealed", about=oil, document=bill)
        .build()
    )
    holder = AnyOf((CARRIER, AllOf((AfterTime(9_000), REFINERY))))
    assert body.outputs == (Holding(oil, 60, REFINERY, holder), Holding(oil, 40, FIELD, FIELD))
    assert len(body.inputs) == 1
    world.play(body, "field", "carrier")
    assert world.books(oil) == {(FIELD, FIELD): 40, (REFINERY, holder): 60}


def test_goods_against_coin_in_one_transaction() -> None:
    world = World(fee_floor=10, coins=[(REFINERY, 500), (FIELD, 100)])
    oil = world.defined("crude oil")
    world.play(world.draft(FIELD).issue(oil, 100, issuer=FIELD).build(), "field")
    before = world.books(NATIVE)
    draft = world.draft(payer=REFINERY).transfer(oil, 50, owner=FIELD, to=REFINERY)
    body = draft.transfer(NATIVE, 300, owner=REFINERY, to=FIELD).build()
    fee = check_body(body)
    world.play(body, "field", "refinery")
    after = world.books(NATIVE)
    assert after[FIELD, None] == before[FIELD, None] + 300
    assert after[REFINERY, None] == before[REFINERY, None] - 300 - fee
    assert fee > 0


def test_the_same_draft_twice_gives_the_same_bytes() -> None:
    world, oil = with_oil(100)
    draft = world.draft().transfer(oil, 60, owner=FIELD, to=REFINERY).post(FIELD, "sold")
    again = Draft(reversed(world.spendables()), height=world.height + 1)
    again.transfer(oil, 60, owner=FIELD, to=REFINERY).post(FIELD, "sold")
    assert encode(draft.build()) == encode(draft.build()) == encode(again.build())


# ---- custody pools, maturity, refusals --------------------------------------------------------------------------


def test_inputs_are_chosen_by_owner_and_custodian() -> None:
    world, oil = with_oil(10)
    world.play(world.draft().hand_over(oil, 6, owner=FIELD, to=CARRIER).build(), "field", "carrier")
    with pytest.raises(InsufficientError, match="have 4, need 5; 6 more are in other hands"):
        world.draft().transfer(oil, 5, owner=FIELD, to=STATION)
    body = world.draft().transfer(oil, 5, owner=FIELD, custodian=CARRIER, to=STATION).build()
    world.play(body, "field")
    assert world.books(oil) == {(FIELD, FIELD): 4, (FIELD, CARRIER): 1, (STATION, CARRIER): 5}


def test_several_hands_must_be_told_apart() -> None:
    world, oil = with_oil(10)
    draft = world.draft().hand_over(oil, 6, owner=FIELD, to=CARRIER).hand_over(oil, 4, owner=FIELD, to=STATION)
    world.play(draft.build(), "field", "carrier", "station")
    with pytest.raises(UsageError, match="in several hands"):
        world.draft().transfer(oil, 1, owner=FIELD, to=REFINERY)


def test_an_immature_reward_is_not_spent() -> None:
    world = World(reward=50)
    world.connect(reward=(Holding(NATIVE, 50, MINER, None),))
    while world.height + 1 < 1 + MATURITY:
        with pytest.raises(InsufficientError, match="have 0, need 5; 50 more are rewards that are not mature"):
            world.draft().transfer(NATIVE, 5, owner=MINER, to=FIELD)
        world.connect()
    world.play(world.draft().transfer(NATIVE, 5, owner=MINER, to=FIELD).build(), "miner")
    assert world.books(NATIVE) == {(MINER, None): 45, (FIELD, None): 5}


def test_a_quantity_of_nothing_is_refused() -> None:
    world, oil = with_oil(10)
    for quantity in (0, -1, 2**64):
        with pytest.raises(UsageError, match="a quantity of"):
            world.draft().transfer(oil, quantity, owner=FIELD, to=STATION)


def test_what_the_byte_form_cannot_carry_is_not_built() -> None:
    world, oil = with_oil(10)
    for draft in (
        world.draft().define("x" * 65, issuer=FIELD, limit=1),
        world.draft().define("x", issuer=FIELD, limit=1, decimals=19),
        world.draft().post(FIELD, "x" * 2001),
        world.draft().post(FIELD, "x", document=b"short"),
        world.draft().retire(oil, 1, owner=FIELD, reason=""),
        world.draft().hand_over(oil, 1, owner=FIELD, to=CARRIER, reclaim_at_height=0),
    ):
        with pytest.raises(UsageError, match="the ledger does not take this"):
            draft.build()
    deep = AnyOf((CARRIER, AllOf((FIELD, AnyOf((CARRIER, FIELD))))))
    draft = world.draft().transfer(oil, 1, owner=FIELD, to=AnyOf((deep, FIELD)))
    with pytest.raises(RuleError, match=r"condition\.depth"):
        draft.build()


def test_an_unknown_asset_is_insufficient() -> None:
    with pytest.raises(InsufficientError, match=f"asset {'07' * 32}"):
        World().draft().transfer(OIL, 1, owner=FIELD, to=STATION)


def test_too_many_small_holdings_ask_for_a_merge() -> None:
    dust = [Spendable(sha256(b"%d" % i), 0, Holding(OIL, 1, FIELD, FIELD), 1, False) for i in range(1_200)]
    with pytest.raises(UsageError, match="merge"):
        Draft(dust, height=9).transfer(OIL, 1_100, owner=FIELD, to=STATION).build()
    with pytest.raises(UsageError, match="merge small holdings first"):
        Draft(dust, height=9).transfer(OIL, 900, owner=FIELD, to=STATION).build()
    body = Draft(dust, height=9).merge(OIL, owner=FIELD).build()
    assert len(body.inputs) == 200
    assert body.outputs == (Holding(OIL, 200, FIELD, FIELD),)


# ---- fees -------------------------------------------------------------------------------------------------------


def test_a_fee_needs_a_payer_and_enough() -> None:
    world = World(fee_floor=10, coins=[(FIELD, 1)])
    with pytest.raises(UsageError, match="name who pays it"):
        world.draft().post(AUDITOR, "hello").build()
    with pytest.raises(UsageError, match="a fee of 1; this network asks for at least"):
        world.draft().post(AUDITOR, "hello").pay_fee(FIELD, 1).build()
    with pytest.raises(InsufficientError, match=r"the coin of .*have 1, need"):
        world.draft(FIELD).post(AUDITOR, "hello").build()


def test_a_generous_fee_is_kept() -> None:
    world = World(fee_floor=10, coins=[(FIELD, 1000)])
    body = world.draft().post(AUDITOR, "hello").pay_fee(FIELD, 77).build()
    assert check_body(body) == 77
    world.play(body, "field", "auditor")


@settings(deadline=None, max_examples=60)
@given(
    floor=st.integers(0, 5_000),
    coins=st.lists(st.integers(1, 3_000), min_size=1, max_size=30),
    paid=st.integers(1, 5_000),
)
def test_the_fee_is_enough_and_not_wasteful(floor: int, coins: list[int], paid: int) -> None:
    world = World(fee_floor=floor, coins=[(FIELD, quantity) for quantity in coins])
    draft = world.draft(FIELD)
    try:
        body = draft.transfer(NATIVE, paid, owner=FIELD, to=STATION).build()
    except InsufficientError:
        # Refused only if paying everything could not cover the amount and the fee of spending all of it.
        everything = needed_fee(200 + 110 * len(coins) + 200, floor)
        assert sum(coins) < paid + everything
        return
    fee = check_body(body)
    prepared = world.ledger.prepare(world.signed(body, "field"))
    assert prepared.fee == fee >= needed_fee(prepared.size_bytes, floor)
    # What another fee would choose may be small coins in great number: never more than spending all of them takes.
    everything = needed_fee(prepared.size_bytes + 170 * len(coins), floor)
    assert fee <= max(2 * needed_fee(prepared.size_bytes, floor), everything)
    world.play(body, "field")
    assert world.books(NATIVE)[STATION, None] == paid


# ---- properties -------------------------------------------------------------------------------------------------

SIGNERS = {condition: name for name, p in PAIRS.items() for condition in [Key(p.public)]}
parties = st.sampled_from([FIELD, REFINERY, CARRIER, STATION])


@st.composite
def holdings(draw: st.DrawFn) -> list[Spendable]:
    made = []
    for number in range(draw(st.integers(1, 25))):
        content = Holding(OIL, draw(st.integers(1, 100)), draw(parties), draw(parties))
        made.append(Spendable(sha256(b"%d" % number), draw(st.integers(0, 3)), content, 1, False))
    return made


moves = st.lists(
    st.tuples(
        st.sampled_from(["transfer", "transfer all", "hand over", "retire", "split"]),
        parties,
        parties,
        parties,
        st.integers(1, 150),
    ),
    min_size=1,
    max_size=6,
)


Move = tuple[str, Key, Key, Key, int]
Books = dict[tuple[Key, Key], int]


def books_of(spendables: list[Spendable]) -> Books:
    books: Books = {}
    for s in spendables:
        assert isinstance(s.content, Holding)
        pair = (s.content.owner, s.content.custodian)
        books[pair] = books.get(pair, 0) + s.quantity
    return books


def accepted(draft: Draft, move: Move) -> bool:
    verb, owner, custodian, other, quantity = move
    try:
        if verb == "transfer":
            draft.transfer(OIL, quantity, owner=owner, custodian=custodian, to=other)
        elif verb == "transfer all":
            draft.transfer(OIL, quantity, owner=owner, custodian=custodian, to=other, new_custodian=other)
        elif verb == "hand over":
            draft.hand_over(OIL, quantity, owner=owner, custodian=custodian, to=other)
        elif verb == "retire":
            draft.retire(OIL, quantity, owner=owner, custodian=custodian, reason="loss")
        else:
            draft.split(OIL, [quantity], owner=owner, custodian=custodian)
    except InsufficientError:
        return False
    return True


def play(draft: Draft, moves_: list[Move], books: Books) -> int:
    """Apply moves to the draft and, where they are covered, to plain books; how many were accepted."""
    count = 0
    for move in moves_:
        verb, owner, custodian, other, quantity = move
        have = books.get((owner, custodian), 0)
        taken = accepted(draft, move)
        # A split takes from what is on the ledger alone, not from what the draft brings.
        assert taken == (have >= quantity) or (verb == "split" and not taken)
        if not taken:
            continue
        count += 1
        books[owner, custodian] = have - quantity
        targets = {
            "transfer": (other, custodian),
            "transfer all": (other, other),
            "hand over": (owner, other),
            "split": (owner, custodian),
        }
        if verb in targets:
            books[targets[verb]] = books.get(targets[verb], 0) + quantity
    return count


@settings(deadline=None, max_examples=150)
@given(spendables=holdings(), moves_=moves)
def test_any_moves_conserve_and_end_where_plain_books_end(spendables: list[Spendable], moves_: list[Move]) -> None:
    books = books_of(spendables)
    total = sum(books.values())
    draft = Draft(spendables, height=9)
    if not play(draft, moves_, books):
        with pytest.raises(RuleError, match=r"form\.empty"):
            draft.build()
        return
    body = draft.build()
    assert check_body(body) == 0
    assert sum(r.quantity for r in body.retires) == total - sum(books.values())
    spent = {(i.source, i.index) for i in body.inputs}
    kept = [s for s in spendables if (s.source, s.index) not in spent]
    made = [Spendable(bytes(32), 0, content, 9, False) for content in body.outputs]
    assert books_of(kept + made) == {pair: quantity for pair, quantity in books.items() if quantity}


@settings(deadline=None, max_examples=60)
@given(spendables=holdings(), moves_=moves)
def test_signed_by_those_required_it_is_complete(spendables: list[Spendable], moves_: list[Move]) -> None:
    draft = Draft(spendables, height=9)
    if not play(draft, moves_, books_of(spendables)):
        return
    partial = PartialTransaction(bytes(32), draft.build())
    need = required(partial.body)
    for condition in dict.fromkeys((*need.acting, *need.receiving)):
        assert partials.missing(partial, 9, 0)
        partial = partials.sign(partial, PAIRS[SIGNERS[condition]])
    assert partials.missing(partial, 9, 0) == []
    partials.finalize(partial)


@given(st.integers(1, 10**9), st.integers(1, 10**6), st.integers(1, 10**6))
def test_least_consumed_is_enough_and_one_less_is_not(produced: int, source: int, product: int) -> None:
    (least,) = least_consumed(Recipe((Amount(OIL, source),), product), produced)
    assert least.quantity * product >= produced * source  # rules.rights.yield
    assert (least.quantity - 1) * product < produced * source
