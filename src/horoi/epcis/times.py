"""Date-times with an offset (RFC 3339, XML Schema ``dateTimeStamp``), as UTC milliseconds since 1970.

Days are counted by the proleptic Gregorian calendar, after H. Hinnant, *chrono-Compatible Low-Level Date Algorithms* (2013).
CBV 2.0 section 8.9 wants milliseconds; a finer fraction is rounded at its fourth digit, half up, as the reference
implementation says.
"""

from __future__ import annotations

import re

TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
OFFSET = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)", re.ASCII)
"""EPCIS 2.0, eventTimeZoneOffset: up to fourteen hours either way."""

DAY_MS = 86_400_000
MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def parse_ms(text: str) -> int | None:
    """UTC milliseconds of a date-time with offset; None if it is not one, or no such moment exists."""
    found = TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[i]) for i in range(1, 7))
    if not (1 <= month <= 12 and 1 <= day <= _days_of(year, month) and hour < 24 and minute < 60 and second < 60):
        return None
    fraction = (found[7] or "").ljust(4, "0")
    milliseconds = int(fraction[:3]) + (fraction[3] >= "5")
    local = days_from_epoch(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + milliseconds
    if found[8]:
        return local
    offset_hours, offset_minutes = int(found[10]), int(found[11])
    if offset_hours > 23 or offset_minutes > 59:
        return None
    offset_ms = (offset_hours * 60 + offset_minutes) * 60_000
    return local - offset_ms if found[9] == "+" else local + offset_ms


def format_ms(moment_ms: int) -> str:
    """``2020-03-04T10:00:30.000Z``."""
    days, rest = divmod(moment_ms, DAY_MS)
    year, month, day = date_of(days)
    seconds, milliseconds = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"


def days_from_epoch(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01, by years that begin in March so that the leap day comes last."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def date_of(days: int) -> tuple[int, int, int]:
    """(year, month, day) of a number of days from 1970-01-01: the inverse of ``days_from_epoch``."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def _days_of(year: int, month: int) -> int:
    if month == 2 and (year % 4 or (year % 100 == 0 and year % 400)):
        return 28
    return MONTH_DAYS[month - 1]
