"""Sentences say the truth: what they say of owners and custodians adds up to what the body does."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from hypothesis import given, settings
from test_wallet_builder import Move, books_of, holdings, moves, play
from wallet_ledger import FIELD, REFINERY, STATION, World

from horoi.ledger.conditions import Condition
from horoi.ledger.transaction import NATIVE, Amount, Body, Holding, Recipe
from horoi.node.wallet.builder import Draft
from horoi.node.wallet.explain import explain
from horoi.node.wallet.pools import Spendable
from horoi.node.wallet.sentences import Sentence, SentenceKind, sentences

OWNERS: dict[SentenceKind, tuple[int, int]] = {"gives": (-1, 1), "parts-with": (-1, 0), "receives": (1, 0)}
CUSTODIANS: dict[SentenceKind, tuple[int, int]] = {"hands-over": (-1, 1), "lets-go": (-1, 0), "takes-custody": (1, 0)}
"""The signs with which a sentence moves a quantity for ``who`` and for ``to``."""


def said_of(said: list[Sentence], kinds: dict[SentenceKind, tuple[int, int]]) -> Counter[Condition]:
    """By how much sentences of these kinds change each party's total."""
    totals: Counter[Condition] = Counter()
    for sentence in said:
        for party, sign in zip((sentence.who, sentence.to), kinds.get(sentence.kind, ()), strict=False):
            if party is not None and sentence.amount is not None:
                totals[party] += sign * sentence.amount.quantity
    return totals


def done_by(body: Body) -> tuple[Counter[Condition], Counter[Condition]]:
    """By how much it changes what each party owns, and what each holds."""
    owned: Counter[Condition] = Counter()
    held: Counter[Condition] = Counter()
    contents = [(spent.content, -1) for spent in body.inputs] + [(made, 1) for made in body.outputs]
    for content, sign in contents:
        assert isinstance(content, Holding) and content.custodian is not None  # noqa: PT018
        owned[content.owner] += sign * content.quantity
        held[content.custodian] += sign * content.quantity
    return owned, held


def present(totals: Counter[Condition]) -> dict[Condition, int]:
    return {party: total for party, total in totals.items() if total}


@settings(deadline=None, max_examples=100)
@given(spendables=holdings(), moves_=moves)
def test_what_is_said_adds_up_to_what_is_done(spendables: list[Spendable], moves_: list[Move]) -> None:
    draft = Draft(spendables, height=9)
    if not play(draft, moves_, books_of(spendables)):
        return
    body = draft.build()
    said, (owned, held) = sentences(body), done_by(body)
    assert present(said_of(said, OWNERS)) == present(owned)
    assert present(said_of(said, CUSTODIANS)) == present(held)
    assert {sentence.kind for sentence in said} <= set(get_args(SentenceKind))
    lines = explain(body)
    assert len(lines) == len(said)
    assert all(line.endswith(".") and "None" not in line for line in lines)


def test_a_right_and_a_fee() -> None:
    coin = Spendable(bytes(32), 0, Holding(NATIVE, 50, REFINERY, None), 1, False)
    body = Draft([coin], height=9, payer=REFINERY).define("crude", issuer=FIELD, limit=5).pay_fee(REFINERY, 7).build()
    said = sentences(body)
    assert [sentence.kind for sentence in said] == ["defines", "parts-with", "pays-fee", "agree"]
    assert said[0].definition is not None
    assert (said[0].who, said[0].definition.name) == (FIELD, "crude")
    assert said[2].amount == Amount(NATIVE, 7)
    assert set(said[3].signers) == {FIELD, REFINERY}


def test_recipes_are_kept_as_parts() -> None:
    world = World()
    oil, petrol = world.defined("crude"), world.defined("petrol")
    recipe = Recipe((Amount(oil, 2),), 1)
    body = world.draft().license(petrol, 60, owner=FIELD, to=STATION, recipes=[recipe]).build()
    given_ = next(sentence for sentence in sentences(body) if sentence.kind == "receives-right")
    assert (given_.who, given_.amount, given_.recipes) == (STATION, Amount(petrol, 60), (recipe,))
