"""Several timeframes on one clock: closed bars only, each value held until the next bar of its timeframe closes.

A program has one graph a timeframe for what is computed on its bars, and one graph that decides, on the bars of the
execution timeframe. What a graph reads from another one is an input column that holds, at each instant, the value of
the last bar of that timeframe closed by then. The bar that closes at the same instant is visible; the running one
never is.

Conditions that must be looked at between two decisions stand in graphs of their own, on grids of finer instants; the
graph that decides holds what they say. Where nothing needs a finer grid, one graph computes and decides.

    program = builder.build()
    run = FeatureRun(program, series)
    while run.advance():
        value = run.x[row, run.column + e]      # execution bar e, for run.start <= e < run.stop
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from evenkeel.data.aggregate import Aggregate, aggregate
from evenkeel.data.calendar import Calendar
from evenkeel.features import instants
from evenkeel.features.graph import Graph, GraphBuilder
from evenkeel.features.node import Node
from evenkeel.model.bar import Bars, Floats, Ints, Quoted
from evenkeel.model.errors import UsageError
from evenkeel.model.time import MINUTE, Timeframe

BAR_COLUMNS = ("open", "high", "low", "close", "volume", "session")

SCALE = "scale"
"""Column by which what features say of prices is divided where an order is made of it (ruling 19)."""

SIDE_COLUMNS = ("mark_price", "funding_rate", "open_interest")
"""What a market may have beside its bars; where it has not, the values are missing."""

BACK, BAR_OF, AGE = "back", "bar_of", "age"
"""Columns about a timeframe, written `back:15m`: how many columns back the sample one bar of it earlier lies, which of
its bars is forming, and how many columns lie behind its last close."""


@dataclass(frozen=True, slots=True)
class Held:
    """What an input column shows: a row of another graph, as of the last of its columns not later than the instant.

    Attributes:
        timeframe: Whose graph.
        row: Of that graph.
        of_grid: Whether it is the graph of conditions on that grid, not the one of features on those bars.
    """

    timeframe: Timeframe
    row: int
    of_grid: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """Conditions on instants finer than those of the decisions.

    Attributes:
        graph: The conditions.
        held: Input column to what it shows.
        timeframes: The instants are the closes of all of these.
    """

    graph: Graph
    held: dict[str, Held]
    timeframes: frozenset[Timeframe]


@dataclass(frozen=True, slots=True)
class Program:
    """The graphs of a strategy.

    Attributes:
        exec: The timeframe at whose closes decisions are made.
        graphs: What is computed on the bars of each timeframe.
        held: Input column of the graph that decides to what it shows.
        warmup: Closed bars that a timeframe needs before decisions start.
        decisions: The graph that decides; that of the execution timeframe where nothing else reads it.
        grids: Conditions on finer instants, by the timeframe of those.
        match: What drives a run: `bars`, `trades` or `quotes`.
    """

    exec: Timeframe
    graphs: dict[Timeframe, Graph]
    held: dict[str, Held]
    warmup: dict[Timeframe, int]
    decisions: Graph
    grids: dict[Timeframe, Grid] = field(default_factory=dict)
    match: str = "bars"

    @property
    def nodes(self) -> list[Node]:
        """The declarations of everything that it computes."""
        return [step.node for graph in self._all_graphs() for step in graph.steps]

    @property
    def side_columns(self) -> frozenset[str]:
        """Names of the side columns that it reads: where a market lacks one, its values are missing."""
        return frozenset(name for graph in self._all_graphs() for name in graph.columns if name in SIDE_COLUMNS)

    def _all_graphs(self) -> list[Graph]:
        apart = [] if self.decisions is self.graphs.get(self.exec) else [self.decisions]
        return [*self.graphs.values(), *apart, *(grid.graph for grid in self.grids.values())]


@dataclass(slots=True)
class Sheet:
    """A graph in the making, with what it reads of others.

    Attributes:
        graph: The graph.
        own: Timeframe whose features it computes itself; None if it holds all of them.
        held: Input column to what it shows.
    """

    graph: GraphBuilder
    own: Timeframe | None
    held: dict[str, Held] = field(default_factory=dict)

    def hold(self, timeframe: Timeframe, row: int, *, of_grid: bool = False) -> int:
        """Return the row that shows a row of another graph."""
        if timeframe == self.own and not of_grid:
            return row
        name = f"{timeframe}{'@' if of_grid else '#'}{row}"
        self.held[name] = Held(timeframe, row, of_grid)
        return self.graph.column(name)


class ProgramBuilder:
    """Collects nodes on several timeframes.

    Attributes:
        exec: The timeframe at whose closes decisions are made.
        decisions: The graph that decides.
    """

    def __init__(self, execution: Timeframe, *, apart: bool = False) -> None:
        """Begin a program.

        Args:
            execution: The timeframe at whose closes decisions are made.
            apart: Whether its features stand in a graph of their own, so that grids can read them.
        """
        self.exec = execution
        self._graphs: dict[Timeframe, GraphBuilder] = {execution: GraphBuilder()}
        self.decisions = Sheet(GraphBuilder(), None) if apart else Sheet(self._graphs[execution], execution)
        self._grids: dict[Timeframe, Sheet] = {}
        self._instants: dict[Timeframe, set[Timeframe]] = {}
        self._warmup: dict[Timeframe, int] = {}

    def on(self, timeframe: Timeframe) -> GraphBuilder:
        """Return the graph of what is computed on the bars of a timeframe."""
        return self._graphs.setdefault(timeframe, GraphBuilder())

    def grid(self, timeframe: Timeframe, instants_of: Iterable[Timeframe] = ()) -> Sheet:
        """Return the graph of conditions on the closes of a timeframe and of the others given."""
        self.on(timeframe)
        self._instants.setdefault(timeframe, {timeframe, self.exec}).update(instants_of)
        return self._grids.setdefault(timeframe, Sheet(GraphBuilder(), None))

    def hold(self, timeframe: Timeframe, row: int) -> int:
        """Return the row of the graph that decides which shows another timeframe's row."""
        return self.decisions.hold(timeframe, row)

    def require_bars(self, timeframe: Timeframe, bars: int) -> None:
        """Ask for at least so many closed bars of a timeframe before decisions start."""
        self._warmup[timeframe] = max(self._warmup.get(timeframe, 0), bars)

    def build(self) -> Program:
        """Return the finished program."""
        graphs = {timeframe: builder.build() for timeframe, builder in self._graphs.items()}
        decides = graphs[self.exec] if self.decisions.own is not None else self.decisions.graph.build()
        grids = {
            timeframe: Grid(sheet.graph.build(), dict(sheet.held), frozenset(self._instants[timeframe]))
            for timeframe, sheet in self._grids.items()
        }
        return Program(self.exec, graphs, dict(self.decisions.held), dict(self._warmup), decides, grids)


