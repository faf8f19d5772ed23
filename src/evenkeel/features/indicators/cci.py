"""Commodity channel index."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import flat_steps, next_place, window_is_flat
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator

LAMBERT = 0.015
"""The constant that Lambert chose so that most values lie between -100 and 100."""


@indicator(
    "cci",
    summary="Commodity channel index: distance from the mean in mean absolute deviations",
    inputs=("high", "low", "close"),
    params=(Param("length", int, 14, low=1, high=MAX_LENGTH, meaning="window in bars"),),
    outputs=(Output("value", meaning="the distance; beyond 100 is unusual"),),
    state=lambda p: 5 + p["length"],
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: p["length"],
    formula="(tp - mean) / (0.015 * mean absolute deviation) over n, tp = (H + L + C) / 3; flat: 0; n steps a bar",
    source="plays.md 3.2; equals TA-Lib CCI",
)
def cci(p, s, x, r, start, stop):
    """State: bars since the last missing input, price before, runs of flat steps, place, the last n typical prices."""
    highs, lows, closes, y = x[r[0]], x[r[1]], x[r[2]], x[r[3]]
    n = int(p[0])
    prices = s[5 : 5 + n]
    seen, before, still, quiet, place = int(s[0]), s[1], int(s[2]), int(s[3]), int(s[4])
    for i in range(start, stop):
        price = (highs[i] + lows[i] + closes[i]) / 3.0
        if math.isnan(price):
            seen, still, quiet, place = 0, 0, 0, 0
            y[i] = math.nan
            continue
        seen += 1
        if seen > 1:
            still, quiet = flat_steps(still, quiet, before, price)
        before = price
        prices[place] = price
        place = next_place(place, n)
        if seen < n:
            y[i] = math.nan
        elif window_is_flat(still, quiet, prices, 0, n - 1):
            y[i] = 0.0
        else:
            # Less the newest price, so that large prices do not swallow small deviations.
            mean, deviation = 0.0, 0.0
            for j in range(n):
                mean += prices[j] - price
            mean /= n
            for j in range(n):
                deviation += abs(prices[j] - price - mean)
            y[i] = -mean * n / (LAMBERT * deviation)
    s[0], s[1], s[2], s[3], s[4] = seen, before, still, quiet, place
