"""The sets of a sweep in order of a metric, and whether a good one stands on a plateau or alone.

A set whose neighbours do well too has found something that holds nearby; a lonely peak is most likely luck. The
neighbours of a set are, in a grid, the sets that differ from it by one step of one parameter, and among samples the
nearest ones, twice as many as there are parameters.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from evenkeel.engine.sweep.space import Value

METRICS = (
    "net_pnl", "return_pct", "trades", "win_rate", "profit_factor", "expectancy", "sharpe", "sortino",
    "max_drawdown_pct", "max_drawdown_intrabar_pct", "cagr_pct", "exposure_pct", "fees", "funding", "slippage",
    "avg_bars_held",
)  # fmt: skip
"""The figures of a run, as `keel backtest` gives them."""

LOW_IS_GOOD = frozenset({"max_drawdown_pct", "max_drawdown_intrabar_pct", "fees", "slippage"})
"""Of these the smallest is the best; of all others the largest."""

LONELY = 0.5
"""A peak is lonely when its neighbours keep less than this part of its lead over the median of all sets."""


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a sweep knows of one set.

    Attributes:
        number: Of the set, from 1, in the order of the sweep.
        values: Its parameters.
        metrics: Figures of the run; None where it was refused.
        stop_reason: How the run ended; empty where it was refused.
        result_hash: Digest of the run; None where it was not taken.
        reason: Code of a refusal; empty where it ran.
        refusal: Why it was refused.
    """

    number: int
    values: dict[str, Value]
    metrics: dict[str, float | int | None] | None = None
    stop_reason: str = ""
    result_hash: str | None = None
    reason: str = ""
    refusal: str = ""

    def value(self, metric: str) -> float | int | None:
        """Return a figure; None where there is none."""
        return None if self.metrics is None else self.metrics[metric]


@dataclass(frozen=True, slots=True)
class Peak:
    """How a set stands among its neighbours.

    Attributes:
        neighbours: How many of them have the figure.
        median: Of their figures; None without any.
        lonely: Whether they keep less than half of its lead over the median of all sets.
    """

    neighbours: int
    median: float | None
    lonely: bool


def ranked(rows: Iterable[Row], metric: str) -> list[Row]:
    """Return the rows that ran, the best first; those without the figure last, equal ones by their parameters."""
    sign = 1 if metric in LOW_IS_GOOD else -1

    def place(row: Row) -> tuple[object, ...]:
        value = row.value(metric)
        return value is None, 0 if value is None else sign * value, [_order(one) for one in row.values.values()]

    return sorted((row for row in rows if row.metrics is not None), key=place)


def _order(value: Value) -> tuple[bool, float, str]:
    """Return a key that puts numbers before words."""
    return (True, 0.0, value) if isinstance(value, str) else (False, float(value), "")


class Neighbourhood:
    """Tells the neighbours of a set.

    Args:
        rows: All of the sweep.
        metric: By which they are judged.
        is_grid: Whether the sets are a grid.
    """

    def __init__(self, rows: Sequence[Row], metric: str, *, is_grid: bool) -> None:
        self._metric, self._is_grid = metric, is_grid
        self._rows = [row for row in rows if row.value(metric) is not None]
        self._axes = {name: _places(row.values[name] for row in rows) for name in (rows[0].values if rows else ())}
        self._sign = -1 if metric in LOW_IS_GOOD else 1
        figures = self._figures(self._rows)
        self._middle = statistics.median(figures) if figures else 0.0
        self._at = {self._place(row): row for row in self._rows}

    def peak(self, row: Row) -> Peak:
        """Return how a set stands among its neighbours."""
        found = self._figures(self._beside(row) if self._is_grid else self._nearest(row))
        own = row.value(self._metric)
        if not found or own is None:
            return Peak(0, None, False)
        median = statistics.median(found)
        lead, kept = self._sign * (own - self._middle), self._sign * (median - self._middle)
        return Peak(len(found), median, lead > 0 and kept < LONELY * lead)

    def _figures(self, rows: Iterable[Row]) -> list[float]:
        return [value for row in rows if (value := row.value(self._metric)) is not None]

    def _place(self, row: Row) -> tuple[int, ...]:
        return tuple(self._axes[name][value] for name, value in row.values.items())

    def _beside(self, row: Row) -> list[Row]:
        place = self._place(row)
        steps = ((axis, step) for axis in range(len(place)) for step in (-1, 1))
        around = ((*place[:axis], place[axis] + step, *place[axis + 1 :]) for axis, step in steps)
        return [self._at[one] for one in around if one in self._at]

    def _nearest(self, row: Row) -> list[Row]:
        own = self._place(row)
        lengths = [max(len(places) - 1, 1) for places in self._axes.values()]

        def distance(other: Row) -> float:
            place = self._place(other)
            return sum(((a - b) / length) ** 2 for a, b, length in zip(own, place, lengths, strict=True))

        others = (other for other in self._rows if other.number != row.number)
        return sorted(others, key=lambda other: (distance(other), other.number))[: 2 * len(own)]


def _places(values: Iterable[Value]) -> Mapping[Value, int]:
    """Return the place of each different value, in order."""
    return {value: place for place, value in enumerate(sorted(set(values), key=_order))}
