"""The average true range of Wilder, derived from the bars of its timeframe: the one indicator that moves money here.

TR = max(high - low, |high - close before|, |low - close before|), that of the first bar high - low. The average starts
with the mean of the first n and then moves by 1/n of the difference. It starts anew behind each gap of the data.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import polars as pl

from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.number import exact
from evenkeel.readiness.audit.resolved import AverageRange
from evenkeel.readiness.audit.tally import Floats, Ints
from evenkeel.readiness.audit.terms import Terms


class AverageRanges:
    """The `atr` features of a run, each worked out when it is first asked for."""

    def __init__(self, terms: Terms, bars: BaseBars, higher: Mapping[str, pl.DataFrame]) -> None:
        self._features = terms.average_ranges
        base = bars.table.with_columns(first=pl.int_range(pl.len()), last=pl.int_range(pl.len()))
        self._tables = {**higher, terms.base_timeframe: base}
        opens = bars.table["open_ns"]
        self._starts = sorted({0, *(int(opens.search_sorted(end)) for end in terms.gap_ends_ns)})
        self._known: dict[AverageRange, tuple[list[int], list[float | None], list[int]]] = {}

    def at(self, feature: str, row: int | None) -> Decimal | None:
        """Return a feature as the close of the base bar `row` knew it; None where it has no value or is no ATR."""
        definition = self._features.get(feature)
        if row is None or definition is None or definition.timeframe not in self._tables:
            return None
        if definition not in self._known:
            self._known[definition] = self._derived(definition)
        ends, values, stretches = self._known[definition]
        place = bisect_right(ends, row) - 1
        if place < 0 or stretches[place] != bisect_right(self._starts, row):
            return None
        value = values[place]
        return None if value is None else exact(value)

    def at_rows(self, feature: str, rows: Ints) -> Floats | None:
        """Return a feature as the closes of base bars knew it, NaN where it had no value; None if it is no ATR."""
        definition = self._features.get(feature)
        if definition is None or definition.timeframe not in self._tables:
            return None
        if definition not in self._known:
            self._known[definition] = self._derived(definition)
        ends, values, stretches = self._known[definition]
        if not ends:
            return np.full(len(rows), np.nan)
        place = np.searchsorted(ends, rows, side="right") - 1
        of_row = np.searchsorted(self._starts, rows, side="right")
        known = (place >= 0) & (np.array(stretches)[np.maximum(place, 0)] == of_row)
        return np.where(known, np.array(values, dtype=np.float64)[np.maximum(place, 0)], np.nan)

    def _derived(self, definition: AverageRange) -> tuple[list[int], list[float | None], list[int]]:
        """Return of each bar of the timeframe the last base row, the average, and the stretch it belongs to."""
        table = self._tables[definition.timeframe]
        stretches = [bisect_right(self._starts, row) for row in table["first"]]
        values: list[float | None] = []
        for _, part in table.with_columns(stretch=pl.Series(stretches)).group_by("stretch", maintain_order=True):
            values += average_range(part, definition.length)
        return table["last"].to_list(), values, stretches


def average_range(bars: pl.DataFrame, length: int) -> list[float | None]:
    """Return the average true range at each bar of one stretch, None before there are `length` of them."""
    before = pl.col("close").shift()
    ranges = bars.select(
        pl.max_horizontal(
            pl.col("high") - pl.col("low"), (pl.col("high") - before).abs(), (pl.col("low") - before).abs()
        )
    ).to_series()
    if len(ranges) < length:
        return [None] * len(ranges)
    seeded = pl.concat([pl.Series([ranges[:length].mean()], dtype=pl.Float64), ranges[length:]])
    return [None] * (length - 1) + seeded.ewm_mean(alpha=1 / length, adjust=False).to_list()
