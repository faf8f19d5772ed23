"""Calendars: sessions, bounds, buckets and bar closes on days that are easy to check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from evenkeel.data.calendar import calendar_names, day_number, load_calendar
from evenkeel.model.bar import Ints
from evenkeel.model.errors import UsageError
from evenkeel.model.time import HOUR, Timeframe, format_time, parse_time


def instants(*texts: str) -> Ints:
    return np.array([parse_time(text) for text in texts], dtype=np.int64)


def days(*texts: str) -> list[int]:
    return [day_number(text) for text in texts]


def bucket(name: str, instant: str, timeframe: str) -> tuple[str, str]:
    opens, closes = load_calendar(name).bucket_of(instants(instant), Timeframe.parse(timeframe))
    return format_time(int(opens[0])), format_time(int(closes[0]))


def test_the_documented_calendars_exist_and_cover_the_promised_years() -> None:
    promised = {"24/7", "NYSE", "CME_EQUITY", "CME_EQUITY_RTH", "CME_METALS", "CME_METALS_RTH", "FX"}
    assert promised <= set(calendar_names())
    assert load_calendar("NYSE").first_day == "1990-01-01"
    assert all(load_calendar(name).last_day >= "2030-12-31" for name in promised)


def test_an_unknown_calendar_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'CME_EQUITY'"):
        load_calendar("CME_EQITY")


def test_a_calendar_is_read_once() -> None:
    assert load_calendar("NYSE") is load_calendar("NYSE")


@pytest.mark.parametrize(
    ("name", "instant", "day"),
    [
        ("NYSE", "2024-07-02T13:29:59.999999999Z", None),
        ("NYSE", "2024-07-02T13:30:00Z", "2024-07-02"),
        ("NYSE", "2024-07-02T20:00:00Z", "2024-07-02"),  # the closing auction
        ("NYSE", "2024-07-02T20:00:00.000000001Z", None),
        ("NYSE", "2024-07-03T17:00:00Z", "2024-07-03"),  # early close at 13:00
        ("NYSE", "2024-07-03T17:01:00Z", None),
        ("NYSE", "2024-07-04T15:00:00Z", None),
        ("NYSE", "2024-07-06T15:00:00Z", None),
        ("NYSE", "2024-03-11T13:30:00Z", "2024-03-11"),  # first session of summer time
        ("NYSE", "2024-03-08T13:30:00Z", None),  # the same clock in UTC three days before
        ("NYSE", "1989-06-01T15:00:00Z", None),  # before the table
        ("NYSE", "2031-06-02T15:00:00Z", None),  # after the table
        ("CME_EQUITY", "2013-10-06T22:00:00Z", "2013-10-07"),  # Sunday evening belongs to Monday
        ("CME_EQUITY", "2013-10-07T20:20:00Z", None),  # halt 15:15 to 15:30 Chicago
        ("CME_EQUITY", "2013-10-07T20:15:00Z", None),  # a halt's start is not a session's end
        ("CME_EQUITY", "2013-10-07T20:30:00Z", "2013-10-07"),
        ("CME_EQUITY", "2013-10-07T21:15:00Z", "2013-10-07"),
        ("CME_EQUITY", "2015-09-18T21:10:00Z", "2015-09-18"),  # last Friday that ends at 16:15
        ("CME_EQUITY", "2015-09-21T21:10:00Z", None),
        ("CME_EQUITY", "2021-06-25T20:20:00Z", None),  # last day with the halt
        ("CME_EQUITY", "2021-06-28T20:20:00Z", "2021-06-28"),
        ("CME_EQUITY", "2012-11-15T21:45:00Z", "2012-11-16"),  # until 2012 the day began at 15:30 of the day before
        ("CME_EQUITY", "2005-07-04T20:45:00Z", None),  # but after a holiday at 17:00
        ("CME_EQUITY", "2005-07-04T22:00:00Z", "2005-07-05"),
        ("CME_EQUITY", "2023-12-25T23:00:00Z", "2023-12-26"),  # recorded ES trades
        ("CME_EQUITY", "2023-12-25T18:00:00Z", None),
        ("CME_EQUITY", "2024-03-29T13:00:00Z", None),  # Good Friday without a jobs report
        ("CME_EQUITY", "2023-04-07T13:00:00Z", "2023-04-07"),  # and with one, until 08:15
        ("CME_EQUITY", "2025-01-09T14:00:00Z", "2025-01-09"),  # day of mourning: until 08:30
        ("CME_EQUITY", "2025-01-09T15:00:00Z", None),
        ("CME_EQUITY_RTH", "2025-07-03T13:30:00Z", "2025-07-03"),
        ("CME_EQUITY_RTH", "2025-07-03T17:16:00Z", None),  # cut by the Globex close at 12:15
        ("CME_EQUITY_RTH", "2025-07-04T14:00:00Z", None),  # Globex trades, stocks do not
        ("CME_METALS_RTH", "2025-06-23T12:20:00Z", "2025-06-23"),
        ("CME_METALS_RTH", "2025-06-23T17:31:00Z", None),
        ("FX", "2024-03-08T21:59:00Z", "2024-03-08"),
        ("FX", "2024-03-08T22:01:00Z", None),
        ("FX", "2024-03-10T21:00:00Z", "2024-03-11"),  # Sunday 17:00 in summer time
        ("FX", "2024-03-12T21:00:00Z", "2024-03-13"),  # one end is the next beginning
        ("FX", "2023-12-25T12:00:00Z", None),
        ("24/7", "2024-02-29T23:59:59Z", "2024-02-29"),
    ],
)
def test_an_instant_belongs_to_its_trading_day_or_to_none(name: str, instant: str, day: str | None) -> None:
    expected = -1 if day is None else day_number(day)
    assert load_calendar(name).session_of(instants(instant)).tolist() == [expected]


def test_session_bounds_span_a_halt_and_are_minus_one_on_days_off() -> None:
    opens, closes = load_calendar("CME_EQUITY").session_bounds(np.array(days("2013-10-07", "2013-10-12")))
    assert opens.tolist() == [parse_time("2013-10-06T22:00Z"), -1]
    assert closes.tolist() == [parse_time("2013-10-07T21:15Z"), -1]


def test_a_session_open_serves_files_that_hold_only_dates() -> None:
    nyse = load_calendar("NYSE")
    assert nyse.session_open(day_number("2024-01-02")) == parse_time("2024-01-02T14:30Z")
    assert nyse.session_open(day_number("2024-01-01")) is None


def test_open_intervals_are_whole_segments_that_overlap_the_range() -> None:
    opens, closes = load_calendar("CME_EQUITY").open_intervals(
        parse_time("2013-10-07T20:00Z"), parse_time("2013-10-07T22:00Z")
    )
    assert [format_time(int(each)) for each in opens] == ["2013-10-06T22:00:00Z", "2013-10-07T20:30:00Z"]
    assert [format_time(int(each)) for each in closes] == ["2013-10-07T20:15:00Z", "2013-10-07T21:15:00Z"]


def test_open_intervals_of_a_closed_range_are_empty() -> None:
    opens, closes = load_calendar("NYSE").open_intervals(parse_time("2024-07-06"), parse_time("2024-07-08"))
    assert len(opens) == len(closes) == 0


@pytest.mark.parametrize(
    ("name", "instant", "timeframe", "opens", "closes"),
    [
        ("NYSE", "2024-07-02T19:45Z", "1h", "2024-07-02T19:30:00Z", "2024-07-02T20:00:00Z"),
        ("NYSE", "2024-07-02T20:00Z", "1h", "2024-07-02T19:30:00Z", "2024-07-02T20:00:00Z"),
        ("NYSE", "2024-07-02T20:00Z", "30m", "2024-07-02T19:30:00Z", "2024-07-02T20:00:00Z"),
        ("NYSE", "2024-07-03T16:59Z", "4h", "2024-07-03T13:30:00Z", "2024-07-03T17:00:00Z"),
        ("NYSE", "2024-07-02T15:00Z", "D", "2024-07-02T13:30:00Z", "2024-07-02T20:00:00Z"),
        ("NYSE", "2024-03-06T15:00Z", "W", "2024-03-04T14:30:00Z", "2024-03-08T21:00:00Z"),
        ("NYSE", "2024-03-06T15:00Z", "M", "2024-03-01T14:30:00Z", "2024-03-28T20:00:00Z"),
        ("NYSE", "2024-12-31T15:00Z", "W", "2024-12-30T14:30:00Z", "2025-01-03T21:00:00Z"),
        ("CME_EQUITY", "2024-01-31T23:30Z", "M", "2024-01-31T23:00:00Z", "2024-02-29T22:00:00Z"),
        ("CME_EQUITY", "2024-03-10T23:30Z", "4h", "2024-03-10T22:00:00Z", "2024-03-11T02:00:00Z"),
        ("CME_EQUITY", "2024-03-11T20:30Z", "4h", "2024-03-11T18:00:00Z", "2024-03-11T21:00:00Z"),
        ("24/7", "2024-02-29T23:59Z", "4h", "2024-02-29T20:00:00Z", "2024-03-01T00:00:00Z"),
        ("24/7", "2024-02-29T23:59Z", "W", "2024-02-26T00:00:00Z", "2024-03-04T00:00:00Z"),
        ("24/7", "2024-02-29T23:59Z", "M", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
    ],
)
def test_a_bucket_is_anchored_at_the_session_and_ends_with_it(
    name: str, instant: str, timeframe: str, opens: str, closes: str
) -> None:
    assert bucket(name, instant, timeframe) == (opens, closes)


def test_instants_outside_sessions_have_no_bucket_and_no_bar_close() -> None:
    calendar, night = load_calendar("NYSE"), instants("2024-07-02T03:00Z", "2024-07-04T15:00Z")
    for name in ("5m", "D", "W", "M"):
        timeframe = Timeframe.parse(name)
        assert [part.tolist() for part in calendar.bucket_of(night, timeframe)] == [[-1, -1], [-1, -1]]
        assert calendar.bar_close(night, timeframe).tolist() == [-1, -1]


def test_a_bar_closes_after_its_timeframe_but_not_after_its_session() -> None:
    nyse, opens = load_calendar("NYSE"), instants("2024-07-02T13:30Z", "2024-07-02T19:30Z", "2024-07-02T20:00Z")
    closes = nyse.bar_close(opens, Timeframe.parse("1h"))
    assert [format_time(int(each)) for each in closes] == [
        "2024-07-02T14:30:00Z", "2024-07-02T20:00:00Z", "2024-07-02T20:00:00Z",
    ]  # fmt: skip
    assert nyse.bar_close(opens[:1], Timeframe.parse("D")).tolist() == [parse_time("2024-07-02T20:00Z")]


def test_every_method_takes_an_empty_array() -> None:
    nothing = np.array([], dtype=np.int64)
    for name in calendar_names():
        calendar = load_calendar(name)
        assert len(calendar.session_of(nothing)) == 0
        assert len(calendar.bar_close(nothing, Timeframe.parse("5m"))) == 0
        assert len(calendar.session_bounds(nothing)[0]) == 0
        assert len(calendar.bucket_of(nothing, Timeframe.parse("W"))[1]) == 0


def test_answers_do_not_depend_on_which_years_were_asked_for_before() -> None:
    early, late = instants("1995-05-01T15:00Z"), instants("2024-12-31T15:00Z")
    nyse, week = load_calendar("NYSE"), Timeframe.parse("W")
    before = nyse.bucket_of(late, week)[1].tolist()
    nyse.bucket_of(early, week)
    assert nyse.bucket_of(late, week)[1].tolist() == before == [parse_time("2025-01-03T21:00Z")]


def test_a_week_over_new_year_is_whole_although_only_one_year_was_asked_for() -> None:
    fresh = load_calendar.__wrapped__("NYSE")
    opens, closes = fresh.bucket_of(instants("2024-12-30T15:00Z"), Timeframe.parse("W"))
    assert closes.tolist() == [parse_time("2025-01-03T21:00Z")]
    opens, closes = load_calendar.__wrapped__("NYSE").bucket_of(instants("2025-01-03T15:00Z"), Timeframe.parse("W"))
    assert opens.tolist() == [parse_time("2024-12-30T14:30Z")]


def test_sessions_per_year_are_those_of_the_market() -> None:
    assert load_calendar("24/7").sessions_per_year == 365
    assert load_calendar("NYSE").sessions_per_year == pytest.approx(252, abs=0.5)
    assert load_calendar("CME_EQUITY").sessions_per_year == pytest.approx(258, abs=1)


def test_trading_days_are_inclusive_at_both_ends() -> None:
    found = load_calendar("NYSE").trading_days(day_number("2024-07-03"), day_number("2024-07-08"))
    assert found.tolist() == days("2024-07-03", "2024-07-05", "2024-07-08")


def test_the_last_hour_before_a_clock_change_keeps_its_length() -> None:
    """Clocks change on Sunday while these markets are shut, so no bar of theirs is 0 or 2 hours long."""
    calendar = load_calendar("CME_EQUITY")
    sundays = calendar.trading_days(day_number("2024-03-11"), day_number("2024-03-11"))
    opens, closes = calendar.session_bounds(sundays)
    assert (closes - opens).tolist() == [23 * HOUR]
