"""Average true range."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import seeded_average, true_range
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "atr",
    summary="Average true range",
    inputs=("high", "low", "close"),
    params=(Param("length", int, 14, low=1, high=MAX_LENGTH, meaning="smoothing in bars; alpha = 1 / n"),),
    outputs=(Output("value", meaning="typical move of a bar, gaps included, in price units", low=0),),
    state=lambda _: 3,
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: 5 * p["length"],
    formula="Wilder average of TR = max(H - L, |H - C1|, |L - C1|), TR of bar 1 = H - L; seed = mean of the first n",
    source="plays.md 3.2; equals TA-Lib ATR, which leaves bar 1 out, after about 250 bars at n = 14",
)
def atr(p, s, x, r, start, stop):
    """State: bars since the last missing input, close before, average (running sum before bar n)."""
    highs, lows, closes, y = x[r[0]], x[r[1]], x[r[2]], x[r[3]]
    n = p[0]
    alpha = 1.0 / n
    seen, before, mean = s[0], s[1], s[2]
    for i in range(start, stop):
        high, low, close = highs[i], lows[i], closes[i]
        if math.isnan(high + low + close):
            seen, before, mean = 0.0, 0.0, 0.0
            y[i] = math.nan
            continue
        seen += 1.0
        mean = seeded_average(mean, seen, n, alpha, true_range(high, low, before, seen))
        before = close
        y[i] = mean if seen >= n else math.nan
    s[0], s[1], s[2] = seen, before, mean
