"""Calendars: when a market trades, to which trading day an instant belongs, and where bars begin and end.

Sessions come from dated tables that ship with the package, so neither a library nor a network decides what a day is.
Beyond a table's horizon everything counts as closed: an unknown calendar must not look like an open market.

    >>> nyse = load_calendar("NYSE")
    >>> nyse.session_open(day_number("2024-01-01")) is None
    True
    >>> nyse.session_open(day_number("2024-01-02"))
    1704205800000000000
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np

from evenkeel.data.session_table import EPOCH, Sessions, SessionTable, TradingDays, expand
from evenkeel.model.bar import Ints
from evenkeel.model.errors import UsageError
from evenkeel.model.time import DAY, Timeframe

ALWAYS_OPEN = "24/7"
_WEEK_MARGIN = 8 * DAY


class Calendar(ABC):
    """When a market trades. Immutable for its users; tables are expanded year by year as they are asked for.

    A *session* has a trade date and one or more segments; a halt lies between two segments and is outside the
    session. Days are days since 1970-01-01 of the trade date, instants nanoseconds since the epoch, UTC; -1 stands for
    "outside every session, or outside the table's horizon".

    Attributes:
        name: As instruments name it.
        zone: IANA zone in which the hours are written.
        always_open: Whether the market never closes; its sessions are UTC days.
        first_day: First trade date covered, ISO.
        last_day: Last trade date covered, ISO.
    """

    name: str
    zone: str
    always_open: bool
    first_day: str
    last_day: str

    @property
    @abstractmethod
    def sessions_per_year(self) -> float:
        """Sessions in a mean year, for annualising."""

    @abstractmethod
    def session_of(self, instants_ns: Ints) -> Ints:
        """Return the trading day of each instant, or -1.

        An instant equal to a session's end (a closing auction) belongs to it, unless the next session opens then.
        """

    @abstractmethod
    def session_bounds(self, days: Ints) -> tuple[Ints, Ints]:
        """Return open and close of trading days: first segment's open, last segment's close; -1 for other days."""

    @abstractmethod
    def trading_days(self, first: int, last: int) -> Ints:
        """Return the trading days from `first` to `last`, both included."""

    @abstractmethod
    def open_intervals(self, start_ns: int, stop_ns: int) -> tuple[Ints, Ints]:
        """Return open and close of every segment that overlaps `start_ns <= t < stop_ns`, whole and in order."""

    @abstractmethod
    def bucket_of(self, open_ns: Ints, timeframe: Timeframe) -> tuple[Ints, Ints]:
        """Return open and close of the bar of `timeframe` that holds each instant; -1 outside sessions.

        Intraday bars count from the session's open, and the last one ends with the session. D is the session; W and M
        run from the first open to the last close of the trade dates from Monday to Sunday or of the month.
        """

    @abstractmethod
    def bar_close(self, open_ns: Ints, timeframe: Timeframe) -> Ints:
        """Return when the bars that open at these instants close; -1 outside sessions.

        Intraday: the open plus the timeframe, but not after the session's end. D, W, M: the end of their last session.
        """

    def session_open(self, day: int) -> int | None:
        """Return when the trading day opens, or None when it is none."""
        opens, _ = self.session_bounds(np.array([day], dtype=np.int64))
        return int(opens[0]) if opens[0] >= 0 else None


class _AlwaysOpen(Calendar):
    """A market that never closes; a session is a UTC day."""

    def __init__(self) -> None:
        self.name = ALWAYS_OPEN
        self.zone = "UTC"
        self.always_open = True
        self.first_day = "1970-01-01"
        self.last_day = "2199-12-31"

    @property
    def sessions_per_year(self) -> float:
        """See `Calendar`."""
        return 365.0

    def session_of(self, instants_ns: Ints) -> Ints:
        """See `Calendar`."""
        days: Ints = np.asarray(instants_ns, dtype=np.int64) // DAY
        return days

    def session_bounds(self, days: Ints) -> tuple[Ints, Ints]:
        """See `Calendar`."""
        opens: Ints = np.asarray(days, dtype=np.int64) * DAY
        return opens, opens + DAY

    def trading_days(self, first: int, last: int) -> Ints:
        """See `Calendar`."""
        return np.arange(first, last + 1, dtype=np.int64)

    def open_intervals(self, start_ns: int, stop_ns: int) -> tuple[Ints, Ints]:
        """See `Calendar`."""
        return self.session_bounds(np.arange(start_ns // DAY, -(-stop_ns // DAY), dtype=np.int64))

    def bucket_of(self, open_ns: Ints, timeframe: Timeframe) -> tuple[Ints, Ints]:
        """See `Calendar`."""
        instants = np.asarray(open_ns, dtype=np.int64)
        if timeframe.is_calendar:
            first, past = _period_days(_period_of(instants // DAY, timeframe), timeframe)
            return first * DAY, past * DAY
        opens = instants - instants % timeframe.nanoseconds
        return opens, opens + timeframe.nanoseconds

    def bar_close(self, open_ns: Ints, timeframe: Timeframe) -> Ints:
        """See `Calendar`."""
        if timeframe.is_calendar:
            return self.bucket_of(open_ns, timeframe)[1]
        instants = np.asarray(open_ns, dtype=np.int64)
        closes: Ints = np.minimum(instants + timeframe.nanoseconds, instants - instants % DAY + DAY)
        return closes


class _TableCalendar(Calendar):
    """A calendar that reads a shipped session table."""

    def __init__(self, table: SessionTable) -> None:
        self.name = table.name
        self.zone = table.zone
        self.always_open = False
        self.first_day = table.first_day
        self.last_day = table.last_day
        self._table = table
        self._days = TradingDays(table)
        self._years: dict[int, Sessions] = {}
        self._span = (0, -1)
        self._joined = Sessions.joined([])
        self._per_year: float | None = None

    @property
    def sessions_per_year(self) -> float:
        """See `Calendar`."""
        if self._per_year is None:
            self._per_year = self._days.count() / (self._days.last.year - self._days.first.year + 1)
        return self._per_year

    def session_of(self, instants_ns: Ints) -> Ints:
        """See `Calendar`."""
        instants = np.asarray(instants_ns, dtype=np.int64)
        sessions = self._around(instants)
        rows = _session_rows(sessions, instants)
        return _picked(sessions.day, rows)

    def session_bounds(self, days: Ints) -> tuple[Ints, Ints]:
        """See `Calendar`."""
        wanted = np.asarray(days, dtype=np.int64)
        # -1, "no trading day", must not reach back to the first year of the table.
        sessions = self._around(wanted[wanted >= 0] * DAY)
        rows = np.searchsorted(sessions.day, wanted)
        rows = np.where(_picked(sessions.day, np.where(rows < len(sessions.day), rows, -1)) == wanted, rows, -1)
        return _picked(sessions.open_ns, rows), _picked(sessions.close_ns, rows)

    def trading_days(self, first: int, last: int) -> Ints:
        """See `Calendar`."""
        days = self._around(np.array([first, last], dtype=np.int64) * DAY).day
        return days[(days >= first) & (days <= last)]

    def open_intervals(self, start_ns: int, stop_ns: int) -> tuple[Ints, Ints]:
        """See `Calendar`."""
        sessions = self._around(np.array([start_ns, stop_ns], dtype=np.int64))
        first = int(np.searchsorted(sessions.segment_close_ns, start_ns, side="right"))
        past = int(np.searchsorted(sessions.segment_open_ns, stop_ns, side="left"))
        part = slice(first, max(first, past))
        return sessions.segment_open_ns[part].copy(), sessions.segment_close_ns[part].copy()

    def bucket_of(self, open_ns: Ints, timeframe: Timeframe) -> tuple[Ints, Ints]:
        """See `Calendar`."""
        instants = np.asarray(open_ns, dtype=np.int64)
        sessions = self._around(instants)
        rows = _session_rows(sessions, instants)
        if timeframe.is_calendar:
            return _period_bounds(sessions, rows, timeframe)
        opens, closes = _picked(sessions.open_ns, rows), _picked(sessions.close_ns, rows)
        # The closing auction's instant lies in the bar that ends with the session, not in one after it.
        inside = np.minimum(instants, closes - 1)
        starts = opens + (inside - opens) // timeframe.nanoseconds * timeframe.nanoseconds
        stops = np.minimum(starts + timeframe.nanoseconds, closes)
        return np.where(rows >= 0, starts, -1), np.where(rows >= 0, stops, -1)

    def bar_close(self, open_ns: Ints, timeframe: Timeframe) -> Ints:
        """See `Calendar`."""
        if timeframe.is_calendar:
            return self.bucket_of(open_ns, timeframe)[1]
        instants = np.asarray(open_ns, dtype=np.int64)
        sessions = self._around(instants)
        rows = _session_rows(sessions, instants)
        return np.where(rows >= 0, np.minimum(instants + timeframe.nanoseconds, _picked(sessions.close_ns, rows)), -1)

    def _around(self, instants: Ints) -> Sessions:
        """Return the expanded sessions of all years that the instants and their weeks touch."""
        if not len(instants):
            return self._joined
        first = max(_year(int(instants.min()) - _WEEK_MARGIN), self._days.first.year)
        last = min(_year(int(instants.max()) + _WEEK_MARGIN), self._days.last.year)
        if first > last:
            return Sessions.joined([])
        return self._expanded(first, last)

    def _expanded(self, first: int, last: int) -> Sessions:
        held_first, held_last = self._span
        if held_first <= first and last <= held_last:
            return self._joined
        if held_first <= held_last:
            first, last = min(first, held_first), max(last, held_last)
        for year in range(first, last + 1):
            if year not in self._years:
                self._years[year] = expand(self._table, self._days, year)
        self._joined = Sessions.joined([self._years[year] for year in range(first, last + 1)])
        self._span = (first, last)
        return self._joined


@cache
def calendar_names() -> tuple[str, ...]:
    """Return the names of all calendars, `24/7` first."""
    folder = files("evenkeel.data") / "calendars"
    return (ALWAYS_OPEN, *sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".json")))


@cache
def load_calendar(name: str) -> Calendar:
    """Return the calendar of that name.

    Raises:
        UsageError: If there is none; the message names the nearest.
    """
    if name == ALWAYS_OPEN:
        return _AlwaysOpen()
    if name not in calendar_names():
        near = get_close_matches(name.upper(), calendar_names(), n=1, cutoff=0.4)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UsageError(f"there is no calendar '{name}'; {hint}known are {', '.join(calendar_names())}")
    return _TableCalendar(session_table(name))


def session_table(name: str) -> SessionTable:
    """Return the shipped table of a calendar other than `24/7`, with the sources of its entries."""
    text = (files("evenkeel.data") / "calendars" / f"{name}.json").read_bytes()
    return msgspec.json.decode(text, type=SessionTable)


def day_number(day: str) -> int:
    """Return an ISO date as days since 1970-01-01, the form in which calendars count trading days."""
    return (date.fromisoformat(day) - EPOCH).days


def _session_rows(sessions: Sessions, instants: Ints) -> Ints:
    """Return the row of the session that holds each instant, or -1."""
    segments = np.searchsorted(sessions.segment_open_ns, instants, side="right") - 1
    rows = _picked(sessions.segment_session, segments)
    ends = _picked(sessions.segment_close_ns, segments)
    # Only the end of the whole session is part of it; at the start of a halt the market is closed.
    at_session_end = (instants == ends) & (ends == _picked(sessions.close_ns, rows))
    return np.where((instants < ends) | at_session_end, rows, -1)


def _picked(column: Ints, rows: Ints) -> Ints:
    """Return `column[rows]`, and -1 where the row is -1."""
    if not len(column):
        return np.full(len(rows), -1, dtype=np.int64)
    return np.where(rows >= 0, column[rows], -1)


def _period_bounds(sessions: Sessions, rows: Ints, timeframe: Timeframe) -> tuple[Ints, Ints]:
    periods = _period_of(sessions.day, timeframe)
    wanted = _picked(periods, rows)
    first = np.where(rows >= 0, np.searchsorted(periods, wanted, side="left"), -1)
    last = np.where(rows >= 0, np.searchsorted(periods, wanted, side="right") - 1, -1)
    return _picked(sessions.open_ns, first), _picked(sessions.close_ns, last)


def _period_of(days: Ints, timeframe: Timeframe) -> Ints:
    """Return the number of the day, of the week from Monday, or of the month in which each day lies."""
    if timeframe.name == "D":
        return days
    if timeframe.name == "W":
        return (days + 3) // 7
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _period_days(periods: Ints, timeframe: Timeframe) -> tuple[Ints, Ints]:
    """Return the first day of each period and the day after its last."""
    if timeframe.name == "D":
        return periods, periods + 1
    if timeframe.name == "W":
        return periods * 7 - 3, periods * 7 + 4
    months = periods.astype("datetime64[M]")
    first, behind = (
        month.astype("datetime64[D]").astype(np.int64) for month in (months, months + np.timedelta64(1, "M"))
    )
    return first, behind


def _year(instant_ns: int) -> int:
    return int(np.datetime64(instant_ns, "ns").astype("datetime64[Y]").astype(np.int64)) + 1970
