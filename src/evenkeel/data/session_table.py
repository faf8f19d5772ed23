"""Session tables: the shipped file form of a calendar, and its expansion into instants.

A table is a zone, the hours of a session by weekday with the date they began to hold, and the days that differ, each
with its name and source. A session carries a trade date and has one or more segments; a trading halt lies between
two segments. Wall times are `HH:MM` on the trade date, or `HH:MM-1d` on the day before it:

    {"from": "2021-06-28", "days": "Mon-Fri", "segments": [["17:00-1d", "16:00"]], "source": "pmc"}
    {"name": "Christmas Eve", "close": "12:15", "source": "pmc", "days": ["2024-12-24"]}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from evenkeel.model.bar import Ints
from evenkeel.model.errors import invariant
from evenkeel.model.time import MINUTE, SECOND

EPOCH = date(1970, 1, 1)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_MINUTES = 1440


class Hours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Regular hours of some weekdays from a date on, until the next entry for the same weekday.

    Attributes:
        since: First trade date, ISO; `from` in the file.
        days: `Mon`, or a range `Mon-Fri`.
        segments: Open and close wall times, in order.
        source: Key of the table's `sources`.
    """

    since: str = msgspec.field(name="from")
    days: str
    segments: list[tuple[str, str]]
    source: str


class Exceptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Trade dates that differ from the regular hours in the same way.

    Attributes:
        name: For people, for example `Thanksgiving`.
        source: Key of the table's `sources`.
        days: Trade dates, ISO.
        closed: Whether there is no session at all.
        open: Nothing trades before this wall time.
        close: Nothing trades after this wall time.
    """

    name: str
    source: str
    days: list[str]
    closed: bool = False
    open: str | None = None
    close: str | None = None


class SessionTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One calendar as shipped.

    Attributes:
        schema: `evenkeel.calendar/1`.
        name: As instruments name it.
        zone: IANA zone of all wall times.
        first_day: First trade date covered, ISO.
        last_day: Last trade date covered, ISO; beyond it everything counts as closed.
        description: For people.
        sources: What each source key stands for.
        hours: Regular hours.
        exceptions: Days that differ; each in one entry.
    """

    schema: str
    name: str
    zone: str
    first_day: str
    last_day: str
    description: str
    sources: dict[str, str]
    hours: list[Hours]
    exceptions: list[Exceptions]


@dataclass(frozen=True, slots=True)
class Sessions:
    """Expanded sessions, oldest first; instants in nanoseconds.

    Attributes:
        day: Trade date of each session, days since 1970-01-01.
        open_ns: When its first segment opens.
        close_ns: When its last segment closes.
        segment_open_ns: Open of each segment of all sessions.
        segment_close_ns: Close of each segment.
        segment_session: Row of the session that each segment belongs to.
    """

    day: Ints
    open_ns: Ints
    close_ns: Ints
    segment_open_ns: Ints
    segment_close_ns: Ints
    segment_session: Ints

    @classmethod
    def of(cls, days: list[int], segments: list[list[tuple[int, int]]]) -> Sessions:
        """Return sessions from a list of segments for each day."""
        flat = [(row, *segment) for row, parts in enumerate(segments) for segment in parts]
        rows, opens, closes = (np.array([part[i] for part in flat], dtype=np.int64) for i in range(3))
        return cls(
            day=np.array(days, dtype=np.int64),
            open_ns=np.array([parts[0][0] for parts in segments], dtype=np.int64),
            close_ns=np.array([parts[-1][1] for parts in segments], dtype=np.int64),
            segment_open_ns=opens,
            segment_close_ns=closes,
            segment_session=rows,
        )

    @classmethod
    def joined(cls, parts: list[Sessions]) -> Sessions:
        """Return the sessions of consecutive parts as one."""
        if not parts:
            return cls.of([], [])
        starts = np.cumsum([0, *(len(part.day) for part in parts[:-1])])
        return cls(
            day=np.concatenate([part.day for part in parts]),
            open_ns=np.concatenate([part.open_ns for part in parts]),
            close_ns=np.concatenate([part.close_ns for part in parts]),
            segment_open_ns=np.concatenate([part.segment_open_ns for part in parts]),
            segment_close_ns=np.concatenate([part.segment_close_ns for part in parts]),
            segment_session=np.concatenate(
                [part.segment_session + start for part, start in zip(parts, starts, strict=True)]
            ),
        )


