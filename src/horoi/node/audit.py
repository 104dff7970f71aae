"""One-step audit of a node's folder, while the node is stopped.

The audit believes nothing but the genesis: it reads every record of the log, checks every header, puzzle, content root and
signature, applies every transaction from the first on, and compares the state and the index that the node keeps with what
came out. Whatever byte was changed, it says in which block, and which rule broke.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from horoi.base.errors import HoroiError, RuleError, StorageError
from horoi.ledger.bitfield import BitField, state_root
from horoi.ledger.block import block_codec, block_hash, genesis_block
from horoi.ledger.consensus.nakamoto.tree import HeaderTree, Known
from horoi.ledger.genesis import Genesis, network_id, to_json
from horoi.ledger.ledger import Ledger
from horoi.ledger.rules import first_invalid
from horoi.machine.disk import Disk, Store
from horoi.node.chain import Chain
from horoi.node.index.index import Index, is_astray
from horoi.node.offline import FAR_FUTURE_MS, GENESIS_FILE, Progress, quiet, read_genesis
from horoi.node.peers.messages import RECORD_FILE
from horoi.node.records import OPENING, Marker, marker_codec, opening_key, place_codec, read_opening
from horoi.node.small_files import MEMPOOL_FILE, read_sealed
from horoi.node.storage.log import BLOCK, BlockLog, Damage, Entry
from horoi.world.live.disk import LiveDisk
from horoi.world.sim.disk import SimDisk

MAX_FINDINGS = 1_000


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it should be."""

    rule: str
    detail: str
    block: str = ""
    height: int | None = None


class AuditReport(msgspec.Struct):
    """What an audit found. ``ok`` if nothing."""

    network: str = ""
    height: int = 0
    tip: str = ""
    state_digest: str = ""
    blocks: int = 0
    transactions: int = 0
    seconds: float = 0.0
    findings: list[Finding] = msgspec.field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings

    def note(self, rule: str, detail: str, known: Known | None = None, block: str = "") -> None:
        """Add a finding, up to MAX_FINDINGS."""
        if len(self.findings) < MAX_FINDINGS:
            name = known.name.hex() if known else block
            self.findings.append(Finding(rule, detail, name, known.height if known else None))

    def to_dict(self) -> dict[str, Any]:
        """As JSON, with ``ok``."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {"ok": self.ok, **plain}


def audit(folder: Path, *, progress: Progress = quiet) -> AuditReport:
    """Audit a stopped node's folder. Raises StorageError only where nothing can be read at all."""
    genesis = read_genesis(folder)
    disk = LiveDisk(folder)
    try:
        report = audit_disk(genesis, disk, progress)
    finally:
        disk.close()
    if (folder / GENESIS_FILE).read_bytes() != to_json(genesis):
        report.note("genesis.file", f"{GENESIS_FILE} says what it should, but not in its own form: somebody edited it")
    return report


def audit_disk(genesis: Genesis, disk: Disk, progress: Progress = quiet) -> AuditReport:
    """``audit`` over a disk that is open."""
    began = time.perf_counter()
    report = AuditReport(network=network_id(genesis).hex())
    for name in (MEMPOOL_FILE, RECORD_FILE):
        if name in disk.names() and read_sealed(disk, name) is None:
            report.note("file.seal", f"file {name!r} is damaged; remove it, the node makes it anew")
    if "blocks-000000.log" not in disk.names():
        if _never_left_the_first_block(genesis, disk):
            first = block_hash(genesis_block(genesis).header)
            report.tip = first.hex()
            return report
        report.note(
            "log.missing", "there is no block log in this folder: nothing was ever kept here, or it was removed"
        )
        return report
    stored = _Stored(disk, report)
    synced = stored.marker.log_end if stored.marker else None  # nothing before it may pass for a torn tail
    try:
        log = BlockLog(disk, network_id=network_id(genesis), synced=synced)
    except StorageError as error:
        report.note("log.head", str(error))
        stored.close()
        return report
    replay = _Replay(genesis, report)
    replay.read(log, progress)
    replay.apply(log, stored, progress)
    stored.close()
    log.close()
    if report.ok:
        _audit_index(genesis, disk, report, progress)
    report.seconds = round(time.perf_counter() - began, 3)
    return report


