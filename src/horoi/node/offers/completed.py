"""Transactions that all have signed, on their way to the mempool, and what it says of them."""

from __future__ import annotations

from horoi.ledger.transaction import Transaction
from horoi.node.events import Submit, Submitted
from horoi.node.offers.book import Book, Kept

MAX_SUBMISSIONS = 10  # of one that the mempool keeps refusing, one a block; a guess


class Completed:
    """Who waits for the mempool's answer. Tokens are negative here: the application's are not."""

    def __init__(self) -> None:
        self._waiting: dict[int, bytes] = {}
        self._count = 0

    def hand_in(self, kept: Kept) -> Submit:
        """The request that hands a transaction in."""
        kept.submissions += 1
        self._count += 1
        self._waiting[-self._count] = kept.id
        offer = kept.known.offer
        return Submit(-self._count, (Transaction(offer.terms.body, offer.witness),))

    def hear(self, answer: Submitted, book: Book) -> Kept | None:
        """Note what the mempool says; the offer if that is news."""
        kept = book.get(self._waiting.pop(answer.token, b""))
        if kept is None or not answer.results:
            return None
        result = answer.results[0]
        problem = "" if result.accepted else f"{result.rule}: {result.detail}"
        if problem == kept.problem:
            return None
        kept.problem = problem
        return kept
