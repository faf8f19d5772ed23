"""Bars as the audit sees them: rows to look up, and the audit's own aggregation of them.

Two checks live here: `OHLCV_VALID` (24) and `MTF_AGGREGATION` (30), and that the bars are those of the manifest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import polars as pl

from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.moment import MINUTE_NS, TIMEFRAME_MINUTES, instant_text
from evenkeel.readiness.audit.number import exact
from evenkeel.readiness.audit.tally import Bools, Floats, Ints
from evenkeel.readiness.audit.terms import Terms

NO_BARS = "no valid bars of the run were given"
VOLUME_TOLERANCE = 1e-9
"""Relative; a sum of float64 depends on its order. Prices of an aggregate must be equal to the bit."""

SLICE = 1 << 16
"""Higher bars that are derived again at once: the memory this takes is bounded."""

_PRICES = ("open", "high", "low", "close")
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

    Attributes:
        opens: When each base bar opens, nanoseconds.
        closes: When it closes.
        lasts: The last base row of each execution bar.
    """

    def __init__(self, table: pl.DataFrame, execution: pl.DataFrame | None) -> None:
        self._beside: dict[str, tuple[Floats, ...]] = {}
        for source, names in BESIDE.items():
            if names[0] in table.columns:
                table = _filled(table, names)
                self._beside[source] = tuple(table[name].to_numpy() for name in names)
        self.table = table
        self.execution = _with_last(execution)
        self.opens, self.closes = (table[name].to_numpy() for name in ("open_ns", "close_ns"))
        self._prices = tuple(table[name].to_numpy() for name in (*_PRICES, "volume"))
        known = self.execution
        nothing = np.zeros(0, dtype=np.int64)
        self.lasts = nothing if known is None else known["last"].to_numpy().astype(np.int64)
        self._decided = nothing if known is None else known["close_ns"].to_numpy()

    def __len__(self) -> int:
        return self.table.height

    def column(self, name: str) -> Floats:
        """Return the prices or volumes of all base bars."""
        found: Floats = self._prices[(*_PRICES, "volume").index(name)]
        return found

    def rows_at(self, opens_ns: Ints) -> Ints:
        """Return the rows of the bars that open at instants; -1 where none does."""
        rows = np.searchsorted(self.opens, opens_ns)
        there = np.append(self.opens, -1)[rows] == opens_ns
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
        found = np.searchsorted(self.closes, decided_ns, side="right") - 1
        before = np.searchsorted(self.opens, entry_ns)
        last = np.searchsorted(self._decided, decided_ns, side="right") - 1
        closed = last >= np.searchsorted(self._decided, decided_ns)
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


