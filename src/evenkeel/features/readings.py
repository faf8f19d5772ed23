"""Values of a program as they stood at a moment: the rows that a run reads at a decision, read back for people.

The graphs are run as a run does it, up to the bar that is asked about, and nothing is computed beside them.

    readings = Readings(program, series, [Cell(None, row)], bar=1200, levels=1)
    readings.read(Cell(None, row), readings.column(None, closed_ns))
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from evenkeel.features.timeline import FeatureRun, Program, Series, grid_rows
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import invariant
from evenkeel.model.time import Timeframe


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a value is computed.

    Attributes:
        grid: On the grid of which timeframe; None is the graph that decides.
        row: Of that graph.
    """

    grid: Timeframe | None
    row: int


Back: TypeAlias = "int | Cell"
"""How many columns before a sample the one before it lies: always as many, or what a cell says at the sample."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Some rows of a graph.

    Attributes:
        closes: The instant of each of its columns, from the first one on.
        first: Column of the oldest value kept.
        rows: Row number to values, oldest first.
    """

    closes: Ints
    first: int
    rows: Mapping[int, Floats]


class Readings:
    """Some cells of a program at the close of one execution bar, and before it."""

    def __init__(self, program: Program, series: Series, cells: Iterable[Cell], *, bar: int, levels: int) -> None:
        """Run the graphs up to the bar.

        Args:
            program: The graphs.
            series: The stretch of bars.
            cells: What will be read.
            bar: The execution bar.
            levels: How often in a row a reading goes back from a sample to one before it, at most.
        """
        rows: dict[Timeframe | None, set[int]] = {}
        for cell in cells:
            rows.setdefault(cell.grid, set()).add(cell.row)
        oldest = max(bar - levels * program.decisions.reach, 0)
        self._kept = {
            grid: _last_rows(program, series, sorted(wanted), oldest, bar)
            if grid is None
            else _whole_grid(program, series, grid, sorted(wanted))
            for grid, wanted in rows.items()
        }

    def column(self, grid: Timeframe | None, instant_ns: int) -> int:
        """Return the column of a graph that shows an instant: the last one not later, -1 before the first."""
        return int(np.searchsorted(self._kept[grid].closes, instant_ns, side="right")) - 1

    def instant(self, grid: Timeframe | None, column: int) -> int:
        """Return the instant of a column."""
        return int(self._kept[grid].closes[column])

    def read(self, cell: Cell, column: int) -> float:
        """Return what a cell holds in a column; NaN is missing, and so is everything before the first bar."""
        if column < 0:
            return math.nan
        kept = self._kept[cell.grid]
        invariant(column >= kept.first, "a value was read further back than it was kept", row=cell.row)
        return float(kept.rows[cell.row][column - kept.first])

    def before(self, column: int, back: Back) -> int:
        """Return the column of the sample before; -1 if there is none."""
        steps = back if isinstance(back, int) else self.read(back, column)
        return -1 if column < 0 or math.isnan(steps) else max(column - int(steps), -1)


def _last_rows(program: Program, series: Series, rows: list[int], first: int, last: int) -> _Kept:
    """Return rows of the graph that decides from one bar to another, both included."""
    kept = {row: np.full(last + 1 - first, np.nan) for row in rows}
    run = FeatureRun(program, series)
    while run.stop <= last and run.advance():
        start, stop = max(run.start, first), min(run.stop, last + 1)
        for row, values in kept.items():
            if start < stop:
                values[start - first : stop - first] = run.x[row, run.column + start : run.column + stop]
    return _Kept(run.bars.bars.close_ns[: last + 1], first, kept)


def _whole_grid(program: Program, series: Series, grid: Timeframe, rows: list[int]) -> _Kept:
    closes, values = grid_rows(program, series, grid, rows)
    return _Kept(closes, 0, values)
