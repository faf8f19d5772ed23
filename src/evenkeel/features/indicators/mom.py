"""Momentum."""

from __future__ import annotations

import math

from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "mom",
    summary="Momentum: change over some bars",
    inputs=("source",),
    params=(Param("length", int, 10, low=1, high=MAX_LENGTH, meaning="how many bars back"),),
    outputs=(Output("value", meaning="change over n bars, in units of the source"),),
    state=lambda _: 1,
    lookback=lambda p: p["length"],
    first=lambda p: {"value": p["length"] + 1},
    warmup=lambda p: p["length"] + 1,
    formula="C - C[n]",
    source="plays.md 3.2; equals TA-Lib MOM",
)
def mom(p, s, x, r, start, stop):
    """State: bars since the last missing input."""
    a, y = x[r[0]], x[r[1]]
    n = int(p[0])
    seen = int(s[0])
    for i in range(start, stop):
        v = a[i]
        seen = 0 if math.isnan(v) else seen + 1
        y[i] = v - a[i - n] if seen > n else math.nan
    s[0] = seen
