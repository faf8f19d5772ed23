"""The base bars during which a position was held: row by row beside the levels that counted in each.

The levels of a course change only at few rows: where the stop moved, a step of the target or a part was closed, or the
margin changed. Between these the bars are compared as columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.course import Course, liquidation
from evenkeel.readiness.audit.terms import Terms

NEARLY = 1e-12
"""A liquidation price is on no grid: within this part of it, float64 may see a touch or none."""


class Reach(NamedTuple):
    """The extremes of the bars that a trade possibly held, and of those that it certainly held; None without such."""

    low: float | None
    high: float | None
    certain_low: float | None
    certain_high: float | None


NO_REACH = Reach(None, None, None, None)

_LEVELS = {
    "position": pl.UInt32, "sign": pl.Int8, "stop": pl.Float64, "target": pl.Float64, "liquidation": pl.Float64,
    "inside": pl.Boolean, "begin": pl.Int64, "until": pl.Int64,
}  # fmt: skip


class Held:
    """Each base bar from the entry of a leg to its exit, both included, and the levels of its position.

    A bar belongs to the last position entered by its open.
    """

    def __init__(self, run: Run, courses: list[Course | None], bars: BaseBars) -> None:
        self._table = bars.table
        self._marked = bars.names("MarkPrice")
        self._fires = bars.names(run.terms.models.trigger)
        self._resting = run.terms.target_is_limit
        self._ranges = _ranges(run, bars.table["open_ns"])
        courses_by_number = enumerate(courses)
        levels = [row for number, course in courses_by_number if course for row in _levels(run.terms, number, course)]
        self._levels = pl.DataFrame(levels, schema=_LEVELS, orient="row")
        self._spared = _spared(run, bars)

    def __len__(self) -> int:
        return self._spared + int((self._levels["until"] - self._levels["begin"]).sum())

    def _beside(self, ranges: pl.DataFrame, *columns: str) -> pl.DataFrame:
        """Return a row for each bar of the ranges `begin` to `until`: all else they say, `row`, and columns of the bar.

        Empty ranges have none.
        """
        rows = ranges.with_columns(row=pl.int_ranges("begin", "until", dtype=pl.UInt32)).drop("begin", "until")
        rows = rows.filter(pl.col("row").list.len() > 0).explode("row")
        return rows.with_columns(self._table[name].gather(rows["row"]) for name in columns)

    def earlier_touches(self) -> pl.DataFrame:
        """Return `position, open_ns, level` of each bar without an exit that reached a stop or target."""
        levels = self._levels.filter(pl.col("stop").is_not_null() | pl.col("target").is_not_null())
        long, (up, down) = pl.col("sign") > 0, map(pl.col, self._fires)
        best, least = (pl.col("high"), pl.col("low")) if self._resting else (up, down)
        stopped = pl.when(long).then(down <= pl.col("stop")).otherwise(up >= pl.col("stop"))
        beyond = pl.when(long).then(pl.col("close") > pl.col("target")).otherwise(pl.col("close") < pl.col("target"))
        reached = pl.when(long).then(best >= pl.col("target")).otherwise(least <= pl.col("target"))
        level = pl.when(stopped).then(pl.lit("stop")).when(pl.when("inside").then(beyond).otherwise(reached))
        return self._found(
            self._beside(levels, *{"open_ns", "high", "low", "close", *self._fires}), level.then(pl.lit("target"))
        )

    def unheeded_liquidations(self) -> pl.DataFrame:
        """Return `position, open_ns, level` of each bar without an exit that went beyond the liquidation price."""
        levels = self._levels.filter(pl.col("liquidation").is_not_null())
        high, low = self._marked
        worst = pl.when(pl.col("sign") > 0).then(low).otherwise(high)
        crossed = pl.col("sign") * (worst - pl.col("liquidation")) < -NEARLY * pl.col("liquidation")
        return self._found(self._beside(levels, "open_ns", high, low), pl.when(crossed).then(pl.lit("liquidation")))

    def _found(self, bars: pl.DataFrame, level: pl.Expr) -> pl.DataFrame:
        return bars.select("position", "open_ns", level=level).filter(pl.col("level").is_not_null())

    def reach(self) -> dict[int, Reach]:
        """Return the extremes of each leg that held a bar, by its place in the list of trades."""
        low, high = pl.col("low"), pl.col("high")
        certain = (pl.col("row") >= pl.col("certain_from")) & (pl.col("row") < pl.col("certain_until"))
        found = (
            self._beside(self._ranges, "low", "high")
            .select(
                "trade", low, high, certain_low=pl.when(certain).then(low), certain_high=pl.when(certain).then(high)
            )
            .group_by("trade", maintain_order=True)
            .agg(low.min(), high.max(), pl.col("certain_low").min(), pl.col("certain_high").max())
        )
        return {trade: Reach(*extremes) for trade, *extremes in found.iter_rows()}


def _levels(terms: Terms, number: int, course: Course) -> Iterator[tuple[object, ...]]:
    """Yield a row of levels for each stretch of bars before the last exit in which they were the same.

    Bars with an exit are left out: the order of events in them is looked at one by one.
    """
    exits = {closing.row for closing in course.closings}
    moved = [] if course.path is None else [stage.row for stage in course.path.stages]
    cuts = {course.entry_row, course.entry_row + 1, *moved, *(holding.row for holding in course.holdings)}
    cuts |= {row + after for row in exits for after in (0, 1)}
    rows = sorted(row for row in cuts if course.entry_row <= row <= course.last_row)
    entered_inside = course.position.entry.entry_point == "inside"
    for begin, until in pairwise(rows):
        if begin in exits:
            continue
        stop = None if course.path is None else float(course.path.at(begin).loose.price)
        filled = course.filled_before(begin)
        target = _met_at(terms, course, filled)
        price = liquidation(terms, course.stake_at(begin))
        yield (
            number, course.position.sign, stop, target, None if price is None else float(price),
            entered_inside and begin == course.entry_row, begin, until,
        )  # fmt: skip


def _met_at(terms: Terms, course: Course, filled: int) -> float | None:
    """Return the price at which the next target fills: one that rests needs the spread and its queue beyond it."""
    if filled >= len(course.steps):
        return None
    level, side = course.steps[filled].far, course.position.sign
    if not terms.target_is_limit:
        return float(level)
    return float((level + side * terms.queue_depth) / (1 - side * terms.models.half_spread))


def _spared(run: Run, bars: BaseBars) -> int:
    """Return how many base bars the positions held that are proven right."""
    if run.proven is None or not run.proven.any():
        return 0
    rows = run.positions.begins[run.proven]
    entered, left = (
        bars.rows_at(run.trades.times(column, attribute).to_numpy()[rows])
        for column, attribute in (("entry_time", "entry_ns"), ("exit_time", "exit_ns"))
    )
    return int((left - entered).sum())


def _ranges(run: Run, opens: pl.Series) -> pl.DataFrame:
    """Return one row for each leg in doubt, by entry: its place among them and its rows of base bars.

    These are `begin` to before `until`; of them from `certain_from` to before `certain_until` were held as a whole.
    """
    trades = run.doubtful_trades
    table = pl.DataFrame(
        {
            "entry_ns": [trade.entry_ns for trade in trades],
            "exit_ns": [trade.exit_ns for trade in trades],
            "entered_inside": [trade.entry_point == "inside" for trade in trades],
            "left_at_close": [trade.exit_point == "close" for trade in trades],
        },
        schema={
            "entry_ns": pl.Int64, "exit_ns": pl.Int64, "entered_inside": pl.Boolean, "left_at_close": pl.Boolean,
        },
    ).with_row_index("trade").sort("entry_ns", maintain_order=True)  # fmt: skip
    begin, after_entry = (opens.search_sorted(table["entry_ns"], side=side) for side in ("left", "right"))
    out, after_exit = (opens.search_sorted(table["exit_ns"], side=side) for side in ("left", "right"))
    entries = opens.search_sorted(run.trades.times("entry_time", "entry_ns").unique().sort(), side="left")
    later = entries.unique().sort()
    next_begin = pl.concat([later, pl.Series([len(opens)], dtype=later.dtype)]).gather(
        later.search_sorted(begin, side="right")
    )
    return table.select(
        "trade",
        begin=begin,
        until=pl.max_horizontal(begin, pl.min_horizontal(after_exit, next_begin)),
        certain_from=pl.when("entered_inside").then(after_entry).otherwise(begin),
        certain_until=pl.when("left_at_close").then(after_exit).otherwise(out),
    )
