"""Stochastic of the relative strength index."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import average_from_first, rising_part, strength_index
from evenkeel.features.indicators._window import is_flat, next_place, window_highest, window_lowest, window_sum
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator

FIXED = 11
"""Numbers of state before the arrays."""


@indicator(
    "stochrsi",
    summary="Stochastic of the relative strength index",
    inputs=("source",),
    params=(
        Param("length", int, 14, low=1, high=MAX_LENGTH, meaning="window of the extremes in bars"),
        Param("rsi_length", int, 14, low=1, high=MAX_LENGTH, meaning="smoothing of the strength index in bars"),
        Param("k", int, 3, low=1, high=MAX_LENGTH, meaning="bars averaged into k"),
        Param("d", int, 3, low=1, high=MAX_LENGTH, meaning="values of k averaged into d"),
    ),
    outputs=(
        Output("k", meaning="place of the strength index between its extremes, smoothed, 0 to 100", low=0, high=100),
        Output("d", meaning="average of k", low=0, high=100),
    ),
    state=lambda p: FIXED + 2 * p["length"] + p["k"] + p["d"],
    lookback=lambda _: 0,
    first=lambda p: {
        "k": p["rsi_length"] + p["length"] + p["k"] - 1,
        "d": p["rsi_length"] + p["length"] + p["k"] + p["d"] - 2,
    },
    warmup=lambda p: 6 * p["rsi_length"] + p["length"] + p["k"] + p["d"],
    formula="raw = 100 * (R - min R) / (max R - min R) over length, R = RSI(rsi_length), flat: 50; k = SMA(k) of raw; "
    "d = SMA(d) of k",
    source="plays.md 3.3; equals pandas-ta stochrsi after about 350 bars; TA-Lib STOCHRSI does not smooth k",
)
def stochrsi(p, s, x, r, start, stop):
    """State: bars since the last missing input, value before, average rise and fall, places, chunks, ends."""
    a, fast, slow = x[r[0]], x[r[1]], x[r[2]]
    n, n_rsi, n_fast, n_slow = int(p[0]), int(p[1]), int(p[2]), int(p[3])
    rings = FIXED + 2 * n
    low_ends, high_ends = s[FIXED : FIXED + n], s[FIXED + n : rings]
    fast_ends, slow_ends = s[rings : rings + n_fast], s[rings + n_fast : rings + n_fast + n_slow]
    alpha = 1.0 / n_rsi
    seen, before, gain, loss = int(s[0]), s[1], s[2], s[3]
    place, least, most, fast_place, fast_sum, slow_place, slow_sum = (
        int(s[4]), s[5], s[6], int(s[7]), s[8], int(s[9]), s[10],
    )  # fmt: skip
    for i in range(start, stop):
        v = a[i]
        fast[i] = slow[i] = math.nan
        if math.isnan(v):
            seen, place, fast_place, slow_place = 0, 0, 0, 0
            continue
        seen += 1
        gain = average_from_first(gain, seen - 1, alpha, rising_part(v - before))
        loss = average_from_first(loss, seen - 1, alpha, rising_part(before - v))
        before = v
        count = seen - n_rsi
        if count < 1:
            continue
        strength = strength_index(gain, loss)
        least, bottom = window_lowest(low_ends, place, least, strength)
        most, top = window_highest(high_ends, place, most, strength)
        place = next_place(place, n)
        count -= n - 1
        if count < 1:
            continue
        raw = 50.0 if is_flat(bottom, top) else 100.0 * (strength - bottom) / (top - bottom)
        fast_sum, whole = window_sum(fast_ends, fast_place, fast_sum, raw)
        fast_place = next_place(fast_place, n_fast)
        count -= n_fast - 1
        if count < 1:
            continue
        k = whole / n_fast
        fast[i] = k
        slow_sum, whole = window_sum(slow_ends, slow_place, slow_sum, k)
        slow_place = next_place(slow_place, n_slow)
        if count >= n_slow:
            slow[i] = whole / n_slow
    s[0], s[1], s[2], s[3] = seen, before, gain, loss
    s[4], s[5], s[6], s[7], s[8], s[9], s[10] = place, least, most, fast_place, fast_sum, slow_place, slow_sum
