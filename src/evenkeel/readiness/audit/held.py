"""The base bars during which a position was held: row by row beside their trades."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from evenkeel.readiness.audit.artifacts import Trade
from evenkeel.readiness.audit.bars import BaseBars


class Reach(NamedTuple):
    """The extremes of the bars that a trade possibly held, and of those that it certainly held; None without such."""

    low: float | None
    high: float | None
    certain_low: float | None
    certain_high: float | None


NO_REACH = Reach(None, None, None, None)


class Held:
    """Each base bar from the entry of a trade to its exit, both included.

    A bar belongs to the last trade entered by its open.
    """

    def __init__(self, trades: list[Trade], bars: BaseBars) -> None:
        self._table = bars.table
        self._ranges = _ranges(trades, bars.table["open_ns"])
        rows = self._ranges.select("trade", row=pl.int_ranges("begin", "until", dtype=pl.UInt32))
        self._rows = rows.filter(pl.col("row").list.len() > 0).explode("row")

    def __len__(self) -> int:
        return self._rows.height

    def _beside(self, *columns: str) -> pl.DataFrame:
        """Return `trade` and `row` of each bar held, beside columns of the bar."""
        return self._rows.with_columns(self._table[name].gather(self._rows["row"]) for name in columns)

    def earlier_touches(self) -> pl.DataFrame:
        """Return `trade, open_ns, level` of each bar before that of the exit which reached a stop or target."""
        levels = self._ranges.filter(pl.col("stop").is_not_null() | pl.col("target").is_not_null())
        if levels.is_empty():
            return pl.DataFrame(schema={"trade": pl.UInt32, "open_ns": pl.Int64, "level": pl.String})
        long, up, down = pl.col("sign") > 0, pl.col("high"), pl.col("low")
        stopped = pl.when(long).then(down <= pl.col("stop")).otherwise(up >= pl.col("stop"))
        beyond = pl.when(long).then(pl.col("close") > pl.col("target")).otherwise(pl.col("close") < pl.col("target"))
        reached = pl.when(long).then(up >= pl.col("target")).otherwise(down <= pl.col("target"))
        inside = pl.col("row") < pl.col("certain_from")
        level = pl.when(stopped).then(pl.lit("stop")).when(pl.when(inside).then(beyond).otherwise(reached))
        columns = levels.select("trade", "sign", "stop", "target", "certain_from", "out")
        return (
            self._beside("high", "low", "close")
            .lazy()
            .join(columns.lazy(), on="trade", how="inner", maintain_order="left")
            .filter(pl.col("row") < pl.col("out"))
            .with_columns(level=level.then(pl.lit("target")))
            .filter(pl.col("level").is_not_null())
            .select("trade", "level", pl.lit(self._table["open_ns"]).gather("row").alias("open_ns"))
            .collect()
        )

    def reach(self) -> dict[int, Reach]:
        """Return the extremes of each trade that held a bar, by the trade's place in the list."""
        low, high = pl.col("low"), pl.col("high")
        borders = self._ranges.select("trade", "certain_from", "certain_until")
        certain = (pl.col("row") >= pl.col("certain_from")) & (pl.col("row") < pl.col("certain_until"))
        found = (
            self._beside("low", "high")
            .join(borders, on="trade", how="left", maintain_order="left")
            .select(
                "trade", low, high, certain_low=pl.when(certain).then(low), certain_high=pl.when(certain).then(high)
            )
            .group_by("trade", maintain_order=True)
            .agg(low.min(), high.max(), pl.col("certain_low").min(), pl.col("certain_high").max())
        )
        return {trade: Reach(*extremes) for trade, *extremes in found.iter_rows()}


def _ranges(trades: list[Trade], opens: pl.Series) -> pl.DataFrame:
    """Return one row for each trade, by entry: its place in the list, sign and levels, and its rows of base bars.

    These are `begin` to before `until`; of them from `certain_from` to before `certain_until` were held as a whole,
    and those before `out` opened before the exit.
    """
    table = pl.DataFrame(
        {
            "sign": [trade.sign for trade in trades],
            "entry_ns": [trade.entry_ns for trade in trades],
            "exit_ns": [trade.exit_ns for trade in trades],
            "stop": [None if trade.stop is None else float(trade.stop) for trade in trades],
            "target": [None if trade.target is None else float(trade.target) for trade in trades],
            "entered_inside": [trade.entry_point == "inside" for trade in trades],
            "left_at_close": [trade.exit_point == "close" for trade in trades],
        },
        schema={
            "sign": pl.Int8, "entry_ns": pl.Int64, "exit_ns": pl.Int64, "stop": pl.Float64, "target": pl.Float64,
            "entered_inside": pl.Boolean, "left_at_close": pl.Boolean,
        },
    ).with_row_index("trade").sort("entry_ns", maintain_order=True)  # fmt: skip
    begin, after_entry = (opens.search_sorted(table["entry_ns"], side=side) for side in ("left", "right"))
    out, after_exit = (opens.search_sorted(table["exit_ns"], side=side) for side in ("left", "right"))
    next_begin = begin.shift(-1, fill_value=len(opens))
    return table.with_columns(
        begin=begin,
        out=out,
        until=pl.max_horizontal(begin, pl.min_horizontal(after_exit, next_begin)),
        certain_from=pl.when("entered_inside").then(after_entry).otherwise(begin),
        certain_until=pl.when("left_at_close").then(after_exit).otherwise(out),
    )
