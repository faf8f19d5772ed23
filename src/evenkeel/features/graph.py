"""The graph of one timeframe: nodes in order of need, equal ones merged, run over a window of rows.

The window has one row a value and one column a bar. A block of bars is written behind the newest history, every step
runs over the new columns, and the last `reach` columns move to the front before the next block. A backtest uses blocks
of thousands, a live run blocks of one; both are the same call.

    builder = GraphBuilder()
    close = builder.column("close")
    (mean,) = builder.add(find_node("sma"), (close,), {"length": 20})
    run = builder.build().start(block=2048)
    column = run.push({"close": closes}, len(closes))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numba import types

from evenkeel.features.node import LANES_MOST, Node, Params
from evenkeel.kernel import FLOATS, INTS, TABLE, WINDOW, address_of, compiled, invoke, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import invariant

BLOCK_BARS = 2048
"""Bars of a block where nothing else is said."""

BLOCK_BYTES, BLOCK_BARS_LEAST, BLOCK_BARS_MOST = 1 << 20, 1024, 16_384
"""A window stays in the cache of a core, and a call from Python stays cheap beside what it computes."""

POWER_COLUMNS, ODD_COLUMNS = 512, 8
"""Lines of a window that are a multiple of so many columns long get so many more."""

LIVE_SLACK = 256
"""Columns beside the history in a live window: the move to the front happens once in so many bars."""


@dataclass(frozen=True, slots=True)
class Step:
    """A node in its place: where its parameters, state and rows lie."""

    node: Node
    params: tuple[tuple[str, object], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(slots=True)
class GraphBuilder:
    """Collects steps; asking twice for an equal one gives the same rows."""

    _columns: dict[str, int] = field(default_factory=dict)
    _steps: list[Step] = field(default_factory=list)
    _known: dict[tuple[object, ...], tuple[int, ...]] = field(default_factory=dict)
    _missing: int | None = None
    _rows: int = 0

    def column(self, name: str) -> int:
        """Return the row of an input column: a bar column, or a value held from another timeframe."""
        if name not in self._columns:
            self._columns[name] = self._new_row()
        return self._columns[name]

    def missing(self) -> int:
        """Return a row that holds NaN everywhere, for an optional input that is absent."""
        if self._missing is None:
            self._missing = self._new_row()
        return self._missing

    def add(self, node: Node, inputs: Sequence[int], params: Params | None = None) -> tuple[int, ...]:
        """Return the output rows of a node over these input rows, adding it unless an equal one is there."""
        values = node.resolve(params or {})
        key = (node.name, tuple(inputs), tuple(values.items()))
        if key not in self._known:
            outputs = tuple(self._new_row() for _ in node.outputs_of(values))
            self._steps.append(Step(node, tuple(values.items()), tuple(inputs), outputs))
            self._known[key] = outputs
        return self._known[key]

    def build(self) -> Graph:
        """Return the finished graph."""
        return Graph(tuple(self._steps), dict(self._columns), self._rows)

    def _new_row(self) -> int:
        self._rows += 1
        return self._rows - 1


@dataclass(frozen=True, slots=True)
class Graph:
    """An immutable program over a window.

    Attributes:
        steps: In order of need.
        columns: Input column name to row.
        rows: Number of rows of the window.
    """

    steps: tuple[Step, ...]
    columns: dict[str, int]
    rows: int

    @property
    def reach(self) -> int:
        """How many columns of history the window must keep."""
        return max((step.node.lookback(dict(step.params)) for step in self.steps), default=0)

    @property
    def block(self) -> int:
        """How many bars of a block pass fastest: as many as keep the window within the cache, a power of two."""
        bars = BLOCK_BYTES // (8 * max(self.rows, 1))
        return min(max(1 << (bars.bit_length() - 1), BLOCK_BARS_LEAST), BLOCK_BARS_MOST)

    def start(self, block: int = BLOCK_BARS, parts: Sequence[int] = ()) -> GraphRun:
        """Return a run at birth: no bar seen, all state zero, compiled when it was not yet.

        Args:
            block: Most bars of a block.
            parts: Numbers of steps before which a part begins that the caller runs by itself; steps of different parts
                are never made side by side.
        """
        parameters: list[float] = []
        rows: list[int] = []
        lines: list[tuple[int, ...]] = []
        edges: dict[int, int] = {}
        state_size = 0
        for first, last in pairwise(sorted({0, *parts, len(self.steps)})):
            edges[first] = len(lines)
            for steps in side_by_side(self.steps[first:last]):
                node, (values, *_) = steps[0].node, [dict(step.params) for step in steps]
                encoded = [number for step in steps for number in node.encode(dict(step.params))]
                size = len(steps) * node.state(values)
                wired = [*steps[0].inputs, *(row for step in steps for row in step.outputs)]
                lines.append((
                    address_of(node.kernel if len(steps) == 1 else node.lanes), len(parameters),
                    len(parameters) + len(encoded), state_size, state_size + size, len(rows), len(rows) + len(wired),
                ))  # fmt: skip
                parameters += encoded
                rows += wired
                state_size += size
        edges[len(self.steps)] = len(lines)
        compiled(run_block, RUN_SIGNATURE)
        compiled(move_to_front, _MOVE_SIGNATURE)
        return GraphRun(
            graph=self, plan=np.array(lines, dtype=np.int64).reshape(len(lines), 7), p=np.array(parameters),
            s=np.zeros(state_size), r=np.array(rows, dtype=np.int64), x=self._window(self.reach + block),
            reach=self.reach, used=self.reach, edges=edges,
        )  # fmt: skip

    def _window(self, columns: int) -> Floats:
        """Return a window of missing values; its lines lie a cache line more apart than a power of two.

        Steps that write several rows at once would else find all of them in the same few places of the cache.
        """
        return np.full((max(self.rows, 1), columns + (ODD_COLUMNS if columns % POWER_COLUMNS == 0 else 0)), np.nan)


def side_by_side(steps: Sequence[Step]) -> list[list[Step]]:
    """Return steps in order of need, those together that one kernel makes side by side.

    They are of a node that has such a kernel and read the same rows, so that the first of them can wait for nothing
    that the others need. Nothing else is looked at.
    """
    found: list[list[Step]] = []
    open_ones: dict[tuple[str, tuple[int, ...], int], list[Step]] = {}
    for step in steps:
        if step.node.lanes is None:
            found.append([step])
            continue
        kind = step.node.name, step.inputs, step.node.state(dict(step.params))
        if len(open_ones.get(kind, ())) in (0, LANES_MOST):
            open_ones[kind] = []
            found.append(open_ones[kind])
        open_ones[kind].append(step)
    return found


@dataclass(slots=True)
class GraphRun:
    """A graph with its state, fed block by block.

    Attributes:
        graph: The program.
        plan: One line for a step, or for steps side by side: address, and ranges in `p`, `s` and `r`.
        p: Parameters of all steps.
        s: State of all steps.
        r: Row numbers of all steps.
        x: The window.
        reach: Columns of history it keeps.
        used: First free column.
        edges: The line at which a part begins, by the number of its first step; the end of the last one too.
    """

    graph: Graph
    plan: Ints
    p: Floats
    s: Floats
    r: Ints
    x: Floats
    reach: int
    used: int
    edges: dict[int, int]

    def push(self, columns: Mapping[str, Floats], count: int, *, lines: int | None = None) -> int:
        """Append bars and compute every step over them; return the window column of the first of them.

        Args:
            columns: Every input column of the graph, oldest bar first.
            count: Number of bars; each column has this length.
            lines: Run so many lines of the plan only, the first ones; the caller runs the others.
        """
        first = self.free(count, self.reach)
        for name, row in self.graph.columns.items():
            if count == 1:
                self.x[row, first] = columns[name][0]
            else:
                self.x[row, first : first + count] = columns[name]
        run_block(self.plan[:lines], self.p, self.s, self.r, self.x, first, first + count)
        self.used = first + count
        return first

    def free(self, count: int, keep: int) -> int:
        """Return the first of so many free columns; where there are none, `keep` columns move to the front."""
        width = self.x.shape[1]
        invariant(keep + count <= width, "a block is larger than the window", bars=count)
        if self.used + count > width:
            move_to_front(self.x, self.used - keep, keep)
            self.used = keep
        return self.used

    def compute(self, count: int) -> None:
        """Compute every step over columns whose inputs the caller has written, from the first free one on."""
        run_block(self.plan, self.p, self.s, self.r, self.x, self.used, self.used + count)
        self.used += count

    def checkpoint(self) -> tuple[Floats, Floats]:
        """Return the state and the last `reach` columns: all that the future depends on."""
        return self.s.copy(), self.x[:, self.used - self.reach : self.used].copy()

    def restore(self, saved: tuple[Floats, Floats]) -> None:
        """Continue from a checkpoint of the same graph, whatever the width of the window was then."""
        state, history = saved
        invariant(history.shape == (self.x.shape[0], self.reach), "a checkpoint belongs to another graph")
        self.s[:] = state
        self.x[:, : self.reach] = history
        self.used = self.reach


@kernel
def run_block(plan: Ints, p: Floats, s: Floats, r: Ints, x: Floats, start: int, stop: int) -> None:
    """Run every step of a plan over the columns `start <= i < stop`."""
    for k in range(len(plan)):
        t = plan[k]
        invoke(t[0], p[t[1] : t[2]], s[t[3] : t[4]], x, r[t[5] : t[6]], start, stop)


@kernel
def move_to_front(x: Floats, source: int, count: int) -> None:
    """Copy `count` columns from `source` on to the front of the window; a loop beats slice assignment here."""
    for row in range(x.shape[0]):
        line = x[row]
        for i in range(count):
            line[i] = line[source + i]


RUN_SIGNATURE = types.void(TABLE, FLOATS, FLOATS, INTS, WINDOW, types.int64, types.int64)
_MOVE_SIGNATURE = types.void(WINDOW, types.int64, types.int64)
