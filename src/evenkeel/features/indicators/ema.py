"""Exponential moving average."""

from __future__ import annotations

import math

from evenkeel.features.indicators._averages import four_averages, next_averages, wide_averages
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator
from evenkeel.kernel import kernel


@kernel
def ema_lanes(p, s, x, r, start, stop):
    """Up to eight averages of one source side by side, bit for bit what `ema` makes of each."""
    i = start
    while i < stop:
        warm = True
        for lane in range(len(p)):
            warm = warm and s[2 * lane + 1] >= p[lane]
        if warm:
            i = four_averages(p, s, x, r, i, stop) if len(p) <= 4 else wide_averages(p, s, x, r, i, stop)
        if i < stop:
            next_averages(p, s, x, r, i)
            i += 1


@indicator(
    "ema",
    summary="Exponential moving average",
    inputs=("source",),
    params=(Param("length", int, 20, low=1, high=MAX_LENGTH, meaning="span in bars; alpha = 2 / (n + 1)"),),
    outputs=(Output("value", meaning="the average, in units of the source"),),
    state=lambda _: 2,
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: 3 * p["length"],
    formula="e += 2/(n+1) * (x - e); e at bar n = mean of the first n",
    source="plays.md 3.1; equals TA-Lib EMA",
    lanes=ema_lanes,
)
def ema(p, s, x, r, start, stop):
    """State: mean (or running sum before bar n), bars since the last missing input."""
    a, y = x[r[0]], x[r[1]]
    n = p[0]
    alpha = 2.0 / (n + 1.0)
    mean, seen = s[0], s[1]
    for i in range(start, stop):
        v = a[i]
        if math.isnan(v):
            mean, seen = 0.0, 0.0
            y[i] = math.nan
            continue
        seen += 1.0
        if seen < n:
            mean += v
            y[i] = math.nan
        elif seen == n:
            mean = (mean + v) / n
            y[i] = mean
        else:
            mean += alpha * (v - mean)
            y[i] = mean
    s[0], s[1] = mean, seen
