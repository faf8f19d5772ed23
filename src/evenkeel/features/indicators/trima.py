"""Triangular moving average."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import next_place, window_sum
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator
from evenkeel.kernel import inlined


@inlined
def stage(n):
    """Return the length of both stages, (n + 1) / 2; a half goes to the even neighbour."""
    return round(0.5 * (n + 1.0))


@indicator(
    "trima",
    summary="Triangular moving average: the middle of the window weighs most",
    inputs=("source",),
    params=(Param("length", int, 20, low=1, high=MAX_LENGTH, meaning="window in bars"),),
    outputs=(Output("value", meaning="the average, in units of the source"),),
    state=lambda p: 5 + 2 * stage.py_func(p["length"]),
    lookback=lambda _: 0,
    first=lambda p: {"value": 2 * stage.py_func(p["length"]) - 1},
    warmup=lambda p: p["length"] + 1,
    formula="SMA(h) of SMA(h), h = (n + 1) / 2, a half rounded to the even neighbour",
    source="plays.md 3.1; equals TA-Lib TRIMA for odd n, which averages n / 2 and n / 2 + 1 bars for even n",
)
def trima(p, s, x, r, start, stop):
    """State: bars since the last missing input, place and sum of each stage's chunk, ends of both."""
    a, y = x[r[0], start:stop], x[r[1], start:stop]
    h = stage(p[0])
    inner_ends, outer_ends = s[5 : 5 + h], s[5 + h : 5 + 2 * h]
    seen, inner_place, inner, outer_place, outer = int(s[0]), int(s[1]), s[2], int(s[3]), s[4]
    for i in range(len(y)):
        v = a[i]
        if math.isnan(v):
            y[i] = math.nan
            seen, inner_place, outer_place = 0, 0, 0
            continue
        seen += 1
        inner, whole = window_sum(inner_ends, inner_place, inner, v)
        inner_place = next_place(inner_place, h)
        if seen < h:
            y[i] = math.nan
            continue
        outer, whole = window_sum(outer_ends, outer_place, outer, whole / h)
        outer_place = next_place(outer_place, h)
        y[i] = whole / h if seen >= 2 * h - 1 else math.nan
    s[0], s[1], s[2], s[3], s[4] = seen, inner_place, inner, outer_place, outer
