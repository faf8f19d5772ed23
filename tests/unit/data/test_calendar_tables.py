"""The shipped tables against independent sources: two libraries and recorded bars, every difference named."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenkeel.data.calendar import calendar_names, load_calendar, session_table
from evenkeel.data.session_table import TradingDays
from evenkeel.model.bar import Ints
from evenkeel.model.time import format_time

ROOT = Path(__file__).resolve().parents[3]
TABLES = [name for name in calendar_names() if name != "24/7"]

JOBS = "the library closes the day; with a jobs report there was a session until 08:15"
NO_JOBS = "the library has 08:15 on every Good Friday since 2023; without a jobs report the day is closed"
EQUITY_DIFFERENCES = {
    "2001-09-11": "markets suspended at 09:15", "2001-09-12": "closed", "2001-09-13": "closed", "2001-09-14": "closed",
    "2012-10-29": "Hurricane Sandy: 08:15", "2012-10-30": "Hurricane Sandy: 08:15",
    "2018-12-05": "day of mourning: 08:30", "2025-01-09": "day of mourning: 08:30",
    "2007-04-06": JOBS, "2024-03-29": NO_JOBS, "2025-04-18": NO_JOBS, "2027-03-26": NO_JOBS, "2028-04-14": NO_JOBS,
    "2029-03-30": NO_JOBS, "2030-04-19": NO_JOBS,
    **dict.fromkeys(
        ["2000-07-03", "2001-07-03", "2002-07-03", "2003-07-03", "2006-07-03", "2007-07-03", "2008-07-03"],
        "before 2012 the regular close, as in the schedule of 2006",
    ),
}  # fmt: skip
"""Days on which our table and `CME Globex Equity` differ, with the reason; regular hours are compared by era."""


@cache
def library_closes(name: str, zone: str, first: str) -> dict[dt.date, int]:
    """Closing wall time in minutes of every session of a library's calendar."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calendars = pytest.importorskip("pandas_market_calendars")
        schedule = calendars.get_calendar(name).schedule(first, "2030-12-31")
    closes = schedule["market_close"].dt.tz_convert(zone)
    return {day.date(): close.hour * 60 + close.minute for day, close in closes.items()}


def our_closes(name: str) -> dict[dt.date, int]:
    days = TradingDays(session_table(name))
    every = (dt.date.fromordinal(number) for number in range(days.first.toordinal(), days.last.toordinal() + 1))
    return {day: segments[-1][1] for day in every if (segments := days.segments(day))}


def regular_equity_close(day: dt.date) -> int:
    if day < dt.date(2012, 11, 19):
        return 15 * 60 + 15
    return 16 * 60 + 15 if day < dt.date(2015, 9, 21) else 16 * 60


def stamps(path: Path) -> Ints:
    return pl.read_parquet(path, columns=["ts"])["ts"].cast(pl.Datetime("ns", "UTC")).to_physical().to_numpy()


def test_new_york_equals_one_library_on_every_session_and_close_of_41_years() -> None:
    assert our_closes("NYSE") == library_closes("NYSE", "America/New_York", "1990-01-01")


def test_new_york_equals_a_second_library_on_every_session_it_knows() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calendars = pytest.importorskip("exchange_calendars")
        sessions = calendars.get_calendar("XNYS", start="1990-01-01", end="2027-12-31").sessions
    ours = {day for day in our_closes("NYSE") if day.year <= 2027}
    assert ours == {session.date() for session in sessions}


def test_globex_equity_differs_from_the_library_only_where_a_reason_is_listed() -> None:
    library = library_closes("CME Globex Equity", "America/Chicago", "2000-01-01")
    expected = {day: regular_equity_close(day) if close == 16 * 60 else close for day, close in library.items()}
    ours = our_closes("CME_EQUITY")
    differing = {str(day) for day in ours.keys() | expected.keys() if ours.get(day) != expected.get(day)}
    assert differing == set(EQUITY_DIFFERENCES)


def test_globex_equity_agrees_with_new_york_about_full_and_half_days() -> None:
    """Since 2013 a half day in New York is a 12:15 close on Globex, and a full day a full day."""
    stocks, futures = our_closes("NYSE"), our_closes("CME_EQUITY")
    for day, close in stocks.items():
        if day.year >= 2013:
            assert (close == 13 * 60) == (futures[day] == 12 * 60 + 15), day


