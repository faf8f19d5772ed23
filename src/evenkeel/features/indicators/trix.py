"""Rate of change of a triple average."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import seeded_average
from evenkeel.features.indicators._window import next_place, window_sum
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "trix",
    summary="Rate of change of a triple exponential average",
    inputs=("source",),
    params=(
        Param("length", int, 18, low=1, high=MAX_LENGTH, meaning="span of the averages in bars"),
        Param("signal", int, 9, low=1, high=MAX_LENGTH, meaning="values of trix averaged into signal"),
    ),
    outputs=(
        Output("trix", meaning="change of the average from bar to bar in percent"),
        Output("signal", meaning="average of trix"),
    ),
    state=lambda p: 7 + p["signal"],
    lookback=lambda _: 0,
    first=lambda p: {"trix": p["length"] + 1, "signal": p["length"] + p["signal"]},
    warmup=lambda p: 3 * p["length"] + p["signal"],
    formula="trix = 100 * (e3 / e3[1] - 1); e1 = EMA(n); e2 of e1 and e3 of e2 start with their first values; "
    "signal = SMA(signal) of trix",
    source="plays.md 3.3; equals TA-Lib TRIX, which starts each stage with a mean, after about 200 bars at n = 18",
)
def trix(p, s, x, r, start, stop):
    """State: bars since the last missing input, the three averages, values of trix so far, place and sum, ends."""
    a, line, signals = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    n, n_signal = p[0], int(p[1])
    ends = s[7 : 7 + n_signal]
    alpha = 2.0 / (n + 1.0)
    seen, once, twice, thrice, count, place, total = s[0], s[1], s[2], s[3], int(s[4]), int(s[5]), s[6]
    for i in range(len(signals)):
        v = a[i]
        if math.isnan(v):
            line[i] = signals[i] = math.nan
            seen, once, count, place = 0.0, 0.0, 0, 0
            continue
        seen += 1.0
        if seen <= n:
            once = seeded_average(once, seen, n, alpha, v)
            twice = thrice = once
            line[i] = signals[i] = math.nan
            continue
        before = thrice
        once += alpha * (v - once)
        twice += alpha * (once - twice)
        thrice += alpha * (twice - thrice)
        if before == 0.0:
            line[i] = signals[i] = math.nan
            continue
        change = 100.0 * (thrice / before - 1.0)
        total, whole = window_sum(ends, place, total, change)
        place = next_place(place, n_signal)
        count += 1
        line[i] = change
        signals[i] = whole / n_signal if count >= n_signal else math.nan
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = seen, once, twice, thrice, count, place, total
