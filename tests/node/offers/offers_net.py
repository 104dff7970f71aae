"""A few machines of offers and the links between them, run by hand: messages cross the wire as bytes."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

from tests.node.pool_chain import KEYS, TestChain, make_genesis

from horoi.base.keys import KeyPair
from horoi.ledger.conditions import Key
from horoi.ledger.transaction import NATIVE, Body, Holding, Signature, Transaction, Witness
from horoi.machine.contract import Arm, Asked, Finished, Fired, Lost, Received, Run, Save, Send, Tell
from horoi.machine.host import Started
from horoi.node.events import OfferPut, PeerReady, PutOffer, Submit, SubmitResult, Submitted
from horoi.node.offers.limits import Limits
from horoi.node.offers.machine import Offers
from horoi.node.offers.offer import Offer, Stake, Terms, agree, propose
from horoi.node.offers.saved import RECORD_CODEC, OffersRecord

START_S = 1_000_000.0
DAY_MS = 86_400_000
GENESIS = make_genesis(grants=32)
CHAIN = TestChain(GENESIS)
NETWORK = CHAIN.ledger.network


def joint_body(*grants: int, part: int = 0) -> Body:
    """The owners of these grants put them together into one that the first of them owns."""
    inputs = tuple(CHAIN.grant(number) for number in grants)
    total = sum(spent.content.quantity for spent in inputs)  # type: ignore[union-attr]
    first = Key(KEYS[grants[0] % 8].public)
    shares = (part, total - part) if part else (total,)
    return Body(inputs=inputs, outputs=tuple(Holding(NATIVE, share, first, None) for share in shares))


def witness_of(body: Body, *signers: KeyPair) -> Witness:
    digest = CHAIN.ledger.id_of(body)
    ordered = sorted(signers, key=lambda pair: pair.public)
    return Witness(tuple(Signature(pair.public, pair.sign(digest)) for pair in ordered))


def terms_of(body: Body, by: KeyPair, *, note: str = "", stake: int = 0, expires_ms: int = 0) -> Terms:
    expires_ms = expires_ms or int(START_S * 1000) + DAY_MS
    return Terms(body, by.public, Stake(CHAIN.grants_id, stake), expires_ms, note)


def make_offer(*grants: int, note: str = "", part: int = 0, expires_ms: int = 0) -> Offer:
    """The first owner proposes, and signs."""
    body = joint_body(*grants, part=part)
    by = KEYS[grants[0] % 8]
    terms = terms_of(body, by, note=note, stake=grants[0], expires_ms=expires_ms)
    return propose(NETWORK, terms, witness_of(body, by), by)


def signed_by(offer: Offer, *pairs: KeyPair) -> Offer:
    """The offer with further signatures."""
    more = witness_of(offer.terms.body, *pairs).signatures
    kept = {signature.key: signature for signature in (*offer.witness.signatures, *more)}
    return agree(offer, Witness(tuple(kept[key] for key in sorted(kept))))


class Net:
    """Nodes 0..n-1, each with a chain of its own from the same genesis."""

    def __init__(self, count: int, links: list[tuple[int, int]], limits: Limits | None = None) -> None:
        self.limits = limits
        self.chains = [TestChain(GENESIS) for _ in range(count)]
        self.now = START_S
        self.notices: list[list[Any]] = [[] for _ in range(count)]
        self.saved: list[bytes | None] = [None] * count
        self.sent: list[tuple[int, int, Any]] = []
        self.up: dict[frozenset[int], None] = {}
        self._mail: deque[tuple[int, int, bytes]] = deque()
        self._jobs: deque[tuple[int, Any]] = deque()
        self._timers: dict[tuple[int, Any], float] = {}
        self.machines = [self._machine(number) for number in range(count)]
        for a, b in links:
            self.link(a, b)

    def _machine(self, number: int) -> Offers:
        data = self.saved[number]
        restored: OffersRecord | None = RECORD_CODEC.decode(data) if data else None
        return Offers(self.chains[number], random.Random(number), restored=restored, limits=self.limits)

    # ---- links and lives

    def link(self, a: int, b: int) -> None:
        self.up[frozenset((a, b))] = None
        self.hand(a, Asked(PeerReady(b, True, 0, 2)))
        self.hand(b, Asked(PeerReady(a, False, 0, 2)))

    def unlink(self, a: int, b: int) -> None:
        """What is under way is lost."""
        del self.up[frozenset((a, b))]
        self._mail = deque(mail for mail in self._mail if {mail[0], mail[1]} != {a, b})
        self.hand(a, Lost(b))
        self.hand(b, Lost(a))

    def crash(self, node: int) -> None:
        """Only what was saved comes back; its links are gone."""
        for pair in [pair for pair in self.up if node in pair]:
            self.unlink(*pair)
        self._jobs = deque(job for job in self._jobs if job[0] != node)
        self._timers = {key: due for key, due in self._timers.items() if key[0] != node}
        self.machines[node] = self._machine(node)
        self.hand(node, Asked(Started()))

    # ---- what happens

    def hand(self, node: int, event: Any) -> None:
        for action in self.machines[node].handle(event, self.now):
            if isinstance(action, Send):
                if frozenset((node, action.peer)) in self.up:
                    self.sent.append((node, action.peer, action.message))
                    self._mail.append((node, action.peer, self.machines[node].wire.encode(action.message)))
            elif isinstance(action, Arm):
                self._timers.pop((node, action.timer), None)
                if action.after_s is not None:
                    self._timers[node, action.timer] = self.now + action.after_s
            elif isinstance(action, Run):
                self._jobs.append((node, action.job))
            elif isinstance(action, Save):
                self.saved[node] = action.record.file()[1]
            else:
                assert isinstance(action, Tell)
                self.notices[node].append(action.notice)

    def step(self) -> bool:
        """Deliver a message or do a job."""
        if self._mail:
            source, target, data = self._mail.popleft()
            self.hand(target, Received(source, self.machines[target].wire.decode(data)))
            return True
        if self._jobs:
            node, job = self._jobs.popleft()
            self.hand(node, Finished(job, job.run()))
            return True
        return False

    def run(self, seconds: float = 2.0) -> None:
        """Let everything happen for so long."""
        until = self.now + seconds
        while True:
            while self.step():
                pass
            due = min(self._timers.items(), key=lambda item: item[1], default=None)
            if due is None or due[1] > until:
                break
            del self._timers[due[0]]
            self.now = max(self.now, due[1])
            self.hand(due[0][0], Fired(due[0][1]))
        self.now = until

    def put(self, node: int, offer: Offer) -> OfferPut:
        """The application puts an offer; what it is answered."""
        self.hand(node, Asked(PutOffer(7, offer)))
        while self.step():
            pass
        return [n for n in self.notices[node] if isinstance(n, OfferPut)][-1]

    def move(self, node: int, *args: Any, **more: Any) -> None:
        self.hand(node, Asked(self.chains[node].move(*args, **more)))

    def confirm(self, node: int, transaction: Transaction) -> None:
        self.move(node, [self.chains[node].prepare(transaction)])

    # ---- what is seen

    def state(self, node: int, offer: Offer) -> str | None:
        kept = self.machines[node].book.get(self.id_of(offer))
        return kept.state if kept else None

    def signers(self, node: int, offer: Offer) -> int:
        kept = self.machines[node].book.get(self.id_of(offer))
        return len(kept.known.offer.witness.signatures) if kept else -1

    def id_of(self, offer: Offer) -> bytes:
        return self.machines[0].digests.id_of(offer.terms)

    def told(self, node: int, kind: type) -> list[Any]:
        return [notice for notice in self.notices[node] if isinstance(notice, kind)]

    def answer_submission(self, node: int, accepted: bool, rule: str = "") -> None:
        """The mempool answers the newest submission."""
        submit: Submit = self.told(node, Submit)[-1]
        transaction = CHAIN.ledger.id_of(submit.transactions[0].body)
        self.hand(node, Asked(Submitted(submit.token, (SubmitResult(transaction, accepted, rule, ""),))))
