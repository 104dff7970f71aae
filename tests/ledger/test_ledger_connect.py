"""What may follow: each rule that needs history, with a block that breaks it."""

from __future__ import annotations

import pytest
from tests.ledger.histories import (
    PAIRS,
    A,
    B,
    C,
    Universe,
    consensus,
    genesis,
    rule_of,
    signed,
)

from horoi.base.codec import encode
from horoi.ledger.block import Block, Header, reward_id
from horoi.ledger.ledger import INPUTLESS_WINDOW, output_key
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
    Right,
    Signature,
    Transaction,
    Witness,
    transaction_id,
)


def remade(block: Block, **changes: object) -> Block:
    """The block with some fields of its header changed."""
    fields = {name: getattr(block.header, name) for name in Header.__struct_fields__}
    return Block(Header(**{**fields, **changes}), block.reward, block.transactions)  # type: ignore[arg-type]


# ---- spending ----------------------------------------------------------------------------------------------


def test_no_double_spend_within_a_block() -> None:
    universe = Universe()
    coin = universe.coins_of(A)
    one = universe.sign(Body((coin.input,), (Holding(NATIVE, 1_000, B, None),)))
    two = universe.sign(Body((coin.input,), (Holding(NATIVE, 1_000, C, None),)))
    assert rule_of(lambda: universe.add(one, two)) == "spend.unknown"
    assert rule_of(lambda: universe.add(one, one)) == "spend.unknown"


def test_no_double_spend_across_blocks_nor_after_going_back_and_forth() -> None:
    universe = Universe()
    coin = universe.coins_of(A)
    one = universe.sign(Body((coin.input,), (Holding(NATIVE, 1_000, B, None),)))
    two = universe.sign(Body((coin.input,), (Holding(NATIVE, 1_000, C, None),)))
    universe.add(one)
    assert rule_of(lambda: universe.add(two)) == "spend.unknown"
    assert rule_of(lambda: universe.add(one)) == "spend.unknown"
    universe.disconnect()
    universe.add(two)
    assert rule_of(lambda: universe.add(one)) == "spend.unknown"
    universe.disconnect()
    universe.add(one)
    assert rule_of(lambda: universe.add(two)) == "spend.unknown"


def test_made_and_spent_in_one_block() -> None:
    universe = Universe()
    first = universe.sign(Body((universe.coins_of(A).input,), (Holding(NATIVE, 1_000, B, None),)))
    middle = Input(transaction_id(universe.network, first.body), 0, Holding(NATIVE, 1_000, B, None))
    second = universe.sign(Body((middle,), (Holding(NATIVE, 1_000, C, None),)))
    assert rule_of(lambda: universe.add(second, first)) == "spend.unknown"  # order is order
    step = universe.add(first, second)
    assert output_key(middle.source, 0) not in universe.entries
    universe.disconnect()
    assert universe.entries == step.entries_before
    universe.add(first)
    assert output_key(middle.source, 0) in universe.entries


@pytest.mark.parametrize(
    "lie",
    [Holding(NATIVE, 1_001, A, None), Holding(NATIVE, 1_000, B, None), Right(NATIVE, 1_000, A, False, ())],
    ids=["quantity", "owner", "kind"],
)
def test_an_input_is_what_the_history_says(lie: Output) -> None:
    universe = Universe()
    coin = universe.coins_of(A)
    made = () if isinstance(lie, Right) else (Holding(NATIVE, lie.quantity, C, None),)
    body = Body((Input(coin.source, coin.index, lie),), made)
    assert rule_of(
        lambda: universe.add(signed(universe.network, body, PAIRS[:1] if lie.owner == A else PAIRS[1:2]))
    ) == ("spend.content")


def test_a_reward_ripens() -> None:
    universe = Universe(genesis(rules=consensus(maturity=3)))
    universe.add()
    reward = next(h for h in universe.unspent if h.ripe)
    spend = universe.sign(Body((reward.input,), (Holding(NATIVE, 5_000, B, None),)))
    assert reward.ripe == 4
    for _ in range(2):  # heights 2 and 3
        assert rule_of(lambda: universe.add(spend)) == "spend.immature"
        universe.add()
    universe.add(spend)
    assert universe.height == 4


def test_a_reward_cannot_be_spent_in_its_own_block() -> None:
    universe = Universe(genesis(rules=consensus(maturity=1)))
    block = universe.block([])
    spent = Input(reward_id(universe.network, 1, block.reward), 0, block.reward[0])
    spend = universe.sign(Body((spent,), (Holding(NATIVE, 5_000, B, None),)))
    assert rule_of(lambda: universe.block([spend], block.reward)) == "spend.immature"


def test_grants_are_ripe_at_once() -> None:
    universe = Universe()
    universe.add(universe.sign(Body((universe.coins_of(A).input,), (Holding(NATIVE, 1_000, B, None),))))


