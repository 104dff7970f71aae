"""The machine of offers.

    peer: OfferHave -> OfferGet -> OfferGive -> examine -> check -> verify (elsewhere) -> book -> OfferHave to the others
    application: PutOffer -------------------> examine -> ...                                -> OfferPut

What a peer has to answer for: what it could check as we do (a rule, a signature: 100 points), and what it sends unasked (10).
What may be seen differently from another tip or clock (a spent input, a quota, an expiry) costs nothing.

Whoever sees that all have agreed hands the transaction to the mempool: the same transaction from many hands is one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from horoi.base.errors import RuleError
from horoi.ledger.ledger import output_key, read_entry
from horoi.machine.contract import (
    Action,
    Arm,
    Asked,
    Event,
    Finished,
    Fired,
    Lost,
    Peer,
    Received,
    Run,
    Save,
    Tell,
)
from horoi.machine.host import Started
from horoi.node.events import (
    Misbehaved,
    OfferChanged,
    OfferPut,
    OfferSeen,
    PeerReady,
    PutOffer,
    Submitted,
    TipChanged,
)
from horoi.node.offers.book import ALIVE, Book, ChainView, Kept
from horoi.node.offers.completed import MAX_SUBMISSIONS, Completed
from horoi.node.offers.exchange import Exchange
from horoi.node.offers.limits import Limits
from horoi.node.offers.link import Link
from horoi.node.offers.messages import WIRE, OfferGet, OfferGive, OfferGone, OfferHave
from horoi.node.offers.offer import Digests, Examined, Offer, examine, merge, proofs
from horoi.node.offers.saved import OffersRecord, kept_of, record_of
from horoi.node.verify import VerifySignatures

GRAVE_POINTS = 100  # as the relay's: for what the peer could have checked as we do
SINCE_VERSION = 2  # of the protocol: a peer of an older one would end the link at the first message of offers
UNASKED_POINTS = 10  # as the relay's: a nuisance
MAX_PENDING = 128  # offers whose signatures are being verified; a guess: 128 of 64 signatures are 0.25 s of one core
TELL_S = (0.05, 0.2)  # an announcement waits a random time within this: batches, and hides where an offer began
TICK_S = 1.0  # how often lateness and age are looked at
SAVE_S = 10.0  # what peers brought is written down at most so often: after a crash it is fetched again
RETELL_S = 600.0  # all is announced again so often, for those who had no room; a guess: 20 kB for 500 offers

EARLY = ("spend.unknown", "spend.immature", "inputless.window")
"""Rules that the next block may satisfy."""
TIMELESS = ("spend.content", "offer.stake")
"""Rules of ``Book.check`` that every tip decides alike: outputs are what their transaction's id commits to."""


class _Pending(msgspec.Struct, gc=False):
    """An offer whose signatures are being verified: who brought it, or which request it is of."""

    known: Examined
    source: Peer | None
    token: int | None


