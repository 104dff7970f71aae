"""Schedules: the next moment that fits, and no other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horoi.epcis.schedule import ScheduleError, parse_schedule
from horoi.epcis.times import format_ms, parse_ms

NOW = parse_ms("2026-11-29T10:30:15.500Z") or 0  # a Sunday


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"second": "20"}, "2026-11-29T10:30:20"),
        ({"minute": "5"}, "2026-11-29T11:05:00"),
        ({"minute": "0,31"}, "2026-11-29T10:31:00"),
        ({"hour": "1", "minute": "5"}, "2026-11-30T01:05:00"),
        ({"hour": "[9-11]", "minute": "0"}, "2026-11-29T11:00:00"),
        ({"dayOfWeek": "1", "hour": "0", "minute": "0"}, "2026-11-30T00:00:00"),
        ({"month": "2", "dayOfMonth": "29", "hour": "0", "minute": "0"}, "2028-02-29T00:00:00"),
        ({"minute": 45}, "2026-11-29T10:45:00"),
    ],
)
def test_the_next_moment(fields: dict[str, Any], expected: str) -> None:
    assert format_ms(parse_schedule(fields).next_after(NOW)) == f"{expected}.000Z"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"year": "1"},
        {"second": "60"},
        {"second": ""},
        {"second": "[9-5]"},
        {"second": "*"},
        {"minute": True},
        {"minute": None, "hour": ["1"]},
        {"month": "2", "dayOfMonth": "30"},
        {"second": ",".join("1" for _ in range(100))},
    ],
)
def test_what_is_no_schedule(fields: dict[str, Any]) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(fields)


@given(
    st.sets(st.integers(0, 59), min_size=1), st.sets(st.integers(0, 23), min_size=1), st.integers(0, 4_000_000_000_000)
)
@settings(max_examples=50, deadline=None)
def test_no_earlier_moment_fits(minutes: set[int], hours: set[int], now_ms: int) -> None:
    fields = {"minute": ",".join(map(str, minutes)), "hour": ",".join(map(str, hours))}
    found = parse_schedule(fields).next_after(now_ms)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    moment = epoch + timedelta(milliseconds=now_ms) + timedelta(minutes=1)
    moment = moment.replace(second=0, microsecond=0)
    while moment.minute not in minutes or moment.hour not in hours:
        moment += timedelta(minutes=1)
    assert epoch + timedelta(milliseconds=found) == moment
