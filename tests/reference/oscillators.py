"""Oscillators and momentum, `plays.md` 3.2, word for word."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

from reference.stages import (
    NAN,
    Outputs,
    Series,
    average,
    average_from_first,
    changes,
    direction,
    ema_of,
    exact_mean,
    flat,
    over,
    true_ranges,
    typical,
    window_flat,
)


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


def cci(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    def distance(window: list[float]) -> float:
        if window_flat(window):
            return 0.0
        centre = exact_mean(window)
        deviation = math.fsum(abs(float(Fraction(v) - centre)) for v in window) / len(window)
        return float(Fraction(window[-1]) - centre) / (0.015 * deviation)

    return {"value": over(typical(high, low, close), p["length"], distance)}


def willr(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    tops, bottoms = over(high, p["length"], max), over(low, p["length"], min)
    result = []
    for top, bottom, last in zip(tops, bottoms, close, strict=True):
        result.append(-50.0 if flat(bottom, top) else -100 * (top - last) / (top - bottom))
    return {"value": result}


def mom(p: Any, source: Series) -> Outputs:
    return {"value": over(source, p["length"] + 1, lambda w: w[-1] - w[0])}


def cmo(p: Any, source: Series) -> Outputs:
    def balance(window: list[float]) -> float:
        up = math.fsum(max(c, 0.0) for c in changes(window))
        down = math.fsum(max(-c, 0.0) for c in changes(window))
        return 0.0 if window_flat(window) else 100 * (up - down) / (up + down)

    return {"value": over(source, p["length"] + 1, balance)}


def mfi(p: Any, high: Series, low: Series, close: Series, volume: Series) -> Outputs:
    prices = typical(high, low, close)
    n = p["length"]
    result = [NAN] * len(prices)
    for i in range(n, len(prices)):
        inside = range(i - n + 1, i + 1)
        pos = math.fsum(prices[j] * volume[j] for j in inside if direction(prices[j - 1], prices[j]) > 0)
        neg = math.fsum(prices[j] * volume[j] for j in inside if direction(prices[j - 1], prices[j]) < 0)
        result[i] = (100.0 if pos > 0 else 50.0) if neg == 0 else 100 - 100 / (1 + pos / neg)
    return {"value": result}


def uo(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    buying = [close[i] - min(low[i], close[i - 1]) for i in range(1, len(close))]
    ranges = true_ranges(high, low, close)[1:] if close else []
    result = [NAN] * len(close)
    for i in range(p["slow"], len(close)):
        shares = []
        for n in (p["fast"], p["medium"], p["slow"]):
            span = math.fsum(ranges[i - n : i])
            shares.append(math.fsum(buying[i - n : i]) / span if span != 0 else 0.5)
        a, b, c = shares
        result[i] = 100 * (4 * a + 2 * b + c) / 7
    return {"value": result}


def cmf(p: Any, high: Series, low: Series, close: Series, volume: Series) -> Outputs:
    flows = []
    for h, l, c, v in zip(high, low, close, volume, strict=True):
        flows.append(0.0 if flat(l, h) else ((c - l) - (h - c)) / (h - l) * v)
    moved, traded = over(flows, p["length"], math.fsum), over(volume, p["length"], math.fsum)
    return {"value": [a / b if b != 0 else 0.0 for a, b in zip(moved, traded, strict=True)]}


def natr(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    ranges = ema_of(true_ranges(high, low, close), p["length"])
    return {"value": [100 * a / c if c != 0 else NAN for a, c in zip(ranges, close, strict=True)]}
