"""When a standing query is asked: EPCIS 2.0 section 8.2.5.3, in the form of the REST binding (UTC).

A field is a list of numbers and ranges, ``5``, ``0,30`` or ``[9-17]``. What is left out may be anything; seconds are then 0.

>>> schedule = parse_schedule({"hour": "1", "minute": "5"})
>>> format_ms(schedule.next_after(0))
'1970-01-01T01:05:00.000Z'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from horoi.epcis.times import DAY_MS, date_of, format_ms

__all__ = ["Schedule", "ScheduleError", "format_ms", "parse_schedule"]

FIELDS = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "dayOfMonth": (1, 31),
    "month": (1, 12),
    "dayOfWeek": (1, 7),  # Monday is 1 (section 8.2.5.3)
}
PART = re.compile(r"(\d{1,2})|\[(\d{1,2})-(\d{1,2})\]", re.ASCII)
MAX_PARTS = 60
MAX_DAYS = 366 * 8  # 29 February comes at least every eight years


class ScheduleError(ValueError):
    """A schedule that cannot be meant."""


class Schedule(NamedTuple):
    """The numbers that each field allows, ascending."""

    second: tuple[int, ...]
    minute: tuple[int, ...]
    hour: tuple[int, ...]
    day_of_month: tuple[int, ...]
    month: tuple[int, ...]
    day_of_week: tuple[int, ...]

    def next_after(self, now_ms: int) -> int:
        """The first moment of the schedule behind ``now_ms``."""
        today, time_ms = divmod(now_ms, DAY_MS)
        for day in range(today, today + MAX_DAYS):
            if not self._has_day(day):
                continue
            moment = self._first_in_day(time_ms if day == today else -1)
            if moment is not None:
                return day * DAY_MS + moment
        raise ScheduleError("there is no such day")

    def _has_day(self, day: int) -> bool:
        _, month, day_of_month = date_of(day)
        day_of_week = (day + 3) % 7 + 1  # 1970-01-01 was a Thursday
        return month in self.month and day_of_month in self.day_of_month and day_of_week in self.day_of_week

    def _first_in_day(self, behind_ms: int) -> int | None:
        for hour in self.hour:
            for minute in self.minute:
                for second in self.second:
                    moment = ((hour * 60 + minute) * 60 + second) * 1000
                    if moment > behind_ms:
                        return moment
        return None


def parse_schedule(fields: Mapping[str, Any]) -> Schedule:
    """Read the fields. Raises ScheduleError."""
    unknown = [name for name in fields if name not in FIELDS]
    if unknown or not fields:
        raise ScheduleError(f"a schedule has {', '.join(FIELDS)}, not {unknown[:1] or 'nothing'}")
    given = {"second": "0", **fields}
    schedule = Schedule(*(_numbers(name, given.get(name), *FIELDS[name]) for name in FIELDS))
    schedule.next_after(0)
    return schedule


def _numbers(name: str, text: Any, low: int, high: int) -> tuple[int, ...]:
    if text is None:
        return tuple(range(low, high + 1))
    parts = str(text).split(",") if isinstance(text, str | int) and not isinstance(text, bool) else []
    found: dict[int, None] = {}
    for part in parts[: MAX_PARTS + 1]:
        match = PART.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[1])) if match and match[1] else (0, -1)
        if match and match[2]:
            first, last = int(match[2]), int(match[3])
        if not low <= first <= last <= high:
            raise ScheduleError(f"{name}: {part[:20]!r} is no number or range from {low} to {high}")
        found |= dict.fromkeys(range(first, last + 1))
    if not found or len(parts) > MAX_PARTS:
        raise ScheduleError(f"{name} lists numbers and ranges, as '0,30' or '[9-17]'")
    return tuple(sorted(found))