def _filled(table: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """Return a table in which a bar without that price has its last one."""
    unknown = pl.any_horizontal(pl.col(name).is_nan() for name in names)
    fills = zip(names, ("open", "high", "low"), strict=True)
    return table.with_columns(pl.when(unknown).then(last).otherwise(name).alias(name) for name, last in fills)


def _holds(instants: Ints, instant_ns: int) -> bool:
    place = int(np.searchsorted(instants, instant_ns))
    return place < len(instants) and int(instants[place]) == instant_ns


def _with_last(execution: pl.DataFrame | None) -> pl.DataFrame | None:
    if execution is None or "last" in execution.columns:
        return execution
    return execution.with_columns(last=pl.int_range(pl.len(), dtype=pl.Int64))


def bars_match(terms: Terms, bars: BaseBars | None) -> Check:
    """Check that the bars given are as many as the manifest says, warm-up included, and end in its range."""
    name = "BARS_MATCH"
    if bars is None:
        return skipped(name, NO_BARS)
    problems = []
    if len(bars) != terms.base_bars:
        problems.append(f"{len(bars)} base bars were given, the manifest says {terms.base_bars}")
    if len(bars) and not terms.start_ns <= bars.table["open_ns"][-1] <= terms.end_ns:
        last = instant_text(bars.table["open_ns"][-1])
        problems.append(f"the last base bar is that of {last}, outside the range of the manifest")
    return judged(name, problems, f"{len(bars)} base bars, as in the manifest")


def bars_valid(bars: BaseBars | None, higher: Mapping[str, pl.DataFrame]) -> Check:
    """Check prices, volumes and order of time of the bars of each timeframe."""
    name = "OHLCV_VALID"
    if bars is None:
        return skipped(name, NO_BARS)
    tables = {"base": bars.table, **higher}
    problems = [problem for label, table in tables.items() for problem in _malformed(label, table)]
    return judged(name, problems, f"{sum(table.height for table in tables.values())} bars of {', '.join(tables)}")


def _malformed(label: str, table: pl.DataFrame) -> Iterator[str]:
    low_is_lowest = (pl.col("low") <= pl.col("open")) & (pl.col("low") <= pl.col("close"))
    high_is_highest = (pl.col("high") >= pl.col("open")) & (pl.col("high") >= pl.col("close"))
    finite = pl.all_horizontal(pl.col(*_PRICES, "volume").is_finite())
    rules = {
        "a price or volume that is no number": finite,
        "a low above its open or close": low_is_lowest,
        "a high below its open or close": high_is_highest,
        "a negative volume": pl.col("volume") >= 0,
        "a close before its open": pl.col("close_ns") >= pl.col("open_ns"),
        "an open that is not after the one before": (pl.col("open_ns") > pl.col("open_ns").shift()).fill_null(
            value=True
        ),
    }
    for fault, rule in rules.items():
        first = _first_without(table, rule)
        if first is not None:
            yield f"the {label} bar of {instant_text(first)} has {fault}"


def _first_without(table: pl.DataFrame, rule: pl.Expr) -> int | None:
    """Return `open_ns` of the first row that does not keep the rule, or None; a rule without an answer is broken."""
    broken = table.select(broken=~rule.fill_null(value=False))["broken"]
    return table["open_ns"][broken.arg_max() or 0] if broken.any() else None


def bars_aggregate(terms: Terms, bars: BaseBars | None, higher: Mapping[str, pl.DataFrame]) -> Check:
    """Check that each higher bar is the aggregate of its base bars and, for a 24/7 market, that none is missing."""
    name = "MTF_AGGREGATION"
    if bars is None or not higher:
        return skipped(name, NO_BARS if bars is None else "the run has no timeframe above its base")
    problems: list[str] = []
    for label, table in higher.items():
        parts = (list(_unequal(label, part, bars.table)) for part in table.iter_slices(SLICE))
        problems += next(filter(None, parts), [])
        if terms.always_open and terms.segments == 1:
            problems += _missing(label, table, bars.table)
    scope = "from UTC arithmetic" if terms.always_open and terms.segments == 1 else "from the base rows each one names"
    count = sum(table.height for table in higher.values())
    return judged(name, problems, f"{count} bars of {', '.join(higher)} derived again {scope}")


def _unequal(label: str, table: pl.DataFrame, base: pl.DataFrame) -> Iterator[str]:
    outside = table.filter((pl.col("first") < 0) | (pl.col("last") >= base.height) | (pl.col("first") > pl.col("last")))
    if outside.height:
        yield f"the {label} bar of {instant_text(outside['open_ns'][0])} names base rows that do not exist"
        return
    again = _aggregated(table, base)
    side_by_side = pl.concat([table, again.rename(lambda column: f"{column}_again")], how="horizontal")
    rules = {name: pl.col(name) == pl.col(f"{name}_again") for name in _PRICES}
    near = VOLUME_TOLERANCE * pl.max_horizontal(pl.col("volume_again").abs(), pl.lit(1.0))
    rules["volume"] = (pl.col("volume") - pl.col("volume_again")).abs() <= near
    rules["range of base rows"] = (pl.col("first_ns_again") >= pl.col("open_ns")) & (
        pl.col("last_ns_again") <= pl.col("close_ns")
    )
    for fault, rule in rules.items():
        first = _first_without(side_by_side, rule)
        if first is not None:
            yield f"the {label} bar of {instant_text(first)} has another {fault} than its base bars"


def _aggregated(table: pl.DataFrame, base: pl.DataFrame) -> pl.DataFrame:
    """Return the higher bars as their base rows make them."""
    first, last = table["first"], table["last"]
    if first.equals(last) and (first.diff().drop_nulls() == 1).all():  # the base timeframe itself
        return base.slice(first[0], table.height).rename({"open_ns": "first_ns", "close_ns": "last_ns"})
    rows = table.select(row=pl.int_ranges("first", pl.col("last") + 1, dtype=pl.UInt32)).with_row_index("higher")
    parts = rows.explode("row")
    extremes = (
        parts.select("higher", *(base[name].gather(parts["row"]) for name in ("high", "low", "volume")))
        .group_by("higher", maintain_order=True)
        .agg(pl.col("high").max(), pl.col("low").min(), pl.col("volume").sum())
    )
    return extremes.select(
        "high", "low", "volume",
        first_ns=base["open_ns"].gather(first), last_ns=base["close_ns"].gather(last),
        open=base["open"].gather(first), close=base["close"].gather(last),
    )  # fmt: skip


def _missing(label: str, table: pl.DataFrame, base: pl.DataFrame) -> Iterator[str]:
    expected = _complete_buckets(label, base)
    got = table.select("open_ns", "close_ns", pl.col("first", "last").cast(pl.UInt32))
    if got.equals(expected):
        return
    for word, bad in (
        ("is missing or has other borders", expected.join(got, on=expected.columns, how="anti")),
        ("is not complete or has other borders", got.join(expected, on=expected.columns, how="anti")),
    ):
        if bad.height:
            yield f"the {label} bar of {instant_text(bad['open_ns'].sort()[0])} {word}"


def _complete_buckets(label: str, base: pl.DataFrame) -> pl.DataFrame:
    """Return the complete buckets of a 24/7 market: the first only if its first base bar opens it (ruling 17)."""

    def moment(column: str) -> pl.Expr:
        return pl.from_epoch(column, time_unit="ns")

    if label in TIMEFRAME_MINUTES:
        length = TIMEFRAME_MINUTES[label] * MINUTE_NS
        begin, end = pl.col("open_ns") // length * length, pl.col("begin") + length
    else:
        step = {"D": "1d", "W": "1w", "M": "1mo"}[label]
        begin = moment("open_ns").dt.truncate(step).dt.epoch("ns")
        end = moment("begin").dt.offset_by(step).dt.epoch("ns")
    begins = base.select(begin=begin)["begin"]
    first = (begins != begins.shift()).fill_null(value=True).arg_true()  # base bars are in order of time
    buckets = pl.DataFrame({"begin": begins.gather(first), "first": first}).select(
        open_ns="begin", close_ns=end, first="first", last=pl.col("first").shift(-1, fill_value=base.height) - 1
    )
    if buckets.is_empty():
        return buckets
    starts_late = base["open_ns"][0] > buckets["open_ns"][0]
    goes_on = base["close_ns"][-1] < buckets["close_ns"][-1]
    return buckets[int(starts_late) : buckets.height - int(goes_on)]
