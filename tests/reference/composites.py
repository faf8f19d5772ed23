"""Indicators of several outputs, `plays.md` 3.3, word for word."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from reference.oscillators import mom, rsi
from reference.stages import (
    NAN,
    Outputs,
    Series,
    average,
    average_from_first,
    behind,
    changes,
    direction,
    ema_from_first,
    ema_of,
    exact_mean,
    flat,
    over,
    simple,
    then,
    true_ranges,
    typical,
)


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


def ppo(p: Any, source: Series) -> Outputs:
    line = [NAN] * len(source)
    for i in range(p["slow"] - 1, len(source)):
        fast, slow = exact_mean(source[i - p["fast"] + 1 : i + 1]), exact_mean(source[i - p["slow"] + 1 : i + 1])
        line[i] = float(100 * (fast - slow) / slow) if slow != 0 else NAN
    signal = then(line, lambda x: ema_from_first(x, p["signal"]))
    return {"ppo": line, "histogram": [a - b for a, b in zip(line, signal, strict=True)], "signal": signal}


def trix(p: Any, source: Series) -> Outputs:
    n = p["length"]
    e3 = then(then(ema_of(source, n), lambda x: ema_from_first(x, n)), lambda x: ema_from_first(x, n))
    line = over(e3, 2, lambda w: 100 * (w[1] / w[0] - 1))
    return {"trix": line, "signal": then(line, lambda x: simple(x, p["signal"]))}


def tsi(p: Any, source: Series) -> Outputs:
    fast, slow = p["fast"], p["slow"]
    moves = changes(source)

    def smooth(values: list[float]) -> list[float]:
        once = average(values, slow - 1, 2 / (slow + 1))
        return then(once, lambda x: ema_from_first(x, fast))

    pairs = zip(smooth(moves), smooth([abs(c) for c in moves]), strict=True)
    line = behind([100 * a / b if b != 0 else 0.0 for a, b in pairs], 1, len(source))
    return {"tsi": line, "signal": then(line, lambda x: ema_from_first(x, p["signal"]))}


def kvo(p: Any, high: Series, low: Series, close: Series, volume: Series) -> Outputs:
    prices = typical(high, low, close)
    forces = [volume[i] * direction(prices[i - 1], prices[i]) for i in range(1, len(prices))]
    pairs = zip(ema_of(forces, p["fast"]), ema_of(forces, p["slow"]), strict=True)
    line = behind([a - b for a, b in pairs], 1, len(close))
    return {"kvo": line, "signal": then(line, lambda x: ema_of(x, p["signal"]))}


def kc(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    basis = ema_of(close, p["length"])
    reach = [p["scalar"] * r for r in ema_of(true_ranges(high, low, close), p["length"])]
    return {
        "lower": [b - r for b, r in zip(basis, reach, strict=True)],
        "basis": basis,
        "upper": [b + r for b, r in zip(basis, reach, strict=True)],
    }


def stochrsi(p: Any, source: Series) -> Outputs:
    def place(window: list[float]) -> float:
        bottom, top = min(window), max(window)
        return 50.0 if flat(bottom, top) else 100 * (window[-1] - bottom) / (top - bottom)

    strength = rsi({"length": p["rsi_length"]}, source)["value"]
    raw = then(strength, lambda x: over(x, p["length"], place))
    k = then(raw, lambda x: simple(x, p["k"]))
    return {"k": k, "d": then(k, lambda x: simple(x, p["d"]))}


def dm(p: Any, high: Series, low: Series) -> Outputs:
    plus, minus = [], []
    for u, v in zip(changes(high), (-c for c in changes(low)), strict=True):
        plus.append(u if u > v and u > 0 else 0.0)
        minus.append(v if v > u and v > 0 else 0.0)
    alpha, count = 1 / p["length"], len(high)
    return {
        "dmp": behind(average_from_first(plus, alpha), 1, count),
        "dmn": behind(average_from_first(minus, alpha), 1, count),
    }


def aroon(p: Any, high: Series, low: Series) -> Outputs:
    n = p["length"]
    up = over(high, n + 1, lambda w: 100 * (n - w[::-1].index(max(w))) / n)
    down = over(low, n + 1, lambda w: 100 * (n - w[::-1].index(min(w))) / n)
    return {"up": up, "down": down, "osc": [a - b for a, b in zip(up, down, strict=True)]}


def vortex(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    count = len(close)
    ranges = over(true_ranges(high, low, close)[1:] if close else [], p["length"], math.fsum)
    rises = over([abs(high[i] - low[i - 1]) for i in range(1, count)], p["length"], math.fsum)
    falls = over([abs(low[i] - high[i - 1]) for i in range(1, count)], p["length"], math.fsum)
    return {
        "vip": behind([a / r if r != 0 else NAN for a, r in zip(rises, ranges, strict=True)], 1, count),
        "vim": behind([a / r if r != 0 else NAN for a, r in zip(falls, ranges, strict=True)], 1, count),
    }


def psar(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    rows: Outputs = {name: [NAN] * len(close) for name in ("long", "short", "af", "reversal")}
    if len(close) < 2:
        return rows
    stop, a = close[0], p["af0"]
    up = not (high[1] < high[0] and low[1] < low[0])
    best = high[0] if up else low[0]
    for i in range(1, len(close)):
        reversal = False
        stop += a * (best - stop)
        earlier = range(max(i - 2, 0), i)
        if up:
            stop = min([stop, *(low[j] for j in earlier)])
            if high[i] > best:
                best, a = high[i], min(a + p["af"], p["max_af"])
            if low[i] < stop:
                reversal, stop, a, up, best = True, best, p["af0"], False, low[i]
        else:
            stop = max([stop, *(high[j] for j in earlier)])
            if low[i] < best:
                best, a = low[i], min(a + p["af"], p["max_af"])
            if high[i] > stop:
                reversal, stop, a, up, best = True, best, p["af0"], True, high[i]
        rows["long" if up else "short"][i] = stop
        rows["af"][i], rows["reversal"][i] = a, float(reversal)
    return rows


def squeeze(p: Any, high: Series, low: Series, close: Series) -> Outputs:
    moves = mom({"length": p["mom_length"]}, close)["value"]
    bands = bbands({"length": p["bb_length"], "std": p["bb_std"]}, close)
    channel = kc({"length": p["kc_length"], "scalar": p["kc_scalar"]}, high, low, close)
    rows: Outputs = {"sqz": then(moves, lambda x: simple(x, p["mom_smooth"]))}
    rows |= {name: [NAN] * len(close) for name in ("on", "off", "no_sqz")}
    for i in range(max(p["bb_length"], p["kc_length"]) - 1, len(close)):
        same = 1e-9 * close[i]
        below, above = bands["lower"][i] - channel["lower"][i], channel["upper"][i] - bands["upper"][i]
        on, off = below > same and above > same, below < -same and above < -same
        rows["on"][i], rows["off"][i], rows["no_sqz"][i] = float(on), float(off), float(not on and not off)
    return rows


def fisher(p: Any, high: Series, low: Series) -> Outputs:
    n, back = p["length"], p["signal"]
    middles = [(h + l) / 2 for h, l in zip(high, low, strict=True)]
    line = [NAN] * len(middles)
    v, before = 0.0, 0.0
    for i in range(n - 1, len(middles)):
        x, bottom, top = middles[i], min(middles[i - n + 1 : i + 1]), max(middles[i - n + 1 : i + 1])
        bracket = 0.0 if top - bottom <= 1e-6 * abs(x) else (x - bottom) / (top - bottom) - 0.5
        v = max(-0.999, min(0.999, 0.66 * bracket + 0.67 * v))
        before = line[i] = 0.5 * (math.log((1 + v) / (1 - v)) + before)
    return {"fisher": line, "signal": behind(line, back, len(line))}
