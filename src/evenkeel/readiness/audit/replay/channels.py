"""Indicators of several outputs (plays.md 3.3): `p` are the parameters, columns come as the table lists them."""

from __future__ import annotations

import math

import numpy as np

from evenkeel.readiness.audit.replay.averages import Outputs, Params
from evenkeel.readiness.audit.replay.oscillators import average_true_range, momentum, relative_strength
from evenkeel.readiness.audit.replay.stages import (
    Floats,
    behind,
    direction,
    ema,
    ema1,
    is_flat,
    lagged,
    missing,
    over_windows,
    quotient,
    rma1,
    seeded,
    then,
    true_range,
    typical,
    window_max,
    window_mean,
    window_min,
    window_spread,
    window_sum,
)


def of_macd(p: Params, source: Floats) -> Outputs:
    """EMA(fast) - EMA(slow), EMA(signal) of it, and their difference."""
    line = ema(source, p["fast"]) - ema(source, p["slow"])
    signal = then(line, lambda x: ema(x, p["signal"]))
    return {"macd": line, "signal": signal, "histogram": line - signal}


def of_ppo(p: Params, source: Floats) -> Outputs:
    """The difference of two means in percent of the slow one."""
    slow = window_mean(source, p["slow"])
    line = quotient(100 * (window_mean(source, p["fast"]) - slow), slow)
    signal = then(line, lambda x: ema1(x, p["signal"]))
    return {"ppo": line, "histogram": line - signal, "signal": signal}


def of_trix(p: Params, source: Floats) -> Outputs:
    """The change of a threefold EMA in percent."""
    n = p["length"]
    smooth = ema(source, n)
    for _ in range(2):
        smooth = then(smooth, lambda x: ema1(x, n))
    line = 100 * (quotient(smooth, lagged(smooth, 1)) - 1)
    return {"trix": line, "signal": then(line, lambda x: window_mean(x, p["signal"]))}


def of_tsi(p: Params, source: Floats) -> Outputs:
    """Changes smoothed twice over their amounts smoothed twice, in percent."""
    moves = np.diff(source)

    def twice(values: Floats) -> Floats:
        return then(seeded(values, p["slow"] - 1, 2 / (p["slow"] + 1)), lambda x: ema1(x, p["fast"]))

    line = behind(quotient(100 * twice(moves), twice(np.abs(moves)), 0.0), 1, len(source))
    return {"tsi": line, "signal": then(line, lambda x: ema1(x, p["signal"]))}


def of_kvo(p: Params, high: Floats, low: Floats, close: Floats, volume: Floats) -> Outputs:
    """Two EMAs of volume with the sign of the change of the typical price."""
    prices = typical(high, low, close)
    force = volume[1:] * direction(prices[:-1], prices[1:])
    line = behind(ema(force, p["fast"]) - ema(force, p["slow"]), 1, len(close))
    return {"kvo": line, "signal": then(line, lambda x: ema(x, p["signal"]))}


def of_bbands(p: Params, source: Floats) -> Outputs:
    """The mean, and so many standard deviations (n - 1) to either side."""
    n = p["length"]
    flat = is_flat(window_min(source, n), window_max(source, n))
    middle, squares = window_spread(source, n)
    reach = p["std"] * np.where(flat, 0.0, np.sqrt(squares / (n - 1)))
    place = 0.5 + quotient(source - middle, np.where(flat, 1.0, 2 * reach))
    known = np.isnan(middle)
    return {
        "lower": middle - reach,
        "middle": middle,
        "upper": middle + reach,
        "bandwidth": quotient(200 * reach, middle),
        "percent_b": np.where(known, np.nan, np.where(flat, 0.5, place)),
    }


