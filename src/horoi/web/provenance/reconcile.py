"""Reconciliation: what was made, what left, who has the rest, and where books do not meet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from time import time

from horoi.ledger.conditions import Condition, keys_now
from horoi.ledger.transaction import Holding
from horoi.node.index.index import AssetRecord
from horoi.node.wallet.amounts import format_amount
from horoi.web.access import NodeAccess
from horoi.web.lines import Liner, waiting_lines
from horoi.web.model.provenance import Gap, PartySum, Reconciliation, RetiredSum
from horoi.web.movements import movements
from horoi.web.provenance.flow import Step
from horoi.web.provenance.statements import stated_quantities
from horoi.web.reading import Unspent, unspent_of_asset

MAX_HOLDINGS = 2_000  # added up for a page: 20 ms
MAX_PARTIES = 50
MAX_REASONS = 50
MAX_GAPS = 50
MAX_WAITING_LOOKED_AT = 1_000


class Books:
    """The books of one asset now."""

    def __init__(self, access: NodeAccess, liner: Liner, asset: bytes, record: AssetRecord) -> None:
        self.access = access
        self.liner = liner
        self.asset = asset
        self.record = record
        self.decimals = record.definition.decimals
        self.unspent, self.complete = unspent_of_asset(access, asset, MAX_HOLDINGS)
        self.existing = record.issued + record.produced - record.consumed - record.retired
        self.by_owner: dict[Condition, int] = {}
        self.by_custodian: dict[Condition, int] = {}
        for holding, _ in self._holdings():
            self.by_owner[holding.owner] = self.by_owner.get(holding.owner, 0) + holding.quantity
            if holding.custodian is not None:
                held = self.by_custodian.get(holding.custodian, 0)
                self.by_custodian[holding.custodian] = held + holding.quantity

    def _holdings(self) -> Iterator[tuple[Holding, Unspent]]:
        for unspent in self.unspent:
            if isinstance(unspent.spendable.content, Holding):
                yield unspent.spendable.content, unspent

    def reconciliation(self, steps: list[Step], overdue_hours: float) -> Reconciliation:
        """With the gaps that the given transactions and the clock show."""
        is_balanced = not self.complete or sum(self.by_owner.values()) == self.existing
        gaps = [
            *self._unbalanced(is_balanced),
            *self._in_transit(overdue_hours),
            *self._statements(steps),
            *self._waiting(),
        ]
        record = self.record
        return Reconciliation(
            unit=record.definition.unit,
            issued=self._text(record.issued),
            produced=self._text(record.produced),
            consumed=self._text(record.consumed),
            retired=self._text(record.retired),
            existing=self._text(self.existing),
            retired_by_reason=[
                RetiredSum(reason=reason, amount=self._text(quantity))
                for reason, quantity in self.access.index.retired_by_reason(self.asset, MAX_REASONS)
            ],
            by_owner=self._sums(self.by_owner),
            by_custodian=self._sums(self.by_custodian),
            complete=self.complete,
            balanced=is_balanced,
            gaps=gaps[:MAX_GAPS],
        )

    def _text(self, quantity: int) -> str:
        return format_amount(quantity, self.decimals)

    def _sums(self, sums: dict[Condition, int]) -> list[PartySum]:
        largest = sorted(sums.items(), key=lambda row: -row[1])[:MAX_PARTIES]
        return [PartySum(party=self.liner.people.party(who), amount=self._text(quantity)) for who, quantity in largest]

    # ---- gaps -------------------------------------------------------------------------------------------------

    def _unbalanced(self, is_balanced: bool) -> Iterator[Gap]:
        if not is_balanced:
            held = sum(self.by_owner.values())
            words = f"{self._text(held)} are held, {self._text(self.existing)} should exist"
            yield Gap(kind="unbalanced", words=words, amount=self.liner.view.amount(self.asset, held))

    def _in_transit(self, overdue_hours: float) -> Iterator[Gap]:
        """Goods that are with somebody else than their owner, since when, the longest first."""
        now_ms = time() * 1000
        found = []
        for holding, unspent in self._holdings():
            known = self.access.node.chain.at_height(unspent.height or 0)
            if known is None or holding.custodian is None or _is_own(holding):
                continue
            hours = max(0.0, (now_ms - known.header.time_ms) / 3_600_000)
            if hours >= overdue_hours:
                found.append((hours, holding, unspent))
        for hours, holding, unspent in sorted(found, key=lambda row: -row[0])[:MAX_GAPS]:
            custodian = self.liner.people.party_if(holding.custodian)
            amount = self.liner.view.amount(self.asset, holding.quantity)
            owner = self.liner.people.party(holding.owner)
            yield Gap(
                kind="in-transit",
                words=f"{amount.amount} {amount.unit} of {owner.text} have been with {custodian.text if custodian else '?'} for "
                f"{hours:.1f} hours, and nobody confirmed receiving them",
                amount=amount,
                transaction=unspent.spendable.source.hex(),
                height=unspent.height,
                hours=round(hours, 2),
                party=custodian,
                owner=owner,
            )

    def _statements(self, steps: list[Step]) -> Iterator[Gap]:
        """Posts about the asset that state a quantity which neither their own transaction has nor, without one, the others."""
        moved = {step.id: self._quantities(step) for step in steps}
        known = {quantity for quantities in moved.values() for quantity in quantities}
        known |= {self.existing, *self.by_owner.values(), *self.by_custodian.values()}
        definition = self.record.definition
        for step in steps:
            for post in step.body.posts:
                if post.about != self.asset:
                    continue
                right = moved[step.id] or known
                for text, quantity in stated_quantities(post.text, definition.unit, definition.decimals):
                    if quantity not in right:
                        yield self._misstated(step, post.author, text, own=bool(moved[step.id]))

    def _misstated(self, step: Step, author: Condition, text: str, *, own: bool) -> Gap:
        who = self.liner.people.party(author)
        against = "what its transaction moves is another quantity" if own else "no movement or holding is so much"
        return Gap(
            kind="statement",
            words=f"{who.text} states {text}: {against}",
            transaction=step.id.hex(),
            height=step.height,
            party=who,
            stated=text,
            against="transaction" if own else "books",
        )

    def _quantities(self, step: Step) -> set[int]:
        """Quantities of any asset that a transaction moves or leaves: a post on a refinery's run names the products too."""
        found: set[int] = set()
        for movement in movements(step.id, step.body):
            if movement.kind in ("posted", "defined", "licensed", "paid"):
                continue
            amounts = [*movement.sources, *([movement.amount] if movement.amount is not None else [])]
            found.update(amount.quantity for amount in amounts)
        used = sum(a.quantity for t in step.body.transforms for a in t.consumed if a.asset == self.asset)
        lost = sum(retired.quantity for retired in step.body.retires if retired.asset == self.asset)
        return found | ({used, used + lost} if used else set())

    def _waiting(self) -> Iterator[Gap]:
        entries = self.access.node.mempool.entries.values()
        for entry in islice(reversed(entries), MAX_WAITING_LOOKED_AT):
            body = entry.prepared.transaction.body
            touched = any(content.asset == self.asset for content in (*(i.content for i in body.inputs), *body.outputs))
            if touched:
                lines = waiting_lines(self.liner, entry)
                yield Gap(
                    kind="waiting",
                    words=f"{lines[0].words}: it is in no block yet" if lines else "a transaction waits",
                    transaction=entry.prepared.id.hex(),
                    line=lines[0] if lines else None,
                )


def _is_own(holding: Holding) -> bool:
    """Whether the owner has the goods: a condition of both that the same keys satisfy now."""
    custodian = holding.custodian
    return custodian is None or custodian == holding.owner or keys_now(custodian) == keys_now(holding.owner)
