"""True strength index."""

from __future__ import annotations

import math

from evenkeel.features.indicators._bounds import fast_below_slow
from evenkeel.features.indicators._recurrence import seeded_average
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "tsi",
    summary="True strength index: twice smoothed momentum",
    inputs=("source",),
    params=(
        Param("fast", int, 13, low=1, high=MAX_LENGTH, meaning="span of the second smoothing in bars"),
        Param("slow", int, 25, low=2, high=MAX_LENGTH, meaning="span of the first smoothing in bars; above fast"),
        Param("signal", int, 13, low=1, high=MAX_LENGTH, meaning="span of the average of tsi in bars"),
    ),
    outputs=(
        Output("tsi", meaning="direction in percent of all moves, -100 to 100", low=-100, high=100),
        Output("signal", meaning="average of tsi", low=-100, high=100),
    ),
    state=lambda _: 7,
    lookback=lambda _: 0,
    first=lambda p: dict.fromkeys(("tsi", "signal"), p["slow"]),
    warmup=lambda p: p["fast"] + 3 * p["slow"] + p["signal"],
    formula="100 * a / b; a of the changes, b of their magnitudes: exponential average over slow, at bar slow the mean "
    "of the first slow - 1, then over fast; signal = exponential average; both start with their first values; b = 0: 0",
    source="plays.md 3.3; equals pandas-ta tsi after about 300 bars",
    check=fast_below_slow,
)
def tsi(p, s, x, r, start, stop):
    """State: bars since the last missing input, value before, both averages of moves and of magnitudes, signal."""
    a, line, signals = x[r[0]], x[r[1]], x[r[2]]
    n = p[1]
    alpha_fast, alpha_slow, alpha_signal = 2.0 / (p[0] + 1.0), 2.0 / (n + 1.0), 2.0 / (p[2] + 1.0)
    seen, before, move, size, smooth_move, smooth_size, signal = s[0], s[1], s[2], s[3], s[4], s[5], s[6]
    for i in range(start, stop):
        v = a[i]
        if math.isnan(v):
            seen, move, size = 0.0, 0.0, 0.0
            line[i] = signals[i] = math.nan
            continue
        seen += 1.0
        change, before = v - before, v
        if seen <= n:
            if seen > 1.0:
                move = seeded_average(move, seen - 1.0, n - 1.0, alpha_slow, change)
                size = seeded_average(size, seen - 1.0, n - 1.0, alpha_slow, abs(change))
            if seen < n:
                line[i] = signals[i] = math.nan
                continue
            smooth_move, smooth_size = move, size
        else:
            move += alpha_slow * (change - move)
            size += alpha_slow * (abs(change) - size)
            smooth_move += alpha_fast * (move - smooth_move)
            smooth_size += alpha_fast * (size - smooth_size)
        strength = 100.0 * smooth_move / smooth_size if smooth_size > 0.0 else 0.0
        signal = signal + alpha_signal * (strength - signal) if seen > n else strength
        line[i], signals[i] = strength, signal
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = seen, before, move, size, smooth_move, smooth_size, signal
