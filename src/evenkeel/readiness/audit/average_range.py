"""The average true range of Wilder, derived from the bars of its timeframe: the one indicator that moves money here.

TR = max(high - low, |high - close before|, |low - close before|), that of the first bar high - low. The average starts
with the mean of the first n and then moves by 1/n of the difference. It starts anew behind each gap of the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import polars as pl

from evenkeel.readiness.audit.bars import BaseBars, Columns, scaled
from evenkeel.readiness.audit.number import exact
from evenkeel.readiness.audit.resolved import AverageRange
from evenkeel.readiness.audit.tally import Floats, Ints
from evenkeel.readiness.audit.terms import Terms

BLOCK = 1 << 16
"""Bars that are worked out at once."""


class _Known(NamedTuple):
    """An average at each bar of its timeframe.

    Attributes:
        ends: The last base row of each bar.
        values: The average; NaN before there is one.
        stretches: Which stretch of the data each bar belongs to, from 1.
    """

    ends: Ints
    values: Floats
    stretches: Ints


class AverageRanges:
    """The `atr` features of a run, each worked out when it is first asked for."""

    def __init__(self, terms: Terms, bars: BaseBars, higher: Mapping[str, Columns]) -> None:
        self._features = terms.average_ranges
        self._tables: dict[str, Columns] = {**higher, terms.base_timeframe: bars.columns}
        self._bars = bars
        self._starts = np.array(sorted({0, *(int(np.searchsorted(bars.opens, end)) for end in terms.gap_ends_ns)}))
        self._known: dict[AverageRange, _Known] = {}

    def at(self, feature: str, row: int | None) -> Decimal | None:
        """Return a feature as the close of the base bar `row` knew it; None where it has no value or is no ATR."""
        found = None if row is None else self.at_rows(feature, np.array([row]))
        return None if found is None or np.isnan(found[0]) else exact(float(found[0]))

    def at_rows(self, feature: str, rows: Ints) -> Floats | None:
        """Return a feature as the closes of base bars knew it, NaN where it had no value; None if it is no ATR."""
        definition = self._features.get(feature)
        if definition is None or definition.timeframe not in self._tables:
            return None
        if definition not in self._known:
            self._known[definition] = self._derived(definition)
        known = self._known[definition]
        if not len(known.ends):
            return np.full(len(rows), np.nan)
        place = np.searchsorted(known.ends, rows, side="right") - 1
        of_row = np.searchsorted(self._starts, rows, side="right")
        there = (place >= 0) & (known.stretches[np.maximum(place, 0)] == of_row)
        found = np.where(there, known.values[np.maximum(place, 0)], np.nan)
        return found if self._bars.scale is None else found / self._bars.scale[rows]

    def _derived(self, definition: AverageRange) -> _Known:
        table = scaled(self._bars, self._tables[definition.timeframe])
        rows = np.arange(len(table["open_ns"]))
        first, last = table.get("first", rows), table.get("last", rows)
        stretches = np.searchsorted(self._starts, first, side="right")
        cuts = np.append(np.flatnonzero(np.diff(stretches, prepend=-1)), len(first))
        values = np.full(len(first), np.nan)
        for begin, end in zip(cuts.tolist(), cuts[1:].tolist(), strict=False):
            part = {name: table[name][begin:end] for name in ("high", "low", "close")}
            values[begin:end] = average_range(part, definition.length)
        return _Known(last, values, stretches)


def average_range(bars: Columns, length: int) -> Floats:
    """Return the average true range at each bar of one stretch, NaN before there are `length` of them."""
    high, low, close = (bars[name] for name in ("high", "low", "close"))
    found = np.full(len(high), np.nan)
    if len(high) < length:
        return found
    state = float(_ranges(high, low, close, 0, length).mean())
    found[length - 1] = state
    for begin in range(length, len(high), BLOCK):
        end = min(begin + BLOCK, len(high))
        moves = np.concatenate([[state], _ranges(high, low, close, begin, end)])
        found[begin:end] = pl.Series(moves).ewm_mean(alpha=1 / length, adjust=False).to_numpy()[1:]
        state = float(found[end - 1])
    return found


def _ranges(high: Floats, low: Floats, close: Floats, begin: int, end: int) -> Floats:
    """Return the true ranges of bars; that of the first of the stretch is high - low."""
    high, low = high[begin:end], low[begin:end]
    before = close[max(begin - 1, 0) : end - 1]
    if begin == 0:
        before = np.concatenate([low[:1], before])
    found: Floats = np.maximum(high - low, np.maximum(np.abs(high - before), np.abs(low - before)))
    return found
