"""Instants and timeframes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.model.errors import UsageError
from evenkeel.model.time import DAY, MINUTE, SECOND, TIMEFRAMES, Timeframe, format_time, parse_time

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 12, 31), timezones=st.just(UTC)))
def test_a_time_survives_being_written_and_read(moment: datetime) -> None:
    instant = (moment - EPOCH) // timedelta(microseconds=1) * 1000
    assert parse_time(format_time(instant)) == instant


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-02", DAY),
        ("1970-01-01T00:01", MINUTE),
        ("1970-01-01 00:00:01.5Z", 3 * SECOND // 2),
        ("1970-01-01T02:00+02:00", 0),
        ("1969-12-31T19:00:00-0500", 0),
    ],
)
def test_dates_and_times_are_utc_unless_they_say_otherwise(text: str, instant: int) -> None:
    assert parse_time(text) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "2024-02-30", "1699-01-01", "9999-01-01", "2024-1-1"])
def test_what_is_no_time_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(UsageError, match=text or "is not a time"):
        parse_time(text)


def test_a_month_is_not_a_minute() -> None:
    assert Timeframe.parse("1m").minutes == 1
    assert Timeframe.parse("1M").name == "M"
    with pytest.raises(UsageError, match="known are 1m, 3m"):
        Timeframe.parse("m")


def test_timeframes_are_ordered_fast_to_slow_and_find_themselves() -> None:
    assert list(TIMEFRAMES.values()) == sorted(TIMEFRAMES.values())
    assert all(Timeframe.parse(name) is timeframe for name, timeframe in TIMEFRAMES.items())


def test_days_weeks_and_months_have_no_fixed_length() -> None:
    assert Timeframe.parse("15m").nanoseconds == 15 * MINUTE
    with pytest.raises(UsageError, match="ask the calendar"):
        _ = Timeframe.parse("D").nanoseconds
