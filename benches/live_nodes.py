"""One live bar through forty nodes on each of three timeframes: ours, talipp and TA-Lib, for the same values.

    python benches/live_nodes.py [FOLDER]

FOLDER keeps the environment of talipp, made there once; a temporary one without. The graph is that of
`keel bench --only live`. The others are measured on one timeframe, times three. TA-Lib is measured in two ways: as its
streams, which keep their state, and as its functions over the history at every bar, all of it or a fixed tail, long
enough for the slowest average to forget its seed to nine digits. It needs three functions for most of our adx. A node
counts as the same when one of its outputs is, within 1e-6.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import talib
from talib import stream

from evenkeel.cli.benchmark.live_bar import TIMEFRAMES, forty_nodes
from evenkeel.cli.benchmark.peer import Peer, environment
from evenkeel.data.synthetic import random_walk
from evenkeel.features.graph import LIVE_SLACK, GraphRun
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.errors import DataError

HISTORIES = (1_000, 100_000)
TIMED, RUNS = 2_000, 5
TAIL, RECOMPUTED = 5_000, 20
HIGH, LOW, CLOSE, VOLUME = range(4)
Call = tuple[Any, tuple[int, ...], tuple[float, ...]]
TALIPP = Peer("talipp", "talipp", ("talipp==2.7.0",), ())
Values = dict[str, list[float]]


def main() -> None:
    """Measure and print."""
    with TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if sys.argv[1:] else Path(scratch)
        for history in HISTORIES:
            bars = random_walk(history + TIMED)
            ours_us, values = ours(bars, history)
            print(f"after {history:,} bars: ours {ours_us:.2f} us")
            try:
                report("talipp", *talipp(bars, history, folder), ours_us, values)
            except DataError as error:
                print(f"  talipp was not measured: {error.message}")
            report("TA-Lib streams", *streamed(bars, history), ours_us, values)
            report("TA-Lib over all history", *recomputed(bars, None), ours_us, values)
            if history > TAIL:
                report(f"TA-Lib over the last {TAIL:,} bars", *recomputed(bars, TAIL), ours_us, values)


def report(name: str, us: float, found: Values, ours_us: float, values: Values) -> None:
    """Print a peer's figure and how many of its nodes end on our values."""
    other = sorted(key for key, numbers in found.items() if not any_equal(numbers, values[key]))
    named = f"; other values: {', '.join(other)}" if other else ""
    equal = f"{len(found) - len(other)} of {len(found)} nodes with our values"
    print(f"  {name}: {us:,.1f} us, {us / ours_us:,.1f} times ours; {equal}{named}")


def any_equal(theirs: list[float], ours: list[float]) -> bool:
    return any(np.isclose(one, other, rtol=1e-6, atol=0.0) for one in theirs for other in ours)


def ours(bars: Bars, history: int) -> tuple[float, Values]:
    """Return microseconds a bar on all timeframes, and the newest values by node."""
    columns = {"high": bars.high, "low": bars.low, "close": bars.close, "volume": bars.volume}
    columns["session"] = bars.close * 0.0
    singles = [{name: values[i : i + 1] for name, values in columns.items()} for i in range(history, len(bars))]
    best = np.inf
    for _ in range(RUNS):
        runs = [fed(columns, history) for _ in range(TIMEFRAMES)]
        began = time.perf_counter()
        for single in singles:
            for run in runs:
                run.push(single, 1)
        best = min(best, (time.perf_counter() - began) * 1e6 / len(singles))
    newest = runs[0].x[:, runs[0].used - 1]
    values = {}
    for step in runs[0].graph.steps:
        params = dict(step.params)
        first = next((str(params[key]) for key in ("length", "lower_length", "fast", "k") if key in params), "")
        values[step.node.name + first] = [float(newest[row]) for row in step.outputs]
    return best, values


def fed(columns: dict[str, Floats], history: int) -> GraphRun:
    run = forty_nodes().start(LIVE_SLACK)
    for start in range(0, history, LIVE_SLACK):
        stop = min(start + LIVE_SLACK, history)
        run.push({name: values[start:stop] for name, values in columns.items()}, stop - start)
    return run


