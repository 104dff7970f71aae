"""The events of this node, on its disk: kept whole, found by what they say, under which root they were anchored.

SQLite from the standard library: one file beside the ledger's, in its write-ahead mode, so that a crash loses at most the capture
that was under way. Every call is short; the caller sees to it that only one runs at a time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from horoi.base.errors import StorageError
from horoi.epcis.facts import Fact
from horoi.ledger.merkle import root_of_leaf_hashes
from horoi.node.epcis.indexed import facts_of_payload
from horoi.node.epcis.tables import TABLES, VERSION

FILE = "events.sqlite"
MAX_EVENTS = 5_000_000  # a guess: some 10 GB
MAX_OF_ONE_HASH = 50  # shown of them; a guess
MAX_JOBS = 10_000  # kept; a guess
MAX_NAMED = 1_000  # queries, and subscriptions of each; a guess
MAX_KNOWN = 100_000  # mapped names; a guess
MAX_MASTER_DATA = 200_000  # rows; a guess


class FullError(StorageError):
    """The store has reached a bound."""


class New(NamedTuple):
    """An event to be kept."""

    digest: bytes
    leaf: bytes
    event_id: str
    event_time_ms: int
    payload: bytes
    facts: Sequence[Fact]


class Stored(NamedTuple):
    """An event as it is kept."""

    seq: int
    digest: bytes
    event_id: str
    record_time_ms: int
    payload: bytes
    batch: int
    place: int


class Batch(NamedTuple):
    """What one post stands for. ``transaction_id`` is None until it was handed in."""

    id: int
    root: bytes
    size: int
    made_ms: int
    transaction_id: bytes | None


class Job(NamedTuple):
    """A capture. Running until it has an end."""

    id: str
    created_ms: int
    finished_ms: int | None
    behaviour: str
    success: bool
    errors: list[dict[str, Any]]
    batch: int | None


EVENT_COLUMNS = "e.seq, e.digest, e.event_id, e.record_time, e.payload, e.batch, e.place"


class EventStore:
    """Open in ``folder``; None keeps everything in memory. Raises StorageError."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        where = str(folder / FILE) if folder is not None else ":memory:"
        try:
            self.base = sqlite3.connect(where, check_same_thread=False, isolation_level=None)
            self.base.execute("PRAGMA journal_mode=WAL")
            self.base.execute("PRAGMA synchronous=FULL")
            self.base.execute("PRAGMA foreign_keys=ON")
            self.base.executescript(TABLES)
            version = self.base.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise StorageError(f"{where} is of version {version}, this program reads up to {VERSION}")
            self._names: dict[str, int] = dict(self.base.execute("SELECT name, id FROM fact_names"))
            if version < VERSION:
                self._make_facts_anew()
        except sqlite3.Error as error:
            raise StorageError(f"{where}: {error}; move it away to begin anew (payloads are only there)") from error
        self._end_broken_jobs()

    def close(self) -> None:
        """Close the file."""
        self.base.close()

    def _make_facts_anew(self) -> None:
        """The index as this version writes it, from the payloads that are kept; at once or not at all."""
        with self.base:
            self.base.execute("BEGIN IMMEDIATE")
            self.base.execute("DELETE FROM facts")
            for seq, digest, event_id, payload in self.base.execute(
                "SELECT seq, digest, event_id, payload FROM events"
            ):
                self._index(seq, facts_of_payload(payload, event_id, digest))
            self.base.execute(f"PRAGMA user_version={VERSION}")

    def _end_broken_jobs(self) -> None:
        """What was under way when the node stopped was not kept: its transaction never ended."""
        lost = json.dumps(
            [{"type": "epcisException:ImplementationException", "title": "the node stopped; capture it again"}]
        )
        self.base.execute(
            "UPDATE jobs SET finished_ms = created_ms, success = 0, errors = ? WHERE finished_ms IS NULL", (lost,)
        )

    # ---- events ---------------------------------------------------------------------------------------------------

    def add(self, events: Sequence[New], now_ms: int) -> tuple[int | None, list[int]]:
        """Keep what is new of these as one batch, all or nothing. Returns its number, and the numbers of its events.

        What is kept already (the same event with the same payload) stays where it is; a batch of nothing new is none.
        """
        if self.count() + len(events) > MAX_EVENTS:
            raise FullError(f"the event store keeps at most {MAX_EVENTS} events; run another node, or raise the bound")
        with self.base:
            self.base.execute("BEGIN IMMEDIATE")
            new = list({event.leaf: event for event in events if not self.has_leaf(event.leaf)}.values())
            if not new:
                return None, []
            batch = self.base.execute(
                "INSERT INTO batches (root, size, made_ms) VALUES (?, ?, ?)",
                (root_of_leaf_hashes([event.leaf for event in new]), len(new), now_ms),
            ).lastrowid
            assert batch is not None
            return batch, [self._insert(event, batch, place, now_ms) for place, event in enumerate(new)]

    def _insert(self, event: New, batch: int, place: int, now_ms: int) -> int:
        seq = self.base.execute(
            "INSERT INTO events (digest, leaf, event_id, event_time, record_time, payload, batch, place)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (event.digest, event.leaf, event.event_id, event.event_time_ms, now_ms, event.payload, batch, place),
        ).lastrowid
        assert seq is not None
        self._index(seq, event.facts)
        return seq

    def _index(self, seq: int, facts: Sequence[Fact]) -> None:
        self.base.executemany(
            "INSERT OR IGNORE INTO facts (name, value, seq) VALUES (?, ?, ?)",
            [(self._name(fact.name), fact.value, seq) for fact in facts],
        )

    def _name(self, name: str) -> int:
        number = self._names.get(name)
        if number is None:
            number = self.base.execute("INSERT INTO fact_names (name) VALUES (?)", (name,)).lastrowid
            assert number is not None
            self._names[name] = number
        return number

    def name_numbers(self, names: Iterable[str]) -> list[int]:
        """The numbers of those names that any fact has."""
        return [self._names[name] for name in names if name in self._names]

    def count(self) -> int:
        """How many events there are."""
        return int(self.base.execute("SELECT count(*) FROM events").fetchone()[0])

    def last_seq(self, *, before_ms: int | None = None) -> int:
        """The number of the newest event, of those recorded before a time; 0 if there is none."""
        where, values = ("", ()) if before_ms is None else (" WHERE record_time < ?", (before_ms,))
        return int(self.base.execute(f"SELECT coalesce(max(seq), 0) FROM events{where}", values).fetchone()[0])

    def by_id(self, event_id: str) -> list[Stored]:
        """The events of this id, oldest first: an error declaration has the id of what it declares."""
        return self._stored("WHERE e.event_id = ? ORDER BY e.seq", event_id)

    def by_digest(self, digest: bytes) -> list[Stored]:
        """The events of this hash, oldest first: what a hash leaves out may differ."""
        return self._stored("WHERE e.digest = ? ORDER BY e.seq LIMIT ?", digest, MAX_OF_ONE_HASH)

    def by_seq(self, seqs: Sequence[int]) -> list[Stored]:
        """These events."""
        marks = ",".join("?" * len(seqs))
        return self._stored(f"WHERE e.seq IN ({marks}) ORDER BY e.seq", *seqs)

    def has_leaf(self, leaf: bytes) -> bool:
        """Whether exactly this is kept."""
        return self.base.execute("SELECT 1 FROM events WHERE leaf = ?", (leaf,)).fetchone() is not None

    def _stored(self, where: str, *values: Any) -> list[Stored]:
        return [Stored(*row) for row in self.base.execute(f"SELECT {EVENT_COLUMNS} FROM events e {where}", values)]

    # ---- batches --------------------------------------------------------------------------------------------------

    def batch(self, number: int) -> Batch | None:
        """A batch."""
        row = self.base.execute("SELECT * FROM batches WHERE id = ?", (number,)).fetchone()
        return Batch(*row) if row else None

    def leaves(self, number: int) -> list[bytes]:
        """The leaf hashes of a batch, in order."""
        return [
            row[0] for row in self.base.execute("SELECT leaf FROM events WHERE batch = ? ORDER BY place", (number,))
        ]

    def batches_unposted(self, most: int) -> list[Batch]:
        """The oldest batches that no transaction carries yet."""
        rows = self.base.execute("SELECT * FROM batches WHERE transaction_id IS NULL ORDER BY id LIMIT ?", (most,))
        return [Batch(*row) for row in rows]

    def set_posted(self, number: int, transaction_id: bytes | None) -> None:
        """Remember which transaction carries a batch."""
        self.base.execute("UPDATE batches SET transaction_id = ? WHERE id = ?", (transaction_id, number))

    # ---- captures -------------------------------------------------------------------------------------------------

    def begin_job(self, job: str, behaviour: str, now_ms: int) -> None:
        """A capture begins."""
        self.base.execute(
            "INSERT INTO jobs (id, created_ms, behaviour, success, errors) VALUES (?, ?, ?, 1, '[]')",
            (job, now_ms, behaviour),
        )
        self.base.execute("DELETE FROM jobs WHERE seq <= (SELECT max(seq) FROM jobs) - ?", (MAX_JOBS,))

    def end_job(self, job: str, now_ms: int, errors: Sequence[dict[str, Any]], batch: int | None) -> None:
        """A capture ended."""
        self.base.execute(
            "UPDATE jobs SET finished_ms = ?, success = ?, errors = ?, batch = ? WHERE id = ?",
            (now_ms, not errors, json.dumps(list(errors)), batch, job),
        )

    def job(self, name: str) -> Job | None:
        """A capture."""
        found = self._jobs("WHERE id = ?", name)
        return found[0] if found else None

    def jobs(self, offset: int, most: int) -> list[Job]:
        """Captures, the newest first."""
        return self._jobs("ORDER BY seq DESC LIMIT ? OFFSET ?", most, offset)

    def _jobs(self, where: str, *values: Any) -> list[Job]:
        columns = "id, created_ms, finished_ms, behaviour, success, errors, batch"
        rows = self.base.execute(f"SELECT {columns} FROM jobs {where}", values)
        return [
            Job(name, created, finished, behaviour, bool(success), json.loads(errors), batch)
            for name, created, finished, behaviour, success, errors, batch in rows
        ]

    # ---- master data ----------------------------------------------------------------------------------------------

    def add_master_data(self, descent: Iterable[tuple[str, str]], attributes: Iterable[tuple[str, str, str]]) -> None:
        """What a document's header says of places and other names: who is below whom, and what they are like."""
        rows = self.base.execute(
            "SELECT (SELECT count(*) FROM descent) + (SELECT count(*) FROM attributes)"
        ).fetchone()[0]
        descent, attributes = list(descent), list(attributes)
        if rows + len(descent) + len(attributes) > MAX_MASTER_DATA:
            raise FullError(f"the event store keeps at most {MAX_MASTER_DATA} rows of master data")
        with self.base:
            self.base.execute("BEGIN IMMEDIATE")
            self.base.executemany("INSERT OR IGNORE INTO descent VALUES (?, ?)", descent)
            self.base.executemany("INSERT OR IGNORE INTO attributes VALUES (?, ?, ?)", attributes)

    # ---- names of the ledger --------------------------------------------------------------------------------------

    def know(self, kind: str, uri: str, what: str | None) -> None:
        """What a GS1 name stands for here: ``class`` an asset's id, ``party`` an address. None forgets it."""
        if what is None:
            self.base.execute("DELETE FROM known WHERE kind = ? AND uri = ?", (kind, uri))
            return
        if self.base.execute("SELECT count(*) FROM known").fetchone()[0] >= MAX_KNOWN:
            raise FullError(f"the event store maps at most {MAX_KNOWN} names")
        self.base.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", (kind, uri, what))

    def known(self, kind: str, uri: str) -> str | None:
        """What a GS1 name stands for."""
        row = self.base.execute("SELECT what FROM known WHERE kind = ? AND uri = ?", (kind, uri)).fetchone()
        return str(row[0]) if row else None

    def all_known(self) -> list[tuple[str, str, str]]:
        """Every mapped name: (kind, URI, what)."""
        return list(self.base.execute("SELECT kind, uri, what FROM known ORDER BY kind, uri"))

    # ---- what events meant ----------------------------------------------------------------------------------------

    def add_movement(self, seq: int, verb: str, state: str, reference: str, words: str) -> None:
        """What became of an event in the ledger."""
        self.base.execute("INSERT INTO movements VALUES (?, ?, ?, ?, ?)", (seq, verb, state, reference, words))

    def movements(self, seq: int) -> list[dict[str, str]]:
        """What became of an event in the ledger, oldest first."""
        rows = self.base.execute(
            "SELECT verb, state, reference, words FROM movements WHERE seq = ? ORDER BY rowid", (seq,)
        )
        return [dict(zip(("verb", "state", "reference", "words"), row, strict=True)) for row in rows]
