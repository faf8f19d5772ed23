"""Middle of the range."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import next_place, window_range
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "midprice",
    summary="Halfway between the highest high and the lowest low",
    inputs=("high", "low"),
    params=(Param("length", int, 14, low=1, high=MAX_LENGTH, meaning="window in bars"),),
    outputs=(Output("value", meaning="the middle, in price units"),),
    state=lambda p: 4 + 2 * p["length"],
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: p["length"],
    formula="(max H + min L) / 2 over n",
    source="plays.md 3.1; equals TA-Lib MIDPRICE",
)
def midprice(p, s, x, r, start, stop):
    """State: bars since the last missing input, place and extremes of the chunk, ends of both."""
    highs, lows, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    n = int(p[0])
    low_ends, high_ends = s[4 : 4 + n], s[4 + n : 4 + 2 * n]
    seen, place, least, most = int(s[0]), int(s[1]), s[2], s[3]
    for i in range(len(y)):
        high, low = highs[i], lows[i]
        if math.isnan(high + low):
            seen, place = 0, 0
            y[i] = math.nan
            continue
        seen += 1
        least, bottom, most, top = window_range(low_ends, high_ends, place, least, most, low, high)
        place = next_place(place, n)
        y[i] = 0.5 * (top + bottom) if seen >= n else math.nan
    s[0], s[1], s[2], s[3] = seen, place, least, most
