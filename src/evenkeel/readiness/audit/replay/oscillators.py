"""Oscillators and momentum (plays.md 3.2): `p` are the parameters, columns come as the table lists them."""

from __future__ import annotations

import numpy as np

from evenkeel.readiness.audit.replay.averages import Outputs, Params
from evenkeel.readiness.audit.replay.stages import (
    Floats,
    behind,
    direction,
    ema,
    is_flat,
    lagged,
    missing,
    over_windows,
    quotient,
    rma,
    rma1,
    true_range,
    typical,
    window_max,
    window_min,
    window_sum,
)


def relative_strength(source: Floats, n: int) -> Floats:
    """Return RSI: shown from bar n + 1 on; without any change it is 50."""
    moves = np.diff(source)
    gains, losses = rma1(np.maximum(moves, 0.0), n), rma1(np.maximum(-moves, 0.0), n)
    found = behind(quotient(100 * gains, gains + losses, 50.0), 1, len(source))
    found[:n] = np.nan
    return found


def of_rsi(p: Params, source: Floats) -> Outputs:
    """100 G / (G + L)."""
    return {"value": relative_strength(source, p["length"])}


def of_cci(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """The distance from the mean, in mean distances of 0.015."""

    def place(windows: Floats) -> Floats:
        rows = windows - windows[:, -1:]  # relative to the newest: the mean of large prices would lose digits
        away = rows - rows.mean(axis=1, keepdims=True)
        deviation = np.abs(away).mean(axis=1)
        flat = is_flat(windows.min(axis=1), windows.max(axis=1))
        return np.where(flat, 0.0, quotient(away[:, -1], 0.015 * np.where(flat, 1.0, deviation)))

    return {"value": over_windows(typical(high, low, close), p["length"], place)}


def of_willr(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """How far the close lies below the highest, in percent of the range; flat is -50."""
    top, bottom = window_max(high, p["length"]), window_min(low, p["length"])
    flat = is_flat(bottom, top)
    return {"value": np.where(flat, -50.0, -100 * quotient(top - close, np.where(flat, 1.0, top - bottom)))}


def of_roc(p: Params, source: Floats) -> Outputs:
    """The change over n bars in percent."""
    return {"value": 100 * (quotient(source, lagged(source, p["length"])) - 1)}


def momentum(source: Floats, n: int) -> Floats:
    """Return C - C[n]."""
    return source - lagged(source, n)


def of_mom(p: Params, source: Floats) -> Outputs:
    """C - C[n]."""
    return {"value": momentum(source, p["length"])}


def of_cmo(p: Params, source: Floats) -> Outputs:
    """Rises less falls over rises and falls, in percent; flat is 0."""
    n, moves = p["length"], np.diff(source)
    up, down = (behind(window_sum(np.maximum(side, 0.0), n), 1, len(source)) for side in (moves, -moves))
    flat = is_flat(window_min(source, n + 1), window_max(source, n + 1))
    return {"value": np.where(flat, 0.0, 100 * quotient(up - down, up + down))}


def of_mfi(p: Params, high: Floats, low: Floats, close: Floats, volume: Floats) -> Outputs:
    """The share of money that moved while the typical price rose, in percent."""
    prices = typical(high, low, close)
    way, money = direction(prices[:-1], prices[1:]), (prices * volume)[1:]
    rose, fell = (
        behind(window_sum(np.where(way == side, money, 0.0), p["length"]), 1, len(close)) for side in (1.0, -1.0)
    )
    without = np.where(rose > 0, 100.0, 50.0)
    found = np.where(fell == 0, without, 100 - 100 / (1 + quotient(rose, fell)))
    return {"value": np.where(np.isnan(fell), np.nan, found)}


def of_uo(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """Buying pressure over the true range, over three lengths, weighted 4, 2 and 1."""
    pressure = close[1:] - np.minimum(low[1:], close[:-1])
    ranges = true_range(high, low, close)[1:]
    shares = [
        quotient(window_sum(pressure, n), window_sum(ranges, n), 0.5) for n in (p["fast"], p["medium"], p["slow"])
    ]
    return {"value": behind(100 * (4 * shares[0] + 2 * shares[1] + shares[2]) / 7, 1, len(close))}


def of_obv(_: Params, close: Floats, volume: Floats) -> Outputs:
    """Volume added while the close rose, taken away while it fell."""
    return {"value": behind(np.cumsum(np.sign(np.diff(close)) * volume[1:]), 1, len(close))}


def of_cmf(p: Params, high: Floats, low: Floats, close: Floats, volume: Floats) -> Outputs:
    """Volume weighted by where in its range each bar closed, over the volume; none is 0."""
    flat = is_flat(low, high)
    place = np.where(flat, 0.0, ((close - low) - (high - close)) / np.where(flat, 1.0, high - low))
    n = p["length"]
    return {"value": quotient(window_sum(place * volume, n), window_sum(volume, n), 0.0)}


def average_true_range(high: Floats, low: Floats, close: Floats, n: int) -> Floats:
    """Return RMA of TR, the first bar included."""
    return rma(true_range(high, low, close), n)


def of_atr(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """RMA of TR."""
    return {"value": average_true_range(high, low, close, p["length"])}


def of_natr(p: Params, high: Floats, low: Floats, close: Floats) -> Outputs:
    """EMA of TR in percent of the close."""
    ranges = ema(true_range(high, low, close), p["length"]) if len(close) else missing(0)
    return {"value": quotient(100 * ranges, close)}