class Series:
    """The bars of one unbroken stretch: base bars, and every higher timeframe aggregated from them when asked for.

    Attributes:
        base: The finest bars.
        calendar: The market's.
        side: What the market has beside its bars, by name of `SIDE_COLUMNS`.
        scale: By what features see the prices of each base bar multiplied, and its volume divided: the ratio of the
            splits known by then (ruling 19). None where there is none: they see the bars as they are.
        quoted: What stands behind base bars that are quotes; None where they are bars or trades.
    """

    def __init__(
        self,
        base: Bars,
        calendar: Calendar,
        side: instants.SideColumns | None = None,
        scale: Floats | None = None,
        quoted: Quoted | None = None,
    ) -> None:
        self.base = base
        self.quoted = quoted
        self._made_of = base if quoted is None else quoted.made_of
        self.calendar = calendar
        self.side: instants.SideColumns = side or {}
        self.scale = scale
        self._aggregates: dict[Timeframe, Aggregate] = {}
        self._columns: dict[Timeframe, dict[str, Floats]] = {}
        self._intervals: dict[Timeframe, instants.Intervals] = {}

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
            self._aggregates[timeframe] = self._aggregated(timeframe)
        return self._aggregates[timeframe]

    def _aggregated(self, timeframe: Timeframe) -> Aggregate:
        """Return the bars of a timeframe; those behind quotes consist of the quotes that came while they lasted."""
        found = aggregate(self._made_of, timeframe, self.calendar)
        if self.quoted is None:
            return found
        first = np.searchsorted(self.base.open_ns, found.bars.open_ns)
        return Aggregate(found.bars, first, np.searchsorted(self.base.close_ns, found.bars.close_ns, side="right") - 1)

    def columns(self, timeframe: Timeframe) -> dict[str, Floats]:
        """Return the bar columns of a timeframe as the graphs read them: with the splits of the run taken out."""
        if timeframe not in self._columns:
            bars = self.on(timeframe).bars
            if self.scale is not None:
                bars = aggregate(self._scaled(self.scale), timeframe, self.calendar).bars
            self._columns[timeframe] = {
                "open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close, "volume": bars.volume,
            }  # fmt: skip
        return self._columns[timeframe]

    def _scaled(self, scale: Floats) -> Bars:
        base = self._made_of
        if base is not self.base:
            scale = scale[np.searchsorted(self.base.open_ns, base.open_ns)]
        opens, high, low, close = (price * scale for price in (base.open, base.high, base.low, base.close))
        return Bars(base.timeframe, base.open_ns, base.close_ns, opens, high, low, close, base.volume / scale)

    def column(self, timeframe: Timeframe, name: str) -> Floats:
        """Return one column over the bars of a timeframe.

        Args:
            timeframe: Whose bars.
            name: A bar column; `session`, the trading day of the bar's open, NaN outside every session; or a column
                of `column_at`.
        """
        columns = self.columns(timeframe)
        if name not in columns:
            bars = self.on(timeframe).bars
            if name == "session":
                days = self.calendar.session_of(bars.open_ns)
                columns[name] = np.where(days < 0, np.nan, days).astype(np.float64)
            else:
                columns[name] = self.column_at(bars.close_ns, name)
        return columns[name]

    def column_at(self, instants_ns: Ints, name: str) -> Floats:
        """Return what is known at each of some rising instants.

        Args:
            instants_ns: The instants.
            name: A side column, the scale, or one about a timeframe: `back:15m`, `bar_of:15m`, `age:15m`.
        """
        if name == SCALE:
            if self.scale is None:
                return np.ones(len(instants_ns))
            return self.scale[np.maximum(np.searchsorted(self.base.close_ns, instants_ns, side="right") - 1, 0)]
        if name in SIDE_COLUMNS:
            if name not in self.side:
                return np.full(len(instants_ns), np.nan)
            return instants.known_values(*self.side[name], instants_ns)
        kind, _, written = name.partition(":")
        timeframe = Timeframe.parse(written)
        if kind == BACK and self.calendar.always_open and timeframe.name != "M":
            even = instants.even_steps(timeframe.minutes * MINUTE, instants_ns)
            if even is not None:
                return even
        compute = {BACK: instants.steps_back, BAR_OF: instants.bar_ordinals, AGE: instants.ages}[kind]
        return compute(self._intervals_of(timeframe), self._made_of.close_ns, instants_ns)

    def last_closed(self, timeframe: Timeframe, instants_ns: Ints) -> Ints:
        """Return the index of the last bar closed at each instant, or -1 before the first."""
        return np.searchsorted(self.on(timeframe).bars.close_ns, instants_ns, side="right") - 1

    def closes(self, timeframes: Iterable[Timeframe]) -> Ints:
        """Return the instants at which bars of any of some timeframes close, rising."""
        found = instants.union([self._intervals_of(timeframe).close_ns for timeframe in sorted(timeframes)])
        return found[found <= self.base.close_ns[-1]] if len(self.base) else found[:0]

    def _intervals_of(self, timeframe: Timeframe) -> instants.Intervals:
        if timeframe not in self._intervals:
            self._intervals[timeframe] = instants.intervals(self._made_of, timeframe, self.calendar)
        return self._intervals[timeframe]


