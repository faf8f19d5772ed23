"""One program of many: the programs of several sets merged, equal nodes once, so that each is computed once a block.

What several sets read stands in a plan of its own, which runs first. What only one set reads comes after it, set by
set, into rows that all sets share: a set's loop runs right after its own nodes, while they are still at hand. The few
columns of such rows that the set's nodes look back at are put aside and brought back.

    union = merge([strategy.program for strategy in strategies])
    run = union.start(series, block)
    while run.advance():
        ...     # `walk` passes the block with each member; run.graph.x[member.rows[own_row]] is then the member's row
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from evenkeel.engine.sweep.walk import Seat
from evenkeel.features.graph import Graph, GraphRun, Step
from evenkeel.features.timeline import Grid, Held, Program, Series, grid_rows, whole_rows
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import invariant
from evenkeel.model.time import Timeframe

Source = tuple[Timeframe, bool]
"""A timeframe, and whether its grid of conditions is meant or the graph of its features."""


@dataclass(frozen=True, slots=True)
class Member:
    """A program within a union.

    Attributes:
        number: Its place.
        rows: Row of the union's window, by row of its own graph that decides.
        first: First step of the union's plan that is its own.
        last: The step after its last.
        kept: Rows of its own that it looks back at.
        reach: How many columns back.
    """

    number: int
    rows: dict[int, int]
    first: int
    last: int
    kept: Ints
    reach: int


@dataclass(frozen=True, slots=True)
class Union:
    """Programs merged.

    Attributes:
        program: All of them as one; in the graph that decides, the steps of several members come first.
        shared: How many steps those are.
        members: Where each stands.
    """

    program: Program
    shared: int
    members: tuple[Member, ...]

    def start(self, series: Series, block: int) -> UnionRun:
        """Return a run over an unbroken stretch of bars."""
        return UnionRun(self, series, block)


def shape_of(program: Program) -> object:
    """Return what programs must have in common to be merged: when they decide, and when their grids look."""
    grids = frozenset((timeframe, grid.timeframes) for timeframe, grid in program.grids.items())
    return program.exec, program.decisions is program.graphs[program.exec], grids


def merge(programs: Sequence[Program]) -> Union:
    """Return programs of one shape as one.

    Args:
        programs: At least one.
    """
    invariant(len({shape_of(program) for program in programs}) == 1, "programs of one shape are merged")
    merging = _Merging(programs[0])
    places = [merging.add(program) for program in programs]
    return merging.finish(places)


@dataclass(slots=True)
class _Pool:
    """Steps of several graphs on one timeframe, equal ones once; what they read has been resolved before."""

    columns: dict[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)
    empty: int = 0
    rows: int = 1
    _known: dict[tuple[object, ...], tuple[int, ...]] = field(default_factory=dict)

    def column(self, name: str) -> int:
        if name not in self.columns:
            self.columns[name] = self._new_row()
        return self.columns[name]

    def show(self, shown: Held, row: int) -> int:
        """Return the row that shows a row of another pool."""
        name = f"{shown.timeframe}{'@' if shown.of_grid else '#'}{row}"
        self.held[name] = Held(shown.timeframe, row, shown.of_grid)
        return self.column(name)

    def add(self, step: Step, inputs: tuple[int, ...]) -> tuple[int, ...]:
        key = (step.node.name, inputs, step.params)
        if key not in self._known:
            outputs = tuple(self._new_row() for _ in step.outputs)
            self.steps.append(Step(step.node, step.params, inputs, outputs))
            self._known[key] = outputs
        return self._known[key]

    def build(self) -> Graph:
        return Graph(tuple(self.steps), dict(self.columns), self.rows)

    def _new_row(self) -> int:
        self.rows += 1
        return self.rows - 1


class _Merging:
    """Programs being merged."""

    def __init__(self, like: Program) -> None:
        self._like = like
        self._graphs: dict[Timeframe, _Pool] = {}
        self._grids = {timeframe: _Pool() for timeframe in like.grids}
        self._decisions = _Pool()

    def add(self, program: Program) -> dict[int, int]:
        """Write a program in; return where each row of its graph that decides stands in the merged one."""
        found: dict[Source, dict[int, int]] = {}
        for timeframe, graph in program.graphs.items():
            if graph is not program.decisions:
                found[timeframe, False] = _copy(graph, self._graphs.setdefault(timeframe, _Pool()), {}, {})
        for timeframe, grid in program.grids.items():
            found[timeframe, True] = _copy(grid.graph, self._grids[timeframe], grid.held, found)
        return _copy(program.decisions, self._decisions, program.held, found)

    def finish(self, places: Sequence[dict[int, int]]) -> Union:
        """Return the union, its graph that decides laid out anew."""
        like, decisions = self._like, self._decisions
        graph, shared, members = _lay_out(decisions, places)
        graphs = {timeframe: pool.build() for timeframe, pool in self._graphs.items()}
        if like.decisions is like.graphs[like.exec]:
            graphs[like.exec] = graph
        grids = {
            timeframe: Grid(pool.build(), pool.held, like.grids[timeframe].timeframes)
            for timeframe, pool in self._grids.items()
        }
        return Union(Program(like.exec, graphs, decisions.held, {}, graph, grids), shared, members)


def _copy(
    graph: Graph, pool: _Pool, held: Mapping[str, Held], found: Mapping[Source, dict[int, int]]
) -> dict[int, int]:
    """Write the steps of a graph into a pool; return the new row of each of its rows.

    Args:
        graph: What to write.
        pool: Where to.
        held: Its input columns that show other graphs.
        found: New rows of those other graphs.
    """
    rows = dict.fromkeys(range(graph.rows), pool.empty)
    for name, row in graph.columns.items():
        shown = held.get(name)
        if shown is None:
            rows[row] = pool.column(name)
        else:
            rows[row] = pool.show(shown, found[shown.timeframe, shown.of_grid][shown.row])
    for step in graph.steps:
        outputs = pool.add(step, tuple(rows[row] for row in step.inputs))
        rows.update(zip(step.outputs, outputs, strict=True))
    return rows


def _lay_out(pool: _Pool, places: Sequence[dict[int, int]]) -> tuple[Graph, int, tuple[Member, ...]]:
    """Put what several read first, and the rest set by set into rows that they share.

    Args:
        pool: The graph that decides, of all.
        places: Its row by own row, of each.

    Returns:
        The graph, how many of its steps several read, and where each set stands.
    """
    maker = {row: number for number, step in enumerate(pool.steps) for row in step.outputs}
    needs = [sorted({maker[row] for row in place.values() if row in maker}) for place in places]
    uses = Counter(number for need in needs for number in need)
    shared = [step for number, step in enumerate(pool.steps) if uses[number] > 1]
    wide = [pool.empty, *pool.columns.values(), *(row for step in shared for row in step.outputs)]
    fixed = {row: place for place, row in enumerate(wide)}
    steps, members, rows_needed = [_moved(step, fixed) for step in shared], [], len(fixed)
    for number, (place, need) in enumerate(zip(places, needs, strict=True)):
        own = [pool.steps[one] for one in need if uses[one] == 1]
        narrow = (row for step in own for row in step.outputs)
        rows = fixed | {row: place for place, row in enumerate(narrow, len(fixed))}
        placed = [_moved(step, rows) for step in own]
        backward = [step for step in placed if _lookback(step) > 0]
        kept = {row for step in backward for row in (*step.inputs, *step.outputs) if row >= len(fixed)}
        members.append(
            Member(
                number=number, rows={row: rows[new] for row, new in place.items()}, first=len(steps),
                last=len(steps) + len(placed), kept=np.array(sorted(kept), dtype=np.int64),
                reach=max(map(_lookback, backward), default=0),
            )
        )  # fmt: skip
        steps += placed
        rows_needed = max(rows_needed, len(rows))
    columns = {name: fixed[row] for name, row in pool.columns.items()}
    return Graph(tuple(steps), columns, rows_needed), len(shared), tuple(members)


def _moved(step: Step, rows: Mapping[int, int]) -> Step:
    inputs, outputs = (tuple(rows[row] for row in some) for some in (step.inputs, step.outputs))
    return Step(step.node, step.params, inputs, outputs)


def _lookback(step: Step) -> int:
    return step.node.lookback(dict(step.params))


class UnionRun:
    """A union over a stretch of bars: what several sets read, block by block; `walk` computes what each reads alone.

    Attributes:
        graph: The graph that decides: plan, parameters, state, rows and window.
        kept: Rows that the members' own steps look back at, member by member.
        history: Space for the columns of each of them that are put aside.
        x: The window.
        column: The window column that execution bar 0 has, or would have.
        start: First execution bar of the current block.
        stop: The bar after its last.
        bars: Execution bars of the stretch.
    """

    def __init__(self, union: Union, series: Series, block: int) -> None:
        self._union, self._block = union, block
        program = union.program
        self.bars = series.on(program.exec)
        self.graph: GraphRun = program.decisions.start(
            block, parts=[union.shared, *(member.last for member in union.members)]
        )
        self._held = _Shown(program, series, self.bars.bars.close_ns, block)
        self._plain = {
            name: series.column(program.exec, name) for name in program.decisions.columns if name not in program.held
        }
        self.kept = np.concatenate([member.kept for member in union.members])
        self.history = np.full(sum(len(member.kept) * member.reach for member in union.members), np.nan)
        self.x: Floats = self.graph.x
        self.start = self.stop = self.column = 0

    def advance(self) -> bool:
        """Compute what several sets read over the next block; False at the end of the data."""
        count = min(self._block, len(self.bars.bars) - self.stop)
        if count <= 0:
            return False
        self.start, self.stop = self.stop, self.stop + count
        part = slice(self.start, self.stop)
        columns = {name: values[part] for name, values in self._plain.items()} | self._held.block(part)
        self.column = self.graph.push(columns, count, lines=self.graph.edges[self._union.shared]) - self.start
        return True

    def seat(self, member: Member, ledger: Ints) -> list[int]:
        """Return the columns of a member's line behind those of its venue, see `Seat`."""
        before = self._union.members[: member.number]
        first_kept = sum(len(one.kept) for one in before)
        found = {
            Seat.LEDGER: int(ledger.ctypes.data), Seat.FIRST_LINE: self.graph.edges[member.first],
            Seat.LAST_LINE: self.graph.edges[member.last],
            Seat.FIRST_KEPT: first_kept, Seat.LAST_KEPT: first_kept + len(member.kept), Seat.REACH: member.reach,
            Seat.HISTORY: sum(len(one.kept) * one.reach for one in before), Seat.NUMBER: member.number,
        }  # fmt: skip
        return [found[column] for column in Seat]


class _Shown:
    """What the graph that decides is shown of other graphs, one block at a time."""

    def __init__(self, program: Program, series: Series, instants_ns: Ints, block: int) -> None:
        self._columns: list[tuple[str, Floats, Ints]] = []
        for source in {(held.timeframe, held.of_grid) for held in program.held.values()}:
            timeframe, of_grid = source
            shown = {n: held.row for n, held in program.held.items() if (held.timeframe, held.of_grid) == source}
            rows = sorted(set(shown.values()))
            if of_grid:
                closes, found = grid_rows(program, series, timeframe, rows)
            else:
                closes = series.on(timeframe).bars.close_ns
                found = whole_rows(program.graphs[timeframe], series, timeframe, rows, block=block)
            index = np.searchsorted(closes, instants_ns, side="right") - 1
            self._columns += [(name, found[row], index) for name, row in shown.items()]

    def block(self, part: slice) -> dict[str, Floats]:
        """Return the input columns over some execution bars; one behind the last value of a row is NaN."""
        return {name: values[index[part]] for name, values, index in self._columns}
