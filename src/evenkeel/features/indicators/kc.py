"""Keltner channel."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import seeded_average, true_range
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "kc",
    summary="Keltner channel: an exponential average with bands of true ranges",
    inputs=("high", "low", "close"),
    params=(
        Param("length", int, 20, low=1, high=MAX_LENGTH, meaning="span of both averages in bars"),
        Param("scalar", float, 2.0, low=0.0, above=True, meaning="half width in average true ranges"),
    ),
    outputs=(
        Output("lower", meaning="basis less scalar true ranges"),
        Output("basis", meaning="average of the close"),
        Output("upper", meaning="basis plus scalar true ranges"),
    ),
    primary="basis",
    state=lambda _: 4,
    lookback=lambda _: 0,
    first=lambda p: dict.fromkeys(("lower", "basis", "upper"), p["length"]),
    warmup=lambda p: 3 * p["length"] + 1,
    formula="EMA(C) +/- scalar * EMA(TR), TR of bar 1 = H - L",
    source="plays.md 3.3; basis equals pandas-ta kc, the bands after about 150 bars at n = 20",
)
def kc(p, s, x, r, start, stop):
    """State: bars since the last missing input, close before, both averages (running sums before bar n)."""
    highs, lows, closes, lower, basis, upper = x[r[0]], x[r[1]], x[r[2]], x[r[3]], x[r[4]], x[r[5]]
    n, scalar = p[0], p[1]
    alpha = 2.0 / (n + 1.0)
    seen, before, mean, span = s[0], s[1], s[2], s[3]
    for i in range(start, stop):
        high, low, close = highs[i], lows[i], closes[i]
        if math.isnan(high + low + close):
            seen, mean, span = 0.0, 0.0, 0.0
            lower[i] = basis[i] = upper[i] = math.nan
            continue
        seen += 1.0
        mean = seeded_average(mean, seen, n, alpha, close)
        span = seeded_average(span, seen, n, alpha, true_range(high, low, before, seen))
        before = close
        if seen < n:
            lower[i] = basis[i] = upper[i] = math.nan
        else:
            lower[i], basis[i], upper[i] = mean - scalar * span, mean, mean + scalar * span
    s[0], s[1], s[2], s[3] = seen, before, mean, span