class FeatureRun:
    """A program over a stretch of bars: everything that is held whole, the decisions block by block.

    Attributes:
        x: The window of the graph that decides.
        column: The window column that execution bar 0 has, or would have.
        start: First execution bar of the current block.
        stop: The bar after its last.
    """

    def __init__(self, program: Program, series: Series, *, block: int | None = None) -> None:
        """Begin before the first bar.

        Args:
            program: What is computed.
            series: On what.
            block: Bars of a block; None takes as many as pass fastest. No value depends on it.
        """
        self.program = program
        self.bars = series.on(program.exec)
        self._block = min(block or program.decisions.block, max(len(self.bars.bars), 1))
        self._run = program.decisions.start(self._block)
        self._inputs = _Whole(program, series, block).decision_columns()
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


def held_columns(program: Program, series: Series, instants_ns: Ints) -> dict[str, Floats]:
    """Return what the graph that decides is shown of other graphs at each instant."""
    return _Whole(program, series).shown(program.held, instants_ns)


def grid_rows(
    program: Program, series: Series, timeframe: Timeframe, rows: list[int]
) -> tuple[Ints, Mapping[int, Floats]]:
    """Return the instants of a grid, and some rows of its graph over all of them."""
    return _Whole(program, series).grid(timeframe, rows)


