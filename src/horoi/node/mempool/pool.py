"""The mempool itself: admission, order, eviction, selection.

Every refusal is a RuleError: one of the ledger's, judged for the next block, or one of those in admission.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from horoi.base.errors import RuleError
from horoi.ledger.authority import check_agreement
from horoi.ledger.conditions import Key
from horoi.ledger.ledger import INPUTLESS_WINDOW, Prepared, output_key
from horoi.ledger.transaction import Output, outputs_made
from horoi.machine.contract import Peer
from horoi.node.events import TipChanged
from horoi.node.mempool import admission, saved, tip
from horoi.node.mempool.entry import ChainView, Entry, Left, Spends
from horoi.node.mempool.fees import BANDS, WaitingLine, class_rate, fee_class
from horoi.node.mempool.limits import Limits
from horoi.node.mempool.quotas import Quotas

SMALLEST_SIZE_BYTES = 100  # no useful transaction is smaller: a key, a signature and their heads
MAX_SKIPPED = 200  # transactions too big for the rest of a block that ``select`` looks past; a guess


class Mempool:
    """Transactions that wait. All that it is given is prepared, and its signatures are verified."""

    def __init__(self, chain: ChainView, limits: Limits | None = None) -> None:
        self.chain = chain
        self.limits = limits or Limits()
        self.size_bytes = 0
        """Of the encoded transactions."""
        self.entries: dict[bytes, Entry] = {}  # oldest first
        self.spends: dict[bytes, bytes] = {}  # state key of an output -> who spends it
        self.last_heights: dict[int, dict[bytes, None]] = {}  # inputless: last height of validity -> ids
        self.line: WaitingLine[Entry] = WaitingLine()
        self._left: deque[Left] = deque(maxlen=2 * self.limits.max_count)
        self._quotas = Quotas(self.limits) if chain.genesis.fee_floor == 0 else None
        self._next_number = 0
        self._floor_class = 0
        self._floor_at_s = 0.0

    # ---- looking ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, item: bytes) -> bool:
        return item in self.entries

    def __iter__(self) -> Iterator[bytes]:
        """Ids, best first, parents before children. Do not change the pool meanwhile."""
        return (entry.prepared.id for entry in self.line.best_first())

    def get(self, item: bytes) -> Prepared | None:
        """The waiting transaction of this id; its signatures are valid."""
        entry = self.entries.get(item)
        return entry.prepared if entry else None

    def spender(self, source: bytes, index: int) -> bytes | None:
        """The id of the waiting transaction that spends this output."""
        return self.spends.get(output_key(source, index))

    def output(self, source: bytes, index: int) -> Output | None:
        """An output that a waiting transaction makes: it may be spent before it is in a block."""
        entry = self.entries.get(source)
        if entry is None:
            return None
        made = outputs_made(source, entry.prepared.transaction.body)
        return made[index] if index < len(made) else None

    def minimum_rate(self, now: float) -> int:
        """The least fee per 1000 bytes that is admitted now; 0 while there is room."""
        return class_rate(self._minimum_class(now))

    def missing(self, prepared: Prepared) -> tuple[bytes, ...]:
        """Ids of transactions whose outputs it spends and that neither the ledger nor the pool knows (or not any more)."""
        lacking: dict[bytes, None] = {}
        get, spends, entries = self.chain.ledger.entries.get, self.spends, self.entries
        for spent in prepared.transaction.body.inputs:
            if spent.source in entries:
                continue
            key = output_key(spent.source, spent.index)
            if key not in spends and get(key) is None:
                lacking[spent.source] = None
        return tuple(lacking)

    def rival(self, prepared: Prepared) -> bytes | None:
        """The id of the first waiting transaction that spends an output that ``prepared`` spends too."""
        for spent in prepared.transaction.body.inputs:
            rival = self.spends.get(output_key(spent.source, spent.index))
            if rival is not None and rival != prepared.id:
                return rival
        return None

    def contest(self, prepared: Prepared) -> bytes | None:
        """``rival``, for a valid double spend: from now on ``screen`` refuses further rivals of it unverified."""
        rival = self.rival(prepared)
        if rival is not None:
            self.entries[rival].contested = True
        return rival

    def screen(self, prepared: Prepared, now: float, source: Peer | None = None) -> None:
        """Refuse cheaply what needs no signature check to be refused. Raises RuleError.

        A first rival passes, so that a double spend is reported once its signatures are known to be valid.
        """
        if prepared.id in self.entries:
            raise RuleError("pool.known", f"transaction {prepared.id.hex()} waits already")
        own_class = fee_class(prepared.fee, prepared.size_bytes)
        self._check_minimum(own_class, now)
        if self._quotas is not None:
            self._quotas.check(prepared, source, now)
        rival = self.rival(prepared)
        if rival is not None and self.entries[rival].contested:
            admission.check_replacement(self, prepared, (rival,))

    # ---- entering --------------------------------------------------------------------------------

    def add(self, prepared: Prepared, now: float, source: Peer | None = None) -> None:
        """Admit a transaction whose signatures are valid, or raise RuleError and change nothing.

        What has to go for it (lower fee rates, rivals that it replaces) is in ``take_left``.
        """
        if prepared.id in self.entries:
            raise RuleError("pool.known", f"transaction {prepared.id.hex()} waits already")
        entry = self._judge(prepared, now, source)
        self._check_minimum(entry.own_class, now)
        if self._quotas is not None:
            self._quotas.check(prepared, source, now)
        self._admit(entry, now)

    def add_returned(self, prepared: Prepared, now: float) -> None:
        """``add`` for a transaction that was in a block: neither quota nor least fee rate stop it, and it replaces nothing."""
        if prepared.id in self.entries:
            raise RuleError("pool.known", f"transaction {prepared.id.hex()} waits already")
        entry = self._judge(prepared, now, None)
        rival = self.rival(prepared)
        if rival is not None:
            raise RuleError("pool.conflict", f"{rival.hex()} spends the same output")
        self._admit(entry, now)

    def _judge(self, prepared: Prepared, now: float, source: Peer | None) -> Entry:
        spends = self.check_next_block(prepared)
        own_class = fee_class(prepared.fee, prepared.size_bytes)
        delicate = not spends.keys or spends.has_reward or any(type(c) is not Key for c in prepared.need.acting)
        return Entry(prepared, spends.keys, spends.parents, own_class, own_class, 0, now, source, delicate)

    def _admit(self, entry: Entry, now: float) -> None:
        """Check what depends on the others that wait, then make room and put it in its place."""
        prepared = entry.prepared
        if entry.parents:
            admission.check_family(self, entry.parents)
            entry.place = min(entry.own_class, *(self.entries[parent].place for parent in entry.parents))
        replaced = admission.check_replacement(self, prepared, self._rivals(entry))
        evicted = admission.check_room(self, prepared.size_bytes, entry.place, replaced)
        for item in replaced:
            self._leave(item, "conflict", prepared.id)
        if evicted:
            self._raise_minimum(self.entries[evicted[-1]].place + 1, now)
        for item in evicted:
            self._leave(item, "evicted")
        self._insert(entry, now)

    def _rivals(self, entry: Entry) -> tuple[bytes, ...]:
        spends = self.spends
        return tuple({spends[key]: None for key in entry.keys if key in spends})

    def check_next_block(self, prepared: Prepared) -> Spends:
        """Apply the ledger's rules with history, for the next block after the tip and what waits. Raises RuleError."""
        chain_tip = self.chain.tip
        height = chain_tip.header.height + 1
        transaction = prepared.transaction
        ledger = self.chain.ledger
        check_agreement(prepared.need, transaction.witness, height, chain_tip.median_time_ms)
        if not transaction.body.inputs:
            ledger.check_inputless(prepared, height)
            return Spends((), (), False)
        keys: list[bytes] = []
        parents: dict[bytes, None] = {}
        has_reward = False
        get, entries = ledger.entries.get, self.entries
        for spent in transaction.body.inputs:
            key = output_key(spent.source, spent.index)
            keys.append(key)
            if spent.source in entries:
                if self.output(spent.source, spent.index) != spent.content:
                    raise RuleError(
                        "spend.content", f"output {spent.index} of {spent.source.hex()} is not what the input says"
                    )
                parents[spent.source] = None
            else:
                value = get(key)
                ledger.check_spend(spent, value, height)
                has_reward = has_reward or (value is not None and value[9] == 1)
        return Spends(tuple(keys), tuple(parents), has_reward)

    def _check_minimum(self, own_class: int, now: float) -> None:
        if self._floor_class and own_class < self._minimum_class(now):
            raise RuleError(
                "pool.fee", f"the pool was full: it asks {self.minimum_rate(now)} per 1000 bytes now; pay more or wait"
            )

    def _insert(self, entry: Entry, now: float) -> None:
        prepared = entry.prepared
        item = prepared.id
        self._next_number += 1
        entry.number = self._next_number
        self.entries[item] = entry
        self.line.add(entry.place, item, entry)
        for key in entry.keys:
            self.spends[key] = item
        for parent in entry.parents:
            self._link(parent, item)
        if not entry.keys:
            last = prepared.transaction.body.since + INPUTLESS_WINDOW
            self.last_heights.setdefault(last, {})[item] = None
        self.size_bytes += prepared.size_bytes
        if self._quotas is not None:
            self._quotas.enter(prepared, entry.source, now)

    def _link(self, parent: bytes, child: bytes) -> None:
        above = self.entries[parent]
        if above.children is None:
            above.children = {}
        above.children[child] = None

    # ---- leaving ---------------------------------------------------------------------------------

    def remove(self, item: bytes, why: str, by: bytes | None = None) -> None:
        """Take a transaction out, and all that build on it (they leave as it does)."""
        if item not in self.entries:
            return
        for gone in reversed(self.descendants((item,))):
            self._leave(gone, why, by)

    def confirm(self, item: bytes) -> None:
        """Take out a transaction that is in a block now; its children stand on the ledger from now on."""
        entry = self.entries[item]
        children = list(entry.children or ())
        self._leave(item, "confirmed")
        for child in children:
            below = self.entries[child]
            below.parents = tuple(parent for parent in below.parents if parent != item)
        rising = [child for child in children if self.entries[child].place < self.entries[child].own_class]
        if rising:
            self._replace_in_line(rising, forced=False)

    def adopt(self, item: bytes) -> None:
        """Put a transaction that came back from a block before those that spend its outputs."""
        made = len(outputs_made(item, self.entries[item].prepared.transaction.body))
        children = dict.fromkeys(
            child for index in range(made) if (child := self.spends.get(output_key(item, index))) is not None
        )
        for child in children:
            below = self.entries[child]
            if item not in below.parents:
                below.parents = (*below.parents, item)
                self._link(item, child)
        if children:
            self._replace_in_line(children, forced=True)

    def _replace_in_line(self, items: Iterable[bytes], *, forced: bool) -> None:
        """Find the places of these and of all that build on them anew; ``forced`` moves them even if the class is the same."""
        for item in self.descendants(tuple(items)):
            entry = self.entries[item]
            place = min([entry.own_class, *(self.entries[parent].place for parent in entry.parents)])
            self._next_number += 1
            entry.number = self._next_number
            if forced or place != entry.place:
                self.line.remove(entry.place, item)
                entry.place = place
                self.line.add(place, item, entry)

    def descendants(self, items: tuple[bytes, ...], most: int | None = None) -> list[bytes]:
        """These and all that build on them, parents before children; cut off (and unsorted) once there are ``most``."""
        found = dict.fromkeys(items)
        stack = list(found)
        while stack:
            for child in self.entries[stack.pop()].children or ():
                if child not in found:
                    found[child] = None
                    stack.append(child)
                    if most is not None and len(found) >= most:
                        return list(found)
        if len(found) == 1:
            return list(found)
        return sorted(found, key=lambda item: self.entries[item].number)

    def _leave(self, item: bytes, why: str, by: bytes | None = None) -> None:
        """Take one entry out of every index."""
        entry = self.entries.pop(item)
        self.line.remove(entry.place, item)
        for key in entry.keys:
            del self.spends[key]
        for parent in entry.parents:
            above = self.entries.get(parent)
            if above is not None and above.children is not None:
                above.children.pop(item, None)
        if not entry.keys:
            last = entry.prepared.transaction.body.since + INPUTLESS_WINDOW
            self.last_heights[last].pop(item)
            if not self.last_heights[last]:
                del self.last_heights[last]
        self.size_bytes -= entry.prepared.size_bytes
        if self._quotas is not None:
            self._quotas.leave(entry.prepared, entry.source)
        self._left.append(Left(item, why, by))

    def note_left(self, item: bytes, why: str, by: bytes | None = None) -> None:
        """Say that a transaction left that could not come back from a block."""
        self._left.append(Left(item, why, by))

    def take_left(self) -> list[Left]:
        """Those that left since the last call, in order."""
        if not self._left:
            return []
        left = list(self._left)
        self._left.clear()
        return left

    def expire(self, now: float) -> None:
        """Take out what waited longer than ``max_age_s``."""
        while self.entries:
            item, entry = next(iter(self.entries.items()))
            if entry.since_s + self.limits.max_age_s > now:
                return
            self.remove(item, "expired")

    # ---- the least fee rate ----------------------------------------------------------------------

    def _raise_minimum(self, number: int, now: float) -> None:
        self._floor_class = max(number, self._minimum_class(now))
        self._floor_at_s = now

    def _minimum_class(self, now: float) -> int:
        """A class is a logarithm of the rate, so halving the rate is stepping down by one doubling's bands."""
        halvings = (now - self._floor_at_s) / self.limits.minimum_half_life_s
        number = int(self._floor_class - halvings * BANDS)
        if number <= 0:
            self._floor_class = 0
        return max(number, 0)

    # ---- for the miner ---------------------------------------------------------------------------

    def select(self, max_size_bytes: int) -> list[Prepared]:
        """Transactions for the next block, in an order in which each can be applied: best classes first."""
        chosen: list[Prepared] = []
        skipped: dict[bytes, None] = {}
        room = max_size_bytes
        for entry in self.line.best_first():
            prepared = entry.prepared
            if prepared.size_bytes > room or (skipped and any(parent in skipped for parent in entry.parents)):
                skipped[prepared.id] = None
                if room < SMALLEST_SIZE_BYTES or len(skipped) > MAX_SKIPPED:
                    break
                continue
            chosen.append(prepared)
            room -= prepared.size_bytes
        return chosen

    # ---- the chain moves -------------------------------------------------------------------------

    def follow(self, change: TipChanged, now: float) -> list[Prepared]:
        """Follow the tip, which the chain has moved already; return what came back into the pool. See tip.py."""
        return tip.follow(self, change, now)

    def recheck(self, now: float) -> None:
        """Take out everything that the next block could not hold. Slow; for a miner whose template was refused."""
        tip.recheck(self, list(self))
        self.expire(now)

    # ---- across a restart ------------------------------------------------------------------------

    def dump(self) -> bytes:
        """The record of what waits; ``horoi.node.mempool.load`` reads it."""
        return saved.save(
            self.chain.ledger.network, tuple(entry.prepared.transaction for entry in self.line.best_first())
        )


__all__ = ["Mempool"]
