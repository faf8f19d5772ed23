"""Klinger volume oscillator."""

from __future__ import annotations

import math

from evenkeel.features.indicators._bounds import fast_below_slow
from evenkeel.features.indicators._recurrence import seeded_average
from evenkeel.features.indicators._window import direction
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "kvo",
    summary="Klinger volume oscillator: fast less slow average of the signed volume",
    inputs=("high", "low", "close", "volume"),
    params=(
        Param("fast", int, 34, low=1, high=MAX_LENGTH, meaning="span of the fast average in bars"),
        Param("slow", int, 55, low=1, high=MAX_LENGTH, meaning="span of the slow average in bars; above fast"),
        Param("signal", int, 13, low=1, high=MAX_LENGTH, meaning="span of the average of kvo in bars"),
    ),
    outputs=(
        Output("kvo", meaning="fast less slow average, in units of volume"),
        Output("signal", meaning="average of kvo"),
    ),
    state=lambda _: 5,
    lookback=lambda _: 0,
    first=lambda p: {"kvo": p["slow"] + 1, "signal": p["slow"] + p["signal"]},
    warmup=lambda p: 3 * p["slow"] + p["signal"],
    formula="EMA(fast) - EMA(slow) of V * sign of the change of (H + L + C) / 3, 0 up to 1e-12 of it, from bar 2; "
    "signal = EMA(signal)",
    source="plays.md 3.3; equals pandas-ta kvo, which counts the first volume as rising, after about 600 bars",
    check=fast_below_slow,
)
def kvo(p, s, x, r, start, stop):
    """State: bars since the last missing input, typical price before, the averages (sums before their seeds)."""
    highs, lows, closes, volumes, line, signals = x[r[0]], x[r[1]], x[r[2]], x[r[3]], x[r[4]], x[r[5]]
    n_fast, n_slow, n_signal = p[0], p[1], p[2]
    alpha_fast, alpha_slow, alpha_signal = 2.0 / (n_fast + 1.0), 2.0 / (n_slow + 1.0), 2.0 / (n_signal + 1.0)
    seen, before, fast, slow, signal = s[0], s[1], s[2], s[3], s[4]
    for i in range(start, stop):
        price, volume = (highs[i] + lows[i] + closes[i]) / 3.0, volumes[i]
        line[i] = signals[i] = math.nan
        if math.isnan(price + volume):
            seen, fast, slow, signal = 0.0, 0.0, 0.0, 0.0
            continue
        seen += 1.0
        count = seen - 1.0
        if count > 0.0:
            force = volume * direction(before, price)
            fast = seeded_average(fast, count, n_fast, alpha_fast, force)
            slow = seeded_average(slow, count, n_slow, alpha_slow, force)
        before = price
        if count < n_slow:
            continue
        spread = fast - slow
        line[i] = spread
        count -= n_slow - 1.0
        signal = seeded_average(signal, count, n_signal, alpha_signal, spread)
        if count >= n_signal:
            signals[i] = signal
    s[0], s[1], s[2], s[3], s[4] = seen, before, fast, slow, signal
