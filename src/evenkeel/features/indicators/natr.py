"""Normalised average true range."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import seeded_average, true_range
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "natr",
    summary="Average true range in percent of the price, smoothed exponentially",
    inputs=("high", "low", "close"),
    params=(Param("length", int, 14, low=1, high=MAX_LENGTH, meaning="span in bars; alpha = 2 / (n + 1)"),),
    outputs=(Output("value", meaning="typical move of a bar, gaps included, in percent of the close"),),
    state=lambda _: 3,
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: 3 * p["length"],
    formula="100 * EMA(TR, n) / C, TR as in atr; not Wilder's average",
    source="plays.md 3.2; equals pandas-ta natr(mamode='ema') after about 150 bars; TA-Lib NATR smooths by Wilder",
)
def natr(p, s, x, r, start, stop):
    """State: bars since the last missing input, close before, average (running sum before bar n)."""
    highs, lows, closes, y = x[r[0]], x[r[1]], x[r[2]], x[r[3]]
    n = p[0]
    alpha = 2.0 / (n + 1.0)
    seen, before, mean = s[0], s[1], s[2]
    for i in range(start, stop):
        high, low, close = highs[i], lows[i], closes[i]
        if math.isnan(high + low + close):
            seen, mean = 0.0, 0.0
            y[i] = math.nan
            continue
        seen += 1.0
        mean = seeded_average(mean, seen, n, alpha, true_range(high, low, before, seen))
        before = close
        y[i] = 100.0 * mean / close if seen >= n and close != 0.0 else math.nan
    s[0], s[1], s[2] = seen, before, mean