def test_a_reward_is_no_more_than_subsidy_and_fees() -> None:
    universe = Universe()
    pay = universe.sign(Body((universe.coins_of(A).input,), (Holding(NATIVE, 900, B, None),)))
    exact = (Holding(NATIVE, 5_000, A, None), Holding(NATIVE, 100, B, None))
    universe.connect(universe.block([pay], exact))
    universe.disconnect()
    over = (Holding(NATIVE, 5_000, A, None), Holding(NATIVE, 101, B, None))
    block = universe.block([pay], over)
    assert rule_of(lambda: universe.connect(block)) == "reward.excess"
    universe.connect(universe.block([pay], ()))  # who wants nothing gets nothing


# ---- replay ---------------------------------------------------------------------------------------------------


def test_nothing_replays_on_another_network() -> None:
    """Two networks alike but for their names: the same body has another id, so nobody signed it there."""
    here, there = Universe(genesis(name="here")), Universe(genesis(name="there"))
    body = Body(posts=(Post(A, "sold", None, None),), since=0)
    statement = here.sign(body)
    here.add(statement)
    assert rule_of(lambda: there.add(statement)) == "witness.signature"
    coin = there.coins_of(A)
    payment = signed(here.network, Body((coin.input,), (Holding(NATIVE, 1_000, B, None),)))
    assert rule_of(lambda: there.add(payment)) == "witness.signature"


def test_an_inputless_transaction_is_played_once() -> None:
    universe = Universe()
    post = universe.sign(Body(posts=(Post(A, "once", None, None),), since=0))
    assert rule_of(lambda: universe.add(post, post)) == "inputless.replay"
    universe.add(post)
    assert rule_of(lambda: universe.add(post)) == "inputless.replay"
    universe.disconnect()
    universe.add(post)
    define = universe.sign(Body(definitions=(Definition("x", "", 0, A, 5, False, None),), since=1))
    universe.add(define)
    assert rule_of(lambda: universe.add(define)) == "inputless.replay"


def test_the_inputless_window() -> None:
    universe = Universe(genesis(rules=consensus(initial=0)))
    early = universe.sign(Body(posts=(Post(A, "early", None, None),), since=1))
    assert rule_of(lambda: universe.add(early)) == "inputless.window"  # at height 1, since itself
    late = universe.sign(Body(posts=(Post(A, "late", None, None),), since=0))
    first = universe.sign(Body(posts=(Post(A, "first", None, None),), since=0))
    universe.add(first)
    while universe.height < INPUTLESS_WINDOW - 1:
        universe.connect(universe.block([], ()))
    assert rule_of(lambda: universe.add(first)) == "inputless.replay"
    universe.add(late)  # at since + window, the last height
    universe.disconnect()
    universe.connect(universe.block([], ()))
    assert rule_of(lambda: universe.add(late)) == "inputless.window"
    assert rule_of(lambda: universe.add(first)) == "inputless.window"
    assert b"i" + transaction_id(universe.network, first.body) in universe.entries
    step = universe.connect(universe.block([], ()))
    assert universe.height == INPUTLESS_WINDOW + 1
    assert not [key for key in universe.entries if key[:1] in b"iw"]  # forgotten in time
    universe.disconnect()
    assert universe.entries == step.entries_before
    del universe.entries[b"i" + transaction_id(universe.network, first.body)]
    assert rule_of(lambda: universe.block([], ())) == "state.damaged"


def test_both_kinds_of_replay_entries_come_back_on_disconnect() -> None:
    universe = Universe()
    step = universe.add(universe.sign(Body(posts=(Post(A, "hm", None, None),), since=0)))
    assert sum(key[:1] in b"iw" for key in universe.entries) == 2
    universe.disconnect()
    assert universe.entries == step.entries_before


# ---- rules of the genesis ---------------------------------------------------------------------------------------


