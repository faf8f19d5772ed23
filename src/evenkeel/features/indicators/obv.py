"""On-balance volume."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import summed
from evenkeel.features.node import Output, indicator


@indicator(
    "obv",
    summary="On-balance volume",
    inputs=("close", "volume"),
    params=(),
    outputs=(Output("value", meaning="volume of rising less volume of falling bars, counted from the first bar fed"),),
    state=lambda _: 4,
    lookback=lambda _: 0,
    first=lambda _: {"value": 2},
    warmup=lambda _: 2,
    formula="from 0: + V if C > C1, - V if C < C1; a bar with a missing number is skipped and repeats the last value",
    source="plays.md 3.2; equals TA-Lib OBV less the first volume",
)
def obv(p, s, x, r, start, stop):
    """State: complete bars so far, close before, running sum, its rounding error."""
    closes, volumes, y = x[r[0]], x[r[1]], x[r[2]]
    seen, before, total, error = s[0], s[1], s[2], s[3]
    for i in range(start, stop):
        close, volume = closes[i], volumes[i]
        if not math.isnan(close + volume):
            if seen > 0.0 and close != before:
                total, error = summed(total, error, volume if close > before else -volume)
            seen += 1.0
            before = close
        y[i] = total + error if seen > 1.0 else math.nan
    s[0], s[1], s[2], s[3] = seen, before, total, error
