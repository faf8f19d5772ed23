"""Volume-weighted average price."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import summed
from evenkeel.features.node import Output, Param, indicator

DAILY, WEEKLY, NEVER = 0.0, 1.0, 2.0
"""Positions of the anchors in the list of choices."""


@indicator(
    "vwap",
    summary="Volume-weighted average price since the session's or the week's start",
    inputs=("high", "low", "close", "volume", "session"),
    params=(
        Param(
            "anchor", str, "D", choices=("D", "W", "none"),
            meaning="starts again each session day, each week from Monday, or never (then it depends on the first bar)",
        ),
    ),
    outputs=(Output("value", meaning="the average, in price units"),),
    state=lambda _: 5,
    lookback=lambda _: 0,
    first=lambda _: {"value": 1},
    warmup=lambda _: 1,
    formula="sum((H + L + C) / 3 * V) / sum(V) since the anchor, this bar included; a bar without volume, without a "
    "session or with a missing number changes nothing and repeats the last value",
    source="plays.md 3.1",
)  # fmt: skip
def vwap(p, s, x, r, start, stop):
    """State: sums of price times volume and of volume with their rounding errors, period + 1 (0 before the first).

    The value follows from the sums, so a skipped bar needs nothing of its own.
    """
    highs, lows, closes, volumes, sessions, y = x[r[0]], x[r[1]], x[r[2]], x[r[3]], x[r[4]], x[r[5]]
    anchor = p[0]
    money, money_error, volume, volume_error, period = s[0], s[1], s[2], s[3], s[4]
    value = (money + money_error) / (volume + volume_error) if volume > 0.0 else math.nan
    for i in range(start, stop):
        v = volumes[i]
        price = (highs[i] + lows[i] + closes[i]) / 3.0
        now = 1.0
        if anchor == DAILY:
            now = sessions[i] + 1.0
        elif anchor == WEEKLY:
            # Day 0, 1970-01-01, is a Thursday: three days after the Monday that opens week 0.
            now = math.floor((sessions[i] + 3.0) / 7.0) + 1.0
        if v > 0.0 and not math.isnan(price + now):
            if now != period:
                money, money_error, volume, volume_error, period = 0.0, 0.0, 0.0, 0.0, now
            money, money_error = summed(money, money_error, price * v)
            volume, volume_error = summed(volume, volume_error, v)
            value = (money + money_error) / (volume + volume_error)
        y[i] = value
    s[0], s[1], s[2], s[3], s[4] = money, money_error, volume, volume_error, period