def talipp(bars: Bars, history: int, folder: Path) -> tuple[float, Values]:
    """Return the same for talipp.

    Raises:
        DataError: If it cannot be installed.
    """
    python = environment(TALIPP, folder, print)
    series = folder / "series.f64"
    series.write_bytes(np.stack([bars.high, bars.low, bars.close, bars.volume], axis=1).tobytes())
    script = Path(__file__).with_name("talipp_live.py")
    command = [str(python), "-I", str(script), str(series), str(history), str(TIMED)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found["ns"] * TIMEFRAMES / 1e3, found["values"]


def recomputed(bars: Bars, tail: int | None) -> tuple[float, Values]:
    """Return the same for TA-Lib's functions over the history at every bar, or over its last `tail` bars."""
    best, found = np.inf, {}
    for stop in range(len(bars) - RECOMPUTED, len(bars) + 1):
        part = slice(0 if tail is None else stop - tail, stop)
        columns = [column[part] for column in (bars.high, bars.low, bars.close, bars.volume)]
        began = time.perf_counter()
        found = {
            name: [function(*(columns[i] for i in read), *args) for function, read, args in parts]
            for name, parts in calls(talib).items()
        }
        best = min(best, time.perf_counter() - began)
    return best * TIMEFRAMES * 1e6, {name: last_of(value) for name, value in found.items()}


def streamed(bars: Bars, history: int) -> tuple[float, Values]:
    """Return the same for TA-Lib's streams: objects that keep their state and take one bar."""
    columns = (bars.high, bars.low, bars.close, bars.volume)
    best, values = np.inf, {}
    for _ in range(RUNS):
        streams = {
            name: [
                (function(*(columns[i][:history] for i in read), *args).update, read) for function, read, args in parts
            ]
            for name, parts in calls(stream).items()
        }
        steps = [step for parts in streams.values() for step in parts]
        singles = list(zip(*(column[history:].tolist() for column in columns), strict=True))
        began = time.perf_counter()
        for bar in singles[:-1]:
            for update, read in steps:
                update(*[bar[i] for i in read])
        best = min(best, (time.perf_counter() - began) * 1e6 / (len(singles) - 1))
        values = {
            name: last_of([update(*[singles[-1][i] for i in read]) for update, read in parts])
            for name, parts in streams.items()
        }
    return best * TIMEFRAMES, values


def calls(of: Any) -> dict[str, list[Call]]:
    """Return what each of our nodes needs of TA-Lib: functions, the columns that they read, and parameters."""
    bar, close = (HIGH, LOW, CLOSE), (CLOSE,)
    found: dict[str, list[Call]] = {f"ema{n}": [(of.EMA, close, (n,))] for n in (5, 10, 20, 50, 100, 200)}
    found |= {f"sma{n}": [(of.SMA, close, (n,))] for n in (5, 10, 20, 50, 100, 200)}
    found |= {f"rsi{n}": [(of.RSI, close, (n,))] for n in (7, 14, 21)}
    found |= {f"roc{n}": [(of.ROC, close, (n,))] for n in (5, 10, 20)}
    found |= {f"bbands{n}": [(of.BBANDS, close, (n, 2.0, 2.0))] for n in (20, 50)}
    found |= {"macd12": [(of.MACD, close, (12, 26, 9))], "macd5": [(of.MACD, close, (5, 35, 5))]}
    found |= {f"atr{n}": [(of.ATR, bar, (n,))] for n in (7, 14, 21)}
    found |= {f"adx{n}": [(function, bar, (n,)) for function in (of.ADX, of.PLUS_DI, of.MINUS_DI)] for n in (7, 14)}
    found |= {f"stoch{n}": [(of.STOCH, bar, (n, 3, 0, 3, 0))] for n in (14, 28)}
    found |= {f"donchian{n}": [(of.DONCHIAN, (HIGH, LOW), (n,))] for n in (20, 55)}
    found |= {f"supertrend{n}": [(of.SUPERTREND, bar, (n, 3.0))] for n in (10, 20)}
    return found | {"vwap": [(of.VWAP, (*bar, VOLUME), ())], "obv": [(of.OBV, (CLOSE, VOLUME), ())]}


def last_of(results: list[Any]) -> list[float]:
    """Return the newest number of every output of every result."""
    outputs = [part for result in results for part in (result if isinstance(result, tuple) else (result,))]
    return [float(np.asarray(output).reshape(-1)[-1]) for output in outputs]


if __name__ == "__main__":
    main()
