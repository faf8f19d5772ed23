"""Bars of one stretch of data as columns, by timeframe, and the instants among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from evenkeel.readiness.audit.bars import Columns
from evenkeel.readiness.audit.moment import DAY_NS, MINUTE_NS, TIMEFRAME_MINUTES
from evenkeel.readiness.audit.replay.stages import Floats, Ints

LONG = {"D": ("1d", 1440), "W": ("1w", 10_080), "M": ("1mo", 43_200)}
"""Timeframes that follow a calendar: their step for polars, and minutes by which they are ordered."""

PRICES = ("open", "high", "low", "close", "volume")
WEEK_DAYS, FIRST_MONDAY = 7, 4
"""1970-01-05 was a Monday."""

Sides = Mapping[str, tuple[Ints, Floats]]
"""What lies beside bars by name: when each value became known, and the values."""

NEVER = -(2**62)


def minutes_of(timeframe: str) -> int:
    """Return the length of a timeframe in minutes, for comparison."""
    return LONG[timeframe][1] if timeframe in LONG else TIMEFRAME_MINUTES[timeframe]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The bars of one timeframe.

    Attributes:
        open_ns: When each opens.
        close_ns: When each closes.
        first: Its first base row.
        last: Its last base row.
        columns: Prices, volume and, where the calendar is known, `session`: the number of the trading day.
    """

    open_ns: Ints
    close_ns: Ints
    first: Ints
    last: Ints
    columns: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.open_ns)

    def cut(self, rows: int) -> Sheet:
        """Return the bars whose base rows are all among the first so many."""
        count = int(np.searchsorted(self.last, rows))
        shorter = {name: values[:count] for name, values in self.columns.items()}
        return Sheet(self.open_ns[:count], self.close_ns[:count], self.first[:count], self.last[:count], shorter)


@dataclass(frozen=True, slots=True)
class Intervals:
    """The intervals of a timeframe that have a base bar, the incomplete ones at both ends too."""

    open_ns: Ints
    close_ns: Ints
    first: Ints


@dataclass(slots=True)
class Market:
    """The bars of one stretch.

    Attributes:
        base: Name of the finest timeframe.
        execution: Name of the one that decisions are made on.
        sheets: By timeframe, the base one included.
        always_open: Whether the market never closes.
        sides: What lies beside the bars; None where it was not given.
    """

    base: str
    execution: str
    sheets: Mapping[str, Sheet]
    always_open: bool
    sides: Sides | None = None
    _intervals: dict[str, Intervals] = field(default_factory=dict)

    def cut(self, rows: int) -> Market:
        """Return the market as it was when so many base bars had closed."""
        shorter = {name: sheet.cut(rows) for name, sheet in self.sheets.items()}
        return Market(self.base, self.execution, shorter, self.always_open, self.sides)

    def intervals(self, timeframe: str) -> Intervals | None:
        """Return the intervals of a timeframe; None where only a calendar would tell them."""
        if timeframe not in self._intervals:
            found = self._found_intervals(timeframe)
            if found is None:
                return None
            self._intervals[timeframe] = found
        return self._intervals[timeframe]

    def _found_intervals(self, timeframe: str) -> Intervals | None:
        base = self.sheets[self.base]
        if timeframe == self.base:
            return Intervals(base.open_ns, base.close_ns, np.arange(len(base)))
        if self.always_open:
            return _regular(base.open_ns, timeframe)
        sheet = self.sheets.get(timeframe)
        if sheet is None:
            return None
        rest = int(sheet.last[-1]) + 1 if len(sheet) else 0
        if rest >= len(base):
            return Intervals(sheet.open_ns, sheet.close_ns, sheet.first)
        open_end = np.array([base.open_ns[rest]]), np.array([2**62]), np.array([rest])
        parts = zip((sheet.open_ns, sheet.close_ns, sheet.first), open_end, strict=True)
        return Intervals(*(np.append(known, more) for known, more in parts))


def _regular(opens: Ints, timeframe: str) -> Intervals:
    """Return the intervals of a market that never closes, in UTC."""
    if timeframe in TIMEFRAME_MINUTES:
        length = TIMEFRAME_MINUTES[timeframe] * MINUTE_NS
        begins = opens // length * length
        ends = begins + length
    elif timeframe == "M":
        moment = pl.Series(opens).cast(pl.Datetime("ns")).dt.truncate("1mo")
        begins = moment.to_physical().to_numpy()
        ends = moment.dt.offset_by("1mo").to_physical().to_numpy()
    else:
        days = opens // DAY_NS
        if timeframe == "W":
            days = (days - FIRST_MONDAY) // WEEK_DAYS * WEEK_DAYS + FIRST_MONDAY
        begins = days * DAY_NS
        ends = begins + (WEEK_DAYS if timeframe == "W" else 1) * DAY_NS
    first = np.flatnonzero(np.diff(begins, prepend=NEVER))
    return Intervals(begins[first], ends[first], first)


def sheet_of(table: Columns, start: int, stop: int) -> Sheet:
    """Return the bars of a table whose base rows lie in a stretch, counted from its start.

    Args:
        table: Bars with the `first` and `last` base row of each.
        start: First base row of the stretch.
        stop: The row behind its last.
    """
    begin, end = np.searchsorted(table["last"], [start, stop]).tolist()
    part = {name: column[begin:end] for name, column in table.items()}
    first, last = (part[name] - start if start else part[name] for name in ("first", "last"))
    columns = {name: part[name] for name in (*PRICES, "session") if name in part}
    return Sheet(part["open_ns"], part["close_ns"], first, last, columns)
