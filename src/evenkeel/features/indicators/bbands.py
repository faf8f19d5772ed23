"""Bollinger bands."""

from __future__ import annotations

import math

from evenkeel.features.indicators._recurrence import FLAT, is_flat
from evenkeel.features.node import DRIFT_BARS, MAX_LENGTH, Output, Param, indicator
from evenkeel.kernel import inlined

CANCELLATION = 1024.0
"""The sums are computed afresh when so little of them is left in the variance: it keeps ten digits."""


@inlined
def window_sums(a, first, last, shift):
    """Return the sums of the values and of their squares, each less `shift`, from `a[first]` to `a[last]`."""
    total, squares = 0.0, 0.0
    for i in range(first, last + 1):
        d = a[i] - shift
        total += d
        squares += d * d
    return total, squares


@inlined
def window_is_flat(a, first, last):
    """Return whether the values from `a[first]` to `a[last]` count as one."""
    low = high = a[last]
    for i in range(first, last):
        low, high = min(low, a[i]), max(high, a[i])
    return is_flat(low, high)


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
    """Sums of the values less a recent one, so that squares of large prices do not swallow small deviations.

    State: bars since the last missing input, the shift, sum and sum of squares over the window, the largest sum of
    squares since they were computed afresh, number of newest steps that are 0, and that are too small to end flatness.
    """
    a, lower, middle, upper, bandwidth, percent = x[r[0]], x[r[1]], x[r[2]], x[r[3]], x[r[4]], x[r[5]]
    n = int(p[0])
    share, share_less = 1.0 / n, 1.0 / (n - 1.0)
    seen, shift, total, squares, peak, still, quiet = int(s[0]), s[1], s[2], s[3], s[4], int(s[5]), int(s[6])
    for i in range(start, stop):
        v = a[i]
        if math.isnan(v):
            seen, shift, total, squares, peak, still, quiet = 0, 0.0, 0.0, 0.0, 0.0, 0, 0
            lower[i] = middle[i] = upper[i] = bandwidth[i] = percent[i] = math.nan
            continue
        seen += 1
        if seen == 1:
            shift = v
        else:
            step = abs(v - a[i - 1])
            still = still + 1 if step == 0.0 else 0
            quiet = quiet + 1 if step <= 2.0 * FLAT * abs(v) else 0
        d = v - shift
        total += d
        squares += d * d
        if seen > n:
            gone = a[i - n] - shift
            total -= gone
            squares -= gone * gone
        peak = max(peak, squares)
        if seen < n:
            lower[i] = middle[i] = upper[i] = bandwidth[i] = percent[i] = math.nan
            continue
        deviations = squares - total * total * share
        if CANCELLATION * deviations < peak or seen % DRIFT_BARS == 0:
            shift, d = v, 0.0
            total, squares = window_sums(a, i - n + 1, i, shift)
            peak = squares
            deviations = squares - total * total * share
        offset = total * share
        mean = shift + offset
        # Steps below the limit cannot make a window flat by themselves, larger ones cannot lie in a flat window.
        flat = still >= n - 1 or (quiet >= n - 1 and window_is_flat(a, i - n + 1, i))
        half = 0.0 if flat or deviations <= 0.0 else p[1] * math.sqrt(deviations * share_less)
        lower[i], middle[i], upper[i] = mean - half, mean, mean + half
        bandwidth[i] = 200.0 * half / mean if mean != 0.0 else math.nan
        if flat:
            percent[i] = 0.5
        else:
            percent[i] = 0.5 + (d - offset) / (2.0 * half) if half > 0.0 else math.nan
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = seen, shift, total, squares, peak, still, quiet
