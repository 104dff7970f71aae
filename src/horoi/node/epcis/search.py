"""Queries as SQL: one look-up along the facts for each condition, their meet, an order, a page.

Events are only ever added, so a page's token needs to remember no more than the newest event that counted for the first page, and
how far it came.

Anybody may ask, and all that is asked waits in one line: so a question may take so many steps of SQLite's machine and no more.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from horoi.epcis.conditions import Condition
from horoi.epcis.query import MATCHES, TIME_COLUMNS, Query, QueryError, spellings
from horoi.node.epcis.store import EVENT_COLUMNS, EventStore, Stored

COLUMNS = {"eventTime": "e.event_time", "recordTime": "e.record_time"}
COMPARE = {"GT": ">", "GE": ">=", "LT": "<", "LE": "<="}
TOKEN = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)
LAST = "\U0010ffff"  # behind every text that begins alike
STEPS_BETWEEN_LOOKS = 10_000  # of SQLite's virtual machine: a millisecond
MAX_LOOKS = 5_000  # some seconds, which a store of a million events takes for its worst questions; a guess
MAX_PAGE_BYTES = 4_000_000  # of events in one page, but always one: 20 ms to write down; a guess
MAX_WITHOUT_PAGES = 10_000  # events that one answer may count up to for maxEventCount; a guess

Part = tuple[str, list[Any]]


class Page(NamedTuple):
    """Some of what was found, and the token of the next page."""

    events: list[Stored]
    next: str | None


@contextmanager
def bounded(store: EventStore) -> Iterator[None]:
    """QueryError for what takes too many steps."""
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        return looks > MAX_LOOKS

    store.base.set_progress_handler(look, STEPS_BETWEEN_LOOKS)
    try:
        yield
    except sqlite3.OperationalError:
        if looks <= MAX_LOOKS:
            raise
        detail = "it would look at too many events: ask for rarer values, a shorter time, or without orderBy"
        raise QueryError(detail, "QueryTooComplexException") from None
    finally:
        store.base.set_progress_handler(None, 0)


def search(store: EventStore, query: Query, *, after: int = 0) -> Page:
    """The events of a query; of those recorded after number ``after`` only. Raises QueryError."""
    with bounded(store):
        return _search(store, query, after)


def _search(store: EventStore, query: Query, after: int) -> Page:
    upto, offset = _read_token(query.page, store)
    wanted = query.per_page if query.limit is None else max(0, min(query.per_page, query.limit - offset))
    joined, order, values = _ordered(store, query)
    where, more = _where(store, query, after)
    values += more
    if query.at_most is not None:
        _check_size(store, where, more, query.at_most, after, upto)
    rows = store.base.execute(
        f"SELECT {EVENT_COLUMNS} FROM events e {joined} WHERE e.seq > ? AND e.seq <= ?{where} ORDER BY {order} LIMIT ? OFFSET ?",
        [*values[: len(values) - len(more)], after, upto, *more, wanted + 1, offset],
    )
    events, is_cut = _fitting(rows, wanted)
    end = offset + len(events)
    is_more = is_cut and (query.limit is None or end < query.limit)
    return Page(events, f"{upto}.{end}" if is_more else None)


def _fitting(rows: Iterable[Any], wanted: int) -> tuple[list[Stored], bool]:
    """The events of a page, and whether rows were left over."""
    events: list[Stored] = []
    size_bytes = 0
    for row in rows:
        event = Stored(*row)
        size_bytes += len(event.payload)
        if len(events) >= wanted or (events and size_bytes > MAX_PAGE_BYTES):
            return events, True
        events.append(event)
    return events, False


def _read_token(token: str, store: EventStore) -> tuple[int, int]:
    if not token:
        return store.last_seq(), 0
    found = TOKEN.fullmatch(token)
    if found is None:
        raise QueryError(f"{token[:40]!r} is no nextPageToken of this node")
    return int(found[1]), int(found[2])


def _check_size(store: EventStore, where: str, values: list[Any], at_most: int, after: int, upto: int) -> None:
    most = min(at_most, MAX_WITHOUT_PAGES)
    counted = store.base.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM events e WHERE e.seq > ? AND e.seq <= ?{where} LIMIT ?)",
        [after, upto, *values, most + 1],
    ).fetchone()[0]
    if counted > most:
        raise QueryError(
            f"more than {most} events; ask for less, or without maxEventCount page by page", "QueryTooLargeException"
        )


def _ordered(store: EventStore, query: Query) -> tuple[str, str, list[Any]]:
    """Join, order, and the values of the join. Ties are broken by number, so that pages never overlap."""
    way = "DESC" if query.descending else "ASC"
    if not query.order_by:
        return "", "e.seq", []
    if query.order_by in COLUMNS:
        return "", f"{COLUMNS[query.order_by]} {way}, e.seq", []
    numbers = store.name_numbers(spellings(query.order_by))
    named = f"SELECT seq, min(value) AS value FROM facts WHERE name IN ({','.join('?' * len(numbers))}) GROUP BY seq"
    return f"LEFT JOIN ({named}) o ON o.seq = e.seq", f"o.value {way}, e.seq", list(numbers)


def _where(store: EventStore, query: Query, after: int) -> tuple[str, list[Any]]:
    parts = [_condition(store, condition, after) for condition in query.conditions]
    return "".join(f" AND {text}" for text, _ in parts), [value for _, values in parts for value in values]


def _condition(store: EventStore, condition: Condition, after: int) -> Part:
    parts = [_single(store, each, after) for each in (condition, *condition.instead)]
    return f"({' OR '.join(text for text, _ in parts)})", [value for _, values in parts for value in values]


def _single(store: EventStore, condition: Condition, after: int) -> Part:
    if condition.names[0] in TIME_COLUMNS:
        return _of_column(condition)
    names = condition.names
    if condition.op in ("has", "attribute"):
        names = MATCHES.get(names[0], names)
    numbers = store.name_numbers(names)
    if not numbers:
        return "0", []
    if condition.op == "like":
        return _like(condition, numbers, after)
    return _facts(numbers, *_OPS.get(condition.op, _compared)(condition), after)


def _facts(numbers: list[int], text: str, values: list[Any], after: int) -> Part:
    """Events with a fact of these names that ``text`` allows."""
    marks = ",".join("?" * len(numbers))
    if after:  # facts of a value stand in order of events, so nothing old is walked for a subscriber
        text, values = f"{text} AND f.seq > ?", [*values, after]
    return f"e.seq IN (SELECT f.seq FROM facts f WHERE f.name IN ({marks}){text})", [*numbers, *values]


def _like(condition: Condition, numbers: list[int], after: int) -> Part:
    """Events with one of the values, or with one that a pattern means: a walk along the index for each start of each."""
    rows = [
        (start, f"{start}{LAST}", form)
        for pattern in condition.patterns
        for start in pattern.starts
        for form in pattern.forms
    ]
    marks = ",".join("?" * len(numbers))
    walks = (
        f"e.seq IN (WITH walk(low, high, form) AS (VALUES {','.join(['(?, ?, ?)'] * len(rows))})"
        f" SELECT f.seq FROM walk CROSS JOIN facts f WHERE f.name IN ({marks})"
        " AND f.value >= walk.low AND f.value < walk.high AND f.value GLOB walk.form AND f.seq > ?)"
    )
    values = [*(value for row in rows for value in row), *numbers, after]
    if not condition.values:
        return walks, values
    exact, more = _facts(numbers, *_in(condition), after)
    return f"({exact} OR {walks})", [*more, *values]


def _of_column(condition: Condition) -> Part:
    if condition.op not in COMPARE:
        raise QueryError(f"{condition.names[0]} is compared: GE_ or LT_")
    return f"{COLUMNS[condition.names[0]]} {COMPARE[condition.op]} ?", [condition.values[0]]


def _compared(condition: Condition) -> Part:
    """Numbers with numbers, texts with texts: in SQLite every number is less than the empty text."""
    value = condition.values[0]
    text = f" AND f.value {COMPARE[condition.op]} ?"
    if isinstance(value, str):
        return (text + " AND f.value >= ''" if condition.op[0] == "L" else text), [value]
    return (text + " AND f.value < ''" if condition.op[0] == "G" else text), [value]


def _in(condition: Condition) -> Part:
    return f" AND f.value IN ({','.join('?' * len(condition.values))})", list(condition.values)


def _exists(_: Condition) -> Part:
    return "", []


def _below(condition: Condition) -> Part:
    marks = ",".join(["(?)"] * len(condition.values))
    return (
        f" AND f.value IN (WITH RECURSIVE below(id) AS (VALUES {marks} UNION SELECT child FROM descent JOIN below ON parent = id)"
        " SELECT id FROM below)",
        list(condition.values),
    )


def _has(condition: Condition) -> Part:
    marks = ",".join("?" * len(condition.values))
    return f" AND f.value IN (SELECT id FROM attributes WHERE name IN ({marks}))", list(condition.values)


def _attribute(condition: Condition) -> Part:
    marks = ",".join("?" * (len(condition.values) - 1))
    return f" AND f.value IN (SELECT id FROM attributes WHERE name = ? AND value IN ({marks}))", list(condition.values)


_OPS: dict[str, Callable[[Condition], Part]] = {
    "in": _in,
    "exists": _exists,
    "below": _below,
    "has": _has,
    "attribute": _attribute,
}


def values_of(store: EventStore, names: tuple[str, ...], after: str, most: int) -> list[str]:
    """The different texts that facts of these names have, in order, behind ``after``."""
    numbers = store.name_numbers(names)
    marks = ",".join("?" * len(numbers))
    with bounded(store):
        rows = store.base.execute(
            f"SELECT DISTINCT value FROM facts WHERE name IN ({marks}) AND value > ? AND value >= '' ORDER BY value LIMIT ?",
            [*numbers, after, most],
        ).fetchall()
    return [row[0] for row in rows]


def has_value(store: EventStore, names: tuple[str, ...], value: str) -> bool:
    """Whether any event has this value under one of these names."""
    numbers = store.name_numbers(names)
    marks = ",".join("?" * len(numbers))
    row = store.base.execute(
        f"SELECT 1 FROM facts WHERE name IN ({marks}) AND value = ? LIMIT 1", [*numbers, value]
    ).fetchone()
    return row is not None
