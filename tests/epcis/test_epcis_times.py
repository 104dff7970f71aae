"""Times are counted as the standard library counts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.epcis.times import date_of, days_from_epoch, format_ms, parse_ms

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=offsets))
def test_moments_are_those_of_datetime(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert parse_ms(moment.isoformat()) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_writing_and_reading(moment: datetime) -> None:
    text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert format_ms(parse_ms(text) or 0) == (text if parse_ms(text) else "1970-01-01T00:00:00.000Z")


@given(st.integers(-719_162, 2_932_896))
def test_days(days: int) -> None:
    assert days_from_epoch(*date_of(days)) == days


@pytest.mark.parametrize(
    "text", ["", "2022-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "2022-01-01T00:00:60Z", "2022-01-01 00:00Z"]
)
def test_what_is_no_moment(text: str) -> None:
    assert parse_ms(text) is None