def _never_left_the_first_block(genesis: Genesis, disk: Disk) -> bool:
    """True for a node that was stopped before it saw a block: its state is the genesis's."""
    if "state" not in disk.names():
        return True
    store = disk.store("state")
    try:
        raw = store.get(b"m")
        return raw is None or marker_codec.decode(raw).name == block_hash(genesis_block(genesis).header)
    except HoroiError:
        return False
    finally:
        store.close()


class _Stored:
    """The node's state store, to be compared at its marker."""

    def __init__(self, disk: Disk, report: AuditReport) -> None:
        self.report = report
        self.marker: Marker | None = None
        self.store: Store | None = None
        try:
            self.store = disk.store("state")
            raw = self.store.get(b"m")
            self.marker = marker_codec.decode(raw) if raw is not None else None
        except HoroiError as error:
            report.note("state.damaged", f"{error}; run 'horoi ledger rebuild'")

    def compare(self, known: Known, ledger: Ledger, entries: dict[bytes, bytes], places: dict[bytes, Entry]) -> None:
        """Compare the stored state with what the history says at the marker's block."""
        if self.store is None:
            return
        expected = dict(entries)
        headers = {opening_key(at.height): at for at in _down(known)}
        for index in range(ledger.bits.chunks()):
            expected[b"b" + index.to_bytes(6, "big")] = ledger.bits.chunk(index)
        try:
            for key, value in self.store.items():
                if key[:1] == b"h":
                    self._compare_place(key, value, places)
                if key[:1] == OPENING:
                    self._compare_opening(key, value, headers)
                if key[:1] not in (b"o", b"i", b"w", b"b"):
                    continue
                if expected.pop(key, None) != value:
                    self.report.note("state.entry", f"entry {key.hex()} is not what the history says", known)
        except StorageError as error:
            self.report.note("state.damaged", f"{error}; run 'horoi ledger rebuild'", known)
            return
        for key in list(expected)[:10]:
            self.report.note("state.entry", f"entry {key.hex()} is missing; run 'horoi ledger rebuild'", known)

    def _compare_place(self, key: bytes, value: bytes, places: dict[bytes, Entry]) -> None:
        """What the store says of a block: its header, and where in the log it is."""
        name = key[5:]
        try:
            place = place_codec.decode(value)
        except HoroiError as error:
            self.report.note("state.place", f"{error}; run 'horoi ledger rebuild'", block=name.hex())
            return
        entry = places.get(name)
        if entry is not None and (block_hash(place.header) != name or place.block.segment > entry.location.segment):
            self.report.note("state.place", "its place in the store is not its place in the log", block=name.hex())

    def _compare_opening(self, key: bytes, value: bytes, headers: dict[bytes, Known]) -> None:
        """What the store says that a state root commits to. Above the marker's block it may be of a block left behind."""
        at = headers.get(key)
        if at is not None and state_root(*read_opening(value)) != at.header.state_root:
            self.report.note("state.entry", f"entry {key.hex()} is not what the header commits to", at)

    def close(self) -> None:
        if self.store is not None:
            self.store.close()


def _down(known: Known) -> Iterator[Known]:
    at: Known | None = known
    while at is not None:
        yield at
        at = at.parent


class _Entries(dict[bytes, bytes]):
    """A ledger's entries in memory."""

    def put(self, key: bytes, value: bytes, *, is_fresh: bool = False) -> None:
        self[key] = value

    def delete(self, key: bytes) -> None:
        self.pop(key, None)


