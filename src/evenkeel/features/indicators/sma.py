"""Simple moving average."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import sum_of, summed
from evenkeel.features.node import DRIFT_BARS, MAX_LENGTH, Output, Param, indicator


@indicator(
    "sma",
    summary="Simple moving average",
    inputs=("source",),
    params=(Param("length", int, 20, low=1, high=MAX_LENGTH, meaning="window in bars"),),
    outputs=(Output("value", meaning="the average, in units of the source"),),
    state=lambda _: 3,
    lookback=lambda p: p["length"],
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: p["length"],
    formula="mean of the last n values",
    source="plays.md 3.1; equals TA-Lib SMA",
)
def sma(p, s, x, r, start, stop):
    """State: bars since the last missing input, running sum, its rounding error."""
    n = int(p[0])
    a, gone, y = x[r[0], start:stop], x[r[0], start - n : stop - n], x[r[1], start:stop]
    seen, total, error = int(s[0]), s[1], s[2]
    for i in range(len(y)):
        v = a[i]
        if math.isnan(v):
            seen, total, error = 0, 0.0, 0.0
            y[i] = math.nan
            continue
        seen += 1
        total, error = summed(total, error, v)
        if seen <= n:
            y[i] = (total + error) / n if seen == n else math.nan
            continue
        total, error = summed(total, error, -gone[i])
        if seen % DRIFT_BARS == 0:
            total, error = sum_of(x[r[0]], start + i - n + 1, start + i)
        y[i] = (total + error) / n
    s[0], s[1], s[2] = seen, total, error
