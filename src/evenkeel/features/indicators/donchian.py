"""Donchian channel."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import next_place, window_highest, window_lowest
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "donchian",
    summary="Donchian channel: extremes of the last bars, this one included",
    inputs=("high", "low"),
    params=(
        Param("lower_length", int, 20, low=1, high=MAX_LENGTH, meaning="window of the lows in bars"),
        Param("upper_length", int, 20, low=1, high=MAX_LENGTH, meaning="window of the highs in bars"),
    ),
    outputs=(
        Output("lower", meaning="lowest low"),
        Output("middle", meaning="halfway between lower and upper"),
        Output("upper", meaning="highest high"),
    ),
    primary="middle",
    state=lambda p: 5 + p["lower_length"] + p["upper_length"],
    lookback=lambda _: 0,
    first=lambda p: {
        "lower": p["lower_length"], "middle": max(p["lower_length"], p["upper_length"]), "upper": p["upper_length"],
    },
    warmup=lambda p: max(p["lower_length"], p["upper_length"]),
    formula="lower = min L, upper = max H over their windows; middle = (lower + upper) / 2",
    source="plays.md 3.3; equals TA-Lib MIN and MAX",
)  # fmt: skip
def donchian(p, s, x, r, start, stop):
    """State: bars since the last missing input, place and extreme of each chunk, ends of both."""
    highs, lows = x[r[0], start:stop], x[r[1], start:stop]
    lower, middle, upper = x[r[2], start:stop], x[r[3], start:stop], x[r[4], start:stop]
    n_low, n_high = int(p[0]), int(p[1])
    low_ends, high_ends = s[5 : 5 + n_low], s[5 + n_low : 5 + n_low + n_high]
    seen, low_place, high_place, least, most = int(s[0]), int(s[1]), int(s[2]), s[3], s[4]
    for i in range(len(upper)):
        high, low = highs[i], lows[i]
        if math.isnan(high + low):
            seen, low_place, high_place = 0, 0, 0
            lower[i] = middle[i] = upper[i] = math.nan
            continue
        seen += 1
        least, bottom = window_lowest(low_ends, low_place, least, low)
        most, top = window_highest(high_ends, high_place, most, high)
        low_place, high_place = next_place(low_place, n_low), next_place(high_place, n_high)
        if seen < n_low:
            bottom = math.nan
        if seen < n_high:
            top = math.nan
        lower[i], upper[i] = bottom, top
        middle[i] = 0.5 * (bottom + top)
    s[0], s[1], s[2], s[3], s[4] = seen, low_place, high_place, least, most
