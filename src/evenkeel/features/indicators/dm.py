"""Directional movement."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import average_from_first, directional
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "dm",
    summary="Directional movement, smoothed",
    inputs=("high", "low"),
    params=(Param("length", int, 14, low=1, high=MAX_LENGTH, meaning="smoothing in bars; alpha = 1 / n"),),
    outputs=(
        Output("dmp", meaning="upward movement, in price units", low=0),
        Output("dmn", meaning="downward movement, in price units", low=0),
    ),
    state=lambda _: 5,
    lookback=lambda _: 0,
    first=lambda _: {"dmp": 2, "dmn": 2},
    warmup=lambda p: 5 * p["length"],
    formula="u = H - H1, v = L1 - L; +DM = u if u > v and u > 0 else 0, -DM mirrored; Wilder averages that start with "
    "bar 2",
    source="plays.md 3.3; equals TA-Lib PLUS_DM and MINUS_DM divided by n, after about 300 bars at n = 14",
)
def dm(p, s, x, r, start, stop):
    """State: bars since the last missing input, high and low before, both averages."""
    highs, lows, plus, minus = x[r[0]], x[r[1]], x[r[2]], x[r[3]]
    alpha = 1.0 / p[0]
    seen, high_before, low_before, up, down = s[0], s[1], s[2], s[3], s[4]
    for i in range(start, stop):
        high, low = highs[i], lows[i]
        if math.isnan(high + low):
            seen = 0.0
            plus[i] = minus[i] = math.nan
            continue
        seen += 1.0
        u, v = high - high_before, low_before - low
        high_before, low_before = high, low
        up = average_from_first(up, seen - 1.0, alpha, directional(u, v))
        down = average_from_first(down, seen - 1.0, alpha, directional(v, u))
        if seen > 1.0:
            plus[i], minus[i] = up, down
        else:
            plus[i] = minus[i] = math.nan
    s[0], s[1], s[2], s[3], s[4] = seen, high_before, low_before, up, down
