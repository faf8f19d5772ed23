"""From the times of a file to bars: zone, which end of a bar they name, sessions, closes.

Nothing is guessed: a time without a zone is refused until the zone is given, and a file whose times look like the
closes of its bars is refused until `--stamp` settles it.
"""

from __future__ import annotations

import difflib
import zoneinfo
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.data.calendar import Calendar
from evenkeel.data.importers.sanity import require_rising
from evenkeel.data.importers.table import Place, Request, Stamp, Stamps, Table
from evenkeel.model.bar import Bars, Ints
from evenkeel.model.errors import DataError, UsageError
from evenkeel.model.time import DAY, HOUR, MINUTE, Timeframe, format_time

if TYPE_CHECKING:
    import polars as pl

STEPS_JUDGED_MIN = 20
"""With fewer rows a file may lack its finest step by chance."""

STEP_RANGE = (0.5, 3.0)
"""Usual step of bars of a day or more, in units of their nominal length."""

AFTER_HOURS_WITHIN = 15 * MINUTE
"""A bar at a session's end that another one follows so soon opens the trading after hours."""


def place(table: Table, request: Request) -> Bars:
    """Return the bars of a table whose values are sane.

    Raises:
        DataError: If the times cannot be placed without guessing, are out of order or contradict the timeframe.
    """
    if request.timeframe.is_calendar:
        opens = _calendar_opens(table, request)
        closes = request.calendar.bar_close(opens, request.timeframe)
    else:
        opens = _intraday_opens(table, request)
        closes = _intraday_closes(opens, request)
        _require_apart(table, opens, closes, request)
    return Bars(request.timeframe, opens, closes, table.open, table.high, table.low, table.close, table.volume)


def require_zone(name: str) -> str:
    """Return the name of a time zone if it exists.

    Raises:
        UsageError: If it does not, with the nearest names.
    """
    known = zoneinfo.available_timezones()
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=2) or sorted(zone for zone in known if name.lower() in zone.lower())
    hint = f"; is {' or '.join(near[:2])} meant?" if near else "; write an IANA name such as America/New_York"
    raise UsageError(f"'{name}' is not a time zone{hint}")


def _calendar_opens(table: Table, request: Request) -> Ints:
    """Return the opens of bars of a day or more: dates count as trade dates, times must be opens of sessions."""
    stamps, calendar = table.stamps, request.calendar
    if stamps.date_only or _are_dates(stamps, calendar):
        days = stamps.wall_ns // DAY
    else:
        instants = _instants(table, request)
        is_close = (request.stamp or stamps.end) is Stamp.CLOSE
        days = calendar.session_of(instants - 1 if is_close else instants)
        _require_at_session_edge(table, instants, days, request, is_close=is_close)
    require_rising(table, days * DAY)
    _require_usual_step(table, days * DAY, request.timeframe)
    first_opens = calendar.session_bounds(days)[0]
    opens = calendar.bucket_of(first_opens, request.timeframe)[0]
    _require_trade_dates(table, days, opens, request)
    return opens


def _are_dates(stamps: Stamps, calendar: Calendar) -> bool:
    """Whether all times are midnights that stand for dates; a market without sessions has its days in UTC only."""
    if calendar.always_open and stamps.instants_ns is not None:
        return False
    return bool((stamps.wall_ns % DAY == 0).all())


def _require_at_session_edge(table: Table, instants: Ints, days: Ints, request: Request, *, is_close: bool) -> None:
    edges = request.calendar.session_bounds(days)[1 if is_close else 0]
    off = np.flatnonzero(instants != edges)
    if len(off):
        row = int(off[0])
        raise DataError(
            f"{table.place.of(row)}: {format_time(int(instants[row]))} is neither a date nor the "
            f"{'close' if is_close else 'open'} of a session of {request.calendar.name}, so the bar cannot be placed; "
            f"write its trade date (2014-01-31)"
        )


def _require_trade_dates(table: Table, days: Ints, opens: Ints, request: Request) -> None:
    closed = np.flatnonzero(opens < 0)
    if len(closed):
        row = int(closed[0])
        day = format_time(int(days[row]) * DAY)[:10]
        raise DataError(
            f"{table.place.of(row)}: {day} is no trading day of {request.calendar.name}, which covers "
            f"{request.calendar.first_day} to {request.calendar.last_day} ({len(closed):,} such rows in all); remove "
            f"the rows, or use an instrument with the fitting calendar"
        )


def _require_usual_step(table: Table, stamps: Ints, timeframe: Timeframe) -> None:
    if len(stamps) < 2:
        return
    usual = float(np.median(np.diff(stamps))) / (timeframe.minutes * MINUTE)
    if not STEP_RANGE[0] <= usual <= STEP_RANGE[1]:
        raise _wrong_timeframe(table, float(np.median(np.diff(stamps))), timeframe)


def _intraday_opens(table: Table, request: Request) -> Ints:
    if table.stamps.date_only:
        raise DataError(
            f"{table.place.label} has dates without times, so its bars are a day or longer; import it with --tf D, not "
            f"{request.timeframe}"
        )
    instants = _instants(table, request)
    require_rising(table, instants)
    _require_whole_minutes(table, instants)
    _require_finest_step(table, instants, request.timeframe)
    if _stamp_of(table, instants, request) is Stamp.OPEN:
        return instants
    opens, closes = request.calendar.bucket_of(instants - 1, request.timeframe)
    # The last bar of a session may be shorter than the timeframe: it opens where the calendar says.
    return np.where((opens >= 0) & (closes == instants), opens, instants - request.timeframe.nanoseconds)


def _instants(table: Table, request: Request) -> Ints:
    return instants_of(table.stamps, table.place, request.zone)


