"""Named queries and who subscribed to them, in the event store."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from horoi.node.epcis.store import MAX_NAMED, EventStore, FullError


class Subscription(NamedTuple):
    """Somebody who wants to be told. ``form`` is what they asked for; ``seen`` the newest event that they were told of.

    ``notified_ms`` is when they last took a message.
    """

    id: str
    query: str
    form: dict[str, Any]
    created_ms: int
    seen: int
    notified_ms: int | None = None


class StandingQueries:
    """Reads and writes them."""

    def __init__(self, store: EventStore) -> None:
        self.base = store.base
        self.store = store

    def add(self, name: str, query: dict[str, Any]) -> bool:
        """Keep a query; False if its name is taken."""
        self._check_room("queries", "1", ())
        done = self.base.execute("INSERT OR IGNORE INTO queries VALUES (?, ?)", (name, json.dumps(query)))
        return done.rowcount == 1

    def query(self, name: str) -> dict[str, Any] | None:
        """The parameters of a query."""
        row = self.base.execute("SELECT query FROM queries WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def queries(self, offset: int, most: int) -> list[tuple[str, dict[str, Any]]]:
        """Queries by name."""
        rows = self.base.execute("SELECT name, query FROM queries ORDER BY name LIMIT ? OFFSET ?", (most, offset))
        return [(row[0], json.loads(row[1])) for row in rows]

    def remove(self, name: str) -> None:
        """Forget a query and its subscriptions."""
        self.base.execute("DELETE FROM queries WHERE name = ?", (name,))

    def subscribe(self, name: str, query: str, form: dict[str, Any], now_ms: int, seen: int) -> Subscription:
        """Keep a subscription."""
        self._check_room("subscriptions", "query = ?", (query,))
        self.base.execute(
            "INSERT INTO subscriptions VALUES (?, ?, ?, ?, ?)", (name, query, json.dumps(form), now_ms, seen)
        )
        return Subscription(name, query, form, now_ms, seen)

    def subscriptions(self, query: str | None = None) -> list[Subscription]:
        """Subscriptions of a query, or all, the oldest first."""
        where, values = ("WHERE query = ? ", (query,)) if query is not None else ("", ())
        rows = self.base.execute(
            "SELECT id, query, form, created_ms, seen, at_ms FROM subscriptions LEFT JOIN notified ON subscription = id"
            f" {where}ORDER BY created_ms, id",
            values,
        )
        return [
            Subscription(name, of, json.loads(form), created, seen, at) for name, of, form, created, seen, at in rows
        ]

    def subscription(self, name: str) -> Subscription | None:
        """One of them."""
        return next((each for each in self.subscriptions() if each.id == name), None)

    def has_told(self, name: str, seen: int, now_ms: int) -> None:
        """Remember how far a subscriber was told, and when; nothing if it has left meanwhile."""
        with self.base:
            self.base.execute("BEGIN IMMEDIATE")
            if self.base.execute("UPDATE subscriptions SET seen = ? WHERE id = ?", (seen, name)).rowcount:
                self.base.execute("INSERT OR REPLACE INTO notified VALUES (?, ?)", (name, now_ms))

    def unsubscribe(self, name: str) -> None:
        """Forget a subscription."""
        self.base.execute("DELETE FROM subscriptions WHERE id = ?", (name,))

    def _check_room(self, table: str, where: str, values: tuple[Any, ...]) -> None:
        count = self.base.execute(f"SELECT count(*) FROM {table} WHERE {where}", values).fetchone()[0]
        if count >= MAX_NAMED:
            raise FullError(f"there are {count} {table}; delete some first")
