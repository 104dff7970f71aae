"""The one history, on disk: the header tree, the ledger's state, and the block log, kept together.

A block goes through three gates:

    stage     decode, rules without history, header rules; gives the signatures to be verified elsewhere
    keep      its signatures are valid: it may be written to the log (``pending`` until the world has saved it)
    advance   the tip moves to the heaviest chain whose blocks are all kept: disconnect to the fork, connect to the tip

The log is the truth; the state is what the log says, behind a cache that is flushed together with the marker of the block
that it is the state after. So after any crash: open at the marker, connect what the log has beyond it.

Keys beside the ledger's own in the state store:

    h || height || block name    what is kept of a block: its header, and where block and undo are in the log
    m                            the marker
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from horoi.base.codec import Codec, Record, encode
from horoi.base.errors import DecodeError, RuleError, StorageError
from horoi.ledger.bitfield import BitField
from horoi.ledger.block import Block, Header, block_codec, block_hash, genesis_block
from horoi.ledger.consensus.nakamoto.tree import HeaderTree, Known
from horoi.ledger.genesis import Genesis, network_id
from horoi.ledger.ledger import Ledger, Prepared, Undo
from horoi.ledger.rules import SignatureTriple
from horoi.ledger.transaction import Transaction
from horoi.machine.disk import Disk
from horoi.node.events import ConnectedBlock, TipChanged
from horoi.node.storage.cache import CachedStore
from horoi.node.storage.log import BLOCK, UNDO, BlockLog, Damage, Location
from horoi.node.storage.segment import HEAD_SIZE_BYTES
from horoi.node.undo import derive_undo

CACHE_CHANGES = 200_000  # entries between flushes: about 60 MB of Python objects at most, measured
FLUSH_EVERY_BLOCKS = 500  # a crash reconnects at most so many blocks; a guess


STALE_BLOCKS = 100  # as deep as a reorganisation that anybody has to reckon with; a guess
MAX_STALE_TRANSACTIONS = 10_000  # a guess: a second of the busiest load


class Place(Record, frozen=True):
    """What the state store keeps of a block."""

    header: Header
    block: Location
    undo: Location | None


class Marker(Record, frozen=True):
    """The block that the flushed state is the state after, and where the log ended then."""

    name: bytes
    outputs: int
    log_end: Location


class Staged(NamedTuple):
    """A block that passed every rule but signatures and history."""

    known: Known
    block: Block
    raw: bytes
    prepared: tuple[Prepared, ...]
    triples: tuple[SignatureTriple, ...]
    """Signatures that nobody verified yet."""


class FlushState(NamedTuple):
    """Record for the world: write the state down with its marker, and free the cache."""


class SaveBlocks(NamedTuple):
    """Record for the world to make durable: (kind, name, payload) of blocks and undo data, in order."""

    records: tuple[tuple[int, bytes, bytes], ...]


place_codec: Codec[Place] = Codec(Place, max_size_bytes=1_000)
marker_codec: Codec[Marker] = Codec(Marker, max_size_bytes=1_000)
_undo_codec: Codec[Undo] = Codec(Undo, max_size_bytes=64_000_000)

KnownTransaction = Callable[[bytes], Prepared | None]


def _nobody(_: bytes) -> Prepared | None:
    return None


class Chain:
    """The node's copy of the ledger."""

    def __init__(
        self, genesis: Genesis, disk: Disk, *, cache_changes: int = CACHE_CHANGES, salt: bytes = bytes(16)
    ) -> None:
        self.genesis = genesis
        self.network = network_id(genesis)
        self.state = CachedStore(disk.store("state"), max_changes=cache_changes)
        raw = self.state.get(b"m")
        marker = marker_codec.decode(raw) if raw is not None else None
        synced = marker.log_end if marker else None
        self.log = BlockLog(disk, network_id=self.network, salt=salt, synced=synced)
        self.first = genesis_block(genesis)
        self.tree = HeaderTree(genesis, self.first)
        self.tip: Known = self.tree.root
        self.active: list[Known] = [self.tree.root]
        """The connected chain by height."""
        self.places: dict[bytes, Place] = {}
        self.pending: dict[bytes, bytes] = {}
        """Blocks kept but not yet saved by the world."""
        self._pending_undo: dict[bytes, bytes] = {}
        self._complete: dict[bytes, Known] = {self.tree.root.name: self.tree.root}
        """Blocks that are kept together with all before them."""
        self._waiting: dict[bytes, dict[bytes, Known]] = {}
        """Kept blocks whose parent is not complete, by parent."""
        self.best_complete: Known = self.tree.root
        self.damaged: dict[bytes, str] = {}
        """Blocks whose copy in the log is damaged, with the reason: to be fetched again."""
        self._to_save: list[tuple[int, bytes, bytes]] = []
        self._dirty_places: dict[bytes, None] = {}
        self._repairing: dict[tuple[int, bytes], Location] = {}
        """Damaged records, by kind and block, that a good copy is to stand in for."""
        self._to_scrub: list[bytes] = []
        """Blocks whose records this pass of the scrub has not looked at yet, the next one last."""
        self._flushed_height = 0
        self._parentless: dict[bytes, list[tuple[Header, Place]]] = {}
        """Blocks of the log whose parent is not kept (it is damaged, say), by parent: they count once it is fetched again."""
        self._parentless_undo: dict[bytes, Location] = {}
        self.ledger = self._open(marker) if marker else self._open_fresh()

    # ---- opening --------------------------------------------------------------------------------

    def _open(self, marker: Marker) -> Ledger:
        chunks = [value for _, value in self.state.items(b"b", b"c")]
        try:
            bits = BitField(chunks, marker.outputs)
        except ValueError as error:
            raise StorageError(f"the state store is damaged ({error}); run 'horoi ledger rebuild'") from None
        ledger = Ledger(self.genesis, self.state, bits)
        for _, value in self.state.items(b"h", b"i"):
            try:
                place = place_codec.decode(value)
            except DecodeError as error:
                raise StorageError(f"the state store is damaged ({error}); run 'horoi ledger rebuild'") from None
            self._restore(place.header, place)
        known = self.tree.by_name.get(marker.name)
        if known is None:
            raise StorageError("the state store names a block that it has no header of; run 'horoi ledger rebuild'")
        self._set_tip(known)
        self._read_log(marker.log_end)
        self._flushed_height = known.height
        return ledger

    def _open_fresh(self) -> Ledger:
        """A new folder, or a state store that was removed to be rebuilt from the log."""
        ledger = Ledger(self.genesis, self.state, BitField())
        ledger.connect(self.first, [], self.genesis.created_ms)
        self._read_log(None)
        return ledger

    def _read_log(self, start: Location | None) -> None:
        """Take in the records of the log from ``start`` on.

        What is damaged there is not kept and will be fetched. It may be no decay: of several records that were being
        written when the power failed, a later one may be whole and an earlier one torn.
        """
        lost = []
        for record in self.log.scan(start):
            if isinstance(record, Damage):
                lost.append(record.location)
                continue
            if record.kind == BLOCK:
                header = block_codec.decode(record.payload).header
                self._restore(header, Place(header, record.location, None))
            elif record.kind == UNDO:
                self._restore_undo(record.name, record.location)
        for stretch in lost:
            if stretch.offset >= HEAD_SIZE_BYTES:  # a damaged head is another matter: ``horoi ledger audit`` names it
                self.log.give_up(stretch)

    def _restore_undo(self, name: bytes, location: Location) -> None:
        place = self.places.get(name)
        if place is None:
            self._parentless_undo[name] = location
            return
        self.places[name] = Place(place.header, place.block, location)
        self._dirty_places[name] = None

    def _restore(self, header: Header, place: Place) -> None:
        """Take in a kept block. One that was kept before its parent waits for it; if that is not kept, it is fetched again."""
        ready = [(header, place)]
        while ready:
            header, place = ready.pop()
            if header.parent not in self.tree:
                self._parentless.setdefault(header.parent, []).append((header, place))
                continue
            try:
                known = self.tree.restore(header)
            except RuleError:
                continue  # it follows a block that broke a rule
            self.places[known.name] = place
            self._dirty_places[known.name] = None
            undo = self._parentless_undo.pop(known.name, None)
            if undo is not None:
                self._restore_undo(known.name, undo)
            self._mark_kept(known)
            ready.extend(self._parentless.pop(known.name, []))

    def recover(self) -> TipChanged | None:
        """After opening: connect what the log has beyond the flushed state."""
        return self.advance()

    # ---- the three gates -------------------------------------------------------------------------

    def stage(self, raw: bytes, now_ms: int, known_transaction: KnownTransaction = _nobody) -> Staged:
        """Decode a block and apply every rule but signatures and history. Raises DecodeError or RuleError.

        ``known_transaction`` gives what the mempool knows under an id: what was checked once is not checked again.
        """
        block = block_codec.decode(raw)
        if len(raw) > self.genesis.max_block_size_bytes:
            limit = self.genesis.max_block_size_bytes
            raise RuleError("block.size", f"{len(raw)} bytes, the genesis allows {limit}")
        known = self.tree.add(block.header, now_ms)
        prepared: list[Prepared] = []
        triples: list[SignatureTriple] = []
        ledger = self.ledger
        for transaction in block.transactions:
            body_bytes = encode(transaction.body)
            earlier = known_transaction(ledger.id_of_bytes(body_bytes)) if known_transaction is not _nobody else None
            if earlier is not None and encode(transaction.witness) == earlier.witness:
                prepared.append(earlier)
                continue
            item = ledger.prepare(transaction, body_bytes)
            prepared.append(item)
            triples.extend(ledger.triples(item))
        ledger.check_content(block, prepared)
        return Staged(known, block, raw, tuple(prepared), tuple(triples))

    def stage_again(self, raw: bytes) -> Staged:
        """``stage`` for a block from the own log, whose signatures were verified before it was written."""
        block = block_codec.decode(raw)
        known = self.tree.by_name[block_hash(block.header)]
        prepared = tuple(self.ledger.prepare(transaction) for transaction in block.transactions)
        return Staged(known, block, raw, prepared, ())

    def keep(self, staged: Staged) -> None:
        """Keep a block whose signatures are valid. ``to_save`` then has it."""
        name = staged.known.name
        if name not in self.tree or (self.has(name) and name not in self.damaged):
            return
        if self.damaged.pop(name, None) is not None and name in self.places:
            self._repairing[BLOCK, name] = self.places[name].block
        self.pending[name] = staged.raw
        self._to_save.append((BLOCK, name, staged.raw))
        self._mark_kept(staged.known)
        for header, place in self._parentless.pop(name, []):
            self._restore(header, place)

    def has(self, name: bytes) -> bool:
        """True if the block is kept."""
        return name in self.places or name in self.pending or name == self.tree.root.name

    def _mark_kept(self, known: Known) -> None:
        if known.parent is None or known.name in self._complete:
            return
        if known.parent.name not in self._complete:
            self._waiting.setdefault(known.parent.name, {})[known.name] = known
            return
        ready = [known]
        while ready:
            block = ready.pop()
            self._complete[block.name] = block
            if block.work > self.best_complete.work:
                self.best_complete = block
            ready.extend(self._waiting.pop(block.name, {}).values())

    def advance(self, just_staged: Staged | None = None) -> TipChanged | None:
        """Move the tip to the heaviest complete chain; None if it stays. Blocks that break a rule are marked and avoided."""
        start = self.tip
        disconnected: list[ConnectedBlock] = []
        connected: list[ConnectedBlock] = []
        while self.best_complete.work > self.tip.work:
            target = self.best_complete
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
                    connected.append(self._connect(known, staged))
                except RuleError as error:
                    if error.rule == "state.damaged":  # our own fault, not the block's
                        raise StorageError(f"{error}; run 'horoi ledger rebuild'") from None
                    self._condemn(known, error.rule)
                    break
                except StorageError as error:
                    self._lose(known, str(error))
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

    def _connect(self, known: Known, staged: Staged | None) -> ConnectedBlock:
        if staged is None:
            staged = self.stage_again(self.read_block(known.name))
        assert known.parent is self.tip
        undo = self.ledger.connect(staged.block, staged.prepared, self.tip.median_time_ms)
        place = self.places.get(known.name)
        if place is None or place.undo is None:  # else the log has it already: the same history has the same undo data
            self._keep_undo(known.name, encode(undo))
        self.tip = self.tree.held = known
        self.active.append(known)
        return ConnectedBlock(known, staged.block, staged.prepared, undo)

    def _keep_undo(self, name: bytes, payload: bytes) -> None:
        self._pending_undo[name] = payload
        self._to_save.append((UNDO, name, payload))

    def _disconnect_tip(self) -> ConnectedBlock:
        known = self.tip
        staged = self.stage_again(self.read_block(known.name))
        undo = self.read_undo(known.name)
        self.ledger.disconnect(staged.block, staged.prepared, undo)
        assert known.parent is not None
        self.tip = self.tree.held = known.parent
        self.active.pop()
        return ConnectedBlock(known, staged.block, staged.prepared, undo)

    def _set_tip(self, known: Known) -> None:
        self.tip = self.tree.held = known
        self.active = list(self.tree.chain(known))[::-1]

    def _condemn(self, known: Known, rule: str) -> None:
        """A kept block broke a rule when it was connected: it and all after it are out."""
        self.tree.mark_invalid(known, rule)
        self._purge()

    def _lose(self, known: Known, reason: str) -> None:
        """The copy of a block is damaged: it, and what follows, is not complete until it is fetched again."""
        self.damaged[known.name] = reason
        lost = {known.name: None}
        for other in sorted(self._complete.values(), key=lambda k: k.height):
            if other.name in lost or (other.parent is not None and other.parent.name in lost):
                lost[other.name] = None
        for name in lost:
            block = self._complete.pop(name)
            if name != known.name and block.parent is not None:
                self._waiting.setdefault(block.parent.name, {})[name] = block
        self._choose_best_complete()

    def _purge(self) -> None:
        """Forget what the tree has forgotten: should it come back, it is fetched again."""
        for name in [name for name in self._complete if name not in self.tree]:
            del self._complete[name]
        for name in [name for name in self.places if name not in self.tree]:
            del self.places[name]
        for parent in list(self._waiting):
            kept = {name: known for name, known in self._waiting[parent].items() if name in self.tree}
            if kept:
                self._waiting[parent] = kept
            else:
                del self._waiting[parent]
        self._choose_best_complete()

    def _choose_best_complete(self) -> None:
        self.best_complete = max(self._complete.values(), key=lambda k: (k.work, -k.order))

    # ---- reading ------------------------------------------------------------------------------------

    def read_block(self, name: bytes) -> bytes:
        """The encoded block; raises StorageError if it is not kept or its copy is damaged (then it is fetched again)."""
        if name == self.tree.root.name:
            return encode(self.first)
        raw = self.pending.get(name)
        if raw is not None:
            return raw
        place = self.places.get(name)
        if place is None:
            raise StorageError(f"block {name.hex()} is not kept here")
        try:
            return self.log.read(place.block)
        except StorageError as error:
            self.damaged[name] = str(error)
            raise

    def read_undo(self, name: bytes) -> Undo:
        """The undo data of a connected block. What is damaged is derived again, from the blocks before it."""
        undo = self.kept_undo(name)
        if undo is None:
            undo = derive_undo(self, self.tree.by_name[name])
            damaged = self.places[name].undo
            if damaged is not None:
                self._repairing[UNDO, name] = damaged
            self._keep_undo(name, encode(undo))
        return undo

    def kept_undo(self, name: bytes) -> Undo | None:
        """The undo data as it was written; None if it is damaged or missing."""
        raw = self._pending_undo.get(name)
        place = self.places.get(name)
        if raw is None and place is not None and place.undo is not None:
            with contextlib.suppress(StorageError):
                raw = self.log.read(place.undo)
        return None if raw is None else _undo_codec.decode(raw)

    def block(self, name: bytes) -> Block:
        """The decoded block."""
        return block_codec.decode(self.read_block(name))

    def at_height(self, height: int) -> Known | None:
        """The block of the connected chain at this height."""
        return self.active[height] if 0 <= height < len(self.active) else None

    def is_active(self, known: Known) -> bool:
        """True if the block is on the connected chain."""
        return known.height < len(self.active) and self.active[known.height] is known

    def missing(self, most: int, window: int, others: Iterable[Known] = ()) -> list[Known]:
        """The blocks, lowest first, that the heaviest header chain has and that are not kept: at most ``most``, from the
        first ``window`` blocks above the point where that chain leaves the complete one. Damaged blocks come first.

        Then the same of ``others``, tips that are heavier than ours: the heaviest headers may be those of a miner who keeps
        his blocks to himself, and nobody waits for him.
        """
        wanted = {name: self.tree.by_name[name] for name in list(self.damaged)[:most] if name in self.tree}
        for tip in {known.name: known for known in (self.tree.best, *others)}.values():
            above = []
            at: Known | None = tip if tip.work > self.tip.work and tip.name in self.tree else None
            while at is not None and at.name not in self._complete:
                above.append(at)
                at = at.parent
            lacking = [known for known in above[::-1][:window] if not self.has(known.name)]
            wanted.update((known.name, known) for known in lacking[:most])
        return list(wanted.values())

    def stale_transactions(self) -> tuple[Transaction, ...]:
        """The transactions of kept blocks of late that are not on the connected chain, in order of height."""
        lowest = self.tip.height - STALE_BLOCKS
        names = [name for name, place in self.places.items() if place.header.height >= lowest and name in self.tree]
        side = [known for known in map(self.tree.by_name.__getitem__, names) if not self.is_active(known)]
        found: list[Transaction] = []
        for known in sorted(side, key=lambda known: (known.height, known.order)):
            with contextlib.suppress(StorageError):
                found.extend(self.block(known.name).transactions)
            if len(found) >= MAX_STALE_TRANSACTIONS:
                break
        return tuple(found[:MAX_STALE_TRANSACTIONS])

    # ---- damage -------------------------------------------------------------------------------------

    def scrub(self, budget_bytes: int) -> bool:
        """Read some records of the log, about so many bytes, so that damage shows before somebody needs them.

        A damaged block is then ``damaged``, and fetched again; undo data is derived again and in ``take_to_save``. True when
        all were looked at; the next call begins anew.
        """
        if not self._to_scrub:
            self._to_scrub = list(self.places)[::-1]
        while self._to_scrub and budget_bytes > 0:
            name = self._to_scrub.pop()
            place = self.places.get(name)
            if place is None or name in self.damaged:
                continue
            budget_bytes -= place.block.size_bytes
            with contextlib.suppress(StorageError):  # noted by what raised it
                self.read_block(name)
                if place.undo is not None and name in self.tree:
                    budget_bytes -= place.undo.size_bytes
                    self.read_undo(name)
        return not self._to_scrub

    # ---- saving --------------------------------------------------------------------------------------

    def take_to_save(self) -> SaveBlocks | None:
        """What the world must make durable before anything after it; None if nothing."""
        if not self._to_save:
            return None
        record = SaveBlocks(tuple(self._to_save))
        self._to_save.clear()
        return record

    def save(self, record: SaveBlocks) -> None:
        """Called by the world: append to the log, sync, and flush the state if the cache is full."""
        for kind, name, payload in record.records:
            broken = self._repairing.pop((kind, name), None)
            if broken is None:
                location = self.log.append(kind, name, payload)
            else:
                location = self.log.rewrite(broken, kind, name, payload)
            place = self.places.get(name)
            if kind == BLOCK:
                known = self.tree.by_name.get(name)
                if known is not None:
                    undo = place.undo if place else None
                    self.places[name] = Place(known.header, location, undo)
            elif place is not None:
                self.places[name] = Place(place.header, place.block, location)
            self._dirty_places[name] = None
        self.log.sync()
        for kind, name, payload in record.records:
            waiting = self.pending if kind == BLOCK else self._pending_undo
            if waiting.get(name) is payload:
                del waiting[name]
        if self.state.full or abs(self.tip.height - self._flushed_height) >= FLUSH_EVERY_BLOCKS:
            self.flush()

    @property
    def is_flushed(self) -> bool:
        """True if the state on disk is the state at the tip."""
        return not self.state.changes

    def flush(self) -> None:
        """Write the state and the marker, atomically; only when everything that it is the state after is in the log."""
        if self.pending or self._pending_undo or self._to_save:
            return
        for key, value in self.ledger.changed_chunks().items():
            if value is None:
                self.state.delete(key)
            else:
                self.state.put(key, value)
        for name in self._dirty_places:
            place = self.places.get(name)
            if place is not None:
                self.state.put(b"h" + place.header.height.to_bytes(4, "big") + name, encode(place))
        self._dirty_places.clear()
        marker = Marker(self.tip.name, self.ledger.bits.count, self.log.end)
        self.state.flush({b"m": encode(marker)}, sync=True)
        self._flushed_height = self.tip.height

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
