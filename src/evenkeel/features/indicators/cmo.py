"""Chande momentum oscillator."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import flat_steps, next_place, window_is_flat, window_sum
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "cmo",
    summary="Chande momentum oscillator",
    inputs=("source",),
    params=(Param("length", int, 14, low=1, high=MAX_LENGTH, meaning="window in changes"),),
    outputs=(Output("value", meaning="rises less falls in percent of all moves, -100 to 100", low=-100, high=100),),
    state=lambda p: 6 + p["length"],
    lookback=lambda p: p["length"],
    first=lambda p: {"value": p["length"] + 1},
    warmup=lambda p: p["length"] + 1,
    formula="100 * (up - down) / (up + down), plain sums of rises and falls over n changes; flat: 0",
    source="plays.md 3.2; equals pandas-ta cmo(talib=False); TA-Lib CMO smooths by Wilder",
)
def cmo(p, s, x, r, start, stop):
    """Rises less falls are the change over the window, rises and falls together its path.

    State: bars since the last missing input, value before, runs of flat steps, place and sum of the chunk, ends.
    """
    a, y = x[r[0]], x[r[1]]
    n = int(p[0])
    ends = s[6 : 6 + n]
    seen, before, still, quiet, place, path = int(s[0]), s[1], int(s[2]), int(s[3]), int(s[4]), s[5]
    for i in range(start, stop):
        v = a[i]
        y[i] = math.nan
        if math.isnan(v):
            seen, still, quiet, place = 0, 0, 0, 0
            continue
        seen += 1
        if seen > 1:
            path, whole = window_sum(ends, place, path, abs(v - before))
            place = next_place(place, n)
            still, quiet = flat_steps(still, quiet, before, v)
            if seen > n:
                flat = window_is_flat(still, quiet, a, i - n, i)
                y[i] = 0.0 if flat else 100.0 * (v - a[i - n]) / whole
        before = v
    s[0], s[1], s[2], s[3], s[4], s[5] = seen, before, still, quiet, place, path
