"""Double exponential moving average."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import seeded_average
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "dema",
    summary="Double exponential moving average",
    inputs=("source",),
    params=(Param("length", int, 20, low=1, high=MAX_LENGTH, meaning="span in bars; alpha = 2 / (n + 1)"),),
    outputs=(Output("value", meaning="the average, in units of the source"),),
    state=lambda _: 3,
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: 3 * p["length"],
    formula="2 * e1 - e2; e1 = EMA(n), e2 = exponential average of e1 that starts with its first value",
    source="plays.md 3.1; equals TA-Lib DEMA, which starts e2 with a mean, after about 150 bars at n = 20",
)
def dema(p, s, x, r, start, stop):
    """State: bars since the last missing input, both averages (the first a running sum before bar n)."""
    a, y = x[r[0]], x[r[1]]
    n = p[0]
    alpha = 2.0 / (n + 1.0)
    seen, once, twice = s[0], s[1], s[2]
    for i in range(start, stop):
        v = a[i]
        if math.isnan(v):
            seen, once = 0.0, 0.0
            y[i] = math.nan
            continue
        seen += 1.0
        if seen <= n:
            once = seeded_average(once, seen, n, alpha, v)
            twice = once
            y[i] = 2.0 * once - twice if seen == n else math.nan
            continue
        once += alpha * (v - once)
        twice += alpha * (once - twice)
        y[i] = 2.0 * once - twice
    s[0], s[1], s[2] = seen, once, twice