class Offers:
    """The machine. Stands above the index, so that who hears of a change finds the books changed too.

    ``place_of`` gives the height of the block that holds a transaction, if somebody keeps that; ``restored``: an earlier life's
    record.
    """

    wire = WIRE
    hears = (Started, PeerReady, TipChanged, PutOffer, Submitted)

    def __init__(
        self,
        chain: ChainView,
        dice: random.Random,
        *,
        place_of: Callable[[bytes], int | None] | None = None,
        restored: OffersRecord | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.chain = chain
        self.digests = Digests(chain.ledger.network)
        self.book = Book(chain, limits or Limits())
        self.exchange = Exchange()
        self._dice = dice
        self._place_of = place_of
        self._restored = restored
        self._pending: dict[int, _Pending] = {}
        self._next_number = 0
        self._completed = Completed()
        self._actions: list[Action] = []
        self._timers: dict[str, None] = {}
        """Armed."""
        self._is_dirty = False
        self._retold_s: float | None = None

    def record(self) -> OffersRecord:
        """What the next life wants to know."""
        return record_of(self.chain.ledger.network, self.book)

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Received):
            self._received(event.peer, event.message, now)
        elif isinstance(event, Finished):
            self._finished(event.job, event.result, now)
        elif isinstance(event, Fired):
            self._fired(event.timer, now)
        elif isinstance(event, Lost):
            self.exchange.lose(event.peer)
        else:
            assert isinstance(event, Asked)
            self._asked(event.request, now)
        return self._carry_on(now)

    # ---- what is asked of it ------------------------------------------------------------------------------------

    def _asked(self, request: Any, now: float) -> None:
        if isinstance(request, PutOffer):
            self._consider(request.offer, None, request.token, now)
        elif isinstance(request, Submitted):
            kept = self._completed.hear(request, self.book)
            self._actions += [Tell(OfferChanged(kept.id))] if kept else []
        elif isinstance(request, TipChanged):
            self._tip_changed(request, now)
        elif isinstance(request, PeerReady) and request.version >= SINCE_VERSION:
            self.exchange.join(request.peer, now).to_tell.update(
                (kept.id, None) for kept in self.book if _travels(kept)
            )
        elif isinstance(request, Started):
            self._restore(now)

    def _restore(self, now: float) -> None:
        """Take up what an earlier life knew, and judge it by today's chain and time."""
        restored, self._restored = self._restored, None
        for kept in kept_of(restored, self.chain.ledger, self.digests) if restored is not None else ():
            kept.confirmed_height = self._height_of(kept)
            self.book.restore(kept)
            self._judge(kept, now)

    def _height_of(self, kept: Kept) -> int | None:
        """Where its transaction is confirmed: by an output of it, by whoever keeps places, else as an earlier life knew it."""
        transaction = kept.known.prepared.id
        value = self.chain.ledger.entries.get(output_key(transaction, 0))
        if value is not None:
            return read_entry(value).height
        return self._place_of(transaction) if self._place_of is not None else kept.confirmed_height

    # ---- messages -----------------------------------------------------------------------------------------------

    def _received(self, peer: Peer, message: Any, now: float) -> None:
        link = self.exchange.links.get(peer)
        if link is None or link.banned:
            return
        if isinstance(message, OfferHave):
            self.exchange.hear(link, message.items, self.book.mark)
        elif isinstance(message, OfferGive):
            self._given(link, message.offers, now)
        elif isinstance(message, OfferGet):
            self._actions += link.want(message)
            self._serve(link, now)
        elif isinstance(message, OfferGone):
            self.exchange.declined(link, message.ids)

    def _given(self, link: Link, offers: tuple[Offer, ...], now: float) -> None:
        for offer in offers:
            if link.banned:
                return
            item = self.digests.id_of(offer.terms)
            if not self.exchange.delivered(link, item):
                self._blame(link.peer, UNASKED_POINTS, "delivered an offer that nobody asked it for")
                return
            if not self._consider(offer, link.peer, None, now):
                self.exchange.settle(item)

    def _serve(self, link: Link, now: float) -> None:
        self._actions += link.serve(self._find, now)

    def _find(self, item: bytes) -> tuple[Offer, bytes, int] | None:
        kept = self.book.get(item)
        if kept is None or not _travels(kept):
            return None
        return kept.known.offer, kept.known.mark, kept.known.size_bytes

    def _blame(self, peer: Peer | None, points: int, why: str) -> None:
        """Nobody is blamed for what came from the application, or from a peer that is gone."""
        link = self.exchange.links.get(peer)
        if link is not None:
            link.banned = link.banned or points >= GRAVE_POINTS
            self._actions.append(Tell(Misbehaved(peer, points, why)))

    # ---- judging ------------------------------------------------------------------------------------------------

    def _consider(self, offer: Offer, source: Peer | None, token: int | None, now: float) -> bool:
        """Refuse at once (False), or verify the signatures."""
        try:
            known = examine(self.chain.ledger, self.digests, offer)
        except (RuleError, RecursionError, OverflowError) as error:
            self._blame(source, GRAVE_POINTS, f"delivered an offer that breaks a rule: {error}")
            self._answer(token, b"", error)
            return False
        kept = self.book.get(known.id)
        try:
            if kept is None:
                self.book.check(known, source, _ms(now))
        except RuleError as error:
            self._refuse(known, source, token, error)
            return False
        triples = tuple(proofs(self.digests, known, kept.known.offer if kept else None))
        self._pending[self._next_number] = _Pending(known, source, token)
        self._actions.append(Run(VerifySignatures(triples, ("offers", self._next_number))))
        self._next_number += 1
        return True

    def _refuse(self, known: Examined, source: Peer | None, token: int | None, error: RuleError) -> None:
        """What the book does not take: blame where every tip decides alike, wait where the next block may decide otherwise."""
        if error.rule in TIMELESS:
            self._blame(source, GRAVE_POINTS, f"delivered offer {known.id.hex()}: {error}")
        elif error.rule in EARLY:
            self.exchange.wait_for_block(self.exchange.links.get(source), known.id, known.mark)
        self._answer(token, known.id, error)

    def _finished(self, job: VerifySignatures, result: Any, now: float) -> None:
        pending = self._pending.pop(job.tag[1], None)
        if pending is None:
            return
        if pending.source is not None:
            self.exchange.settle(pending.known.id)
        if not isinstance(result, tuple):
            self._answer(pending.token, pending.known.id, RuleError("verify.failed", "the check itself failed: again"))
            return
        if result:
            self._blame(
                pending.source, GRAVE_POINTS, f"delivered offer {pending.known.id.hex()} with a forged signature"
            )
            self._answer(pending.token, pending.known.id, RuleError("witness.signature", "a signature is not valid"))
            return
        self._verified(pending, now)

    def _verified(self, pending: _Pending, now: float) -> None:
        """Keep it, or what it adds to the copy that is here."""
        known, kept = pending.known, self.book.get(pending.known.id)
        if kept is None:
            try:
                self.book.check(known, pending.source, _ms(now))
            except RuleError as error:
                self._refuse(known, pending.source, pending.token, error)
                return
            gone = self.book.add(known, pending.source, _ms(now))
            self.exchange.forget(item.id for item in gone)
            self._actions.append(Tell(OfferSeen(known.id)))
            kept = self.book.get(known.id)
            assert kept is not None
            self._judge(kept, now)
        elif not self._grow(kept, known, now):
            self._answer(pending.token, known.id)
            return
        self._is_dirty = True
        if pending.token is not None:
            self._save()  # what the owner said outlives a crash from the moment that it is answered
        self.exchange.tell([known.id])
        self._answer(pending.token, known.id)

    def _grow(self, kept: Kept, fresh: Examined, now: float) -> bool:
        """Merge a verified copy; False if it states nothing new."""
        merged = merge(kept.known.offer, fresh.offer)
        try:
            known = examine(self.chain.ledger, self.digests, merged)
        except RuleError:  # together they are larger than an offer may be: the copy that is here stays
            return False
        if known.mark == kept.known.mark:
            return False
        self.book.update(kept, known)
        if not self._judge(kept, now):
            self._actions.append(Tell(OfferChanged(kept.id)))
        return True

    def _judge(self, kept: Kept, now: float) -> bool:
        """Bring a state up to date and tell; hand in what is complete. True if the state changed."""
        changed = self.book.judge(kept, _ms(now))
        if changed:
            self._is_dirty = True
            self._actions.append(Tell(OfferChanged(kept.id)))
        if kept.state == "complete" and (changed or not kept.submissions):
            self._actions.append(Tell(self._completed.hand_in(kept)))
        return changed

    def _answer(self, token: int | None, item: bytes, error: Exception | None = None) -> None:
        if token is None:
            return
        rule = error.rule if isinstance(error, RuleError) else "form.unencodable" if error else ""
        detail = error.detail if isinstance(error, RuleError) else str(error) if error else ""
        self._actions.append(Tell(OfferPut(token, item, rule, detail)))

    # ---- the chain and the time ---------------------------------------------------------------------------------

    def _tip_changed(self, change: TipChanged, now: float) -> None:
        self.exchange.block_came()
        if not len(self.book):
            return
        touched: dict[bytes, Kept] = {}
        for blocks, connected in ((change.disconnected, False), (change.connected, True)):
            for block in blocks:
                for item in block.prepared:
                    for kept in self.book.of_transaction(item.id):
                        kept.confirmed_height = block.known.height if connected else None
                    for source in dict.fromkeys((item.id, *(spent.source for spent in item.transaction.body.inputs))):
                        touched.update((kept.id, kept) for kept in self.book.touched_by(source))
        for kept in touched.values():
            self._judge(kept, now)
        for kept in self.book:
            if kept.is_timely and kept.state in ALIVE and kept.id not in touched:
                self._judge(kept, now)
            if kept.state == "complete" and kept.problem and kept.submissions < MAX_SUBMISSIONS:
                self._actions.append(Tell(self._completed.hand_in(kept)))

    def _fired(self, timer: Any, now: float) -> None:
        self._timers.pop(timer, None)
        if timer == "tell":
            self._actions += self.exchange.announce(self._find)
        elif timer == "save":
            self._save()
        elif timer == "tick":
            self._tick(now)

    def _tick(self, now: float) -> None:
        self.exchange.expire(now)
        for link in self.exchange.links.values():
            self._serve(link, now)
        now_ms = _ms(now)
        for kept in self.book:
            if kept.state == "open" and kept.known.offer.terms.expires_ms <= now_ms:
                self._judge(kept, now)
        stale = self.book.take_stale(now_ms)
        self._is_dirty = self._is_dirty or bool(stale)
        self.exchange.forget(kept.id for kept in stale)
        if self._retold_s is None:
            self._retold_s = now
        elif now - self._retold_s >= RETELL_S:
            self._retold_s = now
            self._tell_again()

    def _tell_again(self) -> None:
        for link in self.exchange.links.values():
            link.knows.clear()
        self.exchange.tell([kept.id for kept in self.book if _travels(kept)])

    # ---- the end of every event ---------------------------------------------------------------------------------

    def _carry_on(self, now: float) -> list[Action]:
        """Ask for more, and arm what is due."""
        self._actions += self.exchange.ask(MAX_PENDING - len(self._pending), now, self.book.mark)
        if any(link.to_tell for link in self.exchange.links.values()):
            self._arm("tell", self._dice.uniform(*TELL_S))
        if self._is_dirty:
            self._arm("save", SAVE_S)
        links = self.exchange.links.values()
        if len(self.book) or self.exchange.is_waiting or any(link.is_waiting for link in links):
            self._arm("tick", TICK_S)
        actions, self._actions = self._actions, []
        return actions

    def _arm(self, timer: str, after_s: float) -> None:
        """Arm a timer that is not armed."""
        if timer not in self._timers:
            self._timers[timer] = None
            self._actions.append(Arm(timer, after_s))

    def _save(self) -> None:
        self._is_dirty = False
        self._actions.append(Save(self.record()))


def _travels(kept: Kept) -> bool:
    """What the chain or the clock ended, every node finds out for itself."""
    return kept.state not in ("confirmed", "spent", "expired")


def _ms(now: float) -> int:
    return int(now * 1000)
