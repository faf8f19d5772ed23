"""A graph without what nobody reads: for runs that look at a few rows only, with the same bits in those.

A step is left out when no row that it writes is read, by the caller or by a step that stays. Where `met` closes a
comparison or a connective that nobody else reads, one pass writes the answer: UNKNOWN is not met, so the three-valued
row between them is never needed.

    lean(graph, read={wake_flat, wake_hold})
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from evenkeel.features.conditions import both, either, greater, greater_equal, met
from evenkeel.features.graph import Graph, Step
from evenkeel.features.node import condition
from evenkeel.features.timeline import Program
from evenkeel.model.bar import Floats, Ints


@condition("met_greater", inputs=("a", "b"), formula="1 where a > b, else 0")
def met_greater(p: Floats, s: Floats, x: Floats, r: Ints, start: int, stop: int) -> None:
    """`greater`, then `met`."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = 1.0 if a[i] > b[i] else 0.0


@condition("met_greater_equal", inputs=("a", "b"), formula="1 where a >= b, else 0")
def met_greater_equal(p: Floats, s: Floats, x: Floats, r: Ints, start: int, stop: int) -> None:
    """`greater_equal`, then `met`."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = 1.0 if a[i] >= b[i] else 0.0


@condition("met_both", inputs=("a", "b"), formula="1 where a and b are TRUE, else 0")
def met_both(p: Floats, s: Floats, x: Floats, r: Ints, start: int, stop: int) -> None:
    """`both`, then `met`: FALSE or UNKNOWN beside TRUE is not TRUE."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = 1.0 if (a[i] == 1.0) & (b[i] == 1.0) else 0.0


@condition("met_either", inputs=("a", "b"), formula="1 where a or b is TRUE, else 0")
def met_either(p: Floats, s: Floats, x: Floats, r: Ints, start: int, stop: int) -> None:
    """`either`, then `met`: nothing beside TRUE keeps it from being TRUE."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = 1.0 if (a[i] == 1.0) | (b[i] == 1.0) else 0.0


CLOSED = {
    greater.name: met_greater, greater_equal.name: met_greater_equal, both.name: met_both, either.name: met_either,
}  # fmt: skip
"""What `met` of such a node is in one pass."""


def lean(graph: Graph, read: Collection[int]) -> Graph:
    """Return a graph that makes some rows of another and nothing else; the rows keep their numbers.

    Args:
        graph: The whole.
        read: Rows that the caller reads.
    """
    steps = _needed(_closed(_needed(graph.steps, read), read), read)
    used = {*read, *(row for step in steps for row in step.inputs)}
    return Graph(tuple(steps), {name: row for name, row in graph.columns.items() if row in used}, graph.rows)


def lean_program(program: Program, read: Collection[int]) -> Program:
    """Return a program whose graph that decides makes some of its rows and nothing else."""
    decisions = lean(program.decisions, read)
    own = program.decisions is program.graphs.get(program.exec)
    graphs = {**program.graphs, program.exec: decisions} if own else program.graphs
    held = {name: one for name, one in program.held.items() if name in decisions.columns}
    return replace(program, graphs=graphs, decisions=decisions, held=held)


def _needed(steps: Collection[Step], read: Collection[int]) -> list[Step]:
    """Return the steps that lead to rows that are read."""
    wanted, kept = set(read), []
    for step in reversed(list(steps)):
        if not wanted.isdisjoint(step.outputs):
            wanted.update(step.inputs)
            kept.append(step)
    return kept[::-1]


def _closed(steps: Collection[Step], read: Collection[int]) -> list[Step]:
    """Return the steps with each `met` that can be made in one pass with the condition that it closes."""
    readers = Counter(row for step in steps for row in step.inputs)
    maker = {step.outputs[0]: step for step in steps if step.node.name in CLOSED}
    found = []
    for step in steps:
        inner = maker.get(step.inputs[0]) if step.node.name == met.name else None
        if inner is None or inner.outputs[0] in read or readers[inner.outputs[0]] > 1:
            found.append(step)
        else:
            found.append(Step(CLOSED[inner.node.name], inner.params, inner.inputs, step.outputs))
    return found
