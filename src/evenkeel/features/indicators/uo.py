"""Ultimate oscillator."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import true_range
from evenkeel.features.indicators._window import next_place, window_sums
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator
from evenkeel.kernel import inlined

FIXED = 11
"""Numbers of state before the arrays."""


@inlined
def pressure(buying, span):
    """Return the share of the buying in the ranges; without any range one half."""
    return buying / span if span > 0.0 else 0.5


@indicator(
    "uo",
    summary="Ultimate oscillator: buying pressure over three windows",
    inputs=("high", "low", "close"),
    params=(
        Param("fast", int, 7, low=1, high=MAX_LENGTH, meaning="shortest window in bars, weight 4"),
        Param("medium", int, 14, low=1, high=MAX_LENGTH, meaning="middle window in bars, weight 2"),
        Param("slow", int, 28, low=1, high=MAX_LENGTH, meaning="longest window in bars, weight 1"),
    ),
    outputs=(Output("value", meaning="weighted share of the buying pressure, 0 to 100", low=0, high=100),),
    state=lambda p: FIXED + 2 * (p["fast"] + p["medium"] + p["slow"]),
    lookback=lambda _: 0,
    first=lambda p: {"value": p["slow"] + 1},
    warmup=lambda p: p["slow"] + 1,
    formula="100 * (4a + 2b + c) / 7; a, b, c = sum(C - min(L, C1)) / sum(TR) over fast, medium, slow, bar 1 not "
    "counted; without range 1/2",
    source="plays.md 3.2; equals TA-Lib ULTOSC",
    check=lambda p: (
        None
        if p["fast"] < p["medium"] < p["slow"]
        else f"fast ({p['fast']}) must be below medium ({p['medium']}), medium below slow ({p['slow']})"
    ),
)
def uo(p, s, x, r, start, stop):
    """State: bars since the last missing input, close before, place and sums of each window's chunk, ends."""
    highs, lows, closes, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop], x[r[3], start:stop]
    n1, n2, n3 = int(p[0]), int(p[1]), int(p[2])
    at2 = FIXED + 2 * n1
    at3 = at2 + 2 * n2
    buy_ends1, span_ends1 = s[FIXED : FIXED + n1], s[FIXED + n1 : at2]
    buy_ends2, span_ends2 = s[at2 : at2 + n2], s[at2 + n2 : at3]
    buy_ends3, span_ends3 = s[at3 : at3 + n3], s[at3 + n3 : at3 + 2 * n3]
    seen, before, place1, place2, place3 = int(s[0]), s[1], int(s[2]), int(s[3]), int(s[4])
    buy1, span1, buy2, span2, buy3, span3 = s[5], s[6], s[7], s[8], s[9], s[10]
    for i in range(len(y)):
        high, low, close = highs[i], lows[i], closes[i]
        y[i] = math.nan
        if math.isnan(high + low + close):
            seen, place1, place2, place3 = 0, 0, 0, 0
            continue
        seen += 1
        if seen > 1:
            buying, span = close - min(low, before), true_range(high, low, before, seen)
            buy1, bought1, span1, ranged1 = window_sums(buy_ends1, span_ends1, place1, buy1, span1, buying, span)
            buy2, bought2, span2, ranged2 = window_sums(buy_ends2, span_ends2, place2, buy2, span2, buying, span)
            buy3, bought3, span3, ranged3 = window_sums(buy_ends3, span_ends3, place3, buy3, span3, buying, span)
            place1, place2, place3 = next_place(place1, n1), next_place(place2, n2), next_place(place3, n3)
            if seen > n3:
                weighted = 4.0 * pressure(bought1, ranged1) + 2.0 * pressure(bought2, ranged2)
                y[i] = 100.0 * (weighted + pressure(bought3, ranged3)) / 7.0
        before = close
    s[0], s[1], s[2], s[3], s[4] = seen, before, place1, place2, place3
    s[5], s[6], s[7], s[8], s[9], s[10] = buy1, span1, buy2, span2, buy3, span3
