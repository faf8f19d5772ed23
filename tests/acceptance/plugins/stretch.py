"""A plug-in as a user writes one: how far the close lies above its mean, in mean ranges, and pivots that hold it."""

import math

from evenkeel.features.node import MAX_LENGTH, Output, OutputType, Param, indicator, structure


@indicator(
    "stretch",
    summary="Distance of the close from its mean, in mean ranges",
    inputs=("high", "low", "close"),
    params=(Param("length", int, 20, low=2, high=MAX_LENGTH, meaning="bars of both means"),),
    outputs=(Output("value", meaning="in mean ranges"), Output("mean", meaning="in price units")),
    state=lambda _: 1,
    lookback=lambda p: p["length"],
    first=lambda p: {"value": p["length"], "mean": p["length"]},
    warmup=lambda p: p["length"],
    formula="(C - mean(C, n)) / mean(H - L, n)",
    source="test",
)
def stretch(p, s, x, r, start, stop):
    """State: bars seen."""
    highs, lows, closes, values, means = x[r[0]], x[r[1]], x[r[2]], x[r[3]], x[r[4]]
    n = int(p[0])
    for i in range(start, stop):
        s[0] += 1.0
        if s[0] < n:
            values[i] = means[i] = math.nan
            continue
        total = 0.0
        reach = 0.0
        for k in range(i - n + 1, i + 1):
            total += closes[k]
            reach += highs[k] - lows[k]
        means[i] = total / n
        values[i] = (closes[i] - means[i]) / (reach / n) if reach > 0.0 else math.nan


@structure(
    "pivot_count",
    summary="How many swings were accepted",
    inputs=("swing.high_accepted", "swing.low_accepted"),
    params=(),
    outputs=(Output("count", OutputType.INT),),
    state=lambda _: 1,
    lookback=lambda _: 0,
    first=lambda _: {"count": 1},
    warmup=lambda _: 1,
    formula="accepted highs and lows so far",
    source="test",
    uses=("swing",),
)
def pivot_count(p, s, x, r, start, stop):
    """State: the count."""
    for i in range(start, stop):
        s[0] += (x[r[0], i] > 0.0) + (x[r[1], i] > 0.0)
        x[r[2], i] = s[0]
