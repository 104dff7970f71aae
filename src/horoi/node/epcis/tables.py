"""The tables of the event store (SQLite).

``facts`` is the index: one row for each fact of each event (``horoi.epcis.facts``), in the order of name and value, so a
condition of a query is one walk along it. Numbers and texts stand in one column: SQLite puts every number before every text.
"""

from __future__ import annotations

VERSION = 2
"""2: other facts of sensors and of quantities with a unit. What is older gets its facts anew."""

TABLES = """
CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY, root BLOB NOT NULL, size INTEGER NOT NULL, made_ms INTEGER NOT NULL, transaction_id BLOB
);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, digest BLOB NOT NULL, leaf BLOB NOT NULL UNIQUE, event_id TEXT NOT NULL,
    event_time INTEGER NOT NULL, record_time INTEGER NOT NULL, payload BLOB NOT NULL,
    batch INTEGER NOT NULL REFERENCES batches, place INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_digest ON events (digest);
CREATE INDEX IF NOT EXISTS events_by_id ON events (event_id);
CREATE INDEX IF NOT EXISTS events_by_time ON events (event_time);
CREATE INDEX IF NOT EXISTS events_by_record ON events (record_time);
CREATE INDEX IF NOT EXISTS events_by_batch ON events (batch, place);
CREATE TABLE IF NOT EXISTS fact_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS facts (
    name INTEGER NOT NULL, value NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (name, value, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS descent (parent TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY (parent, child)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attributes (
    id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (id, name, value)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL, finished_ms INTEGER,
    behaviour TEXT NOT NULL, success INTEGER NOT NULL, errors TEXT NOT NULL, batch INTEGER
);
CREATE TABLE IF NOT EXISTS queries (name TEXT PRIMARY KEY, query TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriptions (
    id TEXT PRIMARY KEY, query TEXT NOT NULL REFERENCES queries ON DELETE CASCADE, form TEXT NOT NULL,
    created_ms INTEGER NOT NULL, seen INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notified (
    subscription TEXT PRIMARY KEY REFERENCES subscriptions ON DELETE CASCADE, at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known (
    kind TEXT NOT NULL, uri TEXT NOT NULL, what TEXT NOT NULL, PRIMARY KEY (kind, uri)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS movements (
    seq INTEGER NOT NULL, verb TEXT NOT NULL, state TEXT NOT NULL, reference TEXT NOT NULL, words TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS movements_by_event ON movements (seq);
"""
