"""Williams %R."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import is_flat, next_place, window_range
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "willr",
    summary="Williams %R",
    inputs=("high", "low", "close"),
    params=(Param("length", int, 14, low=1, high=MAX_LENGTH, meaning="window of the extremes in bars"),),
    outputs=(
        Output(
            "value",
            meaning="place of the close below the highest high, 0 at the top, -100 at the bottom",
            low=-100,
            high=0,
        ),
    ),
    state=lambda p: 4 + 2 * p["length"],
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: p["length"],
    formula="-100 * (HH - C) / (HH - LL) over n; flat: -50",
    source="plays.md 3.2; equals TA-Lib WILLR, except in flat windows (there 0)",
)
def willr(p, s, x, r, start, stop):
    """State: bars since the last missing input, place and extremes of the chunk, ends of both."""
    highs, lows, closes, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop], x[r[3], start:stop]
    n = int(p[0])
    low_ends, high_ends = s[4 : 4 + n], s[4 + n : 4 + 2 * n]
    seen, place, least, most = int(s[0]), int(s[1]), s[2], s[3]
    for i in range(len(y)):
        high, low, close = highs[i], lows[i], closes[i]
        if math.isnan(high + low + close):
            seen, place = 0, 0
            y[i] = math.nan
            continue
        seen += 1
        least, bottom, most, top = window_range(low_ends, high_ends, place, least, most, low, high)
        place = next_place(place, n)
        if seen < n:
            y[i] = math.nan
        elif is_flat(bottom, top):
            y[i] = -50.0
        else:
            y[i] = -100.0 * (top - close) / (top - bottom)
    s[0], s[1], s[2], s[3] = seen, place, least, most
