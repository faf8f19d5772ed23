"""Bars as the audit sees them: rows to look up, and the audit's own aggregation of them.

Two checks live here: `OHLCV_VALID` (24) and `MTF_AGGREGATION` (30), and that the bars are those of the manifest.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.moment import MINUTE_NS, TIMEFRAME_MINUTES, instant_text
from evenkeel.readiness.audit.number import exact
from evenkeel.readiness.audit.terms import Terms

NO_BARS = "no valid bars of the run were given"
VOLUME_TOLERANCE = 1e-9
"""Relative; a sum of float64 depends on its order. Prices of an aggregate must be equal to the bit."""

_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Bar:
    """One base bar, prices as the decimals that read back as its float64."""

    open_ns: int
    close_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal

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
        table: Columns `open_ns, close_ns, open, high, low, close, volume`, oldest first.
        execution: The execution bars with the `last` base row of each; without `last` they are the base bars.
    """

    def __init__(self, table: pl.DataFrame, execution: pl.DataFrame | None = None) -> None:
        self.table = table
        self.execution = _with_last(execution)
        self._open_ns = array("q", table["open_ns"].to_list())
        self._close_ns = array("q", table["close_ns"].to_list())
        self._prices = [table[name] for name in _PRICES]
        self._seen: dict[int, Bar] = {}
        decisions = self.execution if self.execution is not None else pl.DataFrame({"close_ns": [], "last": []})
        self._decided_ns = array("q", decisions["close_ns"].to_list())
        self._decided_rows = array("q", decisions["last"].to_list())

    def __len__(self) -> int:
        return self.table.height

    def row_at(self, open_ns: int) -> int | None:
        """Return the row of the bar that opens at the instant, or None."""
        row = bisect_left(self._open_ns, open_ns)
        return row if row < len(self) and self._open_ns[row] == open_ns else None

    def exit_row(self, exit_ns: int, point: str) -> int | None:
        """Return the row of an exit, or None; one at the close may be stamped with the bar's open or its close."""
        row = self.row_at(exit_ns)
        if row is None and point == "close":
            last = self._last_closed(exit_ns)
            return last if last is not None and self._close_ns[last] == exit_ns else None
        return row

    def decides(self, instant_ns: int) -> bool:
        """Whether an execution bar closed at the instant; True where the execution bars are not known."""
        return self.execution is None or bool(self._decisions(instant_ns))

    def decision_row(self, decided_ns: int, entry_ns: int) -> int | None:
        """Return the last row that was closed when an entry was decided, or None."""
        before = bisect_left(self._open_ns, entry_ns)
        closed = [row for row in self._decisions(decided_ns) if row < before]
        return max(closed) if closed else self._last_closed(decided_ns)

    def closes_execution_bar(self, row: int) -> bool:
        """Whether an execution bar ended with the row; True where the execution bars are not known."""
        return self.execution is None or self.execution_bars_before(row + 1) > self.execution_bars_before(row)

    def execution_bars_before(self, row: int) -> int:
        """Return how many execution bars had closed before the base bar of the row."""
        return bisect_left(self._decided_rows, row)

    def _decisions(self, instant_ns: int) -> array[int]:
        first, end = bisect_left(self._decided_ns, instant_ns), bisect_right(self._decided_ns, instant_ns)
        return self._decided_rows[first:end]

    def _last_closed(self, instant_ns: int) -> int | None:
        row = bisect_right(self._close_ns, instant_ns) - 1
        return row if row >= 0 else None

    def bar(self, row: int) -> Bar:
        """Return one bar in decimals."""
        bar = self._seen.get(row)
        if bar is None:
            prices = (exact(column[row]) for column in self._prices)
            bar = self._seen[row] = Bar(self._open_ns[row], self._close_ns[row], *prices)
        return bar


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
    low_is_lowest = pl.col("low") <= pl.min_horizontal("open", "close")
    high_is_highest = pl.col("high") >= pl.max_horizontal("open", "close")
    finite = pl.all_horizontal(pl.col(*_PRICES, "volume").is_finite())
    rules = {
        "a price or volume that is no number": finite,
        "a low above its open or close": low_is_lowest,
        "a high below its open or close": high_is_highest,
        "a negative volume": pl.col("volume") >= 0,
        "a close before its open": pl.col("close_ns") >= pl.col("open_ns"),
        "an open that is not after the one before": (pl.col("open_ns").diff() > 0).fill_null(value=True),
    }
    for fault, rule in rules.items():
        bad = table.filter(~rule.fill_null(value=False))
        if bad.height:
            yield f"the {label} bar of {instant_text(bad['open_ns'][0])} has {fault}"


