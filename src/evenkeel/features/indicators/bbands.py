"""Bollinger bands."""

from __future__ import annotations

import math

from evenkeel.features.indicators._deviation import are_stale, moved_sums, shifted_sums, squared_deviations
from evenkeel.features.indicators._window import flat_steps, window_is_flat
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator


@indicator(
    "bbands",
    summary="Bollinger bands",
    inputs=("source",),
    params=(
        Param("length", int, 20, low=2, high=MAX_LENGTH, meaning="window in bars"),
        Param("std", float, 2.0, low=0.0, above=True, meaning="half width in standard deviations"),
    ),
    outputs=(
        Output("lower", meaning="middle less std deviations"),
        Output("middle", meaning="mean of the window"),
        Output("upper", meaning="middle plus std deviations"),
        Output("bandwidth", meaning="upper less lower in percent of middle"),
        Output("percent_b", meaning="place of the value between the bands, 0 at lower, 1 at upper"),
    ),
    primary="middle",
    state=lambda _: 7,
    lookback=lambda p: p["length"],
    first=lambda p: dict.fromkeys(("lower", "middle", "upper", "bandwidth", "percent_b"), p["length"]),
    warmup=lambda p: p["length"],
    formula="SMA +/- std * sample deviation (n - 1); bandwidth = 100 * (U - L) / M; percent_b = (C - L) / (U - L); "
    "flat window: deviation 0, percent_b 0.5",
    source="plays.md 3.3; equals TA-Lib BBANDS with std * sqrt(n / (n - 1))",
)
def bbands(p, s, x, r, start, stop):
    """State: bars since the last missing input, the shift, sums and peak of the deviations, runs of flat steps."""
    n = int(p[0])
    column, a, leaving = x[r[0]], x[r[0], start:stop], x[r[0], start - n : stop - n]
    lower, middle, upper = x[r[1], start:stop], x[r[2], start:stop], x[r[3], start:stop]
    bandwidth, percent = x[r[4], start:stop], x[r[5], start:stop]
    share, share_less = 1.0 / n, 1.0 / (n - 1.0)
    seen, shift, total, squares, peak, still, quiet = int(s[0]), s[1], s[2], s[3], s[4], int(s[5]), int(s[6])
    for i in range(len(lower)):
        v = a[i]
        if math.isnan(v):
            seen, still, quiet = 0, 0, 0
            lower[i] = middle[i] = upper[i] = bandwidth[i] = percent[i] = math.nan
            continue
        seen += 1
        if seen > 1:
            still, quiet = flat_steps(still, quiet, column[start + i - 1], v)
        else:
            shift, total, squares, peak = v, 0.0, 0.0, 0.0
        gone = leaving[i] - shift if seen > n else 0.0
        total, squares, peak = moved_sums(total, squares, peak, v - shift, gone)
        if seen < n:
            lower[i] = middle[i] = upper[i] = bandwidth[i] = percent[i] = math.nan
            continue
        deviations = squared_deviations(total, squares, n)
        if are_stale(deviations, peak, seen):
            shift = v
            total, squares = shifted_sums(column, start + i - n + 1, start + i, shift)
            peak = squares
            deviations = squared_deviations(total, squares, n)
        offset = total * share
        mean = shift + offset
        flat = window_is_flat(still, quiet, column, start + i - n + 1, start + i)
        half = 0.0 if flat or deviations <= 0.0 else p[1] * math.sqrt(deviations * share_less)
        lower[i], middle[i], upper[i] = mean - half, mean, mean + half
        bandwidth[i] = 200.0 * half / mean if mean != 0.0 else math.nan
        if flat:
            percent[i] = 0.5
        else:
            percent[i] = 0.5 + (v - shift - offset) / (2.0 * half) if half > 0.0 else math.nan
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = seen, shift, total, squares, peak, still, quiet