class _Whole:
    """The rows of a program's graphs that others are shown, each over the whole of a series."""

    def __init__(self, program: Program, series: Series, block: int | None = None) -> None:
        self._series, self._block = series, block
        self._program = program
        self._wanted: dict[tuple[Timeframe, bool], set[int]] = {}
        for held in (program.held, *(grid.held for grid in program.grids.values())):
            for one in held.values():
                self._wanted.setdefault((one.timeframe, one.of_grid), set()).add(one.row)
        self._rows: dict[tuple[Timeframe, bool], tuple[Ints, Mapping[int, Floats]]] = {}

    def decision_columns(self) -> dict[str, Floats]:
        """Return every input column of the graph that decides, over all execution bars."""
        program = self._program
        plain = {
            name: self._series.column(program.exec, name)
            for name in program.decisions.columns
            if name not in program.held
        }
        return plain | self.shown(program.held, self._series.on(program.exec).bars.close_ns)

    def shown(self, held: Mapping[str, Held], instants_ns: Ints) -> dict[str, Floats]:
        """Return held columns at instants, one lookup for all of one source."""
        found: dict[str, Floats] = {}
        for source in {(one.timeframe, one.of_grid) for one in held.values()}:
            closes, rows = self._source(*source)
            index = np.searchsorted(closes, instants_ns, side="right") - 1
            for name, one in held.items():
                if (one.timeframe, one.of_grid) == source:
                    found[name] = np.where(index < 0, np.nan, rows[one.row][index])
        return found

    def _source(self, timeframe: Timeframe, of_grid: bool) -> tuple[Ints, Mapping[int, Floats]]:
        if (timeframe, of_grid) not in self._rows:
            compute = self.grid if of_grid else self._features
            self._rows[timeframe, of_grid] = compute(timeframe, sorted(self._wanted[timeframe, of_grid]))
        return self._rows[timeframe, of_grid]

    def _features(self, timeframe: Timeframe, rows: list[int]) -> tuple[Ints, Mapping[int, Floats]]:
        graph = self._program.graphs[timeframe]
        values = whole_rows(graph, self._series, timeframe, rows, block=self._block)
        return self._series.on(timeframe).bars.close_ns, values

    def grid(self, timeframe: Timeframe, rows: list[int]) -> tuple[Ints, Mapping[int, Floats]]:
        """Return the instants of a grid, and some rows of its graph over all of them."""
        grid = self._program.grids[timeframe]
        closes = self._series.closes(grid.timeframes)
        plain = {n: self._series.column_at(closes, n) for n in grid.graph.columns if n not in grid.held}
        columns = plain | self.shown(grid.held, closes)
        return closes, _rows_over(grid.graph, columns, len(closes), rows, self._block)


def whole_rows(
    graph: Graph, series: Series, timeframe: Timeframe, rows: list[int], *, block: int | None = None
) -> Mapping[int, Floats]:
    """Return some rows of a graph over all bars of its timeframe; one more NaN keeps an empty series indexable."""
    columns = {name: series.column(timeframe, name) for name in graph.columns}
    return _rows_over(graph, columns, len(series.on(timeframe).bars), rows, block)


def _rows_over(
    graph: Graph, columns: Mapping[str, Floats], count: int, rows: list[int], block: int | None
) -> Mapping[int, Floats]:
    out = {row: np.full(count + 1, np.nan) for row in rows}
    block = min(block or graph.block, graph.block, max(count, 1))
    run = graph.start(block)
    for start in range(0, count, block):
        stop = min(start + block, count)
        first = run.push({name: values[start:stop] for name, values in columns.items()}, stop - start)
        for row, values in out.items():
            values[start:stop] = run.x[row, first : first + stop - start]
    return out
