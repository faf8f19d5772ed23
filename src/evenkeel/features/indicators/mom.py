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
    """Without a missing value anywhere a block is one subtraction of two columns, which the machine does four abreast.

    State: bars since the last missing input.
    """
    n, seen = int(p[0]), int(s[0])
    a, before, y = x[r[0], start:stop], x[r[0], start - n : stop - n], x[r[1], start:stop]
    missing = 0
    for i in range(len(y)):
        y[i] = a[i] - before[i]
        missing += math.isnan(a[i])
    if missing == 0 and seen >= n:
        s[0] = seen + len(y)
        return
    for i in range(len(y)):
        seen = 0 if math.isnan(a[i]) else seen + 1
        if seen <= n:
            y[i] = math.nan
    s[0] = seen
