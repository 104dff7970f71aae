"""What a body says, as sentences with named parts: every kind of sentence is here, in no language.

A signer must be able to read in their own language what they sign, so what is said is kept apart from the words: ``explain.py``
has those of the terminal, the explorer's dictionary has them in English and Greek, and a test holds the two together.

Computed from the body alone, which carries the content of everything it spends: an offline signer needs no node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from horoi.ledger.authority import required
from horoi.ledger.conditions import Condition
from horoi.ledger.ledger import INPUTLESS_WINDOW
from horoi.ledger.transaction import NATIVE, Amount, Body, Definition, Holding, Output, Recipe, Right

SentenceKind: TypeAlias = Literal[
    "defines",
    "issues",
    "makes",
    "owns-as-before",
    "gives",
    "parts-with",
    "receives",
    "hands-over",
    "lets-go",
    "takes-custody",
    "goes-on-holding",
    "uses-right",
    "keeps-right",
    "receives-right",
    "leaves-books",
    "states",
    "pays-fee",
    "valid-up-to",
    "agree",
]


class Sentence(NamedTuple):
    """One sentence. Which parts are there follows from its kind."""

    kind: SentenceKind
    who: Condition | None = None
    to: Condition | None = None
    owner: Condition | None = None
    """Who goes on owning what changes hands."""
    amount: Amount | None = None
    asset: bytes | None = None
    """What is spoken of without a quantity."""
    sources: tuple[Amount, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    """Of a right to make something out of something; none of a right to issue."""
    definition: Definition | None = None
    text: str | None = None
    document: bytes | None = None
    height: int | None = None
    signers: tuple[Condition, ...] = ()


def sentences(body: Body) -> list[Sentence]:
    """What a signer of ``body`` agrees to: makings, owners, custody, rights, losses, posts, fee, signers.

    Assumes that ``rules.check_body`` accepted the body.
    """
    said = [*_makings(body), *_ownership(body), *_custody(body), *_rights(body)]
    said += [Sentence("leaves-books", amount=Amount(r.asset, r.quantity), text=r.reason) for r in body.retires]
    said += [Sentence("states", p.author, asset=p.about, document=p.document, text=p.text) for p in body.posts]
    fee = sum(o.quantity for o in _of_coin(_spent(body))) - sum(o.quantity for o in _of_coin(body.outputs))
    if fee:
        said.append(Sentence("pays-fee", amount=Amount(NATIVE, fee)))
    if not body.inputs:
        said.append(Sentence("valid-up-to", height=body.since + INPUTLESS_WINDOW))
    need = required(body)
    said.append(Sentence("agree", signers=tuple(dict.fromkeys((*need.acting, *need.receiving)))))
    return said


def _makings(body: Body) -> Iterator[Sentence]:
    for definition in body.definitions:
        yield Sentence("defines", definition.issuer, definition=definition)
    for issue in body.issues:
        right = _right_of(body.inputs[issue.right].content)
        yield Sentence("issues", right.owner, amount=Amount(right.asset, issue.quantity))
    for transform in body.transforms:
        right = _right_of(body.inputs[transform.right].content)
        made = Amount(right.asset, transform.produced)
        yield Sentence("makes", right.owner, amount=made, sources=transform.consumed)


def _ownership(body: Body) -> Iterator[Sentence]:
    """Per asset, whose total falls and whose rises."""
    touched: dict[bytes, dict[Condition, int]] = {}
    for output, sign in _signed(body):
        owners = touched.setdefault(output.asset, {})
        owners[output.owner] = owners.get(output.owner, 0) + sign * output.quantity
    for asset, owners in touched.items():
        if asset != NATIVE and not any(owners.values()):
            for owner in owners:
                yield Sentence("owns-as-before", owner, asset=asset)
        yield from _moved(owners, asset, "gives", alone=("parts-with", "receives"))


def _custody(body: Body) -> Iterator[Sentence]:
    """Per asset: for each owner who keeps the total, custody among its pairs; for all others together, among custodians."""
    pairs: dict[bytes, dict[Condition, dict[Condition, int]]] = {}
    for output, sign in _signed(body):
        if output.custodian is not None:
            held = pairs.setdefault(output.asset, {}).setdefault(output.owner, {})
            held[output.custodian] = held.get(output.custodian, 0) + sign * output.quantity
    for asset, owners in pairs.items():
        together: dict[Condition, int] = {}
        for owner, held in owners.items():
            if sum(held.values()) == 0:
                yield from _held(held, asset, owner)
                continue
            for custodian, change in held.items():
                together[custodian] = together.get(custodian, 0) + change
        for custodian, change in together.items():
            if change == 0:
                yield Sentence("goes-on-holding", custodian, asset=asset)
        yield from _held(together, asset, None)


def _held(changes: Mapping[Condition, int], asset: bytes, owner: Condition | None) -> Iterator[Sentence]:
    return _moved(changes, asset, "hands-over", alone=("lets-go", "takes-custody"), owner=owner)


def _moved(
    changes: Mapping[Condition, int],
    asset: bytes,
    paired: SentenceKind,
    *,
    alone: tuple[SentenceKind, SentenceKind],
    owner: Condition | None = None,
) -> Iterator[Sentence]:
    """One sentence a movement: paired if one side is a single party and both sides are equal, else each party alone."""
    falls = {who: -change for who, change in changes.items() if change < 0}
    rises = {who: change for who, change in changes.items() if change > 0}
    if sum(falls.values()) == sum(rises.values()) and (len(falls) == 1 or len(rises) == 1):
        for giver, given in falls.items():
            for taker, taken in rises.items():
                yield Sentence(paired, giver, taker, owner, Amount(asset, min(given, taken)))
        return
    for kind, side in zip(alone, (falls, rises), strict=True):
        for who, change in side.items():
            yield Sentence(kind, who, owner=owner, amount=Amount(asset, change))


def _rights(body: Body) -> Iterator[Sentence]:
    spent = [content for content in _spent(body) if isinstance(content, Right)]
    for right in spent:
        yield _of_right("uses-right", right)
    for made in body.outputs:
        if isinstance(made, Right):
            keeps = any(right.owner == made.owner and right.asset == made.asset for right in spent)
            yield _of_right("keeps-right" if keeps else "receives-right", made)


def _of_right(kind: SentenceKind, right: Right) -> Sentence:
    return Sentence(kind, right.owner, amount=Amount(right.asset, right.limit), recipes=right.recipes)


def _spent(body: Body) -> list[Output]:
    return [spent.content for spent in body.inputs]


def _signed(body: Body) -> Iterator[tuple[Holding, int]]:
    """Every holding: spent ones with -1, made ones with +1. The order is the body's."""
    for content in _spent(body):
        if isinstance(content, Holding):
            yield content, -1
    for made in body.outputs:
        if isinstance(made, Holding):
            yield made, 1


def _of_coin(outputs: list[Output] | tuple[Output, ...]) -> list[Holding]:
    return [output for output in outputs if isinstance(output, Holding) and output.asset == NATIVE]


def _right_of(content: Output) -> Right:
    assert isinstance(content, Right)  # rules.check_body
    return content
