"""The offers that are known here, and the state of each, which follows from what it states, the chain, and the time:

    confirmed   its transaction is in a block
    spent       what it would spend is spent otherwise
    expired     it spends nothing, and the blocks that could hold it are past: no signature changes that
    complete    all agreed: its transaction is handed to the mempool
    withdrawn   its proposer took it back
    refused     it cannot come about without somebody who refused
    expired     its time is over
    open        none of these

in this order: what all have signed is a transaction, whatever anybody says afterwards. A step back of the chain opens again
what a block had ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol, TypeAlias

import msgspec

from horoi.base.errors import RuleError
from horoi.ledger.authority import missing
from horoi.ledger.conditions import Key, keys_named
from horoi.ledger.genesis import Genesis
from horoi.ledger.ledger import INPUTLESS_WINDOW, Ledger, output_key
from horoi.ledger.transaction import Holding, Input, Output
from horoi.machine.contract import Peer
from horoi.node.offers.limits import MAX_LIFE_S, Limits
from horoi.node.offers.offer import Examined, is_refused
from horoi.node.wallet.pools import spendable_of_entry

State: TypeAlias = Literal["open", "complete", "confirmed", "spent", "withdrawn", "refused", "expired"]

ALIVE: tuple[State, ...] = ("open", "complete")
"""States in which an offer can still come about by itself."""


class Tip(Protocol):
    """What is read of the chain's tip."""

    @property
    def height(self) -> int: ...
    @property
    def median_time_ms(self) -> int: ...


class ChainView(Protocol):
    """What is read of the chain."""

    genesis: Genesis
    ledger: Ledger

    @property
    def tip(self) -> Tip: ...


class Kept(msgspec.Struct, gc=False):
    """An offer in the book."""

    known: Examined
    source: Peer | None
    """The peer that brought it first; None for what the application put."""
    received_ms: int
    state: State = "open"
    confirmed_height: int | None = None
    ended_ms: int | None = None
    submissions: int = 0
    """How often its transaction was handed to the mempool."""
    problem: str = ""
    """Why the mempool refused it."""

    @property
    def id(self) -> bytes:
        return self.known.id

    @property
    def is_timely(self) -> bool:
        """True if a block can change its state without touching it: a lock runs out, a window closes."""
        need = self.known.prepared.need
        return not self.known.offer.terms.body.inputs or any(type(condition) is not Key for condition in need.acting)


