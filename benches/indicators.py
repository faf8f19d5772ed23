"""What each indicator costs in batch, beside TA-Lib in the same run: nanoseconds a bar over a million bars.

    python benches/indicators.py [NAME ...] [--bars N] [--runs N] [--json]

`kernel` is our kernel alone, on blocks of 2,048 bars that already lie in the window and in the cache: that favours us.
`graph` is all that a graph of this one node pays, the copy of its columns into the window included: that favours
TA-Lib, for which they are ready. `TA-Lib` is its function of that name over whole columns; `same outputs` is all its
functions that are needed for the same outputs, where one is not enough. Runs are interleaved and the fastest counts: on
a shared machine the minimum is the figure that comes back. `values` says whether the newest values of an output agree
to 1e-6; docs/reference/indicator_agreement.md tells why some do not.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import talib

from evenkeel.data.synthetic import random_walk
from evenkeel.features.graph import BLOCK_BARS, Graph, GraphBuilder, move_to_front, run_block
from evenkeel.features.node import Node
from evenkeel.features.registry import all_indicators
from evenkeel.model.bar import Floats

Columns = dict[str, Floats]
Library = Callable[[Columns], object]

BARS, RUNS, CHECKED = 1_000_000, 9, 500
RATIO_AIM = 1.5
PARAMS = {"vwap": {"anchor": "none"}}
"""Where the defaults are not what TA-Lib computes."""


@dataclass(frozen=True, slots=True)
class Rival:
    """What TA-Lib has for an indicator: its function of that name, and all it needs for the same outputs."""

    main: Library
    same: Library | None = None


def on_close(function: Callable[..., object], *args: float) -> Library:
    return lambda c: function(c["close"], *args)


def on_range(function: Callable[..., object], *args: float) -> Library:
    return lambda c: function(c["high"], c["low"], *args)


def on_bar(function: Callable[..., object], *args: float) -> Library:
    return lambda c: function(c["high"], c["low"], c["close"], *args)


def each(*parts: Library) -> Library:
    return lambda c: [part(c) for part in parts]


RIVALS: dict[str, Rival] = {
    "ema": Rival(on_close(talib.EMA, 20)),
    "sma": Rival(on_close(talib.SMA, 20)),
    "wma": Rival(on_close(talib.WMA, 20)),
    "dema": Rival(on_close(talib.DEMA, 20)),
    "tema": Rival(on_close(talib.TEMA, 20)),
    "trima": Rival(on_close(talib.TRIMA, 20)),
    "kama": Rival(on_close(talib.KAMA, 10)),
    "linreg": Rival(on_close(talib.LINEARREG, 14)),
    "midprice": Rival(on_range(talib.MIDPRICE, 14)),
    "ohlc4": Rival(lambda c: talib.AVGPRICE(c["open"], c["high"], c["low"], c["close"])),
    "rsi": Rival(on_close(talib.RSI, 14)),
    "cci": Rival(on_bar(talib.CCI, 14)),
    "willr": Rival(on_bar(talib.WILLR, 14)),
    "roc": Rival(on_close(talib.ROC, 10)),
    "mom": Rival(on_close(talib.MOM, 10)),
    "cmo": Rival(on_close(talib.CMO, 14)),
    "mfi": Rival(lambda c: talib.MFI(c["high"], c["low"], c["close"], c["volume"], 14)),
    "uo": Rival(on_bar(talib.ULTOSC, 7, 14, 28)),
    "obv": Rival(lambda c: talib.OBV(c["close"], c["volume"])),
    "atr": Rival(on_bar(talib.ATR, 14)),
    "natr": Rival(on_bar(talib.NATR, 14)),
    "macd": Rival(on_close(talib.MACD, 12, 26, 9)),
    "ppo": Rival(on_close(talib.PPO, 12, 26, 0)),
    "trix": Rival(on_close(talib.TRIX, 18)),
    "bbands": Rival(on_close(talib.BBANDS, 20, 2.0, 2.0)),
    "donchian": Rival(on_range(talib.DONCHIAN, 20)),
    "zlma": Rival(on_close(talib.ZLEMA, 20)),
    "vwap": Rival(lambda c: talib.VWAP(c["high"], c["low"], c["close"], c["volume"])),
    "cmf": Rival(lambda c: talib.CMF(c["high"], c["low"], c["close"], c["volume"], 20)),
    "tsi": Rival(on_close(talib.TSI, 25, 13)),
    "kc": Rival(on_bar(talib.KC, 20, 20, 2.0)),
    "vortex": Rival(on_bar(talib.VORTEX, 14)),
    "supertrend": Rival(on_bar(talib.SUPERTREND, 10, 3.0)),
    "stoch": Rival(on_bar(talib.STOCH, 14, 3, 0, 3, 0)),
    "stochrsi": Rival(on_close(talib.STOCHRSI, 14, 14, 3, 0)),
    "adx": Rival(
        on_bar(talib.ADX, 14),
        each(*(on_bar(f, 14) for f in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI, talib.ADXR))),
    ),
    "dm": Rival(each(on_range(talib.PLUS_DM, 14), on_range(talib.MINUS_DM, 14))),
    "aroon": Rival(on_range(talib.AROON, 25), each(on_range(talib.AROON, 25), on_range(talib.AROONOSC, 25))),
    "psar": Rival(on_range(talib.SAR, 0.02, 0.2)),
}


@dataclass(slots=True)
class Cost:
    """The least nanoseconds a bar, and how the first outputs compare."""

    kernel: float = np.inf
    graph: float = np.inf
    main: float | None = None
    same: float | None = None
    check: str = ""

    @property
    def ratio(self) -> float | None:
        """Our kernel over TA-Lib's function: below 1 we are faster."""
        return None if self.main is None else self.kernel / self.main


