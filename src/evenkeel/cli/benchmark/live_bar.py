"""One live bar: the nodes of three timeframes for a single new bar, and a closed bar on its whole way to a decision."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from evenkeel.cli.benchmark.figure import Figure, timed
from evenkeel.cli.benchmark.workload import WORKLOADS
from evenkeel.data.calendar import load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.data.synthetic import random_walk
from evenkeel.features.conditions import greater
from evenkeel.features.graph import LIVE_SLACK, Graph, GraphBuilder, GraphRun
from evenkeel.features.live import LiveFeatures
from evenkeel.features.registry import find_indicator
from evenkeel.features.timeline import Program, ProgramBuilder
from evenkeel.model.bar import Bars, BarValues, Floats
from evenkeel.model.errors import invariant
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.program import PlayStrategy

TIMEFRAMES = 3
NODES = 40
LIVE_BAR_AIM_US = 10.0
BARS_TIMED = 5_000
SHORT_HISTORY, LONG_HISTORY = 1_000, 200_000
CLOSED_RUNS_MOST = 12
"""So many runs, the one that warms up included, have bars of their own."""

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


def measure_closed_bar(runs: int) -> list[Figure]:
    """Measure closed minutes by value on their way to the row that decides, and what is kept for a restart.

    Inside: is it the next bar, to which higher bars does it belong, their aggregation, every graph on whose timeframe a
    bar closed, and the row of the decision.
    """
    known = Definitions.load()
    cross = PlayStrategy(load_play(WORKLOADS["W1"].play, instruments=known.find)).program
    figures = []
    for name, program in (("W1", cross), (f"{NODES} nodes on {TIMEFRAMES} timeframes", forty_nodes_each())):
        features, bars = LiveFeatures(program, Timeframe.parse("1m"), load_calendar("24/7")), _values()
        for bar in bars[:SHORT_HISTORY]:
            features.extend((bar,))
        left = iter(bars[SHORT_HISTORY:])

        def decide(features: LiveFeatures = features, left: Iterator[BarValues] = left) -> None:
            for bar in itertools.islice(left, BARS_TIMED):
                for closed in features.extend((bar,)):
                    features.at(0, closed)

        timing, _ = timed(decide, runs)
        what = f"{name}: one closed minute, until the row of its decision"
        figures.append(timing.figure("live", what, unit="us", count=BARS_TIMED, scale=1e6, aim=LIVE_BAR_AIM_US))
        timing, saved = timed(features.saved, runs)
        what = f"{name}: state for a restart, {len(saved):,} bytes"
        figures.append(timing.figure("live", what, unit="us", count=1, scale=1e6))
    return figures


def _values() -> list[BarValues]:
    """Return the minutes of a walk, as a feed tells them: enough for each of the runs."""
    bars = random_walk(SHORT_HISTORY + CLOSED_RUNS_MOST * BARS_TIMED)
    names = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
    rows = zip(*(getattr(bars, name).tolist() for name in names), strict=True)
    return [BarValues(**dict(zip(names, row, strict=True))) for row in rows]


def forty_nodes_each() -> Program:
    """Return a program of forty nodes on each of three timeframes; what decides is shown the slower ones."""
    first, *slower = (Timeframe.parse(name) for name in ("1m", "15m", "1h"))
    builder = ProgramBuilder(first)
    _add_forty(builder.on(first))
    for timeframe in slower:
        for row in _add_forty(builder.on(timeframe)):
            builder.hold(timeframe, row)
    return builder.build()


def forty_nodes() -> Graph:
    """Return a graph of forty nodes: indicators of all kinds, and comparisons of neighbours among them."""
    builder = GraphBuilder()
    _add_forty(builder)
    graph = builder.build()
    invariant(len(graph.steps) == NODES, "the graph has as many nodes as it says", nodes=len(graph.steps))
    return graph


def _add_forty(builder: GraphBuilder) -> list[int]:
    """Add the forty nodes; return the rows of the indicators among them."""
    rows = []
    for name, variants in _NODES:
        node = find_indicator(name)
        inputs = [builder.column("close" if column == "source" else column) for column in node.inputs]
        rows += [builder.add(node, inputs, params)[0] for params in variants]
    for left, right in itertools.islice(itertools.pairwise(rows), NODES - len(rows)):
        builder.add(greater, (left, right))
    return rows


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
