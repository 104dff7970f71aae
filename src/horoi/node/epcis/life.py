"""An asset's life, step by step: what each transaction did with its quantities.

A transaction says what it spends and what it makes. Read for one asset, that is quantities that leave a pair of owner and
custodian and quantities that come to one; what stays where it was is change, and no step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from horoi.ledger.conditions import Condition
from horoi.ledger.transaction import Body, Holding, Output


class Pair(NamedTuple):
    """Whose it is, and who has it (None: an asset without custody)."""

    owner: Condition
    custodian: Condition | None


class Step(NamedTuple):
    """One thing that happened. ``verb``: issue, transform, consume, retire, transfer, hand-over, or post."""

    transaction: bytes
    height: int
    time_ms: int
    verb: str
    quantity: int
    before: Pair | None
    after: Pair | None
    text: str = ""


class Told(NamedTuple):
    """A confirmed transaction."""

    id: bytes
    height: int
    time_ms: int
    body: Body
    outputs: tuple[Output, ...]


def steps_of(asset: bytes, told: Told) -> list[Step]:
    """What a transaction did with an asset, in the order of its inputs and outputs."""
    body = told.body
    left = _pairs(asset, (spent.content for spent in body.inputs))
    came = _pairs(asset, told.outputs)
    for pair in list(left):  # what stays is no step
        stays = min(left[pair], came.get(pair, 0))
        if stays:
            left[pair] -= stays
            came[pair] -= stays
    sources = [*_gone_or_made(left)]
    targets = [*_gone_or_made(came)]
    made, gone = _made(asset, body), _gone(asset, body)
    steps = []
    for verb, quantity, text in made:
        for after, part in _take(targets, quantity):
            steps.append(Step(told.id, told.height, told.time_ms, verb, part, None, after, text))
    for verb, quantity, text in gone:
        for before, part in _take(sources, quantity):
            steps.append(Step(told.id, told.height, told.time_ms, verb, part, before, None, text))
    while sources and targets:
        before, quantity = sources[0]
        for after, part in _take(targets, quantity):
            verb = "transfer" if before.owner != after.owner else "hand-over"
            steps.append(Step(told.id, told.height, told.time_ms, verb, part, before, after))
        sources.pop(0)
    said = [post.text for post in body.posts if post.about == asset and post.text]
    steps += [Step(told.id, told.height, told.time_ms, "post", 0, None, None, text) for text in said]
    return steps


def _pairs(asset: bytes, outputs: Iterable[Output]) -> dict[Pair, int]:
    found: dict[Pair, int] = {}
    for output in outputs:
        if isinstance(output, Holding) and output.asset == asset:
            pair = Pair(output.owner, output.custodian)
            found[pair] = found.get(pair, 0) + output.quantity
    return found


def _gone_or_made(pairs: dict[Pair, int]) -> list[tuple[Pair, int]]:
    return [(pair, quantity) for pair, quantity in pairs.items() if quantity]


def _made(asset: bytes, body: Body) -> list[tuple[str, int, str]]:
    rights = [spent.content.asset for spent in body.inputs]
    issued = [("issue", issue.quantity, "") for issue in body.issues if rights[issue.right] == asset]
    made = [("transform", each.produced, "") for each in body.transforms if rights[each.right] == asset]
    return issued + made


def _gone(asset: bytes, body: Body) -> list[tuple[str, int, str]]:
    found = [
        ("consume", amount.quantity, "")
        for transform in body.transforms
        for amount in transform.consumed
        if amount.asset == asset
    ]
    return found + [("retire", retire.quantity, retire.reason) for retire in body.retires if retire.asset == asset]


def _take(pairs: list[tuple[Pair, int]], quantity: int) -> list[tuple[Pair, int]]:
    """Take a quantity off the front."""
    taken = []
    while quantity and pairs:
        pair, has = pairs[0]
        part = min(has, quantity)
        taken.append((pair, part))
        quantity -= part
        pairs[0] = (pair, has - part)
        if has == part:
            pairs.pop(0)
    return taken