def test_the_day_sessions_lie_inside_the_whole_sessions() -> None:
    for name, whole in (("CME_EQUITY_RTH", "CME_EQUITY"), ("CME_METALS_RTH", "CME_METALS")):
        inner, outer = TradingDays(session_table(name)), TradingDays(session_table(whole))
        for day in our_closes(name):
            ((start, stop),) = inner.segments(day)
            assert any(opens <= start and stop <= closes for opens, closes in outer.segments(day)), day


def test_the_equity_day_session_exists_exactly_when_stocks_trade() -> None:
    since_2000 = {day for day in our_closes("NYSE") if day.year >= 2000}
    assert set(our_closes("CME_EQUITY_RTH")) == since_2000


@pytest.mark.parametrize("name", TABLES)
def test_sessions_rise_do_not_overlap_and_name_their_sources(name: str) -> None:
    table, calendar = session_table(name), load_calendar(name)
    first, last = (int(np.datetime64(day).astype(int)) for day in (table.first_day, table.last_day))
    opens, closes = calendar.open_intervals(first * 86_400_000_000_000, (last + 1) * 86_400_000_000_000)
    assert (opens < closes).all()
    assert (closes[:-1] <= opens[1:]).all()
    used = {entry.source for entry in [*table.hours, *table.exceptions]}
    assert used == set(table.sources)


@pytest.mark.parametrize("name", TABLES)
def test_no_exception_contradicts_another_one_of_the_same_day(name: str) -> None:
    listed = [day for entry in session_table(name).exceptions for day in entry.days]
    assert len(listed) == len(set(listed))


def test_the_committed_tables_are_what_the_maintainers_script_writes() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "tools/make_calendars.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("path", "calendar", "outside"),
    [
        ("cme/ESZ2013/1m", "CME_EQUITY", []),
        ("cme/ESH2014/1m", "CME_EQUITY", []),
        ("cme/MNQ/5m", "CME_EQUITY", []),
        ("cme/ES/5m", "CME_EQUITY", []),
        ("cme/MES/1d", "CME_EQUITY", []),
        ("cme/6EH2024/1m", "CME_FX", []),
        ("comex/GCZ2013/1m", "CME_METALS", []),
        ("comex/GC/5m", "CME_METALS", []),
        ("us_equity/SPY/1d", "NYSE", []),
        ("cboe/VIX/1d", "CBOE_VIX", ["2004-06-11T13:30:00Z"]),  # stocks and options were closed for Reagan's funeral
        (
            "us_equity_recent/SPY/1m", "NYSE",  # prints after the early closes of 13:00 New York
            ["2025-11-28T18:01:00Z", "2025-11-28T18:07:00Z", "2025-11-28T18:08:00Z", "2025-12-24T18:02:00Z",
             "2025-12-24T18:04:00Z", "2025-12-24T18:07:00Z"],
        ),
    ],
)  # fmt: skip
def test_recorded_bars_lie_inside_the_sessions(shared_data: Path, path: str, calendar: str, outside: list[str]) -> None:
    recorded = stamps(shared_data / f"{path}.parquet")
    found = load_calendar(calendar).session_of(recorded)
    assert [format_time(int(each)) for each in recorded[found < 0]] == outside


def test_no_session_inside_a_recording_is_without_bars(shared_data: Path) -> None:
    for path, name in (("cme/MNQ/5m", "CME_EQUITY"), ("comex/GC/5m", "CME_METALS"), ("us_equity/SPY/1d", "NYSE")):
        calendar = load_calendar(name)
        seen = np.unique(calendar.session_of(stamps(shared_data / f"{path}.parquet")))
        assert seen.tolist() == calendar.trading_days(int(seen[0]), int(seen[-1])).tolist(), path


def test_recorded_halts_and_closes_are_those_of_the_table(shared_data: Path) -> None:
    """The last minute before each recorded break of more than ten minutes ends where a segment ends."""
    recorded = stamps(shared_data / "cme/ESZ2013/1m.parquet")
    october = recorded[recorded < np.datetime64("2013-10-12", "ns").astype(np.int64)]
    before_break = october[:-1][np.diff(october) > 10 * 60_000_000_000] + 60_000_000_000
    _, closes = load_calendar("CME_EQUITY").open_intervals(int(october[0]), int(october[-1]) + 1)
    assert len(before_break) == 9
    assert set(before_break.tolist()) <= set(closes.tolist())