@dataclass(slots=True)
class Candidate:
    """An indicator, wired to its columns."""

    node: Node
    graph: Graph
    rows: tuple[int, ...]
    columns: Columns
    cost: Cost

    def measure(self) -> None:
        """Time everything once and keep the least; compare the newest values of the last block."""
        cost, rival = self.cost, RIVALS.get(self.node.name)
        newest = self.measure_ours()
        if rival is not None:
            main, same = rival.main, rival.same or rival.main
            cost.main = min(cost.main or np.inf, self.ns(lambda: main(self.columns)))
            cost.same = min(cost.same or np.inf, self.ns(lambda: same(self.columns))) if rival.same else cost.main
            cost.check = cost.check or ("equal" if agrees(newest, main(self.columns)) else "differs")

    def measure_ours(self) -> Floats:
        """Time the graph, and of it the kernel; return the newest values."""
        clock, run, count = time.perf_counter, self.graph.start(BLOCK_BARS), len(self.columns["close"])
        in_kernel = 0.0
        for start in range(0, count, BLOCK_BARS):
            stop = min(start + BLOCK_BARS, count)
            if run.used > run.reach:
                move_to_front(run.x, run.used - run.reach, run.reach)
            first, run.used = run.reach, run.reach + stop - start
            for name, row in run.graph.columns.items():
                run.x[row, first : run.used] = self.columns[name][start:stop]
            began = clock()
            run_block(run.plan, run.p, run.s, run.r, run.x, first, run.used)
            in_kernel += clock() - began
        self.cost.kernel = min(self.cost.kernel, in_kernel * 1e9 / count)
        self.cost.graph = min(self.cost.graph, self.ns(self.run_graph))
        return run.x[list(self.rows), run.used - CHECKED : run.used]

    def run_graph(self) -> None:
        run, count = self.graph.start(BLOCK_BARS), len(self.columns["close"])
        for start in range(0, count, BLOCK_BARS):
            stop = min(start + BLOCK_BARS, count)
            run.push({name: self.columns[name][start:stop] for name in run.graph.columns}, stop - start)

    def ns(self, work: Callable[[], object]) -> float:
        began = time.perf_counter()
        work()
        return (time.perf_counter() - began) * 1e9 / len(self.columns["close"])


def agrees(ours: Floats, theirs: object) -> bool:
    """Return whether one of our outputs is one of TA-Lib's."""
    parts = theirs if isinstance(theirs, list | tuple) else (theirs,)
    return any(np.allclose(mine, np.asarray(part)[-CHECKED:], rtol=1e-6) for mine in ours for part in parts)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--bars", type=int, default=BARS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    costs = measured(given.names or list(all_indicators()), given.bars, given.runs)
    if given.json:
        print(json.dumps({name: vars_of(cost) for name, cost in costs.items()}, indent=1))
    else:
        print_costs(costs)


def measured(names: list[str], bars: int, runs: int) -> dict[str, Cost]:
    """Return the cost of each of these indicators."""
    walk = random_walk(bars)
    columns = {name: getattr(walk, name) for name in ("open", "high", "low", "close", "volume")}
    columns["session"] = np.floor(np.arange(bars) / 1440.0)
    costs = {name: Cost() for name in names}
    candidates = [wired(all_indicators()[name], columns, cost) for name, cost in costs.items()]
    for _ in range(runs):
        for candidate in candidates:
            candidate.measure()
    return costs


def wired(node: Node, columns: Columns, cost: Cost) -> Candidate:
    """Return an indicator in a graph of its own."""
    builder = GraphBuilder()
    inputs = [builder.column("close" if name == "source" else name) for name in node.inputs]
    rows = builder.add(node, inputs, PARAMS.get(node.name))
    return Candidate(node, builder.build(), rows, columns, cost)


def vars_of(cost: Cost) -> dict[str, float | str | None]:
    return {name: getattr(cost, name) for name in ("kernel", "graph", "main", "same", "ratio", "check")}


def print_costs(costs: dict[str, Cost]) -> None:
    """Print the table, as in docs/develop/indicator_speed.md, and how the aims were met."""
    print("| indicator | kernel | graph | TA-Lib | same outputs | kernel / TA-Lib | graph / TA-Lib | values |")
    print("|---|---:|---:|---:|---:|---:|---:|---|")
    for name, cost in costs.items():
        ours = f"{cost.kernel:.2f} | {cost.graph:.2f}"
        if cost.main is None or cost.same is None:
            print(f"| {name} | {ours} | - | - | - | - | |")
            continue
        both = f"{cost.kernel / cost.main:.2f} | {cost.graph / cost.main:.2f}"
        print(f"| {name} | {ours} | {cost.main:.2f} | {cost.same:.2f} | {both} | {cost.check} |")
    compared = {name: cost for name, cost in costs.items() if cost.main is not None}
    for title in ("kernel", "graph"):
        ratios = {name: getattr(cost, title) / cost.main for name, cost in compared.items()}
        faster = [name for name, ratio in ratios.items() if ratio < 1.0]
        slow = [name for name, ratio in ratios.items() if ratio > RATIO_AIM]
        equal = sum(compared[name].check == "equal" for name in faster)
        print(f"\n{title}: faster than TA-Lib {len(faster)} of {len(ratios)}, of these {equal} with equal values")
        print(f"slower than {RATIO_AIM} times, {len(slow)}: {', '.join(slow) or 'none'}")


if __name__ == "__main__":
    main()
