"""Whatever peers send, in whatever order: nothing raises, nothing grows without bound, honest work still gets through."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.node.pool_chain import KEYS, TestChain, make_genesis

from horoi.base.errors import DecodeError
from horoi.base.hashing import sha256
from horoi.ledger.conditions import AfterHeight, AfterTime, AllOf, AnyOf, Key, Preimage, Threshold
from horoi.ledger.rules import check_signatures
from horoi.ledger.transaction import (
    Body,
    Definition,
    Holding,
    Input,
    Post,
    Right,
    Signature,
    Transaction,
    Witness,
)
from horoi.machine.contract import Arm, Asked, Finished, Fired, Lost, Received, Run, Send, Tell
from horoi.node.events import Misbehaved, PeerReady, Submit, TransactionAccepted
from horoi.node.mempool import Limits, Mempool
from horoi.node.relay import Announce, Deliver, NotFound, Relay, Request, intake, links, recent, relay_wire, requests

CHAIN = TestChain(make_genesis(grants=8))


def _library() -> list[Transaction]:
    """Valid, chained, conflicting, forged, stripped, orphaned, lying."""
    transactions = [CHAIN.pay([CHAIN.grant(n)], parts=2) for n in range(6)]
    heirs = [CHAIN.pay([CHAIN.output(CHAIN.prepare(parent), 1)]) for parent in transactions[:4]]
    rivals = [CHAIN.pay([CHAIN.grant(n)], parts=3) for n in range(3)]
    forged = [CHAIN.pay([CHAIN.grant(n)], parts=2, valid=False) for n in range(3)]
    stripped = [Transaction(transaction.body, Witness()) for transaction in transactions[:2]]
    orphans = [CHAIN.pay([Input(sha256(bytes([n])), 0, CHAIN.genesis.grants[0])]) for n in range(4)]
    lies = [CHAIN.pay([Input(CHAIN.grants_id, 0, CHAIN.genesis.grants[1])])]
    posts = [CHAIN.post("now"), CHAIN.post("later", since=1), CHAIN.post("never", since=5_000)]
    return [*transactions, *heirs, *rivals, *forged, *stripped, *orphans, *lies, *posts, Transaction(Body(), Witness())]


LIBRARY = _library()
IDS = [CHAIN.ledger.id_of(transaction.body) for transaction in LIBRARY] + [sha256(bytes([n, 1])) for n in range(6)]

ids = st.lists(st.sampled_from(IDS), min_size=1, max_size=12).map(tuple)
some = st.lists(st.sampled_from(LIBRARY), min_size=1, max_size=6).map(tuple)
messages = st.one_of(
    ids.map(Announce), ids.map(Request), ids.map(NotFound), some.map(Deliver), some.map(Deliver), ids.map(Announce)
)
peers = st.sampled_from(["p", "q", "r", "stranger"])
happenings = st.one_of(
    st.tuples(st.just("message"), peers, messages),
    st.tuples(st.just("message"), peers, messages),
    st.tuples(st.just("join"), st.sampled_from(["p", "q", "r"]), st.none()),
    st.tuples(st.just("lose"), peers, st.none()),
    st.tuples(st.just("time"), st.floats(0.01, 30), st.none()),
    st.tuples(st.just("job"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("submit"), st.none(), some),
    st.tuples(st.just("block"), st.integers(0, 2_000), st.integers(0, 2)),
)


class Harness:
    """One relay, its timers and jobs."""

    def __init__(self) -> None:
        self.chain = TestChain(CHAIN.genesis)
        self.pool = Mempool(self.chain, Limits(max_count=10, max_size_bytes=3_000))
        self.relay = Relay(self.chain, self.pool, random.Random(5))
        self.relay.requests = requests.Requests(timeout_s=1.0)
        self.now = 0.0
        self.jobs: deque[Any] = deque()
        self.timers: dict[Any, float] = {}
        self.sends: list[Send] = []
        self.notices: list[Any] = []

    def hand(self, event: Any) -> None:
        for action in self.relay.handle(event, self.now):
            if isinstance(action, Run):
                self.jobs.append(action.job)
            elif isinstance(action, Arm):
                self.timers.pop(action.timer, None)
                if action.after_s is not None:
                    self.timers[action.timer] = self.now + action.after_s
            elif isinstance(action, Send):
                self.relay.wire.encode(action.message)
                self.sends.append(action)
            else:
                assert isinstance(action, Tell)
                self.notices.append(action.notice)

    def happen(self, what: str, first: Any, second: Any) -> None:
        if what == "message":
            self.hand(Received(first, second))
        elif what == "join":
            self.hand(Asked(PeerReady(first, True, 0)))
        elif what == "lose":
            self.hand(Lost(first))
        elif what == "time":
            self.pass_time(first)
        elif what == "job":
            if self.jobs:
                self.jobs.rotate(first)
                job = self.jobs.popleft()
                self.hand(Finished(job, job.run() if second else RuntimeError("no")))
        elif what == "submit":
            self.hand(Asked(Submit(1, second)))
        else:
            back = min(second, len(self.chain.blocks))
            self.chain_moves(first, back)

    def chain_moves(self, size_bytes: int, back: int) -> None:
        change = self.chain.move([], [], back=back, salt=9) if back else self.chain.move(self.pool.select(size_bytes))
        self.hand(Asked(change))

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        for _ in range(200):
            due = min(self.timers.items(), key=lambda item: item[1], default=None)
            if due is None or due[1] > until:
                break
            del self.timers[due[0]]
            self.now = max(self.now, due[1])
            self.hand(Fired(due[0]))
        self.now = until

    def check(self) -> None:
        relay, pool = self.relay, self.pool
        assert len(pool) <= 10
        assert pool.size_bytes <= 3_000
        assert relay.intake.count <= intake.MAX_PENDING
        assert relay.requests.in_flight >= 0
        assert all(name in relay.links for name in relay.requests._debtors)
        for want in relay.requests._wants.values():
            assert want.announcers or want.judged
        judged = [item for item, want in relay.requests._wants.items() if want.judged]
        assert all(item in relay.intake or item in relay.orphans for item in judged), "what is judged is somewhere"
        chosen = pool.select(1_000_000)
        self.chain.ledger.preview(self.chain.tip.height + 1, (), chosen, self.chain.tip.median_time_ms)

    def settle(self) -> None:
        while self.jobs:
            job = self.jobs.popleft()
            self.hand(Finished(job, job.run()))
        self.pass_time(0.0)


@settings(deadline=None, max_examples=200)
@given(st.lists(happenings, min_size=30, max_size=90))
def test_nothing_raises_and_everything_stays_bounded(events: list[tuple[str, Any, Any]]) -> None:
    harness = Harness()
    for peer in ("p", "q"):
        harness.hand(Asked(PeerReady(peer, False, 0)))
    for event in events:
        harness.happen(*event)
        harness.check()
    harness.settle()
    harness.check()
    for notice in harness.notices:
        if isinstance(notice, TransactionAccepted):
            item = notice.prepared
            check_signatures(item.id, item.transaction.witness)
    for peer in list(harness.relay.links):
        harness.hand(Lost(peer))
    harness.pass_time(100.0)
    assert len(harness.relay.orphans) == 0
    assert len(harness.relay.requests) == 0
    assert harness.relay.requests.in_flight == 0
    assert harness.relay.intake.count == 0


@settings(deadline=None, max_examples=60)
@given(st.lists(happenings, min_size=20, max_size=50))
def test_an_honest_peer_gets_through_whatever_the_others_do(events: list[tuple[str, Any, Any]]) -> None:
    harness = Harness()
    harness.hand(Asked(PeerReady("p", True, 0)))
    for event in events:
        if event[0] not in ("block", "submit"):
            harness.happen(*event)
    harness.settle()
    for item in list(harness.pool):
        harness.pool.remove(item, "expired")
    honest = CHAIN.pay([CHAIN.grant(7)])
    item = CHAIN.ledger.id_of(honest.body)
    harness.hand(Asked(PeerReady("honest", True, 0)))
    harness.hand(Received("honest", Announce((item,))))
    assert any(send.peer == "honest" and send.message == Request((item,)) for send in harness.sends)
    harness.hand(Received("honest", Deliver((honest,))))
    harness.settle()
    assert item in harness.pool
    assert not any(isinstance(n, Misbehaved) and n.peer == "honest" for n in harness.notices)


hashes = st.binary(min_size=32, max_size=32)
keys = st.sampled_from([pair.public for pair in KEYS])
leaves = st.one_of(
    st.builds(Key, keys),
    st.builds(Threshold, st.integers(1, 3), st.lists(keys, min_size=1, max_size=3).map(tuple)),
    st.builds(AfterHeight, st.integers(1, 2**32 - 1)),
    st.builds(AfterTime, st.integers(1, 2**53)),
    st.builds(Preimage, hashes),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
quantities = st.integers(0, 2**64 - 1)
outputs = st.one_of(
    st.builds(Holding, hashes, quantities, conditions, st.none() | conditions),
    st.builds(Right, hashes, quantities, conditions, st.booleans(), st.just(())),
)
bodies = st.builds(
    Body,
    st.lists(st.builds(Input, hashes, st.integers(0, 9), outputs), max_size=2).map(tuple),
    st.lists(outputs, max_size=2).map(tuple),
    st.lists(
        st.builds(
            Definition,
            st.text(min_size=1, max_size=9),
            st.text(max_size=9),
            st.integers(0, 18),
            conditions,
            quantities,
            st.booleans(),
            st.none(),
        ),
        max_size=1,
    ).map(tuple),
    posts=st.lists(st.builds(Post, conditions, st.text(max_size=9), st.none(), st.none()), max_size=1).map(tuple),
    since=st.integers(0, 3),
)
signatures = st.builds(Signature, keys, st.binary(min_size=64, max_size=64))
anything = st.builds(Transaction, bodies, st.builds(Witness, st.lists(signatures, max_size=2).map(tuple)))


@settings(deadline=None, max_examples=150)
@given(anything)
def test_any_transaction_that_decodes_can_be_judged(transaction: Transaction) -> None:
    harness = Harness()
    harness.hand(Asked(PeerReady("p", True, 0)))
    wire = harness.relay.wire
    message = wire.decode(wire.encode(Deliver((transaction,))))
    item = CHAIN.ledger.id_of(transaction.body)
    harness.hand(Received("p", Announce((item,))))
    harness.hand(Received("p", message))
    harness.settle()
    harness.check()
    assert item not in harness.pool


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_bytes_without_a_known_tag_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        relay_wire().decode(b"\x92" + data)


def test_state_of_a_flooding_peer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_ANNOUNCED", 500)
    monkeypatch.setattr(links, "MAX_WANTED", 100)
    monkeypatch.setattr(links, "MAX_TO_ANNOUNCE", 100)
    monkeypatch.setattr(links, "KNOWN_IDS", 50)
    harness = Harness()
    harness.hand(Asked(PeerReady("p", True, 0)))
    harness.relay.links["p"].known = recent.Recent(50)
    for number in range(60):
        flood = tuple(sha256(bytes([number, n])) for n in range(100))
        harness.hand(Received("p", Announce(flood)))
        harness.hand(Received("p", Request(flood)))
        harness.pass_time(0.1)
    relay = harness.relay
    assert len(relay.requests) <= 500
    debtor = relay.requests._debtors["p"]
    assert len(debtor.owes) + len(debtor.late) <= requests.MAX_IN_FLIGHT
    link = relay.links["p"]
    assert len(link.known) <= 100
    assert len(link.wanted) <= 100
