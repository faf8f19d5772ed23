"""The promises of a node, put to the test on a generated market: `keel indicators NAME --check`.

Whoever breaks one of them trades differently live than in a backtest: values that depend on where blocks are cut, that
are lost when a run is taken up again, or that know bars still to come.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from evenkeel.data.calendar import load_calendar
from evenkeel.data.synthetic import Walk, random_walk
from evenkeel.features.compute import USES, place
from evenkeel.features.graph import Graph, GraphBuilder
from evenkeel.features.node import Node, Params
from evenkeel.features.timeline import Series
from evenkeel.model.bar import Floats

BARS = 1500
STATE_BARS = 700
"""Where a run is interrupted, and where the future is cut off."""

CUTS = (1, 7, 64, 333)
"""Sizes of blocks that are tried; 1 is a live run."""

OTHER_WALK = Walk(seed=11, start=90.0, sigma_bps=40.0, gap_bps=5.0, wick_bps=15.0)
"""Another future: prices far from those of the first walk."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise and whether it was kept.

    Attributes:
        name: In words.
        detail: Where it was broken first; empty if it was kept.
    """

    name: str
    detail: str

    @property
    def kept(self) -> bool:
        """Whether no breach was found."""
        return not self.detail


@dataclass(frozen=True, slots=True)
class _Subject:
    node: Node
    params: Params
    graph: Graph
    rows: tuple[int, ...]
    columns: Mapping[str, Floats]

    @property
    def names(self) -> list[str]:
        return [output.name for output in self.node.outputs_of(self.params)]

    def run(self, columns: Mapping[str, Floats], block: int = BARS) -> Floats:
        """Return the outputs, a row each, with the bars fed in blocks of this size."""
        edges = [*range(0, BARS, block), BARS]
        run = self.graph.start(block)
        parts = []
        for start, stop in itertools.pairwise(edges):
            first = run.push({name: values[start:stop] for name, values in columns.items()}, stop - start)
            parts.append(run.x[list(self.rows), first : first + stop - start].copy())
        return np.concatenate(parts, axis=1)


def check_promises(node: Node, params: Params) -> list[Promise]:
    """Return every promise of a node and whether it keeps it, with what it reads filled in as `compute` does.

    Args:
        node: An indicator or structure.
        params: Those that differ from the defaults.
    """
    values = node.resolve(params)
    builder = GraphBuilder()
    rows = place(builder, node, values, "close", USES)
    graph = builder.build()
    subject = _Subject(node, values, graph, rows, _columns(graph, Walk(seed=5, start=100.0, sigma_bps=30.0)))
    whole = subject.run(subject.columns)
    checks: list[tuple[str, Callable[[_Subject, Floats], str]]] = [
        ("where blocks are cut changes nothing", _split),
        ("a run taken up again goes on alike", _restored),
        ("bars still to come change nothing", _truncated),
        ("missing prices do not change what came before", _with_holes),
        ("the first values come on the bars that `first` names", _firsts),
        ("nothing but its own outputs is written", _untouched),
    ]
    return [Promise(name, check(subject, whole)) for name, check in checks]


def _split(subject: _Subject, whole: Floats) -> str:
    for size in CUTS:
        found = _difference(subject, whole, subject.run(subject.columns, size))
        if found:
            return f"in blocks of {size}, {found}"
    return ""


def _restored(subject: _Subject, whole: Floats) -> str:
    before = subject.graph.start(STATE_BARS)
    before.push({name: values[:STATE_BARS] for name, values in subject.columns.items()}, STATE_BARS)
    after = subject.graph.start(BARS)
    after.restore(before.checkpoint())
    rest = BARS - STATE_BARS
    first = after.push({name: values[STATE_BARS:] for name, values in subject.columns.items()}, rest)
    later = after.x[list(subject.rows), first : first + rest]
    return _difference(subject, whole[:, STATE_BARS:], later, first_bar=STATE_BARS)


def _truncated(subject: _Subject, whole: Floats) -> str:
    other = _columns(subject.graph, OTHER_WALK)
    joined = {
        name: np.concatenate([values[:STATE_BARS], other[name][STATE_BARS:]])
        for name, values in subject.columns.items()
    }
    found = _difference(subject, whole[:, :STATE_BARS], subject.run(joined)[:, :STATE_BARS])
    return f"with another future, {found}" if found else ""


def _with_holes(subject: _Subject, whole: Floats) -> str:
    holes = {name: values.copy() for name, values in subject.columns.items()}
    for values in holes.values():
        values[STATE_BARS : STATE_BARS + 3] = np.nan
    found = _difference(subject, whole[:, :STATE_BARS], subject.run(holes)[:, :STATE_BARS])
    return found or _split_with(subject, holes)


def _split_with(subject: _Subject, columns: Mapping[str, Floats]) -> str:
    found = _difference(subject, subject.run(columns), subject.run(columns, 7))
    return f"after missing prices, in blocks of 7, {found}" if found else ""


def _firsts(subject: _Subject, whole: Floats) -> str:
    firsts = subject.node.first(subject.params)
    for name, values in zip(subject.names, whole, strict=True):
        present = np.flatnonzero(~np.isnan(values))
        found = int(present[0]) + 1 if len(present) else None
        if name in firsts and found != firsts[name]:
            return f"{name} is declared for bar {firsts[name]} and comes on {f'bar {found}' if found else 'none'}"
    return ""


def _untouched(subject: _Subject, whole: Floats) -> str:
    del whole
    run = subject.graph.start(BARS)
    first = run.push(subject.columns, BARS)
    for name, row in subject.graph.columns.items():
        if not np.array_equal(run.x[row, first : first + BARS], subject.columns[name], equal_nan=True):
            return f"the column {name} is another after it ran"
    return ""


def _difference(subject: _Subject, expected: Floats, found: Floats, *, first_bar: int = 0) -> str:
    """Return where two results first differ by a bit; every missing number is alike."""
    same = (expected == found) | (np.isnan(expected) & np.isnan(found))
    if same.all():
        return ""
    bar = int(np.flatnonzero(~same.all(axis=0))[0])
    output = int(np.flatnonzero(~same[:, bar])[0])
    was, now = expected[output, bar], found[output, bar]
    return f"{subject.names[output]} on bar {first_bar + bar + 1} is {now:g} instead of {was:g}"


def _columns(graph: Graph, walk: Walk) -> dict[str, Floats]:
    series = Series(random_walk(BARS, walk), load_calendar("24/7"))
    return {name: series.column(series.base.timeframe, name) for name in graph.columns}
