"""Fisher transform."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import next_place, window_highest, window_lowest
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator

FLAT_SHARE = 1e-6
"""A range below this share of the price counts as none; an absolute limit would distort cheap instruments."""

LIMIT = 0.999
"""Largest magnitude that is transformed; the transform of 1 is infinite."""


@indicator(
    "fisher",
    summary="Fisher transform of the place in the range",
    inputs=("high", "low"),
    params=(
        Param("length", int, 9, low=1, high=MAX_LENGTH, meaning="window of the extremes in bars"),
        Param("signal", int, 1, low=1, high=MAX_LENGTH, meaning="how many bars signal lags behind"),
    ),
    outputs=(
        Output("fisher", meaning="the transform; sharp turns at its extremes"),
        Output("signal", meaning="fisher some bars ago"),
    ),
    state=lambda p: 6 + 2 * p["length"],
    lookback=lambda p: p["signal"],
    first=lambda p: {"fisher": p["length"], "signal": p["length"] + p["signal"]},
    warmup=lambda p: max(4 * p["length"], p["length"] + p["signal"]),
    formula="v = 0.66 * ((x - min) / (max - min) - 0.5) + 0.67 * v1 within +/-0.999, x = (H + L) / 2, the bracket 0 "
    "when max - min <= 1e-6 * |x|; F = 0.5 * (ln((1 + v) / (1 - v)) + F1), v and F 0 before bar n",
    source="plays.md 3.3; pandas-ta jumps from 0.99 to 0.999 and sets its first value to 0",
)
def fisher(p, s, x, r, start, stop):
    """State: bars since the last missing input, place and extremes of the chunk, v and F before, ends of both."""
    highs, lows, line, signals = x[r[0]], x[r[1]], x[r[2]], x[r[3]]
    n, back = int(p[0]), int(p[1])
    low_ends, high_ends = s[6 : 6 + n], s[6 + n : 6 + 2 * n]
    seen, place, least, most, value, turned = int(s[0]), int(s[1]), s[2], s[3], s[4], s[5]
    for i in range(start, stop):
        middle = 0.5 * (highs[i] + lows[i])
        line[i] = signals[i] = math.nan
        if math.isnan(middle):
            seen, place, value, turned = 0, 0, 0.0, 0.0
            continue
        seen += 1
        least, bottom = window_lowest(low_ends, place, least, middle)
        most, top = window_highest(high_ends, place, most, middle)
        place = next_place(place, n)
        if seen < n:
            continue
        span = top - bottom
        bracket = 0.0 if span <= FLAT_SHARE * abs(middle) else (middle - bottom) / span - 0.5
        value = min(max(0.66 * bracket + 0.67 * value, -LIMIT), LIMIT)
        turned = 0.5 * (math.log((1.0 + value) / (1.0 - value)) + turned)
        line[i] = turned
        if seen >= n + back:
            signals[i] = line[i - back]
    s[0], s[1], s[2], s[3], s[4], s[5] = seen, place, least, most, value, turned
