"""Several timeframes on one clock: closed bars only, each value held until the next bar of its timeframe closes.

A program has one graph a timeframe. What the execution graph reads from another timeframe is an input column that
holds, at each close of an execution bar, the value of the last bar of that timeframe closed by then. The bar that
closes at the same instant is visible; the running one never is.

    program = builder.build()
    run = FeatureRun(program, series)
    while run.advance():
        value = run.x[row, run.column + e]      # execution bar e, for run.start <= e < run.stop
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from evenkeel.data.aggregate import Aggregate, aggregate
from evenkeel.data.calendar import Calendar
from evenkeel.features.graph import BLOCK_BARS, Graph, GraphBuilder
from evenkeel.features.node import Node
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.errors import UsageError
from evenkeel.model.time import Timeframe

BAR_COLUMNS = ("open", "high", "low", "close", "volume", "session")


@dataclass(frozen=True, slots=True)
class Program:
    """The graphs of a strategy.

    Attributes:
        exec: The execution timeframe.
        graphs: One a timeframe that has nodes; the execution timeframe always has one.
        held: Input column of the execution graph to the timeframe and row that it holds.
        warmup: Closed bars that a timeframe needs before decisions start.
    """

    exec: Timeframe
    graphs: dict[Timeframe, Graph]
    held: dict[str, tuple[Timeframe, int]]
    warmup: dict[Timeframe, int]

    @property
    def nodes(self) -> list[Node]:
        """The declarations of everything that it computes."""
        return [step.node for graph in self.graphs.values() for step in graph.steps]


@dataclass(slots=True)
class ProgramBuilder:
    """Collects nodes on several timeframes."""

    exec: Timeframe
    _graphs: dict[Timeframe, GraphBuilder] = field(default_factory=dict)
    _held: dict[str, tuple[Timeframe, int]] = field(default_factory=dict)
    _warmup: dict[Timeframe, int] = field(default_factory=dict)

    def on(self, timeframe: Timeframe) -> GraphBuilder:
        """Return the graph of a timeframe."""
        return self._graphs.setdefault(timeframe, GraphBuilder())

    def hold(self, timeframe: Timeframe, row: int) -> int:
        """Return the row of the execution graph that holds another timeframe's row."""
        if timeframe == self.exec:
            return row
        name = f"{timeframe}#{row}"
        self._held[name] = (timeframe, row)
        return self.on(self.exec).column(name)

    def require_bars(self, timeframe: Timeframe, bars: int) -> None:
        """Ask for at least so many closed bars of a timeframe before decisions start."""
        self._warmup[timeframe] = max(self._warmup.get(timeframe, 0), bars)

    def build(self) -> Program:
        """Return the finished program."""
        self.on(self.exec)
        graphs = {timeframe: builder.build() for timeframe, builder in self._graphs.items()}
        return Program(self.exec, graphs, dict(self._held), dict(self._warmup))


class Series:
    """The bars of one unbroken stretch: base bars, and every higher timeframe aggregated from them when asked for."""

    def __init__(self, base: Bars, calendar: Calendar) -> None:
        self.base = base
        self.calendar = calendar
        self._aggregates: dict[Timeframe, Aggregate] = {}
        self._columns: dict[Timeframe, dict[str, Floats]] = {}

    def on(self, timeframe: Timeframe) -> Aggregate:
        """Return the closed bars of a timeframe with the base rows that each consists of.

        Raises:
            UsageError: If the timeframe is finer than the base bars.
        """
        if timeframe not in self._aggregates:
            if timeframe < self.base.timeframe:
                raise UsageError(
                    f"the data has {self.base.timeframe} bars; {timeframe} needs finer ones: import them, or use a "
                    "coarser timeframe"
                )
            self._aggregates[timeframe] = aggregate(self.base, timeframe, self.calendar)
        return self._aggregates[timeframe]

    def columns(self, timeframe: Timeframe) -> dict[str, Floats]:
        """Return the bar columns of a timeframe as the graphs read them."""
        if timeframe not in self._columns:
            bars = self.on(timeframe).bars
            self._columns[timeframe] = {
                "open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close, "volume": bars.volume,
            }  # fmt: skip
        return self._columns[timeframe]

    def column(self, timeframe: Timeframe, name: str) -> Floats:
        """Return one bar column; `session` is the trading day of the bar's open, NaN outside every session."""
        columns = self.columns(timeframe)
        if name == "session" and name not in columns:
            days = self.calendar.session_of(self.on(timeframe).bars.open_ns)
            columns[name] = np.where(days < 0, np.nan, days).astype(np.float64)
        return columns[name]

    def last_closed(self, timeframe: Timeframe, instants_ns: Ints) -> Ints:
        """Return the index of the last bar closed at each instant, or -1 before the first."""
        return np.searchsorted(self.on(timeframe).bars.close_ns, instants_ns, side="right") - 1


class FeatureRun:
    """A program over a stretch of bars: other timeframes whole, the execution timeframe block by block.

    Attributes:
        x: The window of the execution graph.
        column: The window column that execution bar 0 has, or would have.
        start: First execution bar of the current block.
        stop: The bar after its last.
    """

    def __init__(self, program: Program, series: Series, *, block: int = BLOCK_BARS) -> None:
        self.program = program
        self.bars = series.on(program.exec)
        self._block = block
        self._run = program.graphs[program.exec].start(block)
        self._inputs = self._gather(series)
        self.x = self._run.x
        self.start = self.stop = 0
        self.column = 0

    def advance(self) -> bool:
        """Compute the next block; False at the end of the data."""
        count = min(self._block, len(self.bars.bars) - self.stop)
        if count <= 0:
            return False
        self.start, self.stop = self.stop, self.stop + count
        part = slice(self.start, self.stop)
        first = self._run.push({name: values[part] for name, values in self._inputs.items()}, count)
        self.column = first - self.start
        return True

    def _gather(self, series: Series) -> dict[str, Floats]:
        """Return every input column of the execution graph over all its bars."""
        program = self.program
        names = program.graphs[program.exec].columns
        plain = {name: series.column(program.exec, name) for name in names if name not in program.held}
        return plain | held_columns(program, series, self.bars.bars.close_ns)


def held_columns(program: Program, series: Series, instants_ns: Ints) -> dict[str, Floats]:
    """Return the values that the other timeframes show at each instant."""
    held: dict[str, Floats] = {}
    for timeframe in {source for source, _ in program.held.values()}:
        rows = sorted({row for source, row in program.held.values() if source == timeframe})
        values = whole_rows(program.graphs[timeframe], series, timeframe, rows)
        index = series.last_closed(timeframe, instants_ns)
        for name, (source, row) in program.held.items():
            if source == timeframe:
                held[name] = np.where(index < 0, np.nan, values[row][index])
    return held


def whole_rows(graph: Graph, series: Series, timeframe: Timeframe, rows: list[int]) -> Mapping[int, Floats]:
    """Return some rows of a graph over all bars of its timeframe; one more NaN keeps an empty series indexable."""
    inputs = {name: series.column(timeframe, name) for name in graph.columns}
    bars = len(series.on(timeframe).bars)
    out = {row: np.full(bars + 1, np.nan) for row in rows}
    run = graph.start(BLOCK_BARS)
    for start in range(0, bars, BLOCK_BARS):
        stop = min(start + BLOCK_BARS, bars)
        first = run.push({name: values[start:stop] for name, values in inputs.items()}, stop - start)
        for row, values in out.items():
            values[start:stop] = run.x[row, first : first + stop - start]
    return out