def instants_of(stamps: Stamps, place: Place, zone: str | None) -> Ints:
    """Return times in UTC.

    Args:
        stamps: As the file has them.
        place: Where its rows stand.
        zone: Zone of times without one; None where the file or its format says it.

    Raises:
        DataError: If a time has no zone and none is given, or does not exist there.
    """
    if stamps.instants_ns is not None:
        return stamps.instants_ns
    chosen = zone or stamps.zone
    if chosen is None:
        raise DataError(
            f"{place.label}: its times have no zone; say in which they are written, for example --tz UTC or "
            f"--tz America/New_York",
            reason="ZONE_MISSING",
        )
    return stamps.wall_ns if chosen == "UTC" else _from_zone(stamps, place, require_zone(chosen))


def _from_zone(stamps: Stamps, place: Place, zone: str) -> Ints:
    import polars as pl

    wall = pl.Series(stamps.wall_ns).cast(pl.Datetime("ns"))
    instants = wall.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    unclear = instants.is_null().arg_true()
    if len(unclear):
        row = int(unclear[0])
        raise DataError(
            f"{place.of(row)}: {wall[row]} does not exist or exists twice in {zone}, where clocks change that "
            f"day; export the file with UTC times or offsets"
        )
    return _nanoseconds(instants)


def _nanoseconds(instants: pl.Series) -> Ints:
    import polars as pl

    values: Ints = instants.dt.convert_time_zone("UTC").cast(pl.Int64).to_numpy()
    return values


def _stamp_of(table: Table, instants: Ints, request: Request) -> Stamp:
    """Return which end of a bar the times name, refusing a file that looks like closes while nobody said so."""
    if request.stamp is not None:
        return request.stamp
    if table.stamps.end is not None:
        return table.stamps.end
    shown = _look_like_closes(instants, request)
    if shown:
        raise DataError(
            f"{table.place.label}: its times look like the closes of the bars: {shown}. Say --stamp close if they are, "
            f"--stamp open if they are not",
            reason="STAMP_UNCLEAR",
        )
    return Stamp.OPEN


def _look_like_closes(instants: Ints, request: Request) -> str:
    """Return what in the times speaks for closes, or nothing."""
    step, calendar = request.timeframe.nanoseconds, request.calendar
    first, last = int(instants[0]), int(instants[-1])
    if calendar.always_open:
        if len(instants) > 1 and step <= HOUR and first % DAY == step and last % DAY == 0:
            return f"they run from {format_time(first)} to {format_time(last)}"
        return ""
    opens, closes = calendar.open_intervals(first - step, last + 1)
    starts, ends = np.setdiff1d(opens, closes), np.setdiff1d(closes, opens)
    ends = ends[ends <= last]
    at_start, at_end = int(np.isin(starts, instants).sum()), int(np.isin(ends, instants).sum())
    if at_end > at_start and 2 * at_end >= len(ends):
        return f"{at_end:,} sessions have one at their end and {at_start:,} at their start"
    return ""


def _intraday_closes(opens: Ints, request: Request) -> Ints:
    """Return the closes: the open plus the timeframe, clipped to the session; outside sessions the plain sum."""
    plain = opens + request.timeframe.nanoseconds
    closes = request.calendar.bar_close(opens, request.timeframe)
    closes = np.where(closes < 0, plain, closes)
    at_end = np.flatnonzero(closes == opens)
    if len(at_end) and _trades_after_hours(opens, at_end, request.calendar):
        closes[at_end] = plain[at_end]
    return closes


def _trades_after_hours(opens: Ints, at_end: Ints, calendar: Calendar) -> bool:
    """Whether bars follow those at a session's end at once: then they open the evening and are no closing auction."""
    followed = at_end[at_end + 1 < len(opens)] + 1
    soon = opens[followed] - opens[followed - 1] <= AFTER_HOURS_WITHIN
    return bool((soon & (calendar.session_of(opens[followed]) < 0)).any())


def _require_whole_minutes(table: Table, instants: Ints) -> None:
    off = np.flatnonzero(instants % MINUTE != 0)
    if len(off):
        row = int(off[0])
        raise DataError(
            f"{table.place.of(row)}: {format_time(int(instants[row]))} is not on a whole minute, so it is a trade or "
            f"an unfinished bar ({len(off):,} such rows in all); remove the row"
        )


def _require_finest_step(table: Table, instants: Ints, timeframe: Timeframe) -> None:
    steps = np.diff(instants)
    if not len(steps):
        return
    usual, finest = float(np.median(steps)), int(steps.min())
    if usual < timeframe.nanoseconds:
        raise _wrong_timeframe(table, usual, timeframe)
    if len(steps) >= STEPS_JUDGED_MIN and finest > timeframe.nanoseconds:
        raise _wrong_timeframe(table, finest, timeframe)


def _require_apart(table: Table, opens: Ints, closes: Ints, request: Request) -> None:
    over = np.flatnonzero(closes[:-1] > opens[1:])
    if len(over):
        row = int(over[0])
        raise DataError(
            f"{table.place.of(row + 1)}: the {request.timeframe} bar of {format_time(int(opens[row + 1]))} begins "
            f"before the one of {format_time(int(opens[row]))} ends ({len(over):,} such rows in all); is --tf right?"
        )


def _wrong_timeframe(table: Table, step_ns: float, timeframe: Timeframe) -> DataError:
    minutes = step_ns / MINUTE
    amount, unit = (minutes, "minute") if minutes < 120 else (minutes / 60, "hour")
    amount, unit = (amount, unit) if minutes < 2880 else (minutes / 1440, "day")
    said = f"{amount:g} {unit}{'' if amount == 1 else 's'}"
    return DataError(
        f"{table.place.label}: its rows are {said} apart, so they are not {timeframe} bars; give the right --tf",
        reason="WRONG_TIMEFRAME",
    )
