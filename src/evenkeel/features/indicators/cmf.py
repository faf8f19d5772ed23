"""Chaikin money flow."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import is_flat, next_place, window_sums
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "cmf",
    summary="Chaikin money flow: volume by where the bars closed in their ranges",
    inputs=("high", "low", "close", "volume"),
    params=(Param("length", int, 20, low=1, high=MAX_LENGTH, meaning="window in bars"),),
    outputs=(Output("value", meaning="share of the volume that bought, -1 to 1", low=-1, high=1),),
    state=lambda p: 4 + 2 * p["length"],
    lookback=lambda _: 0,
    first=lambda p: {"value": p["length"]},
    warmup=lambda p: p["length"],
    formula="sum(m * V) / sum(V) over n, m = ((C - L) - (H - C)) / (H - L), 0 without range; without volume 0",
    source="plays.md 3.2; equals pandas-ta cmf",
)
def cmf(p, s, x, r, start, stop):
    """State: bars since the last missing input, place and both sums of the chunk, ends of both."""
    highs, lows, closes = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    volumes, y = x[r[3], start:stop], x[r[4], start:stop]
    n = int(p[0])
    flow_ends, volume_ends = s[4 : 4 + n], s[4 + n : 4 + 2 * n]
    seen, place, flows, total = int(s[0]), int(s[1]), s[2], s[3]
    for i in range(len(y)):
        high, low, close, volume = highs[i], lows[i], closes[i], volumes[i]
        if math.isnan(high + low + close + volume):
            seen, place = 0, 0
            y[i] = math.nan
            continue
        seen += 1
        where = 0.0 if is_flat(low, high) else ((close - low) - (high - close)) / (high - low)
        flows, flow, total, traded = window_sums(flow_ends, volume_ends, place, flows, total, where * volume, volume)
        place = next_place(place, n)
        if seen < n:
            y[i] = math.nan
        else:
            y[i] = flow / traded if traded > 0.0 else 0.0
    s[0], s[1], s[2], s[3] = seen, place, flows, total
