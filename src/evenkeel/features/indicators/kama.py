"""Kaufman's adaptive moving average."""

from __future__ import annotations

import math

from evenkeel.features.indicators._bounds import fast_below_slow
from evenkeel.features.indicators._window import flat_steps, next_place, window_is_flat, window_sum
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "kama",
    summary="Kaufman's adaptive moving average: fast in a trend, slow without one",
    inputs=("source",),
    params=(
        Param("length", int, 10, low=1, high=MAX_LENGTH, meaning="window of the efficiency ratio in bars"),
        Param("fast", int, 2, low=1, high=MAX_LENGTH, meaning="span in a straight move"),
        Param("slow", int, 30, low=1, high=MAX_LENGTH, meaning="span without direction; above fast"),
    ),
    outputs=(Output("value", meaning="the average, in units of the source"),),
    state=lambda p: 7 + p["length"],
    lookback=lambda p: p["length"],
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: 3 * p["length"],
    formula="K += sc * (C - K), sc = (ER * (f - s) + s)^2, f, s = 2 / (fast or slow + 1), ER = |C - C[n]| / sum of the "
    "last n |C - C1|, flat: 0; K at bar n = mean of the first n",
    source="plays.md 3.1; equals TA-Lib KAMA, which has another seed, after about 250 bars, except in flat windows",
    check=fast_below_slow,
)
def kama(p, s, x, r, start, stop):
    """State: bars since the last missing input, average, value before, runs of flat steps, place and sum, ends."""
    a, y = x[r[0]], x[r[1]]
    n = int(p[0])
    ends = s[7 : 7 + n]
    quick, slow = 2.0 / (p[1] + 1.0), 2.0 / (p[2] + 1.0)
    seen, mean, before, still, quiet, place, path = int(s[0]), s[1], s[2], int(s[3]), int(s[4]), int(s[5]), s[6]
    for i in range(start, stop):
        v = a[i]
        if math.isnan(v):
            seen, mean, still, quiet, place = 0, 0.0, 0, 0, 0
            y[i] = math.nan
            continue
        seen += 1
        whole = 0.0
        if seen > 1:
            path, whole = window_sum(ends, place, path, abs(v - before))
            place = next_place(place, n)
            still, quiet = flat_steps(still, quiet, before, v)
        before = v
        if seen > n:
            efficiency = 0.0
            if not window_is_flat(still, quiet, a, i - n, i):
                efficiency = abs(v - a[i - n]) / whole
            share = efficiency * (quick - slow) + slow
            mean += share * share * (v - mean)
            y[i] = mean
        elif seen == n:
            mean = (mean + v) / n
            y[i] = mean
        else:
            mean += v
            y[i] = math.nan
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = seen, mean, before, still, quiet, place, path