def bars_aggregate(terms: Terms, bars: BaseBars | None, higher: Mapping[str, pl.DataFrame]) -> Check:
    """Check that each higher bar is the aggregate of its base bars and, for a 24/7 market, that none is missing."""
    name = "MTF_AGGREGATION"
    if bars is None or not higher:
        return skipped(name, NO_BARS if bars is None else "the run has no timeframe above its base")
    problems: list[str] = []
    for label, table in higher.items():
        problems += _unequal(label, table, bars.table)
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
    numbered = table.with_row_index("higher").select("higher", row=pl.int_ranges("first", pl.col("last") + 1))
    rows = numbered.explode("row")
    parts = base[rows["row"]].with_columns(rows["higher"])
    again = parts.group_by("higher", maintain_order=True).agg(
        first_ns=pl.col("open_ns").first(),
        last_ns=pl.col("close_ns").last(),
        open=pl.col("open").first(),
        high=pl.col("high").max(),
        low=pl.col("low").min(),
        close=pl.col("close").last(),
        volume=pl.col("volume").sum(),
    )
    side_by_side = pl.concat([table, again.rename(lambda column: f"{column}_again")], how="horizontal")
    rules = {name: pl.col(name) == pl.col(f"{name}_again") for name in _PRICES}
    near = VOLUME_TOLERANCE * pl.max_horizontal(pl.col("volume_again").abs(), pl.lit(1.0))
    rules["volume"] = (pl.col("volume") - pl.col("volume_again")).abs() <= near
    rules["range of base rows"] = (pl.col("first_ns_again") >= pl.col("open_ns")) & (
        pl.col("last_ns_again") <= pl.col("close_ns")
    )
    for fault, rule in rules.items():
        bad = side_by_side.filter(~rule)
        if bad.height:
            yield f"the {label} bar of {instant_text(bad['open_ns'][0])} has another {fault} than its base bars"


def _missing(label: str, table: pl.DataFrame, base: pl.DataFrame) -> Iterator[str]:
    expected = _complete_buckets(label, base)
    got = table.select("open_ns", "close_ns", pl.col("first").cast(pl.Int64), pl.col("last").cast(pl.Int64))
    for word, bad in (
        ("is missing or has other borders", expected.join(got, on=expected.columns, how="anti")),
        ("is not complete or has other borders", got.join(expected, on=expected.columns, how="anti")),
    ):
        if bad.height:
            yield f"the {label} bar of {instant_text(bad['open_ns'].sort()[0])} {word}"


def _complete_buckets(label: str, base: pl.DataFrame) -> pl.DataFrame:
    """Return the complete buckets of a 24/7 market: the first only if its first base bar opens it (ruling 17)."""
    moment = pl.from_epoch("open_ns", time_unit="ns")
    if label in TIMEFRAME_MINUTES:
        length = TIMEFRAME_MINUTES[label] * MINUTE_NS
        begin = pl.col("open_ns") // length * length
        end = begin + length
    else:
        step = {"D": "1d", "W": "1w", "M": "1mo"}[label]
        begin = moment.dt.truncate(step).dt.epoch("ns")
        end = moment.dt.truncate(step).dt.offset_by(step).dt.epoch("ns")
    buckets = (
        base.with_row_index("row")
        .group_by(begin=begin, end=end, maintain_order=True)
        .agg(
            first=pl.col("row").first().cast(pl.Int64),
            last=pl.col("row").last().cast(pl.Int64),
            opened=pl.col("open_ns").first(),
            closed=pl.col("close_ns").last(),
        )
    )
    opens_it = (pl.col("first") > 0) | (pl.col("opened") == pl.col("begin"))
    ended = (pl.col("last") < base.height - 1) | (pl.col("closed") >= pl.col("end"))
    return buckets.filter(opens_it & ended).select(
        open_ns=pl.col("begin"), close_ns=pl.col("end"), first=pl.col("first"), last=pl.col("last")
    )
