"""Squeeze: Bollinger bands against a Keltner channel."""

from __future__ import annotations

import math

from evenkeel.features.indicators._deviation import are_stale, moved_sums, shifted_sums, squared_deviations
from evenkeel.features.indicators._recurrence import seeded_average, true_range
from evenkeel.features.indicators._window import flat_steps, next_place, window_is_flat, window_sum
from evenkeel.features.node import MAX_LENGTH, Output, OutputType, Param, indicator
from evenkeel.kernel import inlined

FIXED = 12
"""Numbers of state before the array."""

SAME_SHARE = 1e-9
"""Bands that differ by at most this share of the price count as one."""


@inlined
def is_inside(lower, upper, outer_lower, outer_upper, limit):
    """Return whether a band lies within another by more than the limit on both sides."""
    return lower - outer_lower > limit and outer_upper - upper > limit


@indicator(
    "squeeze",
    summary="Squeeze: smoothed momentum, and whether the Bollinger bands lie within the Keltner channel",
    inputs=("high", "low", "close"),
    params=(
        Param("bb_length", int, 20, low=2, high=MAX_LENGTH, meaning="window of the Bollinger bands in bars"),
        Param("bb_std", float, 2.0, low=0.0, above=True, meaning="their half width in standard deviations"),
        Param("kc_length", int, 20, low=1, high=MAX_LENGTH, meaning="span of the Keltner channel in bars"),
        Param("kc_scalar", float, 1.5, low=0.0, above=True, meaning="its half width in average true ranges"),
        Param("mom_length", int, 12, low=1, high=MAX_LENGTH, meaning="how many bars back the momentum looks"),
        Param("mom_smooth", int, 6, low=1, high=MAX_LENGTH, meaning="values of momentum averaged"),
    ),
    outputs=(
        Output("sqz", meaning="smoothed momentum, in price units"),
        Output("on", OutputType.BOOL, meaning="the Bollinger bands lie within the channel"),
        Output("off", OutputType.BOOL, meaning="the channel lies within the Bollinger bands"),
        Output("no_sqz", OutputType.BOOL, meaning="neither"),
    ),
    state=lambda p: FIXED + p["mom_smooth"],
    lookback=lambda p: max(p["bb_length"], p["mom_length"]),
    first=lambda p: {
        "sqz": p["mom_length"] + p["mom_smooth"],
        **dict.fromkeys(("on", "off", "no_sqz"), max(p["bb_length"], p["kc_length"])),
    },
    warmup=lambda p: max(3 * p["kc_length"] + 1, p["bb_length"], p["mom_length"] + p["mom_smooth"]),
    formula="sqz = SMA(mom_smooth) of C - C[mom_length]; on: bbands(bb_length, bb_std) inside kc(kc_length, kc_scalar) "
    "on both sides, off: outside on both, differences up to 1e-9 * C count as none",
    source="plays.md 3.3; sqz equals pandas-ta squeeze, whose flags use another channel and deviation",
)
def squeeze(p, s, x, r, start, stop):
    """State: bars since the last missing input, deviations and flat runs as in bbands, averages of kc, momentum."""
    highs, lows, closes, line, ons, offs, neithers = x[r[0]], x[r[1]], x[r[2]], x[r[3]], x[r[4]], x[r[5]], x[r[6]]
    n_bands, n_channel, back, n_smooth = int(p[0]), int(p[2]), int(p[4]), int(p[5])
    width, scalar = p[1], p[3]
    ready = max(n_bands, n_channel)
    ends = s[FIXED : FIXED + n_smooth]
    alpha = 2.0 / (n_channel + 1.0)
    seen, shift, total, squares, peak, still, quiet = int(s[0]), s[1], s[2], s[3], s[4], int(s[5]), int(s[6])
    before, basis, span, place, moves = s[7], s[8], s[9], int(s[10]), s[11]
    for i in range(start, stop):
        high, low, close = highs[i], lows[i], closes[i]
        line[i] = ons[i] = offs[i] = neithers[i] = math.nan
        if math.isnan(high + low + close):
            seen, still, quiet, basis, span, place = 0, 0, 0, 0.0, 0.0, 0
            continue
        seen += 1
        if seen > back:
            moves, whole = window_sum(ends, place, moves, close - closes[i - back])
            place = next_place(place, n_smooth)
            if seen >= back + n_smooth:
                line[i] = whole / n_smooth
        if seen > 1:
            still, quiet = flat_steps(still, quiet, before, close)
        else:
            shift, total, squares, peak = close, 0.0, 0.0, 0.0
        basis = seeded_average(basis, seen, n_channel, alpha, close)
        span = seeded_average(span, seen, n_channel, alpha, true_range(high, low, before, seen))
        before = close
        gone = closes[i - n_bands] - shift if seen > n_bands else 0.0
        total, squares, peak = moved_sums(total, squares, peak, close - shift, gone)
        if seen < ready:
            continue
        deviations = squared_deviations(total, squares, n_bands)
        if are_stale(deviations, peak, seen):
            shift = close
            total, squares = shifted_sums(closes, i - n_bands + 1, i, shift)
            peak = squares
            deviations = squared_deviations(total, squares, n_bands)
        flat = window_is_flat(still, quiet, closes, i - n_bands + 1, i)
        half = 0.0 if flat or deviations <= 0.0 else width * math.sqrt(deviations / (n_bands - 1.0))
        mean, reach, limit = shift + total / n_bands, scalar * span, SAME_SHARE * abs(close)
        on = is_inside(mean - half, mean + half, basis - reach, basis + reach, limit)
        off = is_inside(basis - reach, basis + reach, mean - half, mean + half, limit)
        ons[i] = 1.0 if on else 0.0
        offs[i] = 1.0 if off else 0.0
        neithers[i] = 0.0 if on or off else 1.0
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = seen, shift, total, squares, peak, still, quiet
    s[7], s[8], s[9], s[10], s[11] = before, basis, span, place, moves
