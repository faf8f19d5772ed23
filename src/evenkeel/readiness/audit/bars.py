"""Bars as the audit sees them: columns, and rows to look up. Here is also `BARS_MATCH`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.number import exact
from evenkeel.readiness.audit.tally import Bools, Floats, Ints
from evenkeel.readiness.audit.terms import Terms

Columns = Mapping[str, npt.NDArray[Any]]
"""A table of bars: its columns by name."""

NO_BARS = "no valid bars of the run were given"
_WHOLE = ("open_ns", "close_ns", "first", "last")
PRICES = ("open", "high", "low", "close")
MARKS, INDEXES = (tuple(f"{kind}_{price}" for price in ("open", "high", "low")) for kind in ("mark", "index"))
BESIDE = {"MarkPrice": MARKS, "IndexPrice": INDEXES}
"""Columns of prices beside the last one, by the name of the source."""


class Range(NamedTuple):
    """Open and extremes of a price over a base bar."""

    open: Decimal
    high: Decimal
    low: Decimal

    def worst(self, side: int) -> Decimal:
        """Return the extreme that hurts a position of that side: the low for a long, the high for a short."""
        return self.low if side > 0 else self.high

    def best(self, side: int) -> Decimal:
        """Return the extreme that favours a position of that side."""
        return self.worst(-side)


class Bar(NamedTuple):
    """One base bar; `open, high, low, close` are the decimals that read back as its float64.

    Attributes:
        marks: Open, high and low of the mark price; None where it is not known, and the last price counts.
        indexes: The same of the index price.
    """

    open_ns: int
    close_ns: int
    first_price: float
    highest: float
    lowest: float
    last_price: float
    volume: float
    marks: tuple[float, float, float] | None = None
    indexes: tuple[float, float, float] | None = None

    @property
    def marked(self) -> Range:
        """The price that liquidates."""
        return self.last if self.marks is None else Range(*map(exact, self.marks))

    @property
    def last(self) -> Range:
        """The last price, which fills orders."""
        return Range(self.open, self.high, self.low)

    def fires(self, terms: Terms) -> Range:
        """Return the price that sets off stops and market targets."""
        source = terms.models.trigger
        beside = {"MarkPrice": self.marks, "IndexPrice": self.indexes}.get(source)
        return self.last if beside is None else Range(*map(exact, beside))

    def within(self, price: Decimal) -> Decimal:
        """Return a price, or the end of the range of the last price that it lies beyond."""
        return min(max(price, self.low), self.high)

    @property
    def traded(self) -> Decimal:
        """The value that was traded: volume at the last price."""
        return exact(self.volume) * self.close

    @property
    def open(self) -> Decimal:
        """The first price."""
        return exact(self.first_price)

    @property
    def high(self) -> Decimal:
        """The highest price."""
        return exact(self.highest)

    @property
    def low(self) -> Decimal:
        """The lowest price."""
        return exact(self.lowest)

    @property
    def close(self) -> Decimal:
        """The last price."""
        return exact(self.last_price)

    def worst(self, side: int) -> Decimal:
        """Return the extreme that hurts a position of that side: the low for a long, the high for a short."""
        return self.low if side > 0 else self.high

    def best(self, side: int) -> Decimal:
        """Return the extreme that favours a position of that side."""
        return self.worst(-side)


class BaseBars:
    """The base bars of the run, found by row or by instant, and the rows at which execution bars closed.

    A closing auction is a bar without length at the end of a session, so instants do not always tell which of two bars
    came first; rows do.

    Args:
        table: Columns `open_ns, close_ns, open, high, low, close, volume`, oldest first; where a mark price is known
            `mark_open, mark_high, mark_low` as well, NaN over bars without one, and the same of an index price.
        execution: The execution bars with the `last` base row of each; without `last` they are the base bars.
        scale: By what features see the prices of each base bar multiplied; None for one throughout.

    Attributes:
        columns: The table.
        opens: When each base bar opens, nanoseconds.
        closes: When it closes.
        scale: As given.
        rows: Their numbers.
        execution: The execution bars; None where they were not given.
        lasts: The last base row of each execution bar.
    """

    def __init__(self, table: Columns, execution: Columns | None, scale: Floats | None = None) -> None:
        self._beside: dict[str, tuple[Floats, ...]] = {}
        for source, names in BESIDE.items():
            if names[0] in table:
                table = _filled(table, names)
                self._beside[source] = tuple(table[name] for name in names)
        self.columns = table
        self.scale = scale
        self.opens: Ints = table["open_ns"]
        self.closes: Ints = table["close_ns"]
        self._prices: tuple[Floats, ...] = tuple(table[name] for name in (*PRICES, "volume"))
        self.execution = execution
        nothing = np.zeros(0, dtype=np.int64)
        self._decided: Ints = nothing if execution is None else execution["close_ns"]
        self.rows: Ints = np.arange(len(self.opens))
        self.lasts: Ints = nothing if execution is None else execution.get("last", self.rows)

    def __len__(self) -> int:
        return len(self.opens)

    def column(self, name: str) -> Floats:
        """Return the prices or volumes of all base bars."""
        found: Floats = self._prices[(*PRICES, "volume").index(name)]
        return found

    def rows_at(self, opens_ns: Ints) -> Ints:
        """Return the rows of the bars that open at instants; -1 where none does."""
        rows = located(self.opens, opens_ns)
        there = self.opens[np.minimum(rows, len(self) - 1)] == opens_ns if len(self) else rows < 0
        return np.where(there, rows, -1)

    def row_at(self, open_ns: int) -> int | None:
        """Return the row of the bar that opens at the instant, or None."""
        row = int(np.searchsorted(self.opens, open_ns))
        return row if row < len(self) and self.opens[row] == open_ns else None

    def exit_row(self, exit_ns: int, point: str) -> int | None:
        """Return the row of an exit, or None; one at the close may be stamped with the bar's open or its close."""
        row = self.row_at(exit_ns)
        if row is not None or point != "close":
            return row
        last = int(np.searchsorted(self.closes, exit_ns, side="right")) - 1
        return last if last >= 0 and self.closes[last] == exit_ns else None

    def exit_rows(self, exits_ns: Ints, at_close: Bools) -> Ints:
        """Return the rows of exits; -1 where there is none. One at the close may have either stamp of its bar."""
        rows = self.rows_at(exits_ns)
        last = np.searchsorted(self.closes, exits_ns, side="right") - 1
        closed = at_close & (last >= 0) & (self.closes[np.maximum(last, 0)] == exits_ns)
        return np.where((rows < 0) & closed, last, rows)

    def decides(self, instant_ns: int, *, intrabar: bool = False) -> bool:
        """Whether a bar closed at the instant: an execution bar, or `intrabar` any base bar.

        True where the execution bars are not known.
        """
        if self.execution is None or _holds(self._decided, instant_ns):
            return True
        return intrabar and _holds(self.closes, instant_ns)

    def execution_bar_of(self, instant_ns: int) -> int:
        """Return the number of the execution bar that is running at the instant or closes at it."""
        return int(np.searchsorted(self._decided, instant_ns))

    def decision_row(self, decided_ns: int, entry_ns: int) -> int | None:
        """Return the last row that was closed when an entry was decided, or None."""
        row = int(self.decision_rows(np.array([decided_ns]), np.array([entry_ns]))[0])
        return None if row < 0 else row

    def decision_rows(self, decided_ns: Ints, entry_ns: Ints) -> Ints:
        """Return the last rows that were closed when entries were decided; -1 where none was.

        Of execution bars that close at one instant it is the last that ended before the entry.
        """
        found = located(self.closes, decided_ns, right=True) - 1
        before = located(self.opens, entry_ns)
        last = located(self._decided, decided_ns, right=True) - 1
        closed = last >= located(self._decided, decided_ns)
        if not len(self.lasts):
            return found
        rows = self.lasts[np.maximum(last, 0)]
        fits = closed & (rows < before)
        for place in np.flatnonzero(closed & ~fits).tolist():
            earlier = range(int(np.searchsorted(self._decided, decided_ns[place])), int(last[place]))
            ends = [int(self.lasts[number]) for number in earlier if self.lasts[number] < before[place]]
            if ends:
                found[place] = max(ends)
        return np.where(fits, rows, found)

    def opened_before(self, instant_ns: int) -> int:
        """Return how many base bars open before the instant."""
        return int(np.searchsorted(self.opens, instant_ns))

    def execution_bars_before(self, rows: list[int]) -> list[int]:
        """Return how many execution bars had closed before each of the base bars."""
        found: list[int] = np.searchsorted(self.lasts, rows).tolist()
        return found

    def closing_execution_bar(self, rows: list[int]) -> list[bool]:
        """Return of each base bar whether an execution bar ended with it; True where these are not known."""
        if self.execution is None:
            return [True] * len(rows)
        after = self.execution_bars_before([row + 1 for row in rows])
        return [more > before for more, before in zip(after, self.execution_bars_before(rows), strict=True)]

    def execution_bars_between(self, after_ns: int, until_ns: int) -> int:
        """Return how many execution bars closed after the one instant and not after the other."""
        first, last = np.searchsorted(self._decided, [after_ns, until_ns], side="right").tolist()
        return int(last - first)

    def bar(self, row: int) -> Bar:
        """Return one bar."""
        opened, high, low, close, volume = (float(column[row]) for column in self._prices)
        found = Bar(int(self.opens[row]), int(self.closes[row]), opened, high, low, close, volume)
        if not self._beside:
            return found
        return found._replace(
            marks=self._prices_beside("MarkPrice", row), indexes=self._prices_beside("IndexPrice", row)
        )

    def _prices_beside(self, source: str, row: int) -> tuple[float, float, float] | None:
        if source not in self._beside:
            return None
        opened, high, low = (float(column[row]) for column in self._beside[source])
        return opened, high, low

    @property
    def marked(self) -> bool:
        """Whether a mark price is known."""
        return "MarkPrice" in self._beside

    def names(self, source: str) -> tuple[str, str]:
        """Return the columns of the highest and the lowest price of a source, of the last price where it is unknown."""
        _, high, low = BESIDE[source] if source in self._beside else ("open", "high", "low")
        return high, low