class Book:
    """Kept offers, by id in order of arrival."""

    def __init__(self, chain: ChainView, limits: Limits) -> None:
        self._chain = chain
        self._limits = limits
        self._kept: dict[bytes, Kept] = {}
        self._by_source: dict[bytes, dict[bytes, None]] = {}
        """By the transactions whose outputs they spend."""
        self._by_transaction: dict[bytes, dict[bytes, None]] = {}
        self._by_proposer: dict[bytes, dict[bytes, None]] = {}
        self._living_of: dict[Peer, int] = {}
        """How many living offers a peer brought first."""
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept.values())

    def get(self, item: bytes) -> Kept | None:
        """The offer of this id."""
        return self._kept.get(item)

    def mark(self, item: bytes) -> bytes | None:
        """Which version of it is here."""
        kept = self._kept.get(item)
        return kept.known.mark if kept else None

    def touched_by(self, source: bytes) -> list[Kept]:
        """Offers that spend an output of this transaction, or that are of it."""
        found = {**self._by_source.get(source, {}), **self._by_transaction.get(source, {})}
        return [self._kept[item] for item in found]

    def of_transaction(self, transaction: bytes) -> list[Kept]:
        """Offers of this transaction."""
        return [self._kept[item] for item in self._by_transaction.get(transaction, ())]

    def reserved(self, source: bytes, index: int) -> bytes | None:
        """The living offer that this output is promised in: one that spends it and that a key which it names has signed."""
        for item in self._by_source.get(source, ()):
            kept = self._kept[item]
            if kept.state in ALIVE and _is_promised(kept, source, index):
                return item
        return None

    # ---- admission ----------------------------------------------------------------------------------------------

    def check(self, new: Examined, source: Peer | None, now_ms: int) -> None:
        """Raise RuleError unless a new offer is in time, spends what is unspent, and finds room. This node's own (``source``
        None) needs none: the limit of its proposer bounds them."""
        terms = new.offer.terms
        life_ms = int(1000 * MAX_LIFE_S)
        if terms.expires_ms <= now_ms:
            raise RuleError("offer.expired", f"it stood until {terms.expires_ms} ms, now is {now_ms}: make a new one")
        if terms.expires_ms > now_ms + life_ms:
            raise RuleError("offer.life", f"it stands until {terms.expires_ms} ms, more than {life_ms} ms from now")
        self._check_chain(new)
        own = self._unsettled_of(terms.by, now_ms)
        if own >= self._limits.max_per_proposer:
            raise RuleError(
                "offer.proposer-full", f"{terms.by.hex()} has {own} offers already: wait until some are over"
            )
        of_peer = self._living_of.get(source, 0)
        if source is not None and of_peer >= int(self._limits.max_count * self._limits.max_share_of_peer):
            raise RuleError("offer.peer-full", f"{of_peer} offers that this peer brought are here already")
        if source is not None and not self._has_room(new) and self._to_evict(terms.by) is None:
            raise RuleError(
                "offer.full", f"{len(self._kept)} offers of {self.size_bytes} bytes are here: offer it later"
            )

    def _unsettled_of(self, proposer: bytes, now_ms: int) -> int:
        """Offers that count against their proposer: not those that the ledger settled, nor those whose time is over. One that
        is withdrawn counts on, or offers could be made and withdrawn without end."""
        kept = [self._kept[item] for item in self._by_proposer.get(proposer, ())]
        return sum(k.state not in ("confirmed", "spent") and k.known.offer.terms.expires_ms > now_ms for k in kept)

    def _check_chain(self, new: Examined) -> None:
        body, height = new.offer.terms.body, self._chain.tip.height + 1
        ledger = self._chain.ledger
        for spent in body.inputs:
            ledger.check_spend(spent, ledger.entries.get(output_key(spent.source, spent.index)), height)
        if not body.inputs:
            ledger.check_inputless(new.prepared, height)
        self._check_stake(new, height)

    def _check_stake(self, new: Examined, height: int) -> None:
        """The stake is unspent, and names the proposer."""
        stake, by = new.offer.terms.stake, new.offer.terms.by
        key = output_key(stake.source, stake.index)
        value = self._chain.ledger.entries.get(key)
        if value is None:
            raise RuleError(
                "spend.unknown", f"the stake {stake.index} of {stake.source.hex()} is not there or is spent"
            )
        content = spendable_of_entry(key, value).content
        if by not in keys_of(content):
            raise RuleError("offer.stake", f"output {stake.index} of {stake.source.hex()} does not name {by.hex()}")

    def _has_room(self, new: Examined) -> bool:
        limits = self._limits
        return len(self._kept) < limits.max_count and self.size_bytes + new.size_bytes <= limits.max_size_bytes

    def _to_evict(self, newcomer: bytes) -> Kept | None:
        """Who makes room: the one that ended first, else the youngest foreign offer of whoever has most, if that is more than
        the newcomer has."""
        ended = [kept for kept in self if kept.ended_ms is not None]
        if ended:
            return min(ended, key=lambda kept: kept.ended_ms or 0)
        greedy = max(self._by_proposer, key=lambda by: len(self._by_proposer[by]), default=None)
        if greedy is None or len(self._by_proposer[greedy]) <= len(self._by_proposer.get(newcomer, ())) + 1:
            return None
        foreign = [item for item in self._by_proposer[greedy] if self._kept[item].source is not None]
        return self._kept[foreign[-1]] if foreign else None

    # ---- change -------------------------------------------------------------------------------------------------

    def add(self, new: Examined, source: Peer | None, now_ms: int) -> list[Kept]:
        """Keep an offer that passed ``check``; return those that had to go for it."""
        gone = []
        while not self._has_room(new) and (leaving := self._to_evict(new.offer.terms.by)) is not None:
            self.remove(leaving.id)
            gone.append(leaving)
        self.restore(Kept(new, source, now_ms))
        return gone

    def restore(self, kept: Kept) -> None:
        """Keep an offer as it was in an earlier life."""
        self._kept[kept.id] = kept
        body = kept.known.offer.terms.body
        for source in dict.fromkeys(spent.source for spent in body.inputs):
            self._by_source.setdefault(source, {})[kept.id] = None
        self._by_transaction.setdefault(kept.known.prepared.id, {})[kept.id] = None
        self._by_proposer.setdefault(kept.known.offer.terms.by, {})[kept.id] = None
        self._count(kept, 1)
        self.size_bytes += kept.known.size_bytes

    def update(self, kept: Kept, known: Examined) -> None:
        """A merged version takes the place of the one that was here."""
        self.size_bytes += known.size_bytes - kept.known.size_bytes
        kept.known = known

    def remove(self, item: bytes) -> None:
        """Forget an offer."""
        kept = self._kept.pop(item)
        for source in dict.fromkeys(spent.source for spent in kept.known.offer.terms.body.inputs):
            _discard(self._by_source, source, item)
        _discard(self._by_transaction, kept.known.prepared.id, item)
        _discard(self._by_proposer, kept.known.offer.terms.by, item)
        self._count(kept, -1)
        self.size_bytes -= kept.known.size_bytes

    def _count(self, kept: Kept, by: int) -> None:
        """A living offer comes or goes."""
        if kept.source is None or kept.state not in ALIVE:
            return
        self._living_of[kept.source] = self._living_of.get(kept.source, 0) + by
        if not self._living_of[kept.source]:
            del self._living_of[kept.source]

    def take_stale(self, now_ms: int) -> list[Kept]:
        """Forget, and return, what ended long ago."""
        keep_ms = int(1000 * self._limits.keep_ended_s)
        stale = [kept for kept in self if kept.ended_ms is not None and kept.ended_ms + keep_ms <= now_ms]
        for kept in stale:
            self.remove(kept.id)
        return stale

    # ---- state --------------------------------------------------------------------------------------------------

    def judge(self, kept: Kept, now_ms: int) -> bool:
        """Bring an offer's state up to date; True if it changed."""
        state = self._state_of(kept, now_ms)
        if state == kept.state:
            return False
        self._count(kept, -1)
        kept.state = state
        kept.ended_ms = None if state in ALIVE else now_ms
        self._count(kept, 1)
        return True

    def _state_of(self, kept: Kept, now_ms: int) -> State:
        if kept.confirmed_height is not None:
            return "confirmed"
        if any(not self._is_unspent(spent) for spent in kept.known.offer.terms.body.inputs):
            return "spent"
        if self._is_out_of_window(kept):
            return "expired"
        if self.is_complete(kept):
            return "complete"
        if kept.known.offer.withdrawal is not None:
            return "withdrawn"
        if is_refused(kept.known.prepared.need, kept.known.offer):
            return "refused"
        if kept.known.offer.terms.expires_ms <= now_ms:
            return "expired"
        return "open"

    def is_complete(self, kept: Kept) -> bool:
        """True if the next block could hold it: all agreed whose agreement is not waiting for a lock."""
        tip = self._chain.tip
        witness = kept.known.offer.witness
        return not missing(kept.known.prepared.need, witness, tip.height + 1, tip.median_time_ms)

    def _is_unspent(self, spent: Input) -> bool:
        return self._chain.ledger.entries.get(output_key(spent.source, spent.index)) is not None

    def _is_out_of_window(self, kept: Kept) -> bool:
        body = kept.known.offer.terms.body
        return not body.inputs and self._chain.tip.height >= body.since + INPUTLESS_WINDOW


def _is_promised(kept: Kept, source: bytes, index: int) -> bool:
    signers = [signature.key for signature in kept.known.offer.witness.signatures]
    for spent in kept.known.offer.terms.body.inputs:
        if spent.source == source and spent.index == index:
            return any(key in signers for key in keys_of(spent.content))
    return False


def keys_of(content: Output) -> tuple[bytes, ...]:
    """The keys that an output names as owner or custodian."""
    custodian = content.custodian if isinstance(content, Holding) else None
    return keys_named(content.owner) + (keys_named(custodian) if custodian is not None else ())


def _discard(index: dict[bytes, dict[bytes, None]], key: bytes, item: bytes) -> None:
    index[key].pop(item, None)
    if not index[key]:
        del index[key]
