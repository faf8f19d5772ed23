"""Parabolic stop and reverse."""

from __future__ import annotations

import math

from evenkeel.features.node import Output, OutputType, Param, indicator


@indicator(
    "psar",
    summary="Parabolic stop and reverse",
    inputs=("high", "low", "close"),
    params=(
        Param("af0", float, 0.02, low=0.0, above=True, meaning="acceleration after a reversal"),
        Param("af", float, 0.02, low=0.0, above=True, meaning="added at each new extreme"),
        Param("max_af", float, 0.2, low=0.0, above=True, meaning="largest acceleration"),
    ),
    outputs=(
        Output("long", meaning="the stop below the price, missing while falling"),
        Output("short", meaning="the stop above the price, missing while rising"),
        Output("af", meaning="the acceleration after the bar", low=0),
        Output("reversal", OutputType.BOOL, meaning="whether the bar passed the stop and turned it"),
    ),
    state=lambda _: 9,
    lookback=lambda _: 0,
    # `long` and `short` are absent: one of them comes with bar 2, the other with the first reversal.
    first=lambda _: {"af": 2, "reversal": 2},
    warmup=lambda _: 20,
    formula="S += a * (E - S), kept behind the two bars before; a new extreme E adds af to a up to max_af; a price "
    "beyond S turns it: S = E, a = af0; starts at the close of bar 1, down if bar 2 is lower on both sides",
    source="plays.md 3.3; equals pandas-ta psar after about 50 bars; TA-Lib SAR turns on a touch too",
    check=lambda p: (
        None
        if max(p["af0"], p["af"]) <= p["max_af"]
        else f"af0 ({p['af0']:g}) and af ({p['af']:g}) must not be above max_af ({p['max_af']:g})"
    ),
)
def psar(p, s, x, r, start, stop):
    """State: bars since the last missing input, stop, extreme, acceleration, +1 rising or -1, two bars before."""
    highs, lows, closes, longs, shorts, factors, turns = x[r[0]], x[r[1]], x[r[2]], x[r[3]], x[r[4]], x[r[5]], x[r[6]]
    first_factor, step, largest = p[0], p[1], p[2]
    seen, level, extreme, factor, way = s[0], s[1], s[2], s[3], s[4]
    high1, low1, high2, low2 = s[5], s[6], s[7], s[8]
    for i in range(start, stop):
        high, low, close = highs[i], lows[i], closes[i]
        longs[i] = shorts[i] = factors[i] = turns[i] = math.nan
        if math.isnan(high + low + close):
            seen = 0.0
            continue
        seen += 1.0
        if seen == 1.0:
            level = close
            high1, low1, high2, low2 = high, low, high, low
            continue
        if seen == 2.0:
            way = -1.0 if high < high1 and low < low1 else 1.0
            extreme, factor = (high1, first_factor) if way > 0.0 else (low1, first_factor)
        turned = 0.0
        level += factor * (extreme - level)
        if way > 0.0:
            level = min(level, low1, low2)
            if high > extreme:
                extreme, factor = high, min(factor + step, largest)
            if low < level:
                level, way, extreme, factor, turned = extreme, -1.0, low, first_factor, 1.0
        else:
            level = max(level, high1, high2)
            if low < extreme:
                extreme, factor = low, min(factor + step, largest)
            if high > level:
                level, way, extreme, factor, turned = extreme, 1.0, high, first_factor, 1.0
        high1, low1, high2, low2 = high, low, high1, low1
        if way > 0.0:
            longs[i] = level
        else:
            shorts[i] = level
        factors[i], turns[i] = factor, turned
    s[0], s[1], s[2], s[3], s[4] = seen, level, extreme, factor, way
    s[5], s[6], s[7], s[8] = high1, low1, high2, low2