Segment = tuple[int, int]
"""Open and close in minutes of wall time since midnight of the trade date; negative lies on the day before."""


class TradingDays:
    """The wall-clock view of a table: which dates trade, and in which segments."""

    def __init__(self, table: SessionTable) -> None:
        self.first = date.fromisoformat(table.first_day)
        self.last = date.fromisoformat(table.last_day)
        self._hours = _hours_by_weekday(table.hours)
        self._closed: set[str] = set()
        self._limits: dict[str, Segment] = {}
        for entry in table.exceptions:
            self._note(entry)

    def _note(self, entry: Exceptions) -> None:
        if entry.closed:
            self._closed.update(entry.days)
            return
        open_at = wall_minutes(entry.open) if entry.open else -_DAY_MINUTES
        close_at = wall_minutes(entry.close) if entry.close else 2 * _DAY_MINUTES
        self._limits.update(dict.fromkeys(entry.days, (open_at, close_at)))

    def segments(self, day: date) -> list[Segment]:
        """Return the segments of a trade date; empty when nothing trades."""
        text = day.isoformat()
        if text in self._closed or not self.first <= day <= self.last:
            return []
        regular = self._regular(day, text)
        limits = self._limits.get(text)
        if limits is None:
            return regular
        cut = [(max(start, limits[0]), min(stop, limits[1])) for start, stop in regular]
        return [(start, stop) for start, stop in cut if start < stop]

    def count(self) -> int:
        """Return the number of trade dates in the whole table."""
        ordinals = range(self.first.toordinal(), self.last.toordinal() + 1)
        return sum(1 for ordinal in ordinals if self.segments(date.fromordinal(ordinal)))

    def _regular(self, day: date, text: str) -> list[Segment]:
        found: list[Segment] = []
        for since, segments in self._hours[day.weekday()]:
            if since > text:
                break
            found = segments
        return found


def expand(table: SessionTable, days: TradingDays, year: int) -> Sessions:
    """Return the sessions whose trade date lies in `year`."""
    zone = ZoneInfo(table.zone)
    numbers: list[int] = []
    segments: list[list[tuple[int, int]]] = []
    day = date(year, 1, 1)
    while day.year == year:
        wall = days.segments(day)
        if wall:
            numbers.append((day - EPOCH).days)
            segments.append([(_instant(day, start, zone), _instant(day, stop, zone)) for start, stop in wall])
        day += timedelta(days=1)
    return Sessions.of(numbers, segments)


@lru_cache(maxsize=256)
def wall_minutes(text: str) -> int:
    """Return a wall time as minutes since midnight of the trade date."""
    clock, minus, _ = text.partition("-1d")
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute) - (_DAY_MINUTES if minus else 0)


def _instant(day: date, minutes: int, zone: ZoneInfo) -> int:
    whole_days, minute = divmod(minutes, _DAY_MINUTES)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=whole_days)
    # Every session border lies outside the hour that a change of the clocks skips or repeats.
    wall = midnight.replace(hour=minute // 60, minute=minute % 60)
    seconds = int(wall.timestamp())
    invariant(seconds * SECOND % MINUTE == 0, "a session border is not on a whole minute", day=day.isoformat())
    return seconds * SECOND


def _hours_by_weekday(hours: list[Hours]) -> list[list[tuple[str, list[Segment]]]]:
    by_weekday: list[list[tuple[str, list[Segment]]]] = [[] for _ in _WEEKDAYS]
    for entry in sorted(hours, key=lambda each: each.since):
        first, _, last = entry.days.partition("-")
        segments = [(wall_minutes(start), wall_minutes(stop)) for start, stop in entry.segments]
        for weekday in range(_WEEKDAYS.index(first), _WEEKDAYS.index(last or first) + 1):
            by_weekday[weekday].append((entry.since, segments))
    return by_weekday
