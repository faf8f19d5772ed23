"""Laws of every calendar, on instants drawn over all years that its table covers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.data.calendar import calendar_names, day_number, load_calendar
from evenkeel.model.bar import Ints
from evenkeel.model.time import DAY, MINUTE, TIMEFRAMES, Timeframe

INTRADAY = [timeframe for timeframe in TIMEFRAMES.values() if not timeframe.is_calendar]

calendars = st.sampled_from(calendar_names()).map(load_calendar)
timeframes = st.sampled_from(list(TIMEFRAMES.values()))
first_days = st.integers(day_number("2000-01-03"), day_number("2030-11-20"))
clock_changes = st.sampled_from(
    [day_number(day) for day in ("2006-04-02", "2006-10-29", "2013-03-10", "2013-11-03", "2024-03-10", "2024-12-29")]
)


def minutes_from(day: int, count: int, step: int) -> Ints:
    return day * DAY + np.arange(count, dtype=np.int64) * step * MINUTE


samples = st.builds(minutes_from, first_days | clock_changes, st.integers(1, 400), st.integers(1, 90))


@given(calendars, timeframes, samples)
def test_buckets_rise_with_time_and_hold_their_instants(calendar, timeframe: Timeframe, at: Ints) -> None:
    opens, closes = calendar.bucket_of(at, timeframe)
    inside = opens >= 0
    assert (inside == (calendar.session_of(at) >= 0)).all()
    assert (np.diff(opens[inside]) >= 0).all()
    assert (np.diff(closes[inside]) >= 0).all()
    assert (opens[inside] <= at[inside]).all()
    assert (opens[inside] < closes[inside]).all()
    at_the_end = at == closes
    assert ((at < closes) | at_the_end)[inside].all()


@given(calendars, timeframes, samples)
def test_two_instants_share_a_bucket_or_their_buckets_do_not_overlap(calendar, timeframe: Timeframe, at: Ints) -> None:
    opens, closes = calendar.bucket_of(at, timeframe)
    distinct = sorted({(o, c) for o, c in zip(opens.tolist(), closes.tolist(), strict=True) if o >= 0})
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(distinct))


@given(calendars, st.sampled_from(INTRADAY), first_days)
def test_intraday_buckets_partition_the_session(calendar, timeframe: Timeframe, day: int) -> None:
    opens, closes = calendar.session_bounds(np.array([day], dtype=np.int64))
    if opens[0] < 0:
        return
    start, stop = int(opens[0]), int(closes[0])
    edges = np.arange(start, stop, timeframe.nanoseconds, dtype=np.int64)
    trading = edges[calendar.session_of(edges) == day]
    bucket_opens, bucket_closes = calendar.bucket_of(trading, timeframe)
    assert (bucket_opens == trading).all()
    assert (bucket_closes == np.minimum(trading + timeframe.nanoseconds, stop)).all()


@given(calendars, timeframes, samples)
def test_a_bar_closes_after_it_opens_and_not_after_its_session_or_period(calendar, timeframe, at: Ints) -> None:
    days = calendar.session_of(at)
    inside = days >= 0
    closes = calendar.bar_close(at, timeframe)
    assert (closes[~inside] == -1).all()
    _, session_closes = calendar.session_bounds(days[inside])
    assert (closes[inside] >= at[inside]).all()
    if timeframe.is_calendar:
        assert (closes[inside] >= session_closes).all()
    else:
        assert (closes[inside] <= session_closes).all()


@given(calendars, samples)
def test_a_session_holds_its_bounds_and_a_day_bar_is_its_session(calendar, at: Ints) -> None:
    days = np.unique(calendar.session_of(at))
    days = days[days >= 0]
    opens, closes = calendar.session_bounds(days)
    assert (calendar.session_of(opens) == days).all()
    assert (calendar.session_of(closes - 1) == days).all()
    day_opens, day_closes = calendar.bucket_of(opens, TIMEFRAMES["D"])
    assert (day_opens == opens).all()
    assert (day_closes == closes).all()


@pytest.mark.parametrize(("timeframe", "unit"), [("W", "week"), ("M", "month")])
@given(calendar=calendars, day=first_days | clock_changes)
def test_weeks_and_months_run_from_their_first_open_to_their_last_close(calendar, timeframe, unit, day: int) -> None:
    """Counted here from calendar dates, one by one, instead of by the period numbers that the code uses."""
    all_days = calendar.trading_days(day - 40, day + 40)

    def period(number: int) -> object:
        date = np.datetime64(number, "D").item()
        return date.isocalendar()[:2] if unit == "week" else (date.year, date.month)

    same = [number for number in all_days.tolist() if period(number) == period(day)]
    if day not in same:
        return
    at = np.array([calendar.session_open(day)], dtype=np.int64)
    opens, closes = calendar.bucket_of(at, TIMEFRAMES[timeframe])
    bounds = calendar.session_bounds(np.array([same[0], same[-1]], dtype=np.int64))
    assert (int(opens[0]), int(closes[0])) == (int(bounds[0][0]), int(bounds[1][1]))


@given(calendars, first_days, st.integers(1, 30 * 24 * 60))
def test_open_intervals_agree_with_session_of_at_every_border(calendar, day: int, minutes: int) -> None:
    start, stop = day * DAY, day * DAY + minutes * MINUTE
    opens, closes = calendar.open_intervals(start, stop)
    assert (closes > start).all()
    assert (opens < stop).all()
    assert (calendar.session_of(opens) >= 0).all()
    assert (calendar.session_of(closes - 1) >= 0).all()
    assert (calendar.session_of(opens) == calendar.session_of(closes - 1)).all()
    probe = np.arange(start, stop, max(1, minutes // 50) * MINUTE, dtype=np.int64)
    covered = ((probe[:, None] >= opens) & (probe[:, None] < closes)).any(axis=1)
    _, ends = calendar.session_bounds(calendar.session_of(probe))
    assert (covered == ((calendar.session_of(probe) >= 0) & (probe != ends))).all()
