"""Linear regression."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import next_place, window_line
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "linreg",
    summary="End of the least-squares line through the last bars",
    inputs=("source",),
    params=(Param("length", int, 14, low=2, high=MAX_LENGTH, meaning="window in bars"),),
    outputs=(Output("value", meaning="the line at the newest bar, in units of the source"),),
    state=lambda p: 4 + 2 * p["length"],
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: p["length"],
    formula="least-squares line over n, at its end: 3 * WMA(n) - 2 * SMA(n)",
    source="plays.md 3.1; equals TA-Lib LINEARREG",
)
def linreg(p, s, x, r, start, stop):
    """State: bars since the last missing input, place, plain and weighted sum of the chunk, ends of both."""
    a, y = x[r[0], start:stop], x[r[1], start:stop]
    n = int(p[0])
    plain_ends, ramp_ends = s[4 : 4 + n], s[4 + n : 4 + 2 * n]
    scale = 2.0 / (n * (n + 1.0))
    seen, place, total, weighted = int(s[0]), int(s[1]), s[2], s[3]
    for i in range(len(y)):
        v = a[i]
        if math.isnan(v):
            seen, place = 0, 0
            y[i] = math.nan
            continue
        seen += 1
        total, weighted, plain, ramp = window_line(plain_ends, ramp_ends, place, total, weighted, v)
        place = next_place(place, n)
        y[i] = scale * (3.0 * ramp - (n + 1.0) * plain) if seen >= n else math.nan
    s[0], s[1], s[2], s[3] = seen, place, total, weighted
