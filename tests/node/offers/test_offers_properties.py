"""Offers merge alike in any order, and no message in any order raises, grows anything without bound, or is believed unproved."""

from __future__ import annotations

import random
from collections import deque
from functools import reduce
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.node.offers.offers_net import CHAIN, GENESIS, KEYS, NETWORK, START_S, make_offer, signed_by, witness_of
from tests.node.pool_chain import TestChain

from horoi.base.keys import verify
from horoi.ledger.transaction import Transaction, Witness
from horoi.machine.contract import Arm, Asked, Finished, Fired, Lost, Received, Run, Save, Send
from horoi.node.events import PeerReady, PutOffer
from horoi.node.offers import link as links
from horoi.node.offers.book import ALIVE
from horoi.node.offers.limits import MAX_OFFER_SIZE_BYTES, Limits
from horoi.node.offers.machine import MAX_PENDING, Offers
from horoi.node.offers.messages import MAX_IDS, OfferGet, OfferGive, OfferGone, OfferHave, Version
from horoi.node.offers.offer import Digests, Offer, mark_of, merge, refuse, withdraw
from horoi.node.offers.saved import RECORD_CODEC

LIMITS = Limits(max_count=6, max_size_bytes=20_000, max_per_proposer=3, max_share_of_peer=0.5, keep_ended_s=100.0)
JOINT = make_offer(0, 1, 2, 3)


def _statements(base: Offer) -> list[Offer]:
    copies = [base, withdraw(NETWORK, base, KEYS[0])]
    for pair in KEYS[1:4]:
        copies += [signed_by(base, pair), refuse(NETWORK, base, pair, f"no, says {pair.public.hex()[:4]}")]
    return copies


COPIES = _statements(JOINT)


