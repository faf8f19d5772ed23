"""Indicators as `plays.md` 3 words them: lists, whole windows, no state, no shortcut."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

NAN = math.nan
Series = Sequence[float]
Outputs = dict[str, list[float]]
FLAT = 1e-12


def mean(values: Series) -> float:
    return math.fsum(values) / len(values)


def flat(low: float, high: float) -> bool:
    return high - low <= FLAT * max(abs(low), abs(high))


def average(values: Series, n: int, alpha: float) -> list[float]:
    """EMA and RMA: seeded at the n-th input with the mean of the first n."""
    result = [NAN] * len(values)
    for i in range(n - 1, len(values)):
        result[i] = mean(values[:n]) if i == n - 1 else result[i - 1] + alpha * (values[i] - result[i - 1])
    return result


def average_from_first(values: Series, alpha: float) -> list[float]:
    """EMA1 and RMA1: seeded with the first input."""
    result: list[float] = []
    for value in values:
        result.append(result[-1] + alpha * (value - result[-1]) if result else value)
    return result


def then(values: Series, stage: Callable[[Series], list[float]]) -> list[float]:
    """Apply a stage to what follows the leading missing values: it counts from the first value."""
    start = next((i for i, v in enumerate(values) if not math.isnan(v)), len(values))
    return [NAN] * start + stage(values[start:])


def simple(values: Series, n: int) -> list[float]:
    return [mean(values[i - n + 1 : i + 1]) if i >= n - 1 else NAN for i in range(len(values))]


def true_ranges(high: Series, low: Series, close: Series) -> list[float]:
    result = []
    for i in range(len(close)):
        if i == 0:
            result.append(high[0] - low[0])
        else:
            result.append(max(high[i] - low[i], abs(high[i] - close[i - 1]), abs(low[i] - close[i - 1])))
    return result


def ema(p: Any, source: Series) -> Outputs:
    return {"value": average(source, p["length"], 2 / (p["length"] + 1))}


def sma(p: Any, source: Series) -> Outputs:
    return {"value": simple(source, p["length"])}


def rsi(p: Any, source: Series) -> Outputs:
    n = p["length"]
    changes = [b - a for a, b in itertools.pairwise(source)]
    gains = average_from_first([max(c, 0.0) for c in changes], 1 / n)
    losses = average_from_first([max(-c, 0.0) for c in changes], 1 / n)
    result = [NAN] * len(source)
    for i in range(n, len(source)):
        both = gains[i - 1] + losses[i - 1]
        result[i] = 50.0 if both == 0 else 100 * gains[i - 1] / both
    return {"value": result}


def roc(p: Any, source: Series) -> Outputs:
    n = p["length"]
    result = [NAN] * len(source)
    for i in range(n, len(source)):
        result[i] = 100 * (source[i] / source[i - n] - 1) if source[i - n] != 0 else NAN
    return {"value": result}


def obv(p: Any, close: Series, volume: Series) -> Outputs:
    moves = []
    for i in range(1, len(close)):
        moves.append(volume[i] if close[i] > close[i - 1] else -volume[i] if close[i] < close[i - 1] else 0.0)
    return {"value": [math.fsum(moves[:i]) if i else NAN for i in range(len(close))]}


def atr(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    return {"value": average(true_ranges(high, low, close), p["length"], 1 / p["length"])}


def vwap(p: Any, high: Series, low: Series, close: Series, volume: Series, session: Series) -> Outputs:
    """`session` is the number of the period already; each bar has volume."""
    result = []
    for i in range(len(close)):
        start = session.index(session[i])
        money = math.fsum((high[j] + low[j] + close[j]) / 3 * volume[j] for j in range(start, i + 1))
        result.append(money / math.fsum(volume[start : i + 1]))
    return {"value": result}


def macd(p: Any, source: Series) -> Outputs:
    fast = average(source, p["fast"], 2 / (p["fast"] + 1))
    slow = average(source, p["slow"], 2 / (p["slow"] + 1))
    line = [a - b for a, b in zip(fast, slow, strict=True)]
    signal = then(line, lambda x: average(x, p["signal"], 2 / (p["signal"] + 1)))
    return {"macd": line, "signal": signal, "histogram": [a - b for a, b in zip(line, signal, strict=True)]}


def bbands(p: Any, source: Series) -> Outputs:
    n, width = p["length"], p["std"]
    rows: Outputs = {name: [NAN] * len(source) for name in ("lower", "middle", "upper", "bandwidth", "percent_b")}
    for i in range(n - 1, len(source)):
        window = source[i - n + 1 : i + 1]
        # Exact fractions: at prices of 1e12 a rounded mean would be the largest error of all.
        exact = sum(map(Fraction, window)) / n
        centre, distances = float(exact), [float(Fraction(v) - exact) for v in window]
        is_flat = flat(min(window), max(window))
        deviation = 0.0 if is_flat else math.sqrt(math.fsum(d * d for d in distances) / (n - 1))
        rows["lower"][i], rows["middle"][i] = centre - width * deviation, centre
        rows["upper"][i] = centre + width * deviation
        rows["bandwidth"][i] = 100 * (2 * width * deviation) / centre if centre != 0 else NAN
        rows["percent_b"][i] = 0.5 if is_flat else 0.5 + distances[-1] / (2 * width * deviation)
    return rows


def donchian(p: Any, high: Series, low: Series) -> Outputs:
    count, n_low, n_high = len(high), p["lower_length"], p["upper_length"]
    lower = [min(low[i - n_low + 1 : i + 1]) if i >= n_low - 1 else NAN for i in range(count)]
    upper = [max(high[i - n_high + 1 : i + 1]) if i >= n_high - 1 else NAN for i in range(count)]
    return {"lower": lower, "middle": [(a + b) / 2 for a, b in zip(lower, upper, strict=True)], "upper": upper}


def stoch(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    n = p["k"]
    raw = [NAN] * len(close)
    for i in range(n - 1, len(close)):
        bottom, top = min(low[i - n + 1 : i + 1]), max(high[i - n + 1 : i + 1])
        raw[i] = 50.0 if flat(bottom, top) else 100 * (close[i] - bottom) / (top - bottom)
    k = then(raw, lambda x: simple(x, p["smooth_k"]))
    d = then(k, lambda x: simple(x, p["d"]))
    return {"k": [a if not math.isnan(b) else NAN for a, b in zip(k, d, strict=True)], "d": d}


def adx(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    n, count = p["length"], len(close)
    rows: Outputs = {name: [NAN] * count for name in ("adx", "dmp", "dmn", "adxr")}
    if count < n:
        return rows
    ups, downs = [], []
    for i in range(1, count):
        u, v = high[i] - high[i - 1], low[i - 1] - low[i]
        ups.append(u if u > v and u > 0 else 0.0)
        downs.append(v if v > u and v > 0 else 0.0)
    plus, minus = average_from_first(ups, 1 / n), average_from_first(downs, 1 / n)
    ranges = average(true_ranges(high, low, close)[1:], n - 1, 1 / n)
    strengths = []
    for i in range(n - 1, count):
        a = ranges[i - 1]
        dmp, dmn = (100 * plus[i - 1] / a, 100 * minus[i - 1] / a) if a != 0 else (0.0, 0.0)
        rows["dmp"][i], rows["dmn"][i] = dmp, dmn
        strengths.append(100 * abs(dmp - dmn) / (dmp + dmn) if dmp + dmn != 0 else 0.0)
    rows["adx"][n - 1 :] = average_from_first(strengths, 1 / n)
    for i in range(2 * n - 2, count):
        rows["adxr"][i] = (rows["adx"][i] + rows["adx"][i - n + 1]) / 2
    return rows


def supertrend(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    n, m = p["length"], p["multiplier"]
    ranges = average(true_ranges(high, low, close), n, 1 / n)
    rows: Outputs = {name: [NAN] * len(close) for name in ("trend", "direction", "long", "short")}
    direction, trend = 0, NAN
    for i in range(n - 1, len(close)):
        middle = (high[i] + low[i]) / 2
        bottom, top = middle - m * ranges[i], middle + m * ranges[i]
        if i == n - 1:
            direction, trend = 1, bottom
        elif direction == 1:
            direction, trend = (-1, top) if close[i] < trend else (1, max(bottom, trend))
        else:
            direction, trend = (1, bottom) if close[i] > trend else (-1, min(top, trend))
        rows["trend"][i], rows["direction"][i] = trend, float(direction)
        rows["long" if direction == 1 else "short"][i] = trend
    return rows


REFERENCES: dict[str, Callable[..., Outputs]] = {
    f.__name__: f for f in (ema, sma, rsi, roc, obv, atr, vwap, macd, bbands, donchian, stoch, adx, supertrend)
}

SKIPPING = frozenset({"vwap", "obv"})
"""A bar with a missing number changes nothing; every other indicator starts again behind it."""


def reference(name: str, params: Mapping[str, Any], inputs: Mapping[str, Series]) -> Outputs:
    """Return the outputs over inputs with missing numbers, in declared order."""
    if name == "vwap":
        inputs = {**inputs, "session": [period_of(params["anchor"], day) for day in inputs["session"]]}
    columns = list(inputs.values())
    complete = [not any(math.isnan(v) for v in bar) for bar in zip(*columns, strict=True)]
    if name == "vwap":
        complete = [c and v > 0 for c, v in zip(complete, inputs["volume"], strict=True)]
    return (_skipped if name in SKIPPING else _restarted)(name, params, columns, complete)


def period_of(anchor: str, day: float) -> float:
    """Return the number of the session day or of the week from Monday; day 0 is a Thursday."""
    if anchor == "D":
        return day
    if anchor == "W":
        return (day - 4) // 7 if not math.isnan(day) else NAN
    return 0.0


def _skipped(name: str, params: Mapping[str, Any], columns: list[Series], complete: list[bool]) -> Outputs:
    kept = [[v for v, c in zip(column, complete, strict=True) if c] for column in columns]
    short = REFERENCES[name](params, *kept)
    rows: Outputs = {key: [] for key in short}
    for key, values in short.items():
        source, last = iter(values), NAN
        for c in complete:
            last = next(source) if c else last
            rows[key].append(last)
    return rows


def _restarted(name: str, params: Mapping[str, Any], columns: list[Series], complete: list[bool]) -> Outputs:
    rows: Outputs = {}
    count = len(complete)
    start = 0
    while start < count:
        stop = start
        while stop < count and complete[stop]:
            stop += 1
        part = REFERENCES[name](params, *[list(column[start:stop]) for column in columns])
        gap = 0
        while stop + gap < count and not complete[stop + gap]:
            gap += 1
        for key, values in part.items():
            rows.setdefault(key, []).extend([*values, *[NAN] * gap])
        start = stop + gap
    return rows
