"""One bar at a time through talipp: run by `live_nodes.py` in an environment that has it; imports nothing of ours.

    python talipp_live.py SERIES.f64 HISTORY TIMED

SERIES holds high, low, close and volume of bar after bar, as float64. Writes the nanoseconds a bar, the version and
the newest values as JSON.
"""

# mypy: ignore-errors

import json
import sys
import time
from array import array
from importlib.metadata import version
from pathlib import Path

from talipp.indicators import ADX, ATR, BB, EMA, MACD, OBV, ROC, RSI, SMA, VWAP, DonchianChannels, Stoch, SuperTrend
from talipp.ohlcv import OHLCV


def main(path, history, timed):
    numbers = array("d")
    numbers.frombytes(Path(path).read_bytes())
    bars = [OHLCV(c, h, low, c, v) for h, low, c, v in zip(*(numbers[i::4] for i in range(4)), strict=True)]
    on_close, on_bar = nodes()
    feed(on_close, on_bar, bars[:history])
    seconds = []
    for start in range(history, history + timed, timed // 5):
        part = bars[start : start + timed // 5]
        began = time.perf_counter()
        feed(on_close, on_bar, part)
        seconds.append((time.perf_counter() - began) / len(part))
    newest = {name: value_of(node[-1]) for name, node in {**on_close, **on_bar}.items()}
    print(json.dumps({"ns": min(seconds) * 1e9, "version": version("talipp"), "values": newest}))


def nodes():
    """The indicators of our graph of forty nodes, in the same order."""
    on_close = {f"ema{n}": EMA(n) for n in (5, 10, 20, 50, 100, 200)}
    on_close |= {f"sma{n}": SMA(n) for n in (5, 10, 20, 50, 100, 200)}
    on_close |= {f"rsi{n}": RSI(n) for n in (7, 14, 21)}
    on_close |= {f"roc{n}": ROC(n) for n in (5, 10, 20)}
    on_close |= {f"bbands{n}": BB(n, 2.0) for n in (20, 50)}
    on_close |= {"macd12": MACD(12, 26, 9), "macd5": MACD(5, 35, 5)}
    on_bar = {f"atr{n}": ATR(n) for n in (7, 14, 21)}
    on_bar |= {f"adx{n}": ADX(n, n) for n in (7, 14)}
    on_bar |= {f"stoch{n}": Stoch(n, 3) for n in (14, 28)}
    on_bar |= {f"donchian{n}": DonchianChannels(n) for n in (20, 55)}
    on_bar |= {f"supertrend{n}": SuperTrend(n, 3) for n in (10, 20)}
    on_bar |= {"vwap": VWAP(), "obv": OBV()}
    return on_close, on_bar


def feed(on_close, on_bar, bars):
    by_close, by_bar = list(on_close.values()), list(on_bar.values())
    for bar in bars:
        close = bar.close
        for node in by_close:
            node.add(close)
        for node in by_bar:
            node.add(bar)


def value_of(value):
    """All numbers of a value."""
    parts = [value] if isinstance(value, float | int) else [getattr(value, key) for key in value.__dataclass_fields__]
    return [float(part) for part in parts if isinstance(part, float | int)]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