@given(st.lists(st.sampled_from(COPIES), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_copies_merge_to_the_same_in_any_order_any_number_of_times(copies: list[Offer], dice: random.Random) -> None:
    one = reduce(merge, copies)
    shuffled = [*copies, *copies]
    dice.shuffle(shuffled)
    assert reduce(merge, shuffled) == one
    assert merge(one, one) == one


@given(st.lists(st.sampled_from(COPIES), min_size=1, max_size=8))
def test_a_mark_says_who_stated_what(copies: list[Offer]) -> None:
    merged = reduce(merge, copies)
    for copy in copies:
        is_same = {s.key for s in copy.witness.signatures} == {s.key for s in merged.witness.signatures}
        is_same = is_same and len(copy.refusals) == len(merged.refusals)
        is_same = is_same and (copy.withdrawal is None) == (merged.withdrawal is None)
        assert (mark_of(copy) == mark_of(merged)) == is_same


def _library() -> list[Offer]:
    """Good, twins of terms, partly signed, refused, withdrawn, forged, for later, of another stake, expired."""
    now_ms = int(START_S * 1000)
    good = [make_offer(n, n + 1, part=part) for n in range(4) for part in (0, 1, 2, 3)]
    grown = [signed_by(offer, KEYS[(n % 4) + 1]) for n, offer in enumerate(good[:8:4])]
    refused = [refuse(NETWORK, good[0], KEYS[1], "no"), refuse(NETWORK, good[4], KEYS[2], "never")]
    withdrawn = [withdraw(NETWORK, offer, KEYS[n]) for n, offer in enumerate(good[::4])]
    bent = good[0]
    forged = [
        Offer(bent.terms, bytes(64), bent.witness),
        Offer(bent.terms, bent.seal, Witness()),
        Offer(bent.terms, bent.seal, witness_of(bent.terms.body, KEYS[0], KEYS[7])),
        Offer(bent.terms, bent.seal, bent.witness, (), bytes(64)),
        withdraw(NETWORK, good[4], KEYS[0]),
    ]
    short = [make_offer(n, 5, expires_ms=now_ms + 5_000) for n in range(3)]
    return [*good, *grown, *refused, *withdrawn, *forged, *short, make_offer(6, 7, expires_ms=1), *COPIES]


LIBRARY = _library()
DIGESTS = Digests(NETWORK)
IDS = [*dict.fromkeys(DIGESTS.id_of(offer.terms) for offer in LIBRARY), bytes(32), bytes(31) + b"\1"]
MARKS = [*(mark_of(offer) for offer in LIBRARY), bytes(8)]

peers = st.sampled_from(["p", "q", "stranger"])
ids = st.lists(st.sampled_from(IDS), min_size=1, max_size=MAX_IDS).map(tuple)
versions = st.builds(Version, st.sampled_from(IDS), st.sampled_from(MARKS))
messages = st.one_of(
    st.lists(versions, min_size=1, max_size=20).map(lambda items: OfferHave(tuple(items))),
    st.lists(versions, min_size=1, max_size=20).map(lambda items: OfferHave(tuple(items))),
    ids.map(OfferGet),
    ids.map(OfferGone),
    st.lists(st.sampled_from(LIBRARY), min_size=1, max_size=MAX_IDS).map(lambda offers: OfferGive(tuple(offers))),
)
happenings = st.one_of(
    st.tuples(st.just("message"), peers, messages),
    st.tuples(st.just("message"), peers, messages),
    st.tuples(st.just("honest"), st.sampled_from(["p", "q"]), st.none()),
    st.tuples(st.just("join"), st.sampled_from(["p", "q"]), st.none()),
    st.tuples(st.just("lose"), peers, st.none()),
    st.tuples(st.just("time"), st.floats(0.01, 60), st.none()),
    st.tuples(st.just("job"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("put"), st.sampled_from(LIBRARY), st.none()),
    st.tuples(st.just("block"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("back"), st.none(), st.none()),
)


class Harness:
    """One machine, its timers and jobs."""

    def __init__(self) -> None:
        self.chain = TestChain(GENESIS)
        self.machine = Offers(self.chain, random.Random(5), limits=LIMITS)
        self.now = START_S
        self.jobs: deque[Any] = deque()
        self.timers: dict[Any, float] = {}
        self.spent: list[int] = []
        self.asked: dict[str, list[bytes]] = {}

    def hand(self, event: Any) -> None:
        for action in self.machine.handle(event, self.now):
            if isinstance(action, Run):
                self.jobs.append(action.job)
            elif isinstance(action, Arm):
                self.timers[action.timer] = self.now + (action.after_s or 0.0)
            elif isinstance(action, Send):
                self.machine.wire.encode(action.message)
                if isinstance(action.message, OfferGet):
                    self.asked.setdefault(action.peer, []).extend(action.message.ids)
            elif isinstance(action, Save):
                assert RECORD_CODEC.decode(action.record.file()[1]) == action.record

    def happen(self, what: str, first: Any, second: Any) -> None:
        if what == "message":
            self.hand(Received(first, self.machine.wire.decode(self.machine.wire.encode(second))))
        elif what == "honest":  # a peer that has everything delivers what it was asked for
            wanted = self.asked.pop(first, [])
            for offer in LIBRARY:
                if DIGESTS.id_of(offer.terms) in wanted:
                    self.hand(Received(first, OfferGive((offer,))))
        elif what == "join":
            self.hand(Asked(PeerReady(first, True, 0, 2)))
        elif what == "lose":
            self.hand(Lost(first))
        elif what == "time":
            self.now += first
            for timer in [timer for timer, due in self.timers.items() if due <= self.now]:
                del self.timers[timer]
                self.hand(Fired(timer))
        elif what == "job" and self.jobs:
            self.jobs.rotate(first)
            job = self.jobs.popleft()
            self.hand(Finished(job, job.run() if second else RuntimeError("no thread was free")))
        elif what == "put":
            self.hand(Asked(PutOffer(1, first)))
        elif what == "block":
            self.connect(first, second)
        elif what == "back" and self.chain.blocks:
            self.hand(Asked(self.chain.move(back=1)))
            self.spent = self.spent[: len(self.chain.blocks)]

    def connect(self, grant: int, with_offer: bool) -> None:
        """A block that spends a grant, as an offer would or otherwise."""
        if grant in self.spent:
            return
        body = LIBRARY[4 * grant].terms.body
        signed = witness_of(body, KEYS[grant], KEYS[grant + 1])
        transaction = Transaction(body, signed) if with_offer else CHAIN.pay([CHAIN.grant(grant)], parts=2)
        try:
            change = self.chain.move([self.chain.prepare(transaction)])
        except Exception:  # its other input is spent
            return
        self.spent.append(grant)
        self.hand(Asked(change))

    def check(self) -> None:
        machine, book = self.machine, self.machine.book
        assert sum(kept.source is not None for kept in book) <= LIMITS.max_count  # this node's own come on top
        assert book.size_bytes == sum(kept.known.size_bytes for kept in book)
        assert len(machine._pending) <= MAX_PENDING + len(LIBRARY)
        for link in machine.exchange.links.values():
            assert len(link.owes) <= MAX_IDS
            assert len(link.late) <= links.MAX_WANTED
            assert max(len(link.has), len(link.knows), len(link.early)) <= links.MAX_REMEMBERED
        for kept in book:
            self.check_kept(kept)

    def check_kept(self, kept: Any) -> None:
        offer = kept.known.offer
        assert kept.known.size_bytes <= MAX_OFFER_SIZE_BYTES
        transaction = CHAIN.ledger.id_of(offer.terms.body)
        assert verify(offer.terms.by, kept.id, offer.seal)
        assert all(verify(s.key, transaction, s.signature) for s in offer.witness.signatures)
        assert all(verify(r.key, DIGESTS.refusal(kept.id, r.reason), r.signature) for r in offer.refusals)
        assert offer.withdrawal is None or verify(offer.terms.by, DIGESTS.withdrawal(kept.id), offer.withdrawal)
        assert (kept.ended_ms is None) == (kept.state in ALIVE)


@settings(max_examples=120)
@given(st.lists(happenings, max_size=40))
def test_no_happening_raises_and_nothing_unproved_is_kept(happened: list[Any]) -> None:
    harness = Harness()
    harness.hand(Asked(PeerReady("p", True, 0, 2)))
    for what, first, second in happened:
        harness.happen(what, first, second)
        harness.check()
    while harness.jobs:
        harness.happen("job", 0, True)
    harness.check()


@given(st.sampled_from(LIBRARY))
def test_an_offer_crosses_the_wire_and_the_disk_unchanged(offer: Offer) -> None:
    wire = Offers(CHAIN, random.Random(1)).wire
    assert wire.decode(wire.encode(OfferGive((offer,)))) == OfferGive((offer,))
