"""Money flow index."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import direction, next_place, window_sums
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "mfi",
    summary="Money flow index",
    inputs=("high", "low", "close", "volume"),
    params=(Param("length", int, 14, low=1, high=MAX_LENGTH, meaning="window in changes"),),
    outputs=(Output("value", meaning="share of the rising bars in the money that moved, 0 to 100", low=0, high=100),),
    state=lambda p: 5 + 2 * p["length"],
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"] + 1},
    warmup=lambda p: p["length"] + 1,
    formula="100 - 100 / (1 + pos / neg), sums over n changes of tp * V where tp = (H + L + C) / 3 rose, fell by more "
    "than 1e-12 of it; neg = 0: 100, or 50 without pos",
    source="plays.md 3.2; equals TA-Lib MFI, which is 0 when less than 1 moved",
)
def mfi(p, s, x, r, start, stop):
    """State: bars since the last missing input, typical price before, place and both sums of the chunk, ends."""
    highs, lows, closes, volumes, y = x[r[0]], x[r[1]], x[r[2]], x[r[3]], x[r[4]]
    n = int(p[0])
    rise_ends, fall_ends = s[5 : 5 + n], s[5 + n : 5 + 2 * n]
    seen, before, place, rises, falls = int(s[0]), s[1], int(s[2]), s[3], s[4]
    for i in range(start, stop):
        price, volume = (highs[i] + lows[i] + closes[i]) / 3.0, volumes[i]
        y[i] = math.nan
        if math.isnan(price + volume):
            seen, place = 0, 0
            continue
        seen += 1
        if seen > 1:
            flow, way = price * volume, direction(before, price)
            rise, fall = flow if way > 0.0 else 0.0, flow if way < 0.0 else 0.0
            rises, pos, falls, neg = window_sums(rise_ends, fall_ends, place, rises, falls, rise, fall)
            place = next_place(place, n)
            if seen > n:
                if neg == 0.0:
                    y[i] = 100.0 if pos > 0.0 else 50.0
                elif pos + neg != 0.0:
                    y[i] = 100.0 * pos / (pos + neg)
        before = price
    s[0], s[1], s[2], s[3], s[4] = seen, before, place, rises, falls
