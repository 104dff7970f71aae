"""What a transaction did, as movements between parties: computed from the body alone.

Inputs and outputs are pools, so movement is what is left when both sides are added up: per asset, whose total fell and whose
rose (ownership), and who has less in custody and who more. What was made is first set against the maker's own gain, what left the
books against the losses; the rest went from one to another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from horoi.ledger.conditions import Condition
from horoi.ledger.transaction import NATIVE, Amount, Body, Holding, Post, Right, asset_id
from horoi.web.model.board import LineKind

Sums = dict[Condition, int]


class Movement(NamedTuple):
    """One line of the board before names are put to it."""

    kind: LineKind
    actor: Condition | None = None
    counterpart: Condition | None = None
    owner: Condition | None = None
    amount: Amount | None = None
    sources: tuple[Amount, ...] = ()
    reason: str | None = None
    post: Post | None = None
    asset_name: str | None = None
    """Of what is defined here."""


def movements(transaction: bytes, body: Body) -> list[Movement]:
    """Makings, changes of owner and of custodian, licences, losses, posts. Assumes that the rules accepted the body."""
    found = [*_definitions(transaction, body), *_licences(body)]
    for asset in _assets(body):
        found += _Asset(asset, body).movements()
    found += _payments(body)
    if not found and body.inputs:
        found.append(_rearranged(body))
    found += [Movement("posted", post.author, post=post) for post in body.posts]
    return found


def _definitions(transaction: bytes, body: Body) -> Iterator[Movement]:
    for number, d in enumerate(body.definitions):
        amount = Amount(asset_id(transaction, number), d.limit)
        yield Movement("defined", d.issuer, amount=amount, asset_name=d.name)


def _licences(body: Body) -> Iterator[Movement]:
    """Rights that somebody has now who spent none of the asset."""
    givers: dict[bytes, dict[Condition, None]] = {}
    for spent in body.inputs:
        if isinstance(spent.content, Right):
            givers.setdefault(spent.content.asset, {})[spent.content.owner] = None
    for made in body.outputs:
        if isinstance(made, Right) and made.owner not in givers.get(made.asset, {}):
            giver = next(iter(givers.get(made.asset, {})), None)
            yield Movement("licensed", giver, made.owner, amount=Amount(made.asset, made.limit))


def _assets(body: Body) -> list[bytes]:
    """Assets of which holdings are spent or made, in order of appearance, the coin apart."""
    contents = [*(spent.content for spent in body.inputs), *body.outputs]
    found = dict.fromkeys(content.asset for content in contents if isinstance(content, Holding))
    found.update(dict.fromkeys(retired.asset for retired in body.retires))
    found.pop(NATIVE, None)
    return list(found)


class _Asset:
    """The movements of one asset in one transaction."""

    def __init__(self, asset: bytes, body: Body) -> None:
        self.asset = asset
        self.body = body
        self.owners: Sums = {}
        self.pairs: dict[Condition, Sums] = {}
        for content, sign in _signed(body, asset):
            self.owners[content.owner] = self.owners.get(content.owner, 0) + sign * content.quantity
            if content.custodian is not None:
                held = self.pairs.setdefault(content.owner, {})
                held[content.custodian] = held.get(content.custodian, 0) + sign * content.quantity

    def movements(self) -> Iterator[Movement]:
        """Handovers under the same owner, then what changes totals."""
        rises, falls = _split(self.owners)
        custody = {owner: dict(held) for owner, held in self.pairs.items() if self.owners[owner] != 0}
        gains, losses = _split(_together(custody))
        for made, actor, sources in self._makings():
            counterpart = _take(rises, made, actor)
            _take(gains, made, actor)
            kind: LineKind = "transformed" if sources else "issued"
            yield Movement(
                kind, actor, counterpart if counterpart != actor else None, amount=self._of(made), sources=sources
            )
        used = sum(a.quantity for t in self.body.transforms for a in t.consumed if a.asset == self.asset)
        _take(losses, used, _take(falls, used, None))
        for retired in self.body.retires:
            if retired.asset == self.asset:
                owner = _take(falls, retired.quantity, None)
                _take(losses, retired.quantity, owner)
                yield Movement("retired", owner, amount=self._of(retired.quantity), reason=retired.reason)
        sold = list(_matched(falls, rises))
        for giver, taker, quantity in sold:
            yield Movement("transferred", giver, taker, amount=self._of(quantity))
        yield from self._handovers()
        for giver, taker, quantity in _matched(losses, gains):
            if (giver, taker, quantity) not in sold:  # goods that went along with their ownership are no news
                yield self._handover(giver, taker, sold[0][1] if len(sold) == 1 else None, quantity)

    def _handovers(self) -> Iterator[Movement]:
        for owner, held in self.pairs.items():
            if self.owners[owner] == 0:
                gains, losses = _split(held)
                for giver, taker, quantity in _matched(losses, gains):
                    yield self._handover(giver, taker, owner, quantity)

    def _handover(self, giver: Condition, taker: Condition, owner: Condition | None, quantity: int) -> Movement:
        if taker == owner:
            return Movement("received", taker, giver, owner, self._of(quantity))
        return Movement("handed-over", giver, taker, owner, self._of(quantity))

    def _makings(self) -> Iterator[tuple[int, Condition, tuple[Amount, ...]]]:
        inputs = self.body.inputs
        for issue in self.body.issues:
            right = inputs[issue.right].content
            if right.asset == self.asset:
                yield issue.quantity, right.owner, ()
        for transform in self.body.transforms:
            right = inputs[transform.right].content
            if right.asset == self.asset:
                yield transform.produced, right.owner, transform.consumed

    def _of(self, quantity: int) -> Amount:
        return Amount(self.asset, quantity)


def _signed(body: Body, asset: bytes) -> Iterator[tuple[Holding, int]]:
    for spent in body.inputs:
        if isinstance(spent.content, Holding) and spent.content.asset == asset:
            yield spent.content, -1
    for made in body.outputs:
        if isinstance(made, Holding) and made.asset == asset:
            yield made, 1


def _split(changes: Sums) -> tuple[Sums, Sums]:
    """Rises and falls."""
    rises = {who: change for who, change in changes.items() if change > 0}
    return rises, {who: -change for who, change in changes.items() if change < 0}


def _together(custody: dict[Condition, Sums]) -> Sums:
    sums: Sums = {}
    for held in custody.values():
        for custodian, change in held.items():
            sums[custodian] = sums.get(custodian, 0) + change
    return sums


def _take(sums: Sums, quantity: int, first: Condition | None) -> Condition | None:
    """Take a quantity out of the sums, out of that of ``first`` before others'. Returns whose most of it was."""
    taken: Condition | None = None
    order = [first] if first is not None and first in sums else []
    for who in [*order, *list(sums)]:
        part = min(quantity, sums.get(who, 0))
        if part == 0:
            continue
        taken = taken if taken is not None else who
        quantity -= part
        sums[who] -= part
    return taken


def _matched(falls: Sums, rises: Sums) -> Iterator[tuple[Condition, Condition, int]]:
    """Who gave to whom: first to last, as far as both sides reach. Nobody is on both sides."""
    takers = iter(rises.items())
    taker, wanted = next(takers, (None, 0))
    for giver, given in falls.items():
        left = given
        while left and taker is not None:
            part = min(left, wanted)
            left, wanted = left - part, wanted - part
            if part:
                yield giver, taker, part
            if not wanted:
                taker, wanted = next(takers, (None, 0))


def _payments(body: Body) -> Iterator[Movement]:
    sums: Sums = {}
    for content, sign in _signed(body, NATIVE):
        sums[content.owner] = sums.get(content.owner, 0) + sign * content.quantity
    rises, falls = _split(sums)
    for giver, taker, quantity in _matched(falls, rises):
        yield Movement("paid", giver, taker, amount=Amount(NATIVE, quantity))


def _rearranged(body: Body) -> Movement:
    content = body.inputs[0].content
    quantity = content.quantity if isinstance(content, Holding) else content.limit
    total = sum(c.quantity for c, sign in _signed(body, content.asset) if sign < 0) or quantity
    return Movement("rearranged", content.owner, amount=Amount(content.asset, total))