def test_the_fee_floor() -> None:
    universe = Universe(genesis(fee_floor=100))
    coin = universe.coins_of(A)

    def paying(fee: int) -> Transaction:
        return universe.sign(Body((coin.input,), (Holding(NATIVE, 1_000 - fee, B, None),)))

    size_bytes = len(encode(paying(20)))
    least = -(-size_bytes * 100 // 1000)
    assert rule_of(lambda: universe.ledger.prepare(paying(least - 1))) == "fee.floor"
    assert universe.ledger.prepare(paying(least)).fee == least
    free = universe.sign(Body(posts=(Post(A, "free", None, None),), since=0))
    assert rule_of(lambda: universe.ledger.prepare(free)) == "fee.floor"


def test_only_admitted_issuers_define() -> None:
    universe = Universe(genesis(issuers=(A, C)))

    def defining(issuer: object) -> Transaction:
        return universe.sign(Body(definitions=(Definition("x", "", 0, issuer, 5, False, None),), since=0))  # type: ignore[arg-type]

    universe.add(defining(C))
    assert rule_of(lambda: universe.add(defining(B))) == "define.issuer"
    assert (
        rule_of(lambda: Universe().add(signed(Universe().network, defining(B).body, PAIRS[:1]))) == "witness.stranger"
    )
    Universe().add(signed(Universe().network, defining(B).body))  # an empty list is open issuing


def test_who_lets_an_admitted_issuer_define_needs_its_signature() -> None:
    universe = Universe(genesis(issuers=(A,)))
    unsigned = signed(universe.network, Body(definitions=(Definition("x", "", 0, A, 5, False, None),), since=0), ())
    assert rule_of(lambda: universe.add(unsigned)) == "authority.missing"


# ---- signatures --------------------------------------------------------------------------------------------------


def test_a_signature_covers_everything_but_the_witnesses() -> None:
    """Change any part of a body and the signature is of something else."""
    universe = Universe()
    asset = universe.define()
    coin = universe.coins_of(A)
    body = Body(
        (coin.input, universe.right_to(asset).input),
        (Holding(NATIVE, 500, B, None), Holding(NATIVE, 500, A, None), Holding(asset, 7, A, None)),
        issues=(Issue(1, 7),),
        posts=(Post(A, "so be it", asset, bytes(32)),),
    )
    good = universe.sign(body)
    changed = [
        Body(body.inputs[::-1], body.outputs, issues=(Issue(0, 7),), posts=body.posts),
        Body(
            body.inputs,
            (Holding(NATIVE, 501, B, None), Holding(NATIVE, 499, A, None), body.outputs[2]),
            issues=body.issues,
            posts=body.posts,
        ),
        Body(body.inputs, (*body.outputs[:2], Holding(asset, 8, A, None)), issues=(Issue(1, 8),), posts=body.posts),
        Body(body.inputs, body.outputs, issues=body.issues, posts=(Post(A, "so be it.", asset, bytes(32)),)),
        Body(body.inputs, body.outputs, issues=body.issues),
        Body(body.inputs, (*body.outputs, Right(asset, 1, B, False, ())), issues=body.issues, posts=body.posts),
        Body(body.inputs, body.outputs, (Definition("x", "", 0, A, 5, False, None),), body.issues, posts=body.posts),
    ]
    for other in changed:
        forged = Transaction(other, good.witness)
        universe.ledger.prepare(forged)  # nothing else is wrong with it
        assert rule_of(lambda forged=forged: universe.add(forged)) == "witness.signature"
    universe.add(good)


def test_one_bad_signature_of_many_refuses_the_block() -> None:
    universe = Universe()
    inputs = tuple(universe.coins_of(owner).input for owner in (A, B, C))
    good = universe.sign(Body(inputs, (Holding(NATIVE, 3_000, A, None),)))
    for place in range(3):
        signatures = list(good.witness.signatures)
        signatures[place] = Signature(signatures[place].key, bytes(64))
        bad = Transaction(good.body, Witness(tuple(signatures)))
        assert rule_of(lambda bad=bad: universe.add(bad)) == "witness.signature"
    universe.add(good)


# ---- what a block commits to -----------------------------------------------------------------------------------------


def test_a_header_commits_to_content_order_reward_and_witnesses() -> None:
    universe = Universe()
    one = universe.sign(Body((universe.coins_of(A).input,), (Holding(NATIVE, 1_000, B, None),)))
    two = universe.sign(Body((universe.coins_of(B).input,), (Holding(NATIVE, 1_000, A, None),)))
    block = universe.block([one, two])
    resigned = Transaction(
        one.body,
        Witness((Signature(PAIRS[0].public, PAIRS[0].sign(transaction_id(universe.network, one.body), b"\x01" * 32)),)),
    )
    other_reward = (Holding(NATIVE, 5_000, B, None),)
    for header, reward, transactions in [
        (block.header, block.reward, (two, one)),
        (block.header, block.reward, (one,)),
        (block.header, block.reward, (one, two, two)),
        (block.header, block.reward, (resigned, two)),
        (block.header, other_reward, (one, two)),
        (block.header, (), (one, two)),
        (remade(block, content_root=bytes(32)).header, block.reward, (one, two)),
        (remade(block, height=2).header, block.reward, (one, two)),
    ]:
        swapped = Block(header, reward, transactions)
        assert rule_of(lambda swapped=swapped: universe.connect(swapped)) == "block.content"
    assert rule_of(lambda: universe.connect(remade(block, state_root=b"\x01" * 32))) == "block.state"
    universe.connect(block)


def test_the_size_of_a_prepared_transaction_is_that_of_its_bytes() -> None:
    universe = Universe(seed=3)
    for _ in range(5):
        for item in universe.advance().prepared:
            assert item.size_bytes == len(encode(item.transaction))
            assert item.witness == encode(item.transaction.witness)
            assert item.id == universe.ledger.id_of(item.transaction.body)


def test_a_transaction_is_bounded() -> None:
    universe = Universe()
    inputs = tuple(Input(bytes(31) + bytes([i]), j, Holding(NATIVE, 1, A, None)) for i in range(5) for j in range(200))
    holdings = tuple(Holding(NATIVE, 1, A, None) for _ in range(999))
    body = Body(inputs, holdings)
    assert len(encode(body)) > 100_000
    assert rule_of(lambda: universe.ledger.prepare(Transaction(body, Witness()))) == "form.size"


def test_amounts_in_a_recipe_are_records() -> None:
    assert encode(Amount(bytes(32), 5)) == b"\x92\xc4\x20" + bytes(32) + b"\x05"