def of_kc(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """EMA of the close, and so many EMAs of TR to either side."""
    basis, reach = ema(close, p["length"]), p["scalar"] * ema(true_range(high, low, close), p["length"])
    return {"lower": basis - reach, "basis": basis, "upper": basis + reach}


def of_donchian(p: Params, high: Floats, low: Floats) -> Outputs:
    """The extremes of the window, and their middle."""
    lower, upper = window_min(low, p["lower_length"]), window_max(high, p["upper_length"])
    return {"lower": lower, "middle": (lower + upper) / 2, "upper": upper}


def _place(value: Floats, bottom: Floats, top: Floats) -> Floats:
    flat = is_flat(bottom, top)
    return np.where(flat, 50.0, 100 * (value - bottom) / np.where(flat, 1.0, top - bottom))


def of_stoch(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """Where in its range the window closed, smoothed; both outputs appear together."""
    raw = _place(close, window_min(low, p["k"]), window_max(high, p["k"]))
    k = then(raw, lambda x: window_mean(x, p["smooth_k"]))
    d = then(k, lambda x: window_mean(x, p["d"]))
    return {"k": np.where(np.isnan(d), np.nan, k), "d": d}


def of_stochrsi(p: Params, source: Floats) -> Outputs:
    """The stochastic of RSI."""
    strength, n = relative_strength(source, p["rsi_length"]), p["length"]
    raw = then(strength, lambda x: _place(x, window_min(x, n), window_max(x, n)))
    k = then(raw, lambda x: window_mean(x, p["k"]))
    return {"k": k, "d": then(k, lambda x: window_mean(x, p["d"]))}


def _directional(high: Floats, low: Floats) -> tuple[Floats, Floats]:
    up, down = np.diff(high), -np.diff(low)
    return np.where((up > down) & (up > 0), up, 0.0), np.where((down > up) & (down > 0), down, 0.0)


def of_adx(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """Directional movement over the true range, and how one-sided it is."""
    n, count = p["length"], len(close)
    if count < n:
        return {name: missing(count) for name in ("adx", "dmp", "dmn", "adxr")}
    ranges = seeded(true_range(high, low, close)[1:], n - 1, 1 / n)
    dmp, dmn = (quotient(100 * rma1(moved, n), ranges, 0.0) for moved in _directional(high, low))
    strength = quotient(100 * np.abs(dmp - dmn), dmp + dmn, 0.0)
    adx = behind(then(strength, lambda x: rma1(x, n)), 1, count)
    return {
        "adx": adx, "dmp": behind(dmp, 1, count), "dmn": behind(dmn, 1, count),
        "adxr": (adx + lagged(adx, n - 1)) / 2,
    }  # fmt: skip


def of_dm(p: Params, high: Floats, low: Floats) -> Outputs:
    """Directional movement."""
    plus, minus = (behind(rma1(moved, p["length"]), 1, len(high)) for moved in _directional(high, low))
    return {"dmp": plus, "dmn": minus}


def of_aroon(p: Params, high: Floats, low: Floats) -> Outputs:
    """How long ago the extremes were; of equal ones the most recent counts."""
    n = p["length"]
    up = over_windows(high, n + 1, lambda w: 100 * (n - np.argmax(w[:, ::-1], axis=1)) / n)
    down = over_windows(low, n + 1, lambda w: 100 * (n - np.argmin(w[:, ::-1], axis=1)) / n)
    return {"up": up, "down": down, "osc": up - down}


def of_vortex(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """How far highs went from lows before and lows from highs before, over the true range."""
    ranges = window_sum(true_range(high, low, close)[1:], p["length"])
    moved = {"vip": np.abs(high[1:] - low[:-1]), "vim": np.abs(low[1:] - high[:-1])}
    return {name: behind(quotient(window_sum(way, p["length"]), ranges), 1, len(close)) for name, way in moved.items()}


def of_supertrend(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """A band that follows the price, on the side from which it came."""
    n, count = p["length"], len(close)
    reach = p["multiplier"] * average_true_range(high, low, close, n)
    middle = (high + low) / 2
    bottoms, tops = (middle - reach).tolist(), (middle + reach).tolist()
    trends, ways = [], []
    trend, way = math.nan, 0
    for i, price in enumerate(close.tolist()[n - 1 :], n - 1):
        if not way:
            trend, way = bottoms[i], 1
        elif way == 1:
            trend, way = (tops[i], -1) if price < trend else (max(bottoms[i], trend), 1)
        else:
            trend, way = (bottoms[i], 1) if price > trend else (min(tops[i], trend), -1)
        trends.append(trend)
        ways.append(way)
    shown, side = behind(np.array(trends), n - 1, count), behind(np.array(ways, dtype=np.float64), n - 1, count)
    return {
        "trend": shown, "direction": side,
        "long": np.where(side == 1, shown, np.nan), "short": np.where(side == -1, shown, np.nan),
    }  # fmt: skip


def of_psar(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """The parabolic stop of Wilder, with a reversal only beyond it."""
    names = ("long", "short", "af", "reversal")
    count = len(close)
    rows = {name: missing(count) for name in names}
    if count < 2:
        return rows
    highs, lows = high.tolist(), low.tolist()
    up = not (highs[1] < highs[0] and lows[1] < lows[0])
    # of a fall everything is mirrored: highs become negative lows
    side = 1 if up else -1
    stop, speed, best = float(close[0]), p["af0"], highs[0] if up else lows[0]
    found = []
    for i in range(1, count):
        stop += speed * (best - stop)
        near, far = (lows, highs) if side > 0 else (highs, lows)
        stop = side * min([side * stop, *(side * near[j] for j in range(max(i - 2, 0), i))])
        if side * (far[i] - best) > 0:
            best, speed = far[i], min(speed + p["af"], p["max_af"])
        reversal = side * (near[i] - stop) < 0
        if reversal:
            stop, speed, best, side = best, p["af0"], near[i], -side
        found.append((stop if side > 0 else math.nan, stop if side < 0 else math.nan, speed, float(reversal)))
    for name, values in zip(names, zip(*found, strict=True), strict=True):
        rows[name][1:] = values
    return rows


def of_squeeze(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """Momentum smoothed, and whether the bands of deviation lie inside those of range."""
    bands = of_bbands({"length": p["bb_length"], "std": p["bb_std"]}, close)
    channel = of_kc({"length": p["kc_length"], "scalar": p["kc_scalar"]}, high, low, close)
    below, above = bands["lower"] - channel["lower"], channel["upper"] - bands["upper"]
    same, unknown = 1e-9 * close, np.isnan(below) | np.isnan(above)
    on, off = (below > same) & (above > same), (below < -same) & (above < -same)
    flags = {"on": on, "off": off, "no_sqz": ~on & ~off}
    moved = then(momentum(close, p["mom_length"]), lambda x: window_mean(x, p["mom_smooth"]))
    return {"sqz": moved, **{name: np.where(unknown, np.nan, flag) for name, flag in flags.items()}}


def of_fisher(p: Params, high: Floats, low: Floats) -> Outputs:
    """The transform of Fisher of where the price lies in its window."""
    n, x = p["length"], (high + low) / 2
    bottom, top = window_min(x, n), window_max(x, n)
    narrow = top - bottom <= 1e-6 * np.abs(x)
    place = np.where(narrow, 0.0, (x - bottom) / np.where(narrow, 1.0, top - bottom) - 0.5)
    value, line, found = 0.0, 0.0, []
    for bracket in place[n - 1 :].tolist():
        value = max(-0.999, min(0.999, 0.66 * bracket + 0.67 * value))
        line = 0.5 * (math.log((1 + value) / (1 - value)) + line)
        found.append(line)
    shown = behind(np.array(found), n - 1, len(x))
    return {"fisher": shown, "signal": lagged(shown, p["signal"])}
