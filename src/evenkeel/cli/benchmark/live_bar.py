"""One live bar: forty nodes on each of three timeframes, computed for a single new bar."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from evenkeel.cli.benchmark.figure import Figure, timed
from evenkeel.data.synthetic import random_walk
from evenkeel.features.conditions import greater
from evenkeel.features.graph import LIVE_SLACK, Graph, GraphBuilder, GraphRun
from evenkeel.features.registry import find_indicator
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.errors import invariant

TIMEFRAMES = 3
NODES = 40
LIVE_BAR_AIM_US = 10.0
BARS_TIMED = 5_000
SHORT_HISTORY, LONG_HISTORY = 1_000, 200_000

_NODES: tuple[tuple[str, tuple[dict[str, Any], ...]], ...] = (
    ("ema", tuple({"length": n} for n in (5, 10, 20, 50, 100, 200))),
    ("sma", tuple({"length": n} for n in (5, 10, 20, 50, 100, 200))),
    ("rsi", tuple({"length": n} for n in (7, 14, 21))),
    ("roc", tuple({"length": n} for n in (5, 10, 20))),
    ("atr", tuple({"length": n} for n in (7, 14, 21))),
    ("adx", tuple({"length": n} for n in (7, 14))),
    ("bbands", tuple({"length": n} for n in (20, 50))),
    ("stoch", tuple({"k": n} for n in (14, 28))),
    ("donchian", tuple({"lower_length": n, "upper_length": n} for n in (20, 55))),
    ("supertrend", tuple({"length": n} for n in (10, 20))),
    ("macd", ({}, {"fast": 5, "slow": 35, "signal": 5})),
    ("vwap", ({"anchor": "none"},)),
    ("obv", ({},)),
)


def measure_live_bar(runs: int) -> list[Figure]:
    """Measure one bar on all timeframes, after a short and after a long history: they should cost the same."""
    graph = forty_nodes()
    bars = random_walk(LONG_HISTORY + BARS_TIMED)
    figures = []
    for history in (SHORT_HISTORY, LONG_HISTORY):
        graphs = [_fed(graph, bars, history) for _ in range(TIMEFRAMES)]
        columns = [_columns(bars, row, row + 1) for row in range(history, history + BARS_TIMED)]

        def push(graphs: list[GraphRun] = graphs, columns: list[dict[str, Floats]] = columns) -> None:
            _push(graphs, columns)

        timing, _ = timed(push, runs)
        name = f"one bar through {NODES} nodes on {TIMEFRAMES} timeframes, after {history:,} bars"
        figures.append(timing.figure("live", name, unit="us", count=BARS_TIMED, scale=1e6, aim=LIVE_BAR_AIM_US))
    return figures


def forty_nodes() -> Graph:
    """Return a graph of forty nodes: indicators of all kinds, and comparisons of neighbours among them."""
    builder = GraphBuilder()
    rows = []
    for name, variants in _NODES:
        node = find_indicator(name)
        inputs = [builder.column("close" if column == "source" else column) for column in node.inputs]
        rows += [builder.add(node, inputs, params)[0] for params in variants]
    for left, right in itertools.islice(itertools.pairwise(rows), NODES - len(rows)):
        builder.add(greater, (left, right))
    graph = builder.build()
    invariant(len(graph.steps) == NODES, "the graph has as many nodes as it says", nodes=len(graph.steps))
    return graph


def _fed(graph: Graph, bars: Bars, history: int) -> GraphRun:
    run = graph.start(LIVE_SLACK)
    for start in range(0, history, LIVE_SLACK):
        stop = min(start + LIVE_SLACK, history)
        run.push(_columns(bars, start, stop), stop - start)
    return run


def _push(graphs: Sequence[GraphRun], columns: Sequence[dict[str, Floats]]) -> None:
    for bar in columns:
        for graph in graphs:
            graph.push(bar, 1)


def _columns(bars: Bars, start: int, stop: int) -> dict[str, Floats]:
    part = slice(start, stop)
    columns = {"high": bars.high, "low": bars.low, "close": bars.close, "volume": bars.volume}
    return {name: values[part] for name, values in columns.items()} | {"session": bars.close[part] * 0.0}
