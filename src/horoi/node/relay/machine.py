"""The relay: transactions from peers and from the application, into the mempool, and on to other peers.

    peer: Announce -> Request -> Deliver -> prepare -> screen -> verify (elsewhere) -> mempool -> Announce to the others
    application: Submit -----------------> prepare -> ...                                -> Submitted

What a peer has to answer for: bytes and signatures, which it could check as we do (100 points), and what it sends unasked
(10). What may be seen differently from another tip (a conflict, an unknown input, a lock) costs nothing.

The node stops here first when it is busy: requests go out only as far as the intake has room, so a flood waits with those
who send it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

from horoi.base.errors import RuleError
from horoi.ledger.ledger import Prepared
from horoi.ledger.transaction import Transaction
from horoi.machine.contract import Action, Arm, Asked, Event, Finished, Fired, Lost, Peer, Received, Run, Send
from horoi.machine.host import Started
from horoi.node.events import (
    ConflictFound,
    ConnectedBlock,
    Misbehaved,
    PeerReady,
    Submit,
    SubmitResult,
    TipChanged,
    TransactionAccepted,
    TransactionRemoved,
    WaitAgain,
)
from horoi.node.mempool import ChainView, Mempool, Orphans
from horoi.node.relay.intake import Intake, Pending
from horoi.node.relay.links import MAX_TO_ANNOUNCE, Link, in_parts
from horoi.node.relay.messages import Announce, Deliver, NotFound, Request, relay_wire
from horoi.node.relay.outbox import Outbox
from horoi.node.relay.recent import Recent
from horoi.node.relay.requests import Requests
from horoi.node.relay.submissions import Submission, Submissions, answer, formless
from horoi.node.relay.verdict import GRAVE_POINTS, UNASKED_POINTS, Fate, verdict

ANNOUNCE_S = (
    0.05,
    0.1,
)  # an announcement waits a random time within this: batches, and hides where a transaction began
SERVE_S = 0.05  # a peer that wants more than its share of bytes gets the next part so much later
TICK_S = 0.5  # how often lateness and age are looked at, while there is anything to look at
SLICE = 500  # submitted transactions per event: 10 ms, so that a batch of 10,000 does not stop the node for 0.2 s
CONFIRMED_IDS = 50_000  # ids of late blocks that are not asked for again; a guess: half a minute of 2,000 a second
REFUSED_IDS = 20_000  # ids refused at this tip; a guess
MAX_LAG_BLOCKS = 10  # further behind the known headers nothing is asked for: it could not be judged; a guess
NEXT_TIP = b"tip"  # what an orphan waits for that only needs a later block


class Relay:
    """The machine. Owns what enters the mempool. Stands above sync and below the miner, so that the miner finds the pool at
    the new tip. ``restored``: the pool of an earlier life."""

    hears = (Started, PeerReady, TipChanged, Submit, WaitAgain)

    def __init__(
        self, chain: ChainView, mempool: Mempool, dice: random.Random, *, restored: tuple[Transaction, ...] = ()
    ) -> None:
        self.chain = chain
        self.mempool = mempool
        self.wire = relay_wire()
        self.links: dict[Peer, Link] = {}
        self.orphans = Orphans()
        self.requests = Requests()
        self.intake = Intake()
        self.submissions = Submissions()
        self._dice = dice
        self._restored = restored
        self._confirmed = Recent(CONFIRMED_IDS)
        self._refused = Recent(REFUSED_IDS)
        self._outbox = Outbox()
        self._fresh: list[bytes] = []
        """Admitted in this event, to be announced."""
        self._ticking = False

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Received):
            self._received(event.peer, event.message, now)
        elif isinstance(event, Finished):
            for pending, valid in self.intake.finished(event.job, event.result):
                self._verified(pending, valid, now)
        elif isinstance(event, Fired):
            self._fired(event.timer, now)
        elif isinstance(event, Lost):
            self._lost(event.peer)
        else:
            assert isinstance(event, Asked)
            self._asked(event.request, now)
        return self._carry_on(now)

    # ---- what is asked of it ---------------------------------------------------------------------

    def _asked(self, request: Any, now: float) -> None:
        if isinstance(request, Submit):
            refusal = self.submissions.begin(request)
            if refusal is not None:
                self._outbox.tell(refusal)
        elif isinstance(request, WaitAgain):
            self.submissions.queue(None, None, request.transactions)
        elif isinstance(request, TipChanged):
            self._tip_changed(request, now)
        elif isinstance(request, PeerReady):
            self._join(request.peer, now)
        elif isinstance(request, Started):
            self.submissions.queue(None, None, self._restored)
            self._restored = ()

    def _join(self, peer: Peer, now: float) -> None:
        """A new peer hears what waits here: after a partition or a crash this is how pools meet again."""
        self.links[peer] = link = Link(peer, now)
        self.requests.join(peer)
        self._queue(link, list(islice(self.mempool, MAX_TO_ANNOUNCE)))

    def _lost(self, peer: Peer) -> None:
        if self.links.pop(peer, None) is None:
            return
        for item in self.orphans.drop_peer(peer):
            self.requests.settle(item)
        self.requests.lose(peer)
        self._outbox.add(Arm(("announce", peer), None))
        self._outbox.add(Arm(("serve", peer), None))

    def _fired(self, timer: Any, now: float) -> None:
        if timer == "tick":
            self._ticking = False
            self.requests.expire(now)
            self.mempool.expire(now)
            for item in self.orphans.expire(now):
                self.requests.settle(item)
            return
        if not isinstance(timer, tuple):
            return  # "again": there is more to do than fits one event, and it is done at the end of every event
        purpose, peer = timer
        link = self.links.get(peer)
        if link is not None and purpose == "serve":
            self._serve(link, now)
        elif link is not None:
            self._outbox.extend(link.announce(self.mempool.__contains__))
            if link.to_announce:
                self._arm_announcement(peer)

    # ---- messages --------------------------------------------------------------------------------

    def _received(self, peer: Peer, message: Any, now: float) -> None:
        link = self.links.get(peer)
        if link is None or link.banned:
            return
        if isinstance(message, Announce):
            self._announced(link, message.ids)
        elif isinstance(message, Deliver):
            self._delivered(link, message.transactions, now)
        elif isinstance(message, Request):
            self._outbox.extend(link.lack(link.want(message.ids)))
            self._serve(link, now)
        elif isinstance(message, NotFound):
            for item in message.ids:
                self.requests.not_found(peer, item)

    def _announced(self, link: Link, ids: tuple[bytes, ...]) -> None:
        for item in ids:
            link.known.add(item)
            if item not in self.mempool.entries and self._is_wanted(item):
                self.requests.announce(link.peer, item)

    def _is_wanted(self, item: bytes) -> bool:
        if item in self.mempool or item in self._confirmed or item in self._refused:
            return False
        return item in self.requests or item not in self.intake

    def _serve(self, link: Link, now: float) -> None:
        self._outbox.extend(link.serve(self.mempool.get, now))
        if link.wanted:
            self._outbox.add(Arm(("serve", link.peer), SERVE_S))

    def _delivered(self, link: Link, transactions: tuple[Transaction, ...], now: float) -> None:
        unasked = 0
        for transaction in transactions:
            if not self.requests.owes_any(link.peer):
                unasked += 1  # nothing was asked for: do not even look
                continue
            try:
                prepared = self.chain.ledger.prepare(transaction)
            except (RuleError, RecursionError) as error:
                self._blame(link.peer, GRAVE_POINTS, f"delivered a transaction that breaks a rule: {error}")
                return
            if not self.requests.delivered(link.peer, prepared.id):
                unasked += 1
                continue
            link.known.add(prepared.id)
            self._consider(Pending(prepared, link.peer), now)
        if unasked:
            self._blame(link.peer, UNASKED_POINTS, f"delivered {unasked} transactions that nobody asked it for")

    def _blame(self, peer: Peer | None, points: int, why: str) -> None:
        """Nobody is blamed for what came from the application, or from a peer that is gone."""
        link = self.links.get(peer)
        if link is not None:
            link.banned = link.banned or points >= GRAVE_POINTS
            self._outbox.tell(Misbehaved(peer, points, why))

    # ---- judging ---------------------------------------------------------------------------------

    def _consider(self, pending: Pending, now: float, since_s: float | None = None) -> None:
        """Refuse at once, wait for what is missing, or verify the signatures."""
        prepared = pending.prepared
        try:
            self.mempool.screen(prepared, now, pending.source)
        except RuleError as error:
            self._refuse(pending, error, now, since_s)
            return
        lacking = [source for source in self.mempool.missing(prepared) if source not in self.intake]
        if not lacking:
            self.intake.put(pending)
        elif pending.submission is None and pending.source is not None:
            self._wait_for(pending, lacking, now, since_s)
            self._ask_for_parents(pending.source, lacking)
        else:
            detail = f"outputs of {lacking[0].hex()} do not exist, or are spent"
            self._refuse(pending, RuleError("spend.unknown", detail), now)

    def _wait_for(self, pending: Pending, lacking: list[bytes], now: float, since_s: float | None = None) -> None:
        for item in self.orphans.add(pending.prepared, pending.source, lacking, now, since_s):
            self.requests.settle(item)

    def _ask_for_parents(self, peer: Peer, lacking: list[bytes]) -> None:
        if peer not in self.links:
            return
        for item in lacking[: self.mempool.limits.max_family]:
            if item not in self.orphans and self._is_wanted(item):
                self.requests.announce(peer, item)

    def _verified(self, pending: Pending, valid: bool | None, now: float) -> None:
        """The signatures are known: let it in."""
        prepared = pending.prepared
        if not valid:
            rule = "witness.signature" if valid is False else "verify.failed"
            self._refuse(pending, RuleError(rule, f"of transaction {prepared.id.hex()}"), now)
            return
        try:
            self.mempool.add(prepared, now, pending.source)
        except RuleError as error:
            if error.rule in ("pool.conflict", "pool.replacement") and (by := self.mempool.contest(prepared)):
                self._outbox.tell(ConflictFound(prepared.id, by))
            self._refuse(pending, error, now)
            return
        self._answer(pending, SubmitResult(prepared.id, True))
        self._entered(prepared, now)

    def _entered(self, prepared: Prepared, now: float) -> None:
        """Tell the others, and those that waited for it."""
        self.requests.settle(prepared.id)
        self.orphans.remove(prepared.id)
        self._tell_left()
        self._outbox.tell(TransactionAccepted(prepared))
        self._fresh.append(prepared.id)
        self._reconsider(prepared.id, now)

    def _reconsider(self, arrived: bytes, now: float) -> None:
        for orphan in self.orphans.take_waiting(arrived):
            self._consider(Pending(orphan.prepared, orphan.source), now, orphan.since_s)

    def _refuse(self, pending: Pending, error: RuleError, now: float, since_s: float | None = None) -> None:
        """Answer, blame, and decide what becomes of it."""
        prepared, source = pending.prepared, pending.source
        points, fate = verdict(error, prepared)
        if points:
            self._blame(source, points, f"delivered {prepared.id.hex()}: {error}")
        if pending.submission is not None:
            is_known = fate is Fate.KNOWN
            rule, detail = ("", "") if is_known else (error.rule, error.detail)
            self._answer(pending, SubmitResult(prepared.id, is_known, rule, detail))
            return
        lacking = self.mempool.missing(prepared) if fate is Fate.ORPHAN else ()
        if fate is Fate.RETRY:
            self.requests.retry(prepared.id)
        elif fate is Fate.EARLY:
            self._wait_for(pending, [NEXT_TIP], now, since_s)
        elif lacking:
            self._wait_for(pending, list(lacking), now, since_s)
        else:
            if fate is not Fate.KNOWN:
                self._refused.add(prepared.id)
            self.requests.settle(prepared.id)

    def _answer(self, pending: Pending, result: SubmitResult) -> None:
        if pending.submission is not None:
            self._note_result(pending.submission, pending.position, result)

    def _note_result(self, submission: Submission, position: int, result: SubmitResult) -> None:
        complete = answer(submission, position, result)
        if complete is not None:
            self._outbox.tell(complete)

    # ---- submissions -----------------------------------------------------------------------------

    def _take_submitted(self, now: float) -> None:
        """A slice of what the application submitted."""
        taken = 0
        while self.submissions and self.intake.room > 0 and taken < SLICE:
            submission, position, transaction = self.submissions.next()
            taken += 1
            self._submitted(submission, position, transaction, now)

    def _submitted(self, submission: Submission, position: int, transaction: Transaction, now: float) -> None:
        try:
            prepared = self.chain.ledger.prepare(transaction)
        except (RuleError, RecursionError, OverflowError) as error:
            self._note_result(submission, position, formless(self.chain.ledger, transaction, error))
            self._blame(submission.source, GRAVE_POINTS, f"handed on a transaction that breaks a rule: {error}")
            return
        pending = Pending(prepared, submission.source, submission, position)
        if prepared.id in self._confirmed:
            self._answer(pending, SubmitResult(prepared.id, True, "", "it is in a block"))
            return
        self._consider(pending, now)

    # ---- the chain moves -------------------------------------------------------------------------

    def _tip_changed(self, change: TipChanged, now: float) -> None:
        returned = self.mempool.follow(change, now)
        self._refused.clear()
        for item in _transactions(change.disconnected):
            self._confirmed.discard(item.id)
        for item in _transactions(change.connected):
            self._confirmed.add(item.id)
            self.requests.settle(item.id)
            self.orphans.remove(item.id)
        self._tell_left()
        for item in returned:
            self._outbox.tell(TransactionAccepted(item))
            self._fresh.append(item.id)
        if len(self.orphans):
            for item in _transactions(change.connected):
                self._reconsider(item.id, now)
            self._reconsider_early(now)

    def _reconsider_early(self, now: float) -> None:
        """What waited for a block, if this was it; the others wait on, without another look at their signatures."""
        for orphan in self.orphans.take_waiting(NEXT_TIP):
            pending = Pending(orphan.prepared, orphan.source)
            try:
                self.mempool.check_next_block(orphan.prepared)
            except RuleError as error:
                self._refuse(pending, error, now, orphan.since_s)
            else:
                self._consider(pending, now, orphan.since_s)

    # ---- the end of every event ------------------------------------------------------------------

    def _carry_on(self, now: float) -> list[Action]:
        """Do what there is room for: judge, verify, ask, tell."""
        self._take_submitted(now)
        self._outbox.extend([Run(job) for job in self.intake.jobs()])
        room = self.intake.room - len(self.submissions) - self.requests.in_flight
        if self.chain.tree.best.height - self.chain.tip.height <= MAX_LAG_BLOCKS:
            for peer, ids in self.requests.take(room, now):
                self._outbox.extend([Send(peer, Request(tuple(part))) for part in in_parts(ids)])
        self._tell_left()
        if self._fresh:
            for link in self.links.values():
                self._queue(link, self._fresh)
            self._fresh = []
        actions = self._outbox.take()
        if (self.submissions and self.intake.room > 0) or self._outbox.waiting:
            actions.append(Arm("again", 0.0))
        if not self._ticking and (self.requests.busy or len(self.orphans) or len(self.mempool)):
            self._ticking = True
            actions.append(Arm("tick", TICK_S))
        return actions

    def _tell_left(self) -> None:
        for left in self.mempool.take_left():
            self._outbox.tell(TransactionRemoved(left.id, left.why))
            if left.by is not None:
                self._outbox.tell(ConflictFound(left.id, left.by))

    def _queue(self, link: Link, items: list[bytes]) -> None:
        if link.queue(items):
            self._arm_announcement(link.peer)

    def _arm_announcement(self, peer: Peer) -> None:
        self._outbox.add(Arm(("announce", peer), self._dice.uniform(*ANNOUNCE_S)))


def _transactions(blocks: tuple[ConnectedBlock, ...]) -> Iterator[Prepared]:
    return (item for block in blocks for item in block.prepared)
