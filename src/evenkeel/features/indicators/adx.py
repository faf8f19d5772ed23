"""Average directional index."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import average_from_first, directional, true_range
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "adx",
    summary="Average directional index with its directional movements",
    inputs=("high", "low", "close"),
    params=(Param("length", int, 14, low=2, high=MAX_LENGTH, meaning="smoothing in bars; alpha = 1 / n"),),
    outputs=(
        Output("adx", meaning="strength of the trend, either way, 0 to 100", low=0, high=100),
        Output("dmp", meaning="upward movement in percent of the true range", low=0),
        Output("dmn", meaning="downward movement in percent of the true range", low=0),
        Output("adxr", meaning="mean of adx and adx n - 1 bars ago", low=0, high=100),
    ),
    state=lambda _: 8,
    lookback=lambda p: p["length"] - 1,
    first=lambda p: {"adx": p["length"], "dmp": p["length"], "dmn": p["length"], "adxr": 2 * p["length"] - 1},
    warmup=lambda p: 5 * p["length"],
    formula="u = H - H1, v = L1 - L; +DM = u if u > v and u > 0 else 0, -DM mirrored; dmp, dmn = 100 * Wilder(DM) / "
    "Wilder(TR), 0 without range; adx = Wilder average of 100 * |dmp - dmn| / (dmp + dmn) from bar n",
    source="plays.md 3.3; equals TA-Lib ADX, PLUS_DI, MINUS_DI and ADXR after about 350 bars at n = 14",
)
def adx(p, s, x, r, start, stop):
    """State: bars since the last missing input, high, low and close before, averages of +DM, -DM, TR (sum), DX."""
    highs, lows, closes = x[r[0]], x[r[1]], x[r[2]]
    strength, plus, minus, rating = x[r[3]], x[r[4]], x[r[5]], x[r[6]]
    n = p[0]
    back = int(n) - 1
    alpha = 1.0 / n
    seen, high_before, low_before, before = s[0], s[1], s[2], s[3]
    up, down, span, mean = s[4], s[5], s[6], s[7]
    for i in range(start, stop):
        high, low, close = highs[i], lows[i], closes[i]
        if math.isnan(high + low + close):
            seen, span = 0.0, 0.0
            strength[i] = plus[i] = minus[i] = rating[i] = math.nan
            continue
        seen += 1.0
        u, v = high - high_before, low_before - low
        up = average_from_first(up, seen - 1.0, alpha, directional(u, v))
        down = average_from_first(down, seen - 1.0, alpha, directional(v, u))
        reach = true_range(high, low, before, seen)
        high_before, low_before, before = high, low, close
        if seen > n:
            span += alpha * (reach - span)
        elif seen > 1.0:
            span += reach
            if seen == n:
                span /= n - 1.0
        if seen < n:
            strength[i] = plus[i] = minus[i] = rating[i] = math.nan
            continue
        scale = 100.0 / span if span > 0.0 else 0.0
        dmp, dmn = scale * up, scale * down
        both = dmp + dmn
        dx = 100.0 * abs(dmp - dmn) / both if both > 0.0 else 0.0
        mean = average_from_first(mean, seen - n + 1.0, alpha, dx)
        strength[i], plus[i], minus[i] = mean, dmp, dmn
        rating[i] = 0.5 * (mean + strength[i - back]) if seen >= 2.0 * n - 1.0 else math.nan
    s[0], s[1], s[2], s[3] = seen, high_before, low_before, before
    s[4], s[5], s[6], s[7] = up, down, span, mean
