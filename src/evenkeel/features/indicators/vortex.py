"""Vortex."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import true_range
from evenkeel.features.indicators._window import next_place, window_sum, window_sums
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator

FIXED = 8
"""Numbers of state before the arrays."""


@indicator(
    "vortex",
    summary="Vortex: upward and downward movement in true ranges",
    inputs=("high", "low", "close"),
    params=(Param("length", int, 14, low=1, high=MAX_LENGTH, meaning="window in changes"),),
    outputs=(
        Output("vip", meaning="upward movement, around 1", low=0),
        Output("vim", meaning="downward movement, around 1", low=0),
    ),
    state=lambda p: FIXED + 3 * p["length"],
    lookback=lambda _: 0,
    first=lambda p: dict.fromkeys(("vip", "vim"), p["length"] + 1),
    warmup=lambda p: p["length"] + 1,
    formula="sums over the last n bars, bar 1 not counted: vip = sum |H - L1| / sum TR, vim = sum |L - H1| / sum TR; "
    "without range missing",
    source="plays.md 3.3; equals pandas-ta vortex",
)
def vortex(p, s, x, r, start, stop):
    """State: bars since the last missing input, high, low and close before, place and sums of the chunk, ends."""
    highs, lows, closes = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    plus, minus = x[r[3], start:stop], x[r[4], start:stop]
    n = int(p[0])
    up_ends, down_ends = s[FIXED : FIXED + n], s[FIXED + n : FIXED + 2 * n]
    span_ends = s[FIXED + 2 * n : FIXED + 3 * n]
    seen, high_before, low_before, before = int(s[0]), s[1], s[2], s[3]
    place, up, down, span = int(s[4]), s[5], s[6], s[7]
    for i in range(len(plus)):
        high, low, close = highs[i], lows[i], closes[i]
        plus[i] = minus[i] = math.nan
        if math.isnan(high + low + close):
            seen, place = 0, 0
            continue
        seen += 1
        if seen > 1:
            rise, fall = abs(high - low_before), abs(low - high_before)
            up, rises, down, falls = window_sums(up_ends, down_ends, place, up, down, rise, fall)
            span, ranges = window_sum(span_ends, place, span, true_range(high, low, before, seen))
            place = next_place(place, n)
            if seen > n and ranges > 0.0:
                plus[i], minus[i] = rises / ranges, falls / ranges
        high_before, low_before, before = high, low, close
    s[0], s[1], s[2], s[3] = seen, high_before, low_before, before
    s[4], s[5], s[6], s[7] = place, up, down, span
