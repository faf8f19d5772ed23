"""Arnaud Legoux moving average."""

from __future__ import annotations

import math

from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "alma",
    summary="Arnaud Legoux moving average: a bell of weights near the new end of the window",
    inputs=("source",),
    params=(
        Param("length", int, 10, low=1, high=MAX_LENGTH, meaning="window in bars"),
        Param("sigma", float, 6.0, low=0.0, above=True, meaning="narrowness of the bell"),
        Param("offset", float, 0.85, low=0.0, high=1.0, meaning="top of the bell, 0 at the oldest, 1 at the newest"),
    ),
    outputs=(Output("value", meaning="the average, in units of the source"),),
    state=lambda p: 2 + p["length"],
    lookback=lambda p: p["length"] - 1,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: p["length"],
    formula="sum of w_i * x_i over sum of w_i, i = 0 the oldest of n, w_i = exp(-0.5 * (sigma / n * (i - k))^2), "
    "k = floor(offset * (n - 1)); n steps a bar",
    source="plays.md 3.1; pandas-ta weighs backwards and does not round k down",
)
def alma(p, s, x, r, start, stop):
    """State: bars since the last missing input, whether the weights are computed, the weights, which sum to 1."""
    a, y = x[r[0]], x[r[1]]
    n = int(p[0])
    weights = s[2 : 2 + n]
    if s[1] == 0.0:
        top = math.floor(p[2] * (n - 1.0))
        total = 0.0
        for j in range(n):
            reach = p[1] / n * (j - top)
            weights[j] = math.exp(-0.5 * reach * reach)
            total += weights[j]
        for j in range(n):
            weights[j] /= total
        s[1] = 1.0
    seen = int(s[0])
    for i in range(start, stop):
        seen = 0 if math.isnan(a[i]) else seen + 1
        if seen < n:
            y[i] = math.nan
            continue
        oldest = i - n + 1
        mean = 0.0
        for j in range(n):
            mean += weights[j] * a[oldest + j]
        y[i] = mean
    s[0] = seen
