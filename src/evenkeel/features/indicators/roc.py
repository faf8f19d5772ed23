"""Rate of change."""

from __future__ import annotations

import math

from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "roc",
    summary="Rate of change in percent",
    inputs=("source",),
    params=(Param("length", int, 10, low=1, high=MAX_LENGTH, meaning="how many bars back"),),
    outputs=(Output("value", meaning="change over n bars in percent"),),
    state=lambda _: 1,
    lookback=lambda p: p["length"],
    first=lambda p: {"value": p["length"] + 1},
    warmup=lambda p: p["length"] + 1,
    formula="100 * (C / C[n] - 1)",
    source="plays.md 3.2; equals TA-Lib ROC",
)
def roc(p, s, x, r, start, stop):
    """State: bars since the last missing input."""
    a, y = x[r[0]], x[r[1]]
    n = int(p[0])
    seen = int(s[0])
    for i in range(start, stop):
        v = a[i]
        seen = 0 if math.isnan(v) else seen + 1
        y[i] = math.nan
        if seen > n and a[i - n] != 0.0:
            y[i] = 100.0 * (v / a[i - n] - 1.0)
    s[0] = seen
