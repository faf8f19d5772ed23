"""Relative strength index."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import average_from_first, rising_part, strength_index
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "rsi",
    summary="Relative strength index",
    inputs=("source",),
    params=(Param("length", int, 14, low=1, high=MAX_LENGTH, meaning="smoothing in bars; alpha = 1 / n"),),
    outputs=(Output("value", meaning="share of the gains in all moves, 0 to 100", low=0, high=100),),
    state=lambda _: 4,
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"] + 1},
    warmup=lambda p: max(p["length"] + 1, 5 * p["length"]),
    formula="100 * G / (G + L); G, L = Wilder averages of rises and falls, started by the first change; no move: 50",
    source="plays.md 3.2; equals TA-Lib RSI once its other seed has decayed, about 300 bars at n = 14",
)
def rsi(p, s, x, r, start, stop):
    """State: bars since the last missing input, value before, average rise, average fall."""
    a, y = x[r[0]], x[r[1]]
    n = p[0]
    alpha = 1.0 / n
    seen, before, gain, loss = s[0], s[1], s[2], s[3]
    for i in range(start, stop):
        v = a[i]
        if math.isnan(v):
            seen = 0.0
            y[i] = math.nan
            continue
        seen += 1.0
        gain = average_from_first(gain, seen - 1.0, alpha, rising_part(v - before))
        loss = average_from_first(loss, seen - 1.0, alpha, rising_part(before - v))
        before = v
        y[i] = strength_index(gain, loss) if seen > n else math.nan
    s[0], s[1], s[2], s[3] = seen, before, gain, loss
