"""Moving averages and price transforms (plays.md 3.1): `p` are the parameters, columns come as the table lists them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from evenkeel.readiness.audit.replay.stages import (
    Floats,
    behind,
    ema,
    ema1,
    is_flat,
    lagged,
    missing,
    quotient,
    seeded,
    then,
    typical,
    weighted,
    window_max,
    window_mean,
    window_min,
    window_sum,
)

Params = Mapping[str, Any]
Outputs = dict[str, Floats]


def of_ema(p: Params, source: Floats) -> Outputs:
    """EMA."""
    return {"value": ema(source, p["length"])}


def of_sma(p: Params, source: Floats) -> Outputs:
    """The mean of the last n."""
    return {"value": window_mean(source, p["length"])}


def of_wma(p: Params, source: Floats) -> Outputs:
    """Weights 1 to n, the newest heaviest."""
    n = p["length"]
    return {"value": weighted(source, np.arange(1.0, n + 1)) / (n * (n + 1) / 2)}


def _chain(source: Floats, n: int, length: int) -> list[Floats]:
    found = [ema(source, n)]
    while len(found) < length:
        found.append(then(found[-1], lambda x: ema1(x, n)))
    return found


def of_dema(p: Params, source: Floats) -> Outputs:
    """2 e1 - e2."""
    e1, e2 = _chain(source, p["length"], 2)
    return {"value": 2 * e1 - e2}


def of_tema(p: Params, source: Floats) -> Outputs:
    """3 e1 - 3 e2 + e3."""
    e1, e2, e3 = _chain(source, p["length"], 3)
    return {"value": 3 * e1 - 3 * e2 + e3}


def of_trima(p: Params, source: Floats) -> Outputs:
    """The mean of h means of h, h being half of n + 1, rounded half to even."""
    h = round((p["length"] + 1) / 2)
    return {"value": then(window_mean(source, h), lambda x: window_mean(x, h))}


def of_zlma(p: Params, source: Floats) -> Outputs:
    """EMA of 2 C - C[lag], started by the mean of its first n - lag inputs."""
    n = p["length"]
    lag = (n - 1) // 2
    ahead = 2 * source[lag:] - source[: max(len(source) - lag, 0)]
    return {"value": behind(seeded(ahead, n - lag, 2 / (n + 1)), lag, len(source))}


def of_kama(p: Params, source: Floats) -> Outputs:
    """K += sc * (C - K), sc = (ER * (f - s) + s)^2, started by the mean of the first n."""
    n, f, s = p["length"], 2 / (p["fast"] + 1), 2 / (p["slow"] + 1)
    if len(source) < n:
        return {"value": missing(len(source))}
    walked = then(np.abs(source - lagged(source, 1)), lambda x: window_sum(x, n))
    flat = is_flat(window_min(source, n + 1), window_max(source, n + 1))
    ratio = np.where(flat, 0.0, quotient(np.abs(source - lagged(source, n)), walked))
    speed = ((ratio * (f - s) + s) ** 2).tolist()
    value = float(source[:n].mean())
    found = [value]
    for sc, price in zip(speed[n:], source[n:].tolist(), strict=True):
        value += sc * (price - value)
        found.append(value)
    return {"value": behind(np.array(found), n - 1, len(source))}


def of_alma(p: Params, source: Floats) -> Outputs:
    """Weights of a bell around the place `offset` of the window."""
    n = p["length"]
    centre = math.floor(p["offset"] * (n - 1))
    weights = np.exp(-0.5 * ((p["sigma"] / n) * (np.arange(n) - centre)) ** 2)
    return {"value": weighted(source, weights / weights.sum())}


def of_linreg(p: Params, source: Floats) -> Outputs:
    """The end of the least-squares line, which is a weighted mean."""
    n = p["length"]
    away = np.arange(n) - (n - 1) / 2
    return {"value": weighted(source, 1 / n + away * (away[-1] / (away * away).sum()))}


def of_midprice(p: Params, high: Floats, low: Floats) -> Outputs:
    """Half way between the extremes."""
    return {"value": (window_max(high, p["length"]) + window_min(low, p["length"])) / 2}


def of_ohlc4(_: Params, opened: Floats, high: Floats, low: Floats, close: Floats) -> Outputs:
    """The mean of the four prices."""
    return {"value": (opened + high + low + close) / 4}


def of_vwap(_: Params, high: Floats, low: Floats, close: Floats, volume: Floats, period: Floats) -> Outputs:
    """The price at which the volume since the reset was traded; every bar has volume here."""
    starts = np.flatnonzero(np.diff(period, prepend=np.nan) != 0)
    lengths = np.diff(starts, append=len(period))
    money = typical(high, low, close) * volume
    found = [np.cumsum(money[a : a + n]) / np.cumsum(volume[a : a + n]) for a, n in zip(starts, lengths, strict=True)]
    return {"value": np.concatenate([missing(0), *found])}
