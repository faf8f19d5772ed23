"""The workloads as a plain loop over Python numbers, without engine or library: the reference that all are held to."""

# mypy: ignore-errors
# Runs as a file in an environment of its own, where nothing of this project is installed.

from __future__ import annotations

import math
import platform


def versions():
    """Return what ran."""
    return {"python": platform.python_version()}


def run_w1(series):
    """Hold one unit while EMA 20 is above EMA 50; decide at the close, fill at the next open."""
    opens, closes = series["open"].tolist(), series["close"].tolist()
    first, fee, cash = series["first"], series["fee"], series["cash"]
    fast, slow = _ema(closes, 20), _ema(closes, 50)
    fills, held, wanted, curve = [], False, None, []
    for i, price in enumerate(opens):
        if wanted is not None:
            held, wanted = wanted, None
            cash -= (price if held else -price) + price * fee
            fills.append((i, held, price, 1.0))
        if i >= first and (fast[i] > slow[i]) != held:
            wanted = not held
        curve.append(cash + (closes[i] if held else 0.0))
    return fills, curve


def run_w2(series):
    """Buy below the lower Bollinger band with RSI below 30; stop 2 ATR and target 3 ATR from the fill, stop first."""
    opens, closes = series["open"].tolist(), series["close"].tolist()
    highs, lows = series["high"].tolist(), series["low"].tolist()
    first, fee, tick, lot = series["first"], series["fee"], series["tick"], series["lot"]
    lower, strength, reach = _lower_band(closes, 20, 2.0), _rsi(closes, 14), _atr(highs, lows, closes, 14)
    fills, curve, cash, held, wanted, distance, stop, target = [], [], series["cash"], 0.0, 0.0, 0.0, 0.0, 0.0
    for i, opened in enumerate(opens):
        if wanted:
            held, wanted = wanted, 0.0
            cash -= held * opened * (1.0 + fee)
            stop, target = _grid_up(opened - 2.0 * distance, tick), _grid_down(opened + 3.0 * distance, tick)
            fills.append((i, True, opened, held))
        if held:
            price = None
            if opened <= stop or opened >= target:
                price = opened
            elif lows[i] <= stop:
                price = stop
            elif highs[i] >= target:
                price = target
            if price is not None:
                cash += held * price * (1.0 - fee)
                fills.append((i, False, price, held))
                held = 0.0
        if not held and i >= first and closes[i] < lower[i] and strength[i] < 30.0:
            wanted = math.floor(cash * 0.1 / closes[i] / lot * (1.0 + 1e-12)) * lot
            distance = reach[i]
        curve.append(cash + held * closes[i])
    return fills, curve


def outcome(result):
    """Return the fills and the equity at each close."""
    return result


WORKLOADS = {"W1": run_w1, "W2": run_w2}


def _ema(values, length):
    out, mean, weight = [math.nan] * (length - 1), math.fsum(values[:length]) / length, 2.0 / (length + 1.0)
    out.append(mean)
    for value in values[length:]:
        mean += weight * (value - mean)
        out.append(mean)
    return out


def _rsi(values, length):
    out, up, down = [math.nan] * length, 0.0, 0.0
    for i in range(1, len(values)):
        change = values[i] - values[i - 1]
        rise, fall = max(change, 0.0), max(-change, 0.0)
        if i <= length:
            up, down = up + rise / length, down + fall / length
        else:
            up, down = up + (rise - up) / length, down + (fall - down) / length
        if i >= length:
            out.append(50.0 if up + down == 0.0 else 100.0 * up / (up + down))
    return out


def _atr(highs, lows, closes, length):
    out, mean = [math.nan] * length, 0.0
    for i in range(1, len(closes)):
        reach = max(highs[i], closes[i - 1]) - min(lows[i], closes[i - 1])
        mean = mean + reach / length if i <= length else mean + (reach - mean) / length
        if i >= length:
            out.append(mean)
    return out


def _lower_band(values, length, width):
    out = [math.nan] * (length - 1)
    for i in range(length - 1, len(values)):
        part = values[i - length + 1 : i + 1]
        mean = sum(part) / length
        out.append(mean - width * math.sqrt(sum((value - mean) ** 2 for value in part) / (length - 1)))
    return out


def _grid_down(price, tick):
    return math.floor(price / tick + 1e-6) * tick


def _grid_up(price, tick):
    return math.ceil(price / tick - 1e-6) * tick
