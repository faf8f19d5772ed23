"""Moving average convergence and divergence."""

from __future__ import annotations

import math

from evenkeel.features.indicators._bounds import fast_below_slow
from evenkeel.features.indicators._recurrence import seeded_average
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "macd",
    summary="Moving average convergence and divergence",
    inputs=("source",),
    params=(
        Param("fast", int, 12, low=1, high=MAX_LENGTH, meaning="span of the fast average in bars"),
        Param("slow", int, 26, low=1, high=MAX_LENGTH, meaning="span of the slow average in bars; above fast"),
        Param("signal", int, 9, low=1, high=MAX_LENGTH, meaning="span of the average of macd in bars"),
    ),
    outputs=(
        Output("macd", meaning="fast less slow average, in units of the source"),
        Output("signal", meaning="average of macd"),
        Output("histogram", meaning="macd less signal"),
    ),
    state=lambda _: 4,
    lookback=lambda _: 0,
    first=lambda p: {
        "macd": p["slow"], "signal": p["slow"] + p["signal"] - 1, "histogram": p["slow"] + p["signal"] - 1,
    },
    warmup=lambda p: 3 * p["slow"] + p["signal"],
    formula="macd = EMA(fast) - EMA(slow), each with its own seed; signal = EMA(signal) of macd",
    source="plays.md 3.3; equals TA-Lib MACD, which seeds the fast average later, after about 150 bars",
    check=fast_below_slow,
)  # fmt: skip
def macd(p, s, x, r, start, stop):
    """State: bars since the last missing input, fast, slow and signal average (running sums before their seeds)."""
    a, line, signals, histogram = x[r[0]], x[r[1]], x[r[2]], x[r[3]]
    n_fast, n_slow, n_signal = p[0], p[1], p[2]
    alpha_fast, alpha_slow, alpha_signal = 2.0 / (n_fast + 1.0), 2.0 / (n_slow + 1.0), 2.0 / (n_signal + 1.0)
    seen, fast, slow, signal = s[0], s[1], s[2], s[3]
    for i in range(start, stop):
        v = a[i]
        if math.isnan(v):
            seen, fast, slow, signal = 0.0, 0.0, 0.0, 0.0
            line[i] = signals[i] = histogram[i] = math.nan
            continue
        seen += 1.0
        fast = seeded_average(fast, seen, n_fast, alpha_fast, v)
        slow = seeded_average(slow, seen, n_slow, alpha_slow, v)
        if seen < n_slow:
            line[i] = signals[i] = histogram[i] = math.nan
            continue
        spread = fast - slow
        line[i] = spread
        count = seen - n_slow + 1.0
        signal = seeded_average(signal, count, n_signal, alpha_signal, spread)
        if count < n_signal:
            signals[i] = histogram[i] = math.nan
        else:
            signals[i] = signal
            histogram[i] = spread - signal
    s[0], s[1], s[2], s[3] = seen, fast, slow, signal
