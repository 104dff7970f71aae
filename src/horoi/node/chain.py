"""The one history, on disk: the header tree, the ledger's state, and the block log, kept together.

A block goes through three gates:

    stage     decode, rules without history, header rules; gives the signatures to be verified elsewhere (``staging.py``)
    keep      its signatures are valid: it may be written to the log (``keeping.py``)
    advance   the tip moves to the heaviest chain whose blocks are all kept (``complete.py``): disconnect to the fork, connect
              to the tip

The log is the truth; the state is what the log says, behind a cache that is flushed together with the marker of the block
that it is the state after. So after any crash: open at the marker, connect what the log has beyond it (``opening.py``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

from horoi.base.codec import encode
from horoi.base.errors import DecodeError, RuleError, StorageError
from horoi.ledger.bitfield import BitField
from horoi.ledger.block import Block, block_codec, genesis_block
from horoi.ledger.consensus.nakamoto.tree import HeaderTree, Known
from horoi.ledger.genesis import Genesis, network_id
from horoi.ledger.ledger import Ledger, Undo
from horoi.ledger.transaction import Transaction, transaction_codec
from horoi.machine.disk import Disk
from horoi.node import staging
from horoi.node.complete import CompleteBlocks
from horoi.node.events import ConnectedBlock, TipChanged
from horoi.node.keeping import KeptBlocks
from horoi.node.opening import Returning, read_bits, read_marker, read_places
from horoi.node.records import MARKER_KEY, Marker, SaveBlocks, opening_bytes, opening_key, place_key
from horoi.node.scrub import Scrub
from horoi.node.staging import KnownTransaction, Staged
from horoi.node.storage.cache import CachedStore
from horoi.node.storage.log import BlockLog
from horoi.node.undo import derive_undo

CACHE_CHANGES = 200_000  # entries between flushes: about 60 MB of Python objects at most, measured
FLUSH_EVERY_BLOCKS = 500  # a crash reconnects at most so many blocks; a guess
STALE_BLOCKS = 100  # as deep as a reorganisation that anybody has to reckon with; a guess
MAX_STALE_TRANSACTIONS = 10_000  # a guess: a second of the busiest load


class _Lost(Exception):
    """The copy of a block that was to be connected is damaged."""


class Chain:
    """The node's copy of the ledger."""

    def __init__(
        self, genesis: Genesis, disk: Disk, *, cache_changes: int = CACHE_CHANGES, salt: bytes = bytes(16)
    ) -> None:
        self.genesis = genesis
        self.network = network_id(genesis)
        self.state = CachedStore(disk.store("state"), max_changes=cache_changes)
        marker = read_marker(self.state)
        synced = marker.log_end if marker else None
        self.log = BlockLog(disk, network_id=self.network, salt=salt, synced=synced)
        self.first = genesis_block(genesis)
        self.tree = HeaderTree(genesis, self.first)
        self.tip: Known = self.tree.root
        self.active: list[Known] = [self.tree.root]
        """The connected chain by height."""
        self.kept = KeptBlocks(self.log, self.tree)
        self.complete = CompleteBlocks(self.tree.root)
        self._returning = Returning(self.tree, self.kept, self.complete)
        self._scrub = Scrub(self)
        self._flushed_height = 0
        self.ledger = self._open(marker) if marker else self._open_fresh()

    def _open(self, marker: Marker) -> Ledger:
        ledger = Ledger(self.genesis, self.state, read_bits(self.state, marker))
        for place in read_places(self.state):
            self._returning.take(place.header, place)
        known = self.tree.by_name.get(marker.name)
        if known is None:
            raise StorageError("the state store names a block that it has no header of; run 'horoi ledger rebuild'")
        self.tip = self.tree.held = known
        self.active = list(self.tree.chain(known))[::-1]
        self._returning.read_log(marker.log_end)
        self._flushed_height = known.height
        return ledger

    def _open_fresh(self) -> Ledger:
        """A new folder, or a state store that was removed to be rebuilt from the log."""
        ledger = Ledger(self.genesis, self.state, BitField())
        ledger.connect(self.first, [], self.genesis.created_ms)
        self.state.put(opening_key(0), opening_bytes(*ledger.bits.opening()))
        self._returning.read_log(None)
        return ledger

    def recover(self) -> TipChanged | None:
        """After opening: connect what the log has beyond the flushed state."""
        return self.advance()

    # ---- the three gates -------------------------------------------------------------------------

    def stage(self, raw: bytes, now_ms: int, known_transaction: KnownTransaction = staging.nobody) -> Staged:
        """Decode a block and apply every rule but signatures and history. Raises DecodeError or RuleError.

        ``known_transaction`` gives what the mempool knows under an id: what was checked once is not checked again.
        """
        return staging.stage(raw, now_ms, self.tree, self.ledger, known_transaction)

    def stage_again(self, raw: bytes) -> Staged:
        """``stage`` for a block from the own log, whose signatures were verified before it was written."""
        return staging.stage_again(raw, self.tree, self.ledger)

    def keep(self, staged: Staged) -> None:
        """Keep a block whose signatures are valid. ``take_to_save`` then has it."""
        name = staged.known.name
        if name not in self.tree or not self.lacks(name):
            return
        self.kept.keep(name, staged.raw)
        self.complete.add(staged.known)
        self._returning.take_children(name)

    def has(self, name: bytes) -> bool:
        """True if the block is kept."""
        return name in self.kept or name == self.tree.root.name

    def lacks(self, name: bytes) -> bool:
        """True if the block is to be fetched: it is not kept, or its copy is damaged."""
        return not self.has(name) or name in self.kept.damaged

    def advance(
        self, just_staged: Staged | None = None, after_each: Callable[[], None] | None = None
    ) -> TipChanged | None:
        """Move the tip to the heaviest complete chain; None if it stays. Blocks that break a rule are marked and avoided.

        With ``after_each``, which is called after every block, the blocks are not gathered to be told: for a way so long that
        they would not fit into memory.
        """
        start = self.tip
        disconnected: list[ConnectedBlock] = []
        connected: list[ConnectedBlock] = []
        while self.complete.best.work > self.tip.work:
            target = self.complete.best
            fork = self.tree.fork(self.tip, target)
            if not self._can_go_back(fork):
                break
            while self.tip is not fork:
                taken_back = self._disconnect_tip()
                if connected:
                    connected.pop()
                else:
                    disconnected.append(taken_back)
            for known in self._path(fork, target):
                staged = just_staged if just_staged is not None and just_staged.known is known else None
                try:
                    block = self._connect(known, staged or self.stage_again(self._read_or_lose(known)))
                    if after_each is None:
                        connected.append(block)
                    else:
                        after_each()
                except RuleError as error:
                    if error.rule == "state.damaged":  # our own fault, not the block's
                        raise StorageError(f"{error}; run 'horoi ledger rebuild'") from None
                    self._condemn(known, error.rule)
                    break
                except _Lost:
                    break
        if self.tip is start:
            return None
        return TipChanged(self.tip, tuple(disconnected), tuple(connected))

    def _can_go_back(self, fork: Known) -> bool:
        """True if every block down to ``fork`` can be read: half a way back would leave the tip nowhere. A damaged one is
        fetched again first; until then the tip stays."""
        at = self.tip
        try:
            while at is not fork:
                self.read_block(at.name)
                self.read_undo(at.name)
                assert at.parent is not None
                at = at.parent
        except StorageError:
            return False
        return True

    def _path(self, fork: Known, target: Known) -> list[Known]:
        path = []
        at = target
        while at is not fork:
            path.append(at)
            assert at.parent is not None
            at = at.parent
        return path[::-1]

    def _read_or_lose(self, known: Known) -> bytes:
        """The block; if its copy is damaged it is lost until it is fetched again. A failing state store is another matter."""
        try:
            return self.read_block(known.name)
        except StorageError as error:
            self.kept.damaged[known.name] = str(error)
            self.complete.lose(known)
            raise _Lost from None

    def _connect(self, known: Known, staged: Staged) -> ConnectedBlock:
        assert known.parent is self.tip
        undo = self.ledger.connect(staged.block, staged.prepared, self.tip.median_time_ms)
        self.state.put(opening_key(known.height), opening_bytes(*self.ledger.bits.opening()))
        self.kept.keep_undo(known.name, undo)
        self.tip = self.tree.held = known
        self.active.append(known)
        return ConnectedBlock(known, staged.block, staged.prepared, undo)

    def _disconnect_tip(self) -> ConnectedBlock:
        known = self.tip
        staged = self.stage_again(self.read_block(known.name))
        undo = self.read_undo(known.name)
        self.ledger.disconnect(staged.block, staged.prepared, undo)
        assert known.parent is not None
        self.tip = self.tree.held = known.parent
        self.active.pop()
        return ConnectedBlock(known, staged.block, staged.prepared, undo)

    def _condemn(self, known: Known, rule: str) -> None:
        """A kept block broke a rule when it was connected: it and all after it are out."""
        self.tree.mark_invalid(known, rule)
        self.kept.forget_unknown()
        self.complete.forget_unknown(self.tree)

    # ---- reading ------------------------------------------------------------------------------------

    def read_block(self, name: bytes) -> bytes:
        """The encoded block; raises StorageError if it is not kept or its copy is damaged (then it is fetched again)."""
        if name == self.tree.root.name:
            return encode(self.first)
        return self.kept.read(name)

    def transaction_at(self, name: bytes, offset: int, size_bytes: int, item: bytes) -> Transaction | None:
        """The transaction of id ``item`` whose bytes lie there in a block; None if they are not that: then read the block.

        The id vouches for the body; a witness that decayed shows when the block is read whole.
        """
        try:
            found = transaction_codec.decode(self.kept.read_part(name, offset, size_bytes))
        except (DecodeError, StorageError):
            return None
        return found if self.ledger.id_of(found.body) == item else None

    def read_undo(self, name: bytes) -> Undo:
        """The undo data of a connected block. What is damaged is derived again, from the blocks before it."""
        undo = self.kept.read_undo(name)
        if undo is None:
            undo = derive_undo(self, self.tree.by_name[name])
            self.kept.mend_undo(name, undo)
        return undo

    def block(self, name: bytes) -> Block:
        """The decoded block."""
        return block_codec.decode(self.read_block(name))

    def at_height(self, height: int) -> Known | None:
        """The block of the connected chain at this height."""
        return self.active[height] if 0 <= height < len(self.active) else None

    @property
    def is_heaviest(self) -> bool:
        """True when no heavier chain of headers is known than the connected one."""
        return self.tree.best.work <= self.tip.work

    def is_active(self, known: Known) -> bool:
        """True if the block is on the connected chain."""
        return known.height < len(self.active) and self.active[known.height] is known

    def missing(self, most: int, window: int, others: Iterable[Known] = ()) -> list[Known]:
        """The blocks, lowest first, that the heaviest header chain has and that are not kept: at most ``most``, from the
        first ``window`` blocks above the point where that chain leaves the complete one. Damaged blocks come first.

        Then the same of ``others``, tips that are heavier than ours: the heaviest headers may be those of a miner who keeps
        his blocks to himself, and nobody waits for him.
        """
        wanted = {name: self.tree.by_name[name] for name in list(self.kept.damaged)[:most] if name in self.tree}
        for tip in {known.name: known for known in (self.tree.best, *others)}.values():
            above = []
            at: Known | None = tip if tip.work > self.tip.work and tip.name in self.tree else None
            while at is not None and at.name not in self.complete:
                above.append(at)
                at = at.parent
            lacking = [known for known in above[::-1][:window] if not self.has(known.name)]
            wanted.update((known.name, known) for known in lacking[:most])
        return list(wanted.values())

    def stale_transactions(self) -> tuple[Transaction, ...]:
        """The transactions of kept blocks of late that are not on the connected chain, in order of height."""
        lowest = self.tip.height - STALE_BLOCKS
        names = [
            name for name, place in self.kept.places.items() if place.header.height >= lowest and name in self.tree
        ]
        side = [known for known in map(self.tree.by_name.__getitem__, names) if not self.is_active(known)]
        found: list[Transaction] = []
        for known in sorted(side, key=lambda known: (known.height, known.order)):
            with contextlib.suppress(StorageError):
                found.extend(self.block(known.name).transactions)
            if len(found) >= MAX_STALE_TRANSACTIONS:
                break
        return tuple(found[:MAX_STALE_TRANSACTIONS])

    # ---- saving --------------------------------------------------------------------------------------

    def take_to_save(self) -> SaveBlocks | None:
        """What the world must make durable before anything after it; None if nothing."""
        return self.kept.take_to_save()

    def save(self, record: SaveBlocks) -> None:
        """Called by the world: append to the log, sync, and flush the state if the cache is full."""
        self.kept.save(record)
        if self.state.full or abs(self.tip.height - self._flushed_height) >= FLUSH_EVERY_BLOCKS:
            self.flush()

    def scrub(self, budget_bytes: int) -> bool:
        """Look for damage in about so many bytes of the log. True when all of it was looked at; the next call begins anew.

        A damaged block is then missing, and undo data that was derived again is in ``take_to_save``.
        """
        return self._scrub.step(budget_bytes)

    @property
    def is_flushed(self) -> bool:
        """True if the state on disk is the state at the tip."""
        return not self.state.changes

    def flush(self) -> None:
        """Write the state and the marker, atomically; only when everything that it is the state after is in the log."""
        if not self.kept.all_saved:
            return
        for key, value in self.ledger.changed_chunks().items():
            if value is None:
                self.state.delete(key)
            else:
                self.state.put(key, value)
        for name, place in self.kept.take_moved():
            self.state.put(place_key(place.header.height, name), encode(place))
        marker = Marker(self.tip.name, self.ledger.bits.count, self.log.end)
        self.state.flush({MARKER_KEY: encode(marker)}, sync=True)
        self._flushed_height = self.tip.height

    def rebuild(self, progress: Callable[[float], None]) -> None:
        """Make the state anew from the log, after its store was removed; what is in memory stays bounded."""

        def settle() -> None:
            record = self.take_to_save()
            if record is not None:
                self.save(record)
            elif self.state.full:
                self.flush()
            progress(self.tip.height / max(1, self.complete.best.height))

        self.advance(after_each=settle)

    def close(self) -> None:
        """Flush and close."""
        try:
            record = self.take_to_save()
            if record is not None:
                self.save(record)
            self.flush()
        finally:
            self.state.close()
            self.log.close()

    def blocks(self) -> Iterator[tuple[Known, bytes]]:
        """The connected chain from the genesis on, encoded."""
        for known in list(self.active):
            yield known, self.read_block(known.name)
