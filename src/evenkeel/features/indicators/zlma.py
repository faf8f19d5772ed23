"""Zero-lag moving average."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import seeded_average
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "zlma",
    summary="Zero-lag moving average: an exponential average of the price put forward by its own lag",
    inputs=("source",),
    params=(Param("length", int, 20, low=1, high=MAX_LENGTH, meaning="span in bars; alpha = 2 / (n + 1)"),),
    outputs=(Output("value", meaning="the average, in units of the source"),),
    state=lambda _: 2,
    lookback=lambda p: (p["length"] - 1) // 2,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: 3 * p["length"],
    formula="exponential average of 2 * C - C[lag], lag = floor((n - 1) / 2); at bar n the mean of its first n - lag "
    "inputs",
    source="plays.md 3.1; equals pandas-ta zlma, which starts at bar n + lag, after about 110 bars at n = 20",
)
def zlma(p, s, x, r, start, stop):
    """State: bars since the last missing input, average (running sum before bar n)."""
    a, y = x[r[0]], x[r[1]]
    n = int(p[0])
    lag = (n - 1) // 2
    alpha = 2.0 / (n + 1.0)
    seen, mean = int(s[0]), s[1]
    for i in range(start, stop):
        v = a[i]
        if math.isnan(v):
            seen, mean = 0, 0.0
            y[i] = math.nan
            continue
        seen += 1
        if seen > lag:
            mean = seeded_average(mean, seen - lag, n - lag, alpha, 2.0 * v - a[i - lag])
        y[i] = mean if seen >= n else math.nan
    s[0], s[1] = seen, mean