def columns_of(table: pl.DataFrame | Columns) -> Columns:
    """Return the columns of a table, without a copy where they are plain."""
    names = table.columns if isinstance(table, pl.DataFrame) else table
    found = {name: table[name].to_numpy() if isinstance(table, pl.DataFrame) else table[name] for name in names}
    return {name: one.astype(np.int64 if name in _WHOLE else np.float64, copy=False) for name, one in found.items()}


def height(table: Columns) -> int:
    """Return how many bars a table has."""
    return len(table["open_ns"])


def over_ranges(reduce: np.ufunc, column: Floats, begin: Ints, end: Ints) -> Floats:
    """Return what a column is over each range of its rows; none of them is empty."""
    edges = np.column_stack([begin, end]).ravel()
    if len(edges) and edges[-1] == len(column):
        edges = edges[:-1]  # a range to the end needs no border
    if len(edges) and edges.max() == len(column):
        column = np.append(column, 0.0)
    found: Floats = reduce.reduceat(column, edges)[::2] if len(edges) else np.zeros(0)
    return found


def scaled(bars: BaseBars, table: Columns) -> Columns:
    """Return a table of bars as features see it; those that name no base rows are the base bars.

    Raises:
        ValueError: If prices of one bar are seen in two ways.
    """
    if bars.scale is None:
        return table
    first, last = (bars.scale[table[name]] if name in table else bars.scale for name in ("first", "last"))
    if (first != last).any():
        raise ValueError("a split lies inside a bar of a higher timeframe")
    return {**table, **{name: table[name] * first for name in PRICES}}


