"""Supertrend."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import seeded_average, true_range
from evenkeel.features.node import MAX_LENGTH, Output, OutputType, Param, indicator


@indicator(
    "supertrend",
    summary="Supertrend: a band on one side of the price that flips when the close passes it",
    inputs=("high", "low", "close"),
    params=(
        Param("length", int, 10, low=1, high=MAX_LENGTH, meaning="length of the average true range in bars"),
        Param("multiplier", float, 3.0, low=0.0, above=True, meaning="distance of the band in average true ranges"),
    ),
    outputs=(
        Output("trend", meaning="the band"),
        Output(
            "direction", OutputType.INT, meaning="+1 with the band below the price, -1 with it above", low=-1, high=1
        ),
        Output("long", meaning="the band while direction is +1, else missing"),
        Output("short", meaning="the band while direction is -1, else missing"),
    ),
    state=lambda _: 5,
    lookback=lambda _: 0,
    # `short` is absent: its first value comes with the first fall, whenever that is.
    first=lambda p: dict.fromkeys(("trend", "direction", "long"), p["length"]),
    warmup=lambda p: 5 * p["length"],
    formula="B, T = (H + L) / 2 -/+ multiplier * ATR; up: trend = max(B, trend before), to T and down when C is below "
    "the trend before; down mirrored; bar n starts up at B",
    source="plays.md 3.3; direction equals pandas-ta after the first flip",
)
def supertrend(p, s, x, r, start, stop):
    """State: bars since the last missing input, close before, average true range (sum), direction, trend."""
    highs, lows, closes = x[r[0]], x[r[1]], x[r[2]]
    trends, directions, longs, shorts = x[r[3]], x[r[4]], x[r[5]], x[r[6]]
    n, multiplier = p[0], p[1]
    alpha = 1.0 / n
    seen, before, mean, direction, trend = s[0], s[1], s[2], s[3], s[4]
    for i in range(start, stop):
        high, low, close = highs[i], lows[i], closes[i]
        if math.isnan(high + low + close):
            seen, before, mean, direction, trend = 0.0, 0.0, 0.0, 0.0, 0.0
            trends[i] = directions[i] = longs[i] = shorts[i] = math.nan
            continue
        seen += 1.0
        mean = seeded_average(mean, seen, n, alpha, true_range(high, low, before, seen))
        before = close
        if seen < n:
            trends[i] = directions[i] = longs[i] = shorts[i] = math.nan
            continue
        middle, width = 0.5 * (high + low), multiplier * mean
        if seen == n:
            direction, trend = 1.0, middle - width
        elif direction > 0.0:
            if close < trend:
                direction, trend = -1.0, middle + width
            else:
                trend = max(middle - width, trend)
        elif close > trend:
            direction, trend = 1.0, middle - width
        else:
            trend = min(middle + width, trend)
        trends[i], directions[i] = trend, direction
        longs[i] = trend if direction > 0.0 else math.nan
        shorts[i] = trend if direction < 0.0 else math.nan
    s[0], s[1], s[2], s[3], s[4] = seen, before, mean, direction, trend
