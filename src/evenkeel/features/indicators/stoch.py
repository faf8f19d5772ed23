"""Stochastic oscillator."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import sum_of, summed
from evenkeel.features.indicators._window import is_flat, next_place, window_range
from evenkeel.features.node import DRIFT_BARS, MAX_LENGTH, Output, Param, indicator

FIXED = 10
"""Numbers of state before the arrays."""


@indicator(
    "stoch",
    summary="Stochastic oscillator",
    inputs=("high", "low", "close"),
    params=(
        Param("k", int, 14, low=1, high=MAX_LENGTH, meaning="window of the extremes in bars"),
        Param("smooth_k", int, 3, low=1, high=MAX_LENGTH, meaning="bars averaged into k"),
        Param("d", int, 3, low=1, high=MAX_LENGTH, meaning="values of k averaged into d"),
    ),
    outputs=(
        Output("k", meaning="place of the close between the extremes, smoothed, 0 to 100", low=0, high=100),
        Output("d", meaning="average of k", low=0, high=100),
    ),
    state=lambda p: FIXED + 2 * p["k"] + p["smooth_k"] + p["d"],
    lookback=lambda _: 0,
    first=lambda p: dict.fromkeys(("k", "d"), p["k"] + p["smooth_k"] + p["d"] - 2),
    warmup=lambda p: p["k"] + p["smooth_k"] + p["d"],
    formula="raw = 100 * (C - LL) / (HH - LL) over k bars, flat: 50; k = SMA(smooth_k) of raw; d = SMA(d) of k",
    source="plays.md 3.3; equals TA-Lib STOCH with simple averages, except in flat windows (there 0)",
)
def stoch(p, s, x, r, start, stop):
    """State: bars since the last missing input, chunk and extremes, two running sums, tails and the two rings."""
    highs, lows, closes = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    fast, slow = x[r[3], start:stop], x[r[4], start:stop]
    n, n_smooth, n_slow = int(p[0]), int(p[1]), int(p[2])
    low_ends, high_ends = s[FIXED : FIXED + n], s[FIXED + n : FIXED + 2 * n]
    rings = FIXED + 2 * n
    smooth_ring, slow_ring = s[rings : rings + n_smooth], s[rings + n_smooth : rings + n_smooth + n_slow]
    seen, place, least, most = int(s[0]), int(s[1]), s[2], s[3]
    smooth_sum, smooth_error, smooth_place = s[4], s[5], int(s[6])
    slow_sum, slow_error, slow_place = s[7], s[8], int(s[9])
    for i in range(len(slow)):
        high, low, close = highs[i], lows[i], closes[i]
        if math.isnan(high + low + close):
            seen, place, smooth_place, slow_place = 0, 0, 0, 0
            smooth_sum, smooth_error, slow_sum, slow_error = 0.0, 0.0, 0.0, 0.0
            fast[i] = slow[i] = math.nan
            continue
        least, bottom, most, top = window_range(low_ends, high_ends, place, least, most, low, high)
        place = next_place(place, n)
        seen += 1
        fast[i] = slow[i] = math.nan
        if seen < n:
            continue
        raw = 50.0 if is_flat(bottom, top) else 100.0 * (close - bottom) / (top - bottom)
        count = seen - n + 1
        # The rings stand in the loop itself: a call with an array costs more than the step.
        smooth_sum, smooth_error = summed(smooth_sum, smooth_error, raw)
        if count > n_smooth:
            smooth_sum, smooth_error = summed(smooth_sum, smooth_error, -smooth_ring[smooth_place])
        smooth_ring[smooth_place] = raw
        smooth_place = next_place(smooth_place, n_smooth)
        if count < n_smooth:
            continue
        if count % DRIFT_BARS == 0:
            smooth_sum, smooth_error = sum_of(smooth_ring, 0, n_smooth - 1)
        k = (smooth_sum + smooth_error) / n_smooth
        count -= n_smooth - 1
        slow_sum, slow_error = summed(slow_sum, slow_error, k)
        if count > n_slow:
            slow_sum, slow_error = summed(slow_sum, slow_error, -slow_ring[slow_place])
        slow_ring[slow_place] = k
        slow_place = next_place(slow_place, n_slow)
        if count < n_slow:
            continue
        if count % DRIFT_BARS == 0:
            slow_sum, slow_error = sum_of(slow_ring, 0, n_slow - 1)
        fast[i], slow[i] = k, (slow_sum + slow_error) / n_slow
    s[0], s[1], s[2], s[3] = seen, place, least, most
    s[4], s[5], s[6] = smooth_sum, smooth_error, smooth_place
    s[7], s[8], s[9] = slow_sum, slow_error, slow_place