def located(column: Ints, wanted: Ints, *, right: bool = False) -> Ints:
    """Return what `np.searchsorted` does, at once where each wanted instant stands in a column of equal steps."""
    if len(column) > 1 and len(wanted):
        step = int(column[1] - column[0])
        if step > 0 and int(column[-1] - column[0]) == step * (len(column) - 1):
            guess = np.clip((wanted - column[0]) // step, 1, len(column) - 2)
            around = (column[guess + beside] for beside in (-1, 0, 1))
            before, here, after = around
            if ((before < here) & (here == wanted) & (here < after)).all():
                found: Ints = guess + right
                return found
    return np.searchsorted(column, wanted, side="right" if right else "left")


def _filled(table: Columns, names: tuple[str, ...]) -> Columns:
    """Return a table in which a bar without that price has its last one."""
    unknown = np.isnan([table[name] for name in names]).any(axis=0)
    fills = zip(names, ("open", "high", "low"), strict=True)
    return {**table, **{name: np.where(unknown, table[last], table[name]) for name, last in fills}}


def _holds(instants: Ints, instant_ns: int) -> bool:
    place = int(np.searchsorted(instants, instant_ns))
    return place < len(instants) and int(instants[place]) == instant_ns


def bars_match(terms: Terms, bars: BaseBars | None) -> Check:
    """Check that the bars given are as many as the manifest says, warm-up included, and end in its range."""
    name = "BARS_MATCH"
    if bars is None:
        return skipped(name, NO_BARS)
    problems = []
    if len(bars) != terms.base_bars:
        problems.append(f"{len(bars)} base bars were given, the manifest says {terms.base_bars}")
    if len(bars) and not terms.start_ns <= bars.opens[-1] <= terms.end_ns:
        last = instant_text(int(bars.opens[-1]))
        problems.append(f"the last base bar is that of {last}, outside the range of the manifest")
    return judged(name, problems, f"{len(bars)} base bars, as in the manifest")
