"""Weighted moving average."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import next_place, window_ramp
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "wma",
    summary="Weighted moving average: the newest value weighs most",
    inputs=("source",),
    params=(Param("length", int, 20, low=1, high=MAX_LENGTH, meaning="window in bars"),),
    outputs=(Output("value", meaning="the average, in units of the source"),),
    state=lambda p: 4 + p["length"],
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: p["length"],
    formula="sum of k * x_k over n * (n + 1) / 2, k = 1 for the oldest to n for the newest of the last n values",
    source="plays.md 3.1; equals TA-Lib WMA",
)
def wma(p, s, x, r, start, stop):
    """State: bars since the last missing input, place, plain and weighted sum of the chunk, ends."""
    a, y = x[r[0], start:stop], x[r[1], start:stop]
    n = int(p[0])
    ends = s[4 : 4 + n]
    divisor = 0.5 * n * (n + 1.0)
    seen, place, total, weighted = int(s[0]), int(s[1]), s[2], s[3]
    for i in range(len(y)):
        v = a[i]
        if math.isnan(v):
            seen, place = 0, 0
            y[i] = math.nan
            continue
        seen += 1
        total, weighted, whole = window_ramp(ends, place, total, weighted, v)
        place = next_place(place, n)
        y[i] = whole / divisor if seen >= n else math.nan
    s[0], s[1], s[2], s[3] = seen, place, total, weighted
