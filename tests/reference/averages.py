"""Moving averages and price transforms, `plays.md` 3.1, word for word."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from reference.stages import (
    NAN,
    Outputs,
    Series,
    average,
    behind,
    changes,
    ema_from_first,
    ema_of,
    exact_mean,
    mean,
    over,
    simple,
    then,
    window_flat,
)


def ema(p: Any, source: Series) -> Outputs:
    return {"value": average(source, p["length"], 2 / (p["length"] + 1))}


def sma(p: Any, source: Series) -> Outputs:
    return {"value": simple(source, p["length"])}


def vwap(p: Any, high: Series, low: Series, close: Series, volume: Series, session: Series) -> Outputs:
    """`session` is the number of the period already; each bar has volume."""
    result = []
    for i in range(len(close)):
        start = session.index(session[i])
        money = math.fsum((high[j] + low[j] + close[j]) / 3 * volume[j] for j in range(start, i + 1))
        result.append(money / math.fsum(volume[start : i + 1]))
    return {"value": result}


def wma(p: Any, source: Series) -> Outputs:
    n = p["length"]
    return {"value": over(source, n, lambda w: math.fsum(k * v for k, v in enumerate(w, 1)) / (n * (n + 1) / 2))}


def dema(p: Any, source: Series) -> Outputs:
    e1 = ema_of(source, p["length"])
    e2 = then(e1, lambda x: ema_from_first(x, p["length"]))
    return {"value": [2 * a - b for a, b in zip(e1, e2, strict=True)]}


def tema(p: Any, source: Series) -> Outputs:
    e1 = ema_of(source, p["length"])
    e2 = then(e1, lambda x: ema_from_first(x, p["length"]))
    e3 = then(e2, lambda x: ema_from_first(x, p["length"]))
    return {"value": [3 * a - 3 * b + c for a, b, c in zip(e1, e2, e3, strict=True)]}


def trima(p: Any, source: Series) -> Outputs:
    h = {18: 10, 19: 10, 20: 10, 21: 11, 22: 12}.get(p["length"]) or round(Fraction(p["length"] + 1, 2))
    return {"value": then(simple(source, h), lambda x: simple(x, h))}


def zlma(p: Any, source: Series) -> Outputs:
    n = p["length"]
    lag = math.floor((n - 1) / 2)
    ahead = [2 * source[i] - source[i - lag] for i in range(lag, len(source))]
    return {"value": behind(average(ahead, n - lag, 2 / (n + 1)), lag, len(source))}


def kama(p: Any, source: Series) -> Outputs:
    n, f, s = p["length"], 2 / (p["fast"] + 1), 2 / (p["slow"] + 1)
    result = [NAN] * len(source)
    for i in range(n - 1, len(source)):
        if i == n - 1:
            result[i] = mean(source[:n])
            continue
        window = source[i - n : i + 1]
        ratio = 0.0
        if not window_flat(window):
            ratio = abs(window[-1] - window[0]) / math.fsum(abs(c) for c in changes(window))
        result[i] = result[i - 1] + (ratio * (f - s) + s) ** 2 * (source[i] - result[i - 1])
    return {"value": result}


def alma(p: Any, source: Series) -> Outputs:
    n = p["length"]
    k = math.floor(p["offset"] * (n - 1))
    weights = [math.exp(-0.5 * ((p["sigma"] / n) * (i - k)) ** 2) for i in range(n)]
    total = math.fsum(weights)
    return {"value": over(source, n, lambda w: math.fsum(a * b for a, b in zip(weights, w, strict=True)) / total)}


def linreg(p: Any, source: Series) -> Outputs:
    n = p["length"]
    middle = Fraction(n - 1, 2)
    spread = sum((k - middle) ** 2 for k in range(n))

    def end_point(window: list[float]) -> float:
        centre = exact_mean(window)
        slope = sum((k - middle) * (Fraction(v) - centre) for k, v in enumerate(window)) / spread
        return float(centre + slope * (n - 1 - middle))

    return {"value": over(source, n, end_point)}


def midprice(p: Any, high: Series, low: Series) -> Outputs:
    tops, bottoms = over(high, p["length"], max), over(low, p["length"], min)
    return {"value": [(a + b) / 2 for a, b in zip(tops, bottoms, strict=True)]}


def ohlc4(p: Any, opened: Series, high: Series, low: Series, close: Series) -> Outputs:
    return {"value": [(o + h + l + c) / 4 for o, h, l, c in zip(opened, high, low, close, strict=True)]}
