"""What the application submitted, and the answers that it waits for."""

from __future__ import annotations

from collections import deque

import msgspec

from horoi.base.errors import RuleError
from horoi.ledger.ledger import Ledger
from horoi.ledger.transaction import Transaction
from horoi.machine.contract import Peer
from horoi.node.events import Submit, SubmitResult, Submitted

MAX_TRANSACTIONS = 10_000  # of one Submit: one batch of the API
MAX_BACKLOG = 50_000  # submitted and not begun: a guess, 6 s of the busiest load


class Submission(msgspec.Struct, gc=False):
    """A submission under way. ``token`` is None where nobody waits for an answer."""

    token: int | None
    source: Peer | None
    results: list[SubmitResult | None]
    left: int


class Submissions:
    """The backlog: transactions in order, and the submission that each belongs to."""

    def __init__(self) -> None:
        self._backlog: deque[tuple[Submission, int, Transaction]] = deque()

    def __len__(self) -> int:
        return len(self._backlog)

    def begin(self, request: Submit) -> Submitted | None:
        """Queue a request. What cannot be taken is answered at once."""
        transactions = request.transactions
        if len(transactions) > MAX_TRANSACTIONS:
            refusal = SubmitResult(
                b"", False, "pool.batch", f"more than {MAX_TRANSACTIONS} at once: send them in parts"
            )
            return Submitted(request.token, (refusal,) * len(transactions))
        if len(self._backlog) + len(transactions) > MAX_BACKLOG:
            refusal = SubmitResult(
                b"", False, "pool.busy", f"{len(self._backlog)} are waiting to be checked: send later"
            )
            return Submitted(request.token, (refusal,) * len(transactions))
        if not transactions:
            return Submitted(request.token, ())
        self.queue(request.token, request.source, transactions)
        return None

    def queue(self, token: int | None, source: Peer | None, transactions: tuple[Transaction, ...]) -> None:
        """Queue without limits: the application's own saved pool."""
        submission = Submission(token, source, [None] * len(transactions), len(transactions))
        self._backlog.extend((submission, position, item) for position, item in enumerate(transactions))

    def next(self) -> tuple[Submission, int, Transaction]:
        """The next transaction to judge."""
        return self._backlog.popleft()


def answer(submission: Submission, position: int, result: SubmitResult) -> Submitted | None:
    """Note one result; the whole answer once it is complete."""
    if submission.results[position] is not None:
        return None
    submission.results[position] = result
    submission.left -= 1
    if submission.left or submission.token is None:
        return None
    return Submitted(submission.token, tuple(result for result in submission.results if result is not None))


def formless(ledger: Ledger, transaction: Transaction, error: Exception) -> SubmitResult:
    """The result of a transaction that could not be prepared; its id is empty if it has no byte form at all."""
    rule, detail = (error.rule, error.detail) if isinstance(error, RuleError) else ("form.unencodable", str(error))
    try:
        return SubmitResult(ledger.id_of(transaction.body), False, rule, detail)
    except (RecursionError, OverflowError):
        return SubmitResult(b"", False, rule, detail)