class _Replay:
    """The history, applied from the first block on."""

    def __init__(self, genesis: Genesis, report: AuditReport) -> None:
        self.genesis = genesis
        self.report = report
        self.first = genesis_block(genesis)
        self.tree = HeaderTree(genesis, self.first)
        self.entries = _Entries()
        self.ledger = Ledger(genesis, self.entries, BitField())
        self.ledger.connect(self.first, [], genesis.created_ms)
        self.places: dict[bytes, Entry] = {}

    def read(self, log: BlockLog, progress: Progress) -> None:
        """Read every record: damage is noted, headers are checked."""
        waiting: dict[bytes, list[Entry]] = {}
        for cut in log.recovery.damages:
            self._note_damage(cut)
        done = 0
        for record in log.scan():
            if isinstance(record, Damage):
                self._note_damage(record)
                continue
            done += record.location.size_bytes
            progress("reading the log", min(1.0, done / max(1, log.size_bytes)))
            if record.kind == BLOCK:
                self._take(record, waiting)
        for orphans in waiting.values():
            for record in orphans:
                self.report.note(
                    "header.orphan", "its parent is not in the log, or broke a rule", block=record.name.hex()
                )

    def _note_damage(self, damage: Damage) -> None:
        where = f"segment {damage.location.segment} at byte {damage.location.offset}"
        self.report.note("log.record", f"{where}: {damage.reason}", block=damage.name.hex())

    def _take(self, record: Entry, waiting: dict[bytes, list[Entry]]) -> None:
        ready = [record]
        while ready:
            entry = ready.pop()
            try:
                header = block_codec.decode(entry.payload).header
                if header.parent not in self.tree:
                    waiting.setdefault(header.parent, []).append(entry)
                    continue
                known = self.tree.add(header, FAR_FUTURE_MS)
            except HoroiError as error:
                rule = error.rule if isinstance(error, RuleError) else "block.form"
                self.report.note(rule, str(error), block=entry.name.hex())
                continue
            # Only what later passes need is kept: the payload is read again when it is applied.
            self.places[known.name] = Entry(entry.location, entry.kind, entry.name, b"")
            ready.extend(waiting.pop(known.name, []))

    def apply(self, log: BlockLog, stored: _Stored, progress: Progress) -> None:
        """Apply the heaviest chain block by block; compare the stored state where its marker says."""
        tip = self.tree.best
        path = list(self.tree.chain(tip))[::-1][1:]
        compared = self._compare_at(self.tree.root, stored)
        for number, known in enumerate(path):
            if not self._apply_block(log, known):
                return
            compared = self._compare_at(known, stored) or compared
            progress("applying the history", (number + 1) / len(path))
        if stored.marker is not None and not compared:
            self.report.note(
                "state.marker", "the state store is at a block that is not in this history; run 'horoi ledger rebuild'"
            )

    def _compare_at(self, known: Known, stored: _Stored) -> bool:
        if stored.marker is None or stored.marker.name != known.name:
            return False
        stored.compare(known, self.ledger, self.entries, self.places)
        return True

    def _apply_block(self, log: BlockLog, known: Known) -> bool:
        try:
            block = block_codec.decode(log.read(self.places[known.name].location))
            prepared = [self.ledger.prepare(transaction) for transaction in block.transactions]
            self.ledger.check_content(block, prepared)
            for item in prepared:
                if first_invalid(self.ledger.triples(item)) >= 0:
                    raise RuleError("witness.signature", f"a signature of transaction {item.id.hex()} is not valid")
            assert known.parent is not None
            self.ledger.connect(block, prepared, known.parent.median_time_ms)
        except RuleError as error:
            self.report.note(error.rule, error.detail, known)
            return False
        except HoroiError as error:
            self.report.note("log.record", str(error), known)
            return False
        self.report.height, self.report.tip = known.height, known.name.hex()
        self.report.state_digest = self.ledger.digest(known.name).hex()
        self.report.blocks += 1
        self.report.transactions += len(prepared)
        return True


def _audit_index(genesis: Genesis, disk: Disk, report: AuditReport, progress: Progress) -> None:
    """Compare the index, brought up to the tip, with one made anew in memory."""
    if "index" not in disk.names():
        return
    progress("checking the index", 0.0)
    chain = Chain(genesis, disk)
    chain.recover()
    try:
        if _index_is_astray(chain, disk):
            report.note(
                "index.marker", "the index is of a block that the log does not have; the next start makes it anew"
            )
            return
        kept = Index(chain, disk)
        kept.catch_up()
        fresh = Index(chain, SimDisk(random.Random(0)))
        fresh.catch_up()
        pairs = zip_longest(_rows(kept), _rows(fresh), fillvalue=(b"", b""))
        different = next(((a[0] or b[0]) for a, b in pairs if a != b), None)
        if different is not None:
            report.note(
                "index.entry", f"entry {different.hex()} is not what the history says; run 'horoi ledger rebuild'"
            )
        kept.store.close()
    except HoroiError as error:
        report.note("index.damaged", f"{error}; run 'horoi ledger rebuild'")
    finally:
        chain.state.close()
        chain.log.close()


def _index_is_astray(chain: Chain, disk: Disk) -> bool:
    store = disk.store("index")  # looked at as it lies there: an Index would mend it
    try:
        return is_astray(store, chain)
    finally:
        store.close()


def _rows(index: Index) -> Iterator[tuple[bytes, bytes]]:
    return (row for row in index.store.items() if row[0] != b"m")
