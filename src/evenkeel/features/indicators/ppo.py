"""Percentage price oscillator."""

from __future__ import annotations

import math

from evenkeel.features.indicators._bounds import fast_below_slow
from evenkeel.features.indicators._recurrence import average_from_first
from evenkeel.features.indicators._window import next_place, window_sum
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "ppo",
    summary="Percentage price oscillator: distance of two simple averages",
    inputs=("source",),
    params=(
        Param("fast", int, 12, low=1, high=MAX_LENGTH, meaning="window of the fast average in bars"),
        Param("slow", int, 26, low=1, high=MAX_LENGTH, meaning="window of the slow average in bars; above fast"),
        Param("signal", int, 9, low=1, high=MAX_LENGTH, meaning="span of the average of ppo in bars"),
    ),
    outputs=(
        Output("ppo", meaning="fast less slow average in percent of the slow one"),
        Output("histogram", meaning="ppo less signal"),
        Output("signal", meaning="average of ppo"),
    ),
    state=lambda p: 7 + p["fast"] + p["slow"],
    lookback=lambda _: 0,
    first=lambda p: dict.fromkeys(("ppo", "histogram", "signal"), p["slow"]),
    warmup=lambda p: p["slow"] + 3 * p["signal"],
    formula="ppo = 100 * (SMA(fast) - SMA(slow)) / SMA(slow); signal = exponential average of ppo that starts with its "
    "first value",
    source="plays.md 3.3; equals TA-Lib PPO with simple averages",
    check=fast_below_slow,
)
def ppo(p, s, x, r, start, stop):
    """State: bars since the last missing input, place and sum of each chunk, values of ppo so far, signal, ends."""
    a, line, histogram, signals = x[r[0]], x[r[1]], x[r[2]], x[r[3]]
    n_fast, n_slow = int(p[0]), int(p[1])
    fast_ends, slow_ends = s[7 : 7 + n_fast], s[7 + n_fast : 7 + n_fast + n_slow]
    alpha = 2.0 / (p[2] + 1.0)
    seen, fast_place, fast, slow_place, slow, count, signal = int(s[0]), int(s[1]), s[2], int(s[3]), s[4], s[5], s[6]
    for i in range(start, stop):
        v = a[i]
        line[i] = histogram[i] = signals[i] = math.nan
        if math.isnan(v):
            seen, fast_place, slow_place, count = 0, 0, 0, 0.0
            continue
        seen += 1
        fast, fast_whole = window_sum(fast_ends, fast_place, fast, v)
        slow, slow_whole = window_sum(slow_ends, slow_place, slow, v)
        fast_place, slow_place = next_place(fast_place, n_fast), next_place(slow_place, n_slow)
        mean = slow_whole / n_slow
        if seen < n_slow or mean == 0.0:
            continue
        spread = 100.0 * (fast_whole / n_fast - mean) / mean
        count += 1.0
        signal = average_from_first(signal, count, alpha, spread)
        line[i], histogram[i], signals[i] = spread, spread - signal, signal
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = seen, fast_place, fast, slow_place, slow, count, signal
